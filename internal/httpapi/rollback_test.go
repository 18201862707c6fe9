package httpapi_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
)

// rivalPut writes in front of our own write of one item, as the scheduler could.
type rivalPut struct {
	dynamo.API
	before func()
}

func (r *rivalPut) on(db dynamo.API) dynamo.API {
	r.API = db
	return r
}

func (r *rivalPut) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if before := r.before; before != nil {
		r.before = nil
		before()
	}
	return r.API.PutItem(ctx, in, opts...)
}

// twoRevisions has revision 1 completed, and 2 in force with that status.
func (a *api) twoRevisions(status daemon.DeploymentStatus) client.Environment {
	a.inForce(daemon.DeploymentCompleted)
	a.now = a.now.Add(time.Minute)
	env := a.revise("log-agent:13")
	a.deploy("log-agent", env.DeploymentToken).object()
	a.settle(env, status)
	return env
}

func (a *api) deployments() []client.Deployment {
	var page client.DeploymentPage
	a.get("/v1/environments/log-agent/deployments").into(&page)
	return page.Items
}

func TestADeploymentSaysWhatItIsBasedOnAndWhoMadeIt(t *testing.T) {
	a := newAPI(t)
	a.twoRevisions(daemon.DeploymentRunning)
	deployments := a.deployments()
	require.Equal(t, 1, deployments[0].BasedOn)
	require.Zero(t, deployments[1].BasedOn)
	a.settle(a.revise("log-agent:13"), daemon.DeploymentCompleted)
	var restarted client.Deployment
	a.operate("restart", "").into(&restarted)
	require.Equal(t, ada, restarted.CreatedBy)
}

func TestADeploymentThatHasNotEndedIsTurnedBack(t *testing.T) {
	a := newAPI(t)
	a.twoRevisions(daemon.DeploymentRunning)
	var dep, again client.Deployment
	a.operate("rollback?deploymentToken="+tokenA, "").into(&dep)
	require.Equal(t, client.DeploymentRollingBack, dep.Status)
	require.Equal(t, 1, dep.RollbackTo)
	require.Equal(t, 2, dep.Revision)
	require.Equal(t, "undone by "+ada, dep.Reason)
	require.Len(t, a.deployments(), 2, "it is the same deployment")
	require.InDelta(t, 1, a.get("/v1/environments/log-agent").object()["deployedRevision"], 0)
	a.operate("rollback?deploymentToken="+tokenA, "").into(&again)
	require.Equal(t, dep, again, "it may be repeated")
	require.Contains(t, a.operate("pause", "").problem(409), "freeze the environment")
	a.settle(client.Environment{ID: dep.EnvironmentID}, daemon.DeploymentRolledBack)
	var ended client.Deployment
	a.operate("rollback?deploymentToken="+tokenA, "").into(&ended)
	require.Equal(t, client.DeploymentRolledBack, ended.Status, "also when it is done")
	require.Len(t, a.deployments(), 2)
}

func TestAnEndedDeploymentIsRolledBackByANewOne(t *testing.T) {
	for status, number := range map[daemon.DeploymentStatus]int{
		daemon.DeploymentCompleted: 1, daemon.DeploymentFailed: 1, daemon.DeploymentStopped: 1,
	} {
		t.Run(string(status), func(t *testing.T) {
			a := newAPI(t)
			a.twoRevisions(status)
			var dep, again client.Deployment
			a.operate("rollback?deploymentToken="+tokenA, "").into(&dep)
			require.Equal(t, client.DeploymentPending, dep.Status)
			require.Equal(t, number, dep.Revision)
			require.Equal(t, tokenA, dep.DeploymentToken)
			require.Equal(t, taskDefinitionARN("log-agent:12"), dep.TaskDefinition)
			for _, dry := range []string{"&dryRun=true", ""} {
				a.operate("rollback?deploymentToken="+tokenA+dry, "").into(&again)
			}
			require.Equal(t, dep, again, "what is asked for again is not turned back itself")
			a.settle(client.Environment{ID: dep.EnvironmentID}, daemon.DeploymentCompleted)
			a.operate("rollback?deploymentToken="+tokenA, "").into(&again)
			require.Equal(t, dep.ID, again.ID, "the token's, however it ended")
			require.Len(t, a.deployments(), 3)
			var env client.Environment
			a.get("/v1/environments/log-agent").into(&env)
			require.Equal(t, 2, env.Revision, "the newest revision stays the newest")
			require.Equal(t, 1, env.DeployedRevision)
		})
	}
}

func TestRollBackToARevision(t *testing.T) {
	a := newAPI(t)
	a.twoRevisions(daemon.DeploymentCompleted)
	require.Contains(t, a.operate("rollback?to=2", "").problem(409), "Revision 2 of environment log-agent is the one that is deployed")
	require.Contains(t, a.operate("rollback?to=7", "").problem(404), "has no revision 7: its newest is 2")
	require.Contains(t, a.operate("rollback?to=-1", "").problem(400), "query.to")
	require.Contains(t, a.operate("rollback?deploymentToken=x", "").problem(400), "query.deploymentToken: this is no UUID")
	var dep client.Deployment
	a.operate("rollback?to=1", "").into(&dep)
	require.Equal(t, 1, dep.Revision)

	first := newAPI(t)
	first.inForce(daemon.DeploymentCompleted)
	require.Contains(t, first.operate("rollback", "").problem(409), "has no good revision before the one that is deployed, 1")
	first = newAPI(t)
	first.inForce(daemon.DeploymentRunning)
	require.Contains(t, first.operate("rollback", "").problem(409), "no deployment of the environment has completed before")
}

func TestARevisionWhoseDeploymentFailedIsDeployedAgainByItsNumber(t *testing.T) {
	for _, status := range []daemon.DeploymentStatus{daemon.DeploymentFailed, daemon.DeploymentStopped} {
		a := newAPI(t)
		a.twoRevisions(status)
		var dep client.Deployment
		a.operate("rollback?to=2", "").into(&dep)
		require.Equal(t, client.DeploymentPending, dep.Status, status)
		require.Equal(t, 2, dep.Revision, status)
	}
}

// Deployment tools deregister old task definitions: what cannot be run is refused before a daemon is stopped for it.
func TestWhatCannotBeRunIsNotDeployed(t *testing.T) {
	a := newAPI(t)
	a.twoRevisions(daemon.DeploymentCompleted)
	newest := a.revise("log-agent:12")
	a.ecs.define("log-agent:12", types.TaskDefinitionStatusInactive)
	const inactive = "cannot be deployed: task definition arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:12 is INACTIVE, allowed is ACTIVE"
	for _, dry := range []string{"", "&dryRun=true"} {
		require.Contains(t, a.operate("rollback?to=1"+dry, "").problem(409), "Revision 1 of environment log-agent "+inactive)
		require.Contains(t, a.do("POST", "/v1/environments/log-agent/deployments?deploymentToken="+newest.DeploymentToken+dry, "").problem(409),
			"Revision 3 of environment log-agent "+inactive)
	}
	a.ecs.define("log-agent:13", types.TaskDefinitionStatusInactive)
	require.Contains(t, a.operate("restart", "").problem(409), "Revision 2 of environment log-agent cannot be deployed")

	turning := newAPI(t)
	turning.twoRevisions(daemon.DeploymentRunning)
	turning.ecs.define("log-agent:12", types.TaskDefinitionStatusInactive)
	require.Contains(t, turning.operate("rollback", "").problem(409), "Revision 1 of environment log-agent "+inactive)
	turning.ecs.err = errors.New("ECS is away")
	turning.operate("rollback", "").object() // whoever turns back now must not have to wait for that
}

func TestRestart(t *testing.T) {
	a := newAPI(t)
	env := a.twoRevisions(daemon.DeploymentCompleted)
	a.revise("log-agent:12") // not deployed
	var dep, again, other client.Deployment
	a.operate("restart?deploymentToken="+tokenA, "").into(&dep)
	require.True(t, dep.Restart)
	require.Equal(t, 2, dep.Revision, "the deployed revision, not the newest")
	a.operate("restart?deploymentToken="+tokenA, "").into(&again)
	require.Equal(t, dep.ID, again.ID)
	a.operate("restart?deploymentToken="+tokenB, "").into(&other)
	require.NotEqual(t, dep.ID, other.ID)
	require.Equal(t, client.DeploymentSuperseded, a.deployments()[1].Status)
	newest := a.get("/v1/environments/log-agent").object()["deploymentToken"].(string)
	require.Contains(t, a.operate("restart?deploymentToken="+newest, "").problem(400), "this is the environment's token")
	require.NotEqual(t, env.DeploymentToken, newest)
	var unnamed client.Deployment
	a.operate("restart", "").into(&unnamed)
	require.Regexp(t, `^[0-9a-f-]{36}$`, unnamed.DeploymentToken)
}

func TestADryRunOfARollback(t *testing.T) {
	a := newAPI(t)
	env := a.twoRevisions(daemon.DeploymentCompleted)
	a.daemonOn(env, 1)
	var plan client.Plan
	a.operate("rollback?dryRun=true", "").into(&plan)
	require.Equal(t, 1, plan.Revision)
	require.Len(t, a.deployments(), 2)
	require.Equal(t, client.DeploymentCompleted, plan.Forecast.DeploymentStatus)
	a = newAPI(t)
	a.twoRevisions(daemon.DeploymentRunning)
	a.operate("rollback?dryRun=true", "").into(&plan)
	require.Equal(t, client.DeploymentRollingBack, plan.DeploymentStatus)
	require.Equal(t, client.DeploymentRunning, a.deployments()[0].Status)
}

// The budget of a rollback is the stricter one of the revision that failed and of the one that hosts get again.
func TestADryRunOfARollbackKeepsTheDeploymentsOwnBudget(t *testing.T) {
	a := newAPI(t)
	a.inForce(daemon.DeploymentCompleted)
	a.now = a.now.Add(time.Minute)
	var env client.Environment
	a.put("log-agent", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13", "deploymentConfiguration": {"maxUnavailable": 1}}`).into(&env)
	a.deploy("log-agent", env.DeploymentToken).object()
	a.settle(env, daemon.DeploymentRunning)
	for n := range 8 {
		a.daemonOn(env, n+1)
	}
	var plan client.Plan
	a.operate("rollback?dryRun=true", "").into(&plan)
	stops := 0
	for _, action := range plan.Actions {
		if action.Kind == "stop" {
			stops++
		}
	}
	require.Equal(t, 1, stops, "%v", steps(plan))
}
