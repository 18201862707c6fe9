// Command bootstrap is the API function as Lambda runs it: the runtime provided.al2023 starts a binary of this name.
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

	function "github.com/blox/blox/functions/api"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/table"
)

func main() {
	handler, err := wire(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "blox api:", err)
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
	tables := dynamodb.NewFromConfig(aws)
	return function.New(httpapi.Deps{
		State:        table.NewState(tables, settings.StateTable, settings.VisibleFor),
		Daemon:       table.NewDaemon(tables, settings.DaemonTable),
		ECS:          ecs.NewFromConfig(aws),
		Feed:         table.NewFeed(tables, settings.StateTable, time.Now),
		Wakeups:      queue.NewSQS(sqs.NewFromConfig(aws), settings.WakeupQueueURL),
		Now:          time.Now,
		NewID:        newID,
		Account:      settings.Account,
		Region:       settings.Region,
		Installation: settings.Installation,
		Version:      settings.Version,
		Logger:       slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}), nil
}

// newID is a UUID that sorts by time. Drawing random numbers fails only where the system has none, and Lambda then
// starts the function anew.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
