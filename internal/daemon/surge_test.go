package daemon

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func surgeMethod(s Snapshot) Snapshot {
	s.Revision.DeploymentConfiguration.Method = ReplaceThenTerminate
	s.Revision.DeploymentConfiguration.MaxSurge = "100%"
	return s
}

func formerARN(revision int) string { return taskARN(9, revision) }

// beside gives the host's slot a former task of a revision, in these statuses; healthy since an hour if it is RUNNING.
func beside(revision int, desired, last string) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		former := Former{TaskARN: formerARN(revision), Revision: revision, DeploymentID: "d-1", PlacedAt: ago(time.Hour)}
		if desired == StatusRunning && last == StatusRunning {
			former.HealthySince = ago(time.Hour)
		}
		slotChange(func(slot *Slot) { slot.Former = &former })(s, h)
		s.Tasks = append(s.Tasks[:len(s.Tasks):len(s.Tasks)], Task{
			ARN: former.TaskARN, Host: h.Key, DesiredStatus: desired, LastStatus: last,
			StartedBy: StartedBy("d-1"), TaskDefinition: taskDefinition(revision),
		})
	}
}

func formerChange(change func(*Former)) func(*Snapshot, *Host) {
	return slotChange(func(s *Slot) { change(s.Former) })
}

// young is a daemon that has been healthy for no longer than five seconds.
func young() func(*Snapshot, *Host) {
	return slotChange(func(s *Slot) { s.HealthySince, s.PlacedAt = ago(5*time.Second), ago(time.Minute) })
}

// rolledBack has the deployment bring revision 1 again.
func rolledBack(s Snapshot) Snapshot {
	d := *s.Deployment
	d.Status, d.RollbackTo, d.BasedOn = DeploymentRollingBack, 1, 1
	s.Deployment = &d
	s.Revision.Number, s.Revision.TaskDefinition = 1, taskDefinition(1)
	return s
}

func TestASurge(t *testing.T) {
	surging := func() Snapshot { return minHealthy(surgeMethod(fixture()), 10) }
	idle := slotted(func(s *Slot) { s.DeploymentID, s.Revision = "d-2", 2 })
	starting := placed(2, StatusRunning, "PENDING")
	old := beside(1, StatusRunning, StatusRunning)
	drained := func(s *Snapshot, h *Host) {
		h.Status = StatusDraining
		slotChange(func(s *Slot) { s.DrainingSince = ago(time.Minute) })(s, h)
	}
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"starts the new daemon beside the old one":             {surging().with(1, running(1)), []string{"surge i-001"}},
		"waits while the new one starts":                       {surging().with(1, starting, old), []string{}},
		"waits while the new one is young":                     {surging().with(1, running(2), young(), old), []string{"observe i-001"}},
		"stops the old one when the new one is well":           {surging().with(1, running(2), old), []string{"stopFormer i-001"}},
		"not on stale knowledge":                               {stale(surging()).with(1, running(2), old), []string{"observe i-001"}},
		"replays a claim whose outcome is unknown":             {surging().with(1, claimed(time.Minute), old), []string{"replay i-001"}},
		"tries again beside the old one when the new one died": {surging().with(1, idle, old), []string{"surge i-001"}},
		"backs off when the new one dies again and again": {
			surging().with(1, idle, old, slotChange(func(s *Slot) { s.RetryAt, s.Failures = ago(-time.Minute), 4 })), []string{"observe i-001"},
		},
		"starts as usual when the old one has gone meanwhile": {surging().with(1, idle, beside(1, StatusStopped, StatusStopped)), []string{"start i-001"}},
		"takes a broken daemon's place without a surge":       {surging().with(1, placed(1, StatusRunning, "PENDING")), []string{"stop i-001"}},
		"goes back to the old one when the deployment does": {
			rolledBack(surging()).with(1, starting, old), []string{"stopFormer i-001"},
		},
		"goes back without a stop when the new one has died": {rolledBack(surging()).with(1, idle, old), []string{"observe i-001"}},
		"keeps a healthy new one when the old one to go back to is not": {
			rolledBack(surging()).with(1, running(2), young(), beside(1, StatusRunning, "PENDING")), []string{"observe i-001"},
		},
		"gives up the younger one when a third revision overtakes": {
			surging().with(1, starting, beside(0, StatusRunning, StatusRunning), thirdRevision), []string{"stop i-001"},
		},
		"calls a stop again that was not made":                {surging().with(1, running(2), old, formerStopping(time.Minute)), []string{"restop i-001"}},
		"gives a stop of a moment ago time":                   {surging().with(1, running(2), old, formerStopping(time.Second)), []string{"observe i-001"}},
		"asks what became of a stop that never ends":          {surging().with(1, running(2), beside(1, StatusStopped, "DEACTIVATING"), formerStopping(time.Minute)), []string{"resolve i-001"}},
		"forgets the old one when it has stopped":             {completed(surging()).with(1, running(2), beside(1, StatusStopped, StatusStopped), formerStopping(time.Minute)), []string{"observe i-001"}},
		"stops both on a drained host":                        {surging().with(1, starting, old, drained), []string{"stop i-001", "stopStray i-001"}},
		"keeps the old one on a host that has begun to drain": {surging().with(1, idle, old, drained), []string{"observe i-001"}},
		"stops both where the daemon does not belong": {
			surging().with(1, starting, old, hostChange(func(h *Host) { h.Managed = true })), []string{"stop i-001", "stopStray i-001"},
		},
		"stops both when the environment is deleted":      {deleting(surging(), false).with(1, starting, old), []string{"stop i-001", "stopStray i-001"}},
		"keeps what is left when the environment is":      {deleting(surging(), false).with(1, idle, old), []string{"observe i-001"}},
		"does not take the old one for a second task":     {surging().with(1, claimed(time.Minute), old), []string{"replay i-001"}},
		"stops a third task":                              {surging().with(1, starting, old, stray("x")), []string{"stopStray i-001"}},
		"asks about the host's own task first if it left": {surging().with(1, running(2), old, hostChange(func(h *Host) { h.Status = "INACTIVE" })), []string{"resolve i-001"}},
		"keeps both while the deployment is paused":       {paused(surging()).with(1, starting, old), []string{}},
		"begins none while the deployment is paused":      {paused(surging()).with(1, running(1)), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			require.ElementsMatch(t, c.want, ofHosts(Plan(c.snapshot, t0)))
		})
	}
}

// ofHosts is brief without what concerns the environment as a whole.
func ofHosts(actions []Action) []string {
	var of []Action
	for _, a := range actions {
		if a.Host != (HostKey{}) {
			of = append(of, a)
		}
	}
	return brief(of)
}

func stale(s Snapshot) Snapshot {
	for key := range s.Clusters {
		s.Clusters[key] = Freshness{SyncedAt: t0.Add(-time.Hour)}
	}
	return s
}

func paused(s Snapshot) Snapshot {
	d := *s.Deployment
	d.Status, d.PausedFor = DeploymentPaused, PausedByPeople
	s.Deployment = &d
	return s
}

func thirdRevision(s *Snapshot, _ *Host) {
	d := *s.Deployment
	d.ID, d.Revision = "d-3", 3
	s.Deployment = &d
	s.Revision.Number, s.Revision.TaskDefinition = 3, taskDefinition(3)
}

func formerStopping(since time.Duration) func(*Snapshot, *Host) {
	return formerChange(func(f *Former) { f.StoppingAt = ago(since) })
}

func TestASurgesClaimIsAnotherTaskThanTheOneThatServes(t *testing.T) {
	s := surgeMethod(fixture()).with(1, running(1))
	a := Plan(s, t0)[0]
	require.Equal(t, Surge, a.Kind)
	require.Equal(t, SlotClaimed, a.Slot.State)
	require.Equal(t, taskARN(1, 1), a.Slot.Former.TaskARN)
	require.Equal(t, ago(time.Hour), a.Slot.Former.HealthySince)
	require.Equal(t, 2, a.Slot.Attempt, "a restart of the same revision would ask with the token of the living task")
	require.True(t, a.Slot.Serving())
	require.False(t, a.Slot.Disrupted, "nobody lacks a daemon")

	var request RunRequest
	require.NoError(t, json.Unmarshal(a.Slot.Request, &request))
	require.Equal(t, []PlacementConstraint{{Type: "memberOf", Expression: "ec2InstanceId == i-001"}}, request.PlacementConstraints,
		"under distinctInstance ECS would refuse it because of the old task")
	require.Equal(t, Group("blox", "env"), request.Group)
}

func TestARestartDoesNotGoBackToTheTaskItRestarts(t *testing.T) {
	s := surgeMethod(fixture()).with(1, placed(2, StatusRunning, "PENDING"), beside(2, StatusRunning, StatusRunning))
	require.Equal(t, []string{}, ofHosts(Plan(s, t0)), "both run what is wanted: the younger one is to be the host's")
	d := *s.Deployment
	d.Restart = true
	s.Deployment = &d
	idle := surgeMethod(fixture()).with(1, slotted(func(s *Slot) { s.DeploymentID, s.Revision = "d-2", 2 }), beside(2, StatusRunning, StatusRunning))
	require.Equal(t, []string{"observe i-001"}, ofHosts(Plan(idle, t0)), "without a restart the former task will do")
	idle.Deployment = &d
	require.Equal(t, []string{"surge i-001"}, ofHosts(Plan(idle, t0)))
}

func TestNoHostGetsAThirdTask(t *testing.T) {
	p := newPlanner(surgeMethod(fixture()).with(1, running(1), beside(0, StatusRunning, StatusRunning)), t0)
	p.surge(p.turnOf(hostKey(1)))
	require.Empty(t, p.starts)
}

// Two tasks may be left by an environment of the same name that was deleted in the middle of a surge.
func TestASurgeBeginsWhenThereIsOneTaskOnTheHost(t *testing.T) {
	second := func(s *Snapshot, h *Host) {
		s.Tasks = append(s.Tasks[:len(s.Tasks):len(s.Tasks)], Task{
			ARN: "second", Host: h.Key, DesiredStatus: StatusRunning, LastStatus: StatusRunning,
			StartedBy: StartedBy("d-0"), TaskDefinition: taskDefinition(1),
		})
	}
	s := surgeMethod(fixture())
	require.Equal(t, []string{"surge i-001"}, ofHosts(Plan(s.with(1, running(1)), t0)))
	require.Equal(t, []string{"stopStray i-001"}, ofHosts(Plan(s.with(1, running(1), second), t0)))
}

func TestGoingBackToTheFormerTask(t *testing.T) {
	s := rolledBack(surgeMethod(fixture())).with(1, placed(2, StatusRunning, "PENDING"), beside(1, StatusRunning, StatusRunning))
	a := Plan(s, t0)[0]
	require.Equal(t, taskARN(1, 2), a.TaskARN, "the new one is stopped")
	require.Equal(t, formerARN(1), a.Slot.TaskARN)
	require.Equal(t, 1, a.Slot.Revision)
	require.True(t, a.Slot.Healthy())
	require.Equal(t, taskARN(1, 2), a.Slot.Former.TaskARN)
	require.Equal(t, t0, *a.Slot.Former.StoppingAt)
}

// A former task that serves needs no start, so that its revision cannot be started any more changes nothing.
func TestAFailedDeploymentGoesBackToAFormerTaskThatCouldNotBeStartedAgain(t *testing.T) {
	failed := changed(basedOn1(surgeMethod(fixture())), func(_ *DeploymentConfiguration, d *Deployment) { d.Status = DeploymentFailed })
	failed.Inactive = map[string]bool{taskDefinition(1): true}
	a := Plan(failed.with(1, placed(2, StatusRunning, "PENDING"), beside(1, StatusRunning, StatusRunning)), t0)[0]
	require.Equal(t, StopFormer, a.Kind)
	require.Equal(t, taskARN(1, 2), a.TaskARN, "the one that the failed deployment brought is stopped")
}

func TestAHostServesWhileEitherTaskDoes(t *testing.T) {
	healthy, stopping := &Former{HealthySince: ago(time.Minute)}, &Former{HealthySince: ago(time.Minute), StoppingAt: ago(time.Second)}
	for name, c := range map[string]struct {
		slot Slot
		want bool
	}{
		"its own":                      {Slot{State: SlotPlaced, HealthySince: ago(time.Second)}, true},
		"the former":                   {Slot{State: SlotClaimed, Former: healthy}, true},
		"not a former that is stopped": {Slot{State: SlotPlaced, Former: stopping}, false},
		"not one that does not work":   {Slot{State: SlotIdle, Former: &Former{}}, false},
		"none":                         {Slot{State: SlotStopping}, false},
	} {
		require.Equal(t, c.want, c.slot.Serving(), name)
	}
}

func TestTheFormerTasksHealthIsRemembered(t *testing.T) {
	starting := placed(2, StatusRunning, "PENDING")
	s := surgeMethod(fixture()).with(1, starting, beside(1, StatusRunning, StatusRunning))
	s.Tasks[1].Health = "UNHEALTHY"
	require.Nil(t, tended(t, s).Former.HealthySince)

	s = surgeMethod(fixture()).with(1, starting, beside(1, StatusRunning, StatusRunning), awaySince(time.Hour))
	require.False(t, tended(t, s).Serving(), "nothing is known of a host whose agent is away")

	s = surgeMethod(fixture()).with(1, starting, beside(1, StatusStopped, StatusRunning))
	require.NotNil(t, tended(t, s).Former.StoppingAt, "somebody else stops it")

	s = surgeMethod(fixture()).with(1, starting, beside(1, StatusStopped, StatusStopped), formerChange(func(f *Former) { f.HealthySince = ago(time.Hour) }))
	after := tended(t, s)
	require.Nil(t, after.Former)
	require.Equal(t, t0, *after.UnhealthySince, "the host lacks a daemon from now on")
}

func TestResolvedFormer(t *testing.T) {
	slot := Slot{State: SlotPlaced, TaskARN: "new", Former: &Former{TaskARN: "old", PlacedAt: ago(time.Hour), HealthySince: ago(time.Hour)}}
	recent := slot
	recent.Former = &Former{TaskARN: "old", PlacedAt: ago(time.Minute)}

	require.Nil(t, ResolvedFormer(slot, nil, t0).Former)
	require.Nil(t, ResolvedFormer(slot, &Task{LastStatus: StatusStopped}, t0).Former)
	require.Equal(t, "new", ResolvedFormer(slot, nil, t0).TaskARN)
	lives := ResolvedFormer(slot, &Task{LastStatus: StatusRunning}, t0)
	require.NotNil(t, lives.Former)
	require.True(t, lives.WakeAt.After(t0))
	require.NotNil(t, ResolvedFormer(recent, nil, t0).Former, "MISSING proves nothing about a young task")
	require.Equal(t, Slot{}, ResolvedFormer(Slot{}, nil, t0), "it is gone already")
}

func TestTheFormerTaskIsNoAnswerToAClaim(t *testing.T) {
	slot := aClaim()
	slot.Former = &Former{TaskARN: "old"}
	after := Resolved(slot, &Task{ARN: "old", DesiredStatus: StatusRunning, LastStatus: StatusRunning}, DefaultSettings(), t0)
	require.Equal(t, SlotClaimed, after.State)
	require.True(t, after.WakeAt.After(t0))
}

// A host that is surged was not broken before: if its new task never works, the circuit breaker is to know.
func TestABadRevisionUnderASurgeIsHeldAgainstIt(t *testing.T) {
	joined := slotChange(func(s *Slot) { s.UnhealthySince = ago(24 * time.Hour) }) // as every host's is: it came without a daemon
	surged := *Plan(surgeMethod(fixture()).with(1, running(1), joined), t0)[0].Slot
	require.Equal(t, t0, *surged.UnhealthySince)
	surged.State, surged.Failures = SlotIdle, maxAttempts
	s := fixture().with(1)
	require.NotEmpty(t, newPlanner(s, t0).failure(surged))
}
