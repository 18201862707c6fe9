package daemon

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// updating is a deployment of revision 2 on n hosts that have revision 1, healthy for an hour.
func updating(n int, change func(*DeploymentConfiguration)) Snapshot {
	s := fixture()
	s.Revision.DeploymentConfiguration = DeploymentConfiguration{MinimumHealthyPercent: 50, MinHealthySeconds: 10}
	change(&s.Revision.DeploymentConfiguration)
	base := s.Revision
	base.Number, base.TaskDefinition = 1, taskDefinition(1)
	s.Base, s.Deployment.BasedOn, s.Environment.LastGoodRevision = &base, 1, 1
	s.Deployment.Status = DeploymentPending
	for i := range n {
		s = s.with(i+1, running(1))
	}
	return s
}

// told are the waves as the tests' tables write them: offset, then kind and host.
func told(f Forecast) []string {
	out := []string{}
	for _, wave := range f.Waves {
		for _, line := range brief(wave.Actions) {
			out = append(out, wave.After.String()+" "+line)
		}
	}
	return out
}

func TestForecastOfAnUpdate(t *testing.T) {
	f := Foresee(updating(2, func(*DeploymentConfiguration) {}), t0, 20)
	require.Equal(t, []string{
		"0s stop i-001", "0s advance running",
		"0s start i-001",
		"10s stop i-002",
		"10s start i-002",
		"20s advance completed",
	}, told(f))
	require.Equal(t, DeploymentCompleted, f.Status)
	require.Equal(t, 20*time.Second, f.Ends)
	require.Empty(t, f.WaitsFor)
	require.False(t, f.Truncated)
	require.Equal(t, Counts{Desired: 2, Healthy: 2}, f.Before)
	require.Equal(t, Counts{Desired: 2, Healthy: 2, Updated: 2}, f.After)
}

// What was under way before the forecast began is not waited for by the clock: its stop ends, and its start comes up.
func TestForecastCarriesOnWhatIsUnderWay(t *testing.T) {
	s := updating(3, func(*DeploymentConfiguration) {})
	stopping := slotChange(func(slot *Slot) {
		slot.State, slot.StoppingAt, slot.Disrupted, slot.DeploymentID, slot.HealthySince = SlotStopping, ago(time.Second), true, "d-2", nil
	})
	s = s.with(4, running(1), stopping).with(5, placed(2, "RUNNING", "PENDING"))
	f := Foresee(s, t0, 30)
	require.Equal(t, DeploymentCompleted, f.Status, "%v", told(f))
	require.LessOrEqual(t, f.Ends, time.Minute, "%v", told(f))
	require.Equal(t, Counts{Desired: 5, Healthy: 5, Updated: 5}, f.After)
}

func TestForecastBeginsWithThePlanItself(t *testing.T) {
	s := updating(6, func(*DeploymentConfiguration) {})
	f := Foresee(s, t0, 1)
	require.Equal(t, brief(Plan(s, t0)), brief(f.Waves[0].Actions))
	require.True(t, f.Truncated, "one wave is not all")
}

func TestForecastEnds(t *testing.T) {
	frozen := func(s *Snapshot) { s.Environment.Frozen = &Freeze{At: t0, By: "ann", Reason: "Black Friday"} }
	for name, c := range map[string]struct {
		snapshot Snapshot
		change   func(*Snapshot)
		status   DeploymentStatus
		ends     time.Duration
		waitsFor string
	}{
		"with the bake time": {
			updating(1, func(c *DeploymentConfiguration) { c.BakeSeconds = 300 }), nil, DeploymentCompleted, 310 * time.Second, "",
		},
		"at the canaries, which people promote": {
			updating(4, func(c *DeploymentConfiguration) { c.Canary = &Canary{Hosts: "1"} }), nil,
			DeploymentPaused, 10 * time.Second, "waits for somebody to promote the canaries",
		},
		"past canaries that promote themselves": {
			updating(4, func(c *DeploymentConfiguration) { c.Canary = &Canary{Hosts: "1", PromoteAfterSeconds: 7200} }), nil,
			DeploymentCompleted, 2*time.Hour + 30*time.Second, "",
		},
		"at a pause": {
			updating(4, func(*DeploymentConfiguration) {}),
			func(s *Snapshot) { *s.Deployment, _ = s.Deployment.Pause(Operator{By: "ann"}) },
			DeploymentPaused, 0, "waits for somebody to resume the deployment, which is paused by ann",
		},
		"at a freeze": {
			updating(4, func(*DeploymentConfiguration) {}), frozen, DeploymentRunning, 0,
			"waits for the environment to be thawed: it is frozen since 2026-11-20T09:00:00Z by ann: Black Friday",
		},
		"with a rollback that is under way": {
			updating(2, func(*DeploymentConfiguration) {}),
			func(s *Snapshot) {
				*s.Deployment, _ = s.Deployment.RollBack(0, "told to", t0)
				s.Revision, s.Base = *s.Base, nil
			},
			DeploymentRolledBack, 0, "",
		},
		"with a rollback that begins at once": {
			updating(3, func(c *DeploymentConfiguration) { c.Alarms = []string{"errors"} }),
			func(s *Snapshot) {
				s.Deployment.Status, s.Alarms = DeploymentRunning, map[string]string{"errors": "ALARM"}
				s.Hosts, s.Slots, s.Tasks = nil, nil, nil
				*s = s.with(1, running(1)).with(2, running(2)).with(3, running(1))
			},
			DeploymentRolledBack, 20 * time.Second, "",
		},
		"when clusters were reconciled": {
			unfresh(updating(1, func(*DeploymentConfiguration) {})), nil, DeploymentCompleted, 40 * time.Second, "",
		},
		"when the alarms are read": {
			updating(1, func(c *DeploymentConfiguration) { c.Alarms = []string{"errors"} }), nil, DeploymentCompleted, 2*time.Minute + 10*time.Second, "",
		},
		"at a cluster that was never reconciled": {
			unsynced(updating(1, func(*DeploymentConfiguration) {})), nil, DeploymentPending, 0, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.snapshot)
			}
			f := Foresee(c.snapshot, t0, 100)
			require.Equal(t, c.status, f.Status, "%v", told(f))
			require.Equal(t, c.waitsFor, f.WaitsFor)
			require.LessOrEqual(t, f.Ends, c.ends, "%v", told(f))
			require.Greater(t, f.Ends+time.Minute+time.Second, c.ends, "no later than the next look: %v", told(f))
			require.False(t, f.Truncated)
		})
	}
}

func TestForecastOfADeletion(t *testing.T) {
	s := updating(2, func(*DeploymentConfiguration) {})
	s.Environment.Status = EnvironmentDeleting
	f := Foresee(s, t0, 20)
	require.Equal(t, []string{"0s stop i-001", "0s stop i-002", "0s finish"}, told(f))
	require.Empty(t, f.WaitsFor)
}

func TestForecastOfABlockedHostTriesItAgain(t *testing.T) {
	s := updating(1, func(*DeploymentConfiguration) {})
	s = s.with(2, slotted(func(s *Slot) {
		s.Blocked, s.Reason, s.Failures, s.RetryAt = true, "RESOURCE:MEMORY", 2, ago(-30*time.Second)
	}))
	f := Foresee(s, t0, 20)
	require.Contains(t, told(f), "30s start i-002")
	require.Equal(t, DeploymentCompleted, f.Status)
}

func TestForecastSaysWhichHostIsLeft(t *testing.T) {
	s := updating(1, func(*DeploymentConfiguration) {}).with(2, running(1), hostChange(func(h *Host) { h.AgentConnected = false }))
	f := Foresee(s, t0, 20)
	require.Contains(t, f.WaitsFor, "i-002: the host's agent is not connected", "%v", told(f))
}

// anyHealthyFleet is a fleet without faults that a deployment begins on.
func anyHealthyFleet(t *rapid.T) Snapshot {
	n := rapid.IntRange(1, 12).Draw(t, "hosts")
	s := updating(0, func(c *DeploymentConfiguration) {
		c.Method = rapid.SampledFrom([]Method{TerminateThenReplace, ReplaceThenTerminate}).Draw(t, "method")
		c.MinimumHealthyPercent = rapid.IntRange(0, 100).Draw(t, "minimumHealthyPercent")
		c.MinHealthySeconds = rapid.IntRange(0, 60).Draw(t, "minHealthySeconds")
		c.BakeSeconds = rapid.SampledFrom([]int{0, 0, 90}).Draw(t, "bakeSeconds")
		if c.Method == ReplaceThenTerminate {
			c.MaxSurge = rapid.SampledFrom([]Amount{"", "1", "50%"}).Draw(t, "maxSurge")
		} else {
			c.MaxUnavailable = rapid.SampledFrom([]Amount{"", "1", "3", "40%"}).Draw(t, "maxUnavailable")
		}
		if rapid.Bool().Draw(t, "canary") {
			c.Canary = &Canary{Hosts: rapid.SampledFrom([]Amount{"1", "30%"}).Draw(t, "canaries"), PromoteAfterSeconds: 45}
		}
	})
	s.Deployment.Restart = rapid.Bool().Draw(t, "restart")
	if rapid.Bool().Draw(t, "readiness") {
		s.Revision.ReadinessAttribute = "blox.log-agent"
	}
	for i := range n {
		if rapid.IntRange(0, 4).Draw(t, "empty") == 0 {
			s = s.with(i + 1)
		} else {
			s = s.with(i+1, running(rapid.IntRange(1, 2).Draw(t, "revision")))
		}
	}
	return s
}

func TestForecastOfAHealthyFleetUpdatesEveryHostWithinTheBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyHealthyFleet(t)
		before, err := json.Marshal(s.Slots)
		require.NoError(t, err)
		served := map[HostKey]bool{}
		for _, slot := range s.Slots {
			served[slot.Host] = true
		}
		c := s.Revision.DeploymentConfiguration
		allowed, atOnce := c.AllowedUnavailable(len(s.Hosts)), 1
		if c.Method == ReplaceThenTerminate {
			atOnce = 2
		}
		var last Snapshot
		f := foresee(s, t0, 500, func(seen Snapshot, _ []Action) {
			last = seen
			down := 0
			for _, slot := range seen.Slots {
				if served[slot.Host] && !slot.Serving() {
					down++
				}
			}
			require.LessOrEqual(t, down, allowed, "hosts that had a daemon and have none")
			live := map[HostKey]int{}
			for _, task := range seen.Tasks {
				if task.Live() {
					live[task.Host]++
					require.LessOrEqual(t, live[task.Host], atOnce, "live tasks on %s", task.Host)
				}
			}
		})
		require.Equal(t, DeploymentCompleted, f.Status, "%s %v", f.WaitsFor, told(f))
		require.Empty(t, f.WaitsFor)
		require.Equal(t, Counts{Desired: len(s.Hosts), Healthy: len(s.Hosts), Updated: len(s.Hosts)}, f.After)
		for _, task := range last.Tasks {
			require.True(t, task.Stopped() || task.TaskDefinition == taskDefinition(2), "%+v", task)
		}
		for _, h := range Explain(last, t0.Add(f.Ends)) {
			require.Contains(t, []HostState{HostHealthy}, h.State, h.Sentence())
			if s.Revision.ReadinessAttribute != "" {
				require.Equal(t, "blox.log-agent", h.ReadinessAttribute)
			}
		}
		after, err := json.Marshal(s.Slots)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "a forecast changes nothing")
	})
}

func TestForecastOfAnySnapshotIsBoundedAndRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySnapshot(t)
		s.Full = true
		first := Foresee(s, t0, 5)
		require.LessOrEqual(t, len(first.Waves), 5)
		require.Equal(t, first, Foresee(s, t0, 5))
		require.True(t, slices.IsSortedFunc(first.Waves, func(a, b Wave) int { return int(a.After - b.After) }))
	})
}

// BenchmarkForesee foresees a rollout of ten waves over a whole fleet; each wave is four plans.
func BenchmarkForesee(b *testing.B) {
	for _, n := range []int{500, 5000} {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			s := fleet(n)
			s.Revision.DeploymentConfiguration.MinimumHealthyPercent = 95
			b.ReportAllocs()
			var waves int
			for b.Loop() {
				waves = len(Foresee(s, t0, 100).Waves)
			}
			b.ReportMetric(float64(waves), "waves")
		})
	}
}
