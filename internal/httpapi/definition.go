package httpapi

import (
	"context"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// definition is what a request wants an environment to be, with all names resolved and checked against ECS.
type definition struct {
	clusters       []state.ClusterKey
	clusterPattern string
	partition      string
	// content is the revision that the definition makes, without what tells revisions apart.
	content daemon.Revision
	// original is the task definition that a private copy is wanted of, as ECS has it; nil if none is.
	original *original
}

// original is a task definition with its tags.
type original struct {
	task types.TaskDefinition
	tags []types.Tag
}

// checkDefinition says what the schema cannot: all that is wrong without asking ECS.
func (s *server) checkDefinition(in client.EnvironmentDefinition) []error {
	seen, errs := s.checkClusters(in)
	if in.TaskDefinition != "" {
		if err := checkTaskDefinition(in.TaskDefinition, seen); err != nil {
			errs = append(errs, wrong("body.taskDefinition", shorten(in.TaskDefinition), "%s", err))
		}
	}
	if group := in.InstanceGroup; group != nil {
		errs = append(errs, checkExpression("body.instanceGroup.expression", group.Expression)...)
		errs = append(errs, checkExclude(group.Exclude)...)
	}
	return slices.Concat(errs, checkTemplate(in), checkRollout(in.DeploymentConfiguration), checkAround(in))
}

// define resolves a checked definition with ECS. Nothing is changed there.
func (s *server) define(ctx context.Context, in client.EnvironmentDefinition) (definition, error) {
	var d definition
	if err := s.resolveClusters(ctx, in, &d); err != nil {
		return d, err
	}
	place := d.clusters[0] // all are of one account and region
	d.partition = state.PartitionOf(place.Region)
	api, err := s.ECS(place.Account, place.Region)
	if err != nil {
		return d, badRequest(err)
	}
	if err := requireClusters(ctx, api, d.clusters, d.partition); err != nil {
		return d, err
	}
	launchType := daemon.LaunchTypeEC2
	if in.LaunchType != "" {
		launchType = daemon.LaunchType(in.LaunchType)
	}
	found, err := resolveTaskDefinition(ctx, api, in.TaskDefinition, place, in.CopyTaskDefinition)
	if err != nil {
		return d, err
	}
	if errs := checkResolved(found.task, in, launchType); len(errs) > 0 {
		return d, badRequest(errs...)
	}
	template, err := templateOf(in)
	if err != nil {
		return d, badRequest(err)
	}
	d.content = daemon.Revision{
		Clusters: d.clusters, ClusterPattern: d.clusterPattern, TaskDefinition: *found.task.TaskDefinitionArn, LaunchType: launchType,
		HealthChecked: slices.ContainsFunc(found.task.ContainerDefinitions, func(c types.ContainerDefinition) bool { return c.HealthCheck != nil }),
		Template:      template, DeploymentConfiguration: configurationOf(in.DeploymentConfiguration),
		ReadinessAttribute: in.ReadinessAttribute, DrainPriority: in.DrainPriority,
		ReleaseIdleHosts: in.ReleaseIdleHosts, MigrateFrom: in.MigrateFrom,
	}
	if group := in.InstanceGroup; group != nil {
		d.content.Selector = daemon.Selector{Expression: group.Expression, Exclude: slices.Sorted(slices.Values(group.Exclude))}
	}
	if in.CopyTaskDefinition {
		d.original = &found
	}
	return d, nil
}

// same says whether a revision of the environment is this already.
func (d definition) same(env daemon.Environment, rev daemon.Revision) bool {
	want, is := d.revision(env.ID, rev.Number), rev
	is.CreatedAt = want.CreatedAt
	want.Clusters, is.Clusters = inOrder(want.Clusters), inOrder(clustersOf(env, is))
	if want.ClusterPattern != "" && want.ClusterPattern == is.ClusterPattern {
		is.Clusters = want.Clusters // what matches comes and goes
	}
	want.DeploymentConfiguration = effective(want.DeploymentConfiguration)
	is.DeploymentConfiguration = effective(is.DeploymentConfiguration)
	return reflect.DeepEqual(want, is)
}

// revision is the definition as a revision of an environment.
func (d definition) revision(environmentID string, number int) daemon.Revision {
	rev := d.content
	rev.EnvironmentID, rev.Number = environmentID, number
	return rev
}

// clustersOf are the clusters that a revision wants; those of an environment whose clusters never changed are its own.
func clustersOf(env daemon.Environment, rev daemon.Revision) []state.ClusterKey {
	if len(rev.Clusters) == 0 {
		return env.Clusters
	}
	return rev.Clusters
}

func inOrder(clusters []state.ClusterKey) []state.ClusterKey {
	clusters = slices.Clone(clusters)
	slices.SortFunc(clusters, state.ClusterKey.Compare)
	return clusters
}
