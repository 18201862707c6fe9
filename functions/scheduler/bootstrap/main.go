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
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"github.com/blox/blox/functions/scheduler"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dispatch"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/ecsapi"
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
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	db := dynamodb.NewFromConfig(cfg)
	stateTable := table.NewState(db, s.StateTable, s.VisibleFor)
	daemonTable := table.NewDaemon(db, s.DaemonTable)
	wakeups := queue.NewSQS(sqs.NewFromConfig(cfg), s.WakeupQueueURL)
	if s.Handler == scheduler.HandlerDispatch {
		return scheduler.Dispatch(dispatch.New(dispatch.Config{
			State: stateTable, Daemon: daemonTable, Feed: table.NewFeed(db, s.StateTable, time.Now),
			Wakeups: wakeups, Installation: s.Installation,
		})), nil
	}
	return scheduler.Drive(drive.New(drive.Config{
		State: stateTable, Daemon: daemonTable, Wakeups: wakeups,
		ECS: func(_, region string) (ecsapi.API, error) {
			return ecs.NewFromConfig(cfg, func(o *ecs.Options) { o.Region = region }), nil
		},
		Now: time.Now, NewOwner: uuid.NewString, Installation: s.Installation,
		Settings: daemon.DefaultSettings(), Modify: drive.DefaultModify, Describe: drive.DefaultDescribe,
		Workers: workers, Log: log,
	}), log), nil
}
