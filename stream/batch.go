package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
)

// RecordError is a failure at one record of a batch. What came before it was handled.
type RecordError struct {
	// SequenceNumber is the record's, by which Lambda is told where to go on.
	SequenceNumber string
	Err            error
}

// Error says which record failed, and why.
func (e *RecordError) Error() string {
	return fmt.Sprintf("stream record %s: %s", e.SequenceNumber, e.Err)
}

// Unwrap is why the record failed.
func (e *RecordError) Unwrap() error { return e.Err }

// Response is what a Lambda function answers for a batch that ended with err: after a RecordError, that the batch is to
// be delivered again from that record on, so that what came before it is not repeated and what comes after it keeps its
// order. Lambda does not count such a batch as an error of the function, so the error must be logged by whoever calls
// this. Any other error is given back, for which Lambda delivers all of the batch again.
//
// The event source mapping must have ReportBatchItemFailures: without it Lambda takes the response for a success.
func Response(err error) (events.DynamoDBEventResponse, error) {
	var failed *RecordError
	// Lambda takes an empty identifier for a failure of everything, which is what an error says in a clearer way.
	if !errors.As(err, &failed) || failed.SequenceNumber == "" {
		return events.DynamoDBEventResponse{}, err
	}
	return events.DynamoDBEventResponse{
		BatchItemFailures: []events.DynamoDBBatchItemFailure{{ItemIdentifier: failed.SequenceNumber}},
	}, nil
}

// Handler is a Lambda function on a DynamoDB stream, for lambda.Start.
type Handler = func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error)

// Each makes a Handler that calls handle for one change after the other. The first that cannot be read, or whose handle
// fails, ends the batch: Lambda delivers it and what follows again, as often as the event source mapping says, and then
// sends its place to the mapping's failure destination and goes on. Errors are logged.
func Each(log *slog.Logger, handle func(context.Context, Change) error) Handler {
	return func(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		return answered(ctx, log, each(ctx, event.Records, handle))
	}
}

func each(ctx context.Context, records []events.DynamoDBEventRecord, handle func(context.Context, Change) error) error {
	for _, record := range records {
		change, ok, err := Decode(record)
		if ok && err == nil {
			err = handle(ctx, change)
		}
		if err != nil {
			return &RecordError{SequenceNumber: record.Change.SequenceNumber, Err: err}
		}
	}
	return nil
}

// Batches makes a Handler that calls handle for all changes of a batch at once, in their order; not for a batch without
// any. An error of handle makes Lambda deliver the batch again; handle may give a RecordError, with the SequenceNumber
// of a Change, to have it begin there. What comes after a record that cannot be read is left for the next delivery.
// Errors are logged.
func Batches(log *slog.Logger, handle func(context.Context, []Change) error) Handler {
	return func(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		var changes []Change
		unread := each(ctx, event.Records, func(_ context.Context, change Change) error {
			changes = append(changes, change)
			return nil
		})
		if len(changes) > 0 {
			if err := handle(ctx, changes); err != nil {
				return answered(ctx, log, err)
			}
		}
		return answered(ctx, log, unread)
	}
}

func answered(ctx context.Context, log *slog.Logger, err error) (events.DynamoDBEventResponse, error) {
	if err != nil {
		log.ErrorContext(ctx, "a batch of the stream failed and will be delivered again", "error", err)
	}
	return Response(err)
}
