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

// measured is what the last sweep gave.
func (w *world) measured() map[metrics.Name]int64 {
	w.t.Helper()
	lines := w.metrics.Lines()
	require.Len(w.t, lines, w.lines+1, "each sweep gives its numbers once")
	w.lines++
	values := map[metrics.Name]int64{}
	for _, v := range lines[w.lines-1].Values {
		values[v.Name] = v.Value
	}
	return values
}

func numbers(unsynced, held, drift int64) map[metrics.Name]int64 {
	return map[metrics.Name]int64{metrics.ClustersUnsynced: unsynced, metrics.HeldAbsent: held, metrics.DriftRepaired: drift}
}

func TestASweepIsMeasured(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 2, 3)
	require.Equal(t, numbers(0, 0, 0), w.measured(), "what fills an empty table is no drift")
	w.invent(key("ghost"), 1)
	w.pass(15 * time.Minute)
	w.sweep()
	require.Equal(t, numbers(0, 0, 1), w.measured())
	w.pass(time.Minute)
	w.sweep()
	require.Equal(t, numbers(0, 0, 0), w.measured(), "zero is said, too")

	line := w.metrics.Lines()[0]
	require.Equal(t, []metrics.Property{{Key: "account", Value: edge.Account}, {Key: "region", Value: edge.Region}}, line.Properties)
}

func TestManyAbsencesAreMeasured(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 0)
	for n := range 60 {
		w.invent(key(fmt.Sprint("ghost-", n)), 1)
	}
	w.pass(15 * time.Minute)
	w.lines = len(w.metrics.Lines())
	w.sweep()
	require.Equal(t, numbers(0, 60, 0), w.measured())
	w.pass(time.Minute)
	w.sweep()
	require.Equal(t, numbers(0, 0, 60), w.measured(), "the second pass agrees")
}

func TestAClusterIsUnsyncedAfterTwoPeriods(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("alpha", 1)
	w.hosts("beta", 1)
	cfg := w.config()
	broken := ""
	cfg.ECS = failingECS{w.ecs, &broken}
	sweep := func() map[metrics.Name]int64 {
		_, err := New(cfg).Sweep(t.Context(), w.now)
		require.Equal(t, broken != "", err != nil)
		return w.measured()
	}
	require.Equal(t, numbers(0, 0, 0), sweep())
	broken = "beta"
	w.now = w.now.Add(10 * time.Minute)
	require.Equal(t, numbers(0, 0, 0), sweep(), "two periods are over, and not more")
	w.now = w.now.Add(time.Second)
	require.Equal(t, numbers(1, 0, 0), sweep())
	broken = ""
	w.now = w.now.Add(time.Second)
	require.Equal(t, numbers(0, 0, 0), sweep())
}

func TestAClusterThatWasNeverReconciledIsUnsynced(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("alpha", 1)
	cfg := w.config()
	broken := "alpha"
	cfg.ECS = failingECS{w.ecs, &broken}
	_, err := New(cfg).Sweep(t.Context(), w.now)
	require.Error(t, err)
	require.Equal(t, numbers(1, 0, 0), w.measured())
}

func TestAPlaceThatCannotBeListedIsMeasuredByItsRows(t *testing.T) {
	w := newWorld(t, memory.New())
	w.sim.Faults().SetThrottled("ListClusters")
	sweep := func() map[metrics.Name]int64 {
		_, err := New(w.config()).Sweep(t.Context(), w.now)
		require.Error(t, err)
		return w.measured()
	}
	only := func(n int64) map[metrics.Name]int64 { return map[metrics.Name]int64{metrics.ClustersUnsynced: n} }
	require.NoError(t, w.store.AddCluster(t.Context(), state.ClusterKey{Account: "999999999999", Region: edge.Region, Name: "x"}))
	require.Equal(t, only(1), sweep(), "of the place nothing was ever seen")

	w.sim.Faults().Clear()
	w.hosts("alpha", 1)
	w.hosts("beta", 1)
	w.sweep()
	w.lines++
	w.sim.Faults().SetThrottled("ListClusters")
	require.Equal(t, only(0), sweep(), "they were reconciled a moment ago")
	w.now = w.now.Add(10*time.Minute + time.Second)
	require.Equal(t, only(2), sweep())
}
