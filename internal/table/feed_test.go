package table_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

func newFeed(db dynamo.API, name string) *table.Feed {
	return table.NewFeed(db, name, func() time.Time { return start })
}

// inShard are n keys of one shard of the feed.
func inShard(shard, n int) []state.Key {
	var keys []state.Key
	for i := 0; len(keys) < n && i < 100_000; i++ {
		if key := taskKey(id(i)); table.FeedShard(key) == shard {
			keys = append(keys, key)
		}
	}
	return keys
}

func written(key state.Key, version int64) table.Change {
	return table.Change{Key: key, Version: version, Reason: table.ReasonWritten}
}

// now is where the feed ends, not from any cache.
func now(t require.TestingT, db dynamo.API, name string) table.FeedPosition {
	text, err := newFeed(db, name).Position(context.Background())
	require.NoError(t, err)
	position, err := table.ParseFeedPosition(text)
	require.NoError(t, err)
	return position
}

// readAll reads from a position until there is nothing new, a few changes at a time.
func readAll(t require.TestingT, feed *table.Feed, from table.FeedPosition, limit int) ([]table.Change, table.FeedPosition) {
	var all []table.Change
	for {
		changes, next, err := feed.Read(context.Background(), from, limit)
		require.NoError(t, err)
		if len(changes) == 0 {
			require.Equal(t, from, next)
			return all, next
		}
		require.NotEqual(t, from, next)
		all = append(all, changes...)
		from = next
	}
}

func TestFeedGivesEverythingSinceAPosition(t *testing.T) {
	keys := inShard(0, 3)
	a, b, c := keys[0], keys[1], keys[2]
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		feed := newFeed(db, name)
		empty := now(t, db, name)
		require.Equal(t, table.FeedPosition{}, empty)
		changes, next, err := feed.Read(t.Context(), empty, 10)
		require.NoError(t, err)
		require.Empty(t, changes)
		require.Equal(t, empty, next)

		first := []table.Change{written(b, 1), {Key: c, Version: 7, Reason: table.ReasonStopped}, written(b, 2)}
		require.NoError(t, feed.Append(t.Context(), 0, first))
		middle := now(t, db, name)
		second := []table.Change{{Key: instanceOf(a), Version: 9, Reason: table.ReasonGone}, {Key: b, Version: 3, Reason: table.ReasonExpired}}
		require.NoError(t, feed.AppendAll(t.Context(), append(second, written(a, 4))))

		changes, _ = readAll(t, feed, middle, 1)
		require.ElementsMatch(t, append(second, written(a, 4)), changes)
		changes, end := readAll(t, feed, empty, 100)
		require.Len(t, changes, 6)
		require.Equal(t, now(t, db, name), end)
		changes, _ = readAll(t, feed, end, 100)
		require.Empty(t, changes)
		require.NoError(t, feed.Append(t.Context(), 0, nil))
		require.Equal(t, end, now(t, db, name), "nothing is no row")
	})
}

// instanceOf is a container instance whose id is a task's.
func instanceOf(key state.Key) state.Key {
	key.Kind = state.KindContainerInstance
	return key
}

func TestFeedCutsLongBatchesIntoRows(t *testing.T) {
	const n = 900
	key := inShard(0, 1)[0]
	var changes []table.Change
	for v := range n {
		changes = append(changes, written(key, int64(v+1)))
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		feed := newFeed(db, name)
		before := now(t, db, name)
		require.NoError(t, feed.Append(t.Context(), 0, changes))
		require.Equal(t, start.UnixMilli()+4, now(t, db, name)[0], "four rows, numbered from the feed's first moment")
		got, _ := readAll(t, feed, before, 1)
		require.Equal(t, changes, got)

		some, next, err := feed.Read(t.Context(), before, 10)
		require.NoError(t, err)
		require.Less(t, len(some), n, "a reader gets about what it asked for")
		rest, _ := readAll(t, feed, next, 10_000)
		require.Equal(t, changes, append(some, rest...))
	})
}

func TestFollowingTheFeed(t *testing.T) {
	key := inShard(0, 1)[0]
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		feed := newFeed(db, name)
		require.NoError(t, feed.Append(t.Context(), 0, []table.Change{written(key, 1)}))
		from := now(t, db, name)
		changes, next, err := feed.Follow(t.Context(), from, 10)
		require.NoError(t, err)
		require.Empty(t, changes)
		require.Equal(t, from, next)
		require.NoError(t, feed.Append(t.Context(), 0, []table.Change{written(key, 2)}))
		changes, next, err = feed.Follow(t.Context(), from, 10)
		require.NoError(t, err)
		require.Equal(t, []table.Change{written(key, 2)}, changes)
		require.Equal(t, now(t, db, name), next)
		changes, _, err = feed.Follow(t.Context(), table.FeedPosition{}, 10)
		require.NoError(t, err)
		require.Equal(t, []table.Change{written(key, 1), written(key, 2)}, changes, "from before there was any")

		// A head that is behind the position was read from a replica that is behind.
		ahead := next
		ahead[0]++
		changes, same, err := feed.Follow(t.Context(), ahead, 10)
		require.NoError(t, err)
		require.Empty(t, changes)
		require.Equal(t, ahead, same, "and the position does not go back")
		_, _, err = feed.Read(t.Context(), ahead, 10)
		require.ErrorIs(t, err, table.ErrExpired)

		deleteRow(t, db, name, 0, next[0])
		_, _, err = feed.Follow(t.Context(), from, 10)
		require.ErrorIs(t, err, table.ErrExpired)
		_, _, err = newFeed(db, "no-such-table").Follow(t.Context(), from, 10)
		require.ErrorContains(t, err, "heads of the feed")
	})
}

func TestFeedRowsOfLongKeysFitAnItem(t *testing.T) {
	var changes []table.Change
	for i := range 400 {
		key := taskKey(incompressible(i, 255))
		key.Cluster.Name = incompressible(1000+i, 255)
		changes = append(changes, written(key, int64(i)))
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		feed := newFeed(db, name)
		require.NoError(t, feed.AppendAll(t.Context(), changes))
		got, _ := readAll(t, feed, table.FeedPosition{}, 1000)
		require.ElementsMatch(t, changes, got)
	})
}

// deleteRow does what TTL does.
func deleteRow(t *testing.T, db dynamo.API, name string, shard int, row int64) {
	t.Helper()
	_, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &name, ConditionExpression: aws.String("attribute_exists(pk)"), Key: table.Item{
			"pk": &types.AttributeValueMemberS{Value: fmt.Sprintf("feed/%d", shard)},
			"sk": &types.AttributeValueMemberS{Value: fmt.Sprintf("%020d", row)},
		},
	})
	require.NoError(t, err)
}

func TestFeedSaysWhenAPositionIsTooOld(t *testing.T) {
	key := inShard(0, 1)[0]
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		feed := newFeed(db, name)
		var positions []table.FeedPosition
		for v := range 5 {
			positions = append(positions, now(t, db, name))
			require.NoError(t, feed.Append(t.Context(), 0, []table.Change{written(key, int64(v))}))
		}
		first := start.UnixMilli() + 1
		// DynamoDB deletes in no order: the third row goes before the first.
		deleteRow(t, db, name, 0, first+2)
		for i, position := range positions {
			_, next, err := feed.Read(t.Context(), position, 100)
			if i <= 2 {
				require.ErrorIs(t, err, table.ErrExpired, "position %d", i)
				require.Equal(t, position, next)
			} else {
				require.NoError(t, err, "position %d", i)
			}
		}
		for row := range int64(5) {
			if row != 2 {
				deleteRow(t, db, name, 0, first+row)
			}
		}
		_, _, err := feed.Read(t.Context(), positions[4], 100)
		require.ErrorIs(t, err, table.ErrExpired)
		changes, _ := readAll(t, feed, now(t, db, name), 100)
		require.Empty(t, changes, "whoever has read everything has missed nothing")
		require.NoError(t, feed.Append(t.Context(), 0, []table.Change{written(key, 6)}))
		changes, _ = readAll(t, feed, table.FeedPosition{0: first + 4}, 100)
		require.Equal(t, []table.Change{written(key, 6)}, changes)
	})
}

func TestFeedRowsExpireAndHeadsDoNot(t *testing.T) {
	db, time48h := memory.New(), start.Add(48*time.Hour)
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.State))
	feed := newFeed(db, "blox")
	before := now(t, db, "blox")
	require.NoError(t, feed.Append(t.Context(), 0, []table.Change{written(inShard(0, 1)[0], 1)}))
	end := now(t, db, "blox")
	require.Zero(t, db.ExpireItems(time48h.Add(-time.Second)))
	require.Equal(t, 1, db.ExpireItems(time48h.Add(time.Second)))
	require.Equal(t, end, now(t, db, "blox"))
	_, _, err := feed.Read(t.Context(), before, 10)
	require.ErrorIs(t, err, table.ErrExpired)
}

func TestFeedOfAReplacedTable(t *testing.T) {
	key := inShard(0, 1)[0]
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		old := newFeed(db, name)
		for v := range 3 {
			require.NoError(t, old.Append(t.Context(), 0, []table.Change{written(key, int64(v))}))
		}
		kept := now(t, db, name)
		replaced := name + "-replaced"
		require.NoError(t, table.Create(t.Context(), db, replaced, schema.State))
		feed := table.NewFeed(db, replaced, func() time.Time { return after(1) })
		_, _, err := feed.Read(t.Context(), kept, 10)
		require.ErrorIs(t, err, table.ErrExpired, "nothing was appended to it yet")
		for v := range 5 {
			require.NoError(t, feed.Append(t.Context(), 0, []table.Change{written(key, int64(v))}))
			_, _, err := feed.Read(t.Context(), kept, 10)
			require.ErrorIs(t, err, table.ErrExpired, "the old positions must not point into it")
		}
		_, _, err = feed.Read(t.Context(), table.FeedPosition{0: after(10).UnixMilli()}, 10)
		require.ErrorIs(t, err, table.ErrExpired, "beyond its end")
	})
}

func TestFeedRefusesWhatCouldNotBeReadBack(t *testing.T) {
	key := inShard(0, 1)[0]
	odd := key
	odd.ID = ""
	slash := key
	slash.ID = "a/b"
	unknown := key
	unknown.Kind = "service"
	cases := map[string]struct {
		shard   int
		change  table.Change
		message string
	}{
		"a shard below":  {-1, written(key, 1), "allowed are 0 to 0"},
		"a shard above":  {1, written(key, 1), "allowed are 0 to 0"},
		"no reason":      {0, table.Change{Key: key, Version: 1}, "allowed are expired, gone, stopped, written"},
		"no id":          {0, written(odd, 1), "invalid key"},
		"a slash":        {0, written(slash, 1), "invalid"},
		"a kind unknown": {0, written(unknown, 1), "invalid key"},
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		feed := newFeed(db, name)
		for title, c := range cases {
			require.ErrorContains(t, feed.Append(t.Context(), c.shard, []table.Change{c.change}), c.message, title)
		}
		require.Equal(t, table.FeedPosition{}, now(t, db, name))
		_, _, err := feed.Read(t.Context(), table.FeedPosition{}, 0)
		require.ErrorContains(t, err, "limit 0")
	})
}

func TestFeedPositionIsReadOnceASecond(t *testing.T) {
	key := inShard(0, 1)[0]
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		c := &clock{now: start}
		feed := table.NewFeed(db, name, c.Now)
		position := func() string {
			p, err := feed.Position(t.Context())
			require.NoError(t, err)
			return p
		}
		first := position()
		appendOne := func() {
			require.NoError(t, newFeed(db, name).Append(t.Context(), 0, []table.Change{written(key, 1)}))
		}
		appendOne()
		require.Equal(t, first, position())
		c.move(999 * time.Millisecond)
		require.Equal(t, first, position())
		c.move(time.Millisecond)
		second := position()
		require.NotEqual(t, first, second)
		appendOne()
		c.move(-time.Hour)
		require.NotEqual(t, second, position(), "a clock that was set back must not keep it for an hour")
	})
}

func TestFeedSaysWhatFailed(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, _ string) {
		feed := newFeed(db, "no-such-table")
		_, err := feed.Position(t.Context())
		require.ErrorContains(t, err, "heads of the feed")
		_, _, err = feed.Read(t.Context(), table.FeedPosition{}, 10)
		require.ErrorContains(t, err, "heads of the feed")
		err = feed.Append(t.Context(), 0, []table.Change{written(inShard(0, 1)[0], 1)})
		require.ErrorContains(t, err, "feed shard 0")
	})
}

func TestParseFeedPosition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var position table.FeedPosition
		for i := range position {
			position[i] = rapid.Int64Min(0).Draw(t, "row")
		}
		parsed, err := table.ParseFeedPosition(position.String())
		require.NoError(t, err)
		require.Equal(t, position, parsed)
	})
	for _, wrong := range []string{
		"", "0-0", "0-", "-0", "*", "00", "A", "+1", "-1", " 0", "zzzzzzzzzzzzz", strings.Repeat("1", 10_000),
	} {
		_, err := table.ParseFeedPosition(wrong)
		require.ErrorContains(t, err, "allowed is a position that Blox gave", wrong)
		require.Less(t, len(err.Error()), 300)
	}
}
