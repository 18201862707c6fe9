package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tended is the slot of host 1 after a plan.
func tended(t *testing.T, s Snapshot) Slot {
	t.Helper()
	for _, a := range Plan(s, t0) {
		if a.Slot != nil && a.Host == hostKey(1) {
			return *a.Slot
		}
	}
	return s.Slots[0]
}

func TestHealthIsRemembered(t *testing.T) {
	unhealthy := func(s *Snapshot, _ *Host) { s.Tasks[0].Health = "UNHEALTHY" }

	first := tended(t, fixture().with(1, placed(2, StatusRunning, StatusRunning), slotChange(func(s *Slot) { s.HealthySince = nil })))
	require.Equal(t, t0, *first.HealthySince)

	require.Nil(t, tended(t, fixture().with(1, running(2), unhealthy)).HealthySince)
	require.NotNil(t, tended(t, fixture().with(1, running(2), awaySince(time.Minute))).HealthySince, "agents reconnect several times an hour")
	require.Nil(t, tended(t, fixture().with(1, running(2), awaySince(2*time.Minute))).HealthySince)
}

func awaySince(d time.Duration) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		h.AgentConnected = false
		slotChange(func(slot *Slot) { slot.DisconnectedSince = ago(d) })(s, h)
	}
}

func TestDeathsInARowBackOff(t *testing.T) {
	died := placed(2, StatusStopped, StatusStopped)
	failed := func(n int, healthyFor time.Duration) Snapshot {
		return completed(fixture()).with(1, died, slotChange(func(s *Slot) {
			s.Failures = n
			s.HealthySince = ago(healthyFor)
		}))
	}
	slot := tended(t, failed(3, time.Minute))
	require.Equal(t, 4, slot.Failures)
	require.Equal(t, t0.Add(backoff(4)), *slot.RetryAt)
	require.Equal(t, SlotIdle, slot.State)
	require.Equal(t, 2, slot.Attempt, "its task is dead: the attempt is spent")

	require.Equal(t, 1, tended(t, failed(3, stableAfter)).Failures, "ten minutes of health end a row")
}

func TestADebtEndsWithASettledDaemon(t *testing.T) {
	seen := func(status string, healthyFor time.Duration) Slot {
		s := minHealthy(fixture(), 10).with(1, placed(2, status, status), slotChange(func(s *Slot) {
			s.Disrupted, s.HealthySince = true, ago(healthyFor)
		}))
		return tended(t, s)
	}
	require.True(t, seen(StatusStopped, 5*time.Second).Disrupted, "what dies young is still our doing")
	require.True(t, seen(StatusStopped, time.Minute).Disrupted, "when it died is not known: it was never seen well for long enough")
	require.False(t, seen(StatusRunning, time.Minute).Disrupted)
}

func TestAMachineThatRegisteredAnew(t *testing.T) {
	old := Host{Key: hostKey(1), ContainerInstanceARN: "old", Status: StatusActive, AgentConnected: false, RegisteredAt: t0.Add(-time.Hour)}
	fresh := Host{Key: hostKey(1), ContainerInstanceARN: "new", Status: StatusActive, AgentConnected: true, RegisteredAt: t0}
	left := Host{Key: hostKey(1), ContainerInstanceARN: "left", Status: "INACTIVE", AgentConnected: true, RegisteredAt: t0.Add(time.Hour)}
	for name, hosts := range map[string][]Host{
		"the connected one counts":  {old, fresh},
		"the one that has not left": {left, fresh},
		"of all three":              {old, left, fresh},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture()
			s.Hosts = hosts
			forward := Plan(s, t0)
			require.Equal(t, Start, forward[0].Kind)
			require.Equal(t, "new", forward[0].Slot.ContainerInstanceARN)
			for i, j := 0, len(hosts)-1; i < j; i, j = i+1, j-1 {
				hosts[i], hosts[j] = hosts[j], hosts[i]
			}
			require.Equal(t, forward, Plan(s, t0), "in any order")
		})
	}
}

func TestATaskOnAnotherHostIsStopped(t *testing.T) {
	s := completed(fixture()).with(1, running(2))
	s.Tasks[0].Host = hostKey(2)
	actions := Plan(s, t0)
	require.Equal(t, []string{"stop i-001"}, brief(actions))
	require.Contains(t, actions[0].Reason, "placed on another host")
}

func TestATaskOfARegistrationLeftBehind(t *testing.T) {
	reregistered := func(desired string) Snapshot {
		s := completed(fixture()).with(1, placed(2, desired, StatusRunning))
		old := s.Hosts[0]
		old.AgentConnected, old.ContainerInstanceARN = false, "old"
		s.Hosts = append(s.Hosts, old)
		s.Tasks[0].ContainerInstanceARN = "old"
		return s
	}
	require.Equal(t, []string{"stop i-001"}, brief(Plan(reregistered(StatusRunning), t0)), "its agent does not know it any more")

	stopped := reregistered(StatusStopped).slotState(SlotStopping)
	require.Equal(t, []string{"start i-001"}, brief(Plan(stopped, t0)), "nobody will ever report it STOPPED")
}

func (s Snapshot) slotState(state SlotState) Snapshot {
	s.Slots[0].State, s.Slots[0].StoppingAt = state, ago(time.Second)
	return s
}

func TestATaskOfAnotherDefinitionIsNotTheRevisionThatItsSlotSays(t *testing.T) {
	s := completed(fixture()).with(1, running(2))
	s.Tasks[0].TaskDefinition = taskDefinition(1)
	require.Contains(t, brief(Plan(s, t0)), "stop i-001", "a claim was answered with an older task: it is outdated")
}

func TestAHealthCheckHasToSpeak(t *testing.T) {
	for health, want := range map[string]bool{"HEALTHY": true, "UNKNOWN": false, "UNHEALTHY": false, "": false} {
		s := fixture().with(1, running(2))
		s.Revision.HealthChecked = true
		s.Tasks[0].Health = health
		require.Equal(t, want, tended(t, s).Healthy(), health)
	}
	s := fixture().with(1, running(2))
	s.Tasks[0].Health = "UNKNOWN"
	require.True(t, tended(t, s).Healthy(), "without a health check it is UNKNOWN for ever")
}

// Three bad updates in a row: whoever took the last one's starting daemons for working ones would spend the budget anew.
func TestTheHealthCheckOfAnOvertakenRevisionHasToSpeakToo(t *testing.T) {
	started := func(checked bool) *Slot {
		s := fixture().with(1)
		s.Revision.HealthChecked = checked
		return Plan(s, t0)[0].Slot
	}
	for _, checked := range []bool{true, false} {
		claim := started(checked)
		require.Equal(t, checked, claim.HealthChecked, "the claim says what is started")
		overtaken := fixture().with(1, running(2))
		task := overtaken.Tasks[0]
		task.TaskDefinition, task.Health = taskDefinition(7), "UNKNOWN"
		require.Equal(t, !checked, newPlanner(overtaken, t0).healthy(task, claim.HealthChecked))
	}
}

func TestAdoptionKeepsWhatTheAgentKnows(t *testing.T) {
	s := completed(fixture()).with(1, stray("a"), stray("b"), stray("c"))
	old := s.Hosts[0]
	old.AgentConnected, old.ContainerInstanceARN = false, "old"
	s.Hosts = append(s.Hosts, old)
	s.Tasks[0].ContainerInstanceARN = "old"
	s.Tasks[1].TaskDefinition = taskDefinition(1)
	require.Equal(t, s.Tasks[2].ARN, tended(t, s).TaskARN)
}
