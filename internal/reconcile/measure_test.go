package reconcile

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
)

// measured is the sum of what was given since the last time, without what is 0.
func (w *world) measured() map[metrics.Name]int64 {
	w.t.Helper()
	lines := w.metrics.Lines()
	values := map[metrics.Name]int64{}
	for _, line := range lines[w.lines:] {
		for _, v := range line.Values {
			if v.Value != 0 {
				values[v.Name] += v.Value
			}
		}
	}
	w.lines = len(lines)
	return values
}

func TestASweepAndItsPassesAreMeasured(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 2, 3)
	require.Empty(t, w.measured(), "what fills an empty table is no drift")
	require.Equal(t, []metrics.Line{
		{
			Values:     []metrics.Value{{Name: metrics.ClustersUnsynced}},
			Properties: []metrics.Property{{Key: "account", Value: edge.Account}, {Key: "region", Value: edge.Region}},
		},
		{
			Values: []metrics.Value{
				{Name: metrics.DriftRepaired},
				{Name: metrics.RecordsMissed},
				{Name: metrics.RecordsStale},
				{Name: metrics.RecordsAbsent},
				{Name: metrics.RecordsResurrected},
				{Name: metrics.HeldAbsent},
			},
			Properties: []metrics.Property{
				{Key: "account", Value: edge.Account}, {Key: "region", Value: edge.Region}, {Key: "cluster", Value: edge.String()},
			},
		},
	}, w.metrics.Lines(), "zero is said, too")
}

func TestDriftIsMeasuredByItsReason(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 2, 4)
	w.invent(key("ghost"), 1)
	stopped := w.stop()
	for _, k := range sortedKeys(w.living("edge")) {
		if k.Kind == state.KindTask && k != stopped {
			w.delete(map[state.Key]bool{k: true})
			break
		}
	}
	w.pass(15 * time.Minute)
	w.measured()
	w.sweep()
	// The task that stopped gave its host's resources back.
	require.Equal(t, map[metrics.Name]int64{
		metrics.ClustersUnsynced: 1, metrics.DriftRepaired: 4, metrics.RecordsMissed: 1, metrics.RecordsStale: 2, metrics.RecordsAbsent: 1,
	}, w.measured())
	w.pass(time.Minute)
	w.sweep()
	require.Empty(t, w.measured())
}

// A task that a pass took for gone, and that is alive at a higher version.
func TestWhatComesBackIsResurrected(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 1)
	var task state.Record
	for _, record := range w.living("edge") {
		if record.Kind == state.KindTask {
			task = record
		}
	}
	w.delete(map[state.Key]bool{task.Key: true})
	w.invent(task.Key, task.Version-1)
	stored, err := w.store.Get(t.Context(), task.Key, w.now)
	require.NoError(t, err)
	require.NoError(t, w.store.MarkAbsent(t.Context(), stored, w.now))
	require.NotContains(t, w.living("edge"), task.Key)
	w.measured()
	require.Equal(t, Report{Clusters: 1, Listed: 2, Resurrected: 1}, w.sweep())
	require.Equal(t, int64(1), w.measured()[metrics.RecordsResurrected])
	require.Equal(t, 1, w.clusterRow("edge").Drift.Resurrected)
	w.requireTruth("edge")
}

func TestManyAbsencesAreMeasured(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 0)
	for n := range 60 {
		w.invent(key(fmt.Sprint("ghost-", n)), 1)
	}
	w.pass(15 * time.Minute)
	w.sweep()
	require.Equal(t, int64(60), w.measured()[metrics.HeldAbsent])
	w.pass(agreeAfter)
	w.sweep()
	require.Equal(t, map[metrics.Name]int64{metrics.DriftRepaired: 60, metrics.RecordsAbsent: 60}, w.measured(), "the second pass agrees")
}

func unsynced(n int64) map[metrics.Name]int64 {
	if n == 0 {
		return map[metrics.Name]int64{}
	}
	return map[metrics.Name]int64{metrics.ClustersUnsynced: n}
}

func failedPass(also map[metrics.Name]int64) map[metrics.Name]int64 {
	also[metrics.ReconcilePassesFailed] = 1
	return also
}

func TestAClusterIsUnsyncedAfterTwoPeriods(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("alpha", 1)
	w.hosts("beta", 1)
	cfg := w.config()
	broken := "beta"
	cfg.ECS = failingECS{w.ecs, &broken}
	sweep := func() map[metrics.Name]int64 {
		_, err := w.sweepWith(cfg, w.now)
		require.Equal(t, broken != "", err != nil)
		return w.measured()
	}
	require.Equal(t, failedPass(unsynced(0)), sweep(), "it is new")
	w.now = w.now.Add(10 * time.Minute)
	require.Equal(t, failedPass(unsynced(0)), sweep(), "two periods are over, and not more")
	w.now = w.now.Add(time.Second)
	require.Equal(t, failedPass(unsynced(1)), sweep())
	broken = ""
	require.Equal(t, unsynced(1), sweep(), "it is reconciled only now")
	require.Equal(t, unsynced(0), sweep())
	w.now = w.now.Add(10*time.Minute + time.Second)
	require.Equal(t, unsynced(2), sweep())
}

// failingLists cannot list the clusters.
func (w *world) failingLists() Config {
	cfg := w.config()
	cfg.ECS = unlistedECS{w.ecs}
	return cfg
}

func TestAPlaceThatCannotBeListedIsMeasuredByItsRows(t *testing.T) {
	w := newWorld(t, memory.New())
	sweep := func() map[metrics.Name]int64 {
		_, err := w.sweepWith(w.failingLists(), w.now)
		require.ErrorContains(t, err, "listing clusters: out of order")
		return w.measured()
	}
	require.NoError(t, w.store.AddCluster(t.Context(), state.ClusterKey{Account: "999999999999", Region: edge.Region, Name: "x"}))
	require.Equal(t, unsynced(1), sweep(), "of the place nothing was ever seen")

	w.hosts("alpha", 1)
	w.hosts("beta", 1)
	w.sweep()
	w.measured()
	require.Equal(t, unsynced(0), sweep(), "they were reconciled a moment ago")
	w.now = w.now.Add(10*time.Minute + time.Second)
	require.Equal(t, unsynced(2), sweep())
}
