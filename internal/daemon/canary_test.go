package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func canaries(s Snapshot, c Canary) Snapshot {
	return changed(s, func(config *DeploymentConfiguration, _ *Deployment) {
		config.MinimumHealthyPercent, config.Canary = 0, &c
	})
}

func in(zone string) func(*Snapshot, *Host) {
	return hostChange(func(h *Host) { h.Query.Attributes = map[string]string{"zone": zone} })
}

func TestWhoIsACanary(t *testing.T) {
	fleet := many(basedOn1(fixture()), 1, 10, running(1))
	for name, c := range map[string]struct {
		snapshot Snapshot
		canary   Canary
		want     []string
	}{
		"a count":                        {fleet, Canary{Hosts: "2"}, []string{"i-001", "i-002"}},
		"a percentage, rounded up":       {fleet, Canary{Hosts: "11%"}, []string{"i-001", "i-002"}},
		"hosts that match":               {fleet.with(11, running(1), in("a")).with(12, running(1), in("b")), Canary{Expression: "attribute:zone == b"}, []string{"i-012"}},
		"nobody matches":                 {fleet, Canary{Expression: "attribute:zone == c"}, nil},
		"one has it already":             {fleet.with(11, running(2)), Canary{Hosts: "2"}, []string{"i-001"}},
		"one is on its way":              {fleet.with(11, running(1), stopping(time.Second), slotChange(func(s *Slot) { s.Disrupted, s.UpdatingSince = true, ago(time.Second) })), Canary{Hosts: "2"}, []string{"i-001"}},
		"enough have it":                 {fleet.with(11, running(2)).with(12, running(2)), Canary{Hosts: "2"}, nil},
		"one that was broken comes last": {basedOn1(fixture()).with(1, placed(1, StatusRunning, "PENDING")).with(2, running(1)), Canary{Hosts: "1"}, []string{"i-002"}},
		"one that found no room keeps its place": {
			basedOn1(fixture()).with(1, slotted(func(s *Slot) {
				s.DeploymentID, s.Revision, s.Blocked, s.Disrupted, s.Reason, s.RetryAt = "d-2", 2, true, true, "RESOURCE:MEMORY", ago(-time.Hour)
			})).with(2, running(1)), Canary{Hosts: "1"}, nil,
		},
		"one that had no room before is none": {
			basedOn1(fixture()).with(1, slotted(func(s *Slot) {
				s.DeploymentID, s.Revision, s.Blocked, s.Reason, s.RetryAt = "d-1", 1, true, "RESOURCE:MEMORY", ago(-time.Hour)
			})).with(2, running(1)), Canary{Hosts: "1"}, []string{"i-002"},
		},
		"one whose agent is away is none": {
			basedOn1(fixture()).with(1, running(1), awayFor(time.Hour)).with(2, running(1)), Canary{Hosts: "1"}, []string{"i-002"},
		},
		"one that the revision does not belong on is none": {
			notOn(basedOn1(fixture()), 1).with(1, running(1)).with(2, running(1)), Canary{Hosts: "1"}, []string{"i-002"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, stopsIn(Plan(canaries(c.snapshot, c.canary), t0)))
		})
	}
}

// notOn has the revision not belong on the host.
func notOn(s Snapshot, n int) Snapshot {
	s.Revision.Selector.Exclude = []string{hostKey(n).EC2InstanceID}
	return s
}

func TestWhatAHostGetsWhileADeploymentIsHeld(t *testing.T) {
	had := slotted(func(s *Slot) { s.Revision, s.DeploymentID = 2, "d-2" })
	held := func(status DeploymentStatus, pausedFor string) Snapshot {
		return changed(basedOn1(fixture()), func(_ *DeploymentConfiguration, d *Deployment) { d.Status, d.PausedFor = status, pausedFor })
	}
	noBase := held(DeploymentPaused, PausedByPeople)
	noBase.Base = nil
	baseGone := held(DeploymentPaused, PausedByCanary)
	baseGone.Inactive = map[string]bool{taskDefinition(1): true}
	failedBaseGone := held(DeploymentFailed, "")
	failedBaseGone.Inactive = baseGone.Inactive
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     int
	}{
		"running, a new host":                  {held(DeploymentRunning, "").with(1), 2},
		"paused, a new host":                   {held(DeploymentPaused, PausedByPeople).with(1), 1},
		"paused, a host that had the target":   {held(DeploymentPaused, PausedByPeople).with(1, had), 2},
		"canaries wait, a new host":            {held(DeploymentPaused, PausedByCanary).with(1), 1},
		"stopped, a new host":                  {held(DeploymentStopped, "").with(1), 1},
		"stopped, a host that had the target":  {held(DeploymentStopped, "").with(1, had), 2},
		"failed, a host that had the target":   {held(DeploymentFailed, "").with(1, had), 1},
		"completed":                            {held(DeploymentCompleted, "").with(1), 2},
		"paused, with nothing else to run":     {noBase.with(1), 2},
		"canaries wait, the base cannot start": {baseGone.with(1), 2},
		"failed, and the base cannot start":    {failedBaseGone.with(1, had), 2},
		"no canary, before they are promoted":  {canaries(held(DeploymentRunning, ""), Canary{Expression: "attribute:zone == b"}).with(1), 1},
		"a canary, before they are promoted":   {canaries(held(DeploymentRunning, ""), Canary{Expression: "attribute:zone == b"}).with(1, in("b")), 2},
		"an expression nobody can read, so no": {canaries(held(DeploymentRunning, ""), Canary{Expression: "attribute:"}).with(1, in("b")), 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, a := range Plan(c.snapshot, t0) {
				if a.Kind == Start {
					require.Equal(t, c.want, a.Slot.Revision)
					require.Equal(t, c.snapshot.Deployment.ID, a.Slot.DeploymentID)
					return
				}
			}
			t.Fatal("the host gets nothing")
		})
	}
}

func TestNothingIsReplacedWhileADeploymentIsHeld(t *testing.T) {
	for _, status := range []DeploymentStatus{DeploymentPaused, DeploymentStopped, DeploymentFailed, DeploymentSuperseded} {
		s := changed(many(basedOn1(fixture()), 1, 4, running(1)).with(5, placed(1, StatusRunning, "PENDING")),
			func(_ *DeploymentConfiguration, d *Deployment) { d.Status = status })
		require.Empty(t, stopsIn(Plan(s, t0)), status)
	}
}

func TestCanariesAreWaitedForAndPromoted(t *testing.T) {
	fleet := many(canaries(basedOn1(fixture()), Canary{Hosts: "1", PromoteAfterSeconds: 60}), 1, 4, running(1))
	young := fleet.with(5, running(2), slotChange(func(s *Slot) { s.HealthySince = ago(9 * time.Second) }))
	require.Equal(t, DeploymentRunning, advanced(minHealthy(young, 10), t0).Status, "not well for long enough")

	s := fleet.with(5, running(2))
	waits := advanced(s, t0)
	require.Equal(t, DeploymentPaused, waits.Status)
	require.Equal(t, PausedByCanary, waits.PausedFor)
	require.Equal(t, "1 canaries have revision 2 and wait to be promoted", waits.Reason)
	require.Equal(t, t0, *waits.CanariesSince)
	s.Deployment = &waits
	require.Empty(t, stopsIn(Plan(s, t0)))

	at := func(s Snapshot, d time.Duration) Deployment {
		s.Clusters[cluster] = Freshness{SyncedAt: t0.Add(d)}
		return advanced(s, t0.Add(d))
	}
	require.Equal(t, DeploymentPaused, at(s, time.Minute-1).Status)
	promoted := at(s, time.Minute)
	require.Equal(t, DeploymentRunning, promoted.Status)
	require.Equal(t, t0.Add(time.Minute), *promoted.PromotedAt)

	firing := alarmed(s, alarmFiring)
	firing = changed(firing, func(_ *DeploymentConfiguration, d *Deployment) { d.AlarmsBefore = []string{"errors"} })
	require.Equal(t, DeploymentPaused, at(firing, time.Minute).Status, "nothing promotes itself while an alarm is off")

	frozen := s
	frozen.Environment.Frozen = &Freeze{At: t0}
	require.Equal(t, DeploymentPaused, at(frozen, time.Minute).Status)

	sick := fleet.with(5, placed(2, StatusRunning, "PENDING"))
	sick.Deployment = &waits
	require.Nil(t, at(sick, time.Minute).CanariesSince, "a canary is not well any more: its time begins anew")
	require.Equal(t, DeploymentPaused, at(sick, time.Minute).Status)

	gone := fleet
	gone.Deployment = &waits
	require.Equal(t, DeploymentRunning, at(gone, time.Minute).Status, "the canary has left, and another is needed")
}

func TestEveryHostGetsWhatWasPromoted(t *testing.T) {
	s := canaries(many(basedOn1(fixture()), 1, 4, running(1)), Canary{Hosts: "1"})
	require.Len(t, stopsIn(Plan(s, t0)), 1)
	s = changed(s, func(_ *DeploymentConfiguration, d *Deployment) { d.PromotedAt = ago(time.Minute) })
	require.Len(t, stopsIn(Plan(s, t0)), 4)
}

func TestACanaryThatWentAwayUnderTheDeploymentIsWaitedFor(t *testing.T) {
	s := many(canaries(basedOn1(fixture()), Canary{Hosts: "2"}), 1, 9, running(1)).with(10, running(2))
	away := awayFor(time.Minute)
	require.Equal(t, DeploymentRunning, advanced(s.with(11, placedUpdating(time.Minute), away), t0).Status)
	require.Equal(t, DeploymentPaused, advanced(s.with(11, running(2)), t0).Status)
}

func TestADeploymentWithNothingLeftNeedsNoPromotion(t *testing.T) {
	s := canaries(basedOn1(fixture()), Canary{Hosts: "1"}).with(1, running(2))
	require.Equal(t, DeploymentCompleted, advanced(s, t0).Status)
}

// A host that cannot get the revision now gets it when it is back: as long as it is there, somebody has to promote.
func TestADeploymentWaitsForItsPromotionAlsoIfTheOtherHostsAreDown(t *testing.T) {
	s := canaries(basedOn1(fixture()), Canary{Hosts: "1"}).with(1, running(2))
	for name, other := range map[string]func(*Snapshot, *Host){
		"without room":          slotted(func(s *Slot) { s.Revision, s.DeploymentID, s.Blocked, s.RetryAt = 1, "d-1", true, ago(-time.Hour) }),
		"with its agent away":   hostChange(func(h *Host) { h.AgentConnected = false }),
		"with a daemon that is": running(1),
	} {
		after := advanced(s.with(2, other), t0)
		require.Equal(t, DeploymentPaused, after.Status, name)
		require.Equal(t, PausedByCanary, after.PausedFor, name)
	}
	require.Equal(t, DeploymentCompleted, advanced(s.with(2, status("INACTIVE")), t0).Status, "it has left")
}

func TestADeploymentWithoutCanariesSaysWhatItWaitsFor(t *testing.T) {
	s := canaries(basedOn1(fixture()), Canary{Expression: "attribute:zone == c"}).with(1, running(1))
	_, waits := waitsOf(s)
	require.Equal(t, "no host is a canary, and the deployment waits to be promoted", waits)
}

// Half a day of waiting for people is no lack of progress of the canary that comes after.
func TestAnotherCanaryHasTimeOfItsOwn(t *testing.T) {
	s := canaries(basedOn1(fixture()).with(1, running(1)), Canary{Hosts: "1"})
	s = changed(s, func(c *DeploymentConfiguration, d *Deployment) {
		c.ProgressDeadlineSeconds = 1800
		d.Status, d.PausedFor, d.CreatedAt, d.Progress.At = DeploymentPaused, PausedByCanary, *ago(12 * time.Hour), ago(12*time.Hour)
	})
	after := advanced(s, t0)
	require.Equal(t, DeploymentRunning, after.Status)
	require.Equal(t, t0, *after.ClocksFrom)
}

func TestABakeOfCanariesAloneIsPromoted(t *testing.T) {
	s := canaries(basedOn1(fixture()).with(1, running(2)), Canary{Hosts: "1"})
	s = changed(s, func(c *DeploymentConfiguration, d *Deployment) { c.BakeSeconds = 600 })
	after := advanced(s, t0)
	require.Equal(t, DeploymentBaking, after.Status)
	require.NotNil(t, after.PromotedAt, "a host that joins meanwhile gets what all have")
}

func TestWhatBecomesOfCanariesInAPauseIsNotBelieved(t *testing.T) {
	d, err := Deployment{Status: DeploymentPaused, PausedFor: PausedByCanary, CanariesSince: ago(time.Hour)}.Pause(Operator{})
	require.NoError(t, err)
	require.Nil(t, d.CanariesSince)
}
