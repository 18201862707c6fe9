package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/wakeup"
)

func (a *api) deploy(environment, token string) answer {
	return a.do(http.MethodPost, "/v1/environments/"+environment+"/deployments?deploymentToken="+token, "")
}

// revise gives the environment a new revision.
func (a *api) revise(taskDefinition string) client.Environment {
	var env client.Environment
	a.put("log-agent", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "`+taskDefinition+`"}`).into(&env)
	return env
}

// advance stores a scheduler's progress.
func (a *api) advance(env client.Environment, change func(*daemon.Deployment)) {
	stored, err := a.daemon.Environment(a.t.Context(), env.ID)
	require.NoError(a.t, err)
	dep, err := a.daemon.Deployment(a.t.Context(), env.ID, stored.DeploymentID)
	require.NoError(a.t, err)
	change(&dep)
	_, err = a.daemon.AdvanceDeployment(a.t.Context(), dep)
	require.NoError(a.t, err)
}

func TestDeploymentBody(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	got := a.deploy("log-agent", env.DeploymentToken)
	require.Equal(t, []wakeup.Wakeup{{EnvironmentID: env.ID}}, a.wakeups.sent, "the scheduler looks at all hosts now")
	body := got.object()
	require.Equal(t, []any{}, body["failedInstances"], "always a list")
	require.Equal(t, "pending", body["status"])

	started := a.now.Add(time.Second)
	a.advance(env, func(dep *daemon.Deployment) {
		dep.Status, dep.StartedAt = daemon.DeploymentRunning, &started
		dep.Counts = daemon.Counts{Desired: 20, Updated: 3, Healthy: 18, Unavailable: 1, Exempt: 1}
		dep.FailedInstances = []daemon.FailedInstance{{Host: daemon.HostKey{Cluster: home, EC2InstanceID: "i-1"}, Reason: "RESOURCE:MEMORY"}}
	})
	got = a.get("/v1/environments/log-agent/deployments/" + body["id"].(string))
	got.golden("deployment.json")
	body = got.object()
	for _, name := range []string{"id", "status", "taskDefinition", "environmentName", "failedInstances"} { // of v0.3.0
		require.Contains(t, body, name)
	}
	require.Equal(t, []any{"i-1: RESOURCE:MEMORY"}, body["failedInstances"])
	a.get("/v1/environments/log-agent").golden("environment-deployed.json")
}

func TestATokenMakesOneDeployment(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	first := a.deploy("log-agent", env.DeploymentToken).object()
	require.Equal(t, first, a.deploy("log-agent", env.DeploymentToken).object())
	require.Equal(t, first, a.deploy("log-agent", strings.ToUpper(env.DeploymentToken)).object(), "in any case")
	require.Len(t, a.get("/v1/environments/log-agent/deployments").object()["items"], 1)
}

func TestAnOldTokenIsRefused(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	next := a.revise("log-agent:13")
	detail := a.deploy("log-agent", env.DeploymentToken).problem(400)
	require.Contains(t, detail, "Token '"+env.DeploymentToken+"' is outdated and does not match the environment token '"+next.DeploymentToken+"'")
	dep := a.deploy("log-agent", next.DeploymentToken).object()
	require.Equal(t, next.TaskDefinition, dep["taskDefinition"])
	require.InDelta(t, 2, dep["revision"], 0)
}

func TestATokenIsAUUID(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	path := "/v1/environments/log-agent/deployments"
	for query, want := range map[string]string{
		"":                                        "missing",
		"?deploymentToken=":                       "missing",
		"?deploymentToken=mine":                   "no UUID",
		"?deploymentToken=" + env.ID[1:] + "g":    "no UUID",
		"?deploymentToken={" + env.ID + "}":       "no UUID",
		"?token=x":                                "allowed are deploymentToken",
		"?deploymentToken=x&deploymentToken=y":    "given 2 times",
		"?deploymentToken=" + env.ID + "&limit=3": "query.limit",
	} {
		detail := a.do(http.MethodPost, path+query, "").problem(400)
		require.Contains(t, detail, want, query)
		if want == "missing" || want == "no UUID" {
			require.Contains(t, detail, "[0-9a-fA-F]{8}-")
		}
	}
	require.Contains(t, a.deploy("nope", env.DeploymentToken).problem(404), "Environment nope does not exist")
	require.Empty(t, a.get(path).object()["items"])
}

func TestANewDeploymentSupersedesTheOneBefore(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	first := a.deploy("log-agent", env.DeploymentToken).object()["id"].(string)
	a.now = a.now.Add(time.Minute)
	second := a.deploy("log-agent", a.revise("log-agent:13").DeploymentToken).object()["id"].(string)
	var page client.DeploymentPage
	a.get("/v1/environments/log-agent/deployments").into(&page)
	require.Equal(t, []string{second, first}, []string{page.Items[0].ID, page.Items[1].ID}, "newest first")
	require.Equal(t, []string{"pending", "superseded"}, []string{page.Items[0].Status, page.Items[1].Status})
	require.Equal(t, taskDefinitionARN("log-agent:12"), page.Items[1].TaskDefinition, "each with its own revision's")
	require.Equal(t, second, a.get("/v1/environments/log-agent").object()["deploymentId"])
}

func TestDeploymentsArePaged(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	var want []string
	for i := range 5 {
		want = append([]string{a.deploy("log-agent", env.DeploymentToken).object()["id"].(string)}, want...)
		env = a.revise([]string{"log-agent:13", "log-agent:12"}[i%2])
	}
	var got []string
	path := "/v1/environments/log-agent/deployments?limit=2&deploymentToken=" + env.ID // v0.3.0's clients send it
	for next := ""; ; {
		var page client.DeploymentPage
		a.get(path + next).into(&page)
		for _, dep := range page.Items {
			got = append(got, dep.ID)
		}
		if page.NextToken == "" {
			break
		}
		next = "&nextToken=" + url.QueryEscape(page.NextToken)
	}
	require.Equal(t, want, got)
	require.Contains(t, a.get("/v1/environments/log-agent/deployments?nextToken=x").problem(400), "query.nextToken")
}

func TestGetDeploymentSaysWhatIsMissing(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	require.Contains(t, a.get("/v1/environments/log-agent/deployments/nope").problem(404), "Deployment nope does not exist for environment log-agent")
}

func TestHealthFollowsTheDeployment(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	health := func() any { return a.get("/v1/environments/log-agent").object()["health"] }
	require.Equal(t, "healthy", health(), "nothing is meant to run")
	a.deploy("log-agent", env.DeploymentToken).object()
	require.Equal(t, "unhealthy", health(), "nobody has looked yet")
	for _, step := range []struct {
		desired, healthy int
		want             string
	}{{20, 19, "unhealthy"}, {20, 20, "healthy"}, {0, 0, "healthy"}} {
		a.advance(env, func(dep *daemon.Deployment) {
			dep.Status, dep.StartedAt = daemon.DeploymentRunning, &a.now
			dep.Counts = daemon.Counts{Desired: step.desired, Healthy: step.healthy}
		})
		require.Equal(t, step.want, health())
	}
}

func TestADeletedEnvironmentTakesNoDeployments(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.do(http.MethodDelete, "/v1/environments/log-agent", "")
	require.Contains(t, a.deploy("log-agent", env.DeploymentToken).problem(409), "being deleted")
}

func TestALostWakeupIsNoError(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.wakeups.err = errBroken
	require.Equal(t, "pending", a.deploy("log-agent", env.DeploymentToken).object()["status"])
	require.Contains(t, a.log.String(), errBroken.Error())
}
