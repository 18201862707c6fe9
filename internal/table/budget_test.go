package table_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

var bucket = table.Bucket{Account: "210987654321", Region: "eu-west-1", Name: "modify", PerSecond: 2, Burst: 10}

func TestTakeCalls(t *testing.T) {
	steps := []struct {
		title   string
		n       int
		at      time.Time
		granted int
		wait    time.Duration
	}{
		{"a full bucket has its burst", 4, after(0), 4, 0},
		{"what is left is granted", 50, after(0), 6, 0},
		{"then nothing", 1, after(0), 0, 500 * time.Millisecond},
		{"half a call is none", 1, after(0).Add(250 * time.Millisecond), 0, 250 * time.Millisecond},
		{"it fills again", 9, after(2), 4, 0},
		{"a clock behind takes nothing away", 1, after(1), 0, 500 * time.Millisecond},
		{"and gives nothing twice", 9, after(3), 2, 0},
		{"some of what came since", 1, after(5), 1, 0},
		{"a clock behind may take", 1, after(4), 1, 0},
		{"and does not make time begin again", 9, after(5), 2, 0},
		{"never more than the burst", 99, after(1000), 10, 0},
	}
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		for _, step := range steps {
			granted, wait, err := d.TakeCalls(t.Context(), bucket, step.n, step.at)
			require.NoError(t, err, step.title)
			require.Equal(t, step.granted, granted, step.title)
			require.Equal(t, step.wait, wait, step.title)
		}
		wait, err := d.TakeCallsTogether(t.Context(), bucket, 3, after(1000))
		require.NoError(t, err)
		require.Equal(t, 1500*time.Millisecond, wait)
		wait, err = d.TakeCallsTogether(t.Context(), bucket, 3, after(1001).Add(500*time.Millisecond))
		require.NoError(t, err)
		require.Zero(t, wait, "nothing was taken before there were three")
		_, err = d.TakeCallsTogether(t.Context(), bucket, 11, after(1002))
		require.ErrorContains(t, err, "11 calls of bucket modify together: it holds at most 10")
		others := []table.Bucket{
			{Account: "111111111111", Region: bucket.Region, Name: bucket.Name, PerSecond: 2, Burst: 10},
			{Account: bucket.Account, Region: "us-east-1", Name: bucket.Name, PerSecond: 2, Burst: 10},
			{Account: bucket.Account, Region: bucket.Region, Name: "read", PerSecond: 2, Burst: 10},
		}
		for _, other := range others {
			granted, _, err := d.TakeCalls(t.Context(), other, 3, after(0))
			require.NoError(t, err)
			require.Equal(t, 3, granted, "%s has its own", other)
		}
	})
}

func TestAContestForCallsGrantsNoneTwice(t *testing.T) {
	const takers = 12
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		var granted atomic.Int64
		var done sync.WaitGroup
		for range takers {
			done.Go(func() {
				n, wait, err := d.TakeCalls(t.Context(), bucket, 2, after(0))
				if err != nil || (n == 0) != (wait > 0) {
					t.Errorf("granted %d, wait %s: %v", n, wait, err)
				}
				granted.Add(int64(n))
			})
		}
		done.Wait()
		require.LessOrEqual(t, granted.Load(), int64(bucket.Burst))
		require.Positive(t, granted.Load())
		left, _, err := d.TakeCalls(t.Context(), bucket, 100, after(0))
		require.NoError(t, err)
		require.Equal(t, int64(bucket.Burst), granted.Load()+int64(left), "none got lost")
	})
}

// Whoever counted what is left before another took it counts again.
func TestCallsTakenMeanwhileAreGone(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		other := table.NewDaemon(db, name)
		granted, _, err := other.TakeCalls(t.Context(), bucket, 1, after(0))
		require.NoError(t, err)
		require.Equal(t, 1, granted)
		slow := table.NewDaemon(&between{API: db, after: "GetItem", then: func() {
			granted, _, err := other.TakeCalls(t.Context(), bucket, 7, after(0))
			require.NoError(t, err)
			require.Equal(t, 7, granted)
		}}, name)
		granted, _, err = slow.TakeCalls(t.Context(), bucket, 5, after(0))
		require.NoError(t, err)
		require.Equal(t, 2, granted)
	})
}

// A clock that was a year ahead must not stop a bucket until then.
func TestAClockAheadIsNotBelieved(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		granted, _, err := d.TakeCalls(t.Context(), bucket, 10, after(0).AddDate(1, 0, 0))
		require.NoError(t, err)
		require.Equal(t, 10, granted)
		for _, step := range []struct {
			at      time.Time
			granted int
		}{{after(0), 0}, {after(1), 0}, {after(2), 2}} {
			granted, _, err := d.TakeCalls(t.Context(), bucket, 10, step.at)
			require.NoError(t, err)
			require.Equal(t, step.granted, granted, step.at)
		}
	})
}

func TestReservedCallsAreEarnedInTurn(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		for _, step := range []struct {
			title   string
			n       int
			granted int
			wait    time.Duration
		}{
			{"what is shared is there at once, in blocks", 99, 3, 0},
			{"and another one", 3, 3, 0},
			{"the next wait until theirs has come in, at four fifths of the rate", 3, 3, 625 * time.Millisecond},
			{"behind each other", 3, 3, 2500 * time.Millisecond},
			{"behind each other", 3, 3, 4375 * time.Millisecond},
			{"behind each other", 3, 3, 6250 * time.Millisecond},
			{"behind each other", 3, 3, 8125 * time.Millisecond},
			{"behind each other", 3, 3, 10 * time.Second},
			{"behind each other", 3, 3, 11875 * time.Millisecond},
			{"a small one fits in", 1, 1, 12500 * time.Millisecond},
			{"nobody is taken in beyond two bursts", 2, 0, 1250 * time.Millisecond},
		} {
			granted, wait, err := d.ReserveCalls(t.Context(), bucket, step.n, after(0))
			require.NoError(t, err, step.title)
			require.Equal(t, step.granted, granted, step.title)
			require.Equal(t, step.wait, wait, step.title)
		}
		granted, _, err := d.TakeCalls(t.Context(), bucket, 9, after(0))
		require.NoError(t, err)
		require.Equal(t, 2, granted, "a fifth is kept")
		granted, wait, err := d.TakeCalls(t.Context(), bucket, 1, after(0))
		require.NoError(t, err)
		require.Zero(t, granted)
		require.Equal(t, 2500*time.Millisecond, wait, "and fills with a fifth of the rate")
		granted, _, err = d.TakeCalls(t.Context(), bucket, 1, after(0).Add(wait))
		require.NoError(t, err)
		require.Equal(t, 1, granted)
	})
}
