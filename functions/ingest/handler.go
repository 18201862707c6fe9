// Package ingest is the Lambda function that stores ECS events: its trigger is
// the SQS queue behind the EventBridge rule, with ReportBatchItemFailures on.
package ingest

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/ingest"
)

// Handler translates between Lambda and the ingester.
type Handler struct{ ingester *ingest.Ingester }

// New makes a Handler.
func New(cfg ingest.Config) *Handler { return &Handler{ingest.New(cfg)} }

// Handle stores a batch of messages. The response names those that SQS is to
// deliver again; the error is always nil, since it would return the whole batch.
func (h *Handler) Handle(ctx context.Context, in events.SQSEvent) (events.SQSEventResponse, error) {
	records := make([]ingest.Record, len(in.Records))
	for i, message := range in.Records {
		records[i] = ingest.Record{ID: message.MessageId, Body: message.Body}
	}
	// An empty list, not null, says that all went well.
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, id := range h.ingester.Batch(ctx, records) {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return response, nil
}
