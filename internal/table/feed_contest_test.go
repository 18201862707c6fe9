package table_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// latent is a DynamoDB that takes some milliseconds for each call, of the time of a synctest bubble.
type latent struct {
	dynamo.API
	mu     sync.Mutex
	random *rand.Rand
}

func (l *latent) between(from, to time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return from + time.Duration(l.random.Int64N(int64(to-from)))
}

func (l *latent) takeTime() { <-time.After(l.between(2*time.Millisecond, 4*time.Millisecond)) }

func (l *latent) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	l.takeTime()
	return l.API.GetItem(ctx, in, opts...)
}

func (l *latent) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	l.takeTime()
	return l.API.PutItem(ctx, in, opts...)
}

func (l *latent) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	l.takeTime()
	return l.API.UpdateItem(ctx, in, opts...)
}

// Each shard of the stream has a reader that writes to the feed. The tries that they lose to each other cost units too.
func TestWritersThatContestForRows(t *testing.T) {
	const appends = 40
	for _, tc := range []struct {
		writers int
		most    float64 // units for each row
	}{{1, 3}, {4, 6}, {8, 8}} {
		db := memory.New()
		require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
		// The first row also makes the compression's encoder, whose channels would belong to the bubble.
		require.NoError(t, newFeed(db, "state").AppendAll(t.Context(), []table.Change{written(inShard(0, 1)[0], 0)}))
		db.ResetConsumed()
		synctest.Test(t, func(t *testing.T) {
			slow := &latent{API: db, random: rand.New(rand.NewPCG(1, 2))} //nolint:gosec // the same each time
			feed := table.NewFeed(slow, "state", time.Now).WithPause(func(_ context.Context, most time.Duration) error {
				<-time.After(slow.between(0, most))
				return nil
			})
			var done sync.WaitGroup
			for _, key := range inShard(0, tc.writers) {
				done.Go(func() {
					for v := range int64(appends) {
						if err := feed.AppendAll(t.Context(), []table.Change{written(key, v)}); err != nil {
							t.Errorf("appending version %d of %s: %v", v, key, err)
						}
					}
				})
			}
			began := time.Now()
			done.Wait()
			rows := float64(tc.writers * appends)
			used := db.Consumed()
			perRow := (used.Read + used.Write) / rows
			t.Logf("%d writers: %.2f units and %s a row", tc.writers, perRow, time.Since(began)/time.Duration(rows))
			require.LessOrEqual(t, perRow, tc.most)
		})
	}
}
