package memory

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/dynamo"
)

// DB is a DynamoDB of one account and region. It is safe for concurrent use;
// calls take effect one at a time, each as a whole. What it is given and what
// it returns never share memory with what it stores.
type DB struct {
	now  func() time.Time
	emit func(table string, record events.DynamoDBEventRecord)
	lag  func(table, index string) time.Duration
	// readLag is nil if every read is up to date.
	readLag func(table string) time.Duration

	mu      sync.Mutex // guards all below
	tables  map[string]*table
	retired map[Target]Capacity // units of tables that have been deleted
	tokens  tokens
	stream  stream
}

var _ dynamo.API = (*DB)(nil)

// New makes a DB without tables.
func New(options ...Option) *DB {
	db := &DB{
		now:     time.Now,
		tables:  map[string]*table{},
		retired: map[Target]Capacity{},
	}
	for _, option := range options {
		option(db)
	}
	return db
}

// table returns the table of a request. db.mu is held.
func (db *DB) table(name *string) (*table, error) {
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	t, ok := db.tables[*name]
	if !ok {
		return nil, errNoTable()
	}
	return t, nil
}

// GetItem implements [dynamo.API].
func (db *DB) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return run(ctx, "GetItem", in, db.getItem)
}

// PutItem implements [dynamo.API].
func (db *DB) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	defer db.deliver()
	return run(ctx, "PutItem", in, db.putItem)
}

// UpdateItem implements [dynamo.API].
func (db *DB) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	defer db.deliver()
	return run(ctx, "UpdateItem", in, db.updateItem)
}

// DeleteItem implements [dynamo.API].
func (db *DB) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	defer db.deliver()
	return run(ctx, "DeleteItem", in, db.deleteItem)
}

// Query implements [dynamo.API].
func (db *DB) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return run(ctx, "Query", in, db.query)
}

// BatchGetItem implements [dynamo.API]. Items come in the order of their keys
// in the request; DynamoDB promises no order.
func (db *DB) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return run(ctx, "BatchGetItem", in, db.batchGetItem)
}

// BatchWriteItem implements [dynamo.API]. It never leaves items unprocessed.
func (db *DB) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	defer db.deliver()
	return run(ctx, "BatchWriteItem", in, db.batchWriteItem)
}

// TransactWriteItems implements [dynamo.API]. A ClientRequestToken is
// remembered for ten minutes of the DB's clock; unlike the SDK's client, the
// twin makes up none.
func (db *DB) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	defer db.deliver()
	return run(ctx, "TransactWriteItems", in, db.transactWriteItems)
}

// CreateTable implements [dynamo.API]. The table is ACTIVE at once.
func (db *DB) CreateTable(ctx context.Context, in *dynamodb.CreateTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	return run(ctx, "CreateTable", in, db.createTable)
}

// DescribeTable implements [dynamo.API]. Item count and size are exact.
func (db *DB) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	return run(ctx, "DescribeTable", in, db.describeTable)
}

// DeleteTable implements [dynamo.API]. The table is gone at once.
func (db *DB) DeleteTable(ctx context.Context, in *dynamodb.DeleteTableInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteTableOutput, error) {
	return run(ctx, "DeleteTable", in, db.deleteTable)
}

// UpdateTimeToLive implements [dynamo.API]. Items expire only when
// [DB.ExpireItems] is called.
func (db *DB) UpdateTimeToLive(ctx context.Context, in *dynamodb.UpdateTimeToLiveInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return run(ctx, "UpdateTimeToLive", in, db.updateTimeToLive)
}

// run does one call under the lock of the method's own making and wraps its
// error as the SDK's client does.
func run[In, Out any](ctx context.Context, operation string, in *In, do func(*In) (*Out, error)) (*Out, error) {
	if err := ctx.Err(); err != nil {
		return nil, operationError(operation, canceled(err))
	}
	if in == nil {
		in = new(In)
	}
	out, err := do(in)
	if err != nil {
		return nil, operationError(operation, err)
	}
	return out, nil
}
