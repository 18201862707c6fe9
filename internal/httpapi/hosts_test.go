package httpapi_test

import (
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

const hostsPath = "/v1/environments/log-agent/instances"

func TestHostBody(t *testing.T) {
	a := newAPI(t)
	env := a.deployed()
	next := a.revise("log-agent:13")
	a.deploy("log-agent", next.DeploymentToken).object()
	retry := a.now.Add(time.Minute)
	since := a.now.Add(-time.Hour)
	blocked := a.host(home, 3)
	a.scheduler.slots = append(a.scheduler.slots, daemon.Slot{
		EnvironmentID: env.ID, Host: blocked.Key, State: daemon.SlotIdle, Attempt: 4, Failures: 3, Blocked: true,
		Reason: "RESOURCE:MEMORY", RetryAt: &retry, UnhealthySince: &since, Revision: 1, DeploymentID: env.DeploymentID,
		ContainerInstanceARN: blocked.ContainerInstanceARN, Attribute: "blox.log-agent", AttributeOn: blocked.ContainerInstanceARN,
	})
	a.get(hostsPath).golden("hosts.json")
}

func TestHostByAnyOfItsNames(t *testing.T) {
	a := newAPI(t)
	env := a.deployed()
	slot := a.daemonOn(env, 7)
	var one client.HostStatus
	a.get(hostsPath + "/i-007").into(&one)
	require.Equal(t, "i-007", one.EC2InstanceID)
	require.Equal(t, "healthy", one.State)
	require.Equal(t, slot.TaskARN, one.TaskARN)
	for _, name := range []string{"I-007", id(7), slot.ContainerInstanceARN, url.PathEscape(slot.ContainerInstanceARN)} {
		var got client.HostStatus
		a.get(hostsPath + "/" + name).into(&got)
		require.Equal(t, one, got, name)
	}
	detail := a.get(hostsPath + "/i-999").problem(404)
	require.Contains(t, detail, "Environment log-agent knows no host i-999")
	require.Contains(t, detail, "GET "+hostsPath)
	require.Contains(t, a.get("/v1/environments/other/instances/i-007").problem(404), "Environment other does not exist")
	require.Contains(t, a.get("/v1/environments/other/instances").problem(404), "Environment other does not exist")
}

func TestAHostInTwoClustersIsNamedByItsContainerInstance(t *testing.T) {
	a := newAPI(t)
	a.create(`{"name": "log-agent", "clusters": ["edge", "core"], "taskDefinition": "log-agent:12"}`)
	core := state.ClusterKey{Account: account, Region: region, Name: "core"}
	one, two := a.host(home, 1), a.host(core, 1)
	detail := a.get(hostsPath + "/i-001").problem(409)
	require.Contains(t, detail, one.ContainerInstanceARN)
	require.Contains(t, detail, two.ContainerInstanceARN)
	var got client.HostStatus
	a.get(hostsPath + "/" + two.ContainerInstanceARN).into(&got)
	require.Equal(t, clusterARN("core"), got.Cluster)
}

func TestHostsInPages(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	for n := range 5 {
		a.host(home, n)
	}
	var seen []string
	token := ""
	for range 3 {
		var page client.HostStatusPage
		a.get(hostsPath + "?limit=2&nextToken=" + token).into(&page)
		for _, h := range page.Items {
			seen = append(seen, h.EC2InstanceID)
		}
		if token = page.NextToken; token == "" {
			break
		}
		if len(seen) == 2 {
			// The host that the page ended with leaves, and nothing is skipped or repeated.
			a.scheduler.hosts = append(a.scheduler.hosts[:1:1], a.scheduler.hosts[2:]...)
		}
	}
	require.Equal(t, []string{"i-000", "i-001", "i-002", "i-003", "i-004"}, seen)
	require.Empty(t, token)
	for _, wrong := range []string{"limit=0", "limit=1001", "nextToken=x", "status=healthy"} {
		a.get(hostsPath + "?" + wrong).problem(400)
	}
	var first client.HostStatusPage
	a.get(hostsPath + "?limit=1").into(&first)
	require.Contains(t, a.get("/v1/environments?nextToken="+first.NextToken).problem(400), "other filters")
}

func TestHostsSayWhyThereIsNoDaemon(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	a.host(home, 1)
	var got client.HostStatus
	a.get(hostsPath + "/i-001").into(&got)
	require.Equal(t, "waiting", got.State)
	require.Equal(t, "i-001 has no daemon; "+got.WaitsFor+".", got.Sentence)
	require.False(t, got.Desired)
}

func TestHostsWhenTheSchedulerCannotBeAsked(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	a.scheduler.err = errBroken
	a.get(hostsPath).problem(500)
	require.Contains(t, a.log.String(), "10.0.0.7")
	a.scheduler.err = table.ErrNotFound
	require.Contains(t, a.get(hostsPath).problem(404), "does not exist")
}

func TestClientReadsHostsAndPlans(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	for n := range 3 {
		a.host(home, n)
	}
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	c, err := client.New(client.Options{Endpoint: server.URL})
	require.NoError(t, err)
	var names []string
	for h, err := range c.ListHosts(t.Context(), "log-agent") {
		require.NoError(t, err)
		names = append(names, h.EC2InstanceID+" "+h.NextStep+" "+strconv.FormatBool(h.Desired))
	}
	require.Equal(t, []string{"i-000 start true", "i-001 start true", "i-002 start true"}, names)
	one, err := c.GetHost(t.Context(), "log-agent", clusterInstance(home.Name, 1))
	require.NoError(t, err)
	require.Equal(t, "i-001", one.EC2InstanceID)
	plan, err := c.PlanEnvironment(t.Context(), "log-agent", nil)
	require.NoError(t, err)
	require.Len(t, plan.Actions, 4)
	plan, err = c.PlanEnvironment(t.Context(), "log-agent", &client.EnvironmentDefinition{
		InstanceGroup: &client.InstanceGroup{Cluster: "edge"}, TaskDefinition: "log-agent:13",
	})
	require.NoError(t, err)
	require.Equal(t, 2, plan.Revision)
}

func clusterInstance(cluster string, n int) string {
	return "arn:aws:ecs:" + region + ":" + account + ":container-instance/" + cluster + "/" + id(n)
}
