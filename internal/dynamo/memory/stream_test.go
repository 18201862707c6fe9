package memory_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
)

func TestChangeRecords(t *testing.T) {
	w := newWorld(t)
	w.put(keyed("a", item{"n": num(1)}))
	w.put(keyed("a", item{"n": num(1)})) // changes nothing
	w.update("a", "SET n = :x", item{":x": num(2)})
	w.update("a", "SET n = :x", item{":x": &types.AttributeValueMemberN{Value: "2.0"}}) // nor does this
	w.update("a", "REMOVE absent", nil)
	w.remove("a")
	w.remove("a")
	w.update("b", "REMOVE absent", nil) // makes an item

	require.Len(t, w.records, 4)
	insert, modify, remove, second := w.records[0], w.records[1], w.records[2], w.records[3]
	stream := "arn:aws:dynamodb:us-east-1:000000000000:table/table/stream/2026-11-23T14:00:00.000"
	keys := map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute("p"), "sk": events.NewStringAttribute("a")}
	image := func(n string) map[string]events.DynamoDBAttributeValue {
		return map[string]events.DynamoDBAttributeValue{"pk": keys["pk"], "sk": keys["sk"], "n": events.NewNumberAttribute(n)}
	}
	require.Equal(t, events.DynamoDBEventRecord{
		AWSRegion: "us-east-1", EventSource: "aws:dynamodb", EventVersion: "1.1", EventSourceArn: stream,
		EventID: "00000000000000000000000000000001", EventName: "INSERT",
		Change: events.DynamoDBStreamRecord{
			ApproximateCreationDateTime: events.SecondsEpochTime{Time: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)},
			Keys:                        keys, NewImage: image("1"),
			SequenceNumber: "100000000000000000001", SizeBytes: 6 + 9, StreamViewType: "NEW_AND_OLD_IMAGES",
		},
	}, insert)
	require.Equal(t, "MODIFY", modify.EventName)
	require.Equal(t, image("1"), modify.Change.OldImage)
	require.Equal(t, image("2"), modify.Change.NewImage)
	require.Equal(t, "REMOVE", remove.EventName)
	require.Equal(t, image("2"), remove.Change.OldImage)
	require.Nil(t, remove.Change.NewImage)
	require.Nil(t, remove.UserIdentity)
	require.Equal(t, "INSERT", second.EventName)
	for i := 1; i < len(w.records); i++ {
		require.Less(t, w.records[i-1].Change.SequenceNumber, w.records[i].Change.SequenceNumber)
		require.NotEqual(t, w.records[i-1].EventID, w.records[i].EventID)
	}
}

// TestRecordsSurviveJSON: records go to handlers as a Lambda event's text.
func TestRecordsSurviveJSON(t *testing.T) {
	w := newWorld(t)
	w.put(sample())
	w.put(keyed("s", item{
		"z": &types.AttributeValueMemberNULL{Value: true}, "t": &types.AttributeValueMemberBOOL{Value: true},
		"l": &types.AttributeValueMemberL{}, "m": &types.AttributeValueMemberM{}, "b": &types.AttributeValueMemberB{}, "e": str(""),
	}))
	text, err := json.Marshal(events.DynamoDBEvent{Records: w.records})
	require.NoError(t, err)
	var back events.DynamoDBEvent
	require.NoError(t, json.Unmarshal(text, &back))
	again, err := json.Marshal(back)
	require.NoError(t, err)
	require.JSONEq(t, string(text), string(again))
	require.Equal(t, []string{"a", "b"}, back.Records[0].Change.NewImage["ss"].StringSet())
	require.True(t, back.Records[1].Change.NewImage["z"].IsNull())
	require.Empty(t, back.Records[1].Change.NewImage["l"].List())
	require.Equal(t, events.DataTypeMap, back.Records[1].Change.NewImage["m"].DataType())
}

func TestRecordsOfBatchesAndTransactionsComeInOrder(t *testing.T) {
	w := newWorld(t)
	_, err := w.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: table, Item: keyed("c")}}, {Put: &types.Put{TableName: table, Item: keyed("a")}}, {Delete: &types.Delete{TableName: table, Key: keyed("absent")}},
	}})
	require.NoError(t, err)
	_, err = w.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"table": {
		{PutRequest: &types.PutRequest{Item: keyed("b")}}, {DeleteRequest: &types.DeleteRequest{Key: keyed("a")}},
	}}})
	require.NoError(t, err)
	_, err = w.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: table, Item: keyed("d")}}, {Delete: &types.Delete{TableName: table, Key: keyed("c"), ConditionExpression: aws.String("attribute_exists(absent)")}},
	}})
	require.Error(t, err)
	var got []string
	for _, r := range w.records {
		got = append(got, r.EventName+" "+r.Change.Keys["sk"].String())
	}
	require.Equal(t, []string{"INSERT c", "INSERT a", "INSERT b", "REMOVE a"}, got, "a canceled transaction leaves none")
}

func TestStreamsFollowTheTable(t *testing.T) {
	for view, want := range map[types.StreamViewType][2]bool{ // old and new image
		types.StreamViewTypeNewAndOldImages: {true, true},
		types.StreamViewTypeNewImage:        {false, true},
		types.StreamViewTypeOldImage:        {true, false},
		types.StreamViewTypeKeysOnly:        {false, false},
		"":                                  {},
	} {
		var records []events.DynamoDBEventRecord
		db := memory.New(memory.WithStream(func(_ string, r events.DynamoDBEventRecord) { records = append(records, r) }))
		in := tableInput("table")
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(view != ""), StreamViewType: view}
		_, err := db.CreateTable(t.Context(), in)
		require.NoError(t, err)
		for n := range 2 {
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed("a", item{"n": num(n)})})
			require.NoError(t, err)
		}
		if view == "" {
			require.Empty(t, records, "a table without a stream has no records")
			continue
		}
		require.Len(t, records, 2)
		require.Equal(t, string(view), records[1].Change.StreamViewType)
		require.Equal(t, want, [2]bool{records[1].Change.OldImage != nil, records[1].Change.NewImage != nil}, string(view))
	}
}

// TestEmitMayUseTheDB: what emit writes is delivered after the record that it
// is handling, in the order of the commits.
func TestEmitMayUseTheDB(t *testing.T) {
	var db *memory.DB
	var got []string
	depth := 0
	db = memory.New(memory.WithStream(func(_ string, r events.DynamoDBEventRecord) {
		depth++
		defer func() { depth-- }()
		require.Equal(t, 1, depth)
		sk := r.Change.Keys["sk"].String()
		got = append(got, sk)
		if len(sk) < 3 {
			for _, letter := range []string{"x", "y"} {
				_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed(sk + letter)})
				require.NoError(t, err)
			}
		}
	}))
	_, err := db.CreateTable(t.Context(), tableInput("table"))
	require.NoError(t, err)
	_, err = db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed("a")})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "ax", "ay", "axx", "axy", "ayx", "ayy"}, got)
}

// TestEmitThatPanics: the panic reaches the caller, and the DB works on.
func TestEmitThatPanics(t *testing.T) {
	panics := true
	count := 0
	db := memory.New(memory.WithStream(func(string, events.DynamoDBEventRecord) {
		count++
		if panics {
			panic("emit")
		}
	}))
	_, err := db.CreateTable(t.Context(), tableInput("table"))
	require.NoError(t, err)
	put := func(sk string) {
		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: keyed(sk)})
		require.NoError(t, err)
	}
	require.PanicsWithValue(t, "emit", func() { put("a") })
	panics = false
	put("b")
	require.Equal(t, 2, count)
}
