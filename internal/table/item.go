package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table/schema"
)

// Item is a DynamoDB item.
type Item = map[string]types.AttributeValue

// ErrConflict says that what was to be changed is not, any more, what the caller had read. Nothing was written.
var ErrConflict = errors.New("changed meanwhile")

// ErrNotFound says that there is no such item.
var ErrNotFound = errors.New("not found")

func itemKey(pk, sk string) Item {
	return Item{
		schema.PartitionKey: &types.AttributeValueMemberS{Value: pk},
		schema.SortKey:      &types.AttributeValueMemberS{Value: sk},
	}
}

func stringValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func numberValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

func stringOf(item Item, attribute string) string {
	if s, ok := item[attribute].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// encode makes an item of a struct by its json tags, so that a thing has the same names in the table and in the API.
func encode(pk, sk string, v any) (Item, error) {
	item, err := attributevalue.MarshalMapWithOptions(v, func(o *attributevalue.EncoderOptions) {
		o.TagKey = "json"
		o.UseEncodingMarshalers = true
	})
	if err != nil {
		return nil, fmt.Errorf("encoding %s %s: %w", pk, sk, err)
	}
	item[schema.PartitionKey], item[schema.SortKey] = stringValue(pk), stringValue(sk)
	return item, nil
}

// decode reads what encode wrote.
func decode(item Item, v any) error {
	err := attributevalue.UnmarshalMapWithOptions(item, v, func(o *attributevalue.DecoderOptions) {
		o.TagKey = "json"
		o.UseEncodingUnmarshalers = true
	})
	if err != nil {
		return fmt.Errorf("decoding item %s %s: %w", stringOf(item, schema.PartitionKey), stringOf(item, schema.SortKey), err)
	}
	return nil
}

// refused says that the condition of a write of one item did not hold.
func refused(err error) bool {
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed)
}

// conflict turns a failed condition into ErrConflict, and a write that came while a transaction was about to change the
// item. It leaves every other error alone.
func conflict(err error) error {
	var under *types.TransactionConflictException
	if refused(err) || errors.As(err, &under) {
		return ErrConflict
	}
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		for _, reason := range canceled.CancellationReasons {
			switch aws.ToString(reason.Code) {
			case "ConditionalCheckFailed", "TransactionConflict":
				return ErrConflict
			}
		}
	}
	return err
}

// maxPages bounds every query of a whole partition: at 1 MB a page it is far beyond what any partition of ours holds.
const maxPages = 1000

// queryAll reads every page of a query.
func queryAll(ctx context.Context, db dynamo.API, in *dynamodb.QueryInput) ([]Item, error) {
	var items []Item
	for range maxPages {
		out, err := db.Query(ctx, in)
		if err != nil {
			return nil, err
		}
		items = append(items, out.Items...)
		if len(out.LastEvaluatedKey) == 0 {
			return items, nil
		}
		next := *in
		next.ExclusiveStartKey = out.LastEvaluatedKey
		in = &next
	}
	return nil, fmt.Errorf("query of table %s: more than %d pages", aws.ToString(in.TableName), maxPages)
}

// queryUpTo reads the first items of a query, over as many pages as they take: DynamoDB ends one at 1 MB.
func queryUpTo(ctx context.Context, db dynamo.API, limit int, in *dynamodb.QueryInput) ([]Item, error) {
	var items []Item
	for range maxPages {
		if len(items) >= limit {
			return items, nil
		}
		next := *in
		next.Limit = aws.Int32(int32(limit - len(items))) //nolint:gosec // a page's size
		out, err := db.Query(ctx, &next)
		if err != nil {
			return nil, err
		}
		items = append(items, out.Items...)
		if len(out.LastEvaluatedKey) == 0 {
			return items, nil
		}
		next.ExclusiveStartKey = out.LastEvaluatedKey
		in = &next
	}
	return nil, fmt.Errorf("query of table %s: more than %d pages", aws.ToString(in.TableName), maxPages)
}

// getBatch is BatchGetItem's limit, batchTries how often what it leaves over is asked for again.
const (
	getBatch   = 100
	batchTries = 8
)

// getMany reads items by key, in no order. Missing items are missing in the result, and a key given twice gives one
// item: BatchGetItem refuses a whole batch in which a key repeats.
func getMany(ctx context.Context, db dynamo.API, table string, keys []Item, consistent bool) ([]Item, error) {
	var items []Item
	keys = distinct(keys)
	for start := 0; start < len(keys); start += getBatch {
		pending := map[string]types.KeysAndAttributes{table: {
			Keys:           keys[start:min(start+getBatch, len(keys))],
			ConsistentRead: aws.Bool(consistent),
		}}
		for try := 0; len(pending) > 0; try++ {
			if try == batchTries {
				return nil, fmt.Errorf("reading %d items of table %s: still throttled after %d tries", len(keys), table, batchTries)
			}
			out, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: pending})
			if err != nil {
				return nil, fmt.Errorf("reading %d items of table %s: %w", len(keys), table, err)
			}
			items = append(items, out.Responses[table]...)
			pending = out.UnprocessedKeys
		}
	}
	return items, nil
}

func distinct(keys []Item) []Item {
	seen := make(map[[2]string]bool, len(keys))
	var once []Item
	for _, key := range keys {
		id := [2]string{stringOf(key, schema.PartitionKey), stringOf(key, schema.SortKey)}
		if !seen[id] {
			seen[id] = true
			once = append(once, key)
		}
	}
	return once
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
