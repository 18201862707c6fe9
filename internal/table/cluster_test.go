package table_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// incompressible is a text of a length that zstd cannot make much shorter, the same each time.
func incompressible(seed, length int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	r := rand.New(rand.NewPCG(uint64(seed), 1)) //nolint:gosec // a test's filler
	text := make([]byte, length)
	for i := range text {
		text[i] = letters[r.IntN(len(letters))]
	}
	return string(text)
}

func TestClusters(t *testing.T) {
	other := state.ClusterKey{Account: "111111111111", Region: "us-east-1", Name: "a"}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		clusters, err := s.Clusters(t.Context())
		require.NoError(t, err)
		require.Empty(t, clusters)

		require.NoError(t, s.AddCluster(t.Context(), home))
		require.NoError(t, s.AddCluster(t.Context(), home), "adding it again is nothing")
		require.NoError(t, s.AddCluster(t.Context(), other))
		unsynced := func(key state.ClusterKey) table.Cluster { return table.Cluster{Key: key, Name: key.String()} }
		clusters, err = s.Clusters(t.Context())
		require.NoError(t, err)
		require.Equal(t, []table.Cluster{unsynced(other), unsynced(home)}, clusters, "by name, never synced")

		unknown := state.ClusterKey{Account: "111111111111", Region: "us-east-1", Name: "b"}
		clusters, err = s.ClustersByKey(t.Context(), []state.ClusterKey{home, unknown, home})
		require.NoError(t, err)
		require.Equal(t, []table.Cluster{unsynced(home)}, clusters)
	})
}

func TestSyncOfAClusterOnlyMovesOn(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		only := func() table.Cluster {
			clusters, err := s.Clusters(t.Context())
			require.NoError(t, err)
			require.Len(t, clusters, 1)
			return clusters[0]
		}
		sync := table.Cluster{Key: home, Name: home.String(), SyncedAt: start.UnixMilli(), Absent: 60, Drift: 3}
		require.NoError(t, s.PutSync(t.Context(), sync), "a cluster that was never added is added")
		require.Equal(t, sync, only())
		require.NoError(t, s.AddCluster(t.Context(), home))
		require.Equal(t, sync, only(), "adding must not forget the sync")

		older := table.Cluster{Key: home, SyncedAt: start.UnixMilli() - 1, Drift: 9}
		require.NoError(t, s.PutSync(t.Context(), older))
		require.Equal(t, sync, only())
		again := table.Cluster{Key: home, Name: home.String(), SyncedAt: start.UnixMilli()}
		require.NoError(t, s.PutSync(t.Context(), again), "the same pass, tried again")
		require.Equal(t, again, only())
	})
}

func TestSyncOfAnAddedCluster(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		require.NoError(t, s.AddCluster(t.Context(), home))
		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: 5}))
		clusters, err := s.ClustersByKey(t.Context(), []state.ClusterKey{home})
		require.NoError(t, err)
		require.Len(t, clusters, 1)
		require.Equal(t, int64(5), clusters[0].SyncedAt)
	})
}

func TestIngestLagIsForgottenWhenNobodyRepeatsIt(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		lagAt := func(region string, now time.Time) time.Duration {
			lag, err := s.IngestLag(t.Context(), eventtest.DefaultAccount, region, now)
			require.NoError(t, err)
			return lag
		}
		require.Zero(t, lagAt(home.Region, start))
		late := table.Lag{Millis: 90_000, At: start.UnixMilli()}
		require.NoError(t, s.PutLag(t.Context(), home.Account, home.Region, late))
		require.Equal(t, 90*time.Second, lagAt(home.Region, start))
		require.Equal(t, 90*time.Second, lagAt(home.Region, after(120)))
		require.Zero(t, lagAt(home.Region, after(121)))
		require.Zero(t, lagAt("us-east-1", start))
		require.NoError(t, s.PutLag(t.Context(), home.Account, home.Region, table.Lag{At: after(10).UnixMilli()}))
		require.Zero(t, lagAt(home.Region, after(10)))
	})
}
