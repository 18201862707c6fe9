package memory

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func (t *table) arn() string {
	return "arn:aws:dynamodb:" + region + ":" + account + ":table/" + t.name
}

// streamLabel is the time of creation, as DynamoDB labels streams.
func (t *table) streamLabel() string { return t.created.UTC().Format("2006-01-02T15:04:05.000") }

func (t *table) streamARN() string { return t.arn() + "/stream/" + t.streamLabel() }

func (t *table) describe(status types.TableStatus) *types.TableDescription {
	out := &types.TableDescription{
		TableName:                 aws.String(t.name),
		TableArn:                  aws.String(t.arn()),
		TableStatus:               status,
		CreationDateTime:          aws.Time(t.created),
		AttributeDefinitions:      copyDefinitions(t.input.attributes),
		KeySchema:                 copyKeySchema(t.input.keySchema),
		ItemCount:                 aws.Int64(t.itemCount),
		TableSizeBytes:            aws.Int64(t.sizeBytes),
		DeletionProtectionEnabled: aws.Bool(t.protected),
		ProvisionedThroughput:     &types.ProvisionedThroughputDescription{ReadCapacityUnits: aws.Int64(0), WriteCapacityUnits: aws.Int64(0)},
	}
	if t.input.billing == types.BillingModePayPerRequest {
		out.BillingModeSummary = &types.BillingModeSummary{BillingMode: t.input.billing, LastUpdateToPayPerRequestDateTime: aws.Time(t.created)}
	} else {
		out.ProvisionedThroughput.ReadCapacityUnits = aws.Int64(aws.ToInt64(t.input.throughput.ReadCapacityUnits))
		out.ProvisionedThroughput.WriteCapacityUnits = aws.Int64(aws.ToInt64(t.input.throughput.WriteCapacityUnits))
	}
	if t.view != "" {
		out.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: t.view}
		out.LatestStreamArn = aws.String(t.streamARN())
		out.LatestStreamLabel = aws.String(t.streamLabel())
	}
	for _, ix := range t.indexes {
		if ix.local {
			out.LocalSecondaryIndexes = append(out.LocalSecondaryIndexes, ix.describeLocal(t))
		} else {
			out.GlobalSecondaryIndexes = append(out.GlobalSecondaryIndexes, ix.describe(t))
		}
	}
	return out
}

func (ix *index) describe(t *table) types.GlobalSecondaryIndexDescription {
	keys := []types.KeySchemaElement{{AttributeName: aws.String(ix.schema.hash.name), KeyType: types.KeyTypeHash}}
	if ix.schema.sort.name != "" {
		keys = append(keys, types.KeySchemaElement{AttributeName: aws.String(ix.schema.sort.name), KeyType: types.KeyTypeRange})
	}
	var count, bytes int64
	for _, p := range ix.entries {
		p.all(func(e entry) {
			count++
			bytes += int64(e.record.size)
		})
	}
	return types.GlobalSecondaryIndexDescription{
		IndexName:      aws.String(ix.name),
		IndexArn:       aws.String(t.arn() + "/index/" + ix.name),
		IndexStatus:    types.IndexStatusActive,
		ItemCount:      aws.Int64(count),
		IndexSizeBytes: aws.Int64(bytes),
		KeySchema:      keys,
		Projection:     &types.Projection{ProjectionType: ix.projection.ProjectionType, NonKeyAttributes: slices.Clone(ix.projection.NonKeyAttributes)},
	}
}

// describeLocal tells the same of a local index, which has no status of its own:
// it comes and goes with its table.
func (ix *index) describeLocal(t *table) types.LocalSecondaryIndexDescription {
	d := ix.describe(t)
	return types.LocalSecondaryIndexDescription{
		IndexName: d.IndexName, IndexArn: d.IndexArn, ItemCount: d.ItemCount, IndexSizeBytes: d.IndexSizeBytes,
		KeySchema: d.KeySchema, Projection: d.Projection,
	}
}

func copyDefinitions(in []types.AttributeDefinition) []types.AttributeDefinition {
	out := make([]types.AttributeDefinition, len(in))
	for i, d := range in {
		out[i] = types.AttributeDefinition{AttributeName: aws.String(aws.ToString(d.AttributeName)), AttributeType: d.AttributeType}
	}
	return out
}

func copyKeySchema(in []types.KeySchemaElement) []types.KeySchemaElement {
	out := make([]types.KeySchemaElement, len(in))
	for i, e := range in {
		out[i] = types.KeySchemaElement{AttributeName: aws.String(aws.ToString(e.AttributeName)), KeyType: e.KeyType}
	}
	return out
}
