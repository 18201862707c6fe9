package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// did stores what the scheduler did for the environment's deployment in force.
func (a *api) did(environment string, entries ...table.TimelineEntry) (path string) {
	env, err := a.daemon.EnvironmentByName(a.t.Context(), environment)
	require.NoError(a.t, err)
	for _, entry := range entries {
		entry.DeploymentID = env.DeploymentID
		require.NoError(a.t, a.daemon.AppendTimeline(a.t.Context(), env.ID, entry))
	}
	return "/v1/environments/" + environment + "/deployments/" + env.DeploymentID + "/timeline"
}

func TestTimelineBody(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	host := daemon.HostKey{Cluster: home, EC2InstanceID: "i-1"}.String()
	path := a.did("log-agent",
		table.TimelineEntry{At: a.now, Kind: daemon.Stop, Host: host, TaskARN: "arn:aws:ecs:eu-west-1:210987654321:task/edge/" + id(1), Reason: "older revision"},
		table.TimelineEntry{At: a.now.Add(time.Second), Kind: daemon.Start, Host: host, Reason: "no daemon"},
		table.TimelineEntry{At: a.now.Add(2 * time.Second), Kind: daemon.Advance, Host: daemon.HostKey{}.String()},
	)
	a.get(path).golden("timeline.json")

	var newest client.Timeline
	a.get(path + "?limit=2").into(&newest)
	require.Equal(t, []string{"advance", "start"}, []string{newest.Items[0].Kind, newest.Items[1].Kind})
	require.Len(t, newest.Items, 2)
}

func TestATimelineIsTheDeploymentsOwn(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	first := a.did("log-agent", table.TimelineEntry{At: a.now, Kind: daemon.Advance})
	a.deploy("log-agent", a.revise("log-agent:13").DeploymentToken).object()
	require.Len(t, a.get(first).object()["items"], 1)
	require.Equal(t, []any{}, a.get(a.did("log-agent")).object()["items"], "always a list")
}

func TestTimelineRefusesWhatIsNotThere(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	path := a.did("log-agent")
	require.Contains(t, a.get("/v1/environments/nope/deployments/x/timeline").problem(404), "Environment nope does not exist")
	require.Contains(t, a.get("/v1/environments/log-agent/deployments/x/timeline").problem(404), "Deployment x does not exist for environment log-agent")
	for _, query := range []string{"limit=0", "limit=1001", "limit=x"} {
		require.Contains(t, a.get(path+"?"+query).problem(400), "query.limit")
	}
	require.Equal(t, http.StatusOK, a.get(path+"?limit=1000").status)
}
