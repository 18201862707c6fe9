package state_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

const visibleFor = state.DefaultVisibleFor

func taskKey(id string) state.Key { return state.Key{Kind: state.KindTask, Cluster: edge, ID: id} }

func instanceKey(id string) state.Key {
	return state.Key{Kind: state.KindContainerInstance, Cluster: edge, ID: id}
}

// see builds an observation of task or instance 1 at noon plus some seconds.
func see(key state.Key, source state.Source, version int64, second int, detail string) state.Observation {
	return state.Observation{
		Key: key, ARN: prefix + string(key.Kind.ARNKind()) + "/edge/" + key.ID, Version: version, Source: source,
		ObservedAt: noon.Add(time.Duration(second) * time.Second), Detail: json.RawMessage(detail),
	}
}

// apply stores observations one after the other.
func apply(t *testing.T, seen ...state.Observation) state.Record {
	t.Helper()
	var record state.Record
	for _, observation := range seen {
		var err error
		record, _, err = state.Apply(record, observation, noon, visibleFor)
		require.NoError(t, err)
	}
	return record
}

func TestCompare(t *testing.T) {
	const (
		running = `{"lastStatus":"RUNNING"}`
		tagged  = `{"lastStatus":"RUNNING","tags":[{"key":"a","value":"b"}]}`
		stopped = `{"lastStatus":"STOPPED"}`
	)
	task, host := taskKey("1"), instanceKey("1")
	event, described := state.SourceEvent, state.SourceDescribed
	nothing := state.Record{}
	live := apply(t, see(task, event, 5, 0, running))
	liveDescribed := apply(t, see(task, event, 5, 0, running), see(task, described, 5, 10, tagged))
	dead := apply(t, see(task, event, 5, 0, stopped))
	left := apply(t, see(host, event, 5, 0, `{"status":"INACTIVE"}`))
	missing := state.InferGone(live, noon, visibleFor)

	tests := map[string]struct {
		stored state.Record
		seen   state.Observation
		want   state.Outcome
	}{
		"nothing stored, event":     {nothing, see(task, event, 1, 0, running), state.New},
		"nothing stored, described": {nothing, see(task, described, 0, 0, running), state.New},
		"nothing stored, already dead": {
			nothing, see(task, event, 9, 0, stopped), state.New,
		},
		"higher version, earlier event": {live, see(task, event, 6, -90, running), state.Newer},
		"higher version, described":     {live, see(task, described, 6, -90, running), state.Newer},
		"lower version, later event":    {live, see(task, event, 4, 90, running), state.Stale},
		"lower version, later Describe": {live, see(task, described, 4, 90, tagged), state.Stale},
		"equal version, event":          {live, see(task, event, 5, 0, running), state.Duplicate},
		"equal version, event that differs": {
			// ECS would have raised the version: the content cannot really differ.
			live, see(task, event, 5, 90, tagged), state.Duplicate,
		},
		"first Describe brings tags":         {live, see(task, described, 5, -90, tagged), state.Refresh},
		"first Describe brings nothing":      {live, see(task, described, 5, 90, running), state.Duplicate},
		"later Describe, other tags":         {liveDescribed, see(task, described, 5, 11, running), state.Refresh},
		"later Describe, same tags":          {liveDescribed, see(task, described, 5, 11, tagged), state.Duplicate},
		"Describe of the same moment":        {liveDescribed, see(task, described, 5, 10, running), state.Duplicate},
		"earlier Describe, other tags":       {liveDescribed, see(task, described, 5, 9, running), state.Duplicate},
		"Describe that is no JSON":           {live, see(task, described, 5, 90, `{`), state.Duplicate},
		"dead, late event":                   {dead, see(task, event, 4, 90, running), state.Stale},
		"dead, told again":                   {dead, see(task, event, 5, 90, stopped), state.Duplicate},
		"dead, attachments deleted":          {dead, see(task, event, 6, 90, stopped), state.Newer},
		"dead, tags":                         {dead, see(task, described, 5, 90, `{"lastStatus":"STOPPED","tags":[{"key":"a"}]}`), state.Refresh},
		"dead never runs again":              {dead, see(task, event, 6, 90, running), state.Stale},
		"dead never runs again, described":   {dead, see(task, described, 6, 90, running), state.Stale},
		"dead, Describe shows an old answer": {dead, see(task, described, 5, 90, running), state.Duplicate},
		"instance left for good":             {left, see(host, event, 6, 90, `{"status":"ACTIVE"}`), state.Stale},
		"instance left, told again":          {left, see(host, event, 6, 90, `{"status":"INACTIVE"}`), state.Newer},
		"missing, lower version":             {missing, see(task, event, 4, 90, running), state.Stale},
		"missing, equal version":             {missing, see(task, event, 5, 90, running), state.Duplicate},
		"missing, and ECS describes it":      {missing, see(task, described, 5, 1, running), state.Refresh},
		"missing, described before that":     {missing, see(task, described, 5, 0, running), state.Duplicate},
		"missing, equal version, dead":       {missing, see(task, described, 5, 90, stopped), state.Duplicate},
		"missing, higher version: it lives":  {missing, see(task, event, 6, -90, running), state.Newer},
		"missing, higher version: it died":   {missing, see(task, event, 6, -90, stopped), state.Newer},
		"stored detail cannot be read": {
			state.Record{Key: task, Version: 5, Event: told(5, `[]`), Described: told(4, `{}`)},
			see(task, described, 5, 90, running), state.Refresh,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want.String(), state.Compare(test.stored, test.seen).String())

			next, outcome, err := state.Apply(test.stored, test.seen, noon.Add(time.Hour), visibleFor)
			require.NoError(t, err)
			require.Equal(t, test.want, outcome)
			if !outcome.Written() {
				require.Equal(t, test.stored, next, "what is not written changes nothing")
			}
		})
	}
}

func TestOutcomesHaveNames(t *testing.T) {
	names := map[state.Outcome]string{
		state.New: "new", state.Newer: "newer", state.Refresh: "refresh", state.Duplicate: "duplicate", state.Stale: "stale", 0: "unknown",
	}
	for outcome, name := range names {
		require.Equal(t, name, outcome.String())
		written := name == "new" || name == "newer" || name == "refresh"
		require.Equal(t, written, outcome.Written(), name)
	}
}

func TestARecordOfATask(t *testing.T) {
	detail := `{"version":2,"lastStatus":"PENDING","desiredStatus":"RUNNING","startedBy":"ops","group":"service:web",` +
		`"taskDefinitionArn":"` + prefix + `task-definition/web:3","containerInstanceArn":"` + prefix + `container-instance/edge/3b9e"}`
	seen := see(taskKey("1"), state.SourceEvent, 2, 5, detail)
	got, outcome, err := state.Apply(state.Record{}, seen, noon.Add(time.Minute), visibleFor)
	require.NoError(t, err)
	require.Equal(t, state.New, outcome)
	require.Equal(t, state.Record{
		Key: taskKey("1"), ARN: prefix + "task/edge/1", Version: 2,
		Event: &state.SourceDetail{Version: 2, At: noon.Add(5 * time.Second), Detail: json.RawMessage(detail)},
		Task: state.TaskFields{
			LastStatus: "PENDING", DesiredStatus: "RUNNING", StartedBy: "ops", Group: "service:web", Family: "web", ContainerInstanceID: "3b9e",
		},
		StoredAt: noon.Add(time.Minute),
	}, got)
}

func TestARecordOfAContainerInstance(t *testing.T) {
	const detail = `{"version":7,"status":"DRAINING","agentConnected":true,"ec2InstanceId":"i-0a1b"}`
	got, _, err := state.Apply(state.Record{}, see(instanceKey("1"), state.SourceDescribed, 7, 0, detail), noon, visibleFor)
	require.NoError(t, err)
	require.Equal(t, state.Record{
		Key: instanceKey("1"), ARN: prefix + "container-instance/edge/1", Version: 7,
		Described: &state.SourceDetail{Version: 7, At: noon, Detail: json.RawMessage(detail)},
		Instance:  state.InstanceFields{Status: "DRAINING", AgentConnected: true, EC2InstanceID: "i-0a1b"},
		StoredAt:  noon,
	}, got)
}

func TestEachSourceKeepsWhatTheOtherOneTold(t *testing.T) {
	first := see(taskKey("1"), state.SourceDescribed, 2, 0, `{"version":2,"lastStatus":"PENDING","tags":[]}`)
	second := see(taskKey("1"), state.SourceEvent, 3, 1, `{"version":3,"lastStatus":"RUNNING"}`)
	third := see(taskKey("1"), state.SourceDescribed, 4, 2, `{"version":4,"lastStatus":"STOPPING","tags":[{"key":"a"}]}`)
	record := apply(t, first, second)
	require.Equal(t, int64(2), record.Described.Version)
	require.Equal(t, int64(3), record.Event.Version)
	require.Equal(t, int64(3), record.Version)
	require.Equal(t, "RUNNING", record.Task.LastStatus)

	record = apply(t, first, second, third)
	require.Equal(t, int64(4), record.Described.Version)
	require.Equal(t, int64(3), record.Event.Version)
	require.Equal(t, int64(4), record.Version)
	require.Equal(t, "STOPPING", record.Task.LastStatus)
}

func TestWhatCannotBeDecodedIsNotStored(t *testing.T) {
	live := apply(t, see(taskKey("1"), state.SourceEvent, 1, 0, `{}`))
	for _, key := range []state.Key{taskKey("1"), instanceKey("1")} {
		record, _, err := state.Apply(live, see(key, state.SourceEvent, 2, 0, `{"version":"2"}`), noon, visibleFor)
		require.ErrorContains(t, err, "decoding")
		require.Equal(t, live, record)
	}
}
