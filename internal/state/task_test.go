package state_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestNamesInATask(t *testing.T) {
	task := state.Task{
		TaskDefinitionARN:    prefix + "task-definition/log-agent:12",
		ContainerInstanceARN: prefix + "container-instance/edge/3b9e",
		Group:                "service:web",
	}
	require.Equal(t, "log-agent", task.Family())
	require.Equal(t, 12, task.TaskDefinitionRevision())
	require.Equal(t, "web", task.ServiceName())
	require.Equal(t, "3b9e", task.ContainerInstanceID())

	// Fargate has no container instance, and a stand-alone task no service.
	task = state.Task{Group: "family:log-agent"}
	require.Empty(t, task.Family())
	require.Zero(t, task.TaskDefinitionRevision())
	require.Empty(t, task.ServiceName())
	require.Empty(t, task.ContainerInstanceID())

	task = state.Task{TaskDefinitionARN: "log-agent:12", ContainerInstanceARN: "3b9e"}
	require.Empty(t, task.Family(), "not an ARN")
	require.Empty(t, task.ContainerInstanceID(), "not an ARN")
}

func TestATaskHasEndedOnlyWhenItIsStopped(t *testing.T) {
	for _, status := range state.TaskStatuses() {
		ended := status == "STOPPED" || status == "DELETED"
		require.Equal(t, ended, state.Task{LastStatus: status, DesiredStatus: "STOPPED"}.Stopped(), status)
	}
}

func TestAttributesOfAContainerInstance(t *testing.T) {
	instance := state.ContainerInstance{Attributes: []state.Attribute{
		{Name: "ecs.availability-zone", Value: "eu-west-1b"},
		{Name: "ecs.instance-type", Value: "m8g.2xlarge"},
		{Name: "ecs.capability.ecr-auth"},
	}}
	require.Equal(t, "eu-west-1b", instance.AvailabilityZone())
	require.Equal(t, "m8g.2xlarge", instance.InstanceType())
	value, ok := instance.Attribute("ecs.capability.ecr-auth")
	require.True(t, ok)
	require.Empty(t, value)
	_, ok = instance.Attribute("ring")
	require.False(t, ok)
	require.Empty(t, state.ContainerInstance{}.AvailabilityZone())
}

func TestAContainerInstanceIsGoneOnlyWhenInactive(t *testing.T) {
	for _, status := range state.InstanceStatuses() {
		require.Equal(t, status == "INACTIVE", state.ContainerInstance{Status: status}.Gone(), status)
	}
}

func TestNoValueAndZeroValueStayApart(t *testing.T) {
	for _, detail := range []string{
		`{"version":1}`,
		`{"version":1,"attachments":[],"containers":[{"exitCode":0,"networkBindings":[]}],"enableExecuteCommand":false}`,
		`{"version":1,"containers":[{"exitCode":-1}]}`,
	} {
		task, err := state.DecodeTask(json.RawMessage(detail))
		require.NoError(t, err)
		out, err := json.Marshal(task)
		require.NoError(t, err)
		require.JSONEq(t, detail, string(out))
	}
	const instance = `{"version":1,"agentConnected":false,"runningTasksCount":0,"registeredResources":[{"integerValue":0,"stringSetValue":[]},{"doubleValue":0}]}`
	decoded, err := state.DecodeContainerInstance(json.RawMessage(instance))
	require.NoError(t, err)
	out, err := json.Marshal(decoded)
	require.NoError(t, err)
	require.JSONEq(t, instance, string(out))
}

func TestTimesKeepTheirFractions(t *testing.T) {
	const detail = `{"version":1,"createdAt":"2026-11-20T09:13:56.911Z","stoppedAt":"2026-11-20T09:14:33.71Z","startedAt":"2026-11-20T09:14:02Z"}`
	task, err := state.DecodeTask(json.RawMessage(detail))
	require.NoError(t, err)
	require.Equal(t, 710000000, task.StoppedAt.Nanosecond())
	require.Nil(t, task.StoppingAt)
	out, err := json.Marshal(task)
	require.NoError(t, err)
	require.JSONEq(t, detail, string(out))
}

func TestDecodingSaysWhatItRead(t *testing.T) {
	_, err := state.DecodeTask(json.RawMessage(`{"version":"1"}`))
	require.ErrorContains(t, err, "decoding task detail")
	_, err = state.DecodeContainerInstance(json.RawMessage(`[]`))
	require.ErrorContains(t, err, "decoding container instance detail")
}
