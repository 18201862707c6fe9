package drive

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

func TestWhatEndedWellIsTheLastGoodRevision(t *testing.T) {
	w := newWorld(t)
	w.completes()
	require.Equal(t, 1, w.environment().LastGoodRevision)

	w.revise(func(*daemon.Revision) {})
	w.ecsSays(map[string]string{w.slot(1).TaskARN: "log-agent:1"})
	back, err := w.deployment("d-2").RollBack(0, "bad", w.now)
	require.NoError(t, err)
	_, err = w.daemon.AdvanceDeployment(t.Context(), back)
	require.NoError(t, err)
	w.look()
	require.Equal(t, daemon.DeploymentRolledBack, w.deployment("d-2").Status)
	require.Equal(t, 1, w.environment().LastGoodRevision, "the one that it was rolled back to, and not the one that it brought")
}

func TestADriverThatDiesBeforeTheEnvironmentLearnsIsMadeUpFor(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	finishDeployment(t, w) // as a driver stored it, and died
	require.Zero(t, w.environment().LastGoodRevision)
	require.NoError(t, w.driver.Drive(t.Context(), "env", w.instances(1)))
	require.Zero(t, w.environment().LastGoodRevision, "a look at one host is none at the environment")
	w.look()
	require.Equal(t, 1, w.environment().LastGoodRevision)
}

// pausingDB lets people write a moment before the scheduler stores the deployment.
type pausingDB struct {
	*memory.DB
	before func()
}

func (b *pausingDB) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if sk, ok := in.Item["sk"].(*types.AttributeValueMemberS); ok && sk.Value == "deployment/d-1" && b.before != nil {
		before := b.before
		b.before = nil
		before()
	}
	return b.DB.PutItem(ctx, in, opts...)
}

func TestAPauseInBetweenIsNotWrittenOverAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	w.runs(1)
	db := &pausingDB{DB: w.db}
	w.driver.Daemon = table.NewDaemon(db, "daemon")
	db.before = func() {
		paused, err := w.deployment("d-1").Pause(daemon.Operator{By: "ann", Reason: "lunch"})
		require.NoError(t, err)
		_, err = w.daemon.AdvanceDeployment(t.Context(), paused)
		require.NoError(t, err)
	}
	w.look()
	dep := w.deployment("d-1")
	require.Equal(t, daemon.DeploymentPaused, dep.Status, "the scheduler was about to store it as completed")
	require.Equal(t, "paused by ann: lunch", dep.Reason)
	require.Equal(t, 1, dep.Counts.Updated, "and stores what it counted with the pause")
	require.Zero(t, w.environment().LastGoodRevision)
	require.Contains(t, w.told(), "Blox Deployment State Change: d-1 paused")

	resumed, err := dep.Resume(w.now)
	require.NoError(t, err)
	_, err = w.daemon.AdvanceDeployment(t.Context(), resumed)
	require.NoError(t, err, "nobody else has written since")
	w.look()
	require.Equal(t, daemon.DeploymentCompleted, w.deployment("d-1").Status)
}

// failing is a world in which revision 2 is deployed and given up: its daemon crashes at every start.
func failing(t *testing.T, change func(*daemon.Revision)) *world {
	t.Helper()
	w := newWorld(t)
	w.completes()
	w.told()
	w.revise(func(r *daemon.Revision) {
		r.DeploymentConfiguration.CircuitBreaker.Threshold = "1"
		change(r)
	})
	old := w.slot(1).TaskARN
	w.ecsSays(map[string]string{old: "log-agent:1"})
	w.look()
	require.Equal(t, []string{old}, w.ecs.stopped)
	w.daemonIs(1, old, 10, "STOPPED", "STOPPED", "log-agent:1")
	for range 10 {
		w.look()
		if s := w.slot(1); s.State == daemon.SlotPlaced && s.Revision == 2 {
			w.daemonIs(1, s.TaskARN, 1, "STOPPED", "STOPPED", "log-agent:2")
		}
		w.now = w.now.Add(20 * time.Second)
	}
	return w
}

func TestADeploymentThatIsGivenUpRollsBackAndIsCounted(t *testing.T) {
	w := failing(t, func(*daemon.Revision) {})
	require.Equal(t, daemon.DeploymentRollingBack, w.deployment("d-2").Status)
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsFailed))
	told := w.told()
	require.Contains(t, told, "Blox Deployment State Change: d-2 rollingBack")
	require.Contains(t, *w.ecs.requests[len(w.ecs.requests)-1].TaskDefinition, "log-agent:1", "its host gets the last good one again")

	w.runs(1)
	w.look()
	require.Equal(t, daemon.DeploymentRolledBack, w.deployment("d-2").Status)
	require.Equal(t, []string{"Blox Deployment State Change: d-2 rolledBack"}, w.told())
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsFailed), "once")
	lines := w.metrics.Lines()
	require.Contains(t, asJSON(t, lines), `"rolledBack"`)
}

func TestADeploymentThatKeepsItsRevisionFails(t *testing.T) {
	w := failing(t, func(r *daemon.Revision) { r.DeploymentConfiguration.CircuitBreaker.KeepRevision = true })
	require.Equal(t, daemon.DeploymentFailed, w.deployment("d-2").Status)
	require.Contains(t, w.told(), "Blox Deployment State Change: d-2 failed")
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsFailed))
	require.Equal(t, []int64{1, 1}, w.metrics.Of(metrics.DeploymentsEnded))
	require.Equal(t, 1, w.environment().LastGoodRevision)
	reason := w.bus.Events()[len(w.bus.Events())-1].Detail.Reason
	require.Contains(t, reason, "the deployment of revision 2 has failed, 0 of 1 hosts have it: ")
}

func TestADeploymentThatPeopleStoppedIsToldAndCountedOnce(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	w.told()
	stopped, err := w.deployment("d-1").Stop(daemon.Operator{By: "ann"}, w.now)
	require.NoError(t, err)
	_, err = w.daemon.AdvanceDeployment(t.Context(), stopped)
	require.NoError(t, err)
	w.look()
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 stopped"}, w.told())
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsEnded))
	require.Empty(t, w.metrics.Of(metrics.DeploymentsFailed))
}

func TestATaskDefinitionThatWasDeregisteredIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.completes()
	w.told()
	w.ecs.inactive = map[string]bool{"arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:1": true}
	w.now = w.now.Add(definitionAge + time.Second)
	w.look()
	require.Equal(t, []string{"Blox Environment Blocked: d-1 completed"}, w.told(), "before a host needs it")
	require.Contains(t, w.bus.Events()[len(w.bus.Events())-1].Detail.Reason, "task-definition/log-agent:1, which is INACTIVE")
	blocked := w.metrics.Of(metrics.EnvironmentsBlocked)
	require.Equal(t, int64(1), blocked[len(blocked)-1])
	w.host(2)
	before := len(w.ecs.requests)
	w.look()
	w.look()
	require.Len(t, w.ecs.requests, before, "ECS would refuse it")
	require.Empty(t, w.told(), "it is the same news")
}

func TestAClusterThatTheRevisionLeftIsTheEnvironmentsNoMore(t *testing.T) {
	w := newWorld(t)
	w.completes()
	second := w.known("second")
	env := w.environment()
	env.Clusters, env.UpdatedAt = append(env.Clusters, second), w.now
	require.NoError(t, w.daemon.UpdateEnvironment(t.Context(), env, nil))
	slot, err := w.daemon.PutSlot(t.Context(), daemon.Slot{
		EnvironmentID: "env", Host: daemon.HostKey{Cluster: second, EC2InstanceID: ec2(9)}, State: daemon.SlotIdle, Attempt: 7,
	})
	require.NoError(t, err)
	w.store(hostOn(second, 9))
	w.revise(func(r *daemon.Revision) {
		r.TaskDefinition, r.Clusters = "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:1", []state.ClusterKey{cluster}
	})
	w.look()
	require.Equal(t, daemon.DeploymentCompleted, w.deployment("d-2").Status)
	require.Len(t, w.environment().Clusters, 2, "a host there remembers attempts, whose tokens ECS still knows")

	w.now = w.now.Add(tokensKnown)
	w.known("second")
	w.look()
	require.Equal(t, []state.ClusterKey{cluster}, w.environment().Clusters)
	kept, err := w.daemon.SlotsOf(t.Context(), "env", []daemon.HostKey{slot.Host})
	require.NoError(t, err)
	require.Empty(t, kept)
	members, err := w.daemon.EnvironmentsOfCluster(t.Context(), second)
	require.NoError(t, err)
	require.Empty(t, members)
}

// contestedDB lets people write a moment before the scheduler's first transaction.
type contestedDB struct {
	*memory.DB
	before func()
}

func (b *contestedDB) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	if before := b.before; before != nil {
		b.before = nil
		before()
	}
	return b.DB.TransactWriteItems(ctx, in, opts...)
}

func TestAChangeOfTheEnvironmentInBetweenIsNotWrittenOver(t *testing.T) {
	w := newWorld(t)
	finishDeployment(t, w)
	db := &contestedDB{DB: w.db}
	w.driver.Daemon = table.NewDaemon(db, "daemon")
	db.before = func() {
		env := w.environment()
		env.Frozen, env.UpdatedAt = &daemon.Freeze{At: w.now, By: "ann"}, w.now
		require.NoError(t, w.daemon.UpdateEnvironment(t.Context(), env, nil))
	}
	w.look()
	env := w.environment()
	require.Nil(t, db.before, "the scheduler was about to write")
	require.NotNil(t, env.Frozen)
	require.Equal(t, 1, env.LastGoodRevision, "it looks again, and writes what it had to")
}
