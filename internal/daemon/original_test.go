package daemon

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The scenarios of the redesign of Blox (scheduling-manager, ReplaceAfterTerminate), on one environment and cluster. Where
// ours does better on purpose, the name says how.

func TestOriginalScenarios(t *testing.T) {
	unlimited := func(s Snapshot) Snapshot { return minimum(s, 0) }
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"no tasks on two hosts: one is started on each, in the environment's group": {
			fixture().with(1).with(2), []string{"start i-001", "start i-002"},
		},
		"a PENDING and a RUNNING task of the revision: nothing is done": {
			completed(fixture()).with(1, placed(2, StatusRunning, "PENDING"), settledBefore).with(2, running(2)), []string{},
		},
		"one STOPPED, one RUNNING: one is started where it stopped": {
			completed(fixture()).with(1, placed(2, StatusStopped, StatusStopped)).with(2, running(2)), []string{"start i-001"},
		},
		"one of the old revision, one of the new: the old one is stopped, and nothing started in its place before it is STOPPED": {
			unlimited(fixture()).with(1, running(1)).with(2, running(2)), []string{"stop i-001"},
		},
		"an empty host beside them gets its daemon in the same pass as the old one is stopped": {
			unlimited(fixture()).with(1, running(1)).with(2, running(2)).with(3), []string{"start i-003", "stop i-001"},
		},
		"better: only as many old ones are stopped at once as the minimum allows, where the original stopped all": {
			many(fixture(), 1, 4, running(1)), []string{"stop i-001", "stop i-002"},
		},
		"better: a task that is stopping is waited for, where the original started a second beside it": {
			completed(fixture()).with(1, placed(2, StatusStopped, StatusRunning), settledBefore), []string{"observe i-001"},
		},
		"better: a DRAINING host gets no daemon, where the original knew no status": {
			completed(fixture()).with(1, status(StatusDraining)), []string{},
		},
		"better: a host outside of the instance group gets no daemon, where the original ignored the group": {
			selecting(completed(fixture()), Selector{Expression: "attribute:stack == prod"}).with(1, attributed("stack", "test")), []string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, ofHosts(Plan(c.snapshot, t0)))
		})
	}
}

// settledBefore has the host's lack of a daemon be known already, so that nothing about it is new.
func settledBefore(s *Snapshot, h *Host) {
	slotChange(func(s *Slot) { s.UnhealthySince, s.HealthySince = ago(1), nil })(s, h)
}
