package drive

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
)

// BenchmarkWakeUp counts what one wake-up costs, in DynamoDB units and ECS calls, on an environment of 100 hosts.
func BenchmarkWakeUp(b *testing.B) {
	for name, c := range map[string]struct {
		hosts  []int // named in the wake-up; none means everything
		revise []func(*daemon.Revision)
		prep   func(w *world)
	}{
		"steady, one host, nothing to do":   {hosts: []int{1}},
		"steady, everything, nothing to do": {},
		"steady, one host, all features":    {hosts: []int{1}, revise: []func(*daemon.Revision){announcing, releasing, templated}},
		"steady, everything, all features":  {revise: []func(*daemon.Revision){announcing, releasing, templated}},
		"one host to start":                 {hosts: []int{100}, prep: func(w *world) { w.host(100) }},
	} {
		b.Run(name, func(b *testing.B) {
			var read, write float64
			var calls, rounds int
			for b.Loop() {
				b.StopTimer()
				w, instances := steadyWorld(b, c.hosts, c.revise...)
				if c.prep != nil {
					c.prep(w)
				}
				w.db.ResetConsumed()
				before := len(w.ecs.requests) + w.ecs.describes + w.ecs.definitions
				b.StartTimer()
				require.NoError(b, w.driver.Drive(b.Context(), "env", instances))
				b.StopTimer()
				read, write = read+w.db.Consumed().Read, write+w.db.Consumed().Write
				calls += len(w.ecs.requests) + w.ecs.describes + w.ecs.definitions - before
				rounds++
				b.StartTimer()
			}
			b.ReportMetric(read/float64(rounds), "rru/op")
			b.ReportMetric(write/float64(rounds), "wru/op")
			b.ReportMetric(float64(calls)/float64(rounds), "ecs-calls/op")
		})
	}
}

// steadyWorld has 100 hosts with a daemon each, RUNNING for an hour, and no deployment under way.
func steadyWorld(tb testing.TB, named []int, revise ...func(*daemon.Revision)) (*world, []state.Key) {
	tb.Helper()
	w := newWorld(tb, revise...)
	for n := range 100 {
		w.host(n)
	}
	w.driver.Modify = ecsapi.Share{PerSecond: 1000, Burst: 1000}
	require.NoError(tb, w.driver.Drive(tb.Context(), "env", nil))
	for n := range 100 {
		w.runs(n)
	}
	require.NoError(tb, w.driver.Drive(tb.Context(), "env", nil))
	for n := range 100 {
		w.host(n, counts(2, 2, 0)...) // its daemon, and a task that is none
		w.other(fmt.Sprintf("batch%d", n), n)
	}
	w.now = w.now.Add(time.Hour)
	require.NoError(tb, w.state.PutSync(tb.Context(), syncedAt(w.now)))
	require.NoError(tb, w.driver.Drive(tb.Context(), "env", nil))
	deployment, err := w.daemon.Deployment(tb.Context(), "env", "d-1")
	require.NoError(tb, err)
	require.Equal(tb, daemon.DeploymentCompleted, deployment.Status)
	var instances []state.Key
	for _, n := range named {
		instances = append(instances, w.instance(n))
	}
	return w, instances
}
