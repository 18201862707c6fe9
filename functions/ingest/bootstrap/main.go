// Command bootstrap is the ingest function as Lambda runs it: the runtime
// provided.al2023 starts a binary of this name.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	function "github.com/blox/blox/functions/ingest"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/functionlog"
	"github.com/blox/blox/internal/ingest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/table"
)

// workers is how many items are written at the same time: a batch of ten, the
// default, in one round trip.
const workers = 16

func main() {
	handler, err := wire(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "blox ingest:", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(ctx context.Context) (*function.Handler, error) {
	settings, err := function.SettingsFrom(os.Getenv)
	if err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	queues := sqs.NewFromConfig(aws)
	return function.New(ingest.Config{
		Store:       table.NewState(dynamo.RetryUnprocessed(dynamodb.NewFromConfig(aws)), settings.StateTable, settings.VisibleFor),
		DeadLetters: queue.NewSQS(queues, settings.EventsDLQURL),
		Hints:       queue.NewSQS(queues, settings.ReconcileQueueURL),
		Now:         time.Now,
		Workers:     workers,
		Metrics:     metrics.NewEMF(os.Stdout, settings.Installation, time.Now),
		Logger:      functionlog.New(os.Stdout),
	}), nil
}
