package memory_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// sample has a value of each kind that can be changed in place.
func sample() item {
	return keyed("s", item{
		"g": str("G"), "h": num(1), "b": &types.AttributeValueMemberB{Value: []byte("b")},
		"l":  &types.AttributeValueMemberL{Value: []types.AttributeValue{str("a"), &types.AttributeValueMemberM{Value: item{"x": num(1)}}}},
		"m":  &types.AttributeValueMemberM{Value: item{"x": &types.AttributeValueMemberB{Value: []byte("x")}}},
		"ss": &types.AttributeValueMemberSS{Value: []string{"a", "b"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{[]byte("a")}},
	})
}

// spoil changes everything in a value that can be changed.
func spoil(v types.AttributeValue) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		v.Value = "spoilt"
	case *types.AttributeValueMemberN:
		v.Value = "666"
	case *types.AttributeValueMemberB:
		v.Value[0]++
	case *types.AttributeValueMemberL:
		for i := range v.Value {
			spoil(v.Value[i])
			v.Value[i] = str("spoilt")
		}
	case *types.AttributeValueMemberM:
		for name := range v.Value {
			spoil(v.Value[name])
			v.Value[name] = str("spoilt")
		}
	case *types.AttributeValueMemberSS:
		v.Value[0] = "spoilt"
	case *types.AttributeValueMemberNS:
		v.Value[0] = "666"
	case *types.AttributeValueMemberBS:
		v.Value[0][0]++
	}
}

func spoilItem(i item) { spoil(&types.AttributeValueMemberM{Value: i}) }

func TestCallersNeverShareMemoryWithTheStore(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	given := sample()
	w.put(given)
	spoilItem(given)
	require.Equal(t, sample(), w.get("s"), "what was put")

	allOld := types.ReturnValuesOnConditionCheckFailureAllOld
	failing := aws.String("attribute_exists(absent)")
	for name, read := range map[string]func() []item{
		"GetItem": func() []item { return []item{w.get("s")} },
		"projection": func() []item {
			out, err := w.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: keyed("s"), ProjectionExpression: aws.String("l, m.x, bs")})
			require.NoError(t, err)
			return []item{out.Item}
		},
		"Query": func() []item {
			out, err := w.Query(ctx, &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p")}, Limit: aws.Int32(1)})
			require.NoError(t, err)
			return append(out.Items, out.LastEvaluatedKey)
		},
		"index": func() []item {
			out, err := w.Query(ctx, &dynamodb.QueryInput{TableName: table, IndexName: aws.String("whole"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": str("G")}})
			require.NoError(t, err)
			require.Len(t, out.Items, 1)
			return out.Items
		},
		"BatchGetItem": func() []item {
			out, err := w.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"table": {Keys: []item{keyed("s")}}}})
			require.NoError(t, err)
			return out.Responses["table"]
		},
		"ALL_OLD of a put": func() []item {
			out, err := w.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: sample(), ReturnValues: types.ReturnValueAllOld})
			require.NoError(t, err)
			return []item{out.Attributes}
		},
		"ALL_NEW of an update": func() []item {
			out, err := w.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: keyed("s"), UpdateExpression: aws.String("SET l = l, m.x = m.x"), ReturnValues: types.ReturnValueAllNew})
			require.NoError(t, err)
			return []item{out.Attributes}
		},
		"UPDATED_NEW": func() []item {
			out, err := w.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: keyed("s"), UpdateExpression: aws.String("SET l = l, m.x = m.x, bs = bs"), ReturnValues: types.ReturnValueUpdatedNew})
			require.NoError(t, err)
			return []item{out.Attributes}
		},
		"failed condition": func() []item {
			_, err := w.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: keyed("s"), ConditionExpression: failing, ReturnValuesOnConditionCheckFailure: allOld})
			var failed *types.ConditionalCheckFailedException
			require.ErrorAs(t, err, &failed)
			return []item{failed.Item}
		},
		"canceled transaction": func() []item {
			_, err := w.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Delete: &types.Delete{TableName: table, Key: keyed("s"), ConditionExpression: failing, ReturnValuesOnConditionCheckFailure: allOld}},
			}})
			var canceled *types.TransactionCanceledException
			require.ErrorAs(t, err, &canceled)
			return []item{canceled.CancellationReasons[0].Item}
		},
	} {
		answers := read()
		require.NotEmpty(t, answers[0], name)
		for _, answer := range answers {
			spoilItem(answer)
		}
		require.Equal(t, sample(), w.get("s"), name)
	}

	// Values of updates, and the images of change records.
	values := item{":l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberB{Value: []byte("x")}}}}
	w.update("u", "SET l = :l, m = :l, n = list_append(:l, :l)", values)
	spoilItem(values)
	before := w.get("u")
	for _, r := range w.records {
		if l, ok := r.Change.NewImage["l"]; ok {
			if first := l.List()[0]; first.DataType() == events.DataTypeBinary {
				first.Binary()[0]++
			}
		}
	}
	require.Equal(t, []byte("x"), before["l"].(*types.AttributeValueMemberL).Value[0].(*types.AttributeValueMemberB).Value)
	require.Equal(t, before, w.get("u"))
}
