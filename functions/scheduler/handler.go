// Package scheduler translates Lambda events for the scheduler's two functions: dispatch reads the STATE table's stream,
// drive works on environments.
package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/dispatch"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/wakeup"
	"github.com/blox/blox/stream"
)

// Dispatch is the handler of the STATE table's stream. A record that cannot be read makes Lambda deliver the batch
// again from that record on.
func Dispatch(d *dispatch.Dispatcher) stream.Handler {
	return func(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		return stream.Response(d.Batch(ctx, event.Records))
	}
}

// TickSource is the source of the schedule's payload: {"source": "blox.tick"}.
const TickSource = "blox.tick"

// Drive is the handler of wake-ups and of the tick. Wake-ups that failed are reported one by one; a message that is no
// wake-up fails until the queue sets it aside.
func Drive(d *drive.Driver, log *slog.Logger) func(context.Context, json.RawMessage) (events.SQSEventResponse, error) {
	return func(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
		var schedule struct {
			Source string `json:"source"`
		}
		if err := json.Unmarshal(payload, &schedule); err == nil && schedule.Source == TickSource {
			return events.SQSEventResponse{}, d.Tick(ctx)
		}
		var event events.SQSEvent
		if err := json.Unmarshal(payload, &event); err != nil || len(event.Records) == 0 {
			return events.SQSEventResponse{}, fmt.Errorf("neither the tick %q nor a batch of wake-ups", TickSource)
		}
		return driveBatch(ctx, d, log, event.Records), nil
	}
}

// work is what a batch of wake-ups asks of one environment.
type work struct {
	all       bool
	instances []state.Key
	messages  []string
}

// driveBatch looks at each environment once, however many of its messages are in the batch.
func driveBatch(ctx context.Context, d *drive.Driver, log *slog.Logger, records []events.SQSMessage) events.SQSEventResponse {
	var response events.SQSEventResponse
	fail := func(messageIDs ...string) {
		for _, id := range messageIDs {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
	}
	byEnvironment := map[string]*work{}
	var order []string
	for _, record := range records {
		w, err := wakeup.Parse(record.Body)
		if err != nil {
			log.Error("message is no wake-up", "messageId", record.MessageId, "error", err)
			fail(record.MessageId)
			continue
		}
		todo := byEnvironment[w.EnvironmentID]
		if todo == nil {
			todo = &work{}
			byEnvironment[w.EnvironmentID] = todo
			order = append(order, w.EnvironmentID)
		}
		todo.all = todo.all || len(w.Instances) == 0
		todo.instances = append(todo.instances, w.Instances...)
		todo.messages = append(todo.messages, record.MessageId)
	}
	for _, id := range order {
		todo := byEnvironment[id]
		if todo.all {
			todo.instances = nil
		}
		if err := d.Drive(ctx, id, todo.instances); err != nil {
			fail(todo.messages...)
		}
	}
	if n := len(response.BatchItemFailures); n > 0 {
		d.Metrics.Put([]metrics.Value{{Name: metrics.DriveMessagesFailed, Value: int64(n)}})
	}
	return response
}
