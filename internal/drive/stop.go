package drive

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/blox/blox/internal/daemon"
)

// stop pays for a stop, and only then calls ECS. Whether the call succeeds or not, the slot says that the daemon is being
// stopped, and a later pass sees to it.
func (r *run) stop(ctx context.Context, a daemon.Action, res *result) error {
	stored, err := r.Daemon.PutSlotUnderLease(ctx, *a.Slot, r.lease)
	if err != nil {
		return err
	}
	r.wakeFor(stored, res)
	r.note(a, res)
	return r.stopTask(ctx, a)
}

// restop calls ECS again, and remembers when to look.
func (r *run) restop(ctx context.Context, a daemon.Action, res *result) error {
	if _, err := r.keep(ctx, *a.Slot, res); err != nil {
		return err
	}
	return r.stopTask(ctx, a)
}

// stopStray stops a task that no slot has. The lease is looked at first: with it lost, the slots that were read may be
// old, and the task may be some host's daemon by now.
func (r *run) stopStray(ctx context.Context, a daemon.Action, res *result) error {
	if err := r.Daemon.CheckLease(ctx, r.lease); err != nil {
		return err
	}
	r.note(a, res)
	return r.stopTask(ctx, a)
}

// maxStopReason is StopTask's limit on a reason.
const maxStopReason = 255

func (r *run) stopTask(ctx context.Context, a daemon.Action) error {
	cluster := a.Host.Cluster
	api, err := r.ECS(cluster.Account, cluster.Region)
	if err != nil {
		return err
	}
	reason := "Blox environment " + r.snapshot.Environment.Name
	if target := r.snapshot.Revision.Number; target > 0 {
		reason += fmt.Sprintf("@%d", target) // as the original's "deployment to NAME@VERSION"
	}
	reason += ": " + a.Reason
	_, err = api.StopTask(ctx, &ecs.StopTaskInput{
		Cluster: aws.String(cluster.ARN(r.snapshot.Environment.Partition)), Task: &a.TaskARN,
		Reason: aws.String(reason[:min(len(reason), maxStopReason)]),
	})
	if err != nil {
		r.Log.Warn("stop will be tried again", "host", a.Host.String(), "task", a.TaskARN, "error", err)
	}
	return nil
}
