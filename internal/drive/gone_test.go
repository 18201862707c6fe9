package drive

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// clusterExpires takes away what is known of a cluster, as DynamoDB's TTL does days after ECS had it no more.
func (w *world) clusterExpires(key state.ClusterKey) {
	w.t.Helper()
	before, err := w.state.Clusters(w.t.Context())
	require.NoError(w.t, err)
	_, err = w.db.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("state"), Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "clusters"}, "sk": &types.AttributeValueMemberS{Value: key.String()},
	}})
	require.NoError(w.t, err)
	after, err := w.state.Clusters(w.t.Context())
	require.NoError(w.t, err)
	require.Len(w.t, after, len(before)-1)
}

// rollsOutOn deploys a revision that changes no task, and looks until it has ended.
func (w *world) rollsOutOn(clusters []state.ClusterKey) {
	w.t.Helper()
	w.revise(func(r *daemon.Revision) {
		r.TaskDefinition = "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:1"
		r.Clusters, r.DeploymentConfiguration.ProgressDeadlineSeconds = clusters, 3600
	})
	for range 10 {
		w.now = w.now.Add(time.Minute)
		w.look()
	}
	d := w.deployment("d-2")
	require.Equal(w.t, daemon.DeploymentCompleted, d.Status, "%+v: %s", d.Counts, d.Reason)
	require.Equal(w.t, []state.ClusterKey{cluster}, w.environment().Clusters)
}

func TestAClusterThatECSHasNoMoreHoldsNothingUp(t *testing.T) {
	t.Run("one that the revision named", func(t *testing.T) {
		w := newWorld(t)
		both := []state.ClusterKey{cluster, w.known("edge-2")}
		env := w.environment()
		env.Clusters = both
		require.NoError(t, w.daemon.UpdateEnvironment(t.Context(), env, nil))
		w.completes()
		w.clusterExpires(both[1])
		w.rollsOutOn(both[:1])
	})
	t.Run("one that the pattern brought", func(t *testing.T) {
		w := newWorld(t, func(r *daemon.Revision) { r.ClusterPattern, r.Clusters = "edge*", []state.ClusterKey{cluster} })
		second := w.known("edge-2")
		w.completes()
		require.Len(t, w.environment().Clusters, 2)
		require.NoError(t, w.state.PutSync(t.Context(), table.Cluster{Key: second, SyncedAt: w.now.UnixMilli(), GoneAt: w.now.UnixMilli()}))
		w.now = w.now.Add(time.Hour)
		w.look()
		require.Equal(t, []state.ClusterKey{cluster}, w.environment().Clusters, "or they would pile up")
	})
	t.Run("one that the pattern brought and of which nothing is known any more", func(t *testing.T) {
		w := newWorld(t, func(r *daemon.Revision) { r.ClusterPattern, r.Clusters = "edge*", []state.ClusterKey{cluster} })
		second := w.known("edge-2")
		w.completes()
		w.clusterExpires(second)
		w.rollsOutOn([]state.ClusterKey{cluster})
	})
}

// deafECS does not say what a capacity provider is.
type deafECS struct {
	*fakeECS
	asked int
}

func (d *deafECS) DescribeCapacityProviders(
	context.Context, *ecs.DescribeCapacityProvidersInput, ...func(*ecs.Options),
) (*ecs.DescribeCapacityProvidersOutput, error) {
	d.asked++
	return nil, errors.New("AccessDenied")
}

// The calls that it takes to ask are those that a stop waits for.
func TestWhatECSDoesNotSayIsNotAskedForEachHost(t *testing.T) {
	w := newWorld(t)
	deaf := &deafECS{fakeECS: w.ecs}
	w.driver.ECS = func(string, string) (ecsapi.API, error) { return deaf, nil }
	for n := range 100 {
		w.host(n, eventtest.Field("capacityProviderName", "asg"))
	}
	for range 3 {
		_, err := w.driver.snapshot(t.Context(), "env", everything)
		require.NoError(t, err)
	}
	require.Equal(t, 1, deaf.asked)
	w.now = w.now.Add(factRetry)
	_, err := w.driver.snapshot(t.Context(), "env", everything)
	require.NoError(t, err)
	require.Equal(t, 2, deaf.asked)
}
