package memory_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
)

// history runs a fixed script and returns all that the DB said, as text.
func history(t *testing.T, seed uint64) string {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a script, not a secret
	var said []any
	for range 300 {
		// Several faults in one request: the same one must be reported.
		values := item{":a": &types.AttributeValueMemberN{Value: "x"}, ":b": &types.AttributeValueMemberSS{}, ":c": num(1)}
		if random.IntN(4) > 0 {
			values = item{":c": num(random.IntN(5)), ":d": str("G")}
		}
		_, err := w.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: table, Key: keyed(fmt.Sprint(random.IntN(20))),
			UpdateExpression: aws.String("SET h = :c, g = :d, x = :c"), ExpressionAttributeValues: values,
		})
		said = append(said, fmt.Sprint(err))
		_, err = w.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
			"table": {{PutRequest: &types.PutRequest{Item: keyed(fmt.Sprint(random.IntN(20)))}}}, "zzz": {{}}, "aaa": {{}},
		}})
		said = append(said, fmt.Sprint(err))
		said = append(said, w.inIndex("whole"), w.ExpireItems(w.now))
	}
	text, err := json.Marshal([]any{said, w.records})
	require.NoError(t, err)
	return string(text)
}

func TestSameCallsSameAnswers(t *testing.T) {
	first := history(t, 7)
	for range 5 {
		require.Equal(t, first, history(t, 7))
	}
	require.NotEqual(t, first, history(t, 8))
}

func newBenchmark(b *testing.B) *memory.DB {
	db := memory.New(memory.WithStream(func(string, events.DynamoDBEventRecord) {}))
	_, err := db.CreateTable(b.Context(), tableInput("table"))
	require.NoError(b, err)
	for i := range 10_000 {
		_, err := db.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed(fmt.Sprintf("s%06d", i), item{"g": str("G"), "h": num(i % 100), "v": num(0)})})
		require.NoError(b, err)
	}
	b.ResetTimer()
	return db
}

// BenchmarkUpdate is a conditional update of one of 10,000 items of a partition,
// with two indexes and a stream.
func BenchmarkUpdate(b *testing.B) {
	db := newBenchmark(b)
	for i := range b.N {
		_, err := db.UpdateItem(b.Context(), &dynamodb.UpdateItemInput{
			TableName: table, Key: keyed(fmt.Sprintf("s%06d", i%10_000)),
			UpdateExpression: aws.String("SET v = :v, h = :h"), ConditionExpression: aws.String("attribute_not_exists(pk) OR v < :v"),
			ExpressionAttributeValues: item{":v": num(i + 1), ":h": num(i % 101)},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	db := newBenchmark(b)
	for i := range b.N {
		_, err := db.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: table, Key: keyed(fmt.Sprintf("s%06d", i%10_000))})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkQuery reads a page of 100 items.
func BenchmarkQuery(b *testing.B) {
	db := newBenchmark(b)
	for b.Loop() {
		_, err := db.Query(b.Context(), &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p")}, Limit: aws.Int32(100)})
		if err != nil {
			b.Fatal(err)
		}
	}
}
