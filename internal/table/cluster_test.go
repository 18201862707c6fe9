package table_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
		sync := table.Cluster{Key: home, Name: home.String(), SyncedAt: start.UnixMilli(), HeldBack: 60, HeldSince: 7, Drift: table.Drift{Stale: 3}}
		require.NoError(t, s.PutSync(t.Context(), sync), "a cluster that was never added is added")
		require.Equal(t, sync, only())
		require.NoError(t, s.AddCluster(t.Context(), home))
		require.Equal(t, sync, only(), "adding must not forget the sync")

		older := table.Cluster{Key: home, SyncedAt: start.UnixMilli() - 1, Drift: table.Drift{Missed: 9}}
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

func summaryOf(families int) *state.Summary {
	summary := &state.Summary{CountedAt: start, Tasks: state.TaskSummary{Total: families * 3}}
	for n := range families {
		summary.Tasks.Families = append(summary.Tasks.Families, state.FamilyCount{
			Family: fmt.Sprintf("service-%d", n), Count: 3, Revisions: []state.RevisionCount{{Revision: 41 + n, Count: 3}},
		})
	}
	return summary
}

func TestASummaryIsReadWithItsCluster(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		want := summaryOf(3)
		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: 5, Summary: want}))
		rows, err := s.ClustersByKey(t.Context(), []state.ClusterKey{home})
		require.NoError(t, err)
		require.Equal(t, want, rows[0].Summary)
		rows, err = s.Clusters(t.Context())
		require.NoError(t, err)
		require.Nil(t, rows[0].Summary, "a list of all is for who asks what there is")
		require.Equal(t, int64(5), rows[0].SyncedAt)
	})
}

// Each pass over each cluster writes the row, and each plan reads it.
func TestAClustersRowIsSmall(t *testing.T) {
	db, s := counted(t)
	for _, c := range []struct {
		families int
		units    float64
	}{{20, 1}, {100, 2}} {
		db.ResetConsumed()
		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: int64(c.families), Summary: summaryOf(c.families)}))
		var units float64
		for _, capacity := range db.Consumed().ByIndex {
			units += capacity.Write
		}
		require.Positive(t, units)
		require.LessOrEqual(t, units, c.units, "%d families", c.families)
	}
}

func TestAClusterThatIsNewIsSeenOnce(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		only := func() table.Cluster {
			rows, err := s.Clusters(t.Context())
			require.NoError(t, err)
			require.Len(t, rows, 1)
			return rows[0]
		}
		require.NoError(t, s.AddCluster(t.Context(), home), "ingest heard of it first")
		require.NoError(t, s.SeeCluster(t.Context(), home, start))
		require.NoError(t, s.SeeCluster(t.Context(), home, after(60)))
		require.Equal(t, start.UnixMilli(), only().SeenAt)
		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: after(90).UnixMilli()}))
		require.Zero(t, only().SeenAt)
		require.NoError(t, s.SeeCluster(t.Context(), home, after(120)))
		require.Zero(t, only().SeenAt, "it is reconciled")
	})
}

func TestAClusterThatIsGoneIsForgotten(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		gone := table.Cluster{Key: home, SyncedAt: 5, GoneAt: start.UnixMilli()}
		require.True(t, s.ClusterVisible(table.Cluster{Key: home}, start.AddDate(1, 0, 0)))
		require.True(t, s.ClusterVisible(gone, start.Add(visibleFor-1)))
		require.False(t, s.ClusterVisible(gone, start.Add(visibleFor)))

		ttl := func() string {
			out, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &name, Key: table.Item{
				schema.PartitionKey: &types.AttributeValueMemberS{Value: "clusters"},
				schema.SortKey:      &types.AttributeValueMemberS{Value: home.String()},
			}})
			require.NoError(t, err)
			if n, ok := out.Item[schema.TTL].(*types.AttributeValueMemberN); ok {
				return n.Value
			}
			return ""
		}
		require.NoError(t, s.PutSync(t.Context(), gone))
		require.Equal(t, fmt.Sprint(start.Add(visibleFor+24*time.Hour).Unix()), ttl())
		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: 6}))
		require.Empty(t, ttl(), "a cluster of the name was made anew")
	})
}

func TestAClusterIsFoundGoneOnce(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		require.NoError(t, s.SeeGone(t.Context(), home, start))
		rows, err := s.Clusters(t.Context())
		require.NoError(t, err)
		require.Empty(t, rows, "what is not known stays so")

		want := table.Cluster{Key: home, Name: home.String(), SyncedAt: 5, HeldBack: 3, Summary: summaryOf(1)}
		require.NoError(t, s.PutSync(t.Context(), want))
		require.NoError(t, s.SeeGone(t.Context(), home, start))
		require.NoError(t, s.SeeGone(t.Context(), home, after(60)))
		want.GoneAt = start.UnixMilli()
		row, _, err := s.Progress(t.Context(), home)
		require.NoError(t, err)
		require.Equal(t, want, row, "nothing else has changed")
		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: 6}))
		require.NoError(t, s.SeeGone(t.Context(), home, after(90)))
		row, _, err = s.Progress(t.Context(), home)
		require.NoError(t, err)
		require.Equal(t, after(90).UnixMilli(), row.GoneAt, "it was there in between")
	})
}

// A reconcile is what replaces such a summary, and must be able to.
func TestProgressWithASummaryThatCannotBeRead(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: table.Item{
			schema.PartitionKey: &types.AttributeValueMemberS{Value: "clusters"},
			schema.SortKey:      &types.AttributeValueMemberS{Value: home.String()},
			"cluster":           &types.AttributeValueMemberS{Value: home.String()},
			"syncedAt":          &types.AttributeValueMemberN{Value: "9"},
			"summary":           &types.AttributeValueMemberB{Value: []byte("no frame")},
		}})
		require.NoError(t, err)
		row, _, err := s.Progress(t.Context(), home)
		require.NoError(t, err)
		require.Equal(t, table.Cluster{Key: home, Name: home.String(), SyncedAt: 9}, row)
	})
}

func TestProgressOfAReconcile(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		progress := func() (table.Cluster, table.Checkpoint) {
			cluster, reached, err := s.Progress(t.Context(), home)
			require.NoError(t, err)
			return cluster, reached
		}
		cluster, reached := progress()
		require.Equal(t, table.Cluster{Key: home}, cluster)
		require.Equal(t, table.Checkpoint{Key: home}, reached)

		want := table.Checkpoint{
			Key: home, BeganAt: 10, Kind: state.KindTask, After: "abc", Drift: table.Drift{Missed: 3, Resurrected: 1},
		}
		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: 9}))
		require.NoError(t, s.PutCheckpoint(t.Context(), want))
		cluster, reached = progress()
		require.Equal(t, int64(9), cluster.SyncedAt)
		require.Equal(t, want, reached)

		require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: 10}))
		_, reached = progress()
		require.Equal(t, table.Checkpoint{Key: home}, reached, "it is complete")
		clusters, err := s.Clusters(t.Context())
		require.NoError(t, err)
		require.Len(t, clusters, 1, "no checkpoint is among them")
	})
}
