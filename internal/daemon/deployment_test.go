package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// changed is the snapshot with another deployment configuration or deployment.
func changed(s Snapshot, change func(*DeploymentConfiguration, *Deployment)) Snapshot {
	d := *s.Deployment
	change(&s.Revision.DeploymentConfiguration, &d)
	s.Deployment = &d
	return s
}

// basedOn1 is a deployment that can roll back to revision 1.
func basedOn1(s Snapshot) Snapshot {
	base := s.Revision
	base.Number, base.TaskDefinition = 1, taskDefinition(1)
	s.Base = &base
	return changed(s, func(_ *DeploymentConfiguration, d *Deployment) { d.BasedOn = 1 })
}

// crashing is a host on which the deployment's task failed so often in a row.
func crashing(times int) func(*Snapshot, *Host) {
	return slotted(func(s *Slot) {
		s.DeploymentID, s.Revision, s.Failures, s.Disrupted, s.RetryAt = "d-2", 2, times, true, ago(-time.Hour)
		s.Reason = "daemon stopped: EssentialContainerExited"
	})
}

func TestWhatEndsADeployment(t *testing.T) {
	healthy := many(basedOn1(fixture()), 1, 20, running(1))
	slow := placedUpdating
	type conf = DeploymentConfiguration
	for name, c := range map[string]struct {
		snapshot Snapshot
		change   func(*conf, *Deployment)
		want     DeploymentStatus
		reason   string
	}{
		"nothing wrong": {healthy, nil, DeploymentRunning, ""},
		"one host of 21 failed, and two may not": {
			healthy.with(30, crashing(3)), nil, DeploymentRunning, "",
		},
		"three hosts of 23 are a tenth, rounded up": {
			healthy.with(30, crashing(3)).with(31, crashing(3)).with(32, crashing(3)), nil, DeploymentRollingBack,
			"circuit breaker: 3 of 23 hosts failed; on i-030: daemon stopped: EssentialContainerExited",
		},
		"two attempts are no failure": {
			healthy.with(30, crashing(2)).with(31, crashing(2)).with(32, crashing(2)), nil, DeploymentRunning, "",
		},
		"no room is no failure": {
			many(healthy, 30, 34, blocked()), nil, DeploymentRunning, "",
		},
		"a count for a threshold": {
			healthy.with(30, crashing(3)), func(c *conf, _ *Deployment) { c.CircuitBreaker.Threshold = "1" }, DeploymentRollingBack, "circuit breaker: 1 of 21 hosts failed; on i-030: daemon stopped: EssentialContainerExited",
		},
		"the breaker is off": {
			many(healthy, 30, 34, crashing(9)), func(c *conf, _ *Deployment) { c.CircuitBreaker.Disabled = true }, DeploymentRunning, "",
		},
		"it is not to roll back": {
			many(healthy, 30, 34, crashing(3)), func(c *conf, _ *Deployment) { c.CircuitBreaker.KeepRevision = true }, DeploymentFailed,
			"circuit breaker: 5 of 25 hosts failed; on i-030: daemon stopped: EssentialContainerExited",
		},
		"there is nothing to roll back to": {
			many(healthy, 30, 34, crashing(3)), func(_ *conf, d *Deployment) { d.BasedOn = 0 }, DeploymentFailed,
			"circuit breaker: 5 of 25 hosts failed; on i-030: daemon stopped: EssentialContainerExited",
		},
		"hosts past their deadline failed": {
			many(healthy, 30, 33, slow(10*time.Minute)), nil, DeploymentRollingBack,
			"circuit breaker: 4 of 24 hosts failed; on i-030: no healthy daemon within 10m0s: it neither fails nor becomes well",
		},
		"hosts that were well with it, and have not been for as long, failed": {
			many(healthy, 30, 33, placed(2, StatusRunning, "PENDING"), slotChange(func(s *Slot) { s.UnhealthySince = ago(10 * time.Minute) })),
			func(_ *conf, d *Deployment) { d.CreatedAt = *ago(time.Hour) }, DeploymentRollingBack,
			"circuit breaker: 4 of 24 hosts failed; on i-030: no healthy daemon within 10m0s: it neither fails nor becomes well",
		},
		"hosts a moment before it did not": {many(healthy, 30, 33, slow(10*time.Minute-1)), nil, DeploymentRunning, ""},
		"the time before it was resumed does not count": {
			many(healthy, 30, 33, slow(time.Hour)), func(_ *conf, d *Deployment) { d.ClocksFrom = ago(time.Minute) }, DeploymentRunning, "",
		},
		"hosts whose agents went away under it failed": {
			many(healthy, 30, 33, slow(5*time.Minute), awayFor(2*time.Minute)), nil, DeploymentRollingBack,
			"circuit breaker: 4 of 24 hosts failed; on i-030: agent has been away since the daemon was started, and before it was well",
		},
		"an alarm goes off": {
			alarmed(healthy, alarmFiring), nil, DeploymentRollingBack, "CloudWatch alarm errors is in ALARM",
		},
		"an alarm that lacks data has not gone off": {alarmed(healthy, "INSUFFICIENT_DATA"), nil, DeploymentRunning, ""},
		"an alarm that had gone off before is not its doing": {
			alarmed(healthy, alarmFiring), func(_ *conf, d *Deployment) { d.AlarmsBefore = []string{"errors"} }, DeploymentRunning, "",
		},
		"an alarm during the bake": {
			alarmed(many(basedOn1(fixture()), 1, 3, running(2)), alarmFiring), baking(30 * time.Second), DeploymentRollingBack,
			"CloudWatch alarm errors is in ALARM",
		},
		"an alarm while canaries wait": {
			alarmed(healthy, alarmFiring), pausedFor(PausedByCanary), DeploymentRollingBack, "CloudWatch alarm errors is in ALARM",
		},
		"what people paused they end": {alarmed(healthy, alarmFiring), pausedFor(PausedByPeople), DeploymentPaused, "somebody's"},
		"a rollback is never given up": {
			alarmed(many(healthy, 30, 39, crashing(9)), alarmFiring), func(_ *conf, d *Deployment) {
				d.Status, d.RollbackTo, d.Reason = DeploymentRollingBack, 2, "it was bad"
			}, DeploymentRollingBack, "it was bad",
		},
		"it does not come forward": {
			healthy, late(10 * time.Minute), DeploymentRollingBack, "no host was updated for 600 seconds, 20 of 20 are left",
		},
		"canaries that wait for people are no lack of progress": {
			healthy, func(c *conf, d *Deployment) { late(time.Hour)(c, d); pausedFor(PausedByCanary)(c, d) }, DeploymentPaused, "somebody's",
		},
		"one host of eleven left, and two may not": {
			many(basedOn1(fixture()), 1, 10, running(1)), func(_ *conf, d *Deployment) { d.Lost = 1 }, DeploymentRunning, "",
		},
		"it may yet": {healthy, late(10*time.Minute - 1), DeploymentRunning, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.snapshot
			if c.change != nil {
				s = changed(s, c.change)
			}
			got := advanced(s, t0)
			require.Equal(t, c.want, got.Status)
			require.Equal(t, c.reason, got.Reason)
			if c.want == DeploymentRollingBack && s.Deployment.RollbackTo == 0 {
				require.Equal(t, 1, got.RollbackTo)
				require.Equal(t, t0, *got.ClocksFrom, "hosts have their time again")
			}
			require.Equal(t, c.want == DeploymentFailed, got.EndedAt != nil)
		})
	}
}

// What is replaced in the plan that gives a deployment up is a working daemon for nothing.
func TestThePlanThatGivesADeploymentUpReplacesNothing(t *testing.T) {
	healthy := many(basedOn1(fixture()), 1, 20, running(1))
	for name, s := range map[string]Snapshot{
		"an alarm":       alarmed(healthy, alarmFiring),
		"the breaker":    healthy.with(30, crashing(3)).with(31, crashing(3)).with(32, crashing(3)),
		"late":           changed(healthy, late(10*time.Minute)),
		"keeps":          changed(alarmed(healthy, alarmFiring), func(c *DeploymentConfiguration, _ *Deployment) { c.CircuitBreaker.KeepRevision = true }),
		"a sick daemon":  alarmed(healthy.with(30, running(2), sick(), sickFor(time.Hour)), alarmFiring),
		"by surge":       surgeMethod(alarmed(healthy, alarmFiring)),
		"a host is lost": healthyLost(healthy),
	} {
		t.Run(name, func(t *testing.T) {
			actions := Plan(s, t0)
			require.Empty(t, stopsIn(actions))
			require.Empty(t, surgesIn(actions))
			after := advanced(s, t0)
			require.Contains(t, []DeploymentStatus{DeploymentRollingBack, DeploymentFailed}, after.Status)
			require.Equal(t, Action{Kind: Wake, At: t0, Reason: "the deployment is " + string(after.Status) + " now"}, actions[len(actions)-1])
			for _, h := range Explain(s, t0) {
				if h.Revision == 1 && h.Healthy {
					require.Equal(t, "the deployment is given up: "+after.Reason, h.WaitsFor)
				}
			}
		})
	}
}

func healthyLost(s Snapshot) Snapshot {
	s = changed(s, func(c *DeploymentConfiguration, _ *Deployment) { c.CircuitBreaker.Threshold = "1" })
	return s.with(30, slotted(func(s *Slot) { s.DeploymentID, s.Revision, s.UpdatingSince = "d-2", 2, ago(time.Minute) }),
		status(statusInactive))
}

func TestAChangeOfStatusIsLookedAtAgainAtOnce(t *testing.T) {
	done := many(basedOn1(fixture()), 1, 3, running(2))
	waiting := canaries(many(basedOn1(fixture()), 1, 3, running(1)).with(9, running(2)), Canary{Hosts: "1", PromoteAfterSeconds: 60})
	for name, c := range map[string]struct {
		snapshot Snapshot
		change   func(*DeploymentConfiguration, *Deployment)
		want     DeploymentStatus
		wakes    bool
	}{
		"it bakes":          {done, func(c *DeploymentConfiguration, _ *Deployment) { c.BakeSeconds = 60 }, DeploymentBaking, true},
		"its canaries wait": {waiting, func(*DeploymentConfiguration, *Deployment) {}, DeploymentPaused, true},
		"it promotes itself": {waiting, func(_ *DeploymentConfiguration, d *Deployment) {
			pausedFor(PausedByCanary)(nil, d)
			d.CanariesSince = ago(time.Minute)
		}, DeploymentRunning, true},
		"it begins":         {many(basedOn1(fixture()), 1, 3, running(1)), func(_ *DeploymentConfiguration, d *Deployment) { d.Status = DeploymentPending }, DeploymentRunning, false},
		"it is over":        {done, func(*DeploymentConfiguration, *Deployment) {}, DeploymentCompleted, false},
		"it is turned back": {done, func(_ *DeploymentConfiguration, d *Deployment) { d.Status, d.RollbackTo = DeploymentRollingBack, 2 }, DeploymentRolledBack, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := changed(c.snapshot, c.change)
			require.Equal(t, c.want, advanced(s, t0).Status)
			actions := Plan(s, t0)
			last := actions[len(actions)-1]
			require.Equal(t, c.wakes, last.Kind == Wake && last.At.Equal(t0), brief(actions))
		})
	}
}

// placedUpdating is a host that got the deployment's task so long ago, and is not well.
func placedUpdating(d time.Duration) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		placed(2, StatusRunning, "PENDING")(s, h)
		slotChange(func(slot *Slot) { slot.UpdatingSince, slot.UnhealthySince, slot.Disrupted = ago(d), ago(d), true })(s, h)
	}
}

func alarmed(s Snapshot, state string) Snapshot {
	s.Revision.DeploymentConfiguration.Alarms = []string{"latency", "errors"}
	s.Alarms = map[string]string{"errors": state, "latency": "OK"}
	return s
}

func pausedFor(what string) func(*DeploymentConfiguration, *Deployment) {
	return func(_ *DeploymentConfiguration, d *Deployment) {
		d.Status, d.PausedFor, d.Reason = DeploymentPaused, what, "somebody's"
	}
}

func baking(since time.Duration) func(*DeploymentConfiguration, *Deployment) {
	return func(c *DeploymentConfiguration, d *Deployment) {
		c.BakeSeconds, d.Status, d.BakingSince = 60, DeploymentBaking, ago(since)
	}
}

// late is a deployment that has a progress deadline of ten minutes, and did not come forward for so long.
func late(d time.Duration) func(*DeploymentConfiguration, *Deployment) {
	return func(c *DeploymentConfiguration, dep *Deployment) {
		c.ProgressDeadlineSeconds = 600
		dep.Progress = Progress{At: ago(d), Desired: 20, Remaining: 20}
	}
}

func TestWhatADeploymentEndsAs(t *testing.T) {
	done := many(basedOn1(fixture()), 1, 3, running(2))
	for name, c := range map[string]struct {
		snapshot Snapshot
		change   func(*DeploymentConfiguration, *Deployment)
		want     DeploymentStatus
	}{
		"it bakes first": {done, func(c *DeploymentConfiguration, _ *Deployment) { c.BakeSeconds = 60 }, DeploymentBaking},
		"and bakes":      {done, baking(time.Minute - 1), DeploymentBaking},
		"and has baked":  {done, baking(time.Minute), DeploymentCompleted},
		"a daemon that is not well holds up the end of the bake": {
			done.with(9, placed(2, StatusRunning, "PENDING")), baking(time.Minute), DeploymentBaking,
		},
		"it does not end while its alarms are not known": {
			done, func(c *DeploymentConfiguration, _ *Deployment) { c.Alarms = []string{"errors"} }, DeploymentRunning,
		},
		"rolled back": {
			done, func(_ *DeploymentConfiguration, d *Deployment) { d.Status, d.RollbackTo = DeploymentRollingBack, 2 }, DeploymentRolledBack,
		},
		"a rollback does not bake": {
			done, func(c *DeploymentConfiguration, d *Deployment) {
				c.BakeSeconds, d.Status, d.RollbackTo = 60, DeploymentRollingBack, 2
			}, DeploymentRolledBack,
		},
		"on delete it does not wait": {
			many(fixture(), 1, 3, running(1)), func(c *DeploymentConfiguration, _ *Deployment) { c.Method = OnDelete }, DeploymentCompleted,
		},
		"on delete it waits for hosts without a daemon": {
			many(fixture(), 1, 3, running(1)).with(9), func(c *DeploymentConfiguration, _ *Deployment) { c.Method = OnDelete }, DeploymentRunning,
		},
		"paused": {done, pausedFor(PausedByPeople), DeploymentPaused},
		"a restart of hosts that an earlier deployment gave the revision": {
			many(fixture(), 1, 3, running(2), slotChange(func(s *Slot) { s.DeploymentID = "d-1" })),
			func(_ *DeploymentConfiguration, d *Deployment) { d.Restart = true }, DeploymentRunning,
		},
		"a restart that is done": {done, func(_ *DeploymentConfiguration, d *Deployment) { d.Restart = true }, DeploymentCompleted},
		"a host that was broken before, and on which the revision failed, too": {
			done.with(9, crashing(3), slotChange(func(s *Slot) { s.Disrupted, s.UnhealthySince = false, ago(time.Hour) })), nil, DeploymentCompleted,
		},
		"a host that was broken before, and may be well with the revision": {
			done.with(9, crashing(2), slotChange(func(s *Slot) { s.Disrupted, s.UnhealthySince = false, ago(time.Hour) })),
			func(_ *DeploymentConfiguration, d *Deployment) { d.ClocksFrom = ago(time.Minute) }, DeploymentRunning,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.snapshot
			if c.change != nil {
				s = changed(s, c.change)
			}
			require.Equal(t, c.want, advanced(s, t0).Status)
		})
	}
}

func TestAlarmsThatHadGoneOffBeforeADeployment(t *testing.T) {
	s := alarmed(many(basedOn1(fixture()), 1, 4, running(1)), alarmFiring)
	s = changed(s, func(_ *DeploymentConfiguration, d *Deployment) { d.Status = DeploymentPending })
	begun := advanced(s, t0)
	require.Equal(t, DeploymentRunning, begun.Status)
	require.Equal(t, []string{"errors"}, begun.AlarmsBefore)

	s.Deployment = &begun
	require.Equal(t, DeploymentRunning, advanced(s, t0).Status, "it is there to put an end to it, maybe")
	quiet := advanced(alarmed(s, "OK"), t0)
	require.Empty(t, quiet.AlarmsBefore)
	s.Deployment = &quiet
	require.Equal(t, DeploymentRollingBack, advanced(s, t0).Status, "it was quiet, and goes off again")

	s.Alarms = nil
	s = changed(s, func(_ *DeploymentConfiguration, d *Deployment) { d.Status = DeploymentPending })
	require.Equal(t, DeploymentPending, advanced(s, t0).Status, "which had gone off before is not known")
	require.Empty(t, stopsIn(Plan(s, t0)), "and nothing is replaced")
}

func TestAFreezeIsNoLackOfProgress(t *testing.T) {
	s := changed(many(basedOn1(fixture()), 1, 20, running(1)), late(10*time.Minute-1))
	s.Environment.Frozen = &Freeze{At: t0, By: "alice", Reason: "sale"}
	require.Empty(t, stopsIn(Plan(s, t0)))
	for _, h := range Plan(s, t0) {
		require.NotContains(t, []Kind{Start, Stop, Surge, Replay, Restop}, h.Kind)
	}
	frozen := advanced(s, t0)
	require.Equal(t, t0, *frozen.FrozenSince)

	s.Deployment, s.Environment.Frozen = &frozen, nil
	later := t0.Add(10 * time.Hour)
	s.Clusters[cluster] = Freshness{SyncedAt: later}
	thawed := advanced(s, later)
	require.Equal(t, DeploymentRunning, thawed.Status, "the deadline begins anew")
	require.Equal(t, later, *thawed.ClocksFrom)
	require.Nil(t, thawed.FrozenSince)
	require.False(t, thawed.Stuck())
}

func TestNobodyIsBlamedForAFreeze(t *testing.T) {
	s := alarmed(many(basedOn1(fixture()), 1, 4, running(1)).with(9, crashing(3)), alarmFiring)
	require.Equal(t, DeploymentRollingBack, advanced(s, t0).Status)
	s.Environment.Frozen = &Freeze{At: t0}
	require.Equal(t, DeploymentRunning, advanced(s, t0).Status, "and nothing could be turned back")
}

func TestHostsThatAreLostUnderADeploymentCount(t *testing.T) {
	left := hostChange(func(h *Host) { h.Status = statusInactive })
	touched := slotted(func(s *Slot) { s.DeploymentID, s.Revision, s.UpdatingSince = "d-2", 2, ago(time.Minute) })
	s := many(basedOn1(fixture()), 1, 5, running(1)).with(9, touched, left)

	actions := Plan(s, t0)
	for _, a := range actions {
		require.NotEqual(t, Forget, a.Kind, "a slot that is forgotten first leaves no trace")
	}
	after := advanced(s, t0)
	require.Equal(t, 1, after.Lost)
	require.Equal(t, []HostKey{hostKey(9)}, after.LostHosts)
	require.Equal(t, 1, after.Counts.Failed)
	require.Equal(t, DeploymentRollingBack, after.Status, "one of six is a tenth and more")
	require.Contains(t, after.Reason, "on i-009: left the cluster")

	s.Deployment = &after
	require.Contains(t, brief(Plan(s, t0)), "forget i-009")
	require.Equal(t, 1, advanced(s, t0).Lost, "it is counted once")

	partial := s
	partial.Full, partial.Deployment = false, fixture().Deployment
	require.NotContains(t, brief(Plan(partial, t0)), "forget i-009", "a look at one host counts nothing")

	for name, option := range map[string]func(*Slot){
		"draining, it left on purpose":       func(s *Slot) { s.DrainingSince = ago(time.Hour) },
		"well before it left":                func(s *Slot) { s.UpdatingSince = nil },
		"never reached by the deployment":    func(s *Slot) { s.DeploymentID, s.Revision = "d-1", 1 },
		"given the base under a canary hold": func(s *Slot) { s.Revision = 1 },
	} {
		s := many(basedOn1(fixture()), 1, 5, running(1)).with(9, touched, slotChange(option), left)
		require.Zero(t, advanced(s, t0).Lost, name)
	}
}

// A last good revision whose task definition was deregistered would leave the hosts empty.
func TestNothingIsGivenUpForWhatCannotBeStarted(t *testing.T) {
	s := many(many(basedOn1(fixture()), 1, 20, running(1)), 30, 34, crashing(3))
	s.Inactive = map[string]bool{s.Base.TaskDefinition: true}
	after := advanced(s, t0)
	require.Equal(t, DeploymentFailed, after.Status)
	require.Contains(t, after.Reason, "it is not rolled back: task definition "+s.Base.TaskDefinition+" is INACTIVE")
}

func TestAFewFailedHostsDoNotKeepADeploymentFromItsEnd(t *testing.T) {
	off := func(c *DeploymentConfiguration, _ *Deployment) { c.CircuitBreaker.Disabled = true }
	well := many(basedOn1(fixture()), 1, 20, running(2))
	require.Equal(t, DeploymentCompleted, advanced(well.with(30, crashing(3)), t0).Status)
	require.Equal(t, DeploymentRunning, advanced(well.with(30, crashing(2)), t0).Status, "it may still come up")
	require.Equal(t, DeploymentRunning, advanced(changed(many(well, 30, 34, crashing(3)), off), t0).Status, "that many show something")
}

func TestADeploymentWithoutHostsWaitsForThoseThatItIsFor(t *testing.T) {
	require.Equal(t, DeploymentCompleted, advanced(basedOn1(fixture()), t0).Status, "there is none at all")
	drained := basedOn1(fixture()).with(1, running(1), status(StatusDraining))
	require.Equal(t, DeploymentRunning, advanced(drained, t0).Status)
	mistyped := basedOn1(fixture()).with(1, in("a"))
	mistyped.Revision.Selector.Expression = "attribute:zoen == a"
	require.Equal(t, DeploymentRunning, advanced(mistyped, t0).Status)
	mistyped.Base = nil
	require.Equal(t, DeploymentCompleted, advanced(mistyped, t0).Status, "no host was ever meant")
}

func TestTimeWithoutAlarmsIsNoLackOfProgress(t *testing.T) {
	s := changed(many(basedOn1(fixture()), 1, 20, running(1)), func(c *DeploymentConfiguration, d *Deployment) {
		c.Alarms, c.ProgressDeadlineSeconds = []string{"errors"}, 600
		d.Progress.At, d.CreatedAt = ago(time.Hour), *ago(time.Hour)
	})
	after := advanced(s, t0)
	require.Equal(t, DeploymentRunning, after.Status)
	require.Equal(t, t0, *after.ClocksFrom)
}
