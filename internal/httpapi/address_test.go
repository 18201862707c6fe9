package httpapi_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

// TestAThingIsFoundHoweverItIsAddressed: by id and by ARN of either form, in a cluster by name and by ARN, escaped or with
// its slashes as some proxies hand them on, in every partition.
func TestAThingIsFoundHoweverItIsAddressed(t *testing.T) {
	regions := map[string]string{
		"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1", "aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1",
		"aws-iso-e": "eu-isoe-west-1", "aws-iso-f": "us-isof-south-1", "aws-us-gov": "us-gov-west-1",
	}
	require.Len(t, regions, len(state.Partitions()))
	for _, partition := range state.Partitions() {
		place := regions[partition]
		for _, short := range []bool{false, true} {
			a := newAPI(t)
			options := []eventtest.Option{eventtest.Partition(partition), eventtest.Region(place)}
			if short {
				options = append(options, eventtest.ShortARNs()) // of accounts that never opted in to the long ones
			}
			begins := "arn:" + partition + ":ecs:" + place + ":" + account + ":"
			clusterARN := begins + "cluster/edge"
			for _, kind := range []struct {
				collection, resource, field, id string
			}{
				{"/v1/tasks/", "task", "taskARN", a.task(options...).ID},
				{"/v1/instances/", "container-instance", "containerInstanceARN", a.instance(options...).ID},
			} {
				want := begins + kind.resource + "/edge/" + kind.id
				if short {
					want = begins + kind.resource + "/" + kind.id
				}
				for _, cluster := range []string{"edge", clusterARN, url.PathEscape(clusterARN)} {
					for _, thing := range []string{
						kind.id, begins + kind.resource + "/edge/" + kind.id, url.PathEscape(begins + kind.resource + "/edge/" + kind.id),
						begins + kind.resource + "/" + kind.id, url.PathEscape(begins + kind.resource + "/" + kind.id),
					} {
						path := kind.collection + cluster + "/" + thing
						entity := a.get(path).object()["entity"].(map[string]any)
						require.Equal(t, want, entity[kind.field], path)
					}
				}
			}
			for _, cluster := range []string{"edge", clusterARN} {
				for _, list := range []string{"tasks", "instances"} {
					require.Len(t, a.get("/v1/" + list + "?cluster=" + cluster).object()["items"], 1, "%s %s", partition, list)
				}
				require.Equal(t, clusterARN, a.get("/v1/clusters/" + cluster).object()["clusterARN"])
			}
		}
	}
}

// The same cluster name in two regions and in two accounts: the ARN says which is meant, and a name alone is refused with
// the ARNs that there are, wherever it stands.
func TestAClusterNameMustBeUnambiguous(t *testing.T) {
	a := newAPI(t)
	here := a.task(eventtest.ID(id(1)))
	there := a.task(eventtest.ID(id(2)), eventtest.Region("us-east-1"))
	other := a.task(eventtest.ID(id(3)), eventtest.Account("999999999999"))
	host := a.instance(eventtest.ID(id(4)), eventtest.Region("us-east-1"))
	arns := []string{here.Cluster.ARN(""), there.Cluster.ARN(""), other.Cluster.ARN("")}
	for _, path := range []string{
		"/v1/tasks?cluster=edge", "/v1/instances?cluster=edge", "/v1/tasks/edge/" + here.ID, "/v1/instances/edge/" + host.ID,
		"/v1/clusters/edge", "/v1/environments?cluster=edge",
	} {
		detail := a.get(path).problem(400)
		for _, arn := range arns {
			require.Contains(t, detail, arn, path)
		}
	}
	for i, task := range []state.Observation{here, there, other} {
		require.Equal(t, []int{i + 1}, numbersOf(t, a.get("/v1/tasks?cluster="+arns[i])))
		require.Equal(t, arns[i], a.get("/v1/clusters/" + url.PathEscape(arns[i])).object()["clusterARN"])
		for _, path := range []string{
			"edge/" + task.ARN, url.PathEscape(arns[i]) + "/" + task.ID, arns[i] + "/" + task.ID, arns[i] + "/" + task.ARN,
		} {
			entity := a.get("/v1/tasks/" + path).object()["entity"].(map[string]any)
			require.Equal(t, task.ARN, entity["taskARN"], path)
		}
		require.Contains(t, a.get("/v1/tasks/"+url.PathEscape(arns[i])+"/"+id(99)).problem(404), arns[i])
	}
	require.Contains(t, a.get("/v1/tasks/"+url.PathEscape(arns[0])+"/"+there.ARN).problem(400), "give the cluster of the ARN")
	require.ElementsMatch(t, []int{1, 2, 3}, numbersOf(t, a.get("/v1/tasks")))
}
