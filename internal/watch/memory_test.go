package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func running(n int) state.Record {
	return state.Record{
		Key:     state.Key{Kind: state.KindTask, Cluster: state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}, ID: fmt.Sprint(n)},
		Version: 1, Task: state.TaskFields{LastStatus: "RUNNING"},
	}
}

// A stream that cannot remember all of its snapshot must not conclude from not remembering.
func TestAMemoryThatForgot(t *testing.T) {
	now := time.Unix(0, 0)
	for limit, want := range map[int]bool{3: false, 2: true} {
		m := newMemory(Tasks(state.TaskFilter{LastStatus: "RUNNING"}), limit)
		for n := range 3 {
			_, ok := m.snapshotted(running(n))
			require.True(t, ok)
		}
		m.completed()
		stopped := running(7)
		stopped.Task.LastStatus = "STOPPED"
		_, ok := m.changed(stopped.Key, &stopped, now)
		require.Equal(t, want, ok, "limit %d", limit)
		require.LessOrEqual(t, len(m.told), limit)
	}
	m := newMemory(Tasks(state.TaskFilter{}), 2)
	m.completed()
	for n := range 5 {
		record := running(n)
		_, ok := m.changed(record.Key, &record, now)
		require.True(t, ok)
	}
	_, ok := m.changed(running(0).Key, nil, now)
	require.True(t, ok, "it was told, and may be in the reader's hands")
}

// A record that moves on during the snapshot is found twice. It is told twice only if it is another one by then.
func TestASnapshotThatFindsARecordTwice(t *testing.T) {
	m := newMemory(Tasks(state.TaskFilter{}), 10)
	record := running(1)
	for _, want := range []bool{true, false} {
		_, ok := m.snapshotted(record)
		require.Equal(t, want, ok)
	}
	record.Version++
	_, ok := m.snapshotted(record)
	require.True(t, ok)
}
