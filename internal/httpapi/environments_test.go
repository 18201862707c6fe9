package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/wakeup"
)

const logAgent = `{"name": "log-agent", "instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:12"}`

// create makes an environment, whatever others there are.
func (a *api) create(body string) client.Environment {
	var env client.Environment
	a.do(http.MethodPost, "/v1/environments?force=true", body).into(&env)
	return env
}

func TestCreateEnvironmentBody(t *testing.T) {
	a := newAPI(t)
	got := a.do(http.MethodPost, "/v1/environments", logAgent)
	got.golden("environment.json")
	require.Equal(t, got.object(), a.get("/v1/environments/log-agent").object())

	// The names of Blox v0.3.0.
	env := got.object()
	require.Equal(t, "log-agent", env["name"])
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, env["deploymentToken"])
	require.Equal(t, map[string]any{"cluster": clusterARN("edge")}, env["instanceGroup"])
	require.Equal(t, taskDefinitionARN("log-agent:12"), env["taskDefinition"])
	require.Equal(t, "healthy", env["health"])
}

func TestCreateEnvironmentTakesAllOfADefinition(t *testing.T) {
	a := newAPI(t)
	env := a.create(`{"name": "all", "clusters": ["core", "` + clusterARN("edge") + `"], "taskDefinition": "log-agent",
		"launchType": "EXTERNAL", "deploymentConfiguration": {"minimumHealthyPercent": 0, "minHealthySeconds": 0}}`)
	require.Equal(t, []string{clusterARN("core"), clusterARN("edge")}, env.Clusters)
	require.Equal(t, taskDefinitionARN("log-agent:13"), env.TaskDefinition, "a family is resolved once")
	require.Equal(t, "EXTERNAL", env.LaunchType)
	require.Equal(t, 0, *env.DeploymentConfiguration.MinimumHealthyPercent)
	require.Equal(t, 0, *env.DeploymentConfiguration.MinHealthySeconds)
	require.Equal(t, "blox:test:"+env.ID, env.Group)
}

func TestARevisionKnowsItsHealthCheck(t *testing.T) {
	for name, check := range map[string]*types.HealthCheck{"checked": {Command: []string{"true"}}, "unchecked": nil} {
		a := newAPI(t)
		a.ecs.taskDefinitions["log-agent:12"] = types.TaskDefinition{
			TaskDefinitionArn: aws.String(taskDefinitionARN("log-agent:12")), Status: types.TaskDefinitionStatusActive,
			ContainerDefinitions: []types.ContainerDefinition{{}, {HealthCheck: check}},
		}
		env := a.create(logAgent)
		revision, err := a.daemon.Revision(t.Context(), env.ID, 1)
		require.NoError(t, err)
		require.Equal(t, check != nil, revision.HealthChecked, name)
	}
}

func TestCreateEnvironmentRefuses(t *testing.T) {
	elsewhere := strings.Replace(clusterARN("edge"), region, "us-east-1", 1)
	with := func(field, value string) string {
		base := map[string]string{"name": `"n"`, "instanceGroup": `{"cluster": "edge"}`, "taskDefinition": `"log-agent:12"`}
		base[field] = value
		var parts []string
		for name, v := range base {
			if v != "" {
				parts = append(parts, fmt.Sprintf("%q: %s", name, v))
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	for about, test := range map[string]struct {
		body   string
		status int
		want   []string
	}{
		"no body":                  {"", 400, []string{"body is required"}},
		"no JSON":                  {"{", 400, []string{"body"}},
		"no object":                {"[]", 400, []string{"object"}},
		"nothing in it":            {"{}", 400, []string{"name is required", "taskDefinition", "instanceGroup"}},
		"every mistake at once":    {`{"name": "a b", "taskDefinition": "x y", "launchType": "FARGATE", "colour": 1, "clusters": ["?"]}`, 400, []string{"body.name", "body.taskDefinition", "body.launchType", "body.colour", "EC2, EXTERNAL"}},
		"a name with a space":      {with("name", `" "`), 400, []string{"1 to 30 letters, digits, hyphens or underscores"}},
		"a name that is too long":  {with("name", `"`+strings.Repeat("x", 31)+`"`), 400, []string{"body.name", "1 to 30"}},
		"an unknown field":         {with("role", `"arn"`), 400, []string{"body.role", "unexpected property"}},
		"another case":             {with("Name", `"m"`), 400, []string{"body.Name", "unexpected property"}},
		"a wrong type":             {with("name", `7`), 400, []string{"body.name", "expected string"}},
		"a base revision":          {with("baseRevision", `1`), 400, []string{"body.baseRevision", "PUT"}},
		"percent over 100":         {with("deploymentConfiguration", `{"minimumHealthyPercent": 101}`), 400, []string{"minimumHealthyPercent", "<= 100"}},
		"seconds over an hour":     {with("deploymentConfiguration", `{"minHealthySeconds": 3601}`), 400, []string{"minHealthySeconds", "<= 3600"}},
		"no cluster":               {with("instanceGroup", ""), 400, []string{"instanceGroup.cluster, or clusters"}},
		"clusters twice":           {with("clusters", `["core"]`), 400, []string{"not both"}},
		"an empty cluster":         {with("instanceGroup", `{"cluster": ""}`), 400, []string{"body.instanceGroup.cluster"}},
		"no cluster's name":        {with("instanceGroup", `{"cluster": "a b"}`), 400, []string{"invalid cluster ARN or name"}},
		"another region":           {with("instanceGroup", `{"cluster": "`+elsewhere+`"}`), 400, []string{"us-east-1", "is no member", "allowed are " + account + "/" + region}},
		"clusters of two regions":  {strings.Replace(with("instanceGroup", ""), "{", `{"clusters": ["edge", "`+memberARN("edge")+`"],`, 1), 400, []string{"body.clusters[1]", "allowed are clusters of one account and region"}},
		"a member's definition":    {with("taskDefinition", `"`+memberARN("a:1")+`"`), 400, []string{"this task definition is in account " + memberAccount, "allowed is that of the clusters, account " + account}},
		"the home's definition":    {strings.Replace(with("instanceGroup", `{"cluster": "`+memberARN("edge")+`"}`), "log-agent:12", taskDefinitionARN("log-agent:12"), 1), 400, []string{"allowed is that of the clusters, account " + memberAccount}},
		"a task's ARN for cluster": {with("instanceGroup", `{"cluster": "`+instanceARN(1)+`"}`), 400, []string{"allowed is a cluster's"}},
		"a cluster that is not":    {with("instanceGroup", `{"cluster": "nope"}`), 404, []string{clusterARN("nope"), "does not exist"}},
		"a deleted cluster":        {with("instanceGroup", `{"cluster": "gone"}`), 404, []string{clusterARN("gone"), "INACTIVE", "allowed is ACTIVE"}},
		"no task definition":       {with("taskDefinition", ""), 400, []string{"taskDefinition"}},
		"an unknown one":           {with("taskDefinition", `"nope:1"`), 404, []string{"nope:1", "does not exist"}},
		"an inactive one":          {with("taskDefinition", `"old:1"`), 404, []string{"old:1", "INACTIVE", "allowed is ACTIVE"}},
		"a cluster's ARN for it":   {with("taskDefinition", `"`+clusterARN("edge")+`"`), 400, []string{"allowed is a task definition's"}},
		"another region's":         {with("taskDefinition", `"`+strings.Replace(taskDefinitionARN("a:1"), region, "us-east-1", 1)+`"`), 400, []string{"us-east-1"}},
		"one for Fargate":          {with("taskDefinition", `"fargate:1"`), 400, []string{"is for FARGATE", "launch type is EC2"}},
		"one for elsewhere":        {with("taskDefinition", `"outside:1"`), 400, []string{"is for EXTERNAL"}},
		"too large":                {with("name", `"`+strings.Repeat("x", 300<<10)+`"`), 413, []string{"too large"}},
	} {
		t.Run(about, func(t *testing.T) {
			a := newAPI(t)
			detail := a.do(http.MethodPost, "/v1/environments", test.body).problem(test.status)
			for _, part := range test.want {
				require.Contains(t, detail, part)
			}
			require.Less(t, len(detail), 4000, "not all of the request once more")
			require.Empty(t, a.get("/v1/environments").object()["items"])
		})
	}
}

// A member's clusters and task definitions are another ECS's, which is asked.
func TestAnEnvironmentInAMember(t *testing.T) {
	a := newAPI(t)
	a.member.clusters[memberARN("edge")] = "ACTIVE"
	definition := memberARN("log-agent:7")
	found := types.TaskDefinition{TaskDefinitionArn: &definition, Status: types.TaskDefinitionStatusActive}
	a.member.taskDefinitions["log-agent"], a.member.taskDefinitions[definition] = found, found
	for i, given := range []string{"log-agent", definition} {
		env := a.create(fmt.Sprintf(`{"name": "n%d", "instanceGroup": {"cluster": %q}, "taskDefinition": %q}`, i, memberARN("edge"), given))
		stored, err := a.daemon.Environment(t.Context(), env.ID)
		require.NoError(t, err)
		require.Equal(t, []state.ClusterKey{{Account: memberAccount, Region: memberRegion, Name: "edge"}}, stored.Clusters)
		revision, err := a.daemon.Revision(t.Context(), env.ID, 1)
		require.NoError(t, err)
		require.Equal(t, definition, revision.TaskDefinition)
	}
	body := fmt.Sprintf(`{"name": "n", "instanceGroup": {"cluster": %q}, "taskDefinition": "log-agent:12"}`, memberARN("edge"))
	require.Contains(t, a.do(http.MethodPost, "/v1/environments", body).problem(404),
		"task definition log-agent:12 does not exist in account "+memberAccount+", region "+memberRegion)
}

// memberARN is the ARN of a cluster or, with a revision, a task definition of the member.
func memberARN(name string) string {
	arn := clusterARN(name)
	if strings.Contains(name, ":") {
		arn = taskDefinitionARN(name)
	}
	return strings.Replace(strings.Replace(arn, account, memberAccount, 1), region, memberRegion, 1)
}

func TestThePatternsAreTheSchedulersOwn(t *testing.T) {
	a := newAPI(t)
	for _, name := range []string{"a", "A_b-9", strings.Repeat("x", 30)} {
		require.NoError(t, daemon.ValidateName(name))
		a.create(strings.Replace(logAgent, "log-agent", name, 1))
	}
	worst := daemon.DeploymentConfiguration{MinimumHealthyPercent: 100, MinHealthySeconds: 3600}
	require.NoError(t, worst.Validate())
	worst.MinHealthySeconds++
	require.Error(t, worst.Validate())
}

func TestANameIsTakenOnce(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	require.Contains(t, a.do(http.MethodPost, "/v1/environments", logAgent).problem(409), "An environment with name log-agent already exists")
}

func TestErrorsOfECS(t *testing.T) {
	for about, test := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"throttled": {&smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}, 429, "try again"},
		"refused":   {&types.InvalidParameterException{}, 400, "refused"},
		"broken":    {errBroken, 500, "X-Request-Id"},
	} {
		t.Run(about, func(t *testing.T) {
			a := newAPI(t)
			a.ecs.err = test.err
			require.Contains(t, a.do(http.MethodPost, "/v1/environments", logAgent).problem(test.status), test.want)
		})
	}
}

func TestListEnvironments(t *testing.T) {
	a := newAPI(t)
	for name, clusters := range map[string]string{"a": `"edge"`, "b": `"core"`, "c": `"edge", "core"`, "d": `"edge"`} {
		a.create(`{"name": "` + name + `", "clusters": [` + clusters + `], "taskDefinition": "log-agent:12"}`)
	}
	for query, want := range map[string]string{
		"":                                       "a b c d",
		"?limit=2":                               "a b c d",
		"?limit=1&cluster=core":                  "b c",
		"?cluster=edge":                          "a c d",
		"?cluster=" + clusterARN("core"):         "b c",
		"?cluster=nobody-knows-it":               "",
		"?limit=3&cluster=" + clusterARN("edge"): "a c d",
	} {
		t.Run(query, func(t *testing.T) {
			var names []string
			path := "/v1/environments" + query
			for range 10 {
				var page client.EnvironmentPage
				a.get(path).into(&page)
				for _, env := range page.Items {
					names = append(names, env.Name)
				}
				if page.NextToken == "" {
					break
				}
				path = "/v1/environments" + query + "&nextToken=" + url.QueryEscape(page.NextToken)
			}
			require.Equal(t, want, strings.Join(names, " "))
		})
	}
}

func (a *api) put(name, body string) answer {
	return a.do(http.MethodPut, "/v1/environments/"+name, body)
}

func TestPutCreatesAndRevises(t *testing.T) {
	a := newAPI(t)
	var first, same, second client.Environment
	a.put("log-agent", logAgent).into(&first)
	require.Equal(t, 1, first.Revision)
	a.now = a.now.Add(time.Minute)
	a.put("log-agent", logAgent).into(&same)
	require.Equal(t, first, same, "an identical definition is no new revision")
	a.put("log-agent", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13", "baseRevision": 1}`).into(&second)
	require.Equal(t, 2, second.Revision)
	require.Equal(t, taskDefinitionARN("log-agent:13"), second.TaskDefinition)
	require.NotEqual(t, first.DeploymentToken, second.DeploymentToken, "a revision has a token of its own")
	require.Equal(t, first.ID, second.ID)
	for _, change := range []string{`"deploymentConfiguration": {"minimumHealthyPercent": 90}`, `"launchType": "EXTERNAL"`} {
		var next client.Environment
		a.put("log-agent", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13", `+change+`}`).into(&next)
		require.Equal(t, second.Revision+1, next.Revision)
		second = next
	}
}

func TestPutRefuses(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	body := func(more string) string {
		return `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13"` + more + `}`
	}
	require.Contains(t, a.put("log-agent", body(`, "baseRevision": 7`)).problem(409), "the current revision of environment log-agent is 1")
	require.Contains(t, a.put("log-agent", body(`, "baseRevision": 0`)).problem(409), "is 1")
	require.Contains(t, a.put("other", body(`, "baseRevision": 7`)).problem(409), "does not exist")
	require.Contains(t, a.put("log-agent", body(`, "name": "other"`)).problem(400), "cannot be renamed")
	require.Contains(t, a.put("bad%20name", body("")).problem(400), "1 to 30")
	a.member.clusters[memberARN("edge")] = "ACTIVE"
	elsewhere := types.TaskDefinition{TaskDefinitionArn: aws.String(memberARN("log-agent:13")), Status: types.TaskDefinitionStatusActive}
	a.member.taskDefinitions["log-agent:13"] = elsewhere
	require.Contains(t, a.put("log-agent", strings.Replace(body(""), "edge", memberARN("edge"), 1)).problem(409), "cannot move to another")
	require.Contains(t, a.put("log-agent", strings.Replace(body(""), "edge", "gone", 1)).problem(404), "INACTIVE")
	require.Equal(t, 1, int(a.get("/v1/environments/log-agent").object()["revision"].(float64)), "nothing was changed")
	a.do(http.MethodDelete, "/v1/environments/log-agent", "")
	require.Contains(t, a.put("log-agent", body("")).problem(409), "being deleted")
}

func TestUnknownEnvironments(t *testing.T) {
	a := newAPI(t)
	for _, path := range []string{"/v1/environments/nope", "/v1/environments/no%20name", "/v1/environments/nope/deployments", "/v1/environments/nope/deployments/x"} {
		require.Contains(t, a.get(path).problem(404), "does not exist", path)
	}
}

// occupy gives the environment a slot on a host, as a driver would.
func (a *api) occupy(env client.Environment, host string, is daemon.SlotState) {
	_, err := a.daemon.PutSlot(context.Background(), daemon.Slot{
		EnvironmentID: env.ID, Host: daemon.HostKey{Cluster: home, EC2InstanceID: host}, State: is,
	})
	require.NoError(a.t, err)
}

func TestDeleteEnvironment(t *testing.T) {
	for about, test := range map[string]struct {
		slots []daemon.SlotState
		query string
		keep  bool
	}{
		"no tasks":           {nil, "", false},
		"none left":          {[]daemon.SlotState{daemon.SlotIdle}, "", false},
		"stopping the tasks": {[]daemon.SlotState{daemon.SlotPlaced}, "?terminateTasks=true", false},
		"keeping the tasks":  {[]daemon.SlotState{daemon.SlotPlaced}, "?terminateTasks=false", true},
	} {
		t.Run(about, func(t *testing.T) {
			a := newAPI(t)
			env := a.create(logAgent)
			for i, is := range test.slots {
				a.occupy(env, fmt.Sprintf("i-%d", i), is)
			}
			got := a.do(http.MethodDelete, "/v1/environments/log-agent"+test.query, "")
			require.Equal(t, http.StatusOK, got.status)
			require.Empty(t, got.body)
			stored, err := a.daemon.Environment(t.Context(), env.ID)
			require.NoError(t, err)
			require.Equal(t, daemon.EnvironmentDeleting, stored.Status)
			require.Equal(t, test.keep, stored.KeepTasks)
			require.Equal(t, []wakeup.Wakeup{{EnvironmentID: env.ID}}, a.wakeups.sent)
			require.Equal(t, "DELETING", a.get("/v1/environments/log-agent").object()["status"])
		})
	}
}

func TestDeleteAsksWhatBecomesOfTasks(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	a.occupy(env, "i-1", daemon.SlotPlaced)
	a.occupy(env, "i-2", daemon.SlotIdle)
	a.occupy(env, "i-3", daemon.SlotClaimed) // its task may exist
	detail := a.do(http.MethodDelete, "/v1/environments/log-agent", "").problem(409)
	require.Contains(t, detail, "tasks on 2 hosts")
	require.Contains(t, detail, "terminateTasks=true")
	require.Contains(t, detail, "terminateTasks=false")
	require.Contains(t, a.do(http.MethodDelete, "/v1/environments/log-agent?terminateTasks=maybe", "").problem(400), "true, false")
	require.Equal(t, "ACTIVE", a.get("/v1/environments/log-agent").object()["status"])
}

func TestDeleteMayBeRepeated(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	for _, query := range []string{"?terminateTasks=false", "", "?terminateTasks=false", "?terminateTasks=true"} {
		require.Equal(t, http.StatusOK, a.do(http.MethodDelete, "/v1/environments/log-agent"+query, "").status)
	}
	stored, err := a.daemon.Environment(t.Context(), env.ID)
	require.NoError(t, err)
	require.False(t, stored.KeepTasks, "the last word counts")
	require.Equal(t, http.StatusOK, a.do(http.MethodDelete, "/v1/environments/never-was", "").status)
	require.Contains(t, a.do(http.MethodPost, "/v1/environments", logAgent).problem(409), "still being deleted")
}

// rival writes in front of our own write, as another request could.
type rival struct {
	dynamo.API
	before func()
}

func (r *rival) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if before := r.before; before != nil {
		r.before = nil
		before()
	}
	return r.API.TransactWriteItems(ctx, in, opts...)
}

func TestAWriteThatLosesARaceIsDecidedAnew(t *testing.T) {
	r := &rival{}
	a := newAPIOn(t, func(db dynamo.API) dynamo.API {
		r.API = db
		return r
	})
	env := a.create(logAgent)
	revise := func(taskDefinition string) answer {
		return a.put("log-agent", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "`+taskDefinition+`", "baseRevision": 1}`)
	}
	r.before = func() { revise("log-agent:13") }
	require.Contains(t, a.put("log-agent", `{"instanceGroup": {"cluster": "edge"}, "taskDefinition": "log-agent:13"}`).object()["taskDefinition"], ":13")
	require.InDelta(t, 2, a.get("/v1/environments/log-agent").object()["revision"], 0, "the same change twice is one revision")

	current := a.get("/v1/environments/log-agent").object()["deploymentToken"].(string)
	r.before = func() { a.deploy("log-agent", current) }
	var dep client.Deployment
	a.deploy("log-agent", current).into(&dep)
	require.Len(t, a.get("/v1/environments/log-agent/deployments").object()["items"], 1, "one token, one deployment")

	r.before = func() { a.deploy("log-agent", current) }
	require.Equal(t, http.StatusOK, a.do(http.MethodDelete, "/v1/environments/log-agent", "").status)
	stored, err := a.daemon.Environment(t.Context(), env.ID)
	require.NoError(t, err)
	require.Equal(t, daemon.EnvironmentDeleting, stored.Status)
}

// busy changes the environment in front of every write.
type busy struct {
	dynamo.API
	bump func()
	on   bool
}

func (b *busy) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if b.on {
		b.on = false
		b.bump()
		b.on = true
	}
	return b.API.TransactWriteItems(ctx, in, opts...)
}

func TestAWriteThatAlwaysLosesGivesUp(t *testing.T) {
	b := &busy{}
	a := newAPIOn(t, func(db dynamo.API) dynamo.API {
		b.API = db
		return b
	})
	env := a.create(logAgent)
	b.bump = func() {
		stored, err := a.daemon.Environment(context.Background(), env.ID)
		require.NoError(t, err)
		require.NoError(t, a.daemon.UpdateEnvironment(context.Background(), stored, nil))
	}
	b.on = true
	const again = "again and again"
	require.Contains(t, a.put("log-agent", strings.Replace(logAgent, ":12", ":13", 1)).problem(409), again)
	require.Contains(t, a.deploy("log-agent", env.DeploymentToken).problem(409), again)
	require.Contains(t, a.do(http.MethodDelete, "/v1/environments/log-agent", "").problem(409), again)
}
