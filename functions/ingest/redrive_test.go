package ingest

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dlq"
	"github.com/blox/blox/internal/dynamo/dynamotest"
	dynamomemory "github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/ingest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue/memory"
	"github.com/blox/blox/internal/queue/sqssim"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// What was set aside and sent back goes through the function again: what is good by now is stored, and what is not is set
// aside again, with its reason.
func TestRedrivenEvents(t *testing.T) {
	for name, redrive := range map[string]dlq.Redrive{
		"moved by SQS": {Limit: time.Minute},
		"one by one":   {Selection: dlq.Selection{Reasons: []string{"panic", "not-json"}}},
	} {
		t.Run(name, func(t *testing.T) {
			clock := func() time.Time { return now }
			live, dead := memory.New(memory.Options{Now: clock}), memory.New(memory.Options{Now: clock})
			service := sqssim.New(eventtest.DefaultAccount, eventtest.DefaultRegion, clock)
			service.Add("live", live, nil)
			service.Add("dead", dead, nil)
			office := &dlq.Office{API: service, Now: clock}
			queues := dlq.Queues(
				map[string]string{
					"EventsDeadLettersUrl": service.URL("https://x", "dead"),
					"EventsQueueUrl":       service.URL("https://x", "live"),
				},
			)

			broken := newFunction(t, dynamomemory.New(), dynamotest.TableName(t, "state"))
			broken.setAside(t, dead, "panic", eventtest.Task())
			broken.setAside(t, dead, "not-json", []byte("nonsense"))

			outcome, err := office.Redrive(t.Context(), queues[0], redrive)
			require.NoError(t, err)
			require.Equal(t, 2, outcome.Sent)

			handler := New(ingest.Config{
				Store: broken.store, DeadLetters: dead, Hints: &fakeQueue{}, Workers: 1, Now: clock,
				Metrics: metrics.Discard{}, Logger: slog.New(slog.DiscardHandler),
			})
			batch := live.Receive(now, 10)
			answer, err := handler.Handle(t.Context(), memory.Event("arn:aws:sqs:eu-west-1:1:live", batch))
			require.NoError(t, err)
			require.Equal(t, 2, live.Settle(now, batch, answer))

			stored, err := broken.store.Get(t.Context(), taskKey(eventtest.DefaultTaskID), now)
			require.NoError(t, err)
			require.Equal(t, int64(1), stored.Version)
			letters, err := office.Look(t.Context(), queues[0], 10)
			require.NoError(t, err)
			require.Len(t, letters, 1)
			require.Equal(t, "nonsense", letters[0].Body)
			require.Equal(t, "not-json", letters[0].Reason)
			require.NotEmpty(t, letters[0].Error)
		})
	}
}

// setAside puts an event into a dead-letter queue as an ingest that cannot store it does.
func (f *function) setAside(t *testing.T, dead *memory.Queue, reason string, body []byte) {
	t.Helper()
	crash := New(ingest.Config{
		Store: panics{}, DeadLetters: dead, Hints: &fakeQueue{}, Workers: 1, Now: func() time.Time { return now },
		Metrics: metrics.Discard{}, Logger: slog.New(slog.DiscardHandler),
	})
	before := dead.Len()
	in := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: string(body)}}}
	answer, err := crash.Handle(t.Context(), in)
	require.NoError(t, err)
	text, err := json.Marshal(answer)
	require.NoError(t, err)
	require.JSONEq(t, `{"batchItemFailures":[]}`, string(text))
	require.Equal(t, before+1, dead.Len())
	require.Equal(t, reason, dead.Messages()[before].Attributes["reason"])
}

// panics is a store with a fault in it.
type panics struct{ ingest.Store }

func (panics) AddCluster(context.Context, state.ClusterKey) error { return nil }

func (panics) PutLag(context.Context, string, string, table.Lag) error { return nil }

func (panics) Put(context.Context, state.Observation, time.Time) (state.Outcome, error) {
	panic("index out of range")
}
