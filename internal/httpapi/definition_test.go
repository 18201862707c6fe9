package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// define gives the fake ECS a task definition.
func (a *api) define(familyRevision string, change func(*types.TaskDefinition)) {
	family, _, _ := strings.Cut(familyRevision, ":")
	task := types.TaskDefinition{
		TaskDefinitionArn: aws.String(taskDefinitionARN(familyRevision)), Family: &family, Status: types.TaskDefinitionStatusActive,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("agent")}},
	}
	change(&task)
	a.ecs.taskDefinitions[familyRevision], a.ecs.taskDefinitions[*task.TaskDefinitionArn] = task, task
}

// definitions has a task definition of every kind that matters.
func (a *api) definitions() {
	ports := func(mappings ...types.PortMapping) func(*types.TaskDefinition) {
		return func(task *types.TaskDefinition) { task.ContainerDefinitions[0].PortMappings = mappings }
	}
	a.define("plain:1", func(*types.TaskDefinition) {})
	a.define("awsvpc:1", func(task *types.TaskDefinition) { task.NetworkMode = types.NetworkModeAwsvpc })
	a.define("static:1", ports(types.PortMapping{ContainerPort: aws.Int32(80), HostPort: aws.Int32(8080)},
		types.PortMapping{ContainerPort: aws.Int32(53), HostPort: aws.Int32(53), Protocol: types.TransportProtocolUdp}))
	a.define("dynamic:1", ports(types.PortMapping{ContainerPort: aws.Int32(80)}, types.PortMapping{ContainerPortRange: aws.String("90-99")}))
	a.define("host:1", func(task *types.TaskDefinition) {
		task.NetworkMode = types.NetworkModeHost
		ports(types.PortMapping{ContainerPort: aws.Int32(9100)})(task)
	})
	a.define("hostonly:1", func(task *types.TaskDefinition) { task.NetworkMode = types.NetworkModeHost })
}

// body is a definition of environment n on cluster edge, with more fields.
func body(taskDefinition string, more ...string) string {
	fields := append([]string{`"name": "n"`, fmt.Sprintf(`"taskDefinition": %q`, taskDefinition)}, more...)
	if !strings.Contains(strings.Join(more, ""), `"instanceGroup"`) && !strings.Contains(strings.Join(more, ""), `"cluster`) {
		fields = append(fields, `"instanceGroup": {"cluster": "edge"}`)
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

const subnets = `"networkConfiguration": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]}`

func rollout(fields string) string { return `"deploymentConfiguration": {` + fields + `}` }

func TestADefinitionIsRefused(t *testing.T) {
	many := func(n int, item string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(item, i)
		}
		return strings.Join(items, ", ")
	}
	a := newAPI(t)
	a.definitions()
	for about, test := range map[string]struct {
		body   string
		status int
		want   []string
	}{
		"awsvpc without a network":          {body("awsvpc:1"), 400, []string{"body.networkConfiguration", "awsvpc", "give the subnets"}},
		"a network without awsvpc":          {body("plain:1", subnets), 400, []string{"body.networkConfiguration", "network mode bridge", "leave it out"}},
		"awsvpc outside of AWS":             {body("awsvpc:1", subnets, `"launchType": "EXTERNAL"`), 400, []string{"hosts outside of AWS"}},
		"no subnets":                        {body("awsvpc:1", `"networkConfiguration": {"subnets": []}`), 400, []string{"body.networkConfiguration.subnets"}},
		"no subnet's id":                    {body("awsvpc:1", `"networkConfiguration": {"subnets": ["10.0.0.0/8"]}`), 400, []string{"body.networkConfiguration.subnets[0]", "subnet-…"}},
		"no group's id":                     {body("awsvpc:1", `"networkConfiguration": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["web"]}`), 400, []string{"securityGroups[0]", "sg-…"}},
		"an expression with a syntax error": {body("plain:1", `"instanceGroup": {"cluster": "edge", "expression": "attribute:stack == prod or"}`), 400, []string{"body.instanceGroup.expression", "line 1 column 27"}},
		"a group that changes by itself":    {body("plain:1", `"instanceGroup": {"cluster": "edge", "expression": "attribute:a exists and not task:group == web"}`), 400, []string{"line 1 column 28: task:group changes by itself", "agentVersion"}},
		"a canary that changes by itself":   {body("plain:1", rollout(`"canary": {"expression": "agentConnected == true"}`)), 400, []string{"canary.expression", "agentConnected changes by itself"}},
		"an expression on line two":         {body("plain:1", `"instanceGroup": {"cluster": "edge", "expression": "attribute:stack == prod\n and colour == red"}`), 400, []string{"body.instanceGroup.expression", "line 2 column 6"}},
		"a host that cannot be":             {body("plain:1", `"instanceGroup": {"cluster": "edge", "exclude": ["web-1"]}`), 400, []string{"body.instanceGroup.exclude[0]", "i-…"}},
		"a host twice":                      {body("plain:1", `"instanceGroup": {"cluster": "edge", "exclude": ["i-0a1b2c3d", "i-0a1b2c3d"]}`), 400, []string{"body.instanceGroup.exclude[1]", "in the list already"}},
		"an instance group without cluster": {body("plain:1", `"instanceGroup": {"expression": "attribute:a exists"}`), 400, []string{"instanceGroup.cluster, or clusters, or clusterPattern"}},
		"a pattern and a cluster":           {body("plain:1", `"clusterPattern": "edge-*", "instanceGroup": {"cluster": "edge"}`), 400, []string{"body.clusterPattern", "not both"}},
		"a pattern that cannot be":          {body("plain:1", `"clusterPattern": "edge-[ab]"`), 400, []string{"body.clusterPattern", "* and ?"}},
		"a pattern for which there is none": {body("plain:1", `"clusterPattern": "edge-*"`), 400, []string{"body.clusterPattern", "0 clusters", "allowed are 1 to"}},
		"a pattern elsewhere":               {body("plain:1", `"clusterPattern": "arn:aws:ecs:us-east-1:`+account+`:cluster/edge-*"`), 400, []string{"us-east-1", "is no member"}},
		"static ports under surge": {
			body("static:1", rollout(`"method": "replaceThenTerminate"`)), 400,
			[]string{"body.deploymentConfiguration.method", "8080/tcp, 53/udp", "terminateThenReplace"},
		},
		"ports of the host under surge": {body("host:1", rollout(`"method": "replaceThenTerminate"`)), 400, []string{"9100/tcp"}},
		"an unknown method":             {body("plain:1", rollout(`"method": "recreate"`)), 400, []string{"body.deploymentConfiguration.method", "onDelete"}},
		"all have to stay healthy":      {body("plain:1", rollout(`"minimumHealthyPercent": 100`)), 400, []string{"minimumHealthyPercent", "0 to 99", "replaceThenTerminate"}},
		"nothing may be unavailable":    {body("plain:1", rollout(`"maxUnavailable": 0`)), 400, []string{"maxUnavailable", "no host could ever be replaced", "replaceThenTerminate"}},
		"the same in percent":           {body("plain:1", rollout(`"maxUnavailable": "0%"`)), 400, []string{"no host could ever be replaced"}},
		"no surge":                      {body("plain:1", rollout(`"method": "replaceThenTerminate", "maxSurge": "0"`)), 400, []string{"maxSurge", "at least 1"}},
		"surge without its method":      {body("plain:1", rollout(`"maxSurge": 3`)), 400, []string{"maxSurge", "replaceThenTerminate", "this is terminateThenReplace"}},
		"both ways round":               {body("plain:1", rollout(`"maxUnavailable": 3, "minimumHealthyPercent": 50`)), 400, []string{"maxUnavailable", "give one of the two"}},
		"no amount":                     {body("plain:1", rollout(`"maxUnavailable": "many"`)), 400, []string{"maxUnavailable", `"many"`, "a percentage"}},
		"half a host":                   {body("plain:1", rollout(`"maxUnavailable": 1.5`)), 400, []string{"maxUnavailable", "a number of hosts"}},
		"a list of amounts":             {body("plain:1", rollout(`"maxUnavailable": [1]`)), 400, []string{"maxUnavailable"}},
		"a deadline before health":      {body("plain:1", rollout(`"minHealthySeconds": 60, "hostDeadlineSeconds": 60`)), 400, []string{"body.deploymentConfiguration", "hostDeadlineSeconds 60", "minHealthySeconds"}},
		"a deadline over a day":         {body("plain:1", rollout(`"progressDeadlineSeconds": 86401`)), 400, []string{"progressDeadlineSeconds", "86400"}},
		"a canary of nothing":           {body("plain:1", rollout(`"canary": {}`)), 400, []string{"body.deploymentConfiguration.canary", "give hosts"}},
		"a canary of both":              {body("plain:1", rollout(`"canary": {"hosts": 1, "expression": "attribute:a exists"}`)), 400, []string{"canary", "not both"}},
		"no canary host":                {body("plain:1", rollout(`"canary": {"hosts": "0%"}`)), 400, []string{"canary.hosts", "there would be no canary"}},
		"a canary's syntax error":       {body("plain:1", rollout(`"canary": {"expression": "attribute"}`)), 400, []string{"canary.expression", "line 1 column"}},
		"a canary that replaces none":   {body("plain:1", rollout(`"method": "onDelete", "canary": {"hosts": 1}`)), 400, []string{"canary", "onDelete"}},
		"a breaker that always trips":   {body("plain:1", rollout(`"circuitBreaker": {"threshold": 0}`)), 400, []string{"circuitBreaker.threshold", "enable false"}},
		"a breaker that never trips":    {body("plain:1", rollout(`"circuitBreaker": {"threshold": 201}`)), 400, []string{"threshold 201", "200"}},
		"eleven alarms":                 {body("plain:1", rollout(`"alarms": [`+many(11, `"a%d"`)+`]`)), 400, []string{"body.deploymentConfiguration.alarms", "10"}},
		"an alarm's ARN":                {body("plain:1", rollout(`"alarms": ["arn:aws:cloudwatch:eu-west-1:1:alarm:x"]`)), 400, []string{"alarms[0]", "give the alarm's name"}},
		"fifty-one tags":                {body("plain:1", `"tags": {`+many(51, `"k%d": ""`)+`}`), 400, []string{"body.tags", "51 tags", "allowed are 50"}},
		"a tag of AWS's":                {body("plain:1", `"tags": {"AWS:team": "x"}`), 400, []string{"body.tags.AWS:team", "reserved for AWS"}},
		"a tag without a key":           {body("plain:1", `"tags": {"": "x"}`), 400, []string{"body.tags.", "1 to 128"}},
		"a tag that is too long":        {body("plain:1", `"tags": {"a": "`+strings.Repeat("x", 257)+`"}`), 400, []string{"body.tags.a", "at most 256"}},
		"a tag with an odd character":   {body("plain:1", `"tags": {"a": "b!"}`), 400, []string{"body.tags.a", "allowed in keys and values"}},
		"overrides of no shape":         {body("plain:1", `"overrides": {"container": []}`), 400, []string{"body.overrides", `"container"`, "containerOverrides"}},
		"overrides that are a list":     {body("plain:1", `"overrides": []`), 400, []string{"body.overrides"}},
		"an override of a wrong type":   {body("plain:1", `"overrides": {"containerOverrides": [{"name": "agent", "memory": "many"}]}`), 400, []string{"containerOverrides.memory", "string"}},
		"an override of no container":   {body("plain:1", `"overrides": {"containerOverrides": [{"memory": 64}]}`), 400, []string{"containerOverrides[0]", "name is missing"}},
		"one of another container":      {body("plain:1", `"overrides": {"containerOverrides": [{"name": "web"}]}`), 400, []string{"containerOverrides[0].name", "allowed are agent"}},
		"an override that is too long":  {body("plain:1", `"overrides": {"cpu": "`+strings.Repeat("1", 8192)+`"}`), 400, []string{"body.overrides", "8192"}},
		"an attribute with a space":     {body("plain:1", `"readinessAttribute": "log agent"`), 400, []string{"body.readinessAttribute", "1 to 128"}},
		"an attribute of ECS's":         {body("plain:1", `"readinessAttribute": "ecs.ready"`), 400, []string{"body.readinessAttribute", "reserved"}},
		"the attribute of migrations":   {body("plain:1", `"readinessAttribute": "blox.handover"`), 400, []string{"reserved"}},
		"a drain priority beyond":       {body("plain:1", `"drainPriority": 1001`), 400, []string{"body.drainPriority", "1000"}},
		"another source of tags":        {body("plain:1", `"propagateTags": "SERVICE"`), 400, []string{"body.propagateTags", "TASK_DEFINITION"}},
		"a service's ARN":               {body("plain:1", `"migrateFrom": "arn:aws:ecs:x"`), 400, []string{"body.migrateFrom", "name of an ECS service"}},
		"a service that is not":         {body("plain:1", `"migrateFrom": "nope"`), 404, []string{"service nope does not exist"}},
		"every mistake at once": {
			body("awsvpc:1", `"instanceGroup": {"cluster": "edge", "expression": "?"}`, rollout(`"maxUnavailable": "x", "canary": {}`), `"tags": {"aws:a": ""}`, `"drainPriority": 5000`),
			400,
			[]string{"body.instanceGroup.expression", "maxUnavailable", "canary", "body.tags.aws:a", "body.drainPriority"},
		},
		"every mistake that ECS knows of, at once": {
			body("host:1", subnets, rollout(`"method": "replaceThenTerminate"`), `"overrides": {"containerOverrides": [{"name": "web"}]}`), 400,
			[]string{"body.networkConfiguration", "body.deploymentConfiguration.method", "body.overrides.containerOverrides[0].name"},
		},
	} {
		t.Run(about, func(t *testing.T) {
			a.t = t
			detail := a.do(http.MethodPost, "/v1/environments", test.body).problem(test.status)
			for _, part := range test.want {
				require.Contains(t, detail, part)
			}
			require.NotContains(t, a.do(http.MethodPut, "/v1/environments/n", test.body).problem(test.status), "internal")
			require.Empty(t, a.get("/v1/environments").object()["items"])
		})
	}
}

func TestADefinitionIsTaken(t *testing.T) {
	for about, body := range map[string]string{
		"awsvpc":                       body("awsvpc:1", subnets),
		"surge with ports of its own":  body("awsvpc:1", subnets, rollout(`"method": "replaceThenTerminate", "minimumHealthyPercent": 100`)),
		"surge with ports to be found": body("dynamic:1", rollout(`"method": "replaceThenTerminate", "maxSurge": "10%", "maxUnavailable": 0`)),
		"surge of a host's process":    body("hostonly:1", rollout(`"method": "replaceThenTerminate"`)),
		"static ports, one by one":     body("static:1"),
		"none but on delete":           body("plain:1", rollout(`"method": "onDelete", "maxUnavailable": 0`)),
		"no breaker":                   body("plain:1", rollout(`"circuitBreaker": {"enable": false}`)),
		"a slash in an attribute":      body("plain:1", `"readinessAttribute": "acme.com/log-agent_1"`),
	} {
		t.Run(about, func(t *testing.T) {
			a := newAPI(t)
			a.definitions()
			a.create(body)
		})
	}
}

const everything = `{"name": "n", "instanceGroup": {"cluster": "edge", "expression": "attribute:stack == prod", "exclude": ["i-0b1b2c3d", "i-0a1b2c3d"]},
	"taskDefinition": "awsvpc:1", "networkConfiguration": {"subnets": ["subnet-0b1b2c3d", "subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]},
	"overrides": { "containerOverrides": [{"name": "agent", "memory": 64, "environment": [{"name": "A", "value": "b"}]}], "taskRoleArn": "arn:aws:iam::1:role/x" },
	"enableExecuteCommand": true, "enableECSManagedTags": true, "propagateTags": "TASK_DEFINITION", "tags": {"team": "core", "app": "logs"},
	"deploymentConfiguration": {"method": "replaceThenTerminate", "maxUnavailable": 1, "maxSurge": "10%", "minHealthySeconds": 30,
		"hostDeadlineSeconds": 900, "progressDeadlineSeconds": 3600, "bakeSeconds": 60, "canary": {"hosts": "5%", "promoteAfterSeconds": 300},
		"alarms": ["errors", "delay"], "circuitBreaker": {"rollback": false, "threshold": 3}},
	"readinessAttribute": "blox.log-agent", "drainPriority": -5, "releaseIdleHosts": true}`

func TestARevisionKeepsAllOfADefinition(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	env := a.create(everything)
	a.get("/v1/environments/n").golden("environment-everything.json")
	stored, err := a.daemon.Revision(t.Context(), env.ID, 1)
	require.NoError(t, err)
	require.Equal(t, daemon.Revision{
		EnvironmentID: env.ID, Number: 1, Clusters: []state.ClusterKey{home}, CreatedAt: a.now,
		Selector:       daemon.Selector{Expression: "attribute:stack == prod", Exclude: []string{"i-0a1b2c3d", "i-0b1b2c3d"}},
		TaskDefinition: taskDefinitionARN("awsvpc:1"), LaunchType: daemon.LaunchTypeEC2,
		Template: daemon.TaskTemplate{
			NetworkConfiguration: &daemon.NetworkConfiguration{Subnets: []string{"subnet-0a1b2c3d", "subnet-0b1b2c3d"}, SecurityGroups: []string{"sg-0a1b2c3d"}},
			Overrides:            json.RawMessage(`{"containerOverrides":[{"environment":[{"name":"A","value":"b"}],"memory":64,"name":"agent"}],"taskRoleArn":"arn:aws:iam::1:role/x"}`),
			EnableExecuteCommand: true, EnableECSManagedTags: true, PropagateTags: "TASK_DEFINITION",
			Tags: []daemon.Tag{{Key: "app", Value: "logs"}, {Key: "team", Value: "core"}},
		},
		DeploymentConfiguration: daemon.DeploymentConfiguration{
			Method: daemon.ReplaceThenTerminate, MinimumHealthyPercent: 50, MaxUnavailable: "1", MaxSurge: "10%", MinHealthySeconds: 30,
			HostDeadlineSeconds: 900, ProgressDeadlineSeconds: 3600, BakeSeconds: 60, Canary: &daemon.Canary{Hosts: "5%", PromoteAfterSeconds: 300},
			Alarms: []string{"delay", "errors"}, CircuitBreaker: daemon.CircuitBreaker{KeepRevision: true, Threshold: "3"},
		},
		ReadinessAttribute: "blox.log-agent", DrainPriority: -5, ReleaseIdleHosts: true,
	}, stored)
}

// What means the same is no change, however it is written; and every field is one that can change.
func TestWhatIsANewRevision(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.create(everything)
	put := func(definition string) (env client.Environment) {
		a.put("n", definition).into(&env)
		return env
	}
	replaced := func(old, with string) string {
		require.Contains(t, everything, old)
		return strings.Replace(everything, old, with, 1)
	}
	require.Equal(t, 1, put(everything).Revision)
	for about, same := range map[string]string{
		"order of hosts":      replaced(`["i-0b1b2c3d", "i-0a1b2c3d"]`, `["i-0a1b2c3d", "i-0b1b2c3d"]`),
		"order of subnets":    replaced(`["subnet-0b1b2c3d", "subnet-0a1b2c3d"]`, `["subnet-0a1b2c3d", "subnet-0b1b2c3d"]`),
		"order of alarms":     replaced(`["errors", "delay"]`, `["delay", "errors"]`),
		"space and order":     replaced(`{"name": "agent", "memory": 64,`, `{"memory":64,   "name": "agent",`),
		"number or text":      replaced(`"maxUnavailable": 1`, `"maxUnavailable": "1"`),
		"a default, spelt":    replaced(`"rollback": false`, `"enable": true, "rollback": false`),
		"clusters as a list":  replaced(`"instanceGroup": {"cluster": "edge",`, `"clusters": ["`+clusterARN("edge")+`"], "instanceGroup": {`),
		"launch type, spelt":  replaced(`"drainPriority"`, `"launchType": "EC2", "drainPriority"`),
		"nothing as a fields": replaced(`"releaseIdleHosts": true`, `"copyTaskDefinition": false, "releaseIdleHosts": true`),
	} {
		require.Equal(t, 1, put(same).Revision, about)
	}
	revision := 1
	for about, change := range map[string]string{
		"expression": replaced("== prod", "== test"), "exclude": replaced(`"i-0b1b2c3d", `, ""), "subnets": replaced(`"subnet-0b1b2c3d", `, ""),
		"overrides": replaced(`"memory": 64`, `"memory": 65`), "exec": replaced(`"enableExecuteCommand": true, `, ""),
		"managed tags": replaced(`"enableECSManagedTags": true, `, ""), "propagated": replaced(`"propagateTags": "TASK_DEFINITION", `, ""),
		"tags": replaced(`"team": "core"`, `"team": "edge"`), "method": replaced(`"method": "replaceThenTerminate", "maxUnavailable": 1, "maxSurge": "10%", `, `"maxUnavailable": 1, `),
		"unavailable": replaced(`"maxUnavailable": 1`, `"maxUnavailable": 2`), "surge": replaced(`"10%"`, `"11%"`), "bake": replaced(`"bakeSeconds": 60`, `"bakeSeconds": 61`),
		"deadline": replaced("900", "901"), "progress": replaced("3600", "3601"), "canary": replaced(`"5%"`, `"6%"`), "promote": replaced("300", "301"),
		"alarms": replaced(`"errors", `, ""), "rollback": replaced(`"rollback": false, `, ""), "threshold": replaced(`"threshold": 3`, `"threshold": 4`),
		"readiness": replaced("blox.log-agent", "blox.other"), "drain": replaced("-5", "-6"), "release": replaced(`"releaseIdleHosts": true`, `"releaseIdleHosts": false`),
		"clusters": replaced(`"cluster": "edge"`, `"cluster": "core"`),
	} {
		require.Equal(t, revision+1, put(change).Revision, about)
		require.Equal(t, revision+2, put(everything).Revision, "back from %s", about)
		revision += 2
	}
}

// The definition of an answer is one that a request may have: what is read can be changed and sent back.
func TestAnAnswerCanBeSentBack(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	for about, body := range map[string]string{"all that can be said": everything, "nothing more than needed": body("plain:1")} {
		env := a.create(body)
		env.InstanceGroup.Cluster = "" // clusters has it
		again, err := json.Marshal(client.EnvironmentDefinition{
			InstanceGroup: &env.InstanceGroup, Clusters: env.Clusters, TaskDefinition: env.TaskDefinition, LaunchType: env.LaunchType,
			NetworkConfiguration: env.NetworkConfiguration, Overrides: env.Overrides, EnableExecuteCommand: env.EnableExecuteCommand,
			EnableECSManagedTags: env.EnableECSManagedTags, PropagateTags: env.PropagateTags, Tags: env.Tags,
			DeploymentConfiguration: &env.DeploymentConfiguration, ReadinessAttribute: env.ReadinessAttribute, DrainPriority: env.DrainPriority,
			ReleaseIdleHosts: env.ReleaseIdleHosts,
		})
		require.NoError(t, err)
		var same client.Environment
		a.put("n", string(again)).into(&same)
		require.Equal(t, 1, same.Revision, about)
		a = newAPI(t)
		a.definitions()
	}
}

func TestClustersByPattern(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	know := func(keys ...state.ClusterKey) {
		for _, key := range keys {
			require.NoError(t, a.state.AddCluster(t.Context(), key))
			a.ecs.clusters[key.ARN("")] = "ACTIVE"
		}
	}
	key := func(name string) state.ClusterKey {
		return state.ClusterKey{Account: account, Region: region, Name: name}
	}
	know(key("edge-b"), key("edge-a"), key("edge-long"), key("core-a"))
	require.NoError(t, a.state.AddCluster(t.Context(), state.ClusterKey{Account: memberAccount, Region: memberRegion, Name: "edge-c"}))

	env := a.create(body("plain:1", `"clusterPattern": "edge-?"`))
	require.Equal(t, []string{clusterARN("edge-a"), clusterARN("edge-b")}, env.Clusters, "of the home, in order")
	require.Equal(t, "edge-?", env.ClusterPattern)
	know(key("edge-d"))
	var again client.Environment
	a.put("n", body("plain:1", `"clusterPattern": "edge-?"`)).into(&again)
	require.Equal(t, 1, again.Revision, "that another one matches now is the scheduler's business")
	a.put("n", body("plain:1", `"clusterPattern": "edge-*"`)).into(&again)
	require.Equal(t, 2, again.Revision)
	require.Len(t, again.Clusters, 4)

	a.member.clusters[memberARN("edge-c")] = "ACTIVE"
	a.member.taskDefinitions["plain:1"] = types.TaskDefinition{TaskDefinitionArn: aws.String(memberARN("plain:1")), Status: types.TaskDefinitionStatusActive}
	env = a.create(strings.Replace(body("plain:1", `"clusterPattern": "`+memberARN("edge-*")+`"`), `"n"`, `"m"`, 1))
	require.Equal(t, []string{memberARN("edge-c")}, env.Clusters)
}

// The old clusters stay the environment's until its tasks there are gone; the revision names the new ones.
func TestClustersChangeByPut(t *testing.T) {
	a := newAPI(t)
	env := a.create(`{"name": "n", "clusters": ["edge"], "taskDefinition": "log-agent:12"}`)
	var moved client.Environment
	a.put("n", `{"clusters": ["core"], "taskDefinition": "log-agent:12"}`).into(&moved)
	require.Equal(t, 2, moved.Revision)
	require.Equal(t, []string{clusterARN("core")}, moved.Clusters)
	require.Equal(t, clusterARN("core"), moved.InstanceGroup.Cluster)
	stored, err := a.daemon.Environment(t.Context(), env.ID)
	require.NoError(t, err)
	core := state.ClusterKey{Account: account, Region: region, Name: "core"}
	require.Equal(t, []state.ClusterKey{home, core}, stored.Clusters)
	for _, cluster := range stored.Clusters {
		members, err := a.daemon.EnvironmentsOfCluster(t.Context(), cluster)
		require.NoError(t, err)
		require.Len(t, members, 1, "changes in %s concern the environment", cluster)
	}
	before, err := a.daemon.Revision(t.Context(), env.ID, 1)
	require.NoError(t, err)
	require.Equal(t, []state.ClusterKey{home}, before.Clusters, "to be rolled back to")
}
