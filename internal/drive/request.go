package drive

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
)

// runTaskInput makes the SDK's request of the stored one. Nothing may be added to it here that is not stored, or a
// later version of this code would replay an older claim differently.
func runTaskInput(stored json.RawMessage) (*ecs.RunTaskInput, error) {
	var request daemon.RunRequest
	if err := json.Unmarshal(stored, &request); err != nil {
		return nil, fmt.Errorf("reading the stored request: %w", err)
	}
	overrides, err := ecsapi.TaskOverride(request.Overrides)
	if err != nil {
		return nil, fmt.Errorf("reading the stored request: %w", err)
	}
	in := &ecs.RunTaskInput{
		Cluster: &request.Cluster, TaskDefinition: &request.TaskDefinition, Count: aws.Int32(int32(request.Count)), //nolint:gosec // 1
		LaunchType: types.LaunchType(request.LaunchType), Group: &request.Group, StartedBy: &request.StartedBy,
		ClientToken: &request.ClientToken, Overrides: overrides,
		EnableExecuteCommand: request.EnableExecuteCommand, EnableECSManagedTags: request.EnableECSManagedTags,
		PropagateTags: types.PropagateTags(request.PropagateTags),
	}
	if n := request.NetworkConfiguration; n != nil {
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: n.AwsvpcConfiguration.Subnets, SecurityGroups: n.AwsvpcConfiguration.SecurityGroups,
		}}
	}
	for _, t := range request.Tags {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	for _, c := range request.PlacementConstraints {
		constraint := types.PlacementConstraint{Type: types.PlacementConstraintType(c.Type)}
		if c.Expression != "" {
			constraint.Expression = aws.String(c.Expression)
		}
		in.PlacementConstraints = append(in.PlacementConstraints, constraint)
	}
	return in, nil
}

// definitionOf is the task definition that a claim asks for; empty if its request cannot be read.
func definitionOf(claimed daemon.Slot) string {
	var request daemon.RunRequest
	if err := json.Unmarshal(claimed.Request, &request); err != nil {
		return ""
	}
	return request.TaskDefinition
}
