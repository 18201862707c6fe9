package httpapi

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// copyFamily is the family of an environment's private task definitions.
func copyFamily(environment string) string { return "blox-" + environment }

// copied makes a definition whose environment wants one run a private copy of its task definition. It may be repeated: a
// newest copy of the same content is used again, so that what is the same makes no new revision.
func (s *server) copied(ctx context.Context, environment string, d definition) (definition, error) {
	if d.original == nil {
		return d, nil
	}
	place := d.clusters[0]
	api, err := s.ECS(place.Account, place.Region)
	if err != nil {
		return d, badRequest(err)
	}
	family := copyFamily(environment)
	wanted := registration(*d.original, family)
	arn, err := newestCopy(ctx, api, family, wanted)
	if err == nil && arn == "" {
		arn, err = register(ctx, api, wanted)
	}
	if err != nil {
		return d, err
	}
	d.content.SourceTaskDefinition, d.content.TaskDefinition = *d.original.task.TaskDefinitionArn, arn
	return d, nil
}

// newestCopy is the family's newest task definition, if it says what is wanted; else empty.
func newestCopy(ctx context.Context, api ECS, family string, wanted *ecs.RegisterTaskDefinitionInput) (string, error) {
	out, err := api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: &family, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	var none *types.ClientException
	if errors.As(err, &none) {
		return "", nil
	}
	if err != nil {
		return "", ecsError(err, "describing task definition "+family)
	}
	found := out.TaskDefinition
	if found == nil || found.TaskDefinitionArn == nil || found.Status != types.TaskDefinitionStatusActive {
		return "", nil
	}
	if !reflect.DeepEqual(registration(original{task: *found, tags: out.Tags}, family), wanted) {
		return "", nil
	}
	return *found.TaskDefinitionArn, nil
}

func register(ctx context.Context, api ECS, in *ecs.RegisterTaskDefinitionInput) (string, error) {
	out, err := api.RegisterTaskDefinition(ctx, in)
	var refused *types.ClientException
	if errors.As(err, &refused) {
		return "", badRequest(wrong("body.copyTaskDefinition", true, "Amazon ECS refused a copy of the task definition: %s", refused.ErrorMessage()))
	}
	if err != nil {
		return "", ecsError(err, "registering task definition "+*in.Family)
	}
	if out.TaskDefinition == nil || out.TaskDefinition.TaskDefinitionArn == nil {
		return "", fmt.Errorf("registering task definition %s: ECS answered without it", *in.Family)
	}
	return *out.TaskDefinition.TaskDefinitionArn, nil
}

// registration is everything of a task definition that RegisterTaskDefinition takes, with another family; but for the
// accelerators that ECS has no more. Tags of AWS's own are not ours to set.
func registration(of original, family string) *ecs.RegisterTaskDefinitionInput {
	task := of.task
	in := &ecs.RegisterTaskDefinitionInput{
		Family: &family, ContainerDefinitions: task.ContainerDefinitions, Cpu: task.Cpu, EnableFaultInjection: task.EnableFaultInjection,
		EphemeralStorage: task.EphemeralStorage, ExecutionRoleArn: task.ExecutionRoleArn,
		IpcMode: task.IpcMode, Memory: task.Memory, NetworkMode: task.NetworkMode, PidMode: task.PidMode,
		PlacementConstraints: task.PlacementConstraints, ProxyConfiguration: task.ProxyConfiguration,
		RequiresCompatibilities: task.RequiresCompatibilities, RuntimePlatform: task.RuntimePlatform,
		TaskRoleArn: task.TaskRoleArn, Volumes: task.Volumes,
	}
	for _, tag := range of.tags {
		if !strings.HasPrefix(strings.ToLower(aws.ToString(tag.Key)), "aws:") {
			in.Tags = append(in.Tags, tag)
		}
	}
	slices.SortFunc(in.Tags, func(a, b types.Tag) int { return strings.Compare(aws.ToString(a.Key), aws.ToString(b.Key)) })
	return in
}
