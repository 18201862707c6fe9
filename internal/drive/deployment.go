package drive

import (
	"context"

	"github.com/blox/blox/internal/daemon"
)

// advance stores the deployment's progress. The environment learns of its last good revision first: should the second
// write fail, the next pass makes both again.
func (r *run) advance(ctx context.Context, a daemon.Action, res *result) error {
	dep := *a.Deployment
	if dep.Status == daemon.DeploymentCompleted && r.snapshot.Environment.LastGoodRevision != dep.Revision {
		env := r.snapshot.Environment
		env.LastGoodRevision, env.UpdatedAt = dep.Revision, r.Now()
		if err := r.Daemon.UpdateEnvironment(ctx, env, nil); err != nil {
			return err
		}
	}
	if err := r.Daemon.AdvanceDeployment(ctx, dep); err != nil {
		return err
	}
	if dep.Status == r.snapshot.Deployment.Status {
		return nil
	}
	res.changed = dep.Status == daemon.DeploymentCompleted // one more look settles when the next is due
	r.Log.Info("deployment "+string(dep.Status), "environment", r.snapshot.Environment.Name, "deploymentId", dep.ID, "revision", dep.Revision)
	return r.note(ctx, a)
}

// finish removes what is left of a deleted environment, its lease last.
func (r *run) finish(ctx context.Context) error {
	if err := r.Daemon.RemoveEnvironment(ctx, r.snapshot.Environment); err != nil {
		return err
	}
	r.Log.Info("environment deleted", "environment", r.snapshot.Environment.Name)
	return r.Daemon.DropLease(ctx, r.lease)
}
