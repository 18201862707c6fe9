package conformance

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// inIndex returns the items of an index under g=G.
func (s *suite) inIndex(t *testing.T, index string) []item {
	t.Helper()
	out, err := s.ask(t, &dynamodb.QueryInput{IndexName: &index, KeyConditionExpression: text("g = :x"), ExpressionAttributeValues: x("G")})
	require.NoError(t, err)
	return out.Items
}

func testIndexes(t *testing.T, s *suite) {
	// What is in an index depends on its projection.
	whole := keyed("s", item{"g": str("G"), "h": num("1"), "a": str("a"), "b": str("b"), "z": str("z")})
	s.put(t, whole)
	sameItems(t, []item{whole}, s.inIndex(t, "whole"))
	sameItems(t, []item{whole}, s.inIndex(t, "hash"))
	sameItems(t, []item{keyed("s", item{"g": str("G"), "h": num("1")})}, s.inIndex(t, "keys"))
	sameItems(t, []item{keyed("s", item{"g": str("G"), "h": num("1"), "a": str("a"), "b": str("b")})}, s.inIndex(t, "some"))

	// Changes of the item reach the indexes, those of its keys too.
	for _, step := range []struct {
		update string
		values item
		want   map[string]int // entries under g=G
	}{
		{"SET z = :x", x("new"), map[string]int{"whole": 1, "keys": 1, "some": 1, "hash": 1}},
		{"SET h = :x", x(7), map[string]int{"whole": 1, "keys": 1, "some": 1, "hash": 1}},
		{"REMOVE h", nil, map[string]int{"whole": 0, "keys": 0, "some": 0, "hash": 1}},
		{"SET h = :x, a = :x", x(5), map[string]int{"whole": 1, "keys": 1, "some": 1, "hash": 1}},
		{"SET g = :x", x("other"), map[string]int{"whole": 0, "keys": 0, "some": 0, "hash": 0}},
		{"SET g = :x", x("G"), map[string]int{"whole": 1, "keys": 1, "some": 1, "hash": 1}},
		{"REMOVE g", nil, map[string]int{"whole": 0, "keys": 0, "some": 0, "hash": 0}},
		{"SET g = :x", x("G"), map[string]int{"whole": 1, "keys": 1, "some": 1, "hash": 1}},
	} {
		_, err := s.update(t, "s", step.update, step.values, "")
		require.NoError(t, err)
		for index, want := range step.want {
			require.Len(t, s.inIndex(t, index), want, "%s after %s", index, step.update)
		}
	}
	sameItems(t, []item{s.get(t, "s")}, s.inIndex(t, "whole"))
	_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyed("s")})
	require.NoError(t, err)
	require.Empty(t, s.inIndex(t, "whole"))
	require.Empty(t, s.inIndex(t, "hash"))

	// Range keys of indexes: their order, conditions on them, filters on the rest.
	s.putSix(t)
	ask := func(in dynamodb.QueryInput) *dynamodb.QueryOutput {
		out, err := s.ask(t, &in)
		require.NoError(t, err)
		return out
	}
	backward := ask(dynamodb.QueryInput{IndexName: aws.String("whole"), KeyConditionExpression: text("g = :x"), ExpressionAttributeValues: x("G"), ScanIndexForward: aws.Bool(false)})
	require.Equal(t, []string{"2", "2", "1", "1", "0", "0"}, column(t, backward.Items, "h"))
	above := ask(dynamodb.QueryInput{IndexName: aws.String("keys"), KeyConditionExpression: text("g = :g AND h > :x"), ExpressionAttributeValues: item{":g": str("G"), ":x": num("0.5")}, ProjectionExpression: text("h, sk")})
	require.Equal(t, []string{"1", "1", "2", "2"}, column(t, above.Items, "h"))
	filtered := ask(dynamodb.QueryInput{IndexName: aws.String("some"), KeyConditionExpression: text("g = :g"), FilterExpression: text("a = :x AND pk = :p"), ExpressionAttributeValues: item{":g": str("G"), ":x": str("a4"), ":p": str("p")}})
	require.Equal(t, []string{"s4"}, column(t, filtered.Items, "sk"), "the table's key may be filtered on")
	require.EqualValues(t, 6, filtered.ScannedCount)
	all := ask(dynamodb.QueryInput{IndexName: aws.String("whole"), KeyConditionExpression: text("g = :x"), ExpressionAttributeValues: x("G"), Select: types.SelectAllAttributes})
	require.Len(t, all.Items, 6)
	projected := ask(dynamodb.QueryInput{IndexName: aws.String("keys"), KeyConditionExpression: text("g = :x"), ExpressionAttributeValues: x("G"), Select: types.SelectAllProjectedAttributes})
	require.Len(t, projected.Items[0], 4)
}

func testIndexPages(t *testing.T, s *suite) {
	for i := range 9 {
		s.put(t, keyed(fmt.Sprintf("s%d", i), item{"g": str("G"), "h": num(fmt.Sprint(i / 4))}))
	}
	for _, index := range []string{"keys", "hash"} {
		for _, forward := range []bool{true, false} {
			whole, err := s.ask(t, &dynamodb.QueryInput{IndexName: &index, KeyConditionExpression: text("g = :x"), ExpressionAttributeValues: x("G"), ScanIndexForward: &forward})
			require.NoError(t, err)
			require.Len(t, whole.Items, 9)
			for _, limit := range []int32{1, 2, 4, 9, 10} {
				var got []item
				var start item
				for pages := 0; ; pages++ {
					require.Less(t, pages, 12, "the pages do not end")
					out, err := s.ask(t, &dynamodb.QueryInput{IndexName: &index, KeyConditionExpression: text("g = :x"), ExpressionAttributeValues: x("G"), ScanIndexForward: &forward, Limit: &limit, ExclusiveStartKey: start})
					require.NoError(t, err)
					got = append(got, out.Items...)
					if start = out.LastEvaluatedKey; start == nil {
						break
					}
					want := []string{"g", "pk", "sk"}
					if index == "keys" {
						want = []string{"g", "h", "pk", "sk"}
					}
					require.Equal(t, want, names(start))
				}
				// Entries with equal keys have some order, and keep it.
				sameItems(t, whole.Items, got)
			}
		}
	}
}

func names(i item) []string {
	out := make([]string, 0, len(i))
	for name := range i {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func testIndexErrors(t *testing.T, s *suite) {
	for name, c := range map[string]struct {
		in   dynamodb.QueryInput
		want string
	}{
		"unknown index":          {dynamodb.QueryInput{IndexName: aws.String("nope")}, "The table does not have the specified index"},
		"consistent read":        {dynamodb.QueryInput{IndexName: aws.String("whole"), ConsistentRead: aws.Bool(true)}, "onsistent read"},
		"absent attribute":       {dynamodb.QueryInput{IndexName: aws.String("keys"), ProjectionExpression: text("z")}, "Global secondary index keys does not project [z]"},
		"filter on absent":       {dynamodb.QueryInput{IndexName: aws.String("some"), FilterExpression: text("attribute_exists(z)")}, "Secondary index some does not project one or more filter attributes: [z]"},
		"filter on its key":      {dynamodb.QueryInput{IndexName: aws.String("whole"), FilterExpression: text("attribute_exists(h)")}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: h"},
		"all attributes":         {dynamodb.QueryInput{IndexName: aws.String("keys"), Select: types.SelectAllAttributes}, "Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its projection type is not ALL"},
		"start without its key":  {dynamodb.QueryInput{IndexName: aws.String("whole"), ExclusiveStartKey: keyed("s")}, "Exclusive Start Key must have same size as table's key schema"},
		"start elsewhere":        {dynamodb.QueryInput{IndexName: aws.String("whole"), ExclusiveStartKey: keyed("s", item{"g": str("H"), "h": num("1")})}, "provided starting key"},
		"condition on the table": {dynamodb.QueryInput{IndexName: aws.String("whole"), KeyConditionExpression: text("pk = :x")}, "Query condition missed key schema element"},
		"text for a number":      {dynamodb.QueryInput{IndexName: aws.String("whole"), KeyConditionExpression: text("g = :x AND h = :x")}, "Condition parameter type does not match schema type"},
	} {
		if c.in.KeyConditionExpression == nil {
			c.in.KeyConditionExpression = text("g = :x")
		}
		c.in.ExpressionAttributeValues = x("G")
		_, err := s.ask(t, &c.in)
		invalid(t, err, c.want, name)
	}
}
