package state_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

var edge = state.ClusterKey{Account: account, Region: region, Name: "edge"}

func TestARegionImpliesItsPartition(t *testing.T) {
	regions := map[string]string{
		"us-east-1": "aws", "ap-southeast-4": "aws", "il-central-1": "aws",
		"cn-north-1": "aws-cn", "cn-northwest-1": "aws-cn",
		"us-gov-west-1": "aws-us-gov", "us-gov-east-1": "aws-us-gov",
		"us-iso-east-1": "aws-iso", "us-iso-west-1": "aws-iso",
		"us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f",
		"eusc-de-east-1": "aws-eusc",
	}
	var partitions []string
	for name, partition := range regions {
		require.Equal(t, partition, state.PartitionOf(name), name)
		partitions = append(partitions, partition)

		key := state.ClusterKey{Account: account, Region: name, Name: "x"}
		require.Equal(t, "arn:"+partition+":ecs:"+name+":"+account+":cluster/x", key.ARN(""))
		back, err := state.ClusterKeyFromARN(key.ARN(partition))
		require.NoError(t, err)
		require.Equal(t, key, back)
	}
	slices.Sort(partitions)
	require.Equal(t, state.Partitions(), slices.Compact(partitions), "a region of every partition")
}

func TestClusterKeyIsReadAsItIsWritten(t *testing.T) {
	require.Equal(t, "210987654321/eu-west-1/edge", edge.String())
	for _, name := range []string{"x", "edge", "_9-Zz", strings.Repeat("n", 255)} {
		want := state.ClusterKey{Account: account, Region: region, Name: name}
		got, err := state.ParseClusterKey(want.String())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestClusterKeyIsATextInJSON(t *testing.T) {
	want := map[state.ClusterKey]state.ClusterKey{edge: edge}
	out, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, `{"210987654321/eu-west-1/edge":"210987654321/eu-west-1/edge"}`, string(out))
	var got map[state.ClusterKey]state.ClusterKey
	require.NoError(t, json.Unmarshal(out, &got))
	require.Equal(t, want, got)
	require.ErrorContains(t, json.Unmarshal([]byte(`{"edge":"edge"}`), &got), "ACCOUNT/REGION/NAME")
}

func TestWrongClusterKeysSayWhatIsAllowed(t *testing.T) {
	tests := map[string]string{
		"":                                 "ACCOUNT/REGION/NAME",
		"edge":                             "ACCOUNT/REGION/NAME",
		"210987654321/eu-west-1/edge/more": "ACCOUNT/REGION/NAME",
		"2109/eu-west-1/edge":              "12 digits",
		"210987654321/europe/edge":         "eu-west-1",
		"210987654321/eu-west-1/":          "1 to 255 letters",
		"210987654321/eu-west-1/ed ge":     "1 to 255 letters",
		"210987654321/eu-west-1/" + strings.Repeat("n", 256): "1 to 255 letters",
	}
	for key, says := range tests {
		_, err := state.ParseClusterKey(key)
		require.ErrorContains(t, err, says, key)
	}
}

func TestClusterOfAnARN(t *testing.T) {
	for _, resource := range []string{"cluster/edge", "task/edge/1", "container-instance/edge/1", "service/edge/web"} {
		key, err := state.ClusterKeyFromARN(prefix + resource)
		require.NoError(t, err)
		require.Equal(t, edge, key)
	}
	for _, resource := range []string{"task/1", "container-instance/1", "service/web", "task-definition/log-agent:1"} {
		_, err := state.ClusterKeyFromARN(prefix + resource)
		require.ErrorContains(t, err, "names no cluster")
	}
	_, err := state.ClusterKeyFromARN("edge")
	require.ErrorContains(t, err, "invalid ARN")
}

func TestClusterKeysHaveAnOrder(t *testing.T) {
	sorted := []state.ClusterKey{
		{Account: "1", Region: "b", Name: "b"},
		{Account: "2", Region: "a", Name: "b"},
		{Account: "2", Region: "b", Name: "a"},
		{Account: "2", Region: "b", Name: "b"},
	}
	shuffled := []state.ClusterKey{sorted[3], sorted[1], sorted[0], sorted[2]}
	slices.SortFunc(shuffled, state.ClusterKey.Compare)
	require.Equal(t, sorted, shuffled)
}
