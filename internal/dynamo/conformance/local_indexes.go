package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/dynamotest"
)

// localIndex is an index of the table's partitions, sorted by the attribute l.
func localIndex(name string, projection types.ProjectionType, attributes ...string) types.LocalSecondaryIndex {
	return types.LocalSecondaryIndex{
		IndexName: &name, KeySchema: []types.KeySchemaElement{hashKey("pk"), rangeKey("l")},
		Projection: &types.Projection{ProjectionType: projection, NonKeyAttributes: attributes},
	}
}

// tableWithLocalIndexes makes another table for s: key pk and sk, three local
// indexes sorted by l, with each kind of projection, and a global one by l and
// sk; all are strings.
func tableWithLocalIndexes(t *testing.T, s *suite) *suite {
	t.Helper()
	other := &suite{db: s.db, table: dynamotest.TableName(t, "local")}
	other.create(t, &dynamodb.CreateTableInput{
		TableName: &other.table, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{hashKey("pk"), rangeKey("sk")},
		AttributeDefinitions: []types.AttributeDefinition{define("pk", "S"), define("sk", "S"), define("l", "S")},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{
			localIndex("keys", types.ProjectionTypeKeysOnly),
			localIndex("some", types.ProjectionTypeInclude, "a"),
			localIndex("whole", types.ProjectionTypeAll),
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("global"), KeySchema: []types.KeySchemaElement{hashKey("l"), rangeKey("sk")},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	})
	return other
}

// local is a consistent query of a local index for a condition beside pk = :p.
func local(index, condition string, more item) *dynamodb.QueryInput {
	if condition != "" {
		condition = " AND " + condition
	}
	return &dynamodb.QueryInput{
		IndexName: &index, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: text("pk = :p" + condition), ExpressionAttributeValues: values(more),
	}
}

// inLocal returns the items that a local index has in the partition p.
func (s *suite) inLocal(t *testing.T, index string) []item {
	t.Helper()
	out, err := s.ask(t, local(index, "", nil))
	require.NoError(t, err)
	return out.Items
}

func testLocalIndexes(t *testing.T, with *suite) {
	s := tableWithLocalIndexes(t, with)
	whole := keyed("s", item{"l": str("L"), "a": str("a"), "z": str("z")})
	s.put(t, whole)
	sameItems(t, []item{whole}, s.inLocal(t, "whole"))
	sameItems(t, []item{keyed("s", item{"l": str("L"), "a": str("a")})}, s.inLocal(t, "some"))
	sameItems(t, []item{keyed("s", item{"l": str("L")})}, s.inLocal(t, "keys"))

	// A consistent query right after a write sees it.
	for _, step := range []struct {
		update string
		values item
		want   []string // l of the entries
	}{
		{"SET l = :x", x("M"), []string{"M"}},
		{"SET z = :x", x("new"), []string{"M"}},
		{"REMOVE l", nil, []string{}},
		{"SET z = :x", x("newer"), []string{}},
		{"SET l = :x, a = :x", x("N"), []string{"N"}},
	} {
		_, err := s.update(t, "s", step.update, step.values, "")
		require.NoError(t, err)
		for _, index := range []string{"keys", "some", "whole"} {
			require.Equal(t, step.want, column(t, s.inLocal(t, index), "l"), "%s after %s", index, step.update)
		}
	}
	sameItems(t, []item{s.get(t, "s")}, s.inLocal(t, "whole"))
	_, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &s.table, Item: keyed("another", item{"l": str("A")})}},
		{Update: &types.Update{
			TableName: &s.table, Key: keyed("s"), UpdateExpression: text("SET l = :x"), ExpressionAttributeValues: x("B"),
		}},
	}})
	require.NoError(t, err)
	require.Equal(t, []string{"A", "B"}, column(t, s.inLocal(t, "keys"), "l"))
	for _, sk := range []string{"s", "another"} {
		_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyed(sk)})
		require.NoError(t, err)
	}
	require.Empty(t, s.inLocal(t, "whole"))
}

// putLocal puts items s0 to s5 into the local indexes, the last first, one that
// is in no index, and one of another partition.
func (s *suite) putLocal(t *testing.T) {
	t.Helper()
	for i, l := range []string{"b3", "b2", "b1", "a3", "a2", "a1"} {
		s.put(t, keyed(fmt.Sprintf("s%d", i), item{"l": str(l), "a": str(fmt.Sprintf("a%d", i)), "z": str("z")}))
	}
	s.put(t, keyed("s6", item{"a": str("a6")}))
	s.put(t, item{"pk": str("other"), "sk": str("s0"), "l": str("a1")})
}

func testLocalIndexQueries(t *testing.T, with *suite) {
	s := tableWithLocalIndexes(t, with)
	s.putLocal(t)
	for _, c := range []struct {
		condition string
		values    item
		want      string
	}{
		{"", nil, "s5 s4 s3 s2 s1 s0"},
		{"l = :x", x("a2"), "s4"},
		{"l < :x", x("b1"), "s5 s4 s3"},
		{"l <= :x", x("b1"), "s5 s4 s3 s2"},
		{"l > :x", x("b1"), "s1 s0"},
		{"l >= :x", x("b1"), "s2 s1 s0"},
		{"l BETWEEN :x AND :y", item{":x": str("a3"), ":y": str("b2")}, "s3 s2 s1"},
		{"l BETWEEN :x AND :y", item{":x": str("a15"), ":y": str("b")}, "s4 s3"},
		{"begins_with(l, :x)", x("a"), "s5 s4 s3"},
		{"begins_with(l, :x)", x("b2"), "s1"},
		{"begins_with(l, :x)", x("c"), ""},
		{"l > :x", x("b3"), ""},
	} {
		for _, consistent := range []bool{true, false} {
			for _, forward := range []bool{true, false} {
				in := local("keys", c.condition, c.values)
				in.ConsistentRead, in.ScanIndexForward = &consistent, &forward
				out, err := s.ask(t, in)
				require.NoError(t, err, c.condition)
				want := strings.Fields(c.want)
				if !forward {
					slices.Reverse(want)
				}
				require.Equal(t, append([]string{}, want...), column(t, out.Items, "sk"), "%s, forward %v", c.condition, forward)
				require.EqualValues(t, len(want), out.ScannedCount)
				require.Nil(t, out.LastEvaluatedKey)
			}
		}
	}

	// What the index does not hold is fetched from the table, unlike from a
	// global index; a filter sees the index alone.
	ask := func(condition string, more item, change func(*dynamodb.QueryInput)) *dynamodb.QueryOutput {
		in := local("keys", condition, more)
		change(in)
		out, err := s.ask(t, in)
		require.NoError(t, err)
		return out
	}
	all := ask("l > :x", x("b1"), func(in *dynamodb.QueryInput) { in.Select = types.SelectAllAttributes })
	sameItems(t, []item{s.get(t, "s1"), s.get(t, "s0")}, all.Items)
	fetched := ask("l > :x", x("b1"), func(in *dynamodb.QueryInput) { in.ProjectionExpression = text("a, l") })
	sameItems(t, []item{{"a": str("a1"), "l": str("b2")}, {"a": str("a0"), "l": str("b3")}}, fetched.Items)
	projected := ask("l = :x", x("b1"), func(in *dynamodb.QueryInput) { in.Select = types.SelectAllProjectedAttributes })
	sameItems(t, []item{keyed("s2", item{"l": str("b1")})}, projected.Items)
	counted := ask("", nil, func(in *dynamodb.QueryInput) { in.Select = types.SelectCount })
	require.EqualValues(t, 6, counted.Count)
	filtered := ask("", x("s2"), func(in *dynamodb.QueryInput) {
		in.FilterExpression, in.Select = text("sk > :x"), types.SelectAllAttributes
	})
	require.Equal(t, []string{"s5", "s4", "s3"}, column(t, filtered.Items, "sk"), "the table's range key may be filtered on")
	require.Equal(t, []string{"a5", "a4", "a3"}, column(t, filtered.Items, "a"))
	require.EqualValues(t, 6, filtered.ScannedCount)
}

func testLocalIndexPages(t *testing.T, with *suite) {
	s := tableWithLocalIndexes(t, with)
	for i := range 9 {
		s.put(t, keyed(fmt.Sprintf("s%d", 8-i), item{"l": str(fmt.Sprint(i)), "z": str("z")}))
	}
	for _, forward := range []bool{true, false} {
		for _, limit := range []int32{1, 2, 4, 9, 10} {
			var got []string
			var start item
			for pages := 0; ; pages++ {
				require.Less(t, pages, 12, "the pages do not end")
				in := local("keys", "", nil)
				in.ScanIndexForward, in.Limit, in.ExclusiveStartKey = &forward, &limit, start
				out, err := s.ask(t, in)
				require.NoError(t, err)
				got = append(got, column(t, out.Items, "sk")...)
				if start = out.LastEvaluatedKey; start == nil {
					break
				}
				same(t, out.Items[len(out.Items)-1], start, "the keys of the index and of the table")
			}
			want := []string{"s8", "s7", "s6", "s5", "s4", "s3", "s2", "s1", "s0"}
			if !forward {
				slices.Reverse(want)
			}
			require.Equal(t, want, got)
		}
	}

	// A page that fetches has the index's key to go on from, and no more.
	in := local("keys", "", nil)
	in.Select, in.Limit = types.SelectAllAttributes, aws.Int32(2)
	out, err := s.ask(t, in)
	require.NoError(t, err)
	same(t, keyed("s7", item{"l": str("1")}), out.LastEvaluatedKey)
	// A page may begin where no entry is: between two, or after one that is gone.
	in = local("keys", "l < :x", x("7"))
	in.ExclusiveStartKey = keyed("gone", item{"l": str("45")})
	out, err = s.ask(t, in)
	require.NoError(t, err)
	require.Equal(t, []string{"5", "6"}, column(t, out.Items, "l"))
	// A full page has a next one, whatever bound it ends at.
	for _, condition := range []string{"l = :x", "l <= :x", "l >= :x", "l BETWEEN :x AND :x", "begins_with(l, :x)"} {
		for _, forward := range []bool{true, false} {
			in := local("keys", condition, x("4"))
			in.ScanIndexForward = &forward
			whole, err := s.ask(t, in)
			require.NoError(t, err)
			in.Limit = aws.Int32(whole.Count)
			full, err := s.ask(t, in)
			require.NoError(t, err)
			require.NotNil(t, full.LastEvaluatedKey, "%s, forward %v", condition, forward)
		}
	}
}

func testEqualKeysInLocalIndexes(t *testing.T, with *suite) {
	s := tableWithLocalIndexes(t, with)
	var equal []string
	for i := range 6 {
		s.put(t, item{"pk": str("equal"), "sk": str(fmt.Sprintf("s%d", i)), "l": str("L")})
	}
	var start item
	for range 3 {
		out, err := s.ask(t, &dynamodb.QueryInput{
			IndexName: aws.String("keys"), Limit: aws.Int32(2), ExclusiveStartKey: start,
			KeyConditionExpression: text("pk = :x"), ExpressionAttributeValues: x("equal"),
		})
		require.NoError(t, err)
		equal, start = append(equal, column(t, out.Items, "sk")...), out.LastEvaluatedKey
	}
	require.ElementsMatch(t, []string{"s0", "s1", "s2", "s3", "s4", "s5"}, equal, "they have some order, and keep it")
}

func testLocalIndexErrors(t *testing.T, with *suite) {
	s := tableWithLocalIndexes(t, with)
	s.putLocal(t)
	for name, c := range map[string]struct {
		change func(*dynamodb.QueryInput)
		want   string
	}{
		"consistent read of the global index": {func(in *dynamodb.QueryInput) {
			in.IndexName, in.KeyConditionExpression = aws.String("global"), text("l = :p")
		}, "onsistent read"},
		"no hash key": {func(in *dynamodb.QueryInput) {
			in.KeyConditionExpression = text("l = :p")
		}, "Query condition missed key schema element"},
		"condition on the table's key": {func(in *dynamodb.QueryInput) {
			in.KeyConditionExpression = text("pk = :p AND sk = :p")
		}, "Query condition missed key schema element"},
		"a number for a string": {func(in *dynamodb.QueryInput) {
			in.KeyConditionExpression, in.ExpressionAttributeValues = text("pk = :p AND l = :x"), values(x(1))
		}, "Condition parameter type does not match schema type"},
		"filter on absent": {func(in *dynamodb.QueryInput) {
			in.FilterExpression = text("attribute_exists(z)")
		}, "Secondary index keys does not project one or more filter attributes: [z]"},
		"filter on its key": {func(in *dynamodb.QueryInput) {
			in.FilterExpression = text("l = :p")
		}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: l"},
		"start without its key": {func(in *dynamodb.QueryInput) {
			in.ExclusiveStartKey = keyed("s1")
		}, "Exclusive Start Key must have same size as table's key schema"},
		"start without the table's range key": {func(in *dynamodb.QueryInput) {
			in.ExclusiveStartKey = item{"pk": str("p"), "l": str("a1")}
		}, "Exclusive Start Key must have same size as table's key schema"},
		"start with too many": {func(in *dynamodb.QueryInput) {
			in.ExclusiveStartKey = keyed("s1", item{"l": str("b2"), "a": str("a1")})
		}, "Exclusive Start Key must have same size as table's key schema"},
		"start in another partition": {func(in *dynamodb.QueryInput) {
			in.ExclusiveStartKey = item{"pk": str("other"), "sk": str("s0"), "l": str("a1")}
		}, "provided starting key"},
		"start of a wrong type": {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = keyed("s1", item{"l": num("1")}) }, ""},
		"start outside the condition": {func(in *dynamodb.QueryInput) {
			in.KeyConditionExpression, in.ExclusiveStartKey = text("pk = :p AND l > :p"), keyed("s1", item{"l": str("a1")})
		}, "provided starting key"},
	} {
		in := local("keys", "", nil)
		c.change(in)
		_, err := s.ask(t, in)
		invalid(t, err, c.want, name)
	}

	for name, c := range map[string]struct {
		item item
		want string
	}{
		"a number":   {keyed("new", item{"l": num("1")}), "Type mismatch for Index Key"},
		"no letters": {keyed("new", item{"l": str("")}), "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: "},
		"too long":   {keyed("new", item{"l": str(strings.Repeat("l", 1025))}), ""},
	} {
		_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: c.item})
		invalid(t, err, c.want, name)
	}
	_, err := s.update(t, "s1", "SET l = :x", x(""), "")
	invalid(t, err, "attempted to update a secondary index key to a value that is not supported")
}
