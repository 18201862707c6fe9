// Command bootstrap is the reconcile function as Lambda runs it: the runtime
// provided.al2023 starts a binary of this name.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	function "github.com/blox/blox/functions/reconcile"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/member"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile"
	"github.com/blox/blox/internal/table"
)

const (
	// workers is how many batches of 100 are described and written at once; the
	// budget of calls bounds it further.
	workers = 8
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
	db := dynamo.RetryUnprocessed(dynamodb.NewFromConfig(cfg))
	clients := member.New(member.Config{
		Settings: settings.Settings, AWS: cfg, Installation: settings.Installation, Role: member.RoleRead, Function: "reconcile",
		// Others share ECS's limits with us: the pace slows down when ECS throttles.
		Options: []func(*ecs.Options){ecsapi.LeaveThrottles},
	})
	all := reconcile.Config{
		Store:   table.NewState(db, settings.StateTable, settings.VisibleFor),
		Now:     time.Now,
		Workers: workers,
		Period:  settings.Period,
		Metrics: metrics.NewEMF(os.Stdout, settings.Installation, time.Now),
		Logger:  slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}
	var places []reconcile.Config
	for _, place := range settings.Places() {
		client, err := clients.ECS(place.Account, place.Region)
		if err != nil {
			return nil, err
		}
		one := all
		one.Account, one.Region = place.Account, place.Region
		one.ECS = ecsapi.Paced(client, &ecsapi.Pace{
			Limiter:   budget(table.NewDaemon(db, settings.DaemonTable), place, settings.ReadsPerSecond),
			PerSecond: settings.ReadsPerSecond, Now: time.Now, Pause: ecsapi.Pause, Random: rand.Float64,
		})
		places = append(places, one)
	}
	return function.New(function.Config{
		Places: places, Queue: queue.NewSQS(sqs.NewFromConfig(cfg), settings.ReconcileQueueURL), Now: all.Now,
		Metrics: all.Metrics, Logger: all.Logger,
	}), nil
}

// budget is a place's share of ECS's reads, which the scheduler takes from as well.
func budget(daemons *table.Daemon, place member.Place, readsPerSecond float64) *ecsapi.Budget {
	share := ecsapi.ReadShare(readsPerSecond)
	bucket := table.Bucket{
		Account: place.Account, Region: place.Region, Name: ecsapi.BucketRead, PerSecond: share.PerSecond, Burst: share.Burst,
	}
	return &ecsapi.Budget{
		Block: readBlock,
		Pause: ecsapi.Pause,
		Take: func(ctx context.Context, n int) (int, time.Duration, error) {
			return daemons.ReserveCalls(ctx, bucket, n, time.Now())
		},
	}
}
