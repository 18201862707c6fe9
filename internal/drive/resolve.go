package drive

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// resolve asks ECS what became of a claim or a task, and stores the answer in both tables.
func (r *run) resolve(ctx context.Context, a daemon.Action, res *result) error {
	slot := *a.Slot
	found, err := r.find(ctx, a)
	var spent outOfCalls
	if errors.As(err, &spent) {
		res.wakeAll = r.Now().Add(spent.wait)
		return nil
	}
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("ECS did not say what became of a task", "host", a.Host.String(), "error", err)
		res.wakeAll = r.Now().Add(r.Settings.EventGrace)
		return nil
	}
	if err != nil {
		return err
	}
	next, dead := resolved(a, found, r.Settings, r.Now())
	if found == nil && dead {
		if err := r.markAbsent(ctx, a.Host, resolvedARN(a)); err != nil {
			return err
		}
	}
	res.changed = dead || next.State != slot.State
	r.note(a, res)
	_, err = r.keep(ctx, next, res)
	return err
}

// resolved is the slot with ECS's answer. dead says that the task that was asked about is proven to be.
func resolved(a daemon.Action, found *daemon.Task, s daemon.Settings, now time.Time) (next daemon.Slot, dead bool) {
	if a.TaskARN != "" {
		next = daemon.ResolvedFormer(*a.Slot, found, now)
		return next, next.Former == nil
	}
	next = daemon.Resolved(*a.Slot, found, s, now)
	return next, !slices.Contains(tasksOf(next), a.Slot.TaskARN)
}

// resolvedARN is the task that ECS is asked about: the slot's, or its former one. A claim has none yet.
func resolvedARN(a daemon.Action) string {
	if a.TaskARN != "" {
		return a.TaskARN
	}
	return a.Slot.TaskARN
}

// find is the task as ECS describes it; nil if ECS does not know it.
func (r *run) find(ctx context.Context, a daemon.Action) (*daemon.Task, error) {
	if a.Slot.State == daemon.SlotClaimed && a.TaskARN == "" {
		return r.liveTask(ctx, *a.Slot)
	}
	seen, err := r.describe(ctx, a.Host.Cluster, []string{resolvedARN(a)})
	if err != nil || len(seen) == 0 {
		return nil, err
	}
	return r.taskSeen(seen[0])
}

// liveTask finds a live task of the environment on the slot's host by asking ECS.
func (r *run) liveTask(ctx context.Context, slot daemon.Slot) (*daemon.Task, error) {
	instance, ok := instanceKey(slot)
	if !ok {
		return nil, nil
	}
	arns, err := r.listTasksOn(ctx, instance)
	if err != nil || len(arns) == 0 {
		return nil, err
	}
	seen, err := r.describe(ctx, instance.Cluster, arns)
	if err != nil {
		return nil, err
	}
	groups := r.snapshot.Environment.Groups(r.Installation)
	for _, observation := range seen {
		detail, err := state.DecodeTask(observation.Detail)
		if err != nil {
			return nil, err
		}
		task, err := r.taskSeen(observation)
		if err != nil {
			return nil, err
		}
		former := slot.Former != nil && slot.Former.TaskARN == task.ARN // a surge's claim asks for a task beside it
		if slices.Contains(groups, detail.Group) && strings.HasPrefix(detail.StartedBy, daemon.StartedByPrefix) && task.Live() && !former {
			return task, nil
		}
	}
	return nil, nil
}

func (r *run) taskSeen(observation state.Observation) (*daemon.Task, error) {
	detail, err := state.DecodeTask(observation.Detail)
	if err != nil {
		return nil, err
	}
	return &daemon.Task{
		ARN: observation.ARN, LastStatus: detail.LastStatus, DesiredStatus: detail.DesiredStatus, Health: detail.HealthStatus,
		StartedBy: detail.StartedBy, TaskDefinition: detail.TaskDefinitionARN,
		StopCode: detail.StopCode, StoppedReason: detail.StoppedReason,
	}, nil
}

// markAbsent makes the stored state agree with what ECS answered, or the dead task would be taken for a live one at the
// next look.
func (r *run) markAbsent(ctx context.Context, host daemon.HostKey, taskARN string) error {
	key, ok := taskKey(host, taskARN)
	if !ok {
		return nil
	}
	stored, err := r.State.GetMany(ctx, []state.Key{key}, true)
	if err != nil {
		return err
	}
	for _, record := range stored {
		if record.Tombstone != nil {
			continue
		}
		if err := r.State.MarkAbsent(ctx, record, r.Now()); err != nil && !errors.Is(err, table.ErrConflict) {
			return err
		}
	}
	return nil
}

// listTasksOn lists the tasks that ECS means to run on a container instance. One that has left has none.
func (r *run) listTasksOn(ctx context.Context, instance state.Key) ([]string, error) {
	if err := r.spendDescribe(ctx, instance.Cluster, 1); err != nil {
		return nil, err
	}
	api, err := r.ECS(instance.Cluster.Account, instance.Cluster.Region)
	if err != nil {
		return nil, err
	}
	arns, err := ecsapi.ListTaskARNs(ctx, api, instance.Cluster, ecsapi.TaskFilter{
		ContainerInstance: instance.ID, DesiredStatus: types.DesiredStatusRunning,
	})
	var invalid *types.InvalidParameterException
	if errors.As(err, &invalid) {
		return nil, nil
	}
	return arns, err
}
