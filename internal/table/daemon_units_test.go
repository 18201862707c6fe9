package table_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// What the scheduler and people's changes cost in the DAEMON table, in read and write units.
func TestDaemonUnits(t *testing.T) {
	db := memory.New()
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.Daemon))
	d := table.NewDaemon(db, "blox")
	units := func(call func()) [2]float64 {
		db.ResetConsumed()
		call()
		used := db.Consumed()
		return [2]float64{used.Read, used.Write}
	}
	env := created(t, d, "e1", "log-agent")
	dep := deployment(env, "d1", "token-1", after(10))
	require.Equal(t, [2]float64{0, 8}, units(func() {
		require.NoError(t, d.CreateDeployment(t.Context(), env, dep))
	}), "twice each: the environment, its place in the directory, the deployment and its token")
	env = read(t, d, "e1")
	require.Equal(t, [2]float64{1, 4}, units(func() {
		require.NoError(t, d.UpdateEnvironment(t.Context(), env, nil))
	}), "twice each: the environment and its place in the directory")
	dep.RecordVersion = 1
	require.Equal(t, [2]float64{0, 1}, units(func() {
		_, err := d.AdvanceDeployment(t.Context(), dep)
		require.NoError(t, err)
	}), "progress")
	entries := make([]table.TimelineEntry, 50)
	for i := range entries {
		entries[i] = table.TimelineEntry{At: after(i), DeploymentID: "d1", Kind: "start", Host: host("i-1").String()}
	}
	require.Equal(t, [2]float64{0, 50}, units(func() {
		require.NoError(t, d.AppendTimelineAll(t.Context(), "e1", entries))
	}), "an entry is one, in two calls")
	require.Equal(t, [2]float64{0.5, 0}, units(func() {
		_, err := d.EnvironmentsOfCluster(t.Context(), home)
		require.NoError(t, err)
	}), "who is concerned")
	require.Equal(t, [2]float64{1, 0}, units(func() {
		_, err := d.DeletedEnvironments(t.Context(), after(0))
		require.NoError(t, err)
	}), "nothing was deleted")
}
