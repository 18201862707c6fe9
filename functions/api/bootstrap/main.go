// Command bootstrap is the API's Lambda binary: the runtime provided.al2023 starts a binary of this name. It is deployed
// twice, as BLOX_HANDLER says: api answers requests, stream those whose answer goes on for minutes.
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
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	function "github.com/blox/blox/functions/api"
	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/member"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/table"
)

func main() {
	handler, err := newHandler(context.Background(), os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "blox api:", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func newHandler(ctx context.Context, getenv func(string) string) (any, error) {
	settings, err := function.SettingsFrom(getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	tables := dynamo.RetryUnprocessed(dynamodb.NewFromConfig(cfg))
	deps := httpapi.Deps{
		State:        table.NewState(tables, settings.StateTable, settings.VisibleFor),
		Feed:         table.NewFeed(tables, settings.StateTable, time.Now),
		Now:          time.Now,
		NewID:        newID,
		Account:      settings.Home.Account,
		Region:       settings.Home.Region,
		Installation: settings.Installation,
		Version:      settings.Version,
		Logger:       slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}
	if settings.Handler == function.HandlerStream {
		return function.NewStream(deps).Handle, nil
	}
	clients := member.New(member.Config{
		Settings: settings.Settings, AWS: cfg, Installation: settings.Installation, Role: member.RoleRead, Function: "api",
	})
	deps.ECS = func(account, region string) (httpapi.ECS, error) { return clients.ECS(account, region) }
	deps.Daemon = table.NewDaemon(tables, settings.DaemonTable)
	queues := sqs.NewFromConfig(cfg)
	deps.Wakeups = queue.NewSQS(queues, settings.WakeupQueueURL)
	deps.Scheduler = newScheduler(clients, settings, deps)
	deps.Members, deps.VisibleFor = settings.Members, settings.VisibleFor
	deps.Reconciles = queue.NewSQS(queues, settings.ReconcileQueueURL)
	return function.New(deps).Handle, nil
}

// newScheduler is the scheduler's knowledge of environments. It is only asked: what acts is told nothing here.
func newScheduler(clients *member.Clients, settings function.Settings, deps httpapi.Deps) httpapi.Scheduler {
	rules := daemon.DefaultSettings()
	rules.ReconcilePeriod = settings.ReconcilePeriod
	return drive.New(drive.Config{
		State: deps.State, Daemon: deps.Daemon,
		ECS:    func(account, region string) (ecsapi.API, error) { return clients.ECS(account, region) },
		Alarms: func(account, region string) (alarms.API, error) { return clients.CloudWatch(account, region) },
		Now:    deps.Now, Installation: settings.Installation, Settings: rules,
		Describe: ecsapi.ReadShare(settings.ReadsPerSecond), Metrics: metrics.Discard{}, Log: deps.Logger,
	})
}

// newID is a UUID that sorts by time. Drawing random numbers fails only where the system has none, and Lambda then
// starts the function anew.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
