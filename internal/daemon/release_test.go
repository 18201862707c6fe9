package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func releasing(s Snapshot) Snapshot {
	s.Revision.ReleaseIdleHosts = true
	return completed(s)
}

// working has other tasks counted on the host.
func working(tasks int) func(*Snapshot, *Host) {
	return hostChange(func(h *Host) { h.OtherTasks, h.OtherTasksKnown = tasks, true })
}

// idleFor has nothing but daemons on the host for that long.
func idleFor(d time.Duration) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		working(0)(s, h)
		slotChange(func(slot *Slot) { slot.IdleSince = ago(d) })(s, h)
	}
}

func released() func(*Snapshot, *Host) {
	return slotted(func(s *Slot) { s.Released, s.Revision, s.DeploymentID = true, 2, "d-2" })
}

func TestHostsThatOnlyDaemonsKeepAliveAreReleased(t *testing.T) {
	uncounted := hostChange(func(h *Host) { h.OtherTasksKnown = false })
	off := completed(fixture())
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"not before the grace is over":            {releasing(fixture()).with(1, running(2), idleFor(15*time.Minute-time.Second)), []string{"observe i-001"}},
		"then the daemon is stopped":              {releasing(fixture()).with(1, running(2), idleFor(15*time.Minute)), []string{"stop i-001"}},
		"not if the revision does not say so":     {off.with(1, running(2), idleFor(15*time.Minute)), []string{"observe i-001"}},
		"not while other tasks run":               {releasing(fixture()).with(1, running(2), idleFor(time.Hour), working(1)), []string{"observe i-001"}},
		"not if the other tasks were not counted": {releasing(fixture()).with(1, running(2), idleFor(time.Hour), uncounted), []string{}},
		"not while the daemon is young":           {minHealthy(releasing(fixture()), 10).with(1, running(2), young(), idleFor(time.Hour)), []string{"observe i-001"}},
		"not on stale knowledge":                  {stale(releasing(fixture())).with(1, running(2), idleFor(time.Hour)), []string{"observe i-001"}},
		"by the drain's own rules if it drains":   {releasing(fixture()).with(1, running(2), idleFor(time.Hour), status(StatusDraining)), []string{"observe i-001"}},
		"also one whose health check fails":       {releasing(fixture()).with(1, running(2), sick(), sickFor(time.Second), idleFor(time.Hour)), []string{"stop i-001"}},
		"one that fails there is tried no more":   {releasing(fixture()).with(1, slotted(func(s *Slot) { s.Failures = 3 }), idleFor(time.Hour)), []string{"observe i-001"}},
		"but within the grace it is":              {releasing(fixture()).with(1, slotted(func(*Slot) {}), idleFor(15*time.Minute-time.Second)), []string{"start i-001"}},
		"a released host is left empty":           {releasing(fixture()).with(1, released(), idleFor(time.Hour)), []string{}},
		"until other work comes":                  {releasing(fixture()).with(1, released(), idleFor(time.Hour), working(1)), []string{"start i-001"}},
		"or the option is turned off":             {off.with(1, released(), idleFor(time.Hour)), []string{"start i-001"}},
		"an uncounted host stays released":        {releasing(fixture()).with(1, released(), uncounted), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, ofHosts(Plan(c.snapshot, t0)))
		})
	}
}

func TestAReleasedHostIsNeitherWantingNorMissing(t *testing.T) {
	stop := Plan(releasing(fixture()).with(1, running(2), idleFor(time.Hour)), t0)[0]
	require.True(t, stop.Slot.Released)
	require.Equal(t, reasonReleased, stop.Reason)
	require.False(t, stop.Slot.Disrupted, "nobody is there to miss it")

	s := releasing(fixture()).with(1, released(), idleFor(time.Hour), slotChange(func(s *Slot) { s.UnhealthySince = ago(time.Hour) }))
	require.Nil(t, tended(t, s).UnhealthySince)
	_, waits := waitsOf(s)
	require.Contains(t, waits, "it gets one again when other work has come")
}

func TestTheTimeWithoutOtherWorkIsRemembered(t *testing.T) {
	first := tended(t, releasing(fixture()).with(1, running(2), working(0)))
	require.Equal(t, t0, *first.IdleSince)
	require.Equal(t, t0.Add(15*time.Minute), *first.WakeAt)
	require.Nil(t, tended(t, releasing(fixture()).with(1, running(2), idleFor(time.Minute), working(2))).IdleSince)
}

// A surge whose new daemon died leaves the former one on the host, which is to be stopped as well.
func TestAnIdleHostInTheMiddleOfASurgeIsReleased(t *testing.T) {
	s := surgeMethod(releasing(fixture())).with(1, slotted(func(s *Slot) { s.Failures, s.RetryAt = 5, ago(-time.Hour) }),
		beside(1, StatusRunning, StatusRunning), idleFor(time.Hour))
	slot := tended(t, s)
	require.Equal(t, SlotPlaced, slot.State)
	require.Nil(t, slot.Former)
	s.Slots[0] = slot
	require.Equal(t, []string{"stop i-001"}, ofHosts(Plan(s, t0)))
}

// Services that wait for the daemon could never come to a host without its attribute, nor the daemon for their sake.
func TestAReleasedHostStaysReadyForWork(t *testing.T) {
	s := completed(fixture()).with(1, slotted(func(s *Slot) { s.Released, s.Revision, s.Attribute = true, 2, "blox.log-agent" }))
	s.Revision.ReadinessAttribute, s.Revision.ReleaseIdleHosts = "blox.log-agent", true
	s.Slots[0].AttributeOn = s.Hosts[0].ContainerInstanceARN
	require.NotContains(t, ofHosts(Plan(s, t0)), "deleteAttribute i-001")
	s.Revision.ReadinessAttribute = ""
	require.Contains(t, ofHosts(Plan(s, t0)), "deleteAttribute i-001")
}
