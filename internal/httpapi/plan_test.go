package httpapi_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

const planPath = "/v1/environments/log-agent/plan"

// plan asks for a plan, with a definition unless that is empty.
func (a *api) plan(definition string) client.Plan {
	var plan client.Plan
	a.do(http.MethodPost, planPath, definition).into(&plan)
	return plan
}

// steps are a plan's waves in few words.
func steps(plan client.Plan) []string {
	var out []string
	for _, wave := range plan.Waves {
		for _, a := range wave.Actions {
			step := a.Kind + " " + a.Host
			if a.Status != "" {
				step = a.Kind + " " + a.Status
			}
			out = append(out, step)
		}
	}
	return out
}

// deployed is an environment whose first revision has completed on two hosts.
func (a *api) deployed() client.Environment {
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	a.advance(env, func(dep *daemon.Deployment) { dep.Status = daemon.DeploymentCompleted })
	stored, err := a.daemon.Environment(a.t.Context(), env.ID)
	require.NoError(a.t, err)
	stored.LastGoodRevision = 1
	require.NoError(a.t, a.daemon.UpdateEnvironment(a.t.Context(), stored, nil))
	for n := range 2 {
		a.daemonOn(env, n+1)
	}
	return env
}

func TestPlanTellsWhatTheSchedulerWouldDo(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	a.host(home, 1)
	a.wakeups.sent = nil
	plan := a.plan("")
	require.Equal(t, "log-agent", plan.Environment)
	require.Equal(t, a.now, plan.At)
	require.Equal(t, []string{"start i-001", "advance running", "advance completed"}, steps(plan))
	require.Equal(t, plan.Waves[0].Actions, plan.Actions)
	start := plan.Actions[0]
	require.Equal(t, 1, start.Revision)
	require.Equal(t, clusterARN(home.Name), start.Cluster)
	require.Equal(t, "host has no daemon", start.Reason)
	require.Equal(t, client.Counts{Desired: 1, Exempt: 1}, plan.Counts)
	require.Equal(t, "completed", plan.Forecast.DeploymentStatus)
	require.Equal(t, 10, plan.Forecast.AfterSeconds, "minHealthySeconds")
	require.Empty(t, plan.Forecast.WaitsFor)
	require.Empty(t, a.wakeups.sent, "nobody is woken for a plan")
	require.Equal(t, plan, a.plan(""), "and nothing was stored")
}

func TestPlanOfAChangedDefinition(t *testing.T) {
	a := newAPI(t)
	a.deployed()
	before := a.get("/v1/environments/log-agent").object()
	plan := a.plan(`{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13"}`)
	require.Equal(t, 2, plan.Revision)
	require.Equal(t, []string{
		"stop i-001", "advance running", "start i-001", "stop i-002", "start i-002", "advance completed",
	}, steps(plan))
	require.Contains(t, plan.Actions[0].TaskARN, "/"+id(1), "a task that runs")
	require.Equal(t, before, a.get("/v1/environments/log-agent").object(), "nothing was stored")
}

func TestPlanOfTheDefinitionThatIsDeployedDoesNothing(t *testing.T) {
	a := newAPI(t)
	a.deployed()
	plan := a.plan(logAgent)
	require.Empty(t, steps(plan))
	require.Equal(t, "completed", plan.Forecast.DeploymentStatus)
	require.Equal(t, client.Counts{Desired: 2, Updated: 2, Healthy: 2}, plan.Counts)
}

func TestPlanOfAnEnvironmentThatDoesNotExist(t *testing.T) {
	a := newAPI(t)
	a.host(home, 1)
	a.host(home, 2)
	plan := a.plan(logAgent)
	require.ElementsMatch(t, []string{"start i-001", "start i-002", "advance running", "advance completed"}, steps(plan))
	require.Contains(t, a.get("/v1/environments/log-agent").problem(404), "does not exist")
	require.Contains(t, a.do(http.MethodPost, planPath, "").problem(404), "Environment log-agent does not exist")
}

func TestPlanOfMovingToAnotherCluster(t *testing.T) {
	a := newAPI(t)
	a.deployed()
	core := state.ClusterKey{Account: account, Region: region, Name: "core"}
	a.host(core, 3)
	plan := a.plan(`{"clusters": ["core"], "taskDefinition": "log-agent:12"}`)
	require.Contains(t, steps(plan), "start i-003", "hosts of a cluster that the environment does not have yet are read, too")
	require.Contains(t, steps(plan), "stop i-001")
}

func TestPlanOfARollbackToATaskDefinitionThatWasDeregistered(t *testing.T) {
	a := newAPI(t)
	env := a.deployed()
	next := a.revise("log-agent:13")
	a.deploy("log-agent", next.DeploymentToken).object()
	a.advance(env, func(dep *daemon.Deployment) { dep.Status = daemon.DeploymentCompleted })
	a.scheduler.hosts, a.scheduler.slots, a.scheduler.tasks = nil, nil, nil
	a.daemonOn(next, 1)
	back := func() []string {
		var plan client.Plan
		a.do(http.MethodPost, "/v1/environments/log-agent/rollback?to=1&dryRun=true", "").into(&plan)
		return steps(plan)
	}
	require.Contains(t, back(), "stop i-001")
	a.scheduler.inactive = map[string]bool{env.TaskDefinition: true}
	require.NotContains(t, back(), "stop i-001", "what it would be replaced with cannot be started")
}

func TestPlanRefusesADefinitionThatAPutWouldRefuse(t *testing.T) {
	a := newAPI(t)
	a.deployed()
	for definition, says := range map[string]string{
		`{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13", "baseRevision": 7}`:                         "baseRevision is 7, and the current revision of environment log-agent is 1",
		`{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "old:1"}`:                                                   "is INACTIVE, allowed is ACTIVE",
		`{"name": "other", "instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:12"}`:                           "an environment cannot be renamed",
		`{"instanceGroup": {"cluster": "edge", "expression": "attribute:x =="}, "taskDefinition": "log-agent:12"}`:            "expression",
		`{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:12", "deploymentConfiguration": {"method":"x"}}`: "method",
	} {
		got := a.do(http.MethodPost, planPath, definition)
		require.GreaterOrEqual(t, got.status, 400, "%s", definition)
		require.Contains(t, got.problem(got.status), says)
	}
}

func TestPlanWhenTheSchedulerCannotBeAsked(t *testing.T) {
	a := newAPI(t)
	a.deployed()
	a.scheduler.err = errBroken
	require.NotContains(t, a.do(http.MethodPost, planPath, "").problem(500), "10.0.0.7")
	require.Contains(t, a.log.String(), "10.0.0.7")
	a.scheduler.err = table.ErrNotFound // deleted since it was looked up
	require.Contains(t, a.do(http.MethodPost, planPath, "").problem(404), "Environment log-agent does not exist")
}

func TestPlanTellsOnlySoManyActions(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	for n := range 6500 {
		a.host(home, n)
	}
	got := a.do(http.MethodPost, planPath, "")
	var plan client.Plan
	require.NoError(t, json.Unmarshal(got.body, &plan))
	require.Len(t, plan.Actions, 6000)
	require.Equal(t, 501, plan.ActionsLeftOut, "500 starts, and the deployment's advance")
	last := plan.Waves[len(plan.Waves)-1]
	require.Empty(t, last.Actions, "the bound is of the whole answer")
	require.Equal(t, 1, last.ActionsLeftOut)
	require.Less(t, len(got.body), 5<<20, "Lambda answers six megabytes")
	require.Equal(t, "completed", plan.Forecast.DeploymentStatus, "the forecast is of all hosts nevertheless")
	require.Equal(t, 6500, plan.Forecast.Counts.Updated)
}
