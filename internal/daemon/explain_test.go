package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

func TestExplainSaysWhyAHostIsAsItIs(t *testing.T) {
	steady := completed(fixture())
	rolling := updating(0, func(*DeploymentConfiguration) {})
	host := hostChange
	for name, c := range map[string]struct {
		snapshot Snapshot
		state    HostState
		says     []string
	}{
		"is well": {
			steady.with(1, running(2)), HostHealthy,
			[]string{"i-001 is well: its daemon of revision 2 has been healthy since 2026-11-20T08:00:00Z."},
		},
		"is well, and not for long enough": {
			updating(0, func(*DeploymentConfiguration) {}).with(1, running(2), slotChange(func(s *Slot) { s.HealthySince = ago(time.Second) })),
			HostSettling,
			[]string{"has a daemon of revision 2 that works since 2026-11-20T08:59:59Z", "10s"},
		},
		"is about to get its first daemon": {
			steady.with(1), HostWaiting, []string{"i-001 has no daemon", "; one is being started now."},
		},
		"is starting its daemon": {
			steady.with(1, placed(2, StatusRunning, "PENDING"), slotChange(func(s *Slot) { s.UnhealthySince = ago(time.Minute) })), HostStarting,
			[]string{"has a daemon that is starting since", "its task is PENDING"},
		},
		"is to be replaced now": {
			rolling.with(1, running(1)), HostHealthy,
			[]string{"has a healthy daemon of revision 1, and is to have revision 2; it is being stopped now."},
		},
		"waits for the budget": {
			rolling.with(1, running(2), slotChange(func(s *Slot) { s.Disrupted, s.HealthySince, s.DeploymentID = true, ago(time.Second), "d-2" })).with(2, running(1)),
			HostHealthy,
			[]string{"i-002 has a healthy daemon of revision 1, and is to have revision 2; " +
				"waits for the budget: 1 of 1 hosts that may be without a healthy daemon are: i-001."},
		},
		"waits for fresh knowledge": {
			unfresh(rolling).with(1, running(1)), HostHealthy, []string{"is to have revision 2; ", "fresh knowledge"},
		},
		"waits for the canaries": {
			updating(0, func(c *DeploymentConfiguration) { c.Canary = &Canary{Hosts: "1"} }).with(1, running(2)).with(2, running(1)),
			HostHealthy,
			[]string{"i-002 has a healthy daemon of revision 1", "canaries"},
		},
		"waits for a paused deployment": {
			pausedByAnn(rolling).with(1, running(1)), HostHealthy, []string{"revision 1", "paused by ann: lunch"},
		},
		"is blocked": {
			steady.with(1, slotted(func(s *Slot) {
				s.Blocked, s.Reason, s.Failures, s.RetryAt, s.UnhealthySince = true, "RESOURCE:MEMORY", 3, ago(-time.Minute), ago(time.Hour)
			})), HostBlocked,
			[]string{"i-001 has no daemon since 2026-11-20T08:00:00Z: ECS found no room for it, or the host unfit (RESOURCE:MEMORY), refused 3 times in a row; ", "2026-11-20T09:01:00Z"},
		},
		"is in a crash loop": {
			steady.with(1, slotted(func(s *Slot) {
				s.Reason, s.Failures, s.RetryAt, s.UnhealthySince = "daemon stopped: EssentialContainerExited", 4, ago(-time.Minute), ago(time.Hour)
			})), HostFailing,
			[]string{"has no daemon since 2026-11-20T08:00:00Z: daemon stopped: EssentialContainerExited, failed 4 times in a row; ", "2026-11-20T09:01:00Z"},
		},
		"has a failing health check": {
			steady.with(1, running(2), unhealthyTask), HostUnhealthy, []string{"a daemon that is not healthy", "its health check fails"},
		},
		"is draining": {
			steady.with(1, running(2), host(func(h *Host) { h.Status, h.OtherTasks, h.OtherTasksKnown = StatusDraining, 2, true })), HostDraining,
			[]string{"has a healthy daemon, and is draining since 2026-11-20T09:00:00Z"},
		},
		"has its agent away, and no daemon": {
			steady.with(1, host(func(h *Host) { h.AgentConnected = false })), HostAway,
			[]string{"i-001 has no daemon, and its agent is not connected."},
		},
		"has its agent away, and a daemon": {
			steady.with(1, running(2), host(func(h *Host) { h.AgentConnected = false })), HostAway,
			[]string{"has a healthy daemon, and its agent is not connected since 2026-11-20T09:00:00Z"},
		},
		"is not eligible": {
			steady.with(1, host(func(h *Host) { h.Managed = true })), HostIneligible,
			[]string{"has no daemon, and is to have none: ", "Managed Instances"},
		},
		"is excluded": {
			excluding(steady, "i-001").with(1), HostIneligible, []string{"has no daemon, and is to have none: ", "exclude"},
		},
		"left the cluster": {
			steady.with(1, running(2), host(func(h *Host) { h.Status = "INACTIVE" })), HostGone, []string{"is not in its cluster any more"},
		},
		"has an environment that was never deployed": {
			undeployed(fixture()).with(1), HostWaiting, []string{"has no daemon", "no deployment yet"},
		},
		"is in a cluster that was never reconciled": {
			unsynced(fixture()).with(1), HostUnknown, []string{"its cluster was never reconciled", "; waits for the first complete reconcile"},
		},
		"is in a frozen environment": {
			freezing(steady).with(1), HostWaiting, []string{"has no daemon", "frozen"},
		},
		"has two daemons for a while": {
			steady.with(1, placed(2, StatusRunning, "PENDING"), slotChange(func(s *Slot) {
				s.Former = &Former{TaskARN: "old", Revision: 1, HealthySince: ago(time.Hour)}
			})), HostStarting, []string{"has a daemon that is starting beside the old one"},
		},
		"was released": {
			steady.with(1, slotted(func(s *Slot) { s.Released, s.IdleSince = true, ago(time.Hour) }), host(func(h *Host) { h.OtherTasksKnown = true })), HostReleased,
			[]string{"has no daemon since 2026-11-20T08:00:00Z: nothing but daemons kept the host alive"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.snapshot.Revision.ReleaseIdleHosts = c.state == HostReleased
			hosts := Explain(c.snapshot, t0)
			got := hosts[len(hosts)-1]
			require.Equal(t, c.state, got.State, got.Sentence())
			for _, text := range c.says {
				require.Contains(t, got.Sentence(), text)
			}
		})
	}
}

func unfresh(s Snapshot) Snapshot {
	s.Clusters = map[state.ClusterKey]Freshness{cluster: {SyncedAt: t0.Add(-time.Hour)}}
	return s
}

func pausedByAnn(s Snapshot) Snapshot {
	held, err := s.Deployment.Pause(Operator{By: "ann", Reason: "lunch"})
	if err != nil {
		panic(err)
	}
	s.Deployment = &held
	return s
}

func freezing(s Snapshot) Snapshot {
	s.Environment.Frozen = &Freeze{At: t0, By: "ann"}
	return s
}

func excluding(s Snapshot, host string) Snapshot {
	s.Revision.Selector.Exclude = []string{host}
	return s
}

func unhealthyTask(s *Snapshot, h *Host) {
	s.Tasks[len(s.Tasks)-1].Health = healthUnhealthy
	slotChange(func(slot *Slot) { slot.HealthySince, slot.UnhealthySince = nil, ago(10*time.Second) })(s, h)
}

func TestExplainIsWhatPlanDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySnapshot(t)
		s.Full = true
		first := nextSteps(effective(s, Plan(s, t0)))
		hosts := Explain(s, t0)
		known := map[HostKey]bool{}
		for i, h := range hosts {
			known[h.Host] = true
			require.Equal(t, first[h.Host].Kind, h.Next)
			if i > 0 {
				require.Negative(t, CompareHosts(hosts[i-1].Host, h.Host), "sorted, each once")
			}
			require.NotContains(t, h.Sentence(), "  ")
			if h.Desired && !h.Healthy && s.Environment.Status == EnvironmentActive {
				require.True(t, h.Next != "" || h.WaitsFor != "", "%s %s", h.State, h.Sentence())
			}
		}
		for _, host := range s.Hosts {
			require.True(t, known[host.Key])
		}
	})
}

func TestCountHostsAreThoseOfADeploymentThatDoesNothing(t *testing.T) {
	s := completed(fixture()).with(1, running(2)).with(2, running(2)).with(3, hostChange(func(h *Host) { h.AgentConnected = false }))
	require.Equal(t, Counts{Desired: 3, Updated: 2, Healthy: 2, Exempt: 1}, CountHosts(s, t0))
	require.Zero(t, CountHosts(undeployed(s), t0))
	require.Equal(t, 1, CountHosts(updating(1, func(*DeploymentConfiguration) {}), t0).Healthy, "the host that Plan would stop")
}
