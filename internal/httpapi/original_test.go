package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
)

// TestEveryRefusalOfTheOriginal has a row for each text that Blox v0.3.0's cluster state service refused a request with,
// and for each endpoint that could. Its bodies were the plain text; ours are problem documents that say where the mistake
// is and what is allowed.
func TestEveryRefusalOfTheOriginal(t *testing.T) {
	a := newAPI(t)
	a.task()
	outOfRange := position(1 << 40) // far beyond what the feed has
	for _, row := range []struct {
		original string // status and text
		path     string
		status   int
		detail   []string
	}{
		{"400 Invalid status", "/v1/tasks?status=invalid", 400, []string{"query.status: invalid task status", "RUNNING"}},
		{"400 Invalid status", "/v1/instances?status=invalid", 400, []string{"query.status: invalid container instance status", "DRAINING"}},
		{"400 At least one of the filters provided is unsupported", "/v1/tasks?unsupported=x", 400, []string{"query.unsupported: not supported here", "startedBy"}},
		{"400 At least one of the filters provided is unsupported", "/v1/instances?startedBy=x", 400, []string{"query.startedBy: not supported here", "cluster"}},
		{
			"400 At least one of the filters provided is specified multiple times", "/v1/tasks?status=running&status=stopped", 400,
			[]string{"query.status: given 2 times, allowed is once"},
		},
		{
			"400 At least one of the filters provided is specified multiple times", "/v1/tasks?cluster=edge&cluster=edge", 400,
			[]string{"query.cluster: given 2 times"},
		},
		{
			"400 At least one of the filters provided is specified multiple times", "/v1/instances?status=active&status=active", 400,
			[]string{"query.status: given 2 times"},
		},
		{"400 Invalid cluster ARN or name", "/v1/tasks?cluster=no%20cluster", 400, []string{"query.cluster: invalid cluster ARN or name"}},
		{"400 Invalid cluster ARN or name", "/v1/instances?cluster=arn:aws:ecs:us-east-1:1:cluster/x", 400, []string{"query.cluster: invalid cluster ARN or name"}},
		{"400 Invalid entity version", "/v1/stream/tasks?entityVersion=-1", 400, []string{"query.entityVersion: invalid position"}},
		{"400 Invalid entity version", "/v1/stream/instances?entityVersion=a%20b", 400, []string{"query.entityVersion: invalid position"}},
		// A position of a feed that is no more, or of another one: the reader has to begin anew.
		{"400 Entity version is out of range", "/v1/stream/tasks?entityVersion=" + outOfRange, 410, []string{"list again"}},
		{"400 Entity version is out of range", "/v1/stream/instances?entityVersion=" + outOfRange, 410, []string{"list again"}},
		{"404 Task not found", "/v1/tasks/edge/" + id(99), 404, []string{"Task not found", clusterARN("edge")}},
		{"404 Instance not found", "/v1/instances/edge/" + id(99), 404, []string{"Instance not found", clusterARN("edge")}},
		{"404 page not found", "/v1/tasks/no%20cluster/" + id(1), 400, []string{"path.cluster: invalid cluster ARN or name"}},
		{"404 page not found", "/v1/tasks/edge/no%2Ftask", 400, []string{"path.arn: invalid task"}},
		{"404 page not found", "/v1/nothing", 404, []string{"there is no path /v1/nothing"}},
	} {
		t.Run(row.original+" "+row.path, func(t *testing.T) {
			handler := a.handler
			if strings.HasPrefix(row.path, "/v1/stream/") {
				handler = a.streams
			}
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, row.path, nil))
			got := answer{t: t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
			detail := got.problem(row.status)
			for _, part := range row.detail {
				require.Contains(t, detail, part)
			}
		})
	}
}

// TestWhatTheOriginalRefusedAndIsTakenNow are requests that v0.3.0 had texts against, too.
func TestWhatTheOriginalRefusedAndIsTakenNow(t *testing.T) {
	a := newAPI(t)
	a.task()
	for original, path := range map[string]string{
		"400 Invalid status": "/v1/instances?status=draining",
		// It had this text and no combination that brought it.
		"400 The combination of filters provided are not supported": "/v1/tasks?status=running&cluster=edge&startedBy=ops",
		"404 page not found": "/v1/tasks/x/" + "arn:aws:ecs:" + region + ":" + account + ":task/x/" + id(1),
	} {
		got := a.get(path)
		if got.status != http.StatusNotFound {
			require.Equal(t, http.StatusOK, got.status, original)
			continue
		}
		require.Contains(t, got.problem(404), "Task not found", original)
	}
}

// TestScenariosOfTheOriginalsDaemonScheduler are the scenarios of the daemon scheduler's integration tests, by the file that
// they were in and their names. "now" says that an answer is another one than v0.3.0's, on purpose.
func TestScenariosOfTheOriginalsDaemonScheduler(t *testing.T) {
	const name = "/v1/environments/log-agent"
	for scenario, check := range map[string]func(t *testing.T, a *api){
		"create_deployment: create a deployment in an active environment": func(t *testing.T, a *api) {
			dep := a.deploy("log-agent", a.create(logAgent).DeploymentToken).object()
			require.Equal(t, dep, a.get(name+"/deployments/"+dep["id"].(string)).object())
		},
		"create_deployment: with the same token again, now gives the same deployment and was a 400": func(t *testing.T, a *api) {
			env := a.create(logAgent)
			first := a.deploy("log-agent", env.DeploymentToken).object()
			require.Equal(t, first, a.deploy("log-agent", env.DeploymentToken).object())
			require.Len(t, a.get(name + "/deployments").object()["items"], 1)
		},
		"create_deployment: with another token": func(t *testing.T, a *api) {
			env := a.create(logAgent)
			require.Contains(t, a.deploy("log-agent", tokenA).problem(400),
				"Token '"+tokenA+"' is outdated and does not match the environment token '"+env.DeploymentToken+"'")
		},
		"create_environment: with a valid cluster and task definition": func(t *testing.T, a *api) {
			env := a.do(http.MethodPost, "/v1/environments", logAgent).object()
			require.Equal(t, env, a.get(name).object())
		},
		"create_environment: with a name that exists, now a 409 and was a 400": func(t *testing.T, a *api) {
			a.create(logAgent)
			require.Contains(t, a.do(http.MethodPost, "/v1/environments", logAgent).problem(409), "An environment with name log-agent already exists")
		},
		"create_environment: with an inactive cluster": func(t *testing.T, a *api) {
			require.Contains(t, a.do(http.MethodPost, "/v1/environments", strings.Replace(logAgent, "edge", "gone", 1)).problem(404), "is INACTIVE")
		},
		"create_environment: with a cluster that does not exist, now a 404 and was a crash": func(t *testing.T, a *api) {
			require.Contains(t, a.do(http.MethodPost, "/v1/environments", strings.Replace(logAgent, "edge", "nope", 1)).problem(404), "does not exist")
		},
		"create_environment: with an inactive task definition": func(t *testing.T, a *api) {
			require.Contains(t, a.do(http.MethodPost, "/v1/environments", strings.Replace(logAgent, "log-agent:12", "old:1", 1)).problem(404), "is INACTIVE")
		},
		"create_environment: with an empty name": func(t *testing.T, a *api) {
			require.Contains(t, a.do(http.MethodPost, "/v1/environments", strings.Replace(logAgent, `"log-agent"`, `" "`, 1)).problem(400), "body.name")
		},
		"create_environment: with a body that is no JSON, now says so and only said which fields are missing": func(t *testing.T, a *api) {
			require.Contains(t, a.do(http.MethodPost, "/v1/environments", `{"name": `).problem(400), "body: unexpected end of JSON input")
		},
		"delete_environment: an existing one": func(t *testing.T, a *api) {
			a.create(logAgent)
			got := a.do(http.MethodDelete, name, "")
			require.Equal(t, http.StatusOK, got.status)
			require.Empty(t, got.body)
			a.remove("log-agent")
			a.get(name).problem(404)
		},
		"delete_environment: twice": func(t *testing.T, a *api) {
			a.create(logAgent)
			a.remove("log-agent")
			a.get(name).problem(404)
			require.Equal(t, http.StatusOK, a.do(http.MethodDelete, name, "").status)
		},
		"delete_environment: with tasks, now asks what becomes of them and left them without an owner": func(t *testing.T, a *api) {
			a.occupy(a.create(logAgent), "i-1", daemon.SlotPlaced)
			require.Contains(t, a.do(http.MethodDelete, name, "").problem(409), "terminateTasks=true")
			require.Equal(t, http.StatusOK, a.do(http.MethodDelete, name+"?terminateTasks=true", "").status)
		},
		"get_deployment: its details": func(t *testing.T, a *api) {
			env := a.create(logAgent)
			id := a.deploy("log-agent", env.DeploymentToken).object()["id"].(string)
			got := a.get(name + "/deployments/" + id).object()
			require.Equal(t, []any{id, "pending", env.TaskDefinition, "log-agent", []any{}},
				[]any{got["id"], got["status"], got["taskDefinition"], got["environmentName"], got["failedInstances"]})
		},
		"get_deployment: of an unknown environment": func(t *testing.T, a *api) {
			require.Equal(t, "Environment log-agent does not exist", a.get(name+"/deployments/"+tokenA).problem(404))
		},
		"get_deployment: of an unknown id": func(t *testing.T, a *api) {
			a.create(logAgent)
			require.Equal(t, "Deployment "+tokenA+" does not exist for environment log-agent", a.get(name+"/deployments/"+tokenA).problem(404))
		},
		"create_deployment: of an unknown environment, now names it": func(t *testing.T, a *api) {
			require.Equal(t, "Environment log-agent does not exist", a.deploy("log-agent", tokenA).problem(404))
		},
		"get_environment: its details": func(t *testing.T, a *api) {
			env := a.create(logAgent)
			got := a.get(name).object()
			require.Equal(t, []any{"log-agent", env.DeploymentToken, clusterARN("edge"), taskDefinitionARN("log-agent:12"), "healthy"},
				[]any{got["name"], got["deploymentToken"], got["instanceGroup"].(map[string]any)["cluster"], got["taskDefinition"], got["health"]})
		},
		"get_environment: of an unknown name": func(t *testing.T, a *api) {
			require.Equal(t, "Environment log-agent does not exist", a.get(name).problem(404))
		},
		"list_deployments: one": func(t *testing.T, a *api) {
			dep := a.deploy("log-agent", a.create(logAgent).DeploymentToken).object()
			require.Equal(t, []any{dep}, a.get(name + "/deployments").object()["items"])
		},
		"list_deployments: of an unknown environment": func(t *testing.T, a *api) {
			require.Equal(t, "Environment log-agent does not exist", a.get(name+"/deployments").problem(404))
		},
		"list_deployments: more than one, now possible for an environment": func(t *testing.T, a *api) {
			a.twoRevisions(daemon.DeploymentCompleted)
			require.Len(t, a.deployments(), 2)
		},
		"list_environments: a created one": func(t *testing.T, a *api) {
			env := a.do(http.MethodPost, "/v1/environments", logAgent).object()
			require.Equal(t, []any{env}, a.get("/v1/environments").object()["items"])
		},
		"list_environments: of a cluster, by ARN and by name": func(t *testing.T, a *api) {
			a.create(logAgent)
			a.create(`{"name": "second", "instanceGroup": {"cluster": "core"}, "taskDefinition": "log-agent:12"}`)
			second := a.get("/v1/environments/second").object()
			require.Equal(t, []any{second}, a.get("/v1/environments?cluster=" + clusterARN("core")).object()["items"])
			require.Equal(t, []any{second}, a.get("/v1/environments?cluster=core").object()["items"])
		},
		"list_environments: of no cluster's name": func(t *testing.T, a *api) {
			require.Contains(t, a.get("/v1/environments?cluster=no%20cluster").problem(400), "invalid cluster ARN or name")
		},
		"list_environments: with a filter twice": func(t *testing.T, a *api) {
			require.Contains(t, a.get("/v1/environments?cluster=edge&cluster=core").problem(400), "given 2 times")
		},
		"list_environments: with a filter that there is not": func(t *testing.T, a *api) {
			require.Contains(t, a.get("/v1/environments?health=healthy").problem(400), "query.health: not supported here")
		},
		"list_environments: with nextToken, now pages and was a 400": func(t *testing.T, a *api) {
			a.create(logAgent)
			a.create(strings.Replace(logAgent, "log-agent", "second", 1))
			token := a.get("/v1/environments?limit=1").object()["nextToken"].(string)
			require.Len(t, a.get("/v1/environments?limit=1&nextToken=" + url.QueryEscape(token)).object()["items"], 1)
		},
		"ping: says that it is healthy": func(t *testing.T, a *api) {
			got := a.get("/v1/ping")
			require.Equal(t, http.StatusOK, got.status)
			require.Empty(t, got.body)
			require.Contains(t, got.header.Get("Content-Type"), "application/json")
		},
		"gap: an environment can be updated": func(t *testing.T, a *api) {
			a.create(logAgent)
			require.Equal(t, 2, a.revise("log-agent:13").Revision)
		},
		"gap: a failure to start stays in failedInstances": func(t *testing.T, a *api) {
			env := a.create(logAgent)
			id := a.deploy("log-agent", env.DeploymentToken).object()["id"].(string)
			a.advance(env, func(dep *daemon.Deployment) {
				dep.Status = daemon.DeploymentCompleted
				dep.FailedInstances = []daemon.FailedInstance{{Host: daemon.HostKey{Cluster: home, EC2InstanceID: "i-1"}, Reason: "RESOURCE:MEMORY"}}
			})
			require.Equal(t, []any{"i-1: RESOURCE:MEMORY"}, a.get(name + "/deployments/" + id).object()["failedInstances"])
		},
		"gap: health says how many daemons are well": func(t *testing.T, a *api) {
			env := a.inForce(daemon.DeploymentCompleted)
			a.advance(env, func(dep *daemon.Deployment) { dep.Counts = daemon.Counts{Desired: 3, Updated: 3, Healthy: 2} })
			got := a.get(name).object()
			require.Equal(t, "unhealthy", got["health"])
			require.InDelta(t, 2, got["counts"].(map[string]any)["healthy"], 0)
		},
		"gap: a deployment can be stopped, rolled back and followed by another": func(t *testing.T, a *api) {
			a.twoRevisions(daemon.DeploymentRunning)
			require.Equal(t, "stopped", a.operate("stop", "").object()["status"])
			require.InDelta(t, 1, a.operate("rollback", "").object()["revision"], 0)
		},
		"gap: two environments with the same task definition on one cluster are refused": func(t *testing.T, a *api) {
			a.create(logAgent)
			a.do(http.MethodPost, "/v1/environments", strings.Replace(logAgent, `"log-agent"`, `"second"`, 1)).problem(409)
		},
		"gap: an environment of a name that was used before is on the cluster that it says": func(t *testing.T, a *api) {
			first := a.create(logAgent)
			a.remove("log-agent")
			second := a.create(strings.Replace(logAgent, "edge", "core", 1))
			require.Equal(t, []string{clusterARN("core")}, second.Clusters)
			require.NotEqual(t, first.ID, second.ID)
		},
	} {
		t.Run(scenario, func(t *testing.T) { check(t, newAPI(t)) })
	}
}
