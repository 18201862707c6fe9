package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sickFor has the health check of the host's daemon fail for that long.
func sickFor(d time.Duration) func(*Snapshot, *Host) {
	return slotChange(func(s *Slot) { s.HealthySince, s.SickSince, s.UnhealthySince = nil, ago(d), ago(d) })
}

func TestADaemonWhoseHealthCheckFailsIsRestarted(t *testing.T) {
	partial := completed(fixture()).with(1, running(2), sick(), sickFor(time.Minute))
	partial.Full = false
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"not at once":                             {completed(fixture()).with(1, running(2), sick()), []string{"observe i-001"}},
		"not within the grace":                    {completed(fixture()).with(1, running(2), sick(), sickFor(59*time.Second)), []string{"observe i-001"}},
		"after it":                                {completed(fixture()).with(1, running(2), sick(), sickFor(time.Minute)), []string{"stop i-001"}},
		"while a deployment runs":                 {fixture().with(1, running(2), sick(), sickFor(time.Minute)), []string{"stop i-001", "advance running"}},
		"not if it recovers":                      {completed(fixture()).with(1, running(2), sickFor(time.Minute)), []string{"observe i-001"}},
		"a look at one host asks for all":         {partial, []string{"wake"}},
		"not on stale knowledge":                  {stale(completed(fixture())).with(1, running(2), sick(), sickFor(time.Minute)), []string{}},
		"not while the agent is away":             {completed(fixture()).with(1, running(2), sick(), sickFor(time.Minute), awaySince(time.Second)), []string{}},
		"no more at once than may be unavailable": {many(many(completed(fixture()), 1, 3, running(2), sick(), sickFor(time.Minute)), 4, 7, running(2)), []string{"stop i-001", "stop i-002"}},
		"one at a time if it fails everywhere":    {many(completed(fixture()), 1, 4, running(2), sick(), sickFor(time.Minute)), []string{"stop i-001"}},
		"none while others are down by our own":   {many(completed(fixture()).with(9, running(2), stopping(time.Second), slotChange(func(s *Slot) { s.Disrupted = true })), 1, 1, running(2), sick(), sickFor(time.Minute)), []string{"observe i-009"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, brief(Plan(c.snapshot, t0)))
		})
	}
}

func TestARestartOfAnUnhealthyDaemonCountsAsAFailure(t *testing.T) {
	a := Plan(completed(fixture()).with(1, running(2), sick(), sickFor(time.Hour)), t0)[0]
	require.Equal(t, reasonUnhealthy, a.Reason)
	require.True(t, a.Slot.Disrupted, "the host is paid for until it is well again")

	s := completed(fixture()).with(1, placed(2, StatusStopped, StatusStopped), stopping(time.Second), slotChange(func(s *Slot) {
		s.StopReason, s.Failures = reasonUnhealthy, 3
	}))
	after := tended(t, s)
	require.Equal(t, 4, after.Failures)
	require.Equal(t, t0.Add(backoff(4)), *after.RetryAt)

	stopped := Resolved(Slot{State: SlotStopping, StopReason: reasonUnhealthy, PlacedAt: ago(time.Hour)}, nil, DefaultSettings(), t0)
	require.Equal(t, SlotIdle, stopped.State)
	require.Equal(t, 1, stopped.Failures)
}

func TestHowLongAHealthCheckFailsIsRemembered(t *testing.T) {
	first := tended(t, completed(fixture()).with(1, running(2), sick()))
	require.Equal(t, t0, *first.SickSince)
	require.Equal(t, t0.Add(time.Minute), *first.WakeAt)
	require.Nil(t, tended(t, completed(fixture()).with(1, running(2), sickFor(time.Hour))).SickSince)
}

// In an environment's first deployment every host is unavailable from the start: the budget cannot be what is left of it.
func TestDaemonsThatNeverWorkedAreRestartedAFewAtATime(t *testing.T) {
	neverStruck := slotChange(func(s *Slot) { s.Disrupted = false })
	first := func(hosts int, options ...func(*Snapshot, *Host)) Snapshot {
		options = append([]func(*Snapshot, *Host){placedUpdating(2 * time.Minute), sick(), sickFor(time.Minute), neverStruck}, options...)
		begun := changed(fixture(), func(_ *DeploymentConfiguration, d *Deployment) { d.CreatedAt = *ago(time.Hour) })
		return many(begun, 1, hosts, options...)
	}
	require.Equal(t, []string{"i-001", "i-002"}, stopsIn(Plan(first(4), t0)), "half of them")
	restarted := first(4).with(5, placedUpdating(2*time.Minute), slotChange(func(s *Slot) { s.Disrupted, s.HealthySince = true, nil }))
	require.Equal(t, []string{"i-001"}, stopsIn(Plan(restarted, t0)), "one is under way")
	again := first(4, slotChange(func(s *Slot) { s.Disrupted = true }))
	require.Len(t, stopsIn(Plan(again, t0)), 4, "they were paid for")
	require.Len(t, stopsIn(Plan(minimum(first(3), 100), t0)), 1, "one at least")
}

// A host that was broken before the deployment owes nothing once its restart is over, and so has paid for none to come.
func TestTheNextRestartOfAHostThatWasBrokenBeforeIsPaidForAnew(t *testing.T) {
	mended := slotChange(func(s *Slot) { s.Disrupted, s.Restarted = true, true })
	s := changed(completed(fixture()), func(_ *DeploymentConfiguration, d *Deployment) { d.CreatedAt = *ago(30 * time.Second) })
	s = many(s, 1, 4, running(2), sick(), sickFor(time.Minute), mended)
	require.Equal(t, []string{"i-001"}, stopsIn(Plan(s, t0)))
}

func TestARestartHasTheHostsDeadlineFromItsBeginning(t *testing.T) {
	s := completed(fixture()).with(1, running(2), sick(), sickFor(24*time.Hour))
	require.Equal(t, t0, *Plan(s, t0)[0].Slot.UpdatingSince)
	s.Slots[0].UpdatingSince, s.Slots[0].Disrupted = ago(time.Minute), true
	require.Equal(t, *ago(time.Minute), *Plan(s, t0)[0].Slot.UpdatingSince, "which a second restart does not put off")
}

// A daemon that has been sick since before the deployment is none of its failures, however often it is restarted meanwhile.
func TestADaemonThatWasSickBeforeIsNotHeldAgainstADeployment(t *testing.T) {
	slot := Slot{
		Host: hostKey(1), State: SlotIdle, DeploymentID: "d-2", Revision: 2, Failures: maxAttempts,
		UnhealthySince: ago(24 * time.Hour), UpdatingSince: ago(time.Hour), Disrupted: true, Restarted: true,
	}
	p := newPlanner(fixture().with(1), t0)
	require.Empty(t, p.failure(slot))
	require.False(t, p.owed(slot))
	slot.State = SlotStopping
	require.True(t, p.owed(slot), "its restart takes room, for as long as it lasts")
	slot.State, slot.Restarted = SlotIdle, false
	require.True(t, p.owed(slot), "we took a working daemon from it")
	require.NotEmpty(t, p.failure(slot))

	s := minimum(fixture(), 50).with(1, running(2), sick(), sickFor(time.Hour)).with(2, running(2))
	p = newPlanner(s, t0)
	p.plan()
	require.Len(t, p.stops, 1)
	require.True(t, p.stops[0].Slot.Restarted && p.stops[0].Slot.Disrupted)
}
