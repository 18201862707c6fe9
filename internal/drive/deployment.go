package drive

import (
	"context"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/metrics"
)

// advance stores the deployment's progress. What people wrote meanwhile is not written over: the pass is repeated, with
// the deployment as they made it.
func (r *run) advance(ctx context.Context, a daemon.Action, res *result) error {
	r.deployment = nil // not known, should it not be stored
	dep, err := r.Daemon.AdvanceDeployment(ctx, *a.Deployment)
	if err != nil {
		return err
	}
	r.deployment = &dep
	before := *r.snapshot.Deployment
	if dep.Stuck() && !before.Stuck() {
		r.Log.Warn("deployment is stuck", "environment", r.snapshot.Environment.Name, "deploymentId", dep.ID, "reason", a.Reason)
		r.note(a, res)
	}
	if dep.Status == before.Status {
		return nil
	}
	if dep.Status.Ended() {
		r.countEnded(r.snapshot.Environment, dep)
	}
	if dep.Status == daemon.DeploymentFailed || dep.Status == daemon.DeploymentRollingBack {
		// People who turn a deployment back do that themselves: what comes this way was given up by the plan.
		failed := []metrics.Value{{Name: metrics.DeploymentsFailed, Value: 1}}
		r.Metrics.Put(failed, aboutDeployment(r.snapshot.Environment, dep)...)
	}
	// One more look settles when the next is due, and begins with what the status asks for.
	res.changed = dep.Status.Ended() || dep.Status == daemon.DeploymentRollingBack
	r.Log.Info("deployment "+string(dep.Status), "environment", r.snapshot.Environment.Name, "deploymentId", dep.ID,
		"revision", dep.Target(), "reason", a.Reason)
	r.note(a, res)
	return nil
}

// finish removes what is left of a deleted environment, its lease last. People are told of its last news before, and
// that they were is stored, so that a removal that breaks off does not tell them again. What the bus does not take
// they are not told: a deletion does not wait for it, and afterwards nothing is left to remember. The end of the
// deployment is counted after the removal, and not at all if that broke off when the deployment was gone already.
func (r *run) finish(ctx context.Context) error {
	dep, err := r.stopped(ctx)
	if err != nil {
		return err
	}
	if s := r.snapshot; dep != nil {
		s.Deployment = dep
		r.tell(ctx, s)
	}
	if err := r.Daemon.RemoveEnvironment(ctx, r.snapshot.Environment, r.Now()); err != nil {
		return err
	}
	if dep != nil && dep.Status == daemon.DeploymentStopped && dep.Reason == reasonDeleted {
		r.countEnded(r.snapshot.Environment, *dep)
	}
	r.Log.Info("environment deleted", "environment", r.snapshot.Environment.Name)
	return r.Daemon.DropLease(ctx, r.lease)
}
