package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

const manifestText = `# what runs on every host
name: log-agent
cluster: edge
taskDefinition: log-agent:12
deploymentConfiguration:
  minimumHealthyPercent: 75
`

// furnished has some of everything.
func furnished(t *testing.T) *session {
	s := newSession(t)
	s.store(eventtest.Task())
	s.store(eventtest.Task(eventtest.ID("1"+eventtest.DefaultTaskID[1:]), eventtest.Cluster("core"), eventtest.LastStatus("STOPPED"),
		eventtest.TaskDefinition("web:3"), eventtest.StartedBy("ecs-svc/123"), eventtest.Field("stoppedReason", "Task\tstopped\nby \x1b[31muser")))
	s.store(eventtest.Task(eventtest.ID("2"+eventtest.DefaultTaskID[1:]), eventtest.DesiredStatus("STOPPED"), eventtest.Field("healthStatus", "UNHEALTHY"),
		eventtest.OnContainerInstance(""), eventtest.Time(eventtest.DefaultTime.Add(-50*time.Hour))))
	s.store(eventtest.ContainerInstance())
	s.store(eventtest.ContainerInstance(eventtest.ID("4"+eventtest.DefaultInstanceID[1:]), eventtest.EC2InstanceID("mi-0a1b2c3d4e5f60718"),
		eventtest.AgentConnected(false), eventtest.Status("DRAINING")))
	require.Equal(t, exitOK, s.run("apply -f "+s.file(manifestText)).code)
	require.Equal(t, exitOK, s.run("apply -f "+s.file("name: idle\nclusters: [core, edge]\ntaskDefinition: idle:1\nlaunchType: EXTERNAL")).code)
	require.Equal(t, exitOK, s.run("deploy log-agent").code)
	started := s.now.Add(time.Second)
	s.advance("log-agent", func(dep *daemon.Deployment) {
		dep.Status, dep.StartedAt = daemon.DeploymentRunning, &started
		dep.Counts = daemon.Counts{Desired: 20, Updated: 3, Healthy: 18, Unavailable: 1, Exempt: 1}
		dep.FailedInstances = []daemon.FailedInstance{{
			Host:   daemon.HostKey{Cluster: state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: "edge"}, EC2InstanceID: "i-1"},
			Reason: "RESOURCE:MEMORY",
		}}
	})
	s.now = s.now.Add(10 * time.Minute)
	return s
}

func TestOutput(t *testing.T) {
	taskARN := "arn:aws:ecs:eu-west-1:210987654321:task/core/1" + eventtest.DefaultTaskID[1:]
	for name, line := range map[string]string{
		"get-tasks":            "get tasks",
		"get-tasks-filtered":   "get tasks --cluster edge --status running --started-by ops",
		"get-tasks-limited":    "get tasks --limit 1",
		"get-tasks-none":       "get tasks --cluster nobody-knows-it",
		"get-task":             "get task " + eventtest.DefaultTaskID + " --cluster edge",
		"get-tasks-json":       "get tasks --cluster core -o json",
		"get-instances":        "get instances",
		"get-instance":         "get instance " + eventtest.DefaultInstanceID + " --cluster edge",
		"get-environments":     "get environments",
		"get-environment":      "get environment log-agent -o json",
		"get-deployments":      "get deployments",
		"get-deployment":       "get deployments log-agent 00000000-0000-7000-8000-000000000023",
		"describe-task":        "describe task " + taskARN,
		"describe-instance":    "describe instance " + eventtest.DefaultInstanceID + " --cluster edge",
		"describe-environment": "describe environment log-agent",
		"describe-deployment":  "describe deployment log-agent",
		"not-found":            "get environment nope",
		"bad-filter":           "get tasks --status broken",
		"help-get-tasks":       "get tasks --help",
	} {
		t.Run(name, func(t *testing.T) {
			s := furnished(t)
			env, err := s.daemon.EnvironmentByName(t.Context(), "log-agent")
			require.NoError(t, err)
			line = strings.Replace(line, "00000000-0000-7000-8000-000000000023", env.DeploymentID, 1)
			s.run(line).golden(name)
		})
	}
}

func TestApply(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText)).succeeds("environment log-agent created; start its tasks with: blox deploy log-agent\n")
	s.run("apply -f " + s.file(manifestText)).succeeds("environment log-agent unchanged, revision 1\n")
	s.stdin = `{"name": "log-agent", "cluster": "edge", "taskDefinition": "log-agent:13"}`
	s.run("apply -f -").succeeds("environment log-agent updated to revision 2; bring it to the hosts with: blox deploy log-agent\n")
	s.run("apply -f " + s.file(manifestText+"---\nname: two\ncluster: edge\ntaskDefinition: a:1\n")).succeeds(
		"environment log-agent updated to revision 3; bring it to the hosts with: blox deploy log-agent\n" +
			"environment two created; start its tasks with: blox deploy two\n")
}

func (p printed) succeeds(stdout string) {
	require.Equal(p.t, exitOK, p.code, p.stderr)
	require.Equal(p.t, stdout, p.stdout)
}

func TestApplyRefusesBadFiles(t *testing.T) {
	for about, test := range map[string]struct {
		text string
		want []string
	}{
		"no YAML":            {"name: [", []string{"environment.yaml"}},
		"a field misspelled": {manifestText + "taskDefiniton: x", []string{"unknown field", "taskDefiniton"}},
		"one below":          {manifestText + "  minHealthySecs: 3", []string{"unknown field", "minHealthySecs"}},
		"a field twice":      {manifestText + "name: other", []string{"name", "already defined"}},
		"a wrong type":       {"name: log-agent\ncluster: {a: b}\ntaskDefinition: a:1", []string{"[2:10]", "Cluster"}},
		"all missing":        {"launchType: EC2", []string{"name is missing; give cluster or clusters, and not both; taskDefinition is missing"}},
		"cluster twice":      {"name: a\ncluster: b\nclusters: [c]\ntaskDefinition: a:1", []string{"not both"}},
		"nothing":            {"", []string{"there is no environment in it"}},
		"bad values":         {"name: a b\ncluster: edge\ntaskDefinition: a:1\nlaunchType: FARGATE", []string{"body.launchType", "EC2, EXTERNAL"}},
		"too large":          {"#" + strings.Repeat("x", 256<<10), []string{"too large"}},
		"too many":           {strings.Repeat(manifestText+"---\n", 101), []string{"more than 100"}},
	} {
		t.Run(about, func(t *testing.T) {
			s := newSession(t)
			got := s.run("apply -f " + s.file(test.text))
			require.Equal(t, exitUsage, got.code, got.stderr)
			for _, part := range test.want {
				require.Contains(t, got.stderr, part)
			}
			require.Empty(t, got.stdout)
			require.Contains(t, s.run("get environments").stderr, "nothing found")
		})
	}
}

func TestDeployWaits(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText))
	step := 0
	s.onPause = func() {
		step++
		s.advance("log-agent", func(dep *daemon.Deployment) {
			dep.Status, dep.Counts = daemon.DeploymentRunning, daemon.Counts{Desired: 2, Updated: step / 2, Healthy: 2}
			if step == 5 {
				dep.Status = daemon.DeploymentCompleted
			}
		})
	}
	s.run("deploy log-agent --wait").golden("deploy-wait")
	s.run("deploy log-agent --wait").golden("deploy-again")
}

func TestDeployGivesUpWaiting(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText))
	s.run("deploy log-agent --wait --timeout 10s").fails(exitFailed, "still pending after 10s", "blox describe deployment log-agent")

	ctx, cancel := context.WithCancel(t.Context())
	s.onPause = cancel
	s.runIn(ctx, "deploy log-agent --wait").fails(exitFailed, "interrupted", "goes on")
}

func TestDeployTellsOfAnUnfinishedEnd(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText))
	s.onPause = func() {
		s.advance("log-agent", func(dep *daemon.Deployment) {
			dep.Status = daemon.DeploymentStopped
			dep.FailedInstances = []daemon.FailedInstance{{Host: daemon.HostKey{
				Cluster: state.ClusterKey{Account: eventtest.DefaultAccount, Region: "eu-west-1", Name: "edge"}, EC2InstanceID: "i-1",
			}, Reason: "AGENT"}}
		})
	}
	s.run("deploy log-agent --wait").golden("deploy-stopped")
}

func TestDelete(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText))
	env, err := s.daemon.EnvironmentByName(t.Context(), "log-agent")
	require.NoError(t, err)
	_, err = s.daemon.PutSlot(t.Context(), daemon.Slot{
		EnvironmentID: env.ID, State: daemon.SlotPlaced, Host: daemon.HostKey{Cluster: env.Clusters[0], EC2InstanceID: "i-1"},
	})
	require.NoError(t, err)
	s.run("delete environment log-agent").fails(exitFailed, "--terminate-tasks to stop them", "--terminate-tasks=false")
	s.run("delete environment log-agent --terminate-tasks").succeeds("environment log-agent is being deleted\n")
	require.Contains(t, s.run("get environments").stdout, "deleting")
	s.run("deploy log-agent").fails(exitFailed, "being deleted")
	s.run("delete environment nope").fails(exitNotFound, "Environment nope does not exist")
}

func TestUsageErrors(t *testing.T) {
	s := newSession(t)
	for line, want := range map[string]string{
		"fly":                              `unknown command "fly": allowed are apply`,
		"--fly":                            "unknown flag: --fly",
		"get":                              "what to get is missing: allowed are deployments, environments, instances, tasks",
		"get clusters":                     `cannot get "clusters": allowed are`,
		"get tasks a b":                    "2 arguments: want blox get tasks [TASK]",
		"get tasks abc":                    "give --cluster, or the ARN",
		"get tasks -o yaml":                `--output "yaml": allowed are table and json`,
		"get tasks --limit 0":              "--limit 0: allowed is 1 or more",
		"get tasks --limit many":           "invalid argument",
		"get tasks --endpoint localhost":   "invalid endpoint",
		"describe":                         "what to describe is missing",
		"describe task":                    "0 arguments: want blox describe task TASK",
		"describe deployment":              "want blox describe deployment ENVIRONMENT [ID]",
		"apply":                            "give -f FILE",
		"apply -f /does/not/exist":         "cannot read the file: open /does/not/exist: no such file",
		"deploy":                           "want blox deploy NAME",
		"deploy x --timeout -1s":           "--timeout -1s",
		"delete":                           "allowed are environment",
		"delete task x":                    `cannot delete "task": allowed are environment`,
		"delete environment x --terminate": "unknown flag",
		"version x":                        "1 arguments",
	} {
		t.Run(line, func(t *testing.T) { s.run(line).fails(exitUsage, want) })
	}
}

func TestHelpNamesTheVerbs(t *testing.T) {
	got := newSession(t).run("")
	require.Equal(t, exitOK, got.code)
	for _, verb := range []string{"apply", "delete", "deploy", "describe", "get", "local", "version"} {
		require.Contains(t, got.stdout, "  "+verb+" ")
	}
}

func TestNotFound(t *testing.T) {
	s := newSession(t)
	for _, line := range []string{
		"get task abc --cluster edge", "get instances abc --cluster edge", "describe task abc --cluster edge", "get environment nope",
		"get deployments nope", "describe deployment nope", "deploy nope",
	} {
		s.run(line).fails(exitNotFound)
	}
	s.run("apply -f " + s.file(manifestText))
	s.run("describe deployment log-agent").fails(exitNotFound, "has no deployment yet", "blox deploy log-agent")
	s.run("get deployment log-agent abc").fails(exitNotFound, "abc")
}

func TestAnAPIThatIsNotThere(t *testing.T) {
	s := newSession(t)
	s.env[endpointEnv] = "http://127.0.0.1:1"
	s.run("get tasks").fails(exitFailed, "cannot reach the Blox API at http://127.0.0.1:1", "connection refused", "blox local", "--endpoint")
	require.Equal(t, exitOK, s.run("get tasks --endpoint "+s.endpoint).code, "the flag comes first")
}

func TestVersion(t *testing.T) {
	got := newSession(t).run("version")
	require.Equal(t, exitOK, got.code)
	require.Regexp(t, `^blox \S+ \(go\S+, \w+/\w+\)\n$`, got.stdout)
}

func TestJSONHasEveryField(t *testing.T) {
	s := newSession(t)
	s.store(eventtest.Task(eventtest.Field("future", map[string]any{"a": 9007199254740993})))
	var task struct{ Entity map[string]json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(s.run("get task "+eventtest.DefaultTaskID+" --cluster edge -o json").stdout), &task))
	require.JSONEq(t, `{"a": 9007199254740993}`, string(task.Entity["future"]))
}

func TestAges(t *testing.T) {
	now := eventtest.DefaultTime
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 150 * time.Second: "2m30s", 10 * time.Minute: "10m",
		179 * time.Minute: "179m", 3 * time.Hour: "3h", 190 * time.Minute: "3h10m", 9 * time.Hour: "9h", 47 * time.Hour: "47h",
		48 * time.Hour: "2d", 75 * time.Hour: "3d3h", 200 * time.Hour: "8d",
	} {
		at := now.Add(-d)
		require.Equal(t, want, age(now, &at), d)
	}
	require.Empty(t, age(now, nil))
	require.Empty(t, age(now, &time.Time{}))
}

func TestSigningIsAskedForByTheEndpoint(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	for endpoint, region := range map[string]string{
		"https://abc.execute-api.eu-west-1.amazonaws.com/prod":        "eu-west-1",
		"https://abc.execute-api.cn-north-1.amazonaws.com.cn/prod":    "cn-north-1",
		"https://abc.execute-api.eu-west-1.amazonaws.com.evil.test/a": "",
		"http://127.0.0.1:8080": "",
	} {
		match := gatewayHost.FindStringSubmatch(strings.SplitN(endpoint, "/", 4)[2])
		require.Equal(t, region != "", match != nil, endpoint)
		if match != nil {
			require.Equal(t, region, match[1])
		}
	}
	s := newSession(t)
	require.Equal(t, exitOK, s.run("get tasks --sign-region eu-west-1").code)
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, pause(ctx, time.Hour), context.Canceled)
	require.NoError(t, pause(t.Context(), 0))
	require.NotNil(t, newRootCommand())
}
