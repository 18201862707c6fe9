package httpapi

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
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
	view := client.Environment{
		Name: env.Name, DeploymentToken: env.DeploymentToken, TaskDefinition: rev.TaskDefinition, Health: "healthy",
		ID: env.ID, Status: string(env.Status), LaunchType: string(rev.LaunchType),
		DeploymentConfiguration: configurationView(rev.DeploymentConfiguration),
		Revision:                env.Revision, LastGoodRevision: env.LastGoodRevision, DeploymentID: env.DeploymentID,
		Group: daemon.Group(s.Installation, env.ID), CreatedAt: env.CreatedAt, UpdatedAt: env.UpdatedAt,
	}
	for _, cluster := range env.Clusters {
		view.Clusters = append(view.Clusters, cluster.ARN(env.Partition))
	}
	if len(view.Clusters) > 0 {
		view.InstanceGroup.Cluster = view.Clusters[0]
	}
	if env.DeploymentID == "" {
		return view, nil
	}
	dep, err := s.Daemon.Deployment(ctx, env.ID, env.DeploymentID)
	if err != nil {
		return client.Environment{}, fmt.Errorf("reading deployment %s of environment %s: %w", env.DeploymentID, env.Name, err)
	}
	counts := client.Counts(dep.Counts)
	view.DeploymentStatus, view.DeployedRevision, view.Counts = string(dep.Status), dep.Revision, &counts
	// The counts of a deployment that nobody has looked at yet are zero, and say nothing.
	if dep.Status == daemon.DeploymentPending || counts.Healthy < counts.Desired {
		view.Health = "unhealthy"
	}
	return view, nil
}

func configurationView(c daemon.DeploymentConfiguration) client.DeploymentConfiguration {
	return client.DeploymentConfiguration{MinimumHealthyPercent: &c.MinimumHealthyPercent, MinHealthySeconds: &c.MinHealthySeconds}
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
		Counts: client.Counts(dep.Counts), CreatedAt: dep.CreatedAt, StartedAt: dep.StartedAt, EndedAt: dep.EndedAt,
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
