package dynamo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

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
