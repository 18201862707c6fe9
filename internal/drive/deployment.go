package drive

import (
	"context"

	"github.com/blox/blox/internal/daemon"
)

// advance stores the deployment's progress. The environment learns of its last good revision first: should the second
// write fail, the next pass makes both again.
func (r *run) advance(ctx context.Context, a daemon.Action, res *result) error {
	dep := *a.Deployment
	r.deployment = nil // not known, should it not be stored
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
	r.deployment = &dep
	if dep.Stuck() && !r.snapshot.Deployment.Stuck() {
		r.Log.Warn("deployment is stuck", "environment", r.snapshot.Environment.Name, "deploymentId", dep.ID, "reason", a.Reason)
		return r.note(ctx, a)
	}
	if dep.Status == r.snapshot.Deployment.Status {
		return nil
	}
	if dep.Status.Ended() {
		r.countEnded(r.snapshot.Environment, dep)
	}
	res.changed = dep.Status == daemon.DeploymentCompleted // one more look settles when the next is due
	r.Log.Info("deployment "+string(dep.Status), "environment", r.snapshot.Environment.Name, "deploymentId", dep.ID, "revision", dep.Revision)
	return r.note(ctx, a)
}

// finish removes what is left of a deleted environment, its lease last. People are told of its last news before, and that
// they were is stored, so that a removal that breaks off does not tell them again. What the bus does not take they are not
// told: a deletion does not wait for it, and afterwards nothing is left to remember. The end of the deployment is counted
// after the removal, and not at all if that broke off when the deployment was gone already.
func (r *run) finish(ctx context.Context) error {
	dep, err := r.stopped(ctx)
	if err != nil {
		return err
	}
	if dep != nil {
		r.tell(ctx, r.snapshot.Environment, *dep)
	}
	if err := r.Daemon.RemoveEnvironment(ctx, r.snapshot.Environment); err != nil {
		return err
	}
	if dep != nil && dep.Status == daemon.DeploymentStopped {
		r.countEnded(r.snapshot.Environment, *dep)
	}
	r.Log.Info("environment deleted", "environment", r.snapshot.Environment.Name)
	return r.Daemon.DropLease(ctx, r.lease)
}
