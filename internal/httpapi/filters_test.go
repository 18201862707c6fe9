package httpapi_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/event/eventtest"
)

// at is a time before the events', as queries say it.
func at(before time.Duration) string {
	return url.QueryEscape(eventtest.DefaultTime.Add(-before).Format(time.RFC3339Nano))
}

// Each filter picks task 1, which differs from task 2 in everything that can be asked for.
func TestEveryFilterOfTasksPicks(t *testing.T) {
	a := newAPI(t)
	a.task(eventtest.ID(id(1)), eventtest.LastStatus("STOPPED"), eventtest.StartedBy("night shift"), eventtest.Group("service:web"),
		eventtest.TaskDefinition("web:3"), eventtest.OnContainerInstance(id(77)),
		eventtest.Field("launchType", "EXTERNAL"), eventtest.Field("healthStatus", "UNHEALTHY"), eventtest.Field("stopCode", "SpotInterruption"),
		eventtest.Field("availabilityZone", "eu-west-1c"), eventtest.Field("capacityProviderName", "spot"),
		eventtest.Field("stoppedReason", "Host EC2 (instance i-1) terminated."),
		eventtest.Field("startedAt", "2026-01-01T00:00:00Z"),
		eventtest.Field("attachments", []any{map[string]any{
			"id": "1", "type": "eni", "status": "ATTACHED", "details": []any{map[string]any{"name": "privateIPv4Address", "value": "10.0.7.7"}},
		}}))
	a.task(eventtest.ID(id(2)), eventtest.LastStatus("RUNNING"), eventtest.Cluster("core"))
	serviceARN := "arn:aws:ecs:" + region + ":" + account + ":service/edge/web"
	for filter, value := range map[string]string{
		"status": "stopped", "cluster": "edge", "startedBy": "night shift", "desiredStatus": "STOPPED", "family": "web", "group": "service:web",
		"containerInstance": id(77), "launchType": "external", "capacityProvider": "spot", "healthStatus": "unhealthy",
		"stopCode": "spotinterruption", "availabilityZone": "eu-west-1c", "privateIp": "10.0.7.7", "q": "HOST terminated",
		"taskDefinition": "web:3", "service": "web", "image": account + ".dkr.ecr.eu-west-1.amazonaws.com/web",
		"startedUntil": "2026-01-01T00:00:01Z", "stoppedSince": "2026-01-01T00:00:00Z",
		"stoppedUntil": "2199-01-01T00:00:00Z",
	} {
		t.Run(filter, func(t *testing.T) {
			query := "/v1/tasks?" + url.Values{filter: {value}}.Encode()
			require.Equal(t, []int{1}, numbersOf(t, a.get(query)))
		})
	}
	for query, want := range map[string][]int{
		"taskDefinition=web": {1}, "taskDefinition=" + taskDefinitionARN("web:3"): {1}, "taskDefinition=web:4": {},
		"service=" + serviceARN: {1}, "service=other": {}, "startedUntil=2026-01-01T00:00:00Z": {}, "startedSince=" + at(time.Hour): {2},
		"startedSince=2026-01-01T00:00:00Z": {1, 2},
		"q=nobody":                          {}, "q=": {1, 2}, "launchType=": {1, 2}, "startedSince=": {1, 2}, "privateIp=10.0.7.70": {},
		"launchType=external&healthStatus=healthy": {}, "family=web&launchType=EXTERNAL&q=night": {1},
	} {
		require.ElementsMatch(t, want, numbersOf(t, a.get("/v1/tasks?"+query)), query)
	}
}

// Each filter picks container instance 1, as in the test of tasks.
func TestEveryFilterOfInstancesPicks(t *testing.T) {
	a := newAPI(t)
	a.instance(eventtest.ID(id(1)), eventtest.Status("DRAINING"), eventtest.AgentConnected(false), eventtest.EC2InstanceID("i-0aa"),
		eventtest.Field("registeredAt", "2026-01-01T00:00:00Z"), eventtest.Field("versionInfo", map[string]any{"agentVersion": "1.90.0"}),
		eventtest.Field("capacityProviderName", "spot"), eventtest.Field("attributes", []any{
			map[string]any{"name": "ecs.availability-zone", "value": "eu-west-1c"},
			map[string]any{"name": "ecs.instance-type", "value": "m7g.large"},
			map[string]any{"name": "stack", "value": "prod:blue"},
			map[string]any{"name": "bare"},
		}))
	a.instance(eventtest.ID(id(2)), eventtest.Cluster("core"), eventtest.EC2InstanceID("i-0bb"))
	for query, want := range map[string][]int{
		"status=draining": {1}, "cluster=edge": {1}, "agentConnected=false": {1}, "agentConnected=true": {2}, "agentConnected=": {1, 2},
		"instanceType=m7g.large": {1}, "availabilityZone=eu-west-1c": {1}, "ec2InstanceId=i-0aa": {1}, "agentVersion=1.90.0": {1},
		"agentVersion=1.9": {}, "capacityProvider=spot": {1}, "attribute=stack": {1}, "attribute=stack:prod:blue": {1}, "attribute=stack:prod": {},
		"attribute=stack&attribute=bare": {1}, "attribute=stack&attribute=nope": {}, "attribute=bare:": {1}, "attribute=": {1, 2},
		"attribute=&attribute=stack": {1}, "registeredUntil=2026-01-02T00:00:00Z": {1}, "registeredSince=2026-01-02T00:00:00Z": {2},
		"q=PROD": {1}, "q=m7g": {1}, "q=nobody": {}, "status=draining&agentConnected=true": {},
	} {
		require.ElementsMatch(t, want, numbersOf(t, a.get("/v1/instances?"+query)), query)
	}
}

func TestBadFiltersSayWhatIsAllowed(t *testing.T) {
	a := newAPI(t)
	for path, want := range map[string][]string{
		"/v1/tasks?launchType=mars":        {"query.launchType", "EC2, EXTERNAL, FARGATE, MANAGED_INSTANCES"},
		"/v1/tasks?healthStatus=fine":      {"query.healthStatus", "HEALTHY, UNHEALTHY, UNKNOWN"},
		"/v1/tasks?stopCode=why":           {"query.stopCode", "EssentialContainerExited", "UserInitiated"},
		"/v1/tasks?taskDefinition=web:0":   {"query.taskDefinition", "FAMILY:REVISION"},
		"/v1/tasks?taskDefinition=a/b":     {"query.taskDefinition", "FAMILY:REVISION"},
		"/v1/tasks?service=a/b":            {"query.service", "name"},
		"/v1/tasks?containerInstance=a/b":  {"query.containerInstance", "id"},
		"/v1/tasks?privateIp=10.0.0":       {"query.privateIp", "10.0.1.7"},
		"/v1/tasks?startedSince=yesterday": {"query.startedSince", "2026-01-31T12:00:00Z"},
		// A + that was not escaped is a blank.
		"/v1/tasks?startedSince=2026-01-01T00:00:00+01:00": {"query.startedSince", "%2B"},
		"/v1/tasks?stoppedUntil=0001-01-01T00:00:00Z":      {"query.stoppedUntil", "from 1970 to 2199"},
		"/v1/tasks?stoppedUntil=2200-01-01T00:00:00Z":      {"query.stoppedUntil", "from 1970 to 2199"},
		"/v1/tasks?startedSince=2026-01-02T00:00:00Z&startedUntil=2026-01-01T00:00:00Z": {
			"query.startedUntil", "allowed are times after startedSince, 2026-01-02T00:00:00Z",
		},
		"/v1/tasks?q=%20":                                               {"query.q", "blanks"},
		"/v1/tasks?q=%FF":                                               {"query.q", "UTF-8"},
		"/v1/tasks?q=1+2+3+4+5+6+7+8+9":                                 {"query.q", "9 words", "at most 8"},
		"/v1/tasks?sort=name":                                           {"query.sort", "createdAt, -createdAt, startedAt, -startedAt, stoppedAt, -stoppedAt"},
		"/v1/tasks?sort=registeredAt":                                   {"query.sort", "createdAt"},
		"/v1/tasks?sort=createdAt&sort=stopped":                         {"query.sort", "given 2 times"},
		"/v1/tasks?fields=lastStatus,colour":                            {"query.fields", "colour: no such field", "lastStatus", "taskARN"},
		"/v1/tasks/edge/1?fields=taskArn":                               {"query.fields", "taskArn: no such field", "taskARN"},
		"/v1/instances?fields=lastStatus":                               {"query.fields", "agentConnected"},
		"/v1/instances?agentConnected=maybe":                            {"query.agentConnected", "boolean"},
		"/v1/instances?attribute=:x":                                    {"query.attribute", "NAME or NAME:VALUE"},
		"/v1/instances?attribute=a&attribute=!":                         {"query.attribute", "NAME or NAME:VALUE"},
		"/v1/instances?attribute=" + strings.Repeat("&attribute=a", 11): {"query.attribute", "11 attributes, allowed are <= 10"},
		"/v1/instances?attribute=1&attribute=2&attribute=3&attribute=4&attribute=5&attribute=6&attribute=7&attribute=8&attribute=9&attribute=10&attribute=11": {
			"query.attribute", "<= 10",
		},
		"/v1/instances?sort=createdAt": {"query.sort", "registeredAt, -registeredAt"},
		"/v1/instances?registeredSince=2026-01-01T00:00:00Z&registeredUntil=2026-01-01T00:00:00Z": {"query.registeredUntil", "after registeredSince"},
	} {
		t.Run(path, func(t *testing.T) {
			detail := a.get(path).problem(400)
			for _, part := range want {
				require.Contains(t, detail, part)
			}
		})
	}
}

// parameters are the query's, as the document names them.
func parameters(t *testing.T, document map[string]any, path string) []string {
	var names []string
	get := document["paths"].(map[string]any)[path].(map[string]any)["get"].(map[string]any)
	for _, parameter := range get["parameters"].([]any) {
		if parameter := parameter.(map[string]any); parameter["in"] == "query" {
			names = append(names, parameter["name"].(string))
		}
	}
	require.NotEmpty(t, names)
	return names
}

// A watch takes all filters of the list that it goes on from.
func TestStreamsTakeTheFiltersOfLists(t *testing.T) {
	document := decode(t, newAPI(t).get("/v1/openapi.json").body)
	for list, stream := range map[string]string{"/v1/tasks": "/v1/stream/tasks", "/v1/instances": "/v1/stream/instances"} {
		taken := parameters(t, document, stream)
		for _, name := range parameters(t, document, list) {
			if slices.Contains([]string{"sort", "fields", "limit", "nextToken"}, name) {
				require.NotContains(t, taken, name)
				continue
			}
			require.Contains(t, taken, name)
		}
	}
}

func TestFieldsReduceEntities(t *testing.T) {
	a := newAPI(t)
	task, instance := a.task(), a.instance()
	keys := func(entity any) []string {
		var names []string
		for name := range entity.(map[string]any) {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	first := func(path string) map[string]any { return a.get(path).object()["items"].([]any)[0].(map[string]any) }
	for path, want := range map[string][]string{
		"/v1/tasks?fields=lastStatus,%20startedBy":          {"lastStatus", "startedBy", "taskARN"},
		"/v1/tasks?fields=taskARN,stoppedAt":                {"taskARN"}, // it has not stopped
		"/v1/tasks?fields=containers,":                      {"containers", "taskARN"},
		"/v1/instances?fields=EC2InstanceID,agentConnected": {"EC2InstanceID", "agentConnected", "containerInstanceARN"},
	} {
		item := first(path)
		require.Equal(t, want, keys(item["entity"]), path)
		require.Equal(t, position(7), item["metadata"].(map[string]any)["entityVersion"])
	}
	require.Equal(t, []string{"lastStatus", "taskARN"}, keys(a.get("/v1/tasks/edge/" + task.ID + "?fields=lastStatus").object()["entity"]))
	require.Equal(t, []string{"containerInstanceARN", "status"}, keys(a.get("/v1/instances/edge/" + instance.ID + "?fields=status").object()["entity"]))
	require.Equal(t, keys(first("/v1/tasks")["entity"]), keys(first("/v1/tasks?fields=")["entity"]), "an empty list is none")
	container := first("/v1/tasks?fields=containers")["entity"].(map[string]any)["containers"].([]any)[0]
	require.Contains(t, container, "containerARN", "the API's spelling")
}

// Other fields on the next page make no other list.
func TestFieldsMayChangeBetweenPages(t *testing.T) {
	a := newAPI(t)
	for n := range 4 {
		a.task(eventtest.ID(id(n)))
	}
	var page client.TaskPage
	a.get("/v1/tasks?limit=2&fields=lastStatus").into(&page)
	var next client.TaskPage
	a.get("/v1/tasks?limit=2&nextToken=" + page.NextToken).into(&next)
	require.NotEmpty(t, next.Items[0].Entity.StartedBy)
}

func TestListsSayHowMuchTheyLookedAt(t *testing.T) {
	a := newAPI(t)
	for n := range 12 {
		a.task(eventtest.ID(id(n)), eventtest.StartedBy([]string{"ops", "dev", "dev"}[n%3]), eventtest.Field("launchType", []string{"EC2", "EXTERNAL"}[n%2]))
	}
	for query, want := range map[string][2]int{ // items, examined
		"":                                {12, 12},
		"?startedBy=ops":                  {4, 4}, // an index has them
		"?launchType=external":            {6, 12},
		"?startedBy=ops&launchType=ec2":   {2, 4},
		"?startedBy=nobody":               {0, 0},
		"?cluster=core":                   {0, 0},
		"?status=stopped&launchType=ec2":  {0, 0},
		"?status=running&startedBy=ops":   {4, 4},
		"?q=" + id(3):                     {1, 12},
		"?sort=-createdAt&status=running": {12, 12},
	} {
		var page client.TaskPage
		got := a.get("/v1/tasks" + query)
		got.into(&page)
		require.Contains(t, got.object(), "examined", "always")
		require.Equal(t, want, [2]int{len(page.Items), page.Examined}, query)
	}
}
