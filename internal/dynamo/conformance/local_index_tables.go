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

func testLocalIndexTables(t *testing.T, with *suite) {
	s := tableWithLocalIndexes(t, with)
	s.putLocal(t)
	out, err := s.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &s.table})
	require.NoError(t, err)
	require.Len(t, out.Table.GlobalSecondaryIndexes, 1)
	require.Len(t, out.Table.LocalSecondaryIndexes, 3)
	projections := map[string]types.Projection{
		"keys":  {ProjectionType: types.ProjectionTypeKeysOnly},
		"some":  {ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"a"}},
		"whole": {ProjectionType: types.ProjectionTypeAll},
	}
	for _, ix := range out.Table.LocalSecondaryIndexes {
		require.Equal(t, []types.KeySchemaElement{hashKey("pk"), rangeKey("l")}, ix.KeySchema)
		require.Equal(t, projections[*ix.IndexName], *ix.Projection, *ix.IndexName)
		require.Equal(t, *out.Table.TableArn+"/index/"+*ix.IndexName, *ix.IndexArn)
	}

	// Five at most, also beside global ones. The table's own range key will do.
	in := newTableInput(t)
	in.KeySchema = append(in.KeySchema, rangeKey("l"))
	in.AttributeDefinitions = append(in.AttributeDefinitions, define("l", "S"))
	for i := range 5 {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, localIndex(fmt.Sprintf("index%d", i), types.ProjectionTypeKeysOnly))
	}
	s.create(t, in)
}

func testLocalIndexTableErrors(t *testing.T, s *suite) {
	keysOnly := localIndex("one", types.ProjectionTypeKeysOnly)
	for name, c := range map[string]struct {
		change func(*dynamodb.CreateTableInput)
		want   string
	}{
		"a table without a range key": {func(in *dynamodb.CreateTableInput) {
			in.KeySchema = in.KeySchema[:1]
			in.AttributeDefinitions = []types.AttributeDefinition{define("pk", "S"), define("l", "S")}
		}, ""},
		"another hash key": {func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes[0].KeySchema = []types.KeySchemaElement{hashKey("sk"), rangeKey("l")}
		}, "same"},
		"no range key": {func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes[0].KeySchema = []types.KeySchemaElement{hashKey("pk")}
			in.AttributeDefinitions = in.AttributeDefinitions[:2]
		}, "range key"},
		"six": {func(in *dynamodb.CreateTableInput) {
			for i := range 5 {
				in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, localIndex(fmt.Sprintf("index%d", i), types.ProjectionTypeKeysOnly))
			}
		}, "5"},
		"a name twice": {func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, keysOnly)
		}, "name"},
		"the name of a global index": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
				IndexName: keysOnly.IndexName, KeySchema: keysOnly.KeySchema, Projection: keysOnly.Projection,
			}}
		}, "name"},
		"an undefined key": {func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = in.AttributeDefinitions[:2] }, ""},
		"a short name":     {func(in *dynamodb.CreateTableInput) { in.LocalSecondaryIndexes[0].IndexName = aws.String("x") }, "between 3 and 255 characters long"},
		"include without attributes": {func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes[0] = localIndex("one", types.ProjectionTypeInclude)
		}, "INCLUDE"},
		"attributes without include": {func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes[0] = localIndex("one", types.ProjectionTypeAll, "a")
		}, ""},
	} {
		in := newTableInput(t)
		in.KeySchema = []types.KeySchemaElement{hashKey("pk"), rangeKey("sk")}
		in.AttributeDefinitions = []types.AttributeDefinition{define("pk", "S"), define("sk", "S"), define("l", "S")}
		in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{keysOnly}
		c.change(in)
		_, err := s.db.CreateTable(t.Context(), in)
		invalid(t, err, c.want, name)
	}
}

func testLocalIndexCapacity(t *testing.T, with *suite) {
	s := tableWithLocalIndexes(t, with)
	long := func(n int) item { return item{"z": str(strings.Repeat("z", n))} }
	entry := item{"l": str("L")}
	type index = map[string]float64
	for _, step := range []struct {
		name    string
		item    item
		table   float64
		indexes index
	}{
		{"in no index", keyed("s"), 1, index{}},
		{"it enters the indexes", keyed("s", entry), 1, index{"keys": 1, "some": 1, "whole": 1, "global": 1}},
		{"the same again", keyed("s", entry), 1, index{}},
		{"an attribute that one index holds", keyed("s", entry, long(1)), 1, index{"whole": 1}},
		{"another range key: deleted and written", keyed("s", item{"l": str("M")}), 1, index{"keys": 2, "some": 2, "whole": 2, "global": 2}},
		{"2.5 KB", keyed("s", item{"l": str("M")}, long(2500)), 3, index{"whole": 3}},
		{"it leaves the indexes", keyed("s"), 3, index{"keys": 1, "some": 1, "whole": 3, "global": 1}},
	} {
		out, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &s.table, Item: step.item, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
		})
		require.NoError(t, err, step.name)
		_, table, indexes := units(t, out.ConsumedCapacity)
		require.InDelta(t, step.table, table, 0, step.name)
		require.Equal(t, step.indexes, indexes, step.name)
		require.NotContains(t, out.ConsumedCapacity.GlobalSecondaryIndexes, "keys", "a local index stands among the local ones")
		require.NotContains(t, out.ConsumedCapacity.LocalSecondaryIndexes, "global")
	}

	// Entries are added up before they are rounded; items that are fetched are
	// rounded up one by one. Both cost double if they are read consistently.
	for i, size := range []int{3000, 5000, 9000} {
		s.put(t, keyed(fmt.Sprintf("s%d", i), item{"l": str(fmt.Sprint(i))}, long(size)))
	}
	for name, c := range map[string]struct {
		index   string
		change  func(*dynamodb.QueryInput)
		table   float64
		indexed float64
	}{
		"keys":                 {"keys", func(*dynamodb.QueryInput) {}, 0, 1},
		"a count":              {"keys", func(in *dynamodb.QueryInput) { in.Select = types.SelectCount }, 0, 1},
		"a page":               {"keys", func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(1) }, 0, 1},
		"whole items":          {"whole", func(*dynamodb.QueryInput) {}, 0, 5},
		"whole items, all":     {"whole", func(in *dynamodb.QueryInput) { in.Select = types.SelectAllAttributes }, 0, 5},
		"fetched":              {"keys", func(in *dynamodb.QueryInput) { in.Select = types.SelectAllAttributes }, 1 + 2 + 3, 1},
		"an attribute fetched": {"some", func(in *dynamodb.QueryInput) { in.ProjectionExpression = text("z") }, 1 + 2 + 3, 1},
		"a page fetched": {"keys", func(in *dynamodb.QueryInput) {
			in.Select, in.Limit = types.SelectAllAttributes, aws.Int32(2)
		}, 1 + 2, 1},
		"fetched and dropped": {"keys", func(in *dynamodb.QueryInput) {
			in.Select, in.FilterExpression = types.SelectAllAttributes, text("sk = :p")
		}, 1 + 2 + 3, 1},
	} {
		for _, consistent := range []bool{true, false} {
			in := local(c.index, "", nil)
			in.ConsistentRead, in.ReturnConsumedCapacity = &consistent, types.ReturnConsumedCapacityIndexes
			c.change(in)
			out, err := s.ask(t, in)
			require.NoError(t, err, name)
			share := 1.0
			if !consistent {
				share = 0.5
			}
			_, table, indexes := units(t, out.ConsumedCapacity)
			require.InDelta(t, share*c.table, table, 0, name)
			require.Equal(t, index{c.index: share * c.indexed}, indexes, name)
		}
	}
}
