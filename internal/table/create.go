package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table/schema"
)

// Create makes the table if it is not there. Deployments make theirs from the same definition; this is for tests and
// local mode.
func Create(ctx context.Context, db dynamo.API, name string, def schema.Table) error {
	_, err := db.CreateTable(ctx, createInput(name, def))
	var exists *types.ResourceInUseException
	if errors.As(err, &exists) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating table %s: %w", name, err)
	}
	_, err = db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(schema.TTL), Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		return fmt.Errorf("setting the TTL of table %s: %w", name, err)
	}
	return nil
}

func createInput(name string, def schema.Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keySchema(schema.PartitionKey, schema.SortKey),
	}
	keys := map[string]bool{}
	addKey := func(attribute string) {
		if !keys[attribute] {
			keys[attribute] = true
			in.AttributeDefinitions = append(in.AttributeDefinitions,
				types.AttributeDefinition{AttributeName: aws.String(attribute), AttributeType: types.ScalarAttributeTypeS})
		}
	}
	addKey(schema.PartitionKey)
	addKey(schema.SortKey)
	for _, index := range def.Indexes {
		addKey(index.PartitionKey)
		addKey(index.SortKey)
		name, keys := aws.String(index.Name), keySchema(index.PartitionKey, index.SortKey)
		keysOnly := &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
		if index.Local() {
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes,
				types.LocalSecondaryIndex{IndexName: name, KeySchema: keys, Projection: keysOnly})
		} else {
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes,
				types.GlobalSecondaryIndex{IndexName: name, KeySchema: keys, Projection: keysOnly})
		}
	}
	if def.Stream {
		in.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		}
	}
	return in
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}
