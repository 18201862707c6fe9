package table_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func TestFeedAfterACrash(t *testing.T) {
	key := inShard(0, 1)[0]
	batch := []table.Change{written(key, 1), written(key, 2)}
	next := []table.Change{written(key, 3)}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		crashPoints(t, db, func(t *testing.T, dying *crashing, _ int) {
			from := now(t, db, name)
			err := newFeed(dying, name).Append(t.Context(), 0, batch)
			if err != nil {
				require.ErrorIs(t, err, errCrash)
				// What was not confirmed is either not to be seen yet, or all of it.
				changes, _ := readAll(t, newFeed(db, name), from, 10)
				require.Contains(t, [][]table.Change{nil, batch}, changes)
			}
			// The stream gives the batch again, then the next one.
			require.NoError(t, newFeed(db, name).Append(t.Context(), 0, batch))
			require.NoError(t, newFeed(db, name).Append(t.Context(), 0, next))
			changes, _ := readAll(t, newFeed(db, name), from, 10)
			require.True(t, inOrder(changes, append(batch, next...)), "%v", changes)
			require.Equal(t, next[0], changes[len(changes)-1])
			for _, c := range changes {
				require.Contains(t, append(batch, next...), c)
			}
		})
	})
}

// A writer that makes the head may die before its first row.
func TestFeedBeginsAfterACrash(t *testing.T) {
	key := inShard(0, 1)[0]
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		crashPoints(t, db, func(t *testing.T, dying *crashing, point int) {
			fresh := fmt.Sprintf("%s-%d", name, point)
			require.NoError(t, table.Create(t.Context(), db, fresh, schema.State))
			if err := newFeed(dying, fresh).Append(t.Context(), 0, []table.Change{written(key, 1)}); err != nil {
				require.ErrorIs(t, err, errCrash)
			}
			require.NoError(t, newFeed(db, fresh).Append(t.Context(), 0, []table.Change{written(key, 2)}))
			changes, _ := readAll(t, newFeed(db, fresh), table.FeedPosition{}, 10)
			require.Equal(t, written(key, 2), changes[len(changes)-1])
		})
	})
}

// inOrder says whether changes hold all wanted ones in their order, others and repetitions between them.
func inOrder(changes, wanted []table.Change) bool {
	for _, c := range changes {
		if len(wanted) > 0 && c == wanted[0] {
			wanted = wanted[1:]
		}
	}
	return len(wanted) == 0
}

// Between any two calls of one writer another may append, and neither may lose a row or move the head back.
func TestFeedWritersComeBetweenEachOther(t *testing.T) {
	a, b := inShard(0, 2)[0], inShard(0, 2)[1]
	for _, begun := range []bool{false, true} {
		for _, call := range []string{"GetItem", "PutItem", "UpdateItem"} {
			t.Run(fmt.Sprintf("after %s, head made before: %t", call, begun), func(t *testing.T) {
				onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
					from := table.FeedPosition{}
					if begun {
						require.NoError(t, newFeed(db, name).Append(t.Context(), 0, []table.Change{written(a, 0)}))
						from = now(t, db, name)
					}
					slow := newFeed(&between{API: db, after: call, then: func() {
						other := table.NewFeed(db, name, func() time.Time { return after(30) })
						for v := range int64(3) {
							require.NoError(t, other.Append(t.Context(), 0, []table.Change{written(b, v)}))
						}
					}}, name)
					require.NoError(t, slow.Append(t.Context(), 0, []table.Change{written(a, 1)}))
					changes, end := readAll(t, newFeed(db, name), from, 100)
					require.Equal(t, now(t, db, name), end)
					require.True(t, inOrder(changes, []table.Change{written(b, 0), written(b, 1), written(b, 2)}), "%v", changes)
					require.Contains(t, changes, written(a, 1))
					require.Len(t, changes, 4)
				})
			})
		}
	}
}

func TestFeedWithSeveralWritersAtOnce(t *testing.T) {
	const writers, appends = 4, 6
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		keys := inShard(0, writers)
		var done sync.WaitGroup
		for _, key := range keys {
			done.Go(func() {
				feed := newFeed(db, name)
				for v := range appends {
					if err := feed.Append(t.Context(), 0, []table.Change{written(key, int64(v))}); err != nil {
						t.Errorf("appending version %d of %s: %v", v, key, err)
					}
				}
			})
		}
		done.Wait()
		changes, end := readAll(t, newFeed(db, name), table.FeedPosition{}, 5)
		require.Equal(t, now(t, db, name), end)
		versions := map[state.Key][]int64{}
		for _, c := range changes {
			versions[c.Key] = append(versions[c.Key], c.Version)
		}
		require.Len(t, versions, writers)
		for key, got := range versions {
			require.Equal(t, []int64{0, 1, 2, 3, 4, 5}, got, key)
		}
	})
}

// Whatever writers do and wherever they die: who reads from any position gets every later append, in order for each key.
func TestFeedHasNoGaps(t *testing.T) {
	type position struct {
		at       table.FeedPosition
		appended int
	}
	keys := inShard(0, 3)
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		run := 0
		rapid.Check(t, func(t *rapid.T) {
			if run++; run > runs(db) {
				return
			}
			var log []table.Change
			positions := []position{{now(t, db, name), 0}}
			for range rapid.IntRange(1, 5).Draw(t, "appends") {
				var batch []table.Change
				for range rapid.IntRange(1, 3).Draw(t, "changes") {
					key := rapid.SampledFrom(keys).Draw(t, "key")
					batch = append(batch, written(key, int64(len(log)+len(batch))))
				}
				dying := &crashing{
					API: db, at: rapid.IntRange(0, 4).Draw(t, "dies at"), committed: rapid.Bool().Draw(t, "committed"),
				}
				if newFeed(dying, name).Append(context.Background(), 0, batch) != nil {
					require.NoError(t, newFeed(db, name).Append(context.Background(), 0, batch))
				}
				log = append(log, batch...)
				positions = append(positions, position{now(t, db, name), len(log)})
			}
			limit := rapid.IntRange(4, 20).Draw(t, "limit")
			for _, p := range positions {
				changes, _ := readAll(t, newFeed(db, name), p.at, limit)
				require.True(t, inOrder(changes, log[p.appended:]), "from %d: %v is not in %v", p.appended, log[p.appended:], changes)
				last := map[state.Key]table.Change{}
				for _, c := range changes {
					last[c.Key] = c
				}
				for _, c := range log[p.appended:] {
					require.GreaterOrEqual(t, last[c.Key].Version, c.Version, "a replay must not be the last word")
				}
			}
		})
	})
}
