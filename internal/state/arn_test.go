package state_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

const (
	account = "210987654321"
	region  = "eu-west-1"
	prefix  = "arn:aws:ecs:" + region + ":" + account + ":"
)

func TestARNsOfEveryKindAndForm(t *testing.T) {
	base := state.ARN{Partition: "aws", Account: account, Region: region}
	with := func(kind state.ARNKind, cluster, id string) state.ARN {
		arn := base
		arn.Kind, arn.Cluster, arn.ID = kind, cluster, id
		return arn
	}
	longest := strings.Repeat("n", 255)
	tests := map[string]state.ARN{
		"task/edge/0f5d3c7b9a1e4c6f8b2d4e6a8c0f1b3d": with(state.ARNTask, "edge", "0f5d3c7b9a1e4c6f8b2d4e6a8c0f1b3d"),
		"task/0f5d3c7b-9a1e-4c6f-8b2d-4e6a8c0f1b3d":  with(state.ARNTask, "", "0f5d3c7b-9a1e-4c6f-8b2d-4e6a8c0f1b3d"),
		"task/x/1": with(state.ARNTask, "x", "1"),
		"container-instance/edge/3b9e0d2f4c6a48e0b1d3f5a7c9e1b3d5": with(state.ARNContainerInstance, "edge", "3b9e0d2f4c6a48e0b1d3f5a7c9e1b3d5"),
		"container-instance/3b9e0d2f":                              with(state.ARNContainerInstance, "", "3b9e0d2f"),
		"cluster/x":                                                with(state.ARNCluster, "x", "x"),
		"cluster/_9-Zz":                                            with(state.ARNCluster, "_9-Zz", "_9-Zz"),
		"cluster/" + longest:                                       with(state.ARNCluster, longest, longest),
		"service/edge/web":                                         with(state.ARNService, "edge", "web"),
		"service/web":                                              with(state.ARNService, "", "web"),
		"task-definition/log-agent:12":                             with(state.ARNTaskDefinition, "", "log-agent:12"),
	}
	for resource, want := range tests {
		t.Run(resource, func(t *testing.T) {
			got, err := state.ParseARN(prefix + resource)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, prefix+resource, got.String())
		})
	}
}

func TestWrongARNsSayWhatIsAllowed(t *testing.T) {
	tests := map[string]struct{ arn, says string }{
		"empty":                   {"", "arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE"},
		"a name":                  {"edge", "arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE"},
		"too few parts":           {"arn:aws:ecs:eu-west-1:210987654321", "arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE"},
		"partition":               {"arn:aws-mars:ecs:eu-west-1:210987654321:cluster/x", "aws, aws-cn, aws-eusc"},
		"service":                 {"arn:aws:ec2:eu-west-1:210987654321:cluster/x", "allowed is ecs"},
		"region":                  {"arn:aws:ecs:EU-WEST-1:210987654321:cluster/x", "eu-west-1"},
		"no region":               {"arn:aws:ecs::210987654321:cluster/x", "region"},
		"account of 11 digits":    {"arn:aws:ecs:eu-west-1:21098765432:cluster/x", "12 digits"},
		"account with a line end": {"arn:aws:ecs:eu-west-1:210987654321\n:cluster/x", "12 digits"},
		"resource type":           {prefix + "capacity-provider/x", "cluster, container-instance, service, task, task-definition"},
		"only a type":             {prefix + "task", "task/CLUSTER/ID"},
		"no id":                   {prefix + "task/", "task/CLUSTER/ID"},
		"no id in the cluster":    {prefix + "task/edge/", "task/CLUSTER/ID"},
		"no cluster":              {prefix + "task//1", "task/CLUSTER/ID"},
		"one part too many":       {prefix + "task/edge/1/2", "task/CLUSTER/ID"},
		"blank in an id":          {prefix + "task/edge/1 2", "letters, digits, hyphens and underscores"},
		"dot in a cluster":        {prefix + "container-instance/a.b/1", "letters, digits, hyphens and underscores"},
		"cluster in a cluster":    {prefix + "cluster/a/b", "cluster/NAME"},
		"cluster of 256":          {prefix + "cluster/" + strings.Repeat("n", 256), "1 to 255"},
		"no revision":             {prefix + "task-definition/log-agent", "FAMILY:REVISION"},
		"revision zero":           {prefix + "task-definition/log-agent:0", "FAMILY:REVISION"},
		"too long":                {prefix + strings.Repeat("n", 2048), "at most 2048"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := state.ParseARN(test.arn)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "invalid ARN")
		})
	}
}

func TestARNIsReadAsItIsWritten(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9_-]{1,255}`)
	rapid.Check(t, func(t *rapid.T) {
		want := state.ARN{
			Partition: rapid.SampledFrom(state.Partitions()).Draw(t, "partition"),
			Account:   rapid.StringMatching(`[0-9]{12}`).Draw(t, "account"),
			Region:    rapid.SampledFrom([]string{"eu-west-1", "us-gov-east-1", "ap-southeast-12"}).Draw(t, "region"),
			Kind:      rapid.SampledFrom([]state.ARNKind{state.ARNTask, state.ARNContainerInstance, state.ARNService}).Draw(t, "kind"),
			ID:        name.Draw(t, "id"),
		}
		if rapid.Bool().Draw(t, "long") {
			want.Cluster = name.Draw(t, "cluster")
		}
		got, err := state.ParseARN(want.String())
		if err != nil || got != want {
			t.Fatalf("%s: %+v, %v", want, got, err)
		}
	})
}

func TestTaskDefinitionARNHoldsFamilyAndRevision(t *testing.T) {
	arn, err := state.ParseARN(prefix + "task-definition/log-agent:12")
	require.NoError(t, err)
	family, revision := arn.TaskDefinition()
	require.Equal(t, "log-agent", family)
	require.Equal(t, 12, revision)

	arn, err = state.ParseARN(prefix + "task/edge/1")
	require.NoError(t, err)
	family, revision = arn.TaskDefinition()
	require.Empty(t, family)
	require.Zero(t, revision)
}
