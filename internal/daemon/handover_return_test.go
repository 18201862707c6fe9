package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// back is a host that was taken over, lost our daemon and its attribute when its agent registered anew, and got a task of
// the service again.
func back(change func(*Slot)) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		slotted(func(slot *Slot) {
			slot.HandedOver, slot.Revision, slot.DeploymentID = "logs", 2, "d-2"
			change(slot)
		})(s, h)
		served(StatusRunning)(s, h)
	}
}

func TestAHostThatTheServiceHasAgainIsTakenOverWithinTheBudget(t *testing.T) {
	quiet := func(*Slot) {}
	owing := slotChange(func(s *Slot) { s.Disrupted, s.UpdatingSince = true, ago(time.Second) })
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"half of the hosts at once":         {many(migrating(completed(fixture())), 1, 4, back(quiet)), []string{"handOver i-001", "handOver i-002"}},
		"also those of the same deployment": {many(migrating(fixture()), 1, 4, back(quiet)), []string{"handOver i-001", "handOver i-002"}},
		"none while others are down":        {migrating(completed(fixture())).with(1, back(quiet)).with(9, running(2), stopping(time.Second), owing), []string{"observe i-009"}},
		"none while the deployment is held": {migrating(paused(fixture())).with(1, back(quiet)), []string{}},
		"one that was paid for at once": {
			many(migrating(completed(fixture())), 1, 4, back(func(s *Slot) { s.Disrupted, s.UpdatingSince = true, ago(time.Minute) })),
			[]string{"handOver i-001", "handOver i-002", "handOver i-003", "handOver i-004"},
		},
		"not while ours beside it does not work": {
			migrating(completed(fixture())).with(1, placed(2, StatusRunning, "PENDING"), served(StatusRunning), slotChange(func(s *Slot) { s.HandedOver = "logs" })),
			[]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := ofHosts(Plan(c.snapshot, t0))
			require.Equal(t, c.want, withoutObserved(got, c.want))
		})
	}
}

// withoutObserved leaves out that what was learned is stored, where the table does not ask for it.
func withoutObserved(got, want []string) []string {
	left := []string{}
	for _, action := range got {
		if action != "observe i-001" || len(want) > 0 && want[0] == action {
			left = append(left, action)
		}
	}
	return left
}

func TestAHostThatTheServiceHasAgainLacksNothing(t *testing.T) {
	s := migrating(paused(fixture())).with(1, back(func(s *Slot) { s.UnhealthySince = nil; s.WakeAt = ago(0) }))
	require.Nil(t, tended(t, s).UnhealthySince)
}
