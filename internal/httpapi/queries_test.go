package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

func TestPing(t *testing.T) {
	got := newAPI(t).get("/v1/ping")
	require.Equal(t, http.StatusOK, got.status)
	require.Empty(t, got.body)
	require.Contains(t, got.header.Get("Content-Type"), "application/json")
}

func TestTaskBody(t *testing.T) {
	a := newAPI(t)
	seen := a.task(eventtest.Version(4), eventtest.LastStatus("STOPPED"))
	got := a.get("/v1/tasks/edge/" + seen.ID)
	got.golden("task.json")

	// The names of Blox v0.3.0.
	body := got.object()
	require.Equal(t, position(7), body["metadata"].(map[string]any)["entityVersion"])
	entity := body["entity"].(map[string]any)
	for _, name := range []string{
		"clusterARN", "containerInstanceARN", "containers", "createdAt", "desiredStatus", "lastStatus", "overrides",
		"startedAt", "startedBy", "stoppedAt", "stoppedReason", "taskARN", "taskDefinitionARN",
	} {
		require.Contains(t, entity, name)
	}
	container := entity["containers"].([]any)[0].(map[string]any)
	for _, name := range []string{"containerARN", "lastStatus", "name", "exitCode"} {
		require.Contains(t, container, name)
	}
}

func TestContainerInstanceBody(t *testing.T) {
	a := newAPI(t)
	seen := a.instance(eventtest.Version(9), eventtest.Field("registeredResources", []any{
		map[string]any{"name": "CPU", "type": "INTEGER", "integerValue": 8192, "longValue": 0, "doubleValue": 0.0},
		map[string]any{"name": "DISK", "type": "LONG", "longValue": 9007199254740993},
		map[string]any{"name": "SHARE", "type": "DOUBLE", "doubleValue": 0.5},
		map[string]any{"name": "PORTS", "type": "STRINGSET", "stringSetValue": []string{"22", "2375"}},
		map[string]any{"name": "FUTURE", "type": "NEW"},
	}))
	got := a.get("/v1/instances/edge/" + seen.ID)
	got.golden("instance.json")

	entity := got.object()["entity"].(map[string]any)
	for _, name := range []string{
		"agentConnected", "attributes", "clusterARN", "containerInstanceARN", "EC2InstanceID", "registeredResources",
		"remainingResources", "status", "versionInfo",
	} {
		require.Contains(t, entity, name)
	}
	values := map[string]any{}
	for _, resource := range entity["registeredResources"].([]any) {
		values[resource.(map[string]any)["name"].(string)] = resource.(map[string]any)["value"]
	}
	require.Equal(t, map[string]any{
		"CPU": "8192", "DISK": "9007199254740993", "SHARE": "0.50", "PORTS": "22,2375", "FUTURE": "",
	}, values)
	for _, attribute := range entity["attributes"].([]any) {
		require.Contains(t, attribute, "value", "v0.3.0 always had one")
	}
}

func TestListFilters(t *testing.T) {
	a := newAPI(t)
	a.task(eventtest.ID(id(1)), eventtest.LastStatus("RUNNING"), eventtest.StartedBy("ops"))
	a.task(eventtest.ID(id(2)), eventtest.LastStatus("STOPPED"), eventtest.StartedBy("ops"), eventtest.Group("service:web"))
	a.task(eventtest.ID(id(3)), eventtest.LastStatus("RUNNING"), eventtest.StartedBy("someone else"), eventtest.Cluster("core"))
	a.task(eventtest.ID(id(4)), eventtest.LastStatus("PENDING"), eventtest.TaskDefinition("web:3"), eventtest.OnContainerInstance(id(77)))
	a.instance(eventtest.ID(id(5)))
	a.instance(eventtest.ID(id(6)), eventtest.Status("DRAINING"))
	a.instance(eventtest.ID(id(7)), eventtest.Cluster("core"))
	for query, want := range map[string][]int{
		"tasks":                                      {1, 2, 3, 4},
		"tasks?status=":                              {1, 2, 3, 4}, // an empty value counts as absent
		"tasks?status=running":                       {1, 3},
		"tasks?status=STOPPED":                       {2},
		"tasks?cluster=edge":                         {1, 2, 4},
		"tasks?cluster=" + clusterARN("core"):        {3},
		"tasks?cluster=nobody-knows-it":              {},
		"tasks?startedBy=ops":                        {1, 2, 4},
		"tasks?startedBy=OPS":                        {},
		"tasks?startedBy=someone+else":               {3},
		"tasks?status=running&startedBy=ops":         {1},
		"tasks?status=running&cluster=core":          {3},
		"tasks?desiredStatus=stopped":                {2},
		"tasks?group=service:web":                    {2},
		"tasks?family=web":                           {4},
		"tasks?containerInstance=" + id(77):          {4},
		"tasks?containerInstance=" + instanceARN(77): {4},
		"instances":                                  {5, 6, 7},
		"instances?status=active":                    {5, 7},
		"instances?status=Draining&cluster=edge":     {6},
		"instances?cluster=core":                     {7},
	} {
		t.Run(query, func(t *testing.T) {
			require.ElementsMatch(t, want, numbersOf(t, a.get("/v1/"+query)))
		})
	}
}

func instanceARN(n int) string {
	return "arn:aws:ecs:" + region + ":" + account + ":container-instance/edge/" + id(n)
}

// numbersOf are the numbers that id made the listed entities' ids of.
func numbersOf(t *testing.T, got answer) []int {
	body := got.object()
	require.NotNil(t, body["items"], "always a list, if an empty one")
	numbers := []int{}
	for _, item := range body["items"].([]any) {
		require.Equal(t, position(7), item.(map[string]any)["metadata"].(map[string]any)["entityVersion"])
		entity := item.(map[string]any)["entity"].(map[string]any)
		arn, ok := entity["taskARN"].(string)
		if !ok {
			arn = entity["containerInstanceARN"].(string)
		}
		for n := range 100 {
			if strings.HasSuffix(arn, "/"+id(n)) {
				numbers = append(numbers, n)
			}
		}
	}
	return numbers
}

func TestPagesHoldEverythingOnce(t *testing.T) {
	a := newAPI(t)
	var want []int
	for n := range 25 {
		a.task(eventtest.ID(id(n)), eventtest.LastStatus([]string{"RUNNING", "STOPPED"}[n%2]))
		want = append(want, n)
	}
	for _, query := range []string{"/v1/tasks?limit=4", "/v1/tasks?limit=7&cluster=edge", "/v1/tasks?limit=1", "/v1/tasks?limit=1000"} {
		t.Run(query, func(t *testing.T) {
			var got []int
			token := ""
			for range 60 {
				page := a.get(query + token)
				got = append(got, numbersOf(t, page)...)
				next, ok := page.object()["nextToken"].(string)
				if !ok {
					break
				}
				token = "&nextToken=" + url.QueryEscape(next)
			}
			require.ElementsMatch(t, want, got)
		})
	}
}

func TestATokenGoesWithItsOwnListOnly(t *testing.T) {
	a := newAPI(t)
	for n := range 5 {
		a.task(eventtest.ID(id(n)))
		a.instance(eventtest.ID(id(n)))
	}
	var page client.TaskPage
	a.get("/v1/tasks?limit=2&cluster=edge").into(&page)
	require.NotEmpty(t, page.NextToken)
	a.get("/v1/tasks?limit=3&cluster=edge&nextToken=" + page.NextToken).into(&page) // another limit is no other list
	for _, path := range []string{"/v1/tasks?nextToken=", "/v1/tasks?cluster=edge&status=running&nextToken=", "/v1/instances?cluster=edge&nextToken="} {
		require.Contains(t, a.get(path+page.NextToken).problem(400), "from a list with other filters")
	}
}

func TestWhatHasExpiredIsNotServed(t *testing.T) {
	a := newAPI(t)
	seen := a.task(eventtest.LastStatus("STOPPED"))
	require.Equal(t, http.StatusOK, a.get("/v1/tasks/edge/"+seen.ID).status)
	a.now = a.now.Add(state.DefaultVisibleFor)
	a.get("/v1/tasks/edge/" + seen.ID).problem(404)
	require.Empty(t, a.get("/v1/tasks").object()["items"])
}

func TestNotFoundSaysWhat(t *testing.T) {
	a := newAPI(t)
	require.Contains(t, a.get("/v1/tasks/edge/"+id(1)).problem(404), "Task not found")
	require.Contains(t, a.get("/v1/instances/edge/"+id(1)).problem(404), "Instance not found")
	require.Contains(t, a.get("/v1/instances/never-heard-of/"+id(1)).problem(404), "name never-heard-of is known")
}

func TestBadQueriesSayWhatIsAllowed(t *testing.T) {
	a := newAPI(t)
	for path, want := range map[string][]string{
		"/v1/tasks?status=broken":                        {"query.status", "broken", "RUNNING", "STOPPED"},
		"/v1/instances?status=running":                   {"query.status", "ACTIVE", "DRAINING"},
		"/v1/tasks?desiredStatus=pending":                {"query.desiredStatus", "RUNNING, STOPPED"},
		"/v1/tasks?colour=red":                           {"query.colour", "not supported", "status, cluster, startedBy"},
		"/v1/instances?startedBy=me":                     {"query.startedBy", "allowed are status, cluster, agentConnected"},
		"/v1/ping?x=1":                                   {"query.x", "allowed are none"},
		"/v1/tasks?status=running&status=stopped":        {"query.status", "given 2 times"},
		"/v1/tasks?cluster=no%20name":                    {"query.cluster", "invalid cluster ARN or name", "letters, digits"},
		"/v1/tasks?cluster=arn:aws:ecs:x":                {"query.cluster", "invalid cluster ARN or name", "arn:PARTITION:ecs"},
		"/v1/tasks?cluster=" + instanceARN(1):            {"query.cluster", "allowed is a cluster's"},
		"/v1/tasks?containerInstance=" + clusterARN("e"): {"query.containerInstance", "allowed is a container-instance's"},
		"/v1/tasks?limit=0":                              {"query.limit", ">= 1"},
		"/v1/tasks?limit=1001":                           {"query.limit", "<= 1000"},
		"/v1/tasks?limit=many":                           {"query.limit", "integer"},
		"/v1/tasks?nextToken=%21":                        {"query.nextToken", "repeat the list"},
		"/v1/tasks?nextToken=eyJsIjoieCJ9":               {"query.nextToken", "other filters"},
		"/v1/tasks?status=broken&limit=0":                {"query.status", "query.limit"}, // every mistake at once
		"/v1/tasks?a=1;b=2":                              {"query"},
		"/v1/tasks/no%20name/" + id(1):                   {"path.cluster", "invalid cluster ARN or name"},
		"/v1/tasks/edge/a/b":                             {"path.arn", "arn:PARTITION:ecs:REGION:ACCOUNT:task/CLUSTER/ID"},
		"/v1/tasks/edge/arn:aws:ecs:x":                   {"path.arn", "invalid ARN"},
		"/v1/tasks/edge/" + instanceARN(1):               {"path.arn", "ARN of a container-instance, allowed is that of a task"},
		"/v1/instances/core/" + instanceARN(1):           {"path.arn", "not in cluster core"},
		"/v1/environments?cluster=no%20name":             {"query.cluster"},
		"/v1/environments?limit=101":                     {"query.limit", "<= 100"},
		"/v1/environments?nextToken=zzz":                 {"query.nextToken"},
		"/v1/environments?cluster=edge&cluster=core":     {"query.cluster", "given 2 times"},
	} {
		t.Run(path, func(t *testing.T) {
			detail := a.get(path).problem(http.StatusBadRequest)
			for _, part := range want {
				require.Contains(t, detail, part)
			}
		})
	}
}
