package table_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func TestUnstorable(t *testing.T) {
	invalid := func(message string) error {
		return &smithy.GenericAPIError{Code: "ValidationException", Message: message}
	}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":            {nil, false},
		"an item":            {invalid("Item size to update has exceeded the maximum allowed size"), true},
		"a key of an index":  {invalid("Size of hashkey has exceeded the maximum size limit of 2048 bytes"), true},
		"a partition":        {&types.ItemCollectionSizeLimitExceededException{}, true},
		"another mistake":    {invalid("The provided key element does not match the schema"), false},
		"a throttle":         {&types.ProvisionedThroughputExceededException{}, false},
		"a failed condition": {&types.ConditionalCheckFailedException{}, false},
		"a fault":            {errors.New("the size of the fault is unknown"), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.err
			if err != nil {
				err = fmt.Errorf("storing a task: %w", err)
			}
			require.Equal(t, c.want, table.Unstorable(err))
		})
	}
}

// DynamoDB's own words for it.
func TestAnItemThatIsTooLargeIsUnstorable(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		seen := state.Observation{
			Key: state.Key{Kind: state.KindTask, Cluster: home, ID: "large"}, ARN: "arn:aws:ecs:eu-west-1:210987654321:task/edge/large",
			Version: 1, Source: state.SourceDescribed, ObservedAt: start,
			Detail: fmt.Appendf(nil, `{"lastStatus":"RUNNING","desiredStatus":"RUNNING","stoppedReason":%q}`, incompressible(1, 900_000)),
		}
		_, err := newState(db, name).Put(t.Context(), seen, start)
		require.Error(t, err)
		require.True(t, table.Unstorable(err), err)
	})
}
