package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func TestWhatIsKnownOfAClusterAsAWhole(t *testing.T) {
	a := newAPI(t)
	a.task(eventtest.Cluster("core"))
	a.task()
	synced := start.Add(-3 * time.Minute)
	summary := &state.Summary{
		CountedAt: synced, LastEventAt: start.Add(-time.Second),
		Tasks: state.TaskSummary{
			Total: 9, ByStatus: []state.Count{{Name: "RUNNING", Count: 9}}, OtherFamilies: 2, Families: []state.FamilyCount{
				{Family: "web", Count: 7, Revisions: []state.RevisionCount{{Revision: 3, Count: 6}}, OtherRevisions: 1},
			},
		},
		Instances: state.InstanceSummary{
			Total: 4, ByStatus: []state.Count{{Name: "ACTIVE", Count: 4}}, ByAgentVersion: []state.Count{{Name: "1.90.0", Count: 3}},
			OtherAgentVersions: 1, AgentDisconnected: 2, Resources: []state.ResourceSum{{Name: "CPU", Registered: 4096, Remaining: 0.5}},
		},
	}
	require.NoError(t, a.state.PutSync(context.Background(), table.Cluster{
		Key: home, SyncedAt: synced.UnixMilli(), HeldBack: 70, GoneAt: synced.UnixMilli(), Summary: summary,
		Drift: table.Drift{Missed: 1, Stale: 2, Refreshed: 3, Absent: 4, Resurrected: 5},
	}))
	require.NoError(t, a.state.PutLag(context.Background(), account, region, table.Lag{Millis: 90_000, At: start.Add(-time.Minute).UnixMilli()}))
	reported := start.Add(-time.Minute)
	want := client.Cluster{
		Name: "edge", ClusterARN: home.ARN(""), Account: account, Region: region, LastReconciledAt: &synced, DriftRepaired: 15,
		Drift:          client.Drift{Missed: 1, Stale: 2, Refreshed: 3, Absent: 4, Resurrected: 5},
		AbsentHeldBack: 70, GoneAt: &synced, EventLagMillis: 90_000, EventLagReportedAt: &reported, LastEventAt: &summary.LastEventAt,
		Summary: &client.ClusterSummary{
			CountedAt: synced,
			Tasks: client.TaskSummary{
				Total: 9, ByStatus: []client.Count{{Name: "RUNNING", Count: 9}}, OtherFamilies: 2, Families: []client.FamilyCount{
					{Family: "web", Count: 7, Revisions: []client.RevisionCount{{Revision: 3, Count: 6}}, OtherRevisions: 1},
				},
			},
			Instances: client.InstanceSummary{
				Total: 4, ByStatus: []client.Count{{Name: "ACTIVE", Count: 4}}, ByAgentVersion: []client.Count{{Name: "1.90.0", Count: 3}},
				OtherAgentVersions: 1, AgentDisconnected: 2, Resources: []client.ResourceSum{{Name: "CPU", Registered: 4096, Remaining: 0.5}},
			},
		},
	}
	for _, name := range []string{"edge", home.ARN(""), url.PathEscape(home.ARN(""))} {
		var got client.Cluster
		a.get("/v1/clusters/" + name).into(&got)
		require.Equal(t, want, got)
	}
	var page client.ClusterPage
	a.get("/v1/clusters").into(&page)
	require.Len(t, page.Items, 2)
	want.Summary, want.LastEventAt = nil, nil // a list has many clusters
	require.Equal(t, want, page.Items[1])
	require.Equal(t, "core", page.Items[0].Name)
	require.NotContains(t, a.get("/v1/clusters/core").object(), "lastReconciledAt", "it never was")

	a.now = a.now.Add(5 * time.Minute)
	var later client.Cluster
	a.get("/v1/clusters/edge").into(&later)
	require.Zero(t, later.EventLagMillis, "nothing was late lately")
	require.Equal(t, &reported, later.EventLagReportedAt)
}

func TestClustersThatAreNotThere(t *testing.T) {
	a := newAPI(t)
	for path, status := range map[string]int{"nobody": 404, "arn:aws:ecs:eu-west-1:210987654321:cluster/nobody": 404, "a%20b": 400, "a/b": 400, "arn:aws:ecs:eu-west-1:210987654321:task/edge/1": 400} {
		a.get("/v1/clusters/" + path).problem(status)
	}
	elsewhere := home
	elsewhere.Region = "us-east-1"
	for _, key := range []state.ClusterKey{home, elsewhere} {
		require.NoError(t, a.state.AddCluster(context.Background(), key))
	}
	require.Contains(t, a.get("/v1/clusters/edge").problem(400), elsewhere.ARN(""))
}

// A name that was free again belongs to the cluster that has it now.
func TestAClusterThatIsGoneIsForgotten(t *testing.T) {
	a := newAPI(t)
	elsewhere := home
	elsewhere.Region = "us-east-1"
	require.NoError(t, a.state.PutSync(context.Background(), table.Cluster{Key: elsewhere, SyncedAt: 1, GoneAt: start.UnixMilli()}))
	task := a.task()
	a.get("/v1/clusters/edge").problem(400)
	require.Equal(t, http.StatusOK, a.get("/v1/clusters/"+elsewhere.ARN("")).status)
	a.now = a.now.Add(state.DefaultVisibleFor)
	a.get("/v1/clusters/" + elsewhere.ARN("")).problem(404)
	require.Equal(t, http.StatusOK, a.get("/v1/tasks/edge/"+task.ID).status)
	var page client.ClusterPage
	a.get("/v1/clusters").into(&page)
	require.Len(t, page.Items, 1)
}

func TestClustersByPage(t *testing.T) {
	a := newAPI(t)
	var want []string
	for n := range 5 {
		name := fmt.Sprintf("c%d", n)
		want = append(want, name)
		require.NoError(t, a.state.AddCluster(context.Background(), state.ClusterKey{Account: account, Region: region, Name: name}))
	}
	var got []string
	for path := "/v1/clusters?limit=2"; path != ""; {
		var page client.ClusterPage
		a.get(path).into(&page)
		require.LessOrEqual(t, len(page.Items), 2)
		for _, cluster := range page.Items {
			got = append(got, cluster.Name)
		}
		path = ""
		if page.NextToken != "" {
			path = "/v1/clusters?limit=2&nextToken=" + page.NextToken
		}
	}
	require.Equal(t, want, got)
	var tasks client.TaskPage
	a.task()
	a.task(eventtest.ID(id(1)))
	a.get("/v1/tasks?limit=1").into(&tasks)
	require.NotEmpty(t, tasks.NextToken)
	for _, token := range []string{"x", tasks.NextToken} {
		require.Contains(t, a.get("/v1/clusters?nextToken="+token).problem(400), "query.nextToken")
	}
}

// A cluster that was made known a moment ago: reads that are not consistent do not see it yet.
func TestAClusterIsKnownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory.New(memory.WithReadLag(func(string) time.Duration { return memory.UntilSettled }))
		require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
		require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
		a := newAPI(t)
		a.state = table.NewState(db, "state", state.DefaultVisibleFor)
		a.task(eventtest.Region("us-east-1"), eventtest.Cluster("far"))
		got := a.watch(t.Context(), db, "/v1/stream/tasks?timeoutSeconds=1&cluster=far", nil)
		require.Equal(t, []string{"SNAPSHOT", "UPDATED RUNNING", "BOOKMARK", "END"}, inShort(got.lines()))
		page, err := a.state.ListTasks(t.Context(), table.TaskQuery{Limit: 10}, start)
		require.NoError(t, err)
		require.Len(t, page.Records, 1)
	})
}
