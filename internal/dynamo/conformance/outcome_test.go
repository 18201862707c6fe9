package conformance_test

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/blox/blox/internal/dynamo/attr"
)

// outcomeOf makes an answer or an error comparable: of an error, its kind and
// the item it carries.
func outcomeOf(answer any, err error) any {
	var failed *types.ConditionalCheckFailedException
	var canceled *types.TransactionCanceledException
	var api smithy.APIError
	switch {
	case err == nil:
		return answer
	case errors.As(err, &failed):
		return []any{"condition failed", normal(failed.Item)}
	case errors.As(err, &canceled):
		reasons := []any{"canceled"}
		for _, r := range canceled.CancellationReasons {
			if *r.Code == "ValidationError" {
				return "ValidationException" // as DynamoDB Local has it for updates
			}
			reasons = append(reasons, *r.Code, normal(r.Item))
		}
		return reasons
	case errors.As(err, &api):
		return api.ErrorCode()
	default:
		return []any{err.Error()}
	}
}

func normal(i item) any {
	if i == nil {
		return nil
	}
	out, err := attr.CheckedItem(i)
	if err != nil {
		return err
	}
	return out
}

func normalItems(items []item) []any {
	out := make([]any, len(items))
	for i := range items {
		out[i] = normal(items[i])
	}
	return out
}

// bill makes consumed capacity comparable.
func bill(c *types.ConsumedCapacity) map[string]float64 {
	if c == nil {
		return nil
	}
	out := map[string]float64{"total": *c.CapacityUnits, "table": *c.Table.CapacityUnits}
	for name, i := range c.GlobalSecondaryIndexes {
		out["global "+name] = *i.CapacityUnits
	}
	for name, i := range c.LocalSecondaryIndexes {
		out["local "+name] = *i.CapacityUnits
	}
	return out
}
