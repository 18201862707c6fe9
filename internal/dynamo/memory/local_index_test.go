package memory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo/memory"
)

// newLocalWorld is a world whose table has a local index of keys, "local", by
// the number h, and a time to live.
func newLocalWorld(t *testing.T, options ...memory.Option) *world {
	w := newWorld(t, options...)
	_, err := w.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
	require.NoError(t, err)
	in := tableInput("table")
	in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{
		IndexName: aws.String("local"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("h"), KeyType: types.KeyTypeRange},
		},
	}}
	_, err = w.CreateTable(t.Context(), in)
	require.NoError(t, err)
	_, err = w.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
	})
	require.NoError(t, err)
	return w
}

// local queries the index for all of the partition p.
func (w *world) local(consistent bool, change ...func(*dynamodb.QueryInput)) *dynamodb.QueryOutput {
	w.t.Helper()
	in := &dynamodb.QueryInput{
		TableName: table, IndexName: aws.String("local"), KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: item{":p": str("p")}, ConsistentRead: &consistent,
	}
	for _, c := range change {
		c(in)
	}
	out, err := w.Query(w.t.Context(), in)
	require.NoError(w.t, err)
	return out
}

func fetched(in *dynamodb.QueryInput) { in.Select = types.SelectAllAttributes }

func sks(items []item) []string {
	out := []string{}
	for _, i := range items {
		out = append(out, text(i["sk"]))
	}
	return out
}

// TestLocalIndexesAreWrittenWithTheItem: the lag of indexes is that of global
// ones, for a local index is part of the item's own partition.
func TestLocalIndexesAreWrittenWithTheItem(t *testing.T) {
	w := newLocalWorld(t, memory.WithIndexLag(func(_, index string) time.Duration {
		require.NotEqual(t, "local", index)
		return memory.UntilSettled
	}))
	w.put(keyed("a", entry))
	for _, consistent := range []bool{true, false} {
		require.Equal(t, []string{"a"}, sks(w.local(consistent).Items))
	}
	require.Empty(t, w.inIndex("keys"))
}

func TestReadsOfLocalIndexesThatAreNotConsistentLag(t *testing.T) {
	lag := time.Second
	w := newLocalWorld(t, memory.WithReadLag(func(string) time.Duration { return lag }))
	w.put(keyed("a", entry))
	require.Equal(t, []string{"a"}, sks(w.local(true).Items))
	require.Empty(t, w.local(false).Items)
	w.now = w.now.Add(lag)
	require.Equal(t, []string{"a"}, sks(w.local(false).Items))

	lag = memory.UntilSettled
	w.remove("a")
	w.put(keyed("b", entry))
	require.Equal(t, []string{"b"}, sks(w.local(true, fetched).Items))
	require.Equal(t, []item{keyed("a", entry)}, w.local(false, fetched).Items, "what it fetches is as old as the index")
	w.SettleIndexes()
	require.Equal(t, []item{keyed("b", entry)}, w.local(false, fetched).Items)
}

// TestLaggingLocalIndexesShowSomePast: whatever the lags, a consistent read
// shows the items as they are, and another one shows each as it was at some
// time, never before what it has shown, index and item of the same time.
func TestLaggingLocalIndexesShowSomePast(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lags := rapid.SampledFrom([]time.Duration{0, time.Second, 2 * time.Second, 5 * time.Second})
		w := newLocalWorld(t, memory.WithReadLag(func(string) time.Duration { return lags.Draw(rt, "lag") }))
		written := map[string]int{}
		shown := map[string]int{}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"write", "write", "wait", "read"}).Draw(rt, "step") {
			case "write":
				sk := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "item")
				written[sk]++
				// Each second write leaves the index as it is.
				w.put(keyed(sk, item{"h": num(written[sk] / 2), "version": num(written[sk])}))
			case "wait":
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
			case "read":
				entries, items := w.local(false).Items, w.local(false, fetched).Items
				require.Len(rt, items, len(entries))
				for i, e := range entries {
					require.Equal(rt, e["sk"], items[i]["sk"])
					require.Equal(rt, e["h"], items[i]["h"])
					version := number(rt, items[i]["version"])
					require.LessOrEqual(rt, version, written[text(e["sk"])])
					require.GreaterOrEqual(rt, version, shown[text(e["sk"])])
					shown[text(e["sk"])] = version
				}
				require.Len(rt, entries, len(shown))
			}
			require.Equal(rt, written, versions(rt, w.local(true, fetched).Items))
		}
		w.now = w.now.Add(5 * time.Second)
		require.Equal(rt, written, versions(rt, w.local(false, fetched).Items))
	})
}

func number(t require.TestingT, v types.AttributeValue) int {
	var n int
	require.NoError(t, attributevalue.Unmarshal(v, &n))
	return n
}

func versions(t require.TestingT, items []item) map[string]int {
	out := map[string]int{}
	for _, i := range items {
		require.NotContains(t, out, text(i["sk"]))
		out[text(i["sk"])] = number(t, i["version"])
	}
	return out
}

func TestExpiredItemsLeaveLocalIndexes(t *testing.T) {
	w := newLocalWorld(t)
	w.put(keyed("a", entry, item{"ttl": num(int(w.now.Unix()))}))
	require.Equal(t, 1, w.ExpireItems(w.now))
	require.Empty(t, w.local(true).Items)
}

func TestFetchedItemsAreNotShared(t *testing.T) {
	w := newLocalWorld(t)
	w.put(sample())
	found := w.local(true, fetched).Items
	require.Len(t, found, 1)
	spoilItem(found[0])
	require.Equal(t, sample(), w.get("s"))
}

// TestConsumedByLocalIndexes has what DynamoDB Local reports wrong, or not at
// all: the conformance suite has the rest.
func TestConsumedByLocalIndexes(t *testing.T) {
	own, local := memory.Target{Table: "table"}, memory.Target{Table: "table", Index: "local"}
	type index = map[memory.Target]memory.Capacity
	for name, c := range map[string]struct {
		do   func(*world)
		want index
	}{
		"keys":                      {func(w *world) { w.local(false) }, index{local: {Read: 0.5}}},
		"keys, consistently":        {func(w *world) { w.local(true) }, index{local: {Read: 1}}},
		"items, each rounded up":    {func(w *world) { w.local(true, fetched) }, index{local: {Read: 1}, own: {Read: 1 + 3}}},
		"items, not consistently":   {func(w *world) { w.local(false, fetched) }, index{local: {Read: 0.5}, own: {Read: 0.5 + 1.5}}},
		"a projection that it has":  {func(w *world) { w.local(true, project("h, sk")) }, index{local: {Read: 1}}},
		"a projection beyond it":    {func(w *world) { w.local(true, project("h, v")) }, index{local: {Read: 1}, own: {Read: 1 + 3}}},
		"a query that finds nobody": {func(w *world) { w.local(true, fetched, nobody) }, index{local: {Read: 1}}},
		"a write of the item alone": {func(w *world) { w.update("small", "SET a = h", nil) }, index{own: {Write: 1}}},
		"a new range key":           {func(w *world) { w.update("small", "SET h = :x", item{":x": num(7)}) }, index{own: {Write: 1}, local: {Write: 2}}},
		"expiry":                    {func(w *world) { require.Equal(w.t, 1, w.ExpireItems(time.Unix(2000, 0))) }, index{}},
		"a transaction": {func(w *world) {
			_, err := w.TransactWriteItems(w.t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: table, Item: keyed("new", item{"h": num(1)})}},
			}})
			require.NoError(w.t, err)
		}, index{own: {Write: 2}, local: {Write: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newLocalWorld(t)
			w.put(keyed("small", item{"h": num(1), "ttl": num(1000)}))
			w.put(keyed("9KB", item{"h": num(2), "v": str(strings.Repeat("v", 9000))}))
			w.ResetConsumed()
			c.do(w)
			require.Equal(t, c.want, w.Consumed().ByIndex)
		})
	}
}

func project(expression string) func(*dynamodb.QueryInput) {
	return func(in *dynamodb.QueryInput) { in.ProjectionExpression = &expression }
}

func nobody(in *dynamodb.QueryInput) { in.ExpressionAttributeValues = item{":p": str("nobody")} }
