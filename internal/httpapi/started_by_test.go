package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

// deployOnce makes an environment and a deployment of it.
func (a *api) deployOnce(name, cluster string) (client.Environment, client.Deployment) {
	env := a.create(fmt.Sprintf(`{"name": %q, "instanceGroup": {"cluster": %q}, "taskDefinition": "log-agent:12"}`, name, cluster))
	var dep client.Deployment
	a.do(http.MethodPost, "/v1/environments/"+name+"/deployments?deploymentToken="+env.DeploymentToken, "").into(&dep)
	return env, dep
}

// An environment is found by the startedBy of a task that it started.
func TestTheEnvironmentOfATask(t *testing.T) {
	a := newAPI(t)
	_, first := a.deployOnce("one", "edge")
	a.deployOnce("two", "core")
	env, _ := a.deployOnce("three", "core")
	a.put("three", `{"instanceGroup": {"cluster": "core"}, "taskDefinition": "log-agent:13"}`)
	var changed client.Environment
	a.get("/v1/environments/three").into(&changed)
	require.NotEqual(t, env.DeploymentToken, changed.DeploymentToken)
	var later client.Deployment
	a.do(http.MethodPost, "/v1/environments/three/deployments?deploymentToken="+changed.DeploymentToken, "").into(&later)

	names := func(query string) []string {
		var page client.EnvironmentPage
		a.get("/v1/environments?" + query).into(&page)
		require.Empty(t, page.NextToken)
		found := []string{}
		for _, env := range page.Items {
			found = append(found, env.Name)
		}
		return found
	}
	startedBy := func(deployment string) string { return "startedBy=" + url.QueryEscape(daemon.StartedBy(deployment)) }
	require.Equal(t, []string{"one"}, names(startedBy(first.ID)))
	require.Equal(t, []string{"three"}, names(startedBy(later.ID)))
	var all client.DeploymentPage
	a.get("/v1/environments/three/deployments").into(&all)
	require.Len(t, all.Items, 2)
	require.Equal(t, []string{"three"}, names(startedBy(all.Items[1].ID)), "an earlier deployment's tasks may still run")
	require.Equal(t, []string{"one"}, names(startedBy(first.ID)+"&cluster=edge"))
	for _, none := range []string{
		startedBy(first.ID) + "&cluster=core", startedBy("00000000-0000-7000-8000-000000000000"), "startedBy=blox/", "startedBy=ops",
		"startedBy=" + first.ID, // a task's startedBy says who made the deployment, too
	} {
		require.Empty(t, names(none), none)
	}
	require.Equal(t, []string{"one", "three", "two"}, names("startedBy="), "an empty one is none")
}

// So many environments are asked after a deployment on one page; what the others say is on the next ones.
func TestTheEnvironmentOfATaskAmongMany(t *testing.T) {
	a := newAPI(t)
	const many = 450
	for n := range many {
		a.create(fmt.Sprintf(`{"name": "e%03d", "instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:12"}`, n))
	}
	_, dep := a.deployOnce("last", "edge")
	path := "/v1/environments?startedBy=" + url.QueryEscape(daemon.StartedBy(dep.ID))
	var page client.EnvironmentPage
	a.get(path).into(&page)
	require.Empty(t, page.Items)
	require.NotEmpty(t, page.NextToken)
	a.get("/v1/environments?nextToken=" + page.NextToken).problem(400)
	a.get(path + "&nextToken=" + page.NextToken).into(&page)
	require.Len(t, page.Items, 1)
	require.Equal(t, "last", page.Items[0].Name)
}
