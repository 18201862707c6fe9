package memory_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo/memory"
)

var entry = item{"g": str("G"), "h": num(1)}

func TestIndexesDoNotLagUnlessTold(t *testing.T) {
	w := newWorld(t)
	w.put(keyed("a", entry))
	require.Equal(t, []string{"a"}, w.inIndex("keys"))
}

func TestIndexesLagByTheClock(t *testing.T) {
	lag := 3 * time.Second
	w := newWorld(t, memory.WithIndexLag(func(table, index string) time.Duration {
		require.Equal(t, "table", table)
		if index == "whole" {
			return 0
		}
		return lag
	}))
	w.put(keyed("a", entry))
	require.NotNil(t, w.get("a"), "the table itself never lags")
	require.Equal(t, []string{"a"}, w.inIndex("whole"), "the lag is each index's own")
	require.Empty(t, w.inIndex("keys"))
	w.now = w.now.Add(2999 * time.Millisecond)
	require.Empty(t, w.inIndex("keys"))
	w.now = w.now.Add(time.Millisecond)
	require.Equal(t, []string{"a"}, w.inIndex("keys"))

	// A removal lags too: the index shows what is gone.
	w.remove("a")
	require.Equal(t, []string{"a"}, w.inIndex("keys"))
	require.Empty(t, w.inIndex("whole"))
	w.now = w.now.Add(lag)
	require.Empty(t, w.inIndex("keys"))
}

func TestIndexesShowTheStateBeforeTheLastWritesUntilSettled(t *testing.T) {
	w := newWorld(t, memory.WithIndexLag(func(string, string) time.Duration { return memory.UntilSettled }))
	w.put(keyed("a", entry))
	w.SettleIndexes()
	w.put(keyed("b", entry))
	w.remove("a")
	w.now = w.now.Add(1000 * time.Hour)
	require.Equal(t, []string{"a"}, w.inIndex("keys"))
	w.SettleIndexes()
	require.Equal(t, []string{"b"}, w.inIndex("keys"))
}

func TestAnItemNeverGoesBackInAnIndex(t *testing.T) {
	lags := []time.Duration{10 * time.Second, time.Second, time.Second}
	w := newWorld(t, memory.WithIndexLag(func(_, index string) time.Duration {
		if index != "keys" {
			return 0
		}
		lag := lags[0]
		lags = lags[1:]
		return lag
	}))
	w.put(keyed("a", entry))         // visible after 10 s
	w.remove("a")                    // after 1 s, but not before the put
	w.put(keyed("overtakes", entry)) // another item need not wait
	w.now = w.now.Add(time.Second)
	require.Equal(t, []string{"overtakes"}, w.inIndex("keys"))
	w.now = w.now.Add(9 * time.Second)
	require.Equal(t, []string{"overtakes"}, w.inIndex("keys"), "put and removed again")
}

// TestLaggingIndexesShowSomePast: whatever the lags, an index shows each item as
// it was at some time, never before what it has shown, and all of it in the end.
func TestLaggingIndexesShowSomePast(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lags := rapid.SampledFrom([]time.Duration{0, time.Second, 2 * time.Second, 5 * time.Second})
		w := newWorld(t, memory.WithIndexLag(func(_, index string) time.Duration { return lags.Draw(rt, index) }))
		versions := map[string]int{} // how often each item was written
		shown := map[string]int{}    // the newest version that the index has shown
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"write", "write", "wait", "read"}).Draw(rt, "step") {
			case "write":
				sk := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "item")
				versions[sk]++
				w.put(keyed(sk, item{"g": str("G"), "h": num(versions[sk])}))
			case "wait":
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
			case "read":
				for sk, version := range w.versionsInIndex("keys") {
					require.LessOrEqual(rt, version, versions[sk])
					require.GreaterOrEqual(rt, version, shown[sk])
					shown[sk] = version
				}
				for sk := range shown {
					require.Contains(rt, w.versionsInIndex("keys"), sk)
				}
			}
		}
		w.now = w.now.Add(5 * time.Second)
		require.Equal(rt, versions, w.versionsInIndex("keys"))
		require.Equal(rt, versions, w.versionsInIndex("whole"))
	})
}

// versionsInIndex reads h of the items in an index; each must be there once.
func (w *world) versionsInIndex(index string) map[string]int {
	out := map[string]int{}
	sks := w.inIndex(index)
	for _, sk := range sks {
		require.Equal(w.t, 1, count(sks, sk), "%s is in the index twice", sk)
		out[sk] = w.rangeKeyInIndex(index, sk)
	}
	return out
}

func count(all []string, one string) int {
	return len(all) - len(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one }))
}

func (w *world) rangeKeyInIndex(index, sk string) int {
	for h := 0; ; h++ {
		require.Less(w.t, h, 100)
		if slices.Contains(w.inIndexAt(index, h), sk) {
			return h
		}
	}
}

func (w *world) inIndexAt(index string, h int) []string {
	w.t.Helper()
	out := w.query(index, "g = :g AND h = :h", item{":g": str("G"), ":h": num(h)})
	sks := make([]string, len(out))
	for i, it := range out {
		sks[i] = text(it["sk"])
	}
	return sks
}

func TestPendingChangesDoNotPileUpUnread(t *testing.T) {
	// An index that is written and never read keeps what is due only.
	w := newWorld(t, memory.WithIndexLag(func(string, string) time.Duration { return time.Second }))
	for i := range 1000 {
		w.put(keyed(fmt.Sprint(i), entry))
		w.now = w.now.Add(time.Second)
	}
	d := w.describe()
	for _, ix := range d.GlobalSecondaryIndexes {
		require.EqualValues(t, 999, *ix.ItemCount, "all but the last write has been applied")
	}
}

func TestReadsThatAreNotConsistentLag(t *testing.T) {
	lag := time.Second
	w := newWorld(t, memory.WithReadLag(func(table string) time.Duration {
		require.Equal(t, "table", table)
		return lag
	}))
	// seen is h of the item by each way to read it, 0 for no item.
	seen := func(consistent bool) []int {
		t.Helper()
		one, err := w.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: keyed("a"), ConsistentRead: &consistent})
		require.NoError(t, err)
		many, err := w.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			"table": {Keys: []item{keyed("a")}, ConsistentRead: &consistent},
		}})
		require.NoError(t, err)
		all, err := w.Query(t.Context(), &dynamodb.QueryInput{
			TableName: table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p")}, ConsistentRead: &consistent,
		})
		require.NoError(t, err)
		values := make([]int, 3)
		for i, items := range [][]item{{one.Item}, many.Responses["table"], all.Items} {
			for _, found := range items {
				if h, ok := found["h"].(*types.AttributeValueMemberN); ok {
					values[i], err = strconv.Atoi(h.Value)
					require.NoError(t, err)
				}
			}
		}
		return values
	}
	w.put(keyed("a", item{"h": num(1)}))
	require.Equal(t, []int{1, 1, 1}, seen(true))
	require.Equal(t, []int{0, 0, 0}, seen(false))
	w.now = w.now.Add(lag)
	require.Equal(t, []int{1, 1, 1}, seen(false))

	lag = memory.UntilSettled
	w.put(keyed("a", item{"h": num(2)}))
	w.remove("a")
	require.Equal(t, []int{0, 0, 0}, seen(true))
	require.Equal(t, []int{1, 1, 1}, seen(false))
	w.SettleIndexes()
	require.Equal(t, []int{0, 0, 0}, seen(false))
}
