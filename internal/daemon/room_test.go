package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// refusedAgain is the slot of a claim after ECS found no room for it for the nth time in a row.
func refusedAgain(n int, reason string) Slot {
	slot := aClaim()
	slot.Failures, slot.Refusals, slot.RunningTasks = n-1, n-1, 3
	return Started(slot, StartResult{Refused: reason, Blocked: true}, DefaultSettings(), t0)
}

func TestAHostWithoutRoomIsNotAskedAgainAndAgain(t *testing.T) {
	for n, want := range map[int]time.Duration{
		1: firstBackoff, 2: 2 * time.Second, 3: 5 * time.Minute, 9: 5 * time.Minute, 10: 512 * time.Second, 30: maxBackoff,
	} {
		slot := refusedAgain(n, "RESOURCE:MEMORY")
		require.Equal(t, n, slot.Refusals)
		require.Equal(t, t0.Add(want), *slot.RetryAt, "refusal %d", n)
	}
	other := refusedAgain(5, "AGENT")
	require.Equal(t, t0.Add(backoff(5)), *other.RetryAt, "that is not about room, which is rarely made")
	require.Equal(t, 8, refusedAgain(9, "RESOURCE:MEMORY").Failures, "as before: the daemon did nothing: it is not held against its revision")
}

func TestRoomThatATaskLeavesIsTriedAtOnce(t *testing.T) {
	full := func(refusals, then, now int) Snapshot {
		return completed(fixture()).with(1, slotted(func(s *Slot) {
			s.DeploymentID, s.Revision, s.Blocked, s.Reason = "d-2", 2, true, "RESOURCE:MEMORY"
			s.Refusals, s.RunningTasks, s.RetryAt = refusals, then, ago(-time.Minute)
		}), hostChange(func(h *Host) { h.Query.RunningTasksCount = now }))
	}
	require.Equal(t, []string{"start i-001"}, ofHosts(Plan(full(3, 5, 4), t0)))
	require.Equal(t, []string{"observe i-001"}, ofHosts(Plan(full(3, 5, 5), t0)))
	require.Equal(t, []string{"observe i-001"}, ofHosts(Plan(full(3, 5, 6), t0)), "more tasks make no room")
	require.Equal(t, []string{"observe i-001"}, ofHosts(Plan(full(2, 5, 4), t0)), "the first tries come soon anyway")

	again := Plan(full(3, 5, 4), t0)[0].Slot
	require.Equal(t, 4, again.RunningTasks, "what room means is measured anew")
	require.Zero(t, again.place("task", t0).Refusals, "a task that was started ends the row")
}

func TestAFullHostSaysWhatItLacks(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		running int
		want    string
	}{
		"memory":            {"RESOURCE:MEMORY", 3, "the host lacks memory (RESOURCE:MEMORY), which its 3 running tasks may leave when they end"},
		"a port":            {"RESOURCE:PORTS", 3, "the host lacks a host port that the daemon needs (RESOURCE:PORTS)"},
		"a network card":    {"RESOURCE:ENI", 3, "the host lacks a network interface (RESOURCE:ENI)"},
		"something unknown": {"RESOURCE", 3, "the host lacks resources (RESOURCE)"},
		"for ever":          {"RESOURCE:CPU", 0, "too little for the daemon even with no task running on it: it lacks CPU units"},
	} {
		t.Run(name, func(t *testing.T) {
			_, waits := waitsOf(fixture().with(1, slotted(func(s *Slot) {
				s.DeploymentID, s.Revision, s.Blocked, s.Reason = "d-2", 2, true, c.reason
				s.Refusals, s.RunningTasks, s.RetryAt = 4, c.running, ago(-time.Minute)
			}), hostChange(func(h *Host) { h.Query.RunningTasksCount = c.running })))
			require.Contains(t, waits, c.want)
			require.Contains(t, waits, "the next attempt is due at 2026-11-20T09:01:00Z")
		})
	}
}
