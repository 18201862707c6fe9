package table

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestPhasesOfTasks(t *testing.T) {
	want := map[string]phase{
		state.TaskProvisioning: phaseStarting, state.TaskPending: phaseStarting, state.TaskActivating: phaseStarting,
		state.TaskRunning:      phaseRunning,
		state.TaskDeactivating: phaseStopping, state.TaskStopping: phaseStopping, state.TaskDeprovisioning: phaseStopping,
		state.TaskStopped: phaseStopped, state.TaskDeleted: phaseStopped,
		"HIBERNATING": phaseRunning, "": phaseRunning,
	}
	for _, status := range state.TaskStatuses() {
		require.Contains(t, want, status)
	}
	for status, is := range want {
		for _, desired := range append(state.DesiredStatuses(), "") {
			r := state.Record{Key: state.Key{Kind: state.KindTask}, Task: state.TaskFields{LastStatus: status, DesiredStatus: desired}}
			switch {
			case is == phaseStopped:
				r.Tombstone = &state.Tombstone{}
				require.Equal(t, phaseStopped, phaseOf(r), "%s, desired %s", status, desired)
			case desired == state.TaskStopped:
				require.Equal(t, phaseStopping, phaseOf(r), "%s, desired %s", status, desired)
			default:
				require.Equal(t, is, phaseOf(r), "%s, desired %s", status, desired)
			}
			require.Contains(t, windowPhases(taskWindows(state.TaskFilter{LastStatus: status}, time.Time{})), phaseOf(r), "a list of %s, desired %s", status, desired)
			if is != phaseStopped { // what ECS wants to run has not stopped
				require.Contains(t, windowPhases(taskWindows(state.TaskFilter{DesiredStatus: desired}, time.Time{})), phaseOf(r), "%s, a list of desired %s", status, desired)
			}
		}
	}
}

func windowPhases(windows []window) []phase {
	var of []phase
	for _, w := range windows {
		of = append(of, w.phase)
	}
	return of
}

func TestTasksMoveForwardThroughThePhases(t *testing.T) {
	require.True(t, slices.IsSorted(taskPhases))
	require.True(t, slices.IsSorted(instancePhases))
}

func TestPhasesOfContainerInstances(t *testing.T) {
	for _, status := range append(state.InstanceStatuses(), "HIBERNATING", "") {
		r := state.Record{Key: state.Key{Kind: state.KindContainerInstance}, Instance: state.InstanceFields{Status: status}}
		require.Equal(t, phaseHere, phaseOf(r), "it changes its status back and forth")
		r.Tombstone = &state.Tombstone{}
		require.Equal(t, phaseGone, phaseOf(r))
	}
}

func TestTimesOfRecords(t *testing.T) {
	detail := func(s string) *state.SourceDetail { return &state.SourceDetail{Detail: []byte(s)} }
	const created = `{"createdAt": "2026-11-20T09:14:00.911Z"}`
	const millis = 1795166040911
	stopped := &state.Tombstone{StoppedAt: time.UnixMilli(millis + 5)}
	for title, c := range map[string]struct {
		record state.Record
		by     string
		want   int64
	}{
		"of the event":             {state.Record{Event: detail(created)}, SortByCreatedAt, millis},
		"of the description":       {state.Record{Event: detail(`{}`), Described: detail(created)}, SortByCreatedAt, millis},
		"none":                     {state.Record{Event: detail(`{"createdAt": null}`)}, SortByCreatedAt, 0},
		"unreadable":               {state.Record{Event: detail(`{"createdAt": 7}`)}, SortByCreatedAt, 0},
		"of another name":          {state.Record{Event: detail(created)}, SortByStartedAt, 0},
		"before 1970":              {state.Record{Event: detail(`{"startedAt": "1066-10-14T09:00:00Z"}`)}, SortByStartedAt, 0},
		"in the year 9999":         {state.Record{Event: detail(`{"startedAt": "9999-12-31T00:00:00Z"}`)}, SortByStartedAt, maxMillis},
		"stopped, by tombstone":    {state.Record{Event: detail(`{"stoppedAt": "2026-11-20T09:14:00Z"}`), Tombstone: stopped}, SortByStoppedAt, millis + 5},
		"not stopped, by its word": {state.Record{Event: detail(`{"stoppedAt": "2026-11-20T09:14:00Z"}`)}, SortByStoppedAt, 0},
	} {
		require.Equal(t, c.want, timeOf(c.record, c.by), title)
	}
}

func TestPhaseKeysSortByTime(t *testing.T) {
	keys := []string{
		phaseKey(phaseRunning, 0, "z"), phaseKey(phaseRunning, 5, "a"), phaseKey(phaseRunning, 5, "b"),
		phaseKey(phaseRunning, 40, "a"), phaseKey(phaseRunning, maxMillis, "a"), phaseKey(phaseStopping, 0, "a"),
	}
	require.True(t, slices.IsSorted(keys))
	p, at, err := parsePhaseKey(keys[3])
	require.NoError(t, err)
	require.Equal(t, phaseRunning, p)
	require.EqualValues(t, 40, at)
	for _, wrong := range []string{"", "2running", "2running/12", "2running/x/id"} {
		_, _, err := parsePhaseKey(wrong)
		require.ErrorContains(t, err, "want PHASE/MILLIS/ID", wrong)
	}
}

func TestSpansJoinWhatLiesTogether(t *testing.T) {
	cluster := state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}
	now := time.UnixMilli(5000)
	bounds := func(f state.TaskFilter) (of []string) {
		for _, s := range taskSpans(cluster, f, true, now) {
			if s.shard == 0 {
				of = append(of, s.from+" "+s.to)
			}
		}
		return of
	}
	const live, starting, stopping = "1starting/0000000000000", "1starting0", "3stopping0"
	require.Equal(t, []string{live + " " + stopping, "4stopped/0000000005000 4stopped0"}, bounds(state.TaskFilter{}))
	require.Equal(t, []string{live + " " + stopping}, bounds(state.TaskFilter{DesiredStatus: "running"}), "some stop though nobody wants it")
	require.Equal(t, []string{"2running/0000000000000 " + stopping}, bounds(state.TaskFilter{LastStatus: "RUNNING"}))
	require.Equal(t, []string{live + " " + starting}, bounds(state.TaskFilter{LastStatus: "PENDING", DesiredStatus: "RUNNING"}))
	require.Equal(t, []string{"4stopped/0000000006000 4stopped/0000000007001"},
		bounds(state.TaskFilter{StoppedSince: time.UnixMilli(6000), StoppedUntil: time.UnixMicro(7_000_001)}))
	require.Empty(t, bounds(state.TaskFilter{StoppedSince: now, StoppedUntil: now}))
	require.Len(t, bounds(state.TaskFilter{StartedUntil: time.UnixMilli(9000)}), 4, "a bound of time cuts each phase")
}
