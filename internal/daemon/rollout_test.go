package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

// stopsIn counts the replacements in a plan.
func stopsIn(actions []Action) (hosts []string) {
	for _, a := range actions {
		if a.Kind == Stop {
			hosts = append(hosts, a.Host.EC2InstanceID)
		}
	}
	return hosts
}

func minimum(s Snapshot, percent int) Snapshot {
	s.Revision.DeploymentConfiguration.MinimumHealthyPercent = percent
	return s
}

func many(s Snapshot, from, to int, options ...func(*Snapshot, *Host)) Snapshot {
	for n := from; n <= to; n++ {
		s = s.with(n, options...)
	}
	return s
}

func TestRolloutKeepsTheBudget(t *testing.T) {
	disrupted := slotted(func(s *Slot) { s.Disrupted, s.DeploymentID, s.Revision, s.RetryAt = true, "d-1", 1, ago(-time.Hour) })
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"half of four at 50 %":                       {many(fixture(), 1, 4, running(1)), []string{"i-001", "i-002"}},
		"rounded down at 67 % of ten":                {many(minimum(fixture(), 67), 1, 10, running(1)), []string{"i-001", "i-002", "i-003"}},
		"one always moves, even at 100 %":            {many(minimum(fixture(), 100), 1, 3, running(1)), []string{"i-001"}},
		"all at 0 %":                                 {many(minimum(fixture(), 0), 1, 3, running(1)), []string{"i-001", "i-002", "i-003"}},
		"hosts of an overtaken deployment still owe": {many(many(fixture(), 1, 2, disrupted), 3, 4, running(1)), nil},
		"a host that is being stopped owes":          {many(fixture().with(1, running(1), stopping(time.Second)), 2, 4, running(1)), []string{"i-002"}},
		"hosts that were broken before are exempt, and replaced first, for free": {
			many(minimum(fixture(), 75).with(9, placed(1, StatusRunning, "PENDING")), 1, 4, running(1)), []string{"i-009", "i-001"},
		},
		"hosts whose agent is away are neither stopped nor counted": {
			many(minimum(fixture(), 75).with(9, running(1), awayFor(time.Hour)), 1, 4, running(1)), []string{"i-001"},
		},
		"hosts that the deployment broke count": {
			many(minimum(fixture(), 75).with(9, placed(2, StatusRunning, "PENDING")), 1, 4, running(1)), nil,
		},
		"hosts without room do not count": {
			many(minimum(fixture(), 75).with(9, blocked()), 1, 4, running(1)), []string{"i-001"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, stopsIn(Plan(c.snapshot, t0)))
		})
	}
}

func awayFor(d time.Duration) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		h.AgentConnected = false
		slotChange(func(slot *Slot) { slot.DisconnectedSince, slot.HealthySince = ago(d), nil })(s, h)
	}
}

func blocked() func(*Snapshot, *Host) {
	return slotted(func(s *Slot) {
		s.Blocked, s.Reason, s.DeploymentID, s.Revision, s.RetryAt = true, "RESOURCE:MEMORY", "d-2", 2, ago(-time.Hour)
	})
}

func TestRolloutWaitsForFreshKnowledge(t *testing.T) {
	for name, f := range map[string]Freshness{
		"reconciled too long ago":                           {SyncedAt: t0.Add(-10 * time.Minute)},
		"half the cluster is missing, and not believed yet": {SyncedAt: t0.Add(-time.Minute), Doubtful: true},
		"events late": {SyncedAt: t0.Add(-time.Minute), IngestLag: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := many(fixture(), 1, 4, running(1))
			s.Clusters = map[state.ClusterKey]Freshness{cluster: f}
			require.Equal(t, []string{"advance running", "wake"}, brief(Plan(s, t0)))
		})
	}
}

// Its own turn ends a surge, also one that a newer revision has overtaken.
func TestAHostWithTwoTasksIsNotBegunAnew(t *testing.T) {
	s := minHealthy(basedOn1(fixture()), 60).with(1, running(1), func(s *Snapshot, h *Host) {
		slotChange(func(slot *Slot) {
			slot.HealthySince = ago(10 * time.Second)
			slot.Former = &Former{TaskARN: "former", Revision: 1, DeploymentID: "d-1", PlacedAt: ago(time.Hour)}
		})(s, h)
		s.Tasks = append(s.Tasks, Task{
			ARN: "former", Host: h.Key, DesiredStatus: StatusRunning, LastStatus: "PENDING", StartedBy: StartedBy("d-1"), TaskDefinition: taskDefinition(1),
		})
	})
	require.Empty(t, stopsIn(Plan(s, t0)), "the only daemon that works")
	s.Tasks = s.Tasks[:1]
	s.Slots[0].Former = nil
	require.Equal(t, []string{"i-001"}, stopsIn(Plan(s, t0)))
}

func TestOnlyAFullSnapshotReplaces(t *testing.T) {
	s := many(completed(fixture()), 1, 4, running(1))
	s.Full = false
	require.Empty(t, Plan(s, t0))
}

func TestARevisionThatRunsTheSameTaskRestartsNothing(t *testing.T) {
	s := many(fixture(), 1, 2, running(1))
	s.Revision.TaskDefinition = taskDefinition(1)
	actions := Plan(s, t0)
	require.Equal(t, []string{"observe i-001", "observe i-002", "advance completed"}, brief(actions))
	require.Equal(t, 2, actions[0].Slot.Revision)
}

func TestHostsWithoutADaemonComeBeforeReplacements(t *testing.T) {
	s := many(fixture(), 1, 4, running(1)).with(9)
	require.Equal(t, []string{"start i-009", "stop i-001", "advance running"}, brief(Plan(s, t0)))
}

func TestDeploymentProgress(t *testing.T) {
	settled := minHealthy(fixture(), 10)
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     DeploymentStatus
		counts   Counts
	}{
		"complete when every host has the revision": {
			many(settled, 1, 3, running(2)), DeploymentCompleted, Counts{Desired: 3, Updated: 3, Healthy: 3},
		},
		"complete at once with no hosts": {settled, DeploymentCompleted, Counts{}},
		"complete although a host has no room": {
			settled.with(1, running(2)).with(2, blocked()), DeploymentCompleted, Counts{Desired: 2, Updated: 1, Healthy: 1, Exempt: 1},
		},
		"not while a daemon is young": {
			settled.with(1, running(2), slotChange(func(s *Slot) { s.HealthySince = ago(9 * time.Second) })),
			DeploymentRunning,
			Counts{Desired: 1, Healthy: 1, Unavailable: 1},
		},
		"not while a host waits for its first": {
			settled.with(1, running(2)).with(2), DeploymentRunning, Counts{Desired: 2, Updated: 1, Healthy: 1, Unavailable: 1},
		},
		"not while a daemon crashes": {
			settled.with(1, slotted(func(s *Slot) { s.DeploymentID, s.Revision, s.Failures, s.RetryAt = "d-2", 2, 2, ago(-time.Hour) })),
			DeploymentRunning,
			Counts{Desired: 1, Unavailable: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.snapshot
			d := *s.Deployment
			d.Status = DeploymentPending
			s.Deployment = &d
			actions := Plan(s, t0)
			i := len(actions) - 1
			require.Equal(t, Advance, actions[i].Kind)
			require.Equal(t, c.want, actions[i].Deployment.Status)
			require.Equal(t, c.counts, actions[i].Deployment.Counts)
		})
	}
}

func minHealthy(s Snapshot, seconds int) Snapshot {
	s.Revision.DeploymentConfiguration.MinHealthySeconds = seconds
	return s
}

func TestTheCountsOfACompletedDeploymentStayTrue(t *testing.T) {
	s := completed(fixture()).with(1, running(2)).with(2, running(2), slotChange(func(s *Slot) { s.HealthySince = ago(0) }))
	s.Tasks[1].Health = "UNHEALTHY"
	actions := Plan(s, t0)
	after := actions[len(actions)-1].Deployment
	require.Equal(t, Counts{Desired: 2, Updated: 1, Healthy: 1, Exempt: 1}, after.Counts)
	require.Equal(t, DeploymentCompleted, after.Status)

	s.Deployment = after
	for _, a := range Plan(s, t0) {
		require.NotEqual(t, Advance, a.Kind, "nothing changed, nothing is written")
	}
}

func TestADeploymentDoesNotCompleteWhileReplacementsWait(t *testing.T) {
	s := many(fixture().with(9, running(2)), 1, 3, placed(1, StatusRunning, "PENDING"))
	s.Clusters = map[state.ClusterKey]Freshness{cluster: {SyncedAt: t0.Add(-time.Hour)}}
	for _, a := range Plan(s, t0) {
		if a.Kind == Advance {
			require.Equal(t, DeploymentRunning, a.Deployment.Status, "three hosts do not have the revision, broken as they are")
		}
	}
}

func TestWhatADeploymentIsNotCompleteWithout(t *testing.T) {
	done := many(basedOn1(fixture()), 1, 3, running(2))
	require.Equal(t, DeploymentCompleted, advanced(done, t0).Status)
	taken := done.with(9, blocked(), slotChange(func(s *Slot) { s.Disrupted = true }))
	require.Equal(t, DeploymentRunning, advanced(taken, t0).Status, "a host that lost its daemon to it, and has no room now")
	require.Equal(t, DeploymentRunning, advanced(many(fixture(), 1, 2, blocked()), t0).Status, "nothing shows that it is any good")
	unknown := done
	unknown.Clusters = map[state.ClusterKey]Freshness{cluster: done.Clusters[cluster], {Name: "unknown"}: {}}
	require.Equal(t, DeploymentRunning, advanced(unknown, t0).Status, "a cluster whose hosts are not known")
}

func TestADeploymentThatTurnsBackIsCountedFromTheNextLook(t *testing.T) {
	back := advanced(alarmed(many(basedOn1(fixture()), 1, 3, running(1)), alarmFiring), t0)
	require.Equal(t, DeploymentRollingBack, back.Status)
	require.Equal(t, Progress{At: &t0}, back.Progress, "this one knows its hosts by the other revision")
}
