package table_test

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// home is the cluster of the events that eventtest builds.
var home = state.ClusterKey{
	Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: eventtest.DefaultCluster,
}

func taskKey(id string) state.Key { return state.Key{Kind: state.KindTask, Cluster: home, ID: id} }
func instanceKey(id string) state.Key {
	return state.Key{Kind: state.KindContainerInstance, Cluster: home, ID: id}
}

func parsed(t require.TestingT, raw []byte) state.Observation {
	e, err := event.Parse(raw)
	require.NoError(t, err)
	require.NotNil(t, e.Observation)
	return *e.Observation
}

// task is what an event says of a task.
func task(t require.TestingT, version int64, status string, options ...eventtest.Option) state.Observation {
	options = append([]eventtest.Option{eventtest.Time(start), eventtest.Version(version), eventtest.LastStatus(status)}, options...)
	return parsed(t, eventtest.Task(options...))
}

// instance is what an event says of a container instance.
func instance(t require.TestingT, version int64, status string, options ...eventtest.Option) state.Observation {
	options = append([]eventtest.Option{eventtest.Time(start), eventtest.Version(version), eventtest.Status(status)}, options...)
	return parsed(t, eventtest.ContainerInstance(options...))
}

// described is what a Describe says that was called at a time, with a tag.
func described(t require.TestingT, seen state.Observation, at time.Time, tag string) state.Observation {
	var detail map[string]any
	require.NoError(t, json.Unmarshal(seen.Detail, &detail))
	delete(detail, "updatedAt") // in events only
	detail["tags"] = []any{map[string]any{"key": "team", "value": tag}}
	raw, err := json.Marshal(detail)
	require.NoError(t, err)
	seen.Source, seen.ObservedAt, seen.Detail = state.SourceDescribed, at, raw
	return seen
}

const visibleFor = 7 * 24 * time.Hour

func newState(db dynamo.API, name string) *table.State { return table.NewState(db, name, visibleFor) }

// stored is the record as it is in the table, tombstone or not; the zero one if there is none.
func stored(t require.TestingT, s *table.State, key state.Key) state.Record {
	records, err := s.GetMany(context.Background(), []state.Key{key}, true)
	require.NoError(t, err)
	if len(records) == 0 {
		return state.Record{}
	}
	return records[0]
}

// put stores an observation, and checks that outcome and record are what the rule says of the record before.
func put(t require.TestingT, s *table.State, seen state.Observation, now time.Time) state.Outcome {
	before := stored(t, s, seen.Key)
	want, outcome, err := state.Apply(before, seen, now, visibleFor)
	require.NoError(t, err)
	got, err := s.Put(context.Background(), seen, now)
	require.NoError(t, err)
	require.Equal(t, outcome.String(), got.String(), "version %d over version %d", seen.Version, before.Version)
	require.Equal(t, want, stored(t, s, seen.Key))
	return got
}

// tag is the tag that the merged detail has, if any.
func tag(t require.TestingT, r state.Record) string {
	task, err := r.AsTask()
	require.NoError(t, err)
	if len(task.Tags) == 0 {
		return ""
	}
	return task.Tags[0].Value
}
