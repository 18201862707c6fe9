package ecssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

func checked(in *ecs.RegisterTaskDefinitionInput) {
	in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}}
}

func TestATaskTurnsUnhealthyAndWellAgain(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("agent", checked)
	agent := w.start(run("agent", nil))
	require.Error(t, w.sim.SetTaskHealth(w.now, "prod", *agent.TaskArn, false), "it does not run yet")
	w.pass(10 * time.Second)
	require.Equal(t, types.HealthStatusHealthy, w.task(agent.TaskArn).HealthStatus)

	for _, healthy := range []bool{false, false, true} {
		told := len(w.of(*agent.TaskArn))
		was := w.task(agent.TaskArn).HealthStatus
		require.NoError(t, w.sim.SetTaskHealth(w.now, "prod", *agent.TaskArn, healthy))
		w.pass(time.Second)
		now := w.task(agent.TaskArn)
		require.Equal(t, map[bool]types.HealthStatus{true: types.HealthStatusHealthy, false: types.HealthStatusUnhealthy}[healthy], now.HealthStatus)
		require.Equal(t, "RUNNING", *now.LastStatus, "ECS leaves a task of no service alone")
		require.Equal(t, was != now.HealthStatus, len(w.of(*agent.TaskArn)) > told, "an event tells of a change, and of nothing else")
	}
}

func TestAServiceReplacesATaskThatTurnsUnhealthy(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", checked)
	w.service("web", 1, nil)
	w.pass(10 * time.Second)
	sick := w.serviceTasks("web")[0]
	require.NoError(t, w.sim.SetTaskHealth(w.now, "prod", sick, false))
	w.pass(10 * time.Second)
	require.Equal(t, "STOPPED", *w.task(&sick).LastStatus)
	require.Len(t, w.serviceTasks("web"), 1)
}

func TestSetTaskHealthSaysWhatItExpects(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)
	unchecked := w.start(run("app", nil))
	w.pass(10 * time.Second)
	require.ErrorContains(t, w.sim.SetTaskHealth(w.now, "prod", *unchecked.TaskArn, false), "has a health check")
	require.ErrorContains(t, w.sim.SetTaskHealth(w.now, "prod", "none", false), "has a health check")
	require.ErrorContains(t, w.sim.SetTaskHealth(w.now, "none", "none", false), "Cluster not found")
}

// A task of network mode awsvpc has an interface to itself, and a host few of them.
func TestAHostRunsOutOfNetworkInterfaces(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	host := w.hosts(1, ecssim.HostSpec{NetworkInterfaces: 1})[0]
	w.define("vpc", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc })
	vpc := func() *ecs.RunTaskInput {
		return run("vpc", func(in *ecs.RunTaskInput) {
			in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
		})
	}
	first := w.start(vpc())
	out, err := w.ecs.RunTask(w.ctx(), vpc())
	require.NoError(t, err)
	require.Equal(t, []types.Failure{{Arn: &host, Reason: aws.String("RESOURCE:ENI")}}, out.Failures)

	w.stop(first.TaskArn)
	w.pass(10 * time.Second)
	w.start(vpc())
}

// A copy made of what Describe answers is the same definition under another name.
func TestATaskDefinitionCanBeCopied(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.define("agent", func(in *ecs.RegisterTaskDefinitionInput) {
		checked(in)
		in.NetworkMode, in.TaskRoleArn, in.ExecutionRoleArn = types.NetworkModeBridge, aws.String("arn:aws:iam::123456789012:role/a"), aws.String("arn:aws:iam::123456789012:role/b")
		in.PidMode, in.IpcMode = types.PidModeHost, types.IpcModeHost
		in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(8080)}}
		in.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("1")}}
		in.Volumes = []types.Volume{{Name: aws.String("logs"), Host: &types.HostVolumeProperties{SourcePath: aws.String("/var/log")}}}
	})
	describe := func(family string) *types.TaskDefinition {
		out, err := w.ecs.DescribeTaskDefinition(w.ctx(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &family})
		require.NoError(t, err)
		return out.TaskDefinition
	}
	original := describe("agent:1")
	_, err := w.ecs.RegisterTaskDefinition(w.ctx(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("copy"), NetworkMode: original.NetworkMode, ContainerDefinitions: original.ContainerDefinitions,
		TaskRoleArn: original.TaskRoleArn, ExecutionRoleArn: original.ExecutionRoleArn, Volumes: original.Volumes,
		PidMode: original.PidMode, IpcMode: original.IpcMode, PlacementConstraints: original.PlacementConstraints,
		RequiresCompatibilities: original.RequiresCompatibilities, Cpu: original.Cpu, Memory: original.Memory,
	})
	require.NoError(t, err)
	copied := describe("copy:1")
	require.NotEqual(t, original.TaskDefinitionArn, copied.TaskDefinitionArn)
	copied.Family, copied.TaskDefinitionArn, copied.RegisteredAt = original.Family, original.TaskDefinitionArn, original.RegisteredAt
	require.Equal(t, original, copied)

	t.Run("and outlives it", func(t *testing.T) {
		w.hosts(1, ecssim.HostSpec{})
		_, err := w.ecs.DeregisterTaskDefinition(w.ctx(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("agent:1")})
		require.NoError(t, err)
		_, err = w.ecs.RunTask(w.ctx(), run("agent:1", nil))
		require.ErrorContains(t, err, "TaskDefinition is inactive")
		w.start(run("copy:1", nil))
	})
}
