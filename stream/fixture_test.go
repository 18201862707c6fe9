package stream_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

var (
	t0      = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	cluster = state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: eventtest.DefaultCluster}
)

const tableName = "blox-state"

// world is a STATE table in memory with what its stream told.
type world struct {
	t       testing.TB
	db      *memory.DB
	state   *table.State
	records []events.DynamoDBEventRecord
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t}
	w.db = memory.New(
		memory.WithClock(func() time.Time { return t0 }),
		memory.WithStream(func(_ string, record events.DynamoDBEventRecord) { w.records = append(w.records, record) }),
	)
	require.NoError(t, table.Create(t.Context(), w.db, tableName, schema.State))
	w.state = table.NewState(w.db, tableName, state.DefaultVisibleFor)
	return w
}

// store writes an event as ingest does, some seconds after the last.
func (w *world) store(raw []byte) {
	w.t.Helper()
	w.put(w.observation(raw))
}

// describe writes the same as Describe would tell it, with tags.
func (w *world) describe(raw []byte, tag string) {
	w.t.Helper()
	seen := w.observation(raw)
	var detail map[string]any
	require.NoError(w.t, json.Unmarshal(seen.Detail, &detail))
	detail["tags"] = []any{map[string]any{"key": "team", "value": tag}}
	var err error
	seen.Detail, err = json.Marshal(detail)
	require.NoError(w.t, err)
	seen.Source, seen.ObservedAt = state.SourceDescribed, t0.Add(time.Minute)
	w.put(seen)
}

func (w *world) observation(raw []byte) state.Observation {
	w.t.Helper()
	parsed, err := event.Parse(raw)
	require.NoError(w.t, err)
	return *parsed.Observation
}

func (w *world) put(seen state.Observation) {
	w.t.Helper()
	outcome, err := w.state.Put(w.t.Context(), seen, t0)
	require.NoError(w.t, err)
	require.True(w.t, outcome.Written(), outcome)
}

// markAbsent does what reconcile does with what ECS does not know any more.
func (w *world) markAbsent(key state.Key) {
	w.t.Helper()
	records, err := w.state.GetMany(w.t.Context(), []state.Key{key}, true)
	require.NoError(w.t, err)
	require.Len(w.t, records, 1)
	require.NoError(w.t, w.state.MarkAbsent(w.t.Context(), records[0], t0.Add(time.Hour)))
}

// batch is what was written since the last call, as Lambda delivers it: through JSON.
func (w *world) batch() events.DynamoDBEvent {
	w.t.Helper()
	raw, err := json.Marshal(events.DynamoDBEvent{Records: w.records})
	require.NoError(w.t, err)
	w.records = nil
	var batch events.DynamoDBEvent
	require.NoError(w.t, json.Unmarshal(raw, &batch))
	return batch
}

// next is the one record since the last call.
func (w *world) next() events.DynamoDBEventRecord {
	w.t.Helper()
	batch := w.batch()
	require.Len(w.t, batch.Records, 1)
	return batch.Records[0]
}

func taskKey(id string) state.Key {
	return state.Key{Kind: state.KindTask, Cluster: cluster, ID: id}
}

func task(id string, version int64, lastStatus string, options ...eventtest.Option) []byte {
	return eventtest.Task(append([]eventtest.Option{
		eventtest.ID(id), eventtest.Version(version), eventtest.LastStatus(lastStatus),
		eventtest.Time(t0.Add(time.Duration(version) * time.Second)),
	}, options...)...)
}

func instance(version int64, status string) []byte {
	return eventtest.ContainerInstance(eventtest.Version(version), eventtest.Status(status),
		eventtest.Time(t0.Add(time.Duration(version)*time.Second)))
}
