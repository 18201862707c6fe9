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
		{"a clock behind takes nothing away", 1, after(-100), 0, 500 * time.Millisecond},
		{"and gives nothing twice", 9, after(3), 2, 0},
		{"some of what came since", 1, after(5), 1, 0},
		{"a clock behind may take", 1, after(-100), 1, 0},
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
