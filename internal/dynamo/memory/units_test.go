package memory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
)

// TestConsumed has the rules that DynamoDB Local does not report, or reports
// wrong; the conformance suite has the others.
func TestConsumed(t *testing.T) {
	long := func(bytes int) item { return item{"v": str(strings.Repeat("v", bytes))} }
	entry := item{"g": str("G"), "h": num(1)}
	never := aws.String("attribute_exists(absent)")
	type index = map[memory.Target]memory.Capacity
	own, keys, whole := memory.Target{Table: "table"}, memory.Target{Table: "table", Index: "keys"}, memory.Target{Table: "table", Index: "whole"}
	transact := func(w *world, items ...types.TransactWriteItem) error {
		_, err := w.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: items})
		return err
	}
	for name, c := range map[string]struct {
		do   func(*world) error
		want index
	}{
		"nothing": {func(*world) error { return nil }, index{}},
		"a put that fails on a 3 KB item": {func(w *world) error {
			_, err := w.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed("3KB"), ConditionExpression: never})
			return err
		}, index{own: {Write: 3}}},
		"a put of 3 KB that fails on nothing": {func(w *world) error {
			_, err := w.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed("absent", long(3000)), ConditionExpression: never})
			return err
		}, index{own: {Write: 1}}},
		"an update that fails": {func(w *world) error {
			_, err := w.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: table, Key: keyed("3KB"), UpdateExpression: aws.String("REMOVE v"), ConditionExpression: never})
			return err
		}, index{own: {Write: 3}}},
		"a delete that fails on an indexed item": {func(w *world) error {
			_, err := w.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: keyed("indexed"), ConditionExpression: never})
			return err
		}, index{own: {Write: 2}}},
		"an invalid request": {func(w *world) error {
			_, err := w.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: table, Key: keyed("3KB"), UpdateExpression: aws.String("SET a = b")})
			return err
		}, index{}},
		"an indexed item of 2 KB deleted": {func(w *world) error {
			_, err := w.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: keyed("indexed")})
			return err
		}, index{own: {Write: 2}, keys: {Write: 1}, whole: {Write: 2}}},
		"a transaction": {func(w *world) error {
			return transact(w,
				types.TransactWriteItem{Put: &types.Put{TableName: table, Item: keyed("new", entry, long(1500))}},                                                           // 2 + indexes 1 + 2
				types.TransactWriteItem{Update: &types.Update{TableName: table, Key: keyed("small"), UpdateExpression: aws.String("REMOVE a")}},                             // 1
				types.TransactWriteItem{Delete: &types.Delete{TableName: table, Key: keyed("absent")}},                                                                      // 1
				types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: table, Key: keyed("3KB"), ConditionExpression: aws.String("attribute_exists(v)")}}, // 3
			)
		}, index{own: {Write: 2 * (2 + 1 + 1 + 3)}, keys: {Write: 2}, whole: {Write: 4}}},
		"a canceled transaction": {func(w *world) error {
			return transact(w,
				types.TransactWriteItem{Put: &types.Put{TableName: table, Item: keyed("new", entry, long(1500))}},
				types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: table, Key: keyed("3KB"), ConditionExpression: never}},
			)
		}, index{own: {Write: 2 * (1 + 3)}}},
		"a batch of writes": {func(w *world) error {
			_, err := w.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"table": {
				{PutRequest: &types.PutRequest{Item: keyed("new", entry, long(1500))}}, {DeleteRequest: &types.DeleteRequest{Key: keyed("3KB")}}, {DeleteRequest: &types.DeleteRequest{Key: keyed("absent")}},
			}}})
			return err
		}, index{own: {Write: 2 + 3 + 1}, keys: {Write: 1}, whole: {Write: 2}}},
		"a batch of reads: each rounded up, the absent too": {func(w *world) error {
			_, err := w.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"table": {Keys: []item{keyed("small"), keyed("9KB"), keyed("absent")}}}})
			return err
		}, index{own: {Read: 0.5 + 1.5 + 0.5}}},
		"a consistent batch of reads": {func(w *world) error {
			_, err := w.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"table": {ConsistentRead: aws.Bool(true), Keys: []item{keyed("small"), keyed("9KB")}}}})
			return err
		}, index{own: {Read: 1 + 3}}},
		"a query that finds nothing": {func(w *world) error {
			_, err := w.Query(t.Context(), &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("pk = :x"), ExpressionAttributeValues: item{":x": str("nobody")}})
			return err
		}, index{own: {Read: 0.5}}},
		"a consistent query that finds nothing": {func(w *world) error {
			_, err := w.Query(t.Context(), &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("pk = :x"), ExpressionAttributeValues: item{":x": str("nobody")}, ConsistentRead: aws.Bool(true)})
			return err
		}, index{own: {Read: 1}}},
		"an index of keys that shows 2 KB items": {func(w *world) error { w.inIndex("keys"); return nil }, index{keys: {Read: 0.5}}},
		"expiry": {func(w *world) error {
			require.Equal(t, 1, w.ExpireItems(time.Unix(2000, 0)))
			return nil
		}, index{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)}})
			require.NoError(t, err)
			w.put(keyed("small", item{"ttl": num(1000)}))
			w.put(keyed("3KB", long(3000)))
			w.put(keyed("9KB", long(9000)))
			w.put(keyed("indexed", entry, long(2000)))
			w.ResetConsumed()
			err = c.do(w)
			if err != nil {
				require.NotContains(t, err.Error(), "not found")
			}
			got := w.Consumed()
			require.Equal(t, c.want, got.ByIndex)
			var sum memory.Capacity
			for _, c := range c.want {
				sum.Read, sum.Write = sum.Read+c.Read, sum.Write+c.Write
			}
			require.Equal(t, sum, got.Capacity)
			w.ResetConsumed()
			require.Empty(t, w.Consumed().ByIndex)
		})
	}
}

func TestConsumedOutlivesTheTable(t *testing.T) {
	w := newWorld(t)
	w.put(keyed("a"))
	_, err := w.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
	require.NoError(t, err)
	require.InDelta(t, 1, w.Consumed().Write, 0)
	_, err = w.CreateTable(t.Context(), tableInput("table"))
	require.NoError(t, err)
	w.put(keyed("a"))
	require.InDelta(t, 2, w.Consumed().Write, 0)
	w.ResetConsumed()
	require.Zero(t, w.Consumed().Write)
}

func TestAnswersTellWhatTransactionsConsumed(t *testing.T) {
	w := newWorld(t)
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String("token"), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
		TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: table, Item: keyed("a", item{"g": str("G"), "h": num(1)})}}},
	}
	out, err := w.TransactWriteItems(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []types.ConsumedCapacity{{
		TableName: table, CapacityUnits: aws.Float64(6), WriteCapacityUnits: aws.Float64(6),
		Table: &types.Capacity{CapacityUnits: aws.Float64(2), WriteCapacityUnits: aws.Float64(2)},
		GlobalSecondaryIndexes: map[string]types.Capacity{
			"keys":  {CapacityUnits: aws.Float64(2), WriteCapacityUnits: aws.Float64(2)},
			"whole": {CapacityUnits: aws.Float64(2), WriteCapacityUnits: aws.Float64(2)},
		},
	}}, out.ConsumedCapacity)

	// Done already: the same token costs a transactional read.
	out, err = w.TransactWriteItems(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, []types.ConsumedCapacity{{
		TableName: table, CapacityUnits: aws.Float64(2), ReadCapacityUnits: aws.Float64(2),
		Table: &types.Capacity{CapacityUnits: aws.Float64(2), ReadCapacityUnits: aws.Float64(2)},
	}}, out.ConsumedCapacity)
	require.Len(t, w.records, 1)

	// Ten minutes later the token is forgotten, and the same put changes nothing.
	w.now = w.now.Add(10 * time.Minute)
	out, err = w.TransactWriteItems(t.Context(), in)
	require.NoError(t, err)
	require.InDelta(t, 2, *out.ConsumedCapacity[0].WriteCapacityUnits, 0)
}

// TestTokenRemembersWhatWasAsked: changing a request after it was made does not
// change what its token stands for.
func TestTokenRemembersWhatWasAsked(t *testing.T) {
	w := newWorld(t)
	values := item{":x": num(1)}
	in := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String("token"),
		TransactItems:      []types.TransactWriteItem{{Update: &types.Update{TableName: table, Key: keyed("a"), UpdateExpression: aws.String("ADD n :x"), ExpressionAttributeValues: values}}},
	}
	_, err := w.TransactWriteItems(t.Context(), in)
	require.NoError(t, err)
	values[":x"] = num(2)
	_, err = w.TransactWriteItems(t.Context(), in)
	var mismatch *types.IdempotentParameterMismatchException
	require.ErrorAs(t, err, &mismatch)
}
