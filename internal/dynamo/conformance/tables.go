package conformance

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/dynamotest"
)

func testTables(t *testing.T, s *suite) {
	waiter := dynamodb.NewTableExistsWaiter(s.db)
	require.NoError(t, waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &s.table}, 10*time.Second))

	s.put(t, keyed("a", item{"g": str("G")}))
	out, err := s.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &s.table})
	require.NoError(t, err)
	d := out.Table
	require.Equal(t, s.table, *d.TableName)
	require.Equal(t, types.TableStatusActive, d.TableStatus)
	require.Contains(t, *d.TableArn, ":table/"+s.table)
	require.NotNil(t, d.CreationDateTime)
	require.Equal(t, types.BillingModePayPerRequest, d.BillingModeSummary.BillingMode)
	require.EqualValues(t, 1, *d.ItemCount)
	require.Equal(t, []types.KeySchemaElement{hashKey("pk"), rangeKey("sk")}, d.KeySchema)
	require.ElementsMatch(t, []types.AttributeDefinition{define("pk", "S"), define("sk", "S"), define("g", "S"), define("h", "N")}, d.AttributeDefinitions)
	require.Nil(t, d.StreamSpecification)
	require.Len(t, d.GlobalSecondaryIndexes, 4)
	for _, ix := range d.GlobalSecondaryIndexes {
		require.Equal(t, types.IndexStatusActive, ix.IndexStatus)
		switch *ix.IndexName {
		case "some":
			require.Equal(t, types.ProjectionTypeInclude, ix.Projection.ProjectionType)
			require.ElementsMatch(t, []string{"a", "b"}, ix.Projection.NonKeyAttributes)
			require.Equal(t, []types.KeySchemaElement{hashKey("g"), rangeKey("h")}, ix.KeySchema)
		case "hash":
			require.Equal(t, []types.KeySchemaElement{hashKey("g")}, ix.KeySchema)
		}
	}

	streaming := newTableInput(t)
	streaming.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	created, err := s.db.CreateTable(t.Context(), streaming)
	require.NoError(t, err)
	require.Equal(t, types.StreamViewTypeNewAndOldImages, created.TableDescription.StreamSpecification.StreamViewType)
	require.Contains(t, *created.TableDescription.LatestStreamArn, "/stream/"+*created.TableDescription.LatestStreamLabel)

	deleted, err := s.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &s.table})
	require.NoError(t, err)
	require.Equal(t, s.table, *deleted.TableDescription.TableName)
	var notFound *types.ResourceNotFoundException
	_, err = s.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &s.table})
	require.ErrorAs(t, err, &notFound)
	_, err = s.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &s.table})
	require.ErrorAs(t, err, &notFound)
	_, err = s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("a")})
	require.ErrorAs(t, err, &notFound)

	// A table of the same name is a new one.
	again := newTableInput(t)
	again.TableName = &s.table
	s.create(t, again)
	got, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: item{"pk": str("p")}})
	require.NoError(t, err)
	require.Nil(t, got.Item)
}

// newTableInput is a table with a hash key alone.
func newTableInput(t *testing.T) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName: aws.String(dynamotest.TableName(t, "table")), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{hashKey("pk")},
		AttributeDefinitions: []types.AttributeDefinition{define("pk", "S")},
	}
}

func testTableErrors(t *testing.T, s *suite) {
	again := newTableInput(t)
	again.TableName = &s.table
	_, err := s.db.CreateTable(t.Context(), again)
	var inUse *types.ResourceInUseException
	require.ErrorAs(t, err, &inUse)

	index := func(key string, projection types.Projection) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{IndexName: aws.String("one"), KeySchema: []types.KeySchemaElement{hashKey(key)}, Projection: &projection}
	}
	all := types.Projection{ProjectionType: types.ProjectionTypeAll}
	for name, c := range map[string]struct {
		change func(*dynamodb.CreateTableInput)
		want   string
	}{
		"a short name": {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("x") }, "between 3 and 255 characters long"},
		"an unused definition": {func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, define("x", "S"))
		}, "umber of attributes in key schema must match the number of attributes defined in attribute definitions"},
		"no definition":     {func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = []types.AttributeDefinition{} }, ""},
		"no key":            {func(in *dynamodb.CreateTableInput) { in.KeySchema = []types.KeySchemaElement{} }, ""},
		"a range key alone": {func(in *dynamodb.CreateTableInput) { in.KeySchema = []types.KeySchemaElement{rangeKey("pk")} }, ""},
		"two hash keys": {func(in *dynamodb.CreateTableInput) {
			in.KeySchema = []types.KeySchemaElement{hashKey("pk"), hashKey("pk")}
		}, ""},
		"one attribute as both keys": {func(in *dynamodb.CreateTableInput) {
			in.KeySchema = []types.KeySchemaElement{hashKey("pk"), rangeKey("pk")}
		}, ""},
		"no throughput": {func(in *dynamodb.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned }, "No provisioned throughput specified for the table"},
		"a map as a key": {func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = []types.AttributeDefinition{define("pk", "M")}
		}, "Member must satisfy enum value set"},
		"no index in the list": {func(in *dynamodb.CreateTableInput) { in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{} }, ""},
		"an undefined index key": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{index("q", all)}
		}, ""},
		"an index name twice": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{index("pk", all), index("pk", all)}
		}, ""},
		"include without attributes": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{index("pk", types.Projection{ProjectionType: types.ProjectionTypeInclude})}
		}, "INCLUDE"},
		"attributes without include": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{index("pk", types.Projection{ProjectionType: types.ProjectionTypeAll, NonKeyAttributes: []string{"a"}})}
		}, ""},
		"a stream without a view": {func(in *dynamodb.CreateTableInput) {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true)}
		}, "StreamViewType"},
	} {
		in := newTableInput(t)
		c.change(in)
		_, err := s.db.CreateTable(t.Context(), in)
		invalid(t, err, c.want, name)
	}
}

func testTimeToLive(t *testing.T, s *suite) {
	set := func(attribute string, enabled bool) (*types.TimeToLiveSpecification, error) {
		out, err := s.db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               &s.table,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &enabled},
		})
		if err != nil {
			return nil, err
		}
		return out.TimeToLiveSpecification, nil
	}
	spec, err := set("expires", true)
	require.NoError(t, err)
	require.Equal(t, "expires", *spec.AttributeName)
	require.True(t, *spec.Enabled)
	_, err = set("expires", true)
	invalid(t, err, "TimeToLive is already enabled")
	_, err = set("other", true)
	invalid(t, err, "TimeToLive is active on a different AttributeName")
	_, err = set("", true)
	invalid(t, err, "")
	spec, err = set("expires", false)
	require.NoError(t, err)
	require.False(t, *spec.Enabled)
	_, err = set("expires", false)
	invalid(t, err, "TimeToLive is already disabled")
	absent := dynamotest.TableName(t, "absent")
	_, err = s.db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName:               &absent,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
	})
	var notFound *types.ResourceNotFoundException
	require.ErrorAs(t, err, &notFound)
}
