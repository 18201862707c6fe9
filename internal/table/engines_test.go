package table_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/dynamotest"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func TestMain(m *testing.M) {
	// The tests wait for AWS's engine more than they compute, and it serves sixteen callers three times as fast as one.
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(dynamotest.Main(m))
}

// start is when the tests begin. Whole seconds, so that what is stored compares equal to what was put. It lies ahead: by its
// own clock AWS's engine deletes what has expired, now and then, and would do so in the middle of a test.
var start = time.Date(2126, time.November, 20, 9, 14, 7, 0, time.UTC)

// after is a moment of a test, in seconds.
func after(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

// onBoth runs a test of a store on both engines: the one in memory, which Blox's own tests and local mode use, and
// AWS's, which behaves as DynamoDB does. Each run has a table of its own.
func onBoth(t *testing.T, def schema.Table, test func(t *testing.T, db dynamo.API, name string)) {
	t.Helper()
	t.Parallel() // most of the time goes by in waiting for AWS's engine
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		db := memory.New(memory.WithClock(func() time.Time { return start }))
		require.NoError(t, table.Create(t.Context(), db, "blox", def))
		test(t, db, "blox")
	})
	t.Run("dynamodb-local", func(t *testing.T) {
		t.Parallel()
		db, name := dynamotest.ForTest(t), dynamotest.TableName(t, def.LogicalName)
		require.NoError(t, table.Create(t.Context(), db, name, def))
		test(t, db, name)
	})
}

// runs is how many of a property's runs an engine is asked to do: AWS's takes milliseconds for every call.
func runs(db dynamo.API) int {
	if _, ok := db.(*memory.DB); ok {
		return 1000
	}
	return 8
}

var errCrash = errors.New("crashed")

// crashing is a DynamoDB whose caller dies at a write: before it if committed is false, and else after it, not knowing
// that it was done. All later calls fail too.
type crashing struct {
	dynamo.API
	mu        sync.Mutex
	at        int // the write to die at, counted from 1; 0 is never
	committed bool
	writes    int
}

// alive says whether the write may be done, and whether its answer arrives.
func (c *crashing) alive() (do, answer bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	if c.at == 0 || c.writes < c.at {
		return true, true
	}
	return c.writes == c.at && c.committed, false
}

func write[I, O any](ctx context.Context, c *crashing, in *I, call func(context.Context, *I, ...func(*dynamodb.Options)) (*O, error)) (*O, error) {
	do, answer := c.alive()
	if !do {
		return nil, errCrash
	}
	out, err := call(ctx, in)
	if !answer {
		return nil, errCrash
	}
	return out, err
}

func (c *crashing) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return write(ctx, c, in, c.API.PutItem)
}

func (c *crashing) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return write(ctx, c, in, c.API.UpdateItem)
}

func (c *crashing) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return write(ctx, c, in, c.API.DeleteItem)
}

func (c *crashing) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return write(ctx, c, in, c.API.TransactWriteItems)
}

// crashPoints calls run for every place where a caller may die, until one has done all its writes.
func crashPoints(t *testing.T, db dynamo.API, run func(t *testing.T, db *crashing, point int)) {
	t.Helper()
	const maxWrites = 50
	point := 0
	for at := 1; at <= maxWrites; at++ {
		for _, committed := range []bool{false, true} {
			point++
			c := &crashing{API: db, at: at, committed: committed}
			run(t, c, point)
			if c.writes < at {
				require.Greater(t, at, 1, "there was no write to die at")
				return
			}
		}
	}
	require.Fail(t, "more writes than expected", "%d", maxWrites)
}

// between is a DynamoDB in which something else happens once: after the first call of a name, before its answer arrives.
type between struct {
	dynamo.API
	after string
	then  func()
}

func (b *between) called(name string) {
	if name == b.after {
		b.after = ""
		b.then()
	}
}

func (b *between) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	defer b.called("GetItem")
	return b.API.GetItem(ctx, in, opts...)
}

func (b *between) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	defer b.called("PutItem")
	return b.API.PutItem(ctx, in, opts...)
}

func (b *between) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	defer b.called("UpdateItem")
	return b.API.UpdateItem(ctx, in, opts...)
}
