package httpapi_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

// Values that nothing can have are refused, and say where to ask for them.
func TestNamesThatNothingHas(t *testing.T) {
	a := newAPI(t)
	foreign := url.QueryEscape("arn:aws-cn:ecs:eu-west-1:" + account + ":cluster/edge")
	for path, want := range map[string][]string{
		"/v1/tasks?family=web:3":                                                     {"query.family", "asked for with taskDefinition"},
		"/v1/tasks?family=a/b":                                                       {"query.family", "letters, digits"},
		"/v1/tasks?availabilityZone=eu%20west":                                       {"query.availabilityZone", "such as eu-west-1a"},
		"/v1/instances?availabilityZone=eu%20west":                                   {"query.availabilityZone", "such as eu-west-1a"},
		"/v1/instances?ec2InstanceId=0abc":                                           {"query.ec2InstanceId", "i-… and mi-…"},
		"/v1/instances?instanceType=m7g%20large":                                     {"query.instanceType", "such as m7g.large"},
		"/v1/tasks?cluster=" + foreign:                                               {"query.cluster", "allowed in region eu-west-1 is aws"},
		"/v1/tasks/" + foreign + "/" + id(1):                                         {"path.cluster", "allowed in region eu-west-1 is aws"},
		"/v1/clusters/" + foreign:                                                    {"path.cluster", "allowed in region eu-west-1 is aws"},
		"/v1/tasks/edge/arn:aws-cn:ecs:eu-west-1:" + account + ":task/edge/" + id(1): {"path.arn", "allowed in region eu-west-1 is aws"},
	} {
		detail := a.get(path).problem(http.StatusBadRequest)
		for _, part := range want {
			require.Contains(t, detail, part, path)
		}
	}
}

// A name that nobody knows has an empty list, as in v0.3.0, and of it no ARN is made up.
func TestAClusterThatNobodyKnows(t *testing.T) {
	a := newAPI(t)
	a.task()
	require.Empty(t, numbersOf(t, a.get("/v1/tasks?cluster=nobody")))
	for path, begins := range map[string]string{
		"/v1/clusters/nobody": "Cluster not found: ", "/v1/tasks/nobody/" + id(1): "Task not found: ",
		"/v1/instances/nobody/" + id(1): "Instance not found: ",
	} {
		require.Equal(t, begins+"no cluster of the name nobody is known", a.get(path).problem(http.StatusNotFound))
	}
	require.Contains(t, a.get("/v1/tasks/edge/"+id(99)).problem(http.StatusNotFound), home.ARN(""), "that of one that is known")
}

// The path of a reconcile is no cluster's name, but a cluster may be named so.
func TestAReconcileIsNotThereToGet(t *testing.T) {
	a := newAPI(t)
	a.task(eventtest.Cluster("reconcile"))
	for _, cluster := range []string{"edge", url.PathEscape(home.ARN("")), home.ARN("")} {
		got := a.get("/v1/clusters/" + cluster + "/reconcile")
		require.Contains(t, got.problem(http.StatusMethodNotAllowed), "allowed is POST", cluster)
		require.Equal(t, "POST", got.header.Get("Allow"), cluster)
	}
	named := state.ClusterKey{Account: account, Region: region, Name: "reconcile"}
	for _, cluster := range []string{"reconcile", named.ARN(""), url.PathEscape(named.ARN(""))} {
		require.Equal(t, named.ARN(""), a.get("/v1/clusters/" + cluster).object()["clusterARN"], cluster)
	}
	a.get("/v1/clusters/a/b/reconcile").problem(http.StatusBadRequest)
}

func TestATokenOfAnotherListSaysSo(t *testing.T) {
	a := newAPI(t)
	a.task()
	a.task(eventtest.ID(id(1)))
	require.NoError(t, a.state.AddCluster(context.Background(), home))
	var tasks client.TaskPage
	a.get("/v1/tasks?limit=1").into(&tasks)
	require.Contains(t, a.get("/v1/clusters?nextToken="+tasks.NextToken).problem(http.StatusBadRequest), "other filters")
	require.Contains(t, a.get("/v1/clusters?nextToken=x").problem(http.StatusBadRequest), "not a token that this API gave")
}
