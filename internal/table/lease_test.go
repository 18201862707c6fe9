package table_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

const hold = time.Minute

func acquire(t *testing.T, d *table.Daemon, owner string, now time.Time) table.Lease {
	t.Helper()
	lease, _, err := d.AcquireLease(t.Context(), "e1", owner, now, hold)
	require.NoError(t, err)
	return lease
}

func TestALeaseHasOneHolder(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		one, crashed, err := d.AcquireLease(t.Context(), "e1", "one", after(0), hold)
		require.NoError(t, err)
		require.False(t, crashed)
		require.Equal(t, table.Lease{EnvironmentID: "e1", Owner: "one", Epoch: 1, ExpiresAt: after(60).UnixMilli()}, one)
		_, _, err = d.AcquireLease(t.Context(), "e1", "two", after(59), hold)
		require.ErrorIs(t, err, table.ErrConflict)
		require.NoError(t, d.CheckLease(t.Context(), one))

		// It expired without having been given back: whoever held it has died.
		two, crashed, err := d.AcquireLease(t.Context(), "e1", "two", after(60), hold)
		require.NoError(t, err)
		require.True(t, crashed)
		require.Equal(t, table.Lease{EnvironmentID: "e1", Owner: "two", Epoch: 2, ExpiresAt: after(120).UnixMilli()}, two)
		require.ErrorIs(t, d.CheckLease(t.Context(), one), table.ErrConflict)
		_, _, err = d.RenewLease(t.Context(), one, after(61), hold)
		require.ErrorIs(t, err, table.ErrConflict)
		clean, err := d.ReleaseLease(t.Context(), one)
		require.NoError(t, err)
		require.True(t, clean, "a lease that was lost is nothing to go on with")
		require.NoError(t, d.CheckLease(t.Context(), two))
		_, _, err = d.AcquireLease(t.Context(), "e2", "one", after(0), hold)
		require.NoError(t, err, "another environment has another lease")
	})
}

func TestALeaseGivenBackIsFree(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		one := acquire(t, d, "one", after(0))
		clean, err := d.ReleaseLease(t.Context(), one)
		require.NoError(t, err)
		require.True(t, clean)
		two, crashed, err := d.AcquireLease(t.Context(), "e1", "two", after(1), hold)
		require.NoError(t, err)
		require.False(t, crashed)
		require.Equal(t, one.Epoch+1, two.Epoch, "the epoch goes on, or a sleeper could take itself for the holder")
	})
}

func TestRenewLeaseProlongsIt(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		one := acquire(t, d, "one", after(0))
		renewed, dirt, err := d.RenewLease(t.Context(), one, after(50), hold)
		require.NoError(t, err)
		require.True(t, dirt.Clean())
		require.Equal(t, one.Epoch, renewed.Epoch)
		require.Equal(t, after(110).UnixMilli(), renewed.ExpiresAt)
		_, _, err = d.AcquireLease(t.Context(), "e1", "two", after(109), hold)
		require.ErrorIs(t, err, table.ErrConflict)
	})
}

// What comes while a lease is held must reach its holder before the lease is given back.
func TestDirtReachesTheHolder(t *testing.T) {
	a, b, c := instanceKey(id(1)), instanceKey(id(2)), instanceKey(id(3))
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		require.ErrorIs(t, d.MarkDirty(t.Context(), "e1", nil, after(0)), table.ErrConflict, "nobody holds it")
		require.ErrorIs(t, d.MarkDirty(t.Context(), "e1", []state.Key{a}, after(0)), table.ErrConflict)
		lease := acquire(t, d, "one", after(0))
		require.NoError(t, d.MarkDirty(t.Context(), "e1", []state.Key{b, a, b}, after(1)))
		require.NoError(t, d.MarkDirty(t.Context(), "e1", []state.Key{c, a}, after(2)))

		clean, err := d.ReleaseLease(t.Context(), lease)
		require.NoError(t, err)
		require.False(t, clean)
		_, _, err = d.AcquireLease(t.Context(), "e1", "two", after(3), hold)
		require.ErrorIs(t, err, table.ErrConflict, "it is kept while there is something to do")

		lease, dirt, err := d.RenewLease(t.Context(), lease, after(4), hold)
		require.NoError(t, err)
		require.False(t, dirt.All)
		slices.SortFunc(dirt.Instances, state.Key.Compare)
		require.Equal(t, []state.Key{a, b, c}, dirt.Instances)
		lease, dirt, err = d.RenewLease(t.Context(), lease, after(5), hold)
		require.NoError(t, err)
		require.True(t, dirt.Clean(), "it is taken once")

		require.NoError(t, d.MarkDirty(t.Context(), "e1", nil, after(6)))
		clean, err = d.ReleaseLease(t.Context(), lease)
		require.NoError(t, err)
		require.False(t, clean)
		_, dirt, err = d.RenewLease(t.Context(), lease, after(7), hold)
		require.NoError(t, err)
		require.Equal(t, table.Dirt{All: true}, dirt)
		clean, err = d.ReleaseLease(t.Context(), lease)
		require.NoError(t, err)
		require.True(t, clean)
		require.ErrorIs(t, d.MarkDirty(t.Context(), "e1", []state.Key{a}, after(8)), table.ErrConflict, "it was given back")
	})
}

func TestDirtOutlivesAHolderThatDied(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		acquire(t, d, "one", after(0))
		require.NoError(t, d.MarkDirty(t.Context(), "e1", []state.Key{instanceKey(id(1))}, after(1)))
		require.ErrorIs(t, d.MarkDirty(t.Context(), "e1", nil, after(60)), table.ErrConflict, "it has expired")
		two := acquire(t, d, "two", after(60))
		_, dirt, err := d.RenewLease(t.Context(), two, after(61), hold)
		require.NoError(t, err)
		require.Equal(t, []state.Key{instanceKey(id(1))}, dirt.Instances)
	})
}

func TestManyMarksBecomeEverything(t *testing.T) {
	many := func(from, n int) []state.Key {
		keys := make([]state.Key, n)
		for i := range keys {
			keys[i] = instanceKey(id(from + i))
		}
		return keys
	}
	cases := map[string]struct {
		marks [][]state.Key
		all   bool
	}{
		"a hundred":              {[][]state.Key{many(0, 100)}, false},
		"more at once":           {[][]state.Key{many(0, 101)}, true},
		"more one by one":        {[][]state.Key{many(0, 60), many(60, 60), many(120, 1)}, true},
		"the same over and over": {[][]state.Key{many(0, 60), many(0, 60), many(0, 60)}, false},
	}
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		for title, c := range cases {
			t.Run(title, func(t *testing.T) {
				lease, _, err := d.AcquireLease(t.Context(), title, "one", after(0), hold)
				require.NoError(t, err)
				for _, marks := range c.marks {
					require.NoError(t, d.MarkDirty(t.Context(), title, marks, after(1)))
				}
				_, dirt, err := d.RenewLease(t.Context(), lease, after(2), hold)
				require.NoError(t, err)
				require.Equal(t, c.all, dirt.All)
				require.LessOrEqual(t, len(dirt.Instances), 200)
			})
		}
	})
}

func TestDropLease(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		one := acquire(t, d, "one", after(0))
		two := acquire(t, d, "two", after(60))
		require.NoError(t, d.DropLease(t.Context(), one), "a lost one is left alone")
		require.NoError(t, d.CheckLease(t.Context(), two))
		require.NoError(t, d.DropLease(t.Context(), two))
		require.ErrorIs(t, d.CheckLease(t.Context(), two), table.ErrNotFound)
		require.NoError(t, d.DropLease(t.Context(), two))
		clean, err := d.ReleaseLease(t.Context(), two)
		require.NoError(t, err)
		require.True(t, clean)
		require.Empty(t, contents(t, db, name))
	})
}

func TestOneOfManyTakesTheLease(t *testing.T) {
	const drivers = 8
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		var took atomic.Int32
		var done sync.WaitGroup
		for n := range drivers {
			done.Go(func() {
				if _, _, err := d.AcquireLease(t.Context(), "e1", fmt.Sprint("driver ", n), after(0), hold); err == nil {
					took.Add(1)
				}
			})
		}
		done.Wait()
		require.Equal(t, int32(1), took.Load())
	})
}

// The SDK tries again when an answer is lost, and the first try may have been carried out.
func TestALostAnswerLosesNoWork(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		acquire(t, d, "one", after(0))
		lease, crashed, err := d.AcquireLease(t.Context(), "e1", "one", after(0), hold)
		require.NoError(t, err, "its own lease does not keep a driver out")
		require.True(t, crashed, "and nothing is known of what came in between")
		_, _, err = d.AcquireLease(t.Context(), "e1", "two", after(0), hold)
		require.ErrorIs(t, err, table.ErrConflict)

		require.NoError(t, d.MarkDirty(t.Context(), "e1", []state.Key{instanceKey("a")}, after(1)))
		_, first, err := d.RenewLease(t.Context(), lease, after(1), hold)
		require.NoError(t, err)
		require.Len(t, first.Instances, 1)
		_, second, err := d.RenewLease(t.Context(), lease, after(1), hold)
		require.NoError(t, err)
		require.True(t, second.All, "what the first try took is not known any more")
	})
}

func TestTheNextWakeUpIsRemembered(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		lease := acquire(t, d, "one", after(0))
		require.Zero(t, lease.WakeAt)
		lease, err := d.SetWake(t.Context(), lease, after(30))
		require.NoError(t, err)
		clean, err := d.ReleaseLease(t.Context(), lease)
		require.NoError(t, err)
		require.True(t, clean)
		next := acquire(t, d, "two", after(1))
		require.Equal(t, after(30).UnixMilli(), next.WakeAt)
		_, err = d.SetWake(t.Context(), lease, after(60))
		require.ErrorIs(t, err, table.ErrConflict, "the lease is another's")
	})
}
