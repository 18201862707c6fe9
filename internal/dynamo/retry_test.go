package dynamo

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// refusing answers transactions with its errors, one after the other, and then with success.
type refusing struct {
	API
	errs  []error
	calls int
}

func (r *refusing) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	r.calls++
	if r.calls <= len(r.errs) {
		return nil, r.errs[r.calls-1]
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func canceled(codes ...string) error {
	err := &types.TransactionCanceledException{}
	for _, code := range codes {
		err.CancellationReasons = append(err.CancellationReasons, types.CancellationReason{Code: aws.String(code)})
	}
	return err
}

func TestOnlyConflictsAreTriedAgain(t *testing.T) {
	conflict := canceled("TransactionConflict", "None")
	for name, c := range map[string]struct {
		errs  []error
		calls int
		fails bool
	}{
		"a success":                        {nil, 1, false},
		"a conflict that passes":           {[]error{conflict, &types.TransactionConflictException{}}, 3, false},
		"a conflict that does not":         {[]error{conflict, conflict, conflict, conflict, conflict, conflict, conflict}, conflictTries, true},
		"a condition that does not hold":   {[]error{canceled("ConditionalCheckFailed", "None")}, 1, true},
		"a condition beside a conflict":    {[]error{canceled("TransactionConflict", "ConditionalCheckFailed")}, 1, true},
		"an error of another kind":         {[]error{errors.New("away")}, 1, true},
		"a cancellation without a reason ": {[]error{canceled()}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := &refusing{errs: c.errs}
				_, err := RetryConflicts(api).TransactWriteItems(t.Context(), nil)
				require.Equal(t, c.fails, err != nil)
				require.Equal(t, c.calls, api.calls)
			})
		})
	}
}

func TestTheEndOfTheContextEndsTheTries(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	api := &refusing{errs: []error{canceled("TransactionConflict"), canceled("TransactionConflict")}}
	_, err := RetryConflicts(api).TransactWriteItems(ctx, nil)
	require.Error(t, err)
	require.Equal(t, 1, api.calls)
}

// throttled leaves all but the first key of each request over, until its calls are used up.
type throttled struct {
	API
	calls, passes int
}

func (d *throttled) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	d.calls++
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}, UnprocessedKeys: map[string]types.KeysAndAttributes{}}
	for table, asked := range in.RequestItems {
		done := len(asked.Keys)
		if d.calls < d.passes {
			done = min(1, done-1)
			out.UnprocessedKeys[table] = types.KeysAndAttributes{Keys: asked.Keys[done:], ConsistentRead: asked.ConsistentRead}
		}
		out.Responses[table] = asked.Keys[:done]
	}
	return out, nil
}

func TestWhatABatchLeavesOverIsAskedForAgainLater(t *testing.T) {
	keys := make([]map[string]types.AttributeValue, 4)
	for i := range keys {
		keys[i] = map[string]types.AttributeValue{"id": &types.AttributeValueMemberN{Value: strconv.Itoa(i)}}
	}
	asked := func() *dynamodb.BatchGetItemInput {
		return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"a": {Keys: keys[:3]}, "b": {Keys: keys[3:]}}}
	}
	for passes, calls := range map[int]int{1: 1, 2: 2, 4: 4, 100: unprocessedTries} {
		synctest.Test(t, func(t *testing.T) {
			api := &throttled{passes: passes}
			began := time.Now()
			out, err := RetryUnprocessed(api).BatchGetItem(t.Context(), asked())
			require.NoError(t, err)
			require.Equal(t, calls, api.calls)
			require.Equal(t, calls > 1, time.Since(began) > 0, "it waits, and only where there is a rest")
			require.Less(t, time.Since(began), 2*time.Second)
			if passes == calls {
				require.Empty(t, out.UnprocessedKeys)
				require.Equal(t, map[string][]map[string]types.AttributeValue{"a": keys[:3], "b": keys[3:]}, out.Responses)
			} else {
				require.NotEmpty(t, out.UnprocessedKeys)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := RetryUnprocessed(&throttled{passes: 100}).BatchGetItem(ctx, asked())
	require.ErrorIs(t, err, context.Canceled)
}

// slow writes one item of each batch and leaves the rest over, until its calls are used up.
type slow struct {
	API
	calls, passes int
	written       []types.WriteRequest
}

func (d *slow) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	d.calls++
	out := &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{}}
	for table, asked := range in.RequestItems {
		done := len(asked)
		if d.calls < d.passes {
			done = min(1, done-1)
			out.UnprocessedItems[table] = asked[done:]
		}
		d.written = append(d.written, asked[:done]...)
	}
	return out, nil
}

func TestWhatABatchOfWritesLeavesOverIsWrittenLater(t *testing.T) {
	requests := make([]types.WriteRequest, 5)
	for i := range requests {
		requests[i].DeleteRequest = &types.DeleteRequest{Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberN{Value: strconv.Itoa(i)}}}
	}
	in := &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"a": requests}}
	for passes, calls := range map[int]int{1: 1, 3: 3, 100: unprocessedTries} {
		synctest.Test(t, func(t *testing.T) {
			api := &slow{passes: passes}
			began := time.Now()
			out, err := RetryUnprocessed(api).BatchWriteItem(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, calls, api.calls)
			require.Equal(t, calls > 1, time.Since(began) > 0, "it waits, and only where there is a rest")
			require.Less(t, time.Since(began), 2*time.Second)
			if passes == calls {
				require.Empty(t, out.UnprocessedItems)
				require.Equal(t, requests, api.written)
			} else {
				require.NotEmpty(t, out.UnprocessedItems)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := RetryUnprocessed(&slow{passes: 100}).BatchWriteItem(ctx, in)
	require.ErrorIs(t, err, context.Canceled)
}
