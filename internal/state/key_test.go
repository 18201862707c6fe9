package state_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestKeyOfAThingInACluster(t *testing.T) {
	for _, arn := range []string{prefix + "task/edge/1", prefix + "task/1"} {
		key, err := state.KeyOf(state.KindTask, prefix+"cluster/edge", arn)
		require.NoError(t, err)
		require.Equal(t, state.Key{Kind: state.KindTask, Cluster: edge, ID: "1"}, key)

		key, err = state.Task{ClusterARN: prefix + "cluster/edge", TaskARN: arn}.Key()
		require.NoError(t, err)
		require.Equal(t, state.KindTask, key.Kind)
	}
	key, err := state.ContainerInstance{ClusterARN: prefix + "cluster/edge", ContainerInstanceARN: prefix + "container-instance/1"}.Key()
	require.NoError(t, err)
	require.Equal(t, state.Key{Kind: state.KindContainerInstance, Cluster: edge, ID: "1"}, key)
}

func TestKeyOfRefusesARNsThatDoNotFit(t *testing.T) {
	elsewhere := []string{
		prefix + "task/core/1",
		"arn:aws:ecs:eu-west-1:999999999999:task/edge/1",
		"arn:aws:ecs:us-east-1:210987654321:task/1",
	}
	for _, arn := range elsewhere {
		_, err := state.KeyOf(state.KindTask, prefix+"cluster/edge", arn)
		require.ErrorContains(t, err, "does not belong to cluster")
		require.ErrorContains(t, err, arn)
	}
	for name, arns := range map[string][2]string{
		"no cluster":         {"", prefix + "task/1"},
		"no task":            {prefix + "cluster/edge", ""},
		"task as cluster":    {prefix + "task/edge/1", prefix + "task/edge/1"},
		"instance as a task": {prefix + "cluster/edge", prefix + "container-instance/edge/1"},
	} {
		_, err := state.KeyOf(state.KindTask, arns[0], arns[1])
		require.Error(t, err, name)
	}
}

func TestKeyIsReadAsItIsWritten(t *testing.T) {
	for _, kind := range []state.Kind{state.KindTask, state.KindContainerInstance} {
		want := state.Key{Kind: kind, Cluster: edge, ID: "0f5d3c7b"}
		got, err := state.ParseKey(want.String())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Equal(t, "instance/210987654321/eu-west-1/edge/1", state.Key{Kind: state.KindContainerInstance, Cluster: edge, ID: "1"}.String())
	for _, wrong := range []string{
		"", "task", "task/", "task/210987654321/eu-west-1/edge", "task/210987654321/eu-west-1/edge/",
		"service/210987654321/eu-west-1/edge/1", "task/210987654321/eu-west-1/edge/1/2", "task/1/eu-west-1/edge/1",
	} {
		_, err := state.ParseKey(wrong)
		require.ErrorContains(t, err, "allowed", wrong)
	}
}

func TestKeysHaveAnOrder(t *testing.T) {
	core := state.ClusterKey{Account: account, Region: region, Name: "core"}
	sorted := []state.Key{
		{Kind: state.KindContainerInstance, Cluster: edge, ID: "1"},
		{Kind: state.KindTask, Cluster: core, ID: "2"},
		{Kind: state.KindTask, Cluster: edge, ID: "1"},
		{Kind: state.KindTask, Cluster: edge, ID: "2"},
	}
	shuffled := []state.Key{sorted[2], sorted[0], sorted[3], sorted[1]}
	slices.SortFunc(shuffled, state.Key.Compare)
	require.Equal(t, sorted, shuffled)
}
