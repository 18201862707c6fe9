package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// units are the consumed units of an answer: the total, the table's, and those
// of indexes that consumed any.
func units(t *testing.T, c *types.ConsumedCapacity) (total, table float64, indexes map[string]float64) {
	t.Helper()
	require.NotNil(t, c)
	require.NotNil(t, c.Table)
	indexes = map[string]float64{}
	sum := *c.Table.CapacityUnits
	for _, kind := range []map[string]types.Capacity{c.GlobalSecondaryIndexes, c.LocalSecondaryIndexes} {
		for name, i := range kind {
			indexes[name] = *i.CapacityUnits
			sum += *i.CapacityUnits
		}
	}
	require.InDelta(t, sum, *c.CapacityUnits, 0)
	return *c.CapacityUnits, *c.Table.CapacityUnits, indexes
}

func testWriteCapacity(t *testing.T, s *suite) {
	long := func(n int) types.AttributeValue { return str(strings.Repeat("v", n)) }
	put := func(i item) func() (*types.ConsumedCapacity, error) {
		return func() (*types.ConsumedCapacity, error) {
			out, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: i, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
			if err != nil {
				return nil, err
			}
			return out.ConsumedCapacity, nil
		}
	}
	update := func(sk, expression string, values item) func() (*types.ConsumedCapacity, error) {
		return func() (*types.ConsumedCapacity, error) {
			out, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &s.table, Key: keyed(sk), UpdateExpression: text(expression), ExpressionAttributeValues: values, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
			if err != nil {
				return nil, err
			}
			return out.ConsumedCapacity, nil
		}
	}
	remove := func(sk string) func() (*types.ConsumedCapacity, error) {
		return func() (*types.ConsumedCapacity, error) {
			out, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyed(sk), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
			if err != nil {
				return nil, err
			}
			return out.ConsumedCapacity, nil
		}
	}
	type index = map[string]float64
	all := func(n float64) index { return index{"whole": n, "keys": n, "some": n, "hash": n} }
	entry := item{"g": str("G"), "h": num("1")}
	for _, step := range []struct {
		name    string
		do      func() (*types.ConsumedCapacity, error)
		table   float64
		indexes index
	}{
		{"a new item in no index", put(keyed("a")), 1, index{}},
		{"the same again", put(keyed("a")), 1, index{}},
		{"it enters the indexes", put(keyed("a", entry)), 1, all(1)},
		{"the same again", put(keyed("a", entry)), 1, index{}},
		{"an attribute that two indexes hold", put(keyed("a", entry, item{"z": str("1")})), 1, index{"whole": 1, "hash": 1}},
		{"an attribute that three indexes hold", update("a", "SET a = :x", x("a")), 1, index{"whole": 1, "some": 1, "hash": 1}},
		{"a new range key: deleted and written", update("a", "SET h = :x", x(2)), 1, index{"whole": 2, "keys": 2, "some": 2, "hash": 1}},
		{"the same range key", update("a", "SET h = :x", x(2)), 1, index{}},
		{"a new hash key", update("a", "SET g = :x", x("H")), 1, all(2)},
		{"no range key", update("a", "REMOVE h", nil), 1, all(1)},
		{"deleted", remove("a"), 1, index{"hash": 1}},
		{"deleted again", remove("a"), 1, index{}},
		{"3 KB", put(keyed("b", entry, item{"a": long(3000)})), 3, index{"whole": 3, "keys": 1, "some": 3, "hash": 3}},
		{"less under another key", put(keyed("b", entry, item{"h": num("2"), "a": long(2000)})), 3, index{"whole": 5, "keys": 2, "some": 5, "hash": 3}},
		{"deleted", remove("b"), 2, index{"whole": 2, "keys": 1, "some": 2, "hash": 2}},
		{"5 KB", put(keyed("c", item{"z": long(5000)})), 5, index{}},
		{"the larger of old and new", put(keyed("c")), 5, index{}},
		{"exactly 1 KB", put(keyed("c", item{"z": long(1024 - 7)})), 1, index{}},
		{"one byte more", put(keyed("c", item{"z": long(1024 - 6)})), 2, index{}},
		{"an update of that", update("c", "SET y = :x", x(1)), 2, index{}},
		{"an update that makes an item", update("d", "SET y = :x", x(1)), 1, index{}},
	} {
		consumed, err := step.do()
		require.NoError(t, err, step.name)
		_, table, indexes := units(t, consumed)
		require.InDelta(t, step.table, table, 0, step.name)
		require.Equal(t, step.indexes, indexes, step.name)
	}

	out, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("e", entry), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	require.NoError(t, err)
	require.InDelta(t, 5, aws.ToFloat64(out.ConsumedCapacity.CapacityUnits), 0)
	require.Equal(t, s.table, *out.ConsumedCapacity.TableName)
	require.Nil(t, out.ConsumedCapacity.Table)
	out, err = s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("e", entry)})
	require.NoError(t, err)
	require.Nil(t, out.ConsumedCapacity)
}

func testReadCapacity(t *testing.T, s *suite) {
	s.put(t, keyed("small"))
	s.put(t, keyed("large", item{"v": str(strings.Repeat("v", 4096))}))
	for _, c := range []struct {
		sk         string
		consistent bool
		want       float64
	}{
		{"small", false, 0.5}, {"small", true, 1}, {"large", false, 1}, {"large", true, 2}, {"absent", false, 0.5}, {"absent", true, 1},
	} {
		out, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: keyed(c.sk), ConsistentRead: &c.consistent, ProjectionExpression: text("pk"), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
		require.NoError(t, err)
		total, _, _ := units(t, out.ConsumedCapacity)
		require.InDelta(t, c.want, total, 0, "%s %v", c.sk, c.consistent)
	}

	// A query adds the sizes up before it rounds: 10 items of 3,010 bytes.
	for i := range 10 {
		s.put(t, item{"pk": str("q"), "sk": str(fmt.Sprintf("s%d", i)), "g": str("G"), "h": num("1"), "v": str(strings.Repeat("v", 3000-8))})
	}
	query := func(in dynamodb.QueryInput) *types.ConsumedCapacity {
		in.ExpressionAttributeValues = x("q")
		if in.IndexName != nil {
			in.ExpressionAttributeValues = x("G")
		}
		in.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
		out, err := s.ask(t, &in)
		require.NoError(t, err)
		return out.ConsumedCapacity
	}
	for _, c := range []struct {
		in   dynamodb.QueryInput
		want float64
	}{
		{dynamodb.QueryInput{KeyConditionExpression: text("pk = :x")}, 4},
		{dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), ConsistentRead: aws.Bool(true)}, 8},
		{dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), Limit: aws.Int32(1)}, 0.5},
		{dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), Limit: aws.Int32(2), ConsistentRead: aws.Bool(true)}, 2},
		{dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), Select: types.SelectCount}, 4},
		{dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), FilterExpression: text("attribute_not_exists(v)")}, 4},
		{dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), ProjectionExpression: text("pk")}, 4},
	} {
		total, table, _ := units(t, query(c.in))
		require.InDelta(t, c.want, total, 0)
		require.InDelta(t, c.want, table, 0)
	}
	_, table, indexes := units(t, query(dynamodb.QueryInput{IndexName: aws.String("whole"), KeyConditionExpression: text("g = :x")}))
	require.InDelta(t, 0, table, 0)
	require.Equal(t, map[string]float64{"whole": 4}, indexes)
	_, _, indexes = units(t, query(dynamodb.QueryInput{IndexName: aws.String("keys"), KeyConditionExpression: text("g = :x")}))
	require.Equal(t, map[string]float64{"keys": 0.5}, indexes, "an index of keys alone is cheap to read")
	_, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: keyed("s"), ReturnConsumedCapacity: "SOME"})
	invalid(t, err, "")
}

// testItemSizes finds the size of values by the padding that makes an item
// exceed 1 KB.
func testItemSizes(t *testing.T, s *suite) {
	// pk and p, sk and s, v, and the pad's name: 3 + 3 + 1 + 1.
	const rest = 8
	for _, c := range []struct {
		value types.AttributeValue
		size  int
	}{
		{str("abc"), 3},
		{str("é"), 2},
		{str(""), 0},
		{bin("abc"), 3},
		{boolean(true), 1},
		{null(), 1},
		{num("0"), 1},
		{num("1"), 2},
		{num("12"), 2},
		{num("123"), 3},
		{num("12345"), 4},
		{num("-1"), 3},
		{num("-123"), 4},
		{num("100"), 2},
		{num("1200"), 2},
		{num("120"), 3},
		{num("1.5"), 3},
		{num("0.12"), 2},
		{num("0.123"), 3},
		{num("1001"), 3},
		{num("10001"), 4},
		{num("1e125"), 2},
		{num("1e-10"), 2},
		{num("12345678901234567890123456789012345678"), 20},
		{list(), 3},
		{mapOf(item{}), 3},
		{list(str("a")), 5},
		{list(str("a"), str("b")), 7},
		{mapOf(item{"a": str("b")}), 6},
		{list(list()), 7},
		{mapOf(item{"a": mapOf(item{})}), 8},
		{strs("a", "bc"), 3},
		{nums("1", "22"), 4},
		{bins("a"), 1},
	} {
		for _, pad := range []struct {
			bytes int
			want  float64
		}{{1024 - rest - c.size, 1}, {1024 - rest - c.size + 1, 2}} {
			_, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyed("s")})
			require.NoError(t, err)
			out, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: &s.table, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
				Item: keyed("s", item{"v": c.value, "z": str(strings.Repeat("z", pad.bytes))}),
			})
			require.NoError(t, err)
			require.InDelta(t, pad.want, *out.ConsumedCapacity.CapacityUnits, 0, "%#v should be %d bytes", c.value, c.size)
		}
	}
}
