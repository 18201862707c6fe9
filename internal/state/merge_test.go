package state_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

var noon = time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)

func told(version int64, detail string) *state.SourceDetail {
	return &state.SourceDetail{Version: version, At: noon, Detail: json.RawMessage(detail)}
}

func TestDetailMergesWhatBothSourcesTold(t *testing.T) {
	tests := map[string]struct {
		kind             state.Kind
		event, described *state.SourceDetail
		want             string
	}{
		"only an event": {
			kind: state.KindTask, event: told(3, `{"version":3,"new":1}`),
			want: `{"version":3,"new":1}`,
		},
		"only described": {
			kind: state.KindTask, described: told(3, `{"version":3,"tags":[]}`),
			want: `{"version":3,"tags":[]}`,
		},
		"newer event: what only Describe tells survives": {
			kind:      state.KindTask,
			event:     told(4, `{"version":4,"lastStatus":"RUNNING","updatedAt":"d"}`),
			described: told(3, `{"version":3,"lastStatus":"PENDING","tags":[{"key":"a","value":"b"}],"fargateEphemeralStorage":{"sizeInGiB":40},"inferenceAccelerators":[1]}`),
			want:      `{"version":4,"lastStatus":"RUNNING","updatedAt":"d","tags":[{"key":"a","value":"b"}],"fargateEphemeralStorage":{"sizeInGiB":40},"inferenceAccelerators":[1]}`,
		},
		"newer event: a field that went away stays away": {
			kind:      state.KindTask,
			event:     told(4, `{"version":4}`),
			described: told(3, `{"version":3,"healthStatus":"UNHEALTHY","futureField":1}`),
			want:      `{"version":4}`,
		},
		"newer event: its own word counts, even on tags": {
			kind:      state.KindTask,
			event:     told(4, `{"version":4,"tags":["from the event"]}`),
			described: told(3, `{"version":3,"tags":["from Describe"]}`),
			want:      `{"version":4,"tags":["from the event"]}`,
		},
		"newer Describe: what only events tell survives": {
			kind:      state.KindContainerInstance,
			event:     told(3, `{"version":3,"accountType":"standard","updatedAt":"c","statusReason":"old","futureField":1}`),
			described: told(4, `{"version":4,"tags":[],"status":"ACTIVE"}`),
			want:      `{"version":4,"tags":[],"status":"ACTIVE","accountType":"standard","updatedAt":"c"}`,
		},
		"newer event of an instance: what only Describe tells survives": {
			kind:      state.KindContainerInstance,
			event:     told(4, `{"version":4}`),
			described: told(3, `{"version":3,"capacityProviderName":"asg","healthStatus":{},"gpuDevices":[1],"tags":[1],"attributes":[1]}`),
			want:      `{"version":4,"capacityProviderName":"asg","healthStatus":{},"gpuDevices":[1],"tags":[1]}`,
		},
		"equal versions: Describe wins, the rest of the event stays": {
			kind:      state.KindTask,
			event:     told(4, `{"version":4,"cpu":"64","updatedAt":"d","futureField":1}`),
			described: told(4, `{"version":4,"cpu":"65","tags":[]}`),
			want:      `{"version":4,"cpu":"65","tags":[],"updatedAt":"d","futureField":1}`,
		},
		"equal versions: attributes that Describe no longer shows are gone": {
			kind:      state.KindContainerInstance,
			event:     told(4, `{"version":4,"attributes":[1],"tags":[1],"accountType":"standard"}`),
			described: told(4, `{"version":4}`),
			want:      `{"version":4,"accountType":"standard"}`,
		},
		"equal versions: a task's health is told by both": {
			kind:      state.KindTask,
			event:     told(4, `{"version":4,"healthStatus":"HEALTHY","attributes":[1]}`),
			described: told(4, `{"version":4}`),
			want:      `{"version":4,"healthStatus":"HEALTHY","attributes":[1]}`,
		},
		"a null is the newer side's word too": {
			kind:      state.KindTask,
			event:     told(4, `{"version":4,"tags":null}`),
			described: told(3, `{"version":3,"tags":[1]}`),
			want:      `{"version":4,"tags":null}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			record := state.Record{Key: state.Key{Kind: test.kind}, Event: test.event, Described: test.described}
			got, err := record.Detail()
			require.NoError(t, err)
			require.JSONEq(t, test.want, string(got))
		})
	}
}

func TestMergedDetailKeepsTextAndNumbersAsTheyWere(t *testing.T) {
	record := state.Record{
		Key:       state.Key{Kind: state.KindTask},
		Event:     told(4, `{"version":4,"reason":"a < b && c > d é","big":9007199254740993,"exact":1.10}`),
		Described: told(3, `{"tags":[]}`),
	}
	got, err := record.Detail()
	require.NoError(t, err)
	for _, member := range []string{`"big":9007199254740993`, `"exact":1.10`, `"reason":"a < b && c > d é"`} {
		require.Contains(t, string(got), member)
	}
	again, err := record.Detail()
	require.NoError(t, err)
	require.Equal(t, got, again, "equal records have equal bytes")
}

func TestMergingDoesNotChangeTheRecord(t *testing.T) {
	record := state.Record{
		Key:       state.Key{Kind: state.KindTask},
		Event:     told(4, `{"version":4}`),
		Described: told(3, `{"version":3,"tags":[]}`),
	}
	_, err := record.Detail()
	require.NoError(t, err)
	require.Equal(t, told(4, `{"version":4}`), record.Event)
	require.Equal(t, told(3, `{"version":3,"tags":[]}`), record.Described)
}

func TestDetailSaysWhatItCannotRead(t *testing.T) {
	tests := map[string]state.Record{
		"no source has told anything":  {},
		"reading the event's detail":   {Event: told(1, `[]`), Described: told(1, `{}`)},
		"reading the described detail": {Event: told(1, `{}`), Described: told(1, `null`)},
		"allowed is an object":         {Event: told(1, `null`), Tombstone: &state.Tombstone{Inferred: true}},
	}
	for says, record := range tests {
		_, err := record.Detail()
		require.ErrorContains(t, err, says)
		_, err = record.AsTask()
		require.ErrorContains(t, err, says)
		_, err = record.AsContainerInstance()
		require.ErrorContains(t, err, says)
	}
}

func TestARecordDecodesItsMergedDetail(t *testing.T) {
	record := state.Record{
		Key:       state.Key{Kind: state.KindTask},
		Event:     told(4, `{"version":4,"lastStatus":"RUNNING"}`),
		Described: told(3, `{"version":3,"lastStatus":"PENDING","tags":[{"key":"a","value":"b"}]}`),
	}
	task, err := record.AsTask()
	require.NoError(t, err)
	require.Equal(t, state.Task{Version: 4, LastStatus: "RUNNING", Tags: []state.Tag{{Key: "a", Value: "b"}}}, task)

	record.Kind = state.KindContainerInstance
	record.Described.Detail = json.RawMessage(`{"capacityProviderName":"asg"}`)
	instance, err := record.AsContainerInstance()
	require.NoError(t, err)
	require.Equal(t, state.ContainerInstance{Version: 4, CapacityProviderName: "asg"}, instance)
}
