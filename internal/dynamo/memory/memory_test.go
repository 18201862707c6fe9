package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/internal/dynamo/memory"
)

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n int) types.AttributeValue    { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

// keyed returns an item with the key p and sk.
func keyed(sk string, attributes ...item) item {
	out := item{"pk": str("p"), "sk": str(sk)}
	for _, a := range attributes {
		for name, v := range a {
			out[name] = v
		}
	}
	return out
}

// tableInput is a table with a stream and two indexes on g and h: one of keys,
// one of everything.
func tableInput(name string) *dynamodb.CreateTableInput {
	key := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange}}
	}
	define := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	return &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: key("pk", "sk"),
		AttributeDefinitions: []types.AttributeDefinition{define("pk", "S"), define("sk", "S"), define("g", "S"), define("h", "N")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String("keys"), KeySchema: key("g", "h"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
			{IndexName: aws.String("whole"), KeySchema: key("g", "h"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
		},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	}
}

// world is a DB with a table "table", a clock that stands still, and the change
// records so far.
type world struct {
	*memory.DB
	t       *testing.T
	now     time.Time
	records []events.DynamoDBEventRecord
}

func newWorld(t *testing.T, options ...memory.Option) *world {
	w := &world{t: t, now: time.Date(2026, 11, 23, 14, 0, 0, 500, time.UTC)}
	options = append([]memory.Option{
		memory.WithClock(func() time.Time { return w.now }),
		memory.WithStream(func(table string, record events.DynamoDBEventRecord) {
			require.Equal(t, "table", table)
			w.records = append(w.records, record)
		}),
	}, options...)
	w.DB = memory.New(options...)
	_, err := w.CreateTable(t.Context(), tableInput("table"))
	require.NoError(t, err)
	return w
}

var table = aws.String("table")

func (w *world) put(i item) {
	w.t.Helper()
	_, err := w.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: table, Item: i})
	require.NoError(w.t, err)
}

func (w *world) get(sk string) item {
	w.t.Helper()
	out, err := w.GetItem(w.t.Context(), &dynamodb.GetItemInput{TableName: table, Key: keyed(sk)})
	require.NoError(w.t, err)
	return out.Item
}

func (w *world) update(sk, expression string, values item) {
	w.t.Helper()
	_, err := w.UpdateItem(w.t.Context(), &dynamodb.UpdateItemInput{TableName: table, Key: keyed(sk), UpdateExpression: &expression, ExpressionAttributeValues: values})
	require.NoError(w.t, err)
}

func (w *world) remove(sk string) {
	w.t.Helper()
	_, err := w.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: keyed(sk)})
	require.NoError(w.t, err)
}

// inIndex returns the sort keys of the items an index shows under g=G.
func (w *world) inIndex(index string) []string {
	w.t.Helper()
	out, err := w.Query(w.t.Context(), &dynamodb.QueryInput{TableName: table, IndexName: &index, KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": str("G")}})
	require.NoError(w.t, err)
	sks := []string{}
	for _, i := range out.Items {
		sks = append(sks, i["sk"].(*types.AttributeValueMemberS).Value)
	}
	return sks
}

func TestCanceledContextDoesNothing(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: keyed("a")})
	require.ErrorIs(t, err, context.Canceled)
	var canceled *aws.RequestCanceledError
	require.ErrorAs(t, err, &canceled)
	require.Nil(t, w.get("a"))
}

func TestLegacyParametersAreRefused(t *testing.T) {
	w := newWorld(t)
	_, err := w.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: table, Key: keyed("a"), AttributeUpdates: map[string]types.AttributeValueUpdate{}})
	require.ErrorContains(t, err, "use expressions")
}

func TestProtectedTableIsNotDeleted(t *testing.T) {
	db := memory.New()
	in := tableInput("table")
	in.DeletionProtectionEnabled = aws.Bool(true)
	_, err := db.CreateTable(t.Context(), in)
	require.NoError(t, err)
	_, err = db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
	require.ErrorContains(t, err, "protected against deletion")
}

// TestConcurrentUse: every change is applied once, and the records of an item
// form a chain.
func TestConcurrentUse(t *testing.T) {
	const workers, each, items = 8, 100, 3
	type change struct{ old, new string }
	chains := map[string][]change{}
	last := ""
	db := memory.New(memory.WithStream(func(_ string, r events.DynamoDBEventRecord) {
		// Calls come one at a time, or the race detector will tell.
		if r.Change.SequenceNumber <= last {
			t.Errorf("record %s comes after %s", r.Change.SequenceNumber, last)
		}
		last = r.Change.SequenceNumber
		c := change{new: r.Change.NewImage["n"].Number()}
		if old, ok := r.Change.OldImage["n"]; ok {
			c.old = old.Number()
		}
		sk := r.Change.Keys["sk"].String()
		chains[sk] = append(chains[sk], c)
	}))
	_, err := db.CreateTable(t.Context(), tableInput("table"))
	require.NoError(t, err)
	var group errgroup.Group
	for worker := range workers {
		group.Go(func() error {
			for i := range each {
				sk := fmt.Sprintf("s%d", (i+worker)%items)
				_, err := db.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{TableName: table, Key: keyed(sk), UpdateExpression: aws.String("SET g = :g, h = :one ADD n :one"), ExpressionAttributeValues: item{":one": num(1), ":g": str("G")}})
				if err != nil {
					return err
				}
				_, err = db.Query(context.Background(), &dynamodb.QueryInput{TableName: table, IndexName: aws.String("whole"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": str("G")}})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	total := 0
	for sk, chain := range chains {
		for i, c := range chain {
			want := change{old: fmt.Sprint(i), new: fmt.Sprint(i + 1)}
			if i == 0 {
				want.old = ""
			}
			require.Equal(t, want, c, sk)
		}
		total += len(chain)
	}
	require.Equal(t, workers*each, total)
}
