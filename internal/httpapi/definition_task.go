package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// familyPattern is FAMILY or FAMILY:REVISION as ECS takes them.
var familyPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}(:[1-9][0-9]{0,9})?$`)

// checkTaskDefinition checks its form, and that it is where the clusters are, if these are known.
func checkTaskDefinition(given string, clusters []state.ClusterKey) error {
	if !strings.HasPrefix(given, arnPrefix) {
		if !familyPattern.MatchString(given) {
			return errors.New("invalid task definition: allowed are FAMILY, FAMILY:REVISION and ARNs")
		}
		return nil
	}
	arn, err := state.ParseARN(given)
	if err != nil {
		return err
	}
	if arn.Kind != state.ARNTaskDefinition {
		return fmt.Errorf("this is the ARN of a %s, allowed is a task definition's", arn.Kind)
	}
	if len(clusters) > 0 && (arn.Account != clusters[0].Account || arn.Region != clusters[0].Region) {
		return fmt.Errorf("this task definition is in account %s, region %s: allowed is that of the clusters, account %s, region %s",
			arn.Account, arn.Region, clusters[0].Account, clusters[0].Region)
	}
	return nil
}

// resolveTaskDefinition gives the definition whose ARN has a revision, so that a deployment starts the same thing on its last host as on
// its first, whatever is registered meanwhile. Its tags are read if they are wanted.
func resolveTaskDefinition(ctx context.Context, api ECS, given string, place state.ClusterKey, withTags bool) (original, error) {
	in := &ecs.DescribeTaskDefinitionInput{TaskDefinition: &given}
	if withTags {
		in.Include = []types.TaskDefinitionField{types.TaskDefinitionFieldTags}
	}
	out, err := api.DescribeTaskDefinition(ctx, in)
	var client *types.ClientException
	if errors.As(err, &client) {
		// ECS says no more than "Unable to describe task definition" for one that does not exist.
		return original{}, notFound("task definition %s does not exist in account %s, region %s", given, place.Account, place.Region)
	}
	if err != nil {
		return original{}, ecsError(err, "describing task definition "+given)
	}
	found := out.TaskDefinition
	if found == nil || found.TaskDefinitionArn == nil {
		return original{}, fmt.Errorf("describing task definition %s: ECS answered without one", given)
	}
	if found.Status != types.TaskDefinitionStatusActive {
		return original{}, notFound("task definition %s is %s, allowed is ACTIVE", *found.TaskDefinitionArn, found.Status)
	}
	return original{task: *found, tags: out.Tags}, nil
}

// checkResolved says all that keeps a task definition from being run as the request wants it.
func checkResolved(found types.TaskDefinition, in client.EnvironmentDefinition, launchType daemon.LaunchType) (errs []error) {
	arn, given := aws.ToString(found.TaskDefinitionArn), in.TaskDefinition
	// Compatibilities is what ECS found that the definition can run on; requiresCompatibilities what its author wants it
	// for. One made for Fargate alone passes ECS's check for EC2 as well, and is no daemon.
	for _, allowed := range [][]types.Compatibility{found.Compatibilities, found.RequiresCompatibilities} {
		if len(allowed) > 0 && !slices.Contains(allowed, types.Compatibility(launchType)) {
			errs = append(errs, wrong("body.taskDefinition", given, "%s is for %s, and the launch type is %s: "+
				"allowed is one whose requiresCompatibilities name it", arn, joined(allowed), launchType))
			break
		}
	}
	awsvpc := found.NetworkMode == types.NetworkModeAwsvpc
	switch {
	case awsvpc && launchType == daemon.LaunchTypeExternal:
		errs = append(errs, wrong("body.taskDefinition", given, "%s has network mode awsvpc, which hosts outside of AWS do not have: "+
			"allowed are bridge, host and none", arn))
	case awsvpc && in.NetworkConfiguration == nil:
		errs = append(errs, wrong("body.networkConfiguration", nil, "%s has network mode awsvpc: give the subnets that its tasks get "+
			"their network interfaces in, and security groups", arn))
	case !awsvpc && in.NetworkConfiguration != nil:
		errs = append(errs, wrong("body.networkConfiguration", nil, "%s has network mode %s: only awsvpc takes a networkConfiguration, leave it out",
			arn, networkMode(found)))
	}
	if c := in.DeploymentConfiguration; c != nil && c.Method == client.MethodReplaceThenTerminate {
		if ports := staticPorts(found); len(ports) > 0 {
			errs = append(errs, wrong("body.deploymentConfiguration.method", c.Method, "%s binds the host ports %s, which two tasks on one "+
				"host cannot share: allowed is %s, or a task definition without fixed host ports", arn, strings.Join(ports, ", "), client.MethodTerminateThenReplace))
		}
	}
	return append(errs, checkOverriddenContainers(found, in.Overrides)...)
}

// networkMode is bridge unless the definition says otherwise, as on Linux.
func networkMode(task types.TaskDefinition) types.NetworkMode {
	if task.NetworkMode == "" {
		return types.NetworkModeBridge
	}
	return task.NetworkMode
}

// staticPorts are the ports of the host that each task of a definition takes for itself. Under awsvpc a task has an
// interface, and ports, of its own.
func staticPorts(task types.TaskDefinition) (ports []string) {
	mode := networkMode(task)
	if mode != types.NetworkModeBridge && mode != types.NetworkModeHost {
		return nil
	}
	for _, container := range task.ContainerDefinitions {
		for _, mapping := range container.PortMappings {
			port := aws.ToInt32(mapping.HostPort)
			if mode == types.NetworkModeHost && port == 0 {
				port = aws.ToInt32(mapping.ContainerPort)
			}
			text := fmt.Sprintf("%d/%s", port, protocol(mapping))
			if mode == types.NetworkModeHost && mapping.ContainerPortRange != nil {
				text = *mapping.ContainerPortRange + "/" + protocol(mapping)
			} else if port == 0 {
				continue // the agent picks a free one
			}
			if !slices.Contains(ports, text) {
				ports = append(ports, text)
			}
		}
	}
	return ports
}

func protocol(mapping types.PortMapping) string {
	if mapping.Protocol == "" {
		return string(types.TransportProtocolTcp)
	}
	return string(mapping.Protocol)
}

func joined[T ~string](list []T) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// ecsError tells what the one who asked can do about an error of ECS; others are ours.
func ecsError(err error, doing string) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded":
			return huma.NewError(http.StatusTooManyRequests, "Amazon ECS limits calls just now: try again in a few seconds")
		case "InvalidParameterException":
			return badRequest(wrong("body", nil, "Amazon ECS refused it: %s", api.ErrorMessage()))
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
