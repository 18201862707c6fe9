package daemon

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

// anySnapshot draws a fleet in any state that stored data can be in, consistent or not.
func anySnapshot(t *rapid.T) Snapshot {
	s := fixture()
	s.Full = rapid.Bool().Draw(t, "full")
	s.Revision.DeploymentConfiguration = DeploymentConfiguration{
		MinimumHealthyPercent: rapid.IntRange(0, 100).Draw(t, "minimumHealthyPercent"),
		MinHealthySeconds:     rapid.IntRange(0, 60).Draw(t, "minHealthySeconds"),
	}
	s.Deployment.Status = rapid.SampledFrom([]DeploymentStatus{DeploymentPending, DeploymentRunning, DeploymentCompleted}).Draw(t, "deployment")
	if rapid.IntRange(0, 9).Draw(t, "deleting") == 0 {
		s.Environment.Status = EnvironmentDeleting
	}
	s.Clusters[cluster] = Freshness{SyncedAt: t0.Add(-time.Duration(rapid.IntRange(0, 20).Draw(t, "syncedMinutesAgo")) * time.Minute)}
	for n := range rapid.IntRange(0, 12).Draw(t, "hosts") {
		s = s.with(n, anyHost(t))
	}
	return s
}

func anyHost(t *rapid.T) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		h.Status = rapid.SampledFrom([]string{"ACTIVE", "ACTIVE", "ACTIVE", "DRAINING", "INACTIVE", "REGISTERING"}).Draw(t, "status")
		h.AgentConnected = rapid.IntRange(0, 4).Draw(t, "away") > 0
		h.OtherTasks = rapid.IntRange(0, 2).Draw(t, "otherTasks")
		if rapid.Bool().Draw(t, "slotted") {
			anySlot(t)(s, h)
		}
		for i := range rapid.IntRange(0, 1).Draw(t, "strays") {
			stray(fmt.Sprintf("stray-%s-%d", h.Key.EC2InstanceID, i))(s, h)
		}
	}
}

func anySlot(t *rapid.T) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		revision := rapid.IntRange(1, 2).Draw(t, "revision")
		desired := rapid.SampledFrom([]string{StatusRunning, StatusRunning, StatusStopped}).Draw(t, "desired")
		last := rapid.SampledFrom([]string{"PENDING", StatusRunning, StatusRunning, "DEACTIVATING", StatusStopped}).Draw(t, "last")
		placed(revision, desired, last)(s, h)
		slotChange(func(slot *Slot) {
			slot.State = rapid.SampledFrom([]SlotState{SlotIdle, SlotClaimed, SlotPlaced, SlotPlaced, SlotStopping}).Draw(t, "state")
			slot.Disrupted = rapid.Bool().Draw(t, "disrupted")
			slot.Blocked = rapid.Bool().Draw(t, "blocked")
			slot.Attempt = rapid.IntRange(1, 5).Draw(t, "attempt")
			slot.ClaimedAt = ago(time.Duration(rapid.IntRange(0, 60).Draw(t, "claimedMinutesAgo")) * time.Minute)
			slot.StoppingAt = ago(time.Duration(rapid.IntRange(0, 60).Draw(t, "stoppingSecondsAgo")) * time.Second)
			slot.DrainingSince = ago(time.Duration(rapid.IntRange(0, 100).Draw(t, "drainingHours")) * time.Hour)
			if slot.State == SlotIdle || slot.State == SlotClaimed {
				slot.TaskARN, slot.PlacedAt, slot.HealthySince = "", nil, nil
			}
			if rapid.Bool().Draw(t, "retrying") {
				slot.RetryAt = ago(time.Duration(rapid.IntRange(-60, 60).Draw(t, "retrySecondsAgo")) * time.Second)
			}
		})(s, h)
	}
}

func slotOf(s Snapshot, key HostKey) (Slot, bool) {
	for _, slot := range s.Slots {
		if slot.Host == key {
			return slot, true
		}
	}
	return Slot{}, false
}

// liveOn says whether the stored state shows a live task of ours on the host.
func liveOn(s Snapshot, key HostKey) bool {
	return slices.ContainsFunc(s.Tasks, func(t Task) bool { return t.Host == key && t.Live() && ours(t) })
}

func TestPlanNeverStartsASecondDaemon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySnapshot(t)
		for _, a := range Plan(s, t0) {
			if a.Kind != Start {
				continue
			}
			require.False(t, liveOn(s, a.Host), "a live task is adopted, never doubled")
			stored, known := slotOf(s, a.Host)
			require.NotEqual(t, SlotClaimed, stored.State, "a claim is replayed")
			if known && stored.TaskARN != "" {
				require.Greater(t, a.Slot.Attempt, stored.Attempt, "a new task needs a new token")
			}
			require.Equal(t, stored.RecordVersion, a.Slot.RecordVersion, "the claim is made from what is stored")
		}
	})
}

func TestPlanKeepsTheBudgetOnAnyFleet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySnapshot(t)
		s.Environment.Status = EnvironmentActive
		owing, stopped := 0, 0
		for _, h := range s.Hosts {
			slot, ok := slotOf(s, h.Key)
			empty := slot.State == SlotIdle || slot.State == SlotClaimed
			if ok && h.Status == StatusActive && slot.Disrupted && empty && !liveOn(s, h.Key) {
				owing++
			}
		}
		for _, a := range Plan(s, t0) {
			before, _ := slotOf(s, a.Host)
			if a.Reason == reasonReplaced && before.Healthy() {
				stopped++
			}
		}
		allowed := s.Revision.DeploymentConfiguration.AllowedUnavailable(len(s.Hosts))
		if stopped > 0 {
			require.LessOrEqual(t, stopped+owing, allowed, "%d stopped, %d owing", stopped, owing)
		}
	})
}

func TestPlanStopsNothingOnStaleKnowledge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySnapshot(t)
		for _, a := range Plan(s, t0) {
			if a.Kind == Stop || a.Kind == StopStray {
				require.Less(t, t0.Sub(s.Clusters[cluster].SyncedAt), 2*s.Settings.ReconcilePeriod)
			}
		}
	})
}

func TestPlanWritesASlotOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := map[HostKey]bool{}
		for _, a := range Plan(anySnapshot(t), t0) {
			if a.Slot == nil {
				continue
			}
			require.False(t, written[a.Host], "%s: two writes of one slot: the second would conflict with the first", a.Host)
			written[a.Host] = true
		}
	})
}

func TestPlanIsAFunctionOfItsSnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySnapshot(t)
		first := Plan(s, t0)
		shuffled := s
		shuffled.Hosts = rapid.Permutation(s.Hosts).Draw(t, "hosts")
		shuffled.Slots = rapid.Permutation(s.Slots).Draw(t, "slots")
		shuffled.Tasks = rapid.Permutation(s.Tasks).Draw(t, "tasks")
		require.Equal(t, first, Plan(shuffled, t0))
	})
}

func TestEveryStartAndStopSaysWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, a := range Plan(anySnapshot(t), t0) {
			require.NotEqual(t, state.ClusterKey{}, func() state.ClusterKey {
				if a.Kind == Advance || a.Kind == Wake || a.Kind == Finish {
					return cluster
				}
				return a.Host.Cluster
			}())
			if a.Kind == Start || a.Kind == Stop || a.Kind == StopStray {
				require.NotEmpty(t, a.Reason)
			}
		}
	})
}
