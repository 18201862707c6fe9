package memory_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

func (w *world) describe() *types.TableDescription {
	w.t.Helper()
	out, err := w.DescribeTable(w.t.Context(), &dynamodb.DescribeTableInput{TableName: table})
	require.NoError(w.t, err)
	return out.Table
}

// query reads a partition of an index, or of the table for "".
func (w *world) query(index, condition string, values item) []item {
	w.t.Helper()
	in := &dynamodb.QueryInput{TableName: table, KeyConditionExpression: &condition, ExpressionAttributeValues: values}
	if index != "" {
		in.IndexName = &index
	}
	out, err := w.Query(w.t.Context(), in)
	require.NoError(w.t, err)
	return out.Items
}

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	default:
		return ""
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t)
	now := time.Unix(1_800_000_000, 0)
	at := func(d time.Duration) item { return item{"ttl": num(int(now.Add(d).Unix()))} }
	w.put(keyed("z past", at(-time.Hour), entry))
	w.put(keyed("a now", at(0)))
	w.put(keyed("future", at(time.Second)))
	w.put(keyed("fraction", item{"ttl": &types.AttributeValueMemberN{Value: "1799999999.5"}}))
	w.put(keyed("no time"))
	w.put(keyed("a text", item{"ttl": str("1")}))
	w.put(keyed("five years", at(-5*366*24*time.Hour)))
	for _, pk := range []string{"z", "b", "m", "a", "y", "c"} {
		w.put(item{"pk": str(pk), "sk": str("other"), "ttl": num(int(now.Unix()))})
	}
	w.records = nil

	require.Zero(t, w.ExpireItems(now), "not enabled")
	_, err := w.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)}})
	require.NoError(t, err)
	require.NotNil(t, w.get("z past"), "what is due stays until it is deleted")

	require.Equal(t, 9, w.ExpireItems(now))
	var left []string
	for _, i := range w.query("", "pk = :p", item{":p": str("p")}) {
		left = append(left, text(i["sk"]))
	}
	require.Equal(t, []string{"a text", "five years", "future", "no time"}, left)
	require.Empty(t, w.inIndex("keys"))

	var removed []string
	for _, r := range w.records {
		require.Equal(t, "REMOVE", r.EventName)
		require.Equal(t, &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}, r.UserIdentity)
		require.NotEmpty(t, r.Change.OldImage)
		removed = append(removed, r.Change.Keys["pk"].String()+" "+r.Change.Keys["sk"].String())
	}
	require.Equal(t, []string{"a other", "b other", "c other", "m other", "p a now", "p fraction", "p z past", "y other", "z other"}, removed, "in the order of their keys")
	require.Zero(t, w.ExpireItems(now))
	require.Equal(t, 1, w.ExpireItems(now.Add(time.Second)))
}
