package httpapi

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// readsAtOnce bounds how many reads of one request run at the same time.
const readsAtOnce = 8

// environmentView is the environment as the API shows it; it reads the revision and the deployment in force.
func (s *server) environmentView(ctx context.Context, env daemon.Environment) (client.Environment, error) {
	rev, err := s.Daemon.Revision(ctx, env.ID, env.Revision)
	if err != nil {
		return client.Environment{}, fmt.Errorf("reading revision %d of environment %s: %w", env.Revision, env.Name, err)
	}
	view := s.bareView(env)
	view.RevisionContent = contentView(env, rev)
	if env.DeploymentID == "" {
		return view, nil
	}
	dep, err := s.Daemon.Deployment(ctx, env.ID, env.DeploymentID)
	if err != nil {
		return client.Environment{}, fmt.Errorf("reading deployment %s of environment %s: %w", env.DeploymentID, env.Name, err)
	}
	counts := client.Counts(dep.Counts)
	view.DeploymentStatus, view.DeployedRevision, view.Counts = string(dep.Status), dep.Target(), &counts
	if !looked(dep) || counts.Healthy < counts.Desired {
		view.Health = "unhealthy"
	}
	return view, nil
}

// looked says that the scheduler has looked at the hosts for the deployment: before that its counts are zero and say
// nothing, whatever people did to it meanwhile.
func looked(dep daemon.Deployment) bool {
	if dep.Status == daemon.DeploymentPending {
		return false
	}
	return dep.StartedAt != nil || dep.Counts != daemon.Counts{} || dep.Status == daemon.DeploymentCompleted
}

// bareView is all that the environment says itself.
func (s *server) bareView(env daemon.Environment) client.Environment {
	view := client.Environment{
		Name: env.Name, DeploymentToken: env.DeploymentToken, Health: "healthy",
		ID: env.ID, Status: string(env.Status), Revision: env.Revision, LastGoodRevision: env.LastGoodRevision, DeploymentID: env.DeploymentID,
		Group: daemon.Group(s.Installation, env.ID), FormerIDs: env.FormerIDs, CreatedAt: env.CreatedAt, UpdatedAt: env.UpdatedAt,
	}
	if f := env.Frozen; f != nil {
		view.Frozen = &client.Freeze{At: f.At, By: f.By, Reason: f.Reason}
	}
	return view
}

// deletedView is an environment that is no more. Its revisions are not kept.
func (s *server) deletedView(deleted table.DeletedEnvironment) client.Environment {
	env := deleted.Environment
	view := s.bareView(env)
	view.Status, view.DeletedAt, view.DeploymentToken = client.EnvironmentDeleted, &deleted.DeletedAt, ""
	view.Clusters = arnsOf(env.Clusters, env.Partition)
	if len(view.Clusters) > 0 {
		view.InstanceGroup.Cluster = view.Clusters[0]
	}
	return view
}

// contentView is what a revision says, as the API shows it.
func contentView(env daemon.Environment, rev daemon.Revision) client.RevisionContent {
	template := rev.Template
	view := client.RevisionContent{
		InstanceGroup:  client.InstanceGroup{Expression: rev.Selector.Expression, Exclude: rev.Selector.Exclude},
		Clusters:       arnsOf(clustersOf(env, rev), env.Partition),
		ClusterPattern: rev.ClusterPattern, TaskDefinition: rev.TaskDefinition, SourceTaskDefinition: rev.SourceTaskDefinition,
		CopyTaskDefinition: rev.SourceTaskDefinition != "", LaunchType: string(rev.LaunchType),
		Overrides: template.Overrides, EnableExecuteCommand: template.EnableExecuteCommand, EnableECSManagedTags: template.EnableECSManagedTags,
		PropagateTags: template.PropagateTags, DeploymentConfiguration: configurationView(rev.DeploymentConfiguration),
		ReadinessAttribute: rev.ReadinessAttribute, DrainPriority: rev.DrainPriority,
		ReleaseIdleHosts: rev.ReleaseIdleHosts, MigrateFrom: rev.MigrateFrom,
	}
	if len(view.Clusters) > 0 {
		view.InstanceGroup.Cluster = view.Clusters[0]
	}
	if n := template.NetworkConfiguration; n != nil {
		view.NetworkConfiguration = &client.NetworkConfiguration{Subnets: n.Subnets, SecurityGroups: n.SecurityGroups}
	}
	if len(template.Tags) > 0 {
		view.Tags = make(map[string]string, len(template.Tags))
		for _, tag := range template.Tags {
			view.Tags[tag.Key] = tag.Value
		}
	}
	return view
}

func revisionView(env daemon.Environment, rev daemon.Revision) client.Revision {
	return client.Revision{Number: rev.Number, CreatedAt: rev.CreatedAt, RevisionContent: contentView(env, rev)}
}

func arnsOf(clusters []state.ClusterKey, partition string) []string {
	arns := make([]string, len(clusters))
	for i, cluster := range clusters {
		arns[i] = cluster.ARN(partition)
	}
	return arns
}

// environmentViews keeps the order and leaves out environments that were removed meanwhile.
func (s *server) environmentViews(ctx context.Context, envs []daemon.Environment) ([]client.Environment, error) {
	views := make([]client.Environment, len(envs))
	found := make([]bool, len(envs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, env := range envs {
		group.Go(func() error {
			view, err := s.environmentView(ctx, env)
			if errors.Is(err, table.ErrNotFound) {
				return nil
			}
			views[i], found[i] = view, err == nil
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	kept := make([]client.Environment, 0, len(views))
	for i, view := range views {
		if found[i] {
			kept = append(kept, view)
		}
	}
	return kept, nil
}

// deploymentView is a deployment as the API shows it; rev is its revision.
func deploymentView(env daemon.Environment, dep daemon.Deployment, rev daemon.Revision) client.Deployment {
	view := client.Deployment{
		ID: dep.ID, Status: string(dep.Status), TaskDefinition: rev.TaskDefinition, EnvironmentName: env.Name,
		FailedInstances: make([]string, 0, len(dep.FailedInstances)),
		EnvironmentID:   dep.EnvironmentID, Revision: dep.Revision, DeploymentToken: dep.Token,
		Reason: dep.Reason, PausedFor: dep.PausedFor, Restart: dep.Restart, BasedOn: dep.BasedOn, RollbackTo: dep.RollbackTo,
		Counts: client.Counts(dep.Counts), Lost: dep.Lost, CreatedAt: dep.CreatedAt, CreatedBy: dep.CreatedBy,
		StartedAt: dep.StartedAt, EndedAt: dep.EndedAt,
		CanariesSince: dep.CanariesSince, PromotedAt: dep.PromotedAt, BakingSince: dep.BakingSince,
	}
	for _, failed := range dep.FailedInstances {
		view.FailedInstances = append(view.FailedInstances, failed.Host.EC2InstanceID+": "+failed.Reason)
	}
	return view
}

// deploymentViews reads each revision once.
func (s *server) deploymentViews(ctx context.Context, env daemon.Environment, deps []daemon.Deployment) ([]client.Deployment, error) {
	revisions := make(map[int]daemon.Revision)
	views := make([]client.Deployment, len(deps))
	for i, dep := range deps {
		rev, ok := revisions[dep.Revision]
		if !ok {
			var err error
			if rev, err = s.Daemon.Revision(ctx, env.ID, dep.Revision); err != nil {
				return nil, fmt.Errorf("reading revision %d of environment %s: %w", dep.Revision, env.Name, err)
			}
			revisions[dep.Revision] = rev
		}
		views[i] = deploymentView(env, dep, rev)
	}
	return views, nil
}
