package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
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
	env, err := s.daemon.EnvironmentByName(t.Context(), "log-agent")
	require.NoError(t, err)
	for i := range 25 {
		require.NoError(t, s.daemon.AppendTimeline(t.Context(), env.ID, table.TimelineEntry{
			At: started.Add(time.Duration(i) * time.Second), DeploymentID: env.DeploymentID, Kind: daemon.Stop,
			Host:    daemon.HostKey{Cluster: env.Clusters[0], EC2InstanceID: "i-1"}.String(),
			TaskARN: "arn:aws:ecs:eu-west-1:210987654321:task/edge/" + eventtest.DefaultTaskID, Reason: fmt.Sprintf("reason\n%d", i),
		}))
	}
	s.now = s.now.Add(10 * time.Minute)
	return s
}

func TestOutput(t *testing.T) {
	taskARN := "arn:aws:ecs:eu-west-1:210987654321:task/core/1" + eventtest.DefaultTaskID[1:]
	for name, line := range map[string]string{
		"get-tasks":            "get tasks",
		"get-tasks-all":        "get tasks --all",
		"get-tasks-stopped":    "get tasks --status stopped",
		"get-tasks-filtered":   "get tasks --cluster edge --status running --started-by ops",
		"get-tasks-limited":    "get tasks --all --limit 1",
		"get-tasks-none":       "get tasks --cluster nobody-knows-it",
		"get-tasks-none-json":  "get tasks --cluster nobody-knows-it -o json",
		"get-tasks-none-live":  "get tasks --cluster core",
		"get-tasks-none-all":   "get tasks --all --family nobody",
		"get-tasks-by-end":     "get tasks --sort=-stoppedAt",
		"get-task-stopped":     "get task " + taskARN,
		"get-instances-none":   "get instances --cluster nobody-knows-it",
		"help-get-cluster":     "describe cluster --help",
		"get-task":             "get task " + eventtest.DefaultTaskID + " --cluster edge",
		"get-tasks-json":       "get tasks --all --cluster core -o json",
		"get-tasks-sorted":     "get tasks --all --sort -createdAt",
		"get-tasks-fields":     "get tasks --all --cluster core --fields lastStatus -o json",
		"get-tasks-search":     "get tasks --all --search web",
		"get-instances-status": "get instances --agent-connected=false --ec2-instance-id mi-0a1b2c3d4e5f60718",
		"help-get-instances":   "get instances --help",
		"get-instances":        "get instances",
		"get-instance":         "get instance " + eventtest.DefaultInstanceID + " --cluster edge",
		"get-environments":     "get environments",
		"get-environment":      "get environment log-agent -o json",
		"get-deployments":      "get deployments",
		"get-deployment":       "get deployments log-agent 00000000-0000-7000-8000-000000000023",
		"describe-task":        "describe task " + taskARN,
		"describe-instance":    "describe instance " + eventtest.DefaultInstanceID + " --cluster edge",
		"describe-environment": "describe environment log-agent",
		"describe-idle":        "describe environment idle",
		"describe-deployment":  "describe deployment log-agent",
		"not-found":            "get environment nope",
		"bad-filter":           "get tasks --status broken",
		"help-get-tasks":       "get tasks --help",
		"help":                 "--help",
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

func (p printed) succeeds(stdout string) {
	require.Equal(p.t, exitOK, p.code, p.stderr)
	require.Equal(p.t, stdout, p.stdout)
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

// failing makes every pause end the deployment in force with so many failed hosts.
func (t *session) failing(status daemon.DeploymentStatus, hosts int) {
	t.onPause = func() {
		t.advance("log-agent", func(dep *daemon.Deployment) {
			dep.Status, dep.Counts = status, daemon.Counts{Desired: 20, Updated: 20 - hosts, Healthy: 20 - hosts}
			for i := range hosts {
				dep.FailedInstances = append(dep.FailedInstances, daemon.FailedInstance{Host: daemon.HostKey{
					Cluster: state.ClusterKey{Account: eventtest.DefaultAccount, Region: "eu-west-1", Name: "edge"}, EC2InstanceID: fmt.Sprintf("i-%d", i),
				}, Reason: "RESOURCE:MEMORY"})
			}
		})
	}
}

func TestACompletedDeploymentWithFailedHostsFails(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText))
	s.failing(daemon.DeploymentCompleted, 7)
	s.run("deploy log-agent --wait").golden("deploy-failed-hosts")
	require.Equal(t, exitFailed, s.run("deploy log-agent --wait").code, "and again, when it has ended long since")
	require.Equal(t, exitOK, s.run("deploy log-agent").code, "without --wait nothing is judged")
}

func TestDeployGivesUpWaiting(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText))
	s.run("deploy log-agent --wait --timeout 10s").fails(exitFailed, "still pending after 10s", "blox rollout status log-agent")

	ctx, cancel := context.WithCancel(t.Context())
	s.onPause = cancel
	s.runIn(ctx, "deploy log-agent --wait").fails(exitFailed, "interrupted", "goes on")
}

func TestDeployTellsOfAnUnfinishedEnd(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText))
	s.failing(daemon.DeploymentStopped, 1)
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
		"get":                              "what to get is missing: allowed are clusters, deployments, environments, hosts, instances, tasks",
		"get services":                     `cannot get "services": allowed are`,
		"get tasks a b":                    "2 arguments: want blox get tasks [TASK]",
		"get tasks abc":                    "give --cluster, or the ARN",
		"get tasks arn:aws:ecs:x:1:task/a": `invalid ARN "arn:aws:ecs:x:1:task/a": region "x", allowed is a region name such as eu-west-1; see`,
		"get instance arn:aws:sqs:eu-west-1:210987654321:container-instance/a/b": `service "sqs", allowed is ecs`,
		"describe task arn:aws:ecs:eu-west-1:210987654321:task/old":              "give --cluster, or the ARN",
		"get tasks --all --desired-status running":                               "--all and --desired-status",
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
	for _, verb := range []string{"apply", "delete", "deploy", "describe", "dlq", "doctor", "get", "local", "reconcile", "version"} {
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

func TestAnEndpointThatIsSomethingElse(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	s := newSession(t)
	s.env[endpointEnv] = other.URL
	for line, path := range map[string]string{
		"get tasks": "/v1/tasks", "get environment x": "/v1/environments/x", "apply -f " + s.file(manifestText): "/v1/environments/log-agent",
	} {
		s.run(line).fails(exitFailed, "this is no Blox API: "+other.URL+path+` answered 404 Not Found and "404 page not found", which is not JSON`, "--endpoint")
	}
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

func TestAPauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, pause(ctx, time.Hour), context.Canceled)
	require.NoError(t, pause(t.Context(), 0))
	require.NotNil(t, newRootCommand())
}
