package state_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

const day = 24 * time.Hour

func TestAStoppedTaskLeavesATombstone(t *testing.T) {
	now := noon.Add(time.Hour)
	for detail, stoppedAt := range map[string]time.Time{
		`{"lastStatus":"STOPPED","stoppedAt":"2026-11-20T11:00:00Z"}`: noon.Add(-time.Hour),
		`{"lastStatus":"DELETED","stoppedAt":"2026-11-20T11:00:00Z"}`: noon.Add(-time.Hour),
		`{"lastStatus":"STOPPED"}`:                                    noon,
	} {
		record, _, err := state.Apply(state.Record{}, see(taskKey("1"), state.SourceEvent, 8, 0, detail), now, 7*day)
		require.NoError(t, err)
		require.Equal(t, &state.Tombstone{
			StoppedAt:    stoppedAt,
			VisibleUntil: stoppedAt.Add(7 * day),
			TTL:          now.Add(state.TombstoneKeptFor),
		}, record.Tombstone)
	}
}

func TestOnlyAnEndLeavesATombstone(t *testing.T) {
	for _, status := range state.TaskStatuses() {
		record := apply(t, see(taskKey("1"), state.SourceEvent, 1, 0, `{"desiredStatus":"STOPPED","lastStatus":"`+status+`"}`))
		require.Equal(t, status == "STOPPED" || status == "DELETED", record.Tombstone != nil, status)
	}
	for _, status := range state.InstanceStatuses() {
		record := apply(t, see(instanceKey("1"), state.SourceEvent, 1, 0, `{"agentConnected":false,"status":"`+status+`"}`))
		require.Equal(t, status == "INACTIVE", record.Tombstone != nil, status)
	}
}

func TestAnInactiveContainerInstanceIsGone(t *testing.T) {
	record := apply(t, see(instanceKey("1"), state.SourceEvent, 8, 5, `{"status":"INACTIVE"}`))
	require.Equal(t, &state.Tombstone{
		StoppedAt:    noon.Add(5 * time.Second),
		Gone:         true,
		VisibleUntil: noon.Add(5*time.Second + visibleFor),
		TTL:          noon.Add(state.TombstoneKeptFor),
	}, record.Tombstone)
}

// EventBridge retries for 24 hours; then a message may wait 14 days in the queue
// and 14 in the dead-letter queue before it is sent again.
func TestATombstoneOutlivesEveryEvent(t *testing.T) {
	require.Greater(t, state.TombstoneKeptFor, day+14*day+14*day)
}

func TestATombstoneStaysAsLongAsItIsShown(t *testing.T) {
	seen := see(taskKey("1"), state.SourceEvent, 8, 0, `{"lastStatus":"STOPPED"}`)
	record, _, err := state.Apply(state.Record{}, seen, noon, 90*day)
	require.NoError(t, err)
	require.Equal(t, noon.Add(90*day), record.Tombstone.VisibleUntil)
	require.Equal(t, noon.Add(90*day), record.Tombstone.TTL)
}

func TestInferGone(t *testing.T) {
	now := noon.Add(time.Hour)
	tombstone := &state.Tombstone{
		StoppedAt: now, Gone: true, Inferred: true, VisibleUntil: now.Add(visibleFor), TTL: now.Add(state.TombstoneKeptFor),
	}
	live := apply(t, see(taskKey("1"), state.SourceEvent, 4, 0, `{"version":4,"lastStatus":"RUNNING","desiredStatus":"RUNNING","group":"g"}`))
	task := state.InferGone(live, now, visibleFor)
	require.Equal(t, tombstone, task.Tombstone)
	require.Equal(t, int64(4), task.Version, "the version stays, so that no lower one revives it")
	require.Equal(t, state.TaskFields{LastStatus: "STOPPED", DesiredStatus: "STOPPED", Group: "g"}, task.Task)
	require.Equal(t, now, task.StoredAt)
	detail, err := task.Detail()
	require.NoError(t, err)
	require.JSONEq(t, `{"version":4,"lastStatus":"STOPPED","desiredStatus":"STOPPED","group":"g"}`, string(detail))
	require.Nil(t, live.Tombstone, "the record given is not changed")

	host := apply(t, see(instanceKey("1"), state.SourceEvent, 4, 0, `{"version":4,"status":"ACTIVE","agentConnected":true}`))
	host = state.InferGone(host, now, visibleFor)
	require.Equal(t, tombstone, host.Tombstone)
	require.Equal(t, state.InstanceFields{Status: "INACTIVE", AgentConnected: false}, host.Instance)
	detail, err = host.Detail()
	require.NoError(t, err)
	require.JSONEq(t, `{"version":4,"status":"INACTIVE","agentConnected":false}`, string(detail))
}

func TestInferGoneOverrulesNothing(t *testing.T) {
	dead := apply(t, see(taskKey("1"), state.SourceEvent, 4, 0, `{"lastStatus":"STOPPED"}`))
	require.Equal(t, dead, state.InferGone(dead, noon.Add(time.Hour), visibleFor))
}

func TestAMissingTaskThatShowsUpAgainLives(t *testing.T) {
	missing := state.InferGone(apply(t, see(taskKey("1"), state.SourceEvent, 4, 0, `{"lastStatus":"RUNNING"}`)), noon, visibleFor)
	record, outcome, err := state.Apply(missing, see(taskKey("1"), state.SourceEvent, 5, 0, `{"lastStatus":"RUNNING"}`), noon, visibleFor)
	require.NoError(t, err)
	require.Equal(t, state.Newer, outcome)
	require.Nil(t, record.Tombstone)
	require.Equal(t, "RUNNING", record.Task.LastStatus)
}
