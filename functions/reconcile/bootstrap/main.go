// Command bootstrap is the reconcile function as Lambda runs it: the runtime
// provided.al2023 starts a binary of this name.
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
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	function "github.com/blox/blox/functions/reconcile"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile"
	"github.com/blox/blox/internal/table"
)

const (
	// workers is how many batches of 100 are described and written at once; the
	// budget of calls bounds it further.
	workers = 8
	// readsPerSecond and readBurst are our share of what ECS lets an account
	// read in a region, 20 a second and 100 at once: half is left to others.
	readsPerSecond = 10
	readBurst      = 50
	// readBlock is how many calls one write to the budget pays for.
	readBlock = 10
)

func main() {
	handler, err := wire(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "blox reconcile:", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(ctx context.Context) (*function.Handler, error) {
	settings, err := function.SettingsFrom(os.Getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	db := dynamodb.NewFromConfig(cfg)
	daemons := table.NewDaemon(db, settings.DaemonTable)
	bucket := table.Bucket{Account: settings.Account, Region: settings.Region, Name: "read", PerSecond: readsPerSecond, Burst: readBurst}
	budget := &ecsapi.Budget{
		Block: readBlock,
		Pause: ecsapi.Pause,
		Take: func(ctx context.Context, n int) (int, time.Duration, error) {
			return daemons.TakeCalls(ctx, bucket, n, time.Now())
		},
	}
	// Others share ECS's limits with us: the adaptive mode slows down when ECS
	// throttles, instead of only trying again.
	client := ecs.NewFromConfig(cfg, func(o *ecs.Options) { o.RetryMode = aws.RetryModeAdaptive })
	return function.New(function.Config{
		Config: reconcile.Config{
			ECS:     ecsapi.Limit(client, budget),
			Account: settings.Account,
			Region:  settings.Region,
			Store:   table.NewState(db, settings.StateTable, settings.VisibleFor),
			Now:     time.Now,
			Workers: workers,
			Logger:  slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		},
		Queue: queue.NewSQS(sqs.NewFromConfig(cfg), settings.ReconcileQueueURL),
	}), nil
}
