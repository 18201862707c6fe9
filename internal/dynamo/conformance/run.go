package conformance

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/attr"
	"github.com/blox/blox/internal/dynamo/dynamotest"
)

// Run runs the suite. open returns the engine to test; it is called for each
// group of tests, and may return the same engine each time.
func Run(t *testing.T, open func(t *testing.T) dynamo.API) {
	groups := []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"conditions", testConditions},
		{"condition errors", testConditionErrors},
		{"placeholders", testPlaceholders},
		{"reserved words", testReservedWords},
		{"updates", testUpdates},
		{"update errors", testUpdateErrors},
		{"return values", testReturnValues},
		{"projections", testProjections},
		{"values", testValues},
		{"numbers", testNumbers},
		{"keys", testKeys},
		{"limits", testLimits},
		{"failed conditions", testFailedConditions},
		{"queries", testQueries},
		{"query errors", testQueryErrors},
		{"query pages", testQueryPages},
		{"number keys", testNumberKeys},
		{"binary keys", testBinaryKeys},
		{"indexes", testIndexes},
		{"index pages", testIndexPages},
		{"index errors", testIndexErrors},
		{"local indexes", testLocalIndexes},
		{"queries of local indexes", testLocalIndexQueries},
		{"pages of local indexes", testLocalIndexPages},
		{"equal keys in local indexes", testEqualKeysInLocalIndexes},
		{"errors of local indexes", testLocalIndexErrors},
		{"capacity of local indexes", testLocalIndexCapacity},
		{"tables with local indexes", testLocalIndexTables},
		{"errors of tables with local indexes", testLocalIndexTableErrors},
		{"batches", testBatches},
		{"batch errors", testBatchErrors},
		{"transactions", testTransactions},
		{"transaction errors", testTransactionErrors},
		{"transaction tokens", testTransactionTokens},
		{"capacity of writes", testWriteCapacity},
		{"capacity of reads", testReadCapacity},
		{"item sizes", testItemSizes},
		{"tables", testTables},
		{"table errors", testTableErrors},
		{"time to live", testTimeToLive},
		{"missing parameters", testMissingParameters},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) { g.run(t, newSuite(t, open(t))) })
	}
}

// suite is one engine with a table: key pk and sk (strings), and indexes on
// g (string) and h (number) with each kind of projection.
type suite struct {
	db    dynamo.API
	table string
}

func newSuite(t *testing.T, db dynamo.API) *suite {
	s := &suite{db: db, table: dynamotest.TableName(t, "conformance")}
	key := []types.KeySchemaElement{hashKey("g"), rangeKey("h")}
	s.create(t, &dynamodb.CreateTableInput{
		TableName:            &s.table,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{hashKey("pk"), rangeKey("sk")},
		AttributeDefinitions: []types.AttributeDefinition{define("pk", "S"), define("sk", "S"), define("g", "S"), define("h", "N")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String("whole"), KeySchema: key, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
			{IndexName: aws.String("keys"), KeySchema: key, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
			{IndexName: aws.String("some"), KeySchema: key, Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"a", "b"}}},
			{IndexName: aws.String("hash"), KeySchema: key[:1], Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
		},
	})
	return s
}

func (s *suite) create(t *testing.T, in *dynamodb.CreateTableInput) {
	t.Helper()
	_, err := s.db.CreateTable(t.Context(), in)
	require.NoError(t, err)
}

func hashKey(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeHash}
}

func rangeKey(name string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange}
}

func define(name, kind string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeType(kind)}
}

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue     { return &types.AttributeValueMemberS{Value: s} }
func num(n string) types.AttributeValue     { return &types.AttributeValueMemberN{Value: n} }
func bin(b string) types.AttributeValue     { return &types.AttributeValueMemberB{Value: []byte(b)} }
func boolean(b bool) types.AttributeValue   { return &types.AttributeValueMemberBOOL{Value: b} }
func null() types.AttributeValue            { return &types.AttributeValueMemberNULL{Value: true} }
func mapOf(m item) types.AttributeValue     { return &types.AttributeValueMemberM{Value: m} }
func strs(s ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: s} }
func nums(n ...string) types.AttributeValue { return &types.AttributeValueMemberNS{Value: n} }

func list(values ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: values}
}

func bins(b ...string) types.AttributeValue {
	out := make([][]byte, len(b))
	for i, s := range b {
		out[i] = []byte(s)
	}
	return &types.AttributeValueMemberBS{Value: out}
}

// keyed returns an item: the key p and sk, and the attributes given.
func keyed(sk string, attributes ...item) item {
	out := item{"pk": str("p"), "sk": str(sk)}
	for _, a := range attributes {
		for name, v := range a {
			out[name] = v
		}
	}
	return out
}

func (s *suite) put(t *testing.T, i item) {
	t.Helper()
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: i})
	require.NoError(t, err)
}

func (s *suite) get(t *testing.T, sk string) item {
	t.Helper()
	out, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: keyed(sk), ConsistentRead: aws.Bool(true)})
	require.NoError(t, err)
	return out.Item
}

// same compares items by meaning: numbers by value, sets without order. A nil
// item is not an empty one.
func same(t *testing.T, want, got item, what ...any) {
	t.Helper()
	require.Equal(t, want == nil, got == nil, what...)
	require.Equal(t, normal(t, want), normal(t, got), what...)
}

func normal(t *testing.T, i item) item {
	t.Helper()
	out, err := attr.CheckedItem(i)
	require.NoError(t, err)
	return out
}

func sameItems(t *testing.T, want, got []item) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		same(t, want[i], got[i], "item %d", i)
	}
}

// invalid requires a ValidationException whose message holds essence.
func invalid(t *testing.T, err error, essence string, what ...any) {
	t.Helper()
	require.Error(t, err, what...)
	var api smithy.APIError
	require.ErrorAs(t, err, &api, what...)
	require.Equal(t, "ValidationException", api.ErrorCode(), what...)
	require.Contains(t, api.ErrorMessage(), essence, what...)
}

// refused requires that a condition did not hold, and returns the item that the
// error carries.
func refused(t *testing.T, err error, what ...any) item {
	t.Helper()
	var failed *types.ConditionalCheckFailedException
	require.ErrorAs(t, err, &failed, what...)
	require.Equal(t, "The conditional request failed", failed.ErrorMessage())
	return failed.Item
}

// isRefused tells whether a condition did not hold.
func isRefused(err error) bool {
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed)
}

// text is nil for an absent expression.
func text(expression string) *string {
	if expression == "" {
		return nil
	}
	return &expression
}
