package reconcile

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/reconcile/request"
)

// BenchmarkPass is a pass over the largest cluster that ECS allows, in which nothing
// drifted. It asks ECS 2*ceil(N/100) times for each kind and writes no item but
// checkpoints and the cluster's row. peak-MB is the most that is in use at any of
// its calls, above what the engine in memory holds.
func BenchmarkPass(b *testing.B) {
	const hosts, tasks = 5000, 25_000
	w := newWorld(b, memory.New())
	fleet := newFleet(hosts, tasks)
	cfg := w.config()
	cfg.ECS = fleet
	pass := func() Report {
		w.now = w.now.Add(5 * time.Minute)
		report, err := New(cfg).Cluster(b.Context(), request.Request{Cluster: edge, At: w.now})
		require.NoError(b, err)
		return report
	}
	require.Equal(b, hosts+tasks, pass().Missed)

	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, peak, calls := inUse(), uint64(0), 0
	fleet.each = func() {
		if calls++; calls%50 == 0 {
			peak = max(peak, inUse())
		}
	}
	pass()
	fleet.each = func() {}
	clear(fleet.calls)
	w.resetCounts()
	for b.Loop() {
		clear(fleet.calls)
		w.resetCounts()
		require.Equal(b, Report{Clusters: 1, Listed: hosts + tasks}, pass())
	}
	require.Equal(b, map[string]int{
		"ListTasks": tasks/100 + 1, "DescribeTasks": tasks / 100, "ListContainerInstances": hosts / 100, "DescribeContainerInstances": hosts / 100,
	}, fleet.calls)
	require.Equal(b, map[string]int{"PutItem": (tasks+hosts)/100/checkpointEvery + 1}, w.db.writes)
	b.ReportMetric(float64(peak-min(before, peak))/(1<<20), "peak-MB")
}
