package ecssim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

// Each row is a life; the story is the events of the task, "lastStatus/desiredStatus", with its health if it has any.
func TestLifeCycles(t *testing.T) {
	vpc := func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc }
	checked := func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}}
	}
	for _, c := range []struct {
		name       string
		definition func(*ecs.RegisterTaskDefinitionInput)
		fault      ecssim.ImageFault
		stopAfter  time.Duration // 0 = never
		story      string
		stopCode   types.TaskStopCode
		exitCode   *int32
		reason     string
	}{
		{name: "bridge, running", story: "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING"},
		{
			name: "bridge, stopped", stopAfter: 5 * time.Second,
			story:    "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING RUNNING/STOPPED STOPPING/STOPPED STOPPED/STOPPED",
			stopCode: types.TaskStopCodeUserInitiated, exitCode: aws.Int32(0), reason: "test",
		},
		{
			name: "bridge, stopped while pending", stopAfter: 300 * time.Millisecond,
			story:    "PENDING/RUNNING PENDING/RUNNING PENDING/STOPPED STOPPING/STOPPED STOPPED/STOPPED",
			stopCode: types.TaskStopCodeUserInitiated, reason: "test",
		},
		{
			name: "bridge, stopped while its container starts", stopAfter: 600 * time.Millisecond,
			story:    "PENDING/RUNNING PENDING/RUNNING PENDING/STOPPED STOPPING/STOPPED STOPPED/STOPPED",
			stopCode: types.TaskStopCodeUserInitiated, reason: "test",
		},
		{
			name: "awsvpc, stopped", definition: vpc, stopAfter: 5 * time.Second,
			story: "PROVISIONING/RUNNING PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING RUNNING/STOPPED " +
				"DEACTIVATING/STOPPED STOPPING/STOPPED DEPROVISIONING/STOPPED STOPPED/STOPPED",
			stopCode: types.TaskStopCodeUserInitiated, exitCode: aws.Int32(0), reason: "test",
		},
		{name: "healthy", definition: checked, story: "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING RUNNING/RUNNING/HEALTHY"},
		{
			name: "unhealthy, but nobody's service", definition: checked, fault: ecssim.ImageFault{Unhealthy: true},
			story: "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING RUNNING/RUNNING/UNHEALTHY",
		},
		{
			name: "image cannot be pulled", fault: ecssim.ImageFault{FailPull: true},
			story:    "PENDING/RUNNING PENDING/RUNNING STOPPED/STOPPED",
			stopCode: types.TaskStopCodeTaskFailedToStart, reason: "Task failed to start",
		},
		{
			name: "crash", fault: ecssim.ImageFault{CrashAfter: 3 * time.Second, ExitCode: 139},
			story:    "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING STOPPED/STOPPED",
			stopCode: types.TaskStopCodeEssentialContainerExited, exitCode: aws.Int32(139), reason: "Essential container in task exited",
		},
		{
			name: "crash before the health check", definition: checked, fault: ecssim.ImageFault{CrashAfter: 500 * time.Millisecond, ExitCode: 1},
			story:    "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING STOPPED/STOPPED",
			stopCode: types.TaskStopCodeEssentialContainerExited, exitCode: aws.Int32(1), reason: "Essential container in task exited",
		},
		{
			name: "healthy, then crash", definition: checked, fault: ecssim.ImageFault{CrashAfter: 4 * time.Second, ExitCode: 1},
			story:    "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING RUNNING/RUNNING/HEALTHY STOPPED/STOPPED/HEALTHY",
			stopCode: types.TaskStopCodeEssentialContainerExited, exitCode: aws.Int32(1), reason: "Essential container in task exited",
		},
		{
			name: "ignores SIGTERM", fault: ecssim.ImageFault{IgnoreStop: true}, stopAfter: 5 * time.Second,
			story:    "PENDING/RUNNING PENDING/RUNNING RUNNING/RUNNING RUNNING/STOPPED STOPPING/STOPPED STOPPED/STOPPED",
			stopCode: types.TaskStopCodeUserInitiated, exitCode: aws.Int32(137), reason: "test",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, ecssim.Config{Delays: exact()})
			w.hosts(1, ecssim.HostSpec{})
			w.define("app", c.definition)
			w.sim.Faults().SetImage("app:1", c.fault)
			task := w.start(run("app", func(in *ecs.RunTaskInput) {
				if c.definition != nil && strings.HasPrefix(c.name, "awsvpc") {
					in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
				}
			}))
			if c.stopAfter > 0 {
				w.pass(c.stopAfter)
				require.Equal(t, "STOPPED", *w.stop(task.TaskArn).DesiredStatus, "the desired status flips at once")
			}
			w.pass(time.Minute)

			var story []string
			for _, e := range w.of(*task.TaskArn) {
				chapter := e.Detail.LastStatus + "/" + e.Detail.DesiredStatus
				if e.Detail.HealthStatus != "UNKNOWN" {
					chapter += "/" + e.Detail.HealthStatus
				}
				story = append(story, chapter)
			}
			require.Equal(t, c.story, strings.Join(story, " "))
			end := w.task(task.TaskArn)
			require.Equal(t, c.stopCode, end.StopCode)
			require.Equal(t, c.exitCode, end.Containers[0].ExitCode)
			require.Equal(t, c.reason, aws.ToString(end.StoppedReason))
			require.Equal(t, int64(len(story)), end.Version, "Describe's version is that of the last event")
		})
	}
}

// The API and the bus call the same network interface by different types.
func TestTheNetworkInterfaceOfATask(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("vpc", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc })
	task := w.start(run("vpc", func(in *ecs.RunTaskInput) {
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
	}))
	require.Equal(t, "PRECREATED", *task.Attachments[0].Status)
	require.Empty(t, task.Containers[0].NetworkInterfaces)
	w.pass(5 * time.Second)
	now := w.task(task.TaskArn)
	require.Equal(t, []string{"ElasticNetworkInterface", "ATTACHED"}, []string{*now.Attachments[0].Type, *now.Attachments[0].Status})
	require.Equal(t, "subnet-1", *now.Attachments[0].Details[0].Value)
	require.Equal(t, now.Attachments[0].Id, now.Containers[0].NetworkInterfaces[0].AttachmentId)
	require.Regexp(t, `^10(\.\d+){3}$`, *now.Containers[0].NetworkInterfaces[0].PrivateIpv4Address)
	require.Contains(t, string(w.of(*task.TaskArn)[0].JSON), `"type":"eni"`)
	w.stop(task.TaskArn)
	w.pass(5 * time.Second)
	require.Equal(t, "DELETED", *w.task(task.TaskArn).Attachments[0].Status)
}

func TestTimesOfALife(t *testing.T) {
	w := newWorld(t, ecssim.Config{Delays: exact()})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)
	task := w.start(run("app", nil))
	w.pass(10 * time.Second)
	w.stop(task.TaskArn)
	w.pass(10 * time.Second)
	end := w.task(task.TaskArn)
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	require.Equal(t, at(0), *end.CreatedAt)
	require.Equal(t, at(100), *end.ConnectivityAt)
	require.Equal(t, at(100), *end.PullStartedAt)
	require.Equal(t, at(550), *end.PullStoppedAt)
	require.Equal(t, at(900), *end.StartedAt, "a task runs about a second after RunTask")
	require.Equal(t, at(10_000), *end.StoppingAt)
	require.Equal(t, at(10_500), *end.ExecutionStoppedAt)
	require.Equal(t, at(10_500), *end.StoppedAt)
	events := w.of(*task.TaskArn)
	require.Equal(t, "2026-11-20T09:00:10.5Z", events[len(events)-1].Detail.UpdatedAt, "events have ISO times")
}

func TestJitterComesFromTheSeed(t *testing.T) {
	startedAt := func(seed uint64) time.Time {
		w := newWorld(t, ecssim.Config{Seed: seed})
		w.hosts(1, ecssim.HostSpec{})
		w.define("app", nil)
		task := w.start(run("app", nil))
		w.pass(5 * time.Second)
		return *w.task(task.TaskArn).StartedAt
	}
	first, again, other := startedAt(1), startedAt(1), startedAt(2)
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
}

func TestWhatIsDueTogetherHappensInOrder(t *testing.T) {
	w := newWorld(t, ecssim.Config{Delays: exact()})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)
	var started, ran []string
	for range 5 {
		started = append(started, *w.start(run("app", nil)).TaskArn)
	}
	w.pass(5 * time.Second)
	for _, e := range w.events {
		if e.Detail.LastStatus == "RUNNING" {
			ran = append(ran, e.Resources[0])
		}
	}
	require.Equal(t, started, ran)
}

func TestTheFirstReasonToStopStays(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	host := w.hosts(1, ecssim.HostSpec{})[0]
	w.define("app", nil)
	task := w.start(run("app", nil))
	w.pass(5 * time.Second)
	at := *w.stop(task.TaskArn).StoppingAt
	w.pass(50 * time.Millisecond)
	require.NoError(t, w.sim.RemoveHost(w.now, "prod", host))
	end := w.task(task.TaskArn)
	require.Equal(t, "STOPPED", *end.LastStatus)
	require.Equal(t, types.TaskStopCodeUserInitiated, end.StopCode)
	require.Equal(t, at, *end.StoppingAt)
}

func TestASidecarThatExitsLeavesTheTaskRunning(t *testing.T) {
	w := newWorld(t, ecssim.Config{Delays: exact()})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{
			Name: aws.String("init"), Image: aws.String("init:1"), Memory: aws.Int32(16), Essential: aws.Bool(false),
		})
	})
	w.sim.Faults().SetImage("init:1", ecssim.ImageFault{CrashAfter: time.Second})
	task := w.start(run("app", nil))
	w.pass(10 * time.Second)
	now := w.task(task.TaskArn)
	require.Equal(t, "RUNNING", *now.LastStatus)
	require.Equal(t, []string{"RUNNING", "STOPPED"}, []string{*now.Containers[0].LastStatus, *now.Containers[1].LastStatus})
	require.Equal(t, int32(0), *now.Containers[1].ExitCode)
	require.Len(t, w.of(*task.TaskArn), 4, "a container that changes is an event of its task")
}

func TestRunningTasksShowWhatTheyHave(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings = []types.PortMapping{
			{ContainerPort: aws.Int32(80)}, {ContainerPort: aws.Int32(8125), HostPort: aws.Int32(8125), Protocol: types.TransportProtocolUdp},
		}
	})
	w.define("small", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
	})
	task := w.start(run("app", func(in *ecs.RunTaskInput) {
		in.EnableExecuteCommand = true
		in.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
		in.StartedBy = aws.String("ds/1/r2")
	}))
	require.Equal(t, "family:app", *task.Group)
	require.Equal(t, types.LaunchTypeEc2, task.LaunchType)
	require.Len(t, task.Tags, 1)
	w.pass(5 * time.Second)
	now := w.task(task.TaskArn)
	c := now.Containers[0]
	require.Len(t, *c.RuntimeId, 64)
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", *c.ImageDigest)
	require.Equal(t, int32(32768), *c.NetworkBindings[0].HostPort)
	ports := w.host(*now.ContainerInstanceArn).RemainingResources[2:]
	require.NotContains(t, ports[0].StringSetValue, "32768", "ECS does not count the ports that Docker chose")
	require.Equal(t, []string{"8125"}, ports[1].StringSetValue)
	second := w.start(run("small", nil))
	w.pass(5 * time.Second)
	require.Equal(t, int32(32769), *w.task(second.TaskArn).Containers[0].NetworkBindings[0].HostPort)
	require.Equal(t, int32(8125), *c.NetworkBindings[1].HostPort)
	require.Equal(t, types.TransportProtocolUdp, c.NetworkBindings[1].Protocol)
	require.Equal(t, "RUNNING", *c.ManagedAgents[0].LastStatus)
	require.Equal(t, []string{"64", "128"}, []string{*now.Cpu, *now.Memory})
	require.Empty(t, now.Tags, "tags only on demand")
	require.Equal(t, types.ConnectivityConnected, now.Connectivity)
}

func TestStoppedTasksAreForgottenAfterAnHour(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)
	task := w.start(run("app", nil))
	w.stop(task.TaskArn)
	w.pass(59 * time.Minute)
	require.Equal(t, "STOPPED", *w.task(task.TaskArn).LastStatus)
	require.Len(t, w.listTasks(func(in *ecs.ListTasksInput) { in.DesiredStatus = types.DesiredStatusStopped }), 1)
	w.pass(2 * time.Minute)
	out, err := w.ecs.DescribeTasks(w.ctx(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: []string{*task.TaskArn}})
	require.NoError(t, err)
	require.Equal(t, []string{"MISSING"}, reasons(out.Failures))
	require.Empty(t, w.listTasks(func(in *ecs.ListTasksInput) { in.DesiredStatus = types.DesiredStatusStopped }))
	require.Empty(t, w.sim.Snapshot().Tasks)
}

func TestECSHearsOfNothingFromADisconnectedAgent(t *testing.T) {
	w := newWorld(t, ecssim.Config{Delays: exact()})
	host := w.hosts(1, ecssim.HostSpec{})[0]
	w.define("app", nil)
	running := w.start(run("app", nil))
	w.pass(5 * time.Second)
	starting := w.start(run("app", nil))
	require.NoError(t, w.sim.DisconnectAgent(w.now, "prod", host))
	stopped := w.stop(running.TaskArn)
	require.Equal(t, "STOPPED", *stopped.DesiredStatus)
	w.pass(10 * time.Minute)
	require.Equal(t, "RUNNING", *w.task(running.TaskArn).LastStatus)
	require.Equal(t, "PENDING", *w.task(starting.TaskArn).LastStatus)
	require.NoError(t, w.sim.ReconnectAgent(w.now, "prod", host))
	w.pass(5 * time.Second)
	require.Equal(t, "STOPPED", *w.task(running.TaskArn).LastStatus)
	require.Equal(t, "RUNNING", *w.task(starting.TaskArn).LastStatus)
}

func TestConsistencyLag(t *testing.T) {
	w := newWorld(t, ecssim.Config{ConsistencyLag: 2 * time.Second})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)
	task := w.start(run("app", nil))
	out, err := w.ecs.DescribeTasks(w.ctx(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: []string{*task.TaskArn}})
	require.NoError(t, err)
	require.Equal(t, []string{"MISSING"}, reasons(out.Failures))
	require.Equal(t, *task.TaskArn, *out.Failures[0].Arn)
	require.Empty(t, w.listTasks(nil))
	w.pass(2 * time.Second)
	require.Equal(t, []string{*task.TaskArn}, w.listTasks(nil))
	require.Equal(t, "RUNNING", *w.task(task.TaskArn).DesiredStatus)
}
