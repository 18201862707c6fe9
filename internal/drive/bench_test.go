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

// BenchmarkRollout brings a revision to a whole fleet, and counts what that costs in all. Every round is one wake-up, with
// whatever the tasks did since the one before: on AWS the lease makes one of those that come while a driver works. What a
// round cannot do for want of call budget is left to a later one, so that virtual-s is what the buckets and the budget of
// hosts allow, and not what the driver takes.
func BenchmarkRollout(b *testing.B) {
	for _, hosts := range []int{500, 5000} {
		b.Run(fmt.Sprintf("%d hosts", hosts), func(b *testing.B) {
			var read, write float64
			var calls, rounds, seconds int
			for b.Loop() {
				b.StopTimer()
				w := fleet(b, hosts)
				w.revise(func(r *daemon.Revision) { r.DeploymentConfiguration.MinimumHealthyPercent = 90 })
				w.db.ResetConsumed()
				w.ecs.requests, w.ecs.stopped, w.ecs.describes, w.ecs.definitions = nil, nil, 0, 0
				began := w.now
				b.StartTimer()
				rounds += w.rollOut(b, hosts)
				b.StopTimer()
				consumed := w.db.Consumed()
				read, write = read+consumed.Read, write+consumed.Write
				calls += len(w.ecs.requests) + len(w.ecs.stopped) + w.ecs.describes + w.ecs.definitions
				seconds += int(w.now.Sub(began).Seconds())
				b.StartTimer()
			}
			per := func(total float64) float64 { return total / float64(b.N) }
			b.ReportMetric(per(read)/float64(hosts), "rru/host")
			b.ReportMetric(per(write)/float64(hosts), "wru/host")
			b.ReportMetric(per(float64(calls))/float64(hosts), "ecs-calls/host")
			b.ReportMetric(per(float64(rounds)), "wake-ups/op")
			b.ReportMetric(per(float64(seconds)), "virtual-s/op")
		})
	}
}

// fleet has a daemon on each of so many hosts, and its deployment completed.
func fleet(b *testing.B, hosts int) *world {
	b.Helper()
	w := newWorld(b)
	for n := range hosts {
		w.host(n)
	}
	w.driver.Modify = ecsapi.Share{PerSecond: 1e6, Burst: 1e6}
	require.NoError(b, w.driver.Drive(b.Context(), "env", nil))
	for n := range hosts {
		w.runs(n)
	}
	for range 3 {
		w.now = w.now.Add(time.Minute)
		require.NoError(b, w.state.PutSync(b.Context(), syncedAt(w.now)))
		require.NoError(b, w.driver.Drive(b.Context(), "env", nil))
	}
	require.Equal(b, daemon.DeploymentCompleted, w.deployment("d-1").Status)
	w.driver.Modify = DefaultModify
	return w
}

// roundEvery is how often a fleet in motion is looked at: what happens within it is one wake-up. The bucket of calls holds
// two and a half seconds' worth.
const roundEvery = 2 * time.Second

// rollOut drives the deployment in force to its end. Tasks stop, and start, between two rounds.
func (w *world) rollOut(b *testing.B, hosts int) (rounds int) {
	b.Helper()
	on := map[string]int{}
	for n := range hosts {
		on[w.slot(n).TaskARN] = n
	}
	stopped, empty := 0, map[int]string{} // hosts between two tasks, and the old one
	for w.deployment("d-2").Status != daemon.DeploymentCompleted {
		require.Less(b, rounds, 10000)
		require.NoError(b, w.driver.Drive(b.Context(), "env", nil))
		rounds++
		w.now = w.now.Add(roundEvery)
		require.NoError(b, w.state.PutSync(b.Context(), syncedAt(w.now)))
		for n, old := range empty { // any order: each on its own
			if slot := w.slot(n); slot.State == daemon.SlotPlaced && slot.TaskARN != old {
				w.daemonIs(n, slot.TaskARN, 3, "RUNNING", "RUNNING", "log-agent:2")
				delete(empty, n)
			}
		}
		for ; stopped < len(w.ecs.stopped); stopped++ {
			arn := w.ecs.stopped[stopped]
			w.daemonIs(on[arn], arn, 5, "STOPPED", "STOPPED", "log-agent:1")
			empty[on[arn]] = arn
		}
	}
	return rounds
}
