package ingest

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/dynamo"
)

// countingDB counts the calls that ingest makes.
type countingDB struct {
	dynamo.API
	calls int
}

func (db *countingDB) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	db.calls++
	return db.API.UpdateItem(ctx, in, opts...)
}

func (db *countingDB) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	db.calls++
	return db.API.PutItem(ctx, in, opts...)
}

func (db *countingDB) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	db.calls++
	return db.API.BatchGetItem(ctx, in, opts...)
}
