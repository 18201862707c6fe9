package table_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// made is calls that are made at a time.
type made struct {
	at time.Time
	n  int
}

// Whoever takes and reserves, and however they mix: in no stretch of time are more calls made than a bucket of ECS of
// the same burst and rate grants.
func TestNoMoreCallsThanTheBucketHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket := table.Bucket{
			Account: "1", Region: "r", Name: "read",
			PerSecond: rapid.SampledFrom([]float64{0.3, 1, 7, 10, 40}).Draw(t, "perSecond"),
			Burst:     rapid.SampledFrom([]float64{1, 1.5, 2, 3, 5, 12, 50, 100}).Draw(t, "burst"),
		}
		db := memory.New()
		require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
		d := table.NewDaemon(db, "daemon")
		var calls []made
		now := after(0)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			// Many at once, and then what was reserved is due: that is where a bucket would run over.
			if rapid.Bool().Draw(t, "later") {
				most := int(5000 * bucket.Burst / bucket.PerSecond)
				now = now.Add(time.Duration(rapid.IntRange(0, most).Draw(t, "millis")) * time.Millisecond)
			}
			n := rapid.SampledFrom([]int{1, 2, 5, 15, 100}).Draw(t, "n")
			take := d.TakeCalls
			if rapid.Bool().Draw(t, "reserve") {
				take = d.ReserveCalls
			}
			granted, wait, err := take(t.Context(), bucket, n, now)
			require.NoError(t, err)
			require.LessOrEqual(t, granted, n)
			if granted > 0 {
				calls = append(calls, made{now.Add(wait), granted})
			} else {
				require.Positive(t, wait)
			}
		}
		requireWithin(t, bucket, calls)
	})
}

func requireWithin(t require.TestingT, bucket table.Bucket, calls []made) {
	slices.SortFunc(calls, func(a, b made) int { return a.at.Compare(b.at) })
	for i := range calls {
		sum := 0
		for _, call := range calls[i:] {
			sum += call.n
			allowed := bucket.Burst + bucket.PerSecond*call.at.Sub(calls[i].at).Seconds()
			require.LessOrEqual(t, float64(sum), allowed+0.001, "from %s to %s", calls[i].at, call.at)
		}
	}
}

// While blocks wait for their time ECS's bucket fills, and what runs over is gone: it must not be counted on afterwards.
func TestABucketThatRunsOverIsNotCountedOn(t *testing.T) {
	db := memory.New()
	require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
	d := table.NewDaemon(db, "daemon")
	var calls []made
	last := after(0)
	for range 20 {
		granted, wait, err := d.ReserveCalls(t.Context(), bucket, 99, after(0))
		require.NoError(t, err)
		if granted > 0 {
			last = after(0).Add(wait)
			calls = append(calls, made{last, granted})
		}
	}
	granted, _, err := d.TakeCalls(t.Context(), bucket, 99, last)
	require.NoError(t, err)
	requireWithin(t, bucket, append(calls, made{last, granted}))
}

// costly counts what the budget costs; each answer takes a few milliseconds.
type costly struct {
	dynamo.API
	puts, gets atomic.Int64
}

func (c *costly) PutItem(
	ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	c.puts.Add(1)
	_ = ecsapi.Pause(ctx, 5*time.Millisecond)
	return c.API.PutItem(ctx, in, o...)
}

func (c *costly) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	c.gets.Add(1)
	_ = ecsapi.Pause(ctx, 3*time.Millisecond)
	return c.API.GetItem(ctx, in, o...)
}

// Reconcile with all its might, in one process and in ten: it gets the whole rate, a driver beside it gets each describe
// that it asks for, and one write pays for a block.
func TestReconcileAndDriveShareTheReads(t *testing.T) {
	const seconds, block = 60, 10
	share := ecsapi.ReadShare(10)
	bucket := table.Bucket{Account: "1", Region: "r", Name: "read", PerSecond: share.PerSecond, Burst: share.Burst}
	for _, processes := range []int{1, 10} {
		synctest.Test(t, func(t *testing.T) {
			db := &costly{API: memory.New()}
			require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
			ctx, cancel := context.WithTimeout(t.Context(), seconds*time.Second)
			defer cancel()
			var calls, failures atomic.Int64
			var all sync.WaitGroup
			for i := range processes {
				d := table.NewDaemon(db, "daemon")
				budget := &ecsapi.Budget{Block: block, Pause: ecsapi.Pause, Take: func(ctx context.Context, n int) (int, time.Duration, error) {
					return d.ReserveCalls(ctx, bucket, n, time.Now())
				}}
				all.Go(func() {
					_ = ecsapi.Pause(ctx, time.Duration(i)*40*time.Millisecond) // processes do not start in one moment
					for ctx.Err() == nil {
						switch err := budget.Wait(ctx, 1); {
						case err == nil:
							calls.Add(1)
							_ = ecsapi.Pause(ctx, 20*time.Millisecond)
						case ctx.Err() == nil:
							failures.Add(1)
						}
					}
				})
			}
			asked, refused := 0, 0
			all.Go(func() {
				d := table.NewDaemon(&costly{API: db.API}, "daemon")
				for ctx.Err() == nil {
					wait, err := d.TakeCallsTogether(ctx, bucket, 1, time.Now())
					if asked++; err != nil || wait > 0 {
						refused++
					}
					_ = ecsapi.Pause(ctx, time.Second)
				}
			})
			all.Wait()
			t.Logf("%d processes, %d s: %d calls, %d writes, %d reads; a driver asked for %d and was refused %d",
				processes, seconds, calls.Load(), db.puts.Load(), db.gets.Load(), asked, refused)
			require.Zero(t, failures.Load())
			require.Zero(t, refused, "of %d describes of a driver", asked)
			require.InDelta(t, 9*seconds+share.Burst, calls.Load(), 0.1*10*seconds, "a driver's describes are a tenth")
			require.Less(t, db.puts.Load(), calls.Load()/block*13/10+int64(processes))
			require.Less(t, db.gets.Load(), calls.Load()/block*15/10+int64(processes))
		})
	}
}
