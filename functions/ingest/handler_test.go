package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/dynamotest"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/ingest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

type fakeQueue struct {
	messages []queue.Message
	err      error
}

func (q *fakeQueue) Send(_ context.Context, messages []queue.Message) error {
	if q.err == nil {
		q.messages = append(q.messages, messages...)
	}
	return q.err
}

// function is the handler as Lambda calls it, with a table behind it.
type function struct {
	invoke lambda.Handler
	store  *table.State
	dead   *fakeQueue

	metrics metrics.Memory
}

var now = eventtest.DefaultTime.Add(time.Second)

func newFunction(t testing.TB, db dynamo.API, name string) *function {
	f := &function{store: table.NewState(db, name, state.DefaultVisibleFor), dead: &fakeQueue{}}
	require.NoError(t, table.Create(t.Context(), db, name, schema.State))
	f.invoke = lambda.NewHandler(New(ingest.Config{
		Store: f.store, DeadLetters: f.dead, Hints: &fakeQueue{}, Workers: 1,
		Now: func() time.Time { return now }, Metrics: &f.metrics, Logger: slog.New(slog.DiscardHandler),
	}).Handle)
	return f
}

// send invokes the function with a batch and gives the ids that failed.
func (f *function) send(t require.TestingT, bodies ...[]byte) []string {
	var in events.SQSEvent
	for i, body := range bodies {
		in.Records = append(in.Records, events.SQSMessage{MessageId: fmt.Sprint("message-", i), Body: string(body), EventSource: "aws:sqs"})
	}
	payload, err := json.Marshal(in)
	require.NoError(t, err)
	answer, err := f.invoke.Invoke(context.Background(), payload)
	require.NoError(t, err)
	var out events.SQSEventResponse
	require.NoError(t, json.Unmarshal(answer, &out))
	var failed []string
	for _, failure := range out.BatchItemFailures {
		failed = append(failed, failure.ItemIdentifier)
	}
	return failed
}

func taskKey(id string) state.Key {
	return state.Key{Kind: state.KindTask, ID: id, Cluster: state.ClusterKey{
		Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: eventtest.DefaultCluster,
	}}
}

var engines = map[string]func(t testing.TB) dynamo.API{
	"memory": func(testing.TB) dynamo.API { return memory.New() },
	"local":  func(t testing.TB) dynamo.API { return dynamotest.ForTest(t) },
}

func TestABatchIsAnsweredByItem(t *testing.T) {
	f := newFunction(t, memory.New(), dynamotest.TableName(t, "state"))
	answer, err := f.invoke.Invoke(t.Context(), []byte(`{"Records":[]}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"batchItemFailures":[]}`, string(answer), "a list, for null would mean that all failed")

	f.dead.err = io.ErrClosedPipe
	require.Empty(t, f.metrics.Of(metrics.IngestMessagesFailed))
	require.Equal(t, []string{"message-1"}, f.send(t, eventtest.Task(), []byte("nonsense")))
	require.Equal(t, []int64{1}, f.metrics.Of(metrics.IngestMessagesFailed))
	stored, err := f.store.Get(t.Context(), taskKey(eventtest.DefaultTaskID), now)
	require.NoError(t, err)
	require.Equal(t, int64(1), stored.Version)
}

// Whatever the order of delivery, the repetitions and the cuts into batches, the
// highest version is what is stored.
func TestEveryDeliveryEndsAtTheHighestVersion(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			f := newFunction(t, engine(t), dynamotest.TableName(t, "state"))
			n := 0
			rapid.Check(t, func(t *rapid.T) {
				n++
				highest := map[string]int64{}
				var deliveries [][]byte
				for i := range rapid.IntRange(1, 3).Draw(t, "tasks") {
					id := fmt.Sprintf("task-%d-%d", n, i)
					highest[id] = rapid.Int64Range(1, 4).Draw(t, "versions")
					for version := range highest[id] {
						for range rapid.IntRange(1, 2).Draw(t, "deliveries") {
							deliveries = append(deliveries, eventtest.Task(eventtest.ID(id), eventtest.Version(version+1), eventtest.LastStatus(statuses[version])))
						}
					}
				}
				deliveries = rapid.Permutation(deliveries).Draw(t, "order")
				for len(deliveries) > 0 {
					size := rapid.IntRange(1, len(deliveries)).Draw(t, "batch")
					require.Empty(t, f.send(t, deliveries[:size]...))
					deliveries = deliveries[size:]
				}
				for id, version := range highest {
					stored, err := f.store.Get(context.Background(), taskKey(id), now)
					require.NoError(t, err)
					require.Equal(t, version, stored.Version)
					require.Equal(t, statuses[version-1], stored.Task.LastStatus)
				}
			})
			require.Empty(t, f.dead.messages)
		})
	}
}

var statuses = []string{"PENDING", "RUNNING", "STOPPING", "STOPPED"}

// An event whose detail is too large for an item, even compressed, is the only
// thing that DynamoDB itself refuses for good.
func TestWhatDynamoDBCannotHoldIsSetAside(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			f := newFunction(t, engine(t), dynamotest.TableName(t, "state"))
			noise := make([]byte, 0, 600_000)
			for x := uint32(1); len(noise) < cap(noise); x = x*1664525 + 1013904223 {
				noise = append(noise, '!'+byte(x>>24)%90)
			}
			huge := eventtest.Task(eventtest.ID("huge"), eventtest.Field("stoppedReason", string(noise)))
			require.Empty(t, f.send(t, huge, eventtest.Task()))
			require.Len(t, f.dead.messages, 1)
			require.Equal(t, "too-large", f.dead.messages[0].Attributes["reason"])
			require.Equal(t, string(huge), f.dead.messages[0].Body)
			_, err := f.store.Get(t.Context(), taskKey(eventtest.DefaultTaskID), now)
			require.NoError(t, err)
		})
	}
}

func TestSettingsNameWhatIsMissing(t *testing.T) {
	environment := map[string]string{
		"BLOX_INSTALLATION": "main", "BLOX_STATE_TABLE": "state", "BLOX_EVENTS_DLQ_URL": "https://dlq", "BLOX_RECONCILE_QUEUE_URL": "https://reconcile", "BLOX_RETENTION_DAYS": "7",
	}
	settings, err := SettingsFrom(func(name string) string { return environment[name] })
	require.NoError(t, err)
	require.Equal(t, Settings{
		Installation: "main", StateTable: "state", EventsDLQURL: "https://dlq", ReconcileQueueURL: "https://reconcile", VisibleFor: 7 * 24 * time.Hour,
	}, settings)
	for name := range environment {
		_, err := SettingsFrom(func(asked string) string {
			if asked == name {
				return ""
			}
			return environment[asked]
		})
		require.ErrorContains(t, err, "environment variable "+name+" is")
	}
	environment["BLOX_RETENTION_DAYS"] = "0"
	_, err = SettingsFrom(func(name string) string { return environment[name] })
	require.EqualError(t, err, `environment variable BLOX_RETENTION_DAYS is "0": allowed are 1 to 3650 days`)
}
