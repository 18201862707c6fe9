package drive

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// A driver that died while it removed an environment has left the environment without its deployment.
func TestARemovalThatBrokeOffIsFinished(t *testing.T) {
	w := newWorld(t)
	w.markDeleting()
	for _, sk := range []string{"deployment/d-1", "revision/00000001"} {
		_, err := w.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("daemon"), Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "environment/env"}, "sk": &types.AttributeValueMemberS{Value: sk},
		}})
		require.NoError(t, err)
	}
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	_, err := w.daemon.Environment(t.Context(), "env")
	require.ErrorIs(t, err, table.ErrNotFound)
}

// The environment is deleted, to the end, while a driver is paused between its plan and its claims.
func TestAPausedDriverStartsNothingForAnEnvironmentThatIsGone(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.host(2)
	w.ecs.before = func(*ecs.RunTaskInput) {
		w.ecs.before = nil
		w.markDeleting()
		w.now = w.now.Add(2 * leaseHold)
		env, err := w.daemon.Environment(t.Context(), "env")
		require.NoError(t, err)
		require.NoError(t, w.daemon.RemoveEnvironment(t.Context(), env, w.now))
	}
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Len(t, w.ecs.requests, 1, "the call that was under way, and no other")
}

func (w *world) markDeleting() {
	w.t.Helper()
	env, err := w.daemon.Environment(w.t.Context(), "env")
	require.NoError(w.t, err)
	env.Status = daemon.EnvironmentDeleting
	require.NoError(w.t, w.daemon.UpdateEnvironment(w.t.Context(), env, nil))
}
