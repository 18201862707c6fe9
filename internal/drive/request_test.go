package drive

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
)

func templated(r *daemon.Revision) {
	r.Template = daemon.TaskTemplate{
		NetworkConfiguration: &daemon.NetworkConfiguration{Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}},
		Overrides:            []byte(`{"containerOverrides":[{"name":"agent","environment":[{"name":"LEVEL","value":"debug"}]}]}`),
		EnableExecuteCommand: true, EnableECSManagedTags: true, PropagateTags: "TASK_DEFINITION",
		Tags: []daemon.Tag{{Key: "team", Value: "ops"}},
	}
}

func TestTheWholeTemplateGoesOutAndIsReplayedByteForByte(t *testing.T) {
	w := newWorld(t, templated)
	w.host(1)
	w.ecs.lose = true
	w.look()
	w.now = w.now.Add(unknownDelay)
	w.ecs.lose = false
	w.look()
	require.Len(t, w.ecs.requests, 2)
	require.Equal(t, asJSON(t, w.ecs.requests[0]), asJSON(t, w.ecs.requests[1]))

	in := *w.ecs.requests[0]
	require.Len(t, in.PlacementConstraints, 2)
	in.ClientToken, in.PlacementConstraints, in.Group, in.StartedBy, in.Cluster, in.TaskDefinition = nil, nil, nil, nil, nil, nil
	require.Equal(t, ecs.RunTaskInput{
		Count: aws.Int32(1), LaunchType: types.LaunchTypeEc2,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"},
		}},
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{
			Name: aws.String("agent"), Environment: []types.KeyValuePair{{Name: aws.String("LEVEL"), Value: aws.String("debug")}},
		}}},
		EnableExecuteCommand: true, EnableECSManagedTags: true, PropagateTags: types.PropagateTagsTaskDefinition,
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("ops")}},
	}, in)
}

func TestNoFreeNetworkInterfaceIsNoFailure(t *testing.T) {
	outcome := startFailure([]types.Failure{{Reason: aws.String("RESOURCE:ENI")}})
	require.Equal(t, daemon.StartResult{Refused: "RESOURCE:ENI", Blocked: true}, outcome)
}

func TestARefusedDefinitionIsLookedAtAnew(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	definition := "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:1"
	w.ecs.refuseStart = &types.ClientException{Message: aws.String("TaskDefinition is inactive")}
	w.ecs.inactive = map[string]bool{definition: true}
	w.driver.definitions.remember(definition, false, w.now)
	w.look()
	s, _ := w.seen(everything)
	require.Equal(t, map[string]bool{definition: true}, s.Inactive, "it was deregistered since it was looked at")
	requests := len(w.ecs.requests)
	w.now = w.now.Add(definitionAge / 2)
	w.look()
	require.Len(t, w.ecs.requests, requests)
}
