package dynamo

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// RetryConflicts makes writes again that DynamoDB refused only because a transaction was under way on the same item. Two
// transactions that merely check one item at the same time are such a case, the SDK does not retry it, and it says
// nothing about any condition. A write that loses conflictTries times is given back with its error.
func RetryConflicts(api API) API { return &retrying{api} }

const (
	conflictTries = 6
	// conflictPause is the first pause's upper bound; each next one's is twice as long.
	conflictPause = 20 * time.Millisecond
)

type retrying struct{ API }

func (r *retrying) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return again(ctx, func() (*dynamodb.TransactWriteItemsOutput, error) { return r.API.TransactWriteItems(ctx, in, opts...) })
}

func (r *retrying) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return again(ctx, func() (*dynamodb.PutItemOutput, error) { return r.API.PutItem(ctx, in, opts...) })
}

func (r *retrying) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return again(ctx, func() (*dynamodb.UpdateItemOutput, error) { return r.API.UpdateItem(ctx, in, opts...) })
}

func (r *retrying) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return again(ctx, func() (*dynamodb.DeleteItemOutput, error) { return r.API.DeleteItem(ctx, in, opts...) })
}

func again[T any](ctx context.Context, write func() (T, error)) (T, error) {
	out, err := write()
	for try := 1; try < conflictTries && underTransaction(err); try++ {
		if !pause(ctx, rand.N(conflictPause<<(try-1))) {
			break
		}
		out, err = write()
	}
	return out, err
}

// RetryUnprocessed asks again for what BatchGetItem and BatchWriteItem leave unprocessed because the table is throttled, after
// pauses as DynamoDB wants them: at once it would leave the same over again. What is left after unprocessedTries is given back as such. Whoever
// makes the API wraps it: one in memory, on a time of its own, is not to be paused for.
func RetryUnprocessed(api API) API { return &patient{api} }

const (
	unprocessedTries = 6
	// unprocessedPause is the first pause's upper bound; each next one's is twice as long, all together 1.5 s at most.
	unprocessedPause = 50 * time.Millisecond
)

type patient struct{ API }

// BatchGetItem gives what all tries found. Consumed units are those of the last.
func (p *patient) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out, err := p.API.BatchGetItem(ctx, in, opts...)
	for try := 1; try < unprocessedTries && err == nil && len(out.UnprocessedKeys) > 0; try++ {
		if !pause(ctx, rand.N(unprocessedPause<<(try-1))) {
			return nil, ctx.Err()
		}
		rest := *in
		rest.RequestItems = out.UnprocessedKeys
		found := out.Responses
		if out, err = p.API.BatchGetItem(ctx, &rest, opts...); err == nil {
			out.Responses = joined(found, out.Responses)
		}
	}
	return out, err
}

// BatchWriteItem writes what all tries can. Consumed units are those of the last.
func (p *patient) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	out, err := p.API.BatchWriteItem(ctx, in, opts...)
	for try := 1; try < unprocessedTries && err == nil && len(out.UnprocessedItems) > 0; try++ {
		if !pause(ctx, rand.N(unprocessedPause<<(try-1))) {
			return nil, ctx.Err()
		}
		rest := *in
		rest.RequestItems = out.UnprocessedItems
		out, err = p.API.BatchWriteItem(ctx, &rest, opts...)
	}
	return out, err
}

// joined appends more to found, table by table.
func joined(found, more map[string][]map[string]types.AttributeValue) map[string][]map[string]types.AttributeValue {
	all := make(map[string][]map[string]types.AttributeValue, len(found))
	for table, items := range found {
		all[table] = items
	}
	for table, items := range more {
		all[table] = append(slices.Clip(all[table]), items...)
	}
	return all
}

// underTransaction says that a transaction on the same item is all that was in the way.
func underTransaction(err error) bool {
	var conflict *types.TransactionConflictException
	if errors.As(err, &conflict) {
		return true
	}
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return false
	}
	found := false
	for _, reason := range canceled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "None", "":
		case "TransactionConflict":
			found = true
		default:
			return false
		}
	}
	return found
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
