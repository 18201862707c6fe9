package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestTaskFilter(t *testing.T) {
	task := state.Record{
		Key: state.Key{Kind: state.KindTask, Cluster: edge, ID: "1"},
		Task: state.TaskFields{
			LastStatus: "RUNNING", DesiredStatus: "STOPPED", StartedBy: "ops", Group: "service:web", Family: "web",
			ContainerInstanceID: "3b9e",
		},
	}
	core := state.ClusterKey{Account: account, Region: region, Name: "core"}
	matching := map[string]state.TaskFilter{
		"nothing asked":       {},
		"cluster":             {Cluster: edge},
		"status":              {LastStatus: "RUNNING"},
		"status in any case":  {LastStatus: "running", DesiredStatus: "Stopped"},
		"startedBy":           {StartedBy: "ops"},
		"group":               {Group: "service:web"},
		"family":              {Family: "web"},
		"instance id":         {ContainerInstance: "3b9e"},
		"instance ARN":        {ContainerInstance: prefix + "container-instance/edge/3b9e"},
		"short instance ARN":  {ContainerInstance: prefix + "container-instance/3b9e"},
		"everything together": {Cluster: edge, LastStatus: "RUNNING", DesiredStatus: "STOPPED", StartedBy: "ops", Group: "service:web", Family: "web", ContainerInstance: "3b9e"},
	}
	for name, filter := range matching {
		require.True(t, filter.Matches(task), name)
	}
	other := map[string]state.TaskFilter{
		"cluster":                {Cluster: core},
		"account":                {Cluster: state.ClusterKey{Account: "999999999999", Region: region, Name: "edge"}},
		"status":                 {LastStatus: "PENDING"},
		"desired status":         {DesiredStatus: "RUNNING"},
		"startedBy in any case":  {StartedBy: "OPS"},
		"group":                  {Group: "web"},
		"family":                 {Family: "web:1"},
		"instance":               {ContainerInstance: "3b9"},
		"another account's host": {ContainerInstance: "arn:aws:ecs:eu-west-1:999999999999:container-instance/edge/3b9e"},
		"another region's host":  {ContainerInstance: "arn:aws:ecs:us-east-1:210987654321:container-instance/edge/3b9e"},
		"another cluster's host": {ContainerInstance: prefix + "container-instance/core/3b9e"},
		"another ARN":            {ContainerInstance: prefix + "task/edge/3b9e"},
		"one of two":             {LastStatus: "RUNNING", StartedBy: "dev"},
	}
	for name, filter := range other {
		require.False(t, filter.Matches(task), name)
	}
	fargate := task
	fargate.Task.ContainerInstanceID = ""
	require.False(t, state.TaskFilter{ContainerInstance: "3b9e"}.Matches(fargate), "a task on no host")
	require.False(t, state.TaskFilter{}.Matches(state.Record{Key: state.Key{Kind: state.KindContainerInstance}}))
}

func TestTaskFilterKnowsEveryStatus(t *testing.T) {
	for _, wanted := range state.TaskStatuses() {
		for _, is := range state.TaskStatuses() {
			task := state.Record{Key: state.Key{Kind: state.KindTask}, Task: state.TaskFields{LastStatus: is}}
			require.Equal(t, wanted == is, state.TaskFilter{LastStatus: wanted}.Matches(task))
		}
	}
}

func TestInstanceFilter(t *testing.T) {
	instance := state.Record{
		Key:      state.Key{Kind: state.KindContainerInstance, Cluster: edge, ID: "1"},
		Instance: state.InstanceFields{Status: "DRAINING", AgentConnected: false},
	}
	matching := map[string]state.InstanceFilter{
		"nothing asked":      {},
		"cluster":            {Cluster: edge},
		"status in any case": {Status: "draining"},
		"disconnected":       {AgentConnected: new(false)},
		"all":                {Cluster: edge, Status: "DRAINING", AgentConnected: new(false)},
	}
	for name, filter := range matching {
		require.True(t, filter.Matches(instance), name)
	}
	other := map[string]state.InstanceFilter{
		"cluster":    {Cluster: state.ClusterKey{Account: account, Region: "us-east-1", Name: "edge"}},
		"status":     {Status: "ACTIVE"},
		"connected":  {AgentConnected: new(true)},
		"one of two": {Status: "DRAINING", AgentConnected: new(true)},
	}
	for name, filter := range other {
		require.False(t, filter.Matches(instance), name)
	}
	instance.Instance.AgentConnected = true
	require.True(t, state.InstanceFilter{AgentConnected: new(true)}.Matches(instance))
	require.False(t, state.InstanceFilter{}.Matches(state.Record{Key: state.Key{Kind: state.KindTask}}))
}
