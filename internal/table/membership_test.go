package table_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

var abroad = state.ClusterKey{Account: home.Account, Region: home.Region, Name: "abroad"}

// members are the environments of the clusters home, away and abroad, with a star where they watch all tasks.
func members(t *testing.T, d *table.Daemon) [3]string {
	t.Helper()
	var of [3]string
	for i, cluster := range []state.ClusterKey{home, away, abroad} {
		found, err := d.EnvironmentsOfCluster(t.Context(), cluster)
		require.NoError(t, err)
		for _, m := range found {
			of[i] += m.ID
			if m.WatchesTasks {
				of[i] += "*"
			}
		}
	}
	return of
}

// revised stores the environment with a next revision, and clusters if any are given.
func revised(t *testing.T, d *table.Daemon, id string, rev daemon.Revision, clusters ...state.ClusterKey) {
	t.Helper()
	env := read(t, d, id)
	env.Revision++
	if len(clusters) > 0 {
		env.Clusters = clusters
	}
	rev.EnvironmentID, rev.Number = id, env.Revision
	require.NoError(t, d.UpdateEnvironment(t.Context(), env, &rev))
}

func TestAnEnvironmentIsFoundInTheClustersThatItHas(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		created(t, d, "e1", "log-agent")
		require.Equal(t, [3]string{"e1", "e1", ""}, members(t, d))
		revised(t, d, "e1", daemon.Revision{}, home, away, abroad)
		require.Equal(t, [3]string{"e1", "e1", "e1"}, members(t, d), "a new cluster")

		env := read(t, d, "e1")
		require.NoError(t, d.DropClusters(t.Context(), env, []state.ClusterKey{away, home}))
		require.Equal(t, [3]string{"", "", "e1"}, members(t, d))
		require.Equal(t, []state.ClusterKey{abroad}, read(t, d, "e1").Clusters)
		require.ErrorIs(t, d.DropClusters(t.Context(), env, []state.ClusterKey{abroad}), table.ErrConflict, "it changed since it was read")
		env.Clusters = append(env.Clusters, home)
		require.ErrorIs(t, d.UpdateEnvironment(t.Context(), env, nil), table.ErrConflict)
		require.Equal(t, [3]string{"", "", "e1"}, members(t, d), "nothing of what was refused is left")

		env = read(t, d, "e1")
		env.Clusters = nil
		require.NoError(t, d.UpdateEnvironment(t.Context(), env, nil))
		require.Equal(t, [3]string{}, members(t, d))
	})
}

func TestAnEnvironmentThatWatchesTasksDoesSoInAllItsClusters(t *testing.T) {
	releases, migrates := daemon.Revision{ReleaseIdleHosts: true}, daemon.Revision{MigrateFrom: "old"}
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		created(t, d, "e1", "log-agent")
		revised(t, d, "e1", releases)
		require.Equal(t, [3]string{"e1*", "e1*", ""}, members(t, d))
		env := read(t, d, "e1")
		env.Clusters = append(env.Clusters, abroad)
		require.NoError(t, d.UpdateEnvironment(t.Context(), env, nil))
		require.Equal(t, [3]string{"e1*", "e1*", "e1*"}, members(t, d), "a cluster that came later")
		revised(t, d, "e1", daemon.Revision{}, home, away)
		require.Equal(t, [3]string{"e1*", "e1*", ""}, members(t, d), "hosts may still have the revision before")
		require.NoError(t, d.RemoveEnvironment(t.Context(), read(t, d, "e1"), after(9)))

		env, first := environment("e2", "metrics")
		first.MigrateFrom = "old"
		require.NoError(t, d.CreateEnvironment(t.Context(), env, first))
		require.Equal(t, [3]string{"e2*", "e2*", ""}, members(t, d), "from the beginning")
		require.NoError(t, d.RemoveEnvironment(t.Context(), read(t, d, "e2"), after(9)))

		env, first = environment("e3", "tracing")
		env.Clusters = nil // its pattern matches none yet
		require.NoError(t, d.CreateEnvironment(t.Context(), env, first))
		revised(t, d, "e3", migrates)
		env = read(t, d, "e3")
		env.Clusters = []state.ClusterKey{home}
		require.NoError(t, d.UpdateEnvironment(t.Context(), env, nil))
		require.Equal(t, [3]string{"e3*", "", ""}, members(t, d))
	})
}

func TestAnEnvironmentHasAsManyClustersAsATransactionTakes(t *testing.T) {
	clusters := make([]state.ClusterKey, table.MaxClusters+1)
	for i := range clusters {
		clusters[i] = state.ClusterKey{Account: home.Account, Region: home.Region, Name: fmt.Sprintf("edge-%d", i)}
	}
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env, rev := environment("e1", "log-agent")
		env.Clusters = clusters
		require.ErrorIs(t, d.CreateEnvironment(t.Context(), env, rev), table.ErrTooManyClusters)
		env.Clusters = clusters[1:]
		require.NoError(t, d.CreateEnvironment(t.Context(), env, rev))
		env = read(t, d, "e1")
		env.Clusters = clusters
		err := d.UpdateEnvironment(t.Context(), env, nil)
		require.ErrorIs(t, err, table.ErrTooManyClusters)
		require.ErrorContains(t, err, "more than 90 clusters: 91")
		revised(t, d, "e1", daemon.Revision{ReleaseIdleHosts: true})
		require.NoError(t, d.DropClusters(t.Context(), read(t, d, "e1"), clusters))
		require.Empty(t, read(t, d, "e1").Clusters)
	})
}
