package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
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

// definition is what a request wants an environment to be, with all names resolved and checked against ECS.
type definition struct {
	clusters       []state.ClusterKey
	partition      string
	taskDefinition string // ARN with a revision
	healthChecked  bool
	launchType     daemon.LaunchType
	configuration  daemon.DeploymentConfiguration
}

// familyPattern is FAMILY or FAMILY:REVISION as ECS takes them.
var familyPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}(:[1-9][0-9]{0,9})?$`)

// checkDefinition says what the schema cannot: all that is wrong without asking ECS.
func (s *server) checkDefinition(in client.EnvironmentDefinition) []error {
	var errs []error
	given, location := in.Clusters, "body.clusters"
	switch {
	case in.InstanceGroup != nil && len(given) > 0:
		errs = append(errs, wrong("body.clusters", nil, "give instanceGroup.cluster or clusters, not both"))
	case in.InstanceGroup != nil:
		given, location = []string{in.InstanceGroup.Cluster}, "body.instanceGroup.cluster"
	case len(given) == 0:
		errs = append(errs, wrong("body.instanceGroup", nil, "where the hosts are is missing: give instanceGroup.cluster, or clusters"))
	}
	var seen []state.ClusterKey
	for i, cluster := range given {
		at := location
		if in.InstanceGroup == nil {
			at = fmt.Sprintf("%s[%d]", location, i)
		}
		key, err := s.workCluster(cluster)
		switch {
		case err != nil:
			errs = append(errs, wrong(at, shorten(cluster), "%s", err))
		case slices.Contains(seen, key):
			errs = append(errs, wrong(at, shorten(cluster), "this cluster is in the list already"))
		case len(seen) > 0 && !samePlace(seen[0], key):
			// A revision has one task definition, which can only be run in its own account and region.
			errs = append(errs, wrong(at, shorten(cluster), "this cluster is in account %s, region %s: allowed are clusters of one account and region, "+
				"here %s and %s", key.Account, key.Region, seen[0].Account, seen[0].Region))
		}
		if err == nil {
			seen = append(seen, key)
		}
	}
	if in.TaskDefinition != "" {
		if err := checkTaskDefinition(in.TaskDefinition, seen); err != nil {
			errs = append(errs, wrong("body.taskDefinition", shorten(in.TaskDefinition), "%s", err))
		}
	}
	return errs
}

func samePlace(a, b state.ClusterKey) bool { return a.Account == b.Account && a.Region == b.Region }

// workCluster reads a cluster of an account and region that the installation works in: only there can it start tasks. A
// name means the home's.
func (s *server) workCluster(given string) (state.ClusterKey, error) {
	key, named, err := parseCluster(given)
	if err != nil {
		return key, fmt.Errorf("invalid cluster ARN or name: %w", err)
	}
	if named {
		return s.own(key.Name), nil
	}
	_, err = s.ECS(key.Account, key.Region)
	return key, err
}

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

// define resolves a checked definition with ECS.
func (s *server) define(ctx context.Context, in client.EnvironmentDefinition) (definition, error) {
	given := in.Clusters
	if in.InstanceGroup != nil {
		given = []string{in.InstanceGroup.Cluster}
	}
	d := definition{launchType: daemon.LaunchTypeEC2, configuration: daemon.DefaultDeploymentConfiguration()}
	for _, cluster := range given {
		key, err := s.workCluster(cluster)
		if err != nil {
			return d, badRequest(err)
		}
		d.clusters = append(d.clusters, key)
	}
	place := d.clusters[0] // all are of one account and region
	d.partition = state.PartitionOf(place.Region)
	api, err := s.ECS(place.Account, place.Region)
	if err != nil {
		return d, badRequest(err)
	}
	if in.LaunchType != "" {
		d.launchType = daemon.LaunchType(in.LaunchType)
	}
	if c := in.DeploymentConfiguration; c != nil && c.MinimumHealthyPercent != nil {
		d.configuration.MinimumHealthyPercent = *c.MinimumHealthyPercent
	}
	if c := in.DeploymentConfiguration; c != nil && c.MinHealthySeconds != nil {
		d.configuration.MinHealthySeconds = *c.MinHealthySeconds
	}
	if err := requireClusters(ctx, api, d.clusters, d.partition); err != nil {
		return d, err
	}
	found, err := resolveTaskDefinition(ctx, api, in.TaskDefinition, place, d.launchType)
	if err != nil {
		return d, err
	}
	d.taskDefinition = *found.TaskDefinitionArn
	d.healthChecked = slices.ContainsFunc(found.ContainerDefinitions, func(c types.ContainerDefinition) bool { return c.HealthCheck != nil })
	return d, nil
}

// requireClusters refuses clusters that ECS does not have, or has no more: a deleted one stays INACTIVE for a while.
func requireClusters(ctx context.Context, api ECS, keys []state.ClusterKey, partition string) error {
	arns := make([]string, len(keys)) // at most 50 by the schema; a call takes 100
	for i, key := range keys {
		arns[i] = key.ARN(partition)
	}
	out, err := api.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: arns})
	if err != nil {
		return ecsError(err, "describing clusters")
	}
	status := make(map[string]string, len(out.Clusters))
	for _, cluster := range out.Clusters {
		status[aws.ToString(cluster.ClusterArn)] = aws.ToString(cluster.Status)
	}
	var problems []string
	for _, arn := range arns {
		switch is := status[arn]; is {
		case "ACTIVE":
		case "":
			problems = append(problems, fmt.Sprintf("cluster %s does not exist", arn))
		default:
			problems = append(problems, fmt.Sprintf("cluster %s is %s, allowed is ACTIVE", arn, is))
		}
	}
	if len(problems) > 0 {
		return notFound("%s", strings.Join(problems, "; "))
	}
	return nil
}

// resolveTaskDefinition gives the definition whose ARN has a revision, so that a deployment starts the same thing on its last host as on
// its first, whatever is registered meanwhile.
func resolveTaskDefinition(
	ctx context.Context, api ECS, given string, place state.ClusterKey, launchType daemon.LaunchType,
) (*types.TaskDefinition, error) {
	out, err := api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &given})
	var client *types.ClientException
	if errors.As(err, &client) {
		// ECS says no more than "Unable to describe task definition" for one that does not exist.
		return nil, notFound("task definition %s does not exist in account %s, region %s", given, place.Account, place.Region)
	}
	if err != nil {
		return nil, ecsError(err, "describing task definition "+given)
	}
	found := out.TaskDefinition
	if found == nil || found.TaskDefinitionArn == nil {
		return nil, fmt.Errorf("describing task definition %s: ECS answered without one", given)
	}
	if found.Status != types.TaskDefinitionStatusActive {
		return nil, notFound("task definition %s is %s, allowed is ACTIVE", *found.TaskDefinitionArn, found.Status)
	}
	// Compatibilities is what ECS found that the definition can run on; requiresCompatibilities what its author wants it
	// for. One made for Fargate alone passes ECS's check for EC2 as well, and is no daemon.
	for _, allowed := range [][]types.Compatibility{found.Compatibilities, found.RequiresCompatibilities} {
		if len(allowed) > 0 && !slices.Contains(allowed, types.Compatibility(launchType)) {
			return nil, badRequest(wrong("body.taskDefinition", given, "%s is for %s, and the launch type is %s: "+
				"allowed is one whose requiresCompatibilities name it", *found.TaskDefinitionArn, joinCompatibilities(allowed), launchType))
		}
	}
	return found, nil
}

func joinCompatibilities(list []types.Compatibility) string {
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

// same says whether the environment's current revision is this already.
func (d definition) same(rev daemon.Revision) bool {
	return d.taskDefinition == rev.TaskDefinition && d.launchType == rev.LaunchType && reflect.DeepEqual(d.configuration, rev.DeploymentConfiguration)
}

func (d definition) revision(environmentID string, number int) daemon.Revision {
	return daemon.Revision{
		EnvironmentID: environmentID, Number: number, TaskDefinition: d.taskDefinition,
		LaunchType: d.launchType, HealthChecked: d.healthChecked, DeploymentConfiguration: d.configuration,
	}
}
