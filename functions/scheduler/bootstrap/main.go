// Command bootstrap is the scheduler's Lambda binary. It is deployed twice, as BLOX_HANDLER says: dispatch reads the STATE
// table's stream, drive works on environments.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"github.com/blox/blox/functions/scheduler"
	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dispatch"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/member"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/table"
)

func main() {
	handler, err := newHandler(context.Background(), os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "blox scheduler:", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

// workers is how many calls to ECS run at once; its buckets allow no more than tens a second.
const workers = 10

func newHandler(ctx context.Context, getenv func(string) string) (any, error) {
	s, err := scheduler.SettingsFrom(getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if s.Handler == scheduler.HandlerDispatch {
		return newDispatch(cfg, s), nil
	}
	return newDrive(cfg, s), nil
}

func newDispatch(cfg aws.Config, s scheduler.Settings) any {
	db := dynamo.RetryUnprocessed(dynamodb.NewFromConfig(cfg))
	c := dispatch.Config{
		State: table.NewState(db, s.StateTable, s.VisibleFor), Daemon: table.NewDaemon(db, s.DaemonTable),
		Feed:    table.NewFeed(db, s.StateTable, time.Now).WithPause(table.RandomPause),
		Wakeups: queue.NewSQS(sqs.NewFromConfig(cfg), s.WakeupQueueURL), Installation: s.Installation,
		Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}
	if s.Dispatch.ForwardChanges {
		c.Forward = announce.NewEventBridge(eventbridge.NewFromConfig(cfg), s.Dispatch.EventBus)
	}
	return scheduler.Dispatch(dispatch.New(c))
}

func newDrive(cfg aws.Config, s scheduler.Settings) any {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	db := dynamo.RetryUnprocessed(dynamodb.NewFromConfig(cfg))
	clients := member.New(member.Config{
		Settings: s.Drive.Settings, AWS: cfg, Installation: s.Installation, Role: member.RoleScheduler, Function: "drive",
	})
	settings := daemon.DefaultSettings()
	settings.ReconcilePeriod = s.Drive.ReconcilePeriod
	return scheduler.Drive(drive.New(drive.Config{
		State: table.NewState(db, s.StateTable, s.VisibleFor), Daemon: table.NewDaemon(db, s.DaemonTable),
		Wakeups: queue.NewSQS(sqs.NewFromConfig(cfg), s.WakeupQueueURL),
		ECS:     func(account, region string) (ecsapi.API, error) { return clients.ECS(account, region) },
		Alarms:  func(account, region string) (alarms.API, error) { return clients.CloudWatch(account, region) },
		Now:     time.Now, NewOwner: uuid.NewString, Installation: s.Installation, Settings: settings,
		Modify:   ecsapi.ModifyShare(s.Drive.ModifiesPerSecond),
		Describe: ecsapi.ReadShare(s.Drive.ReadsPerSecond),
		Workers:  workers,
		Announce: announce.NewEventBridge(eventbridge.NewFromConfig(cfg), s.Drive.EventBus),
		Metrics:  metrics.NewEMF(os.Stdout, s.Installation, time.Now),
		Log:      log,
	}), log)
}
