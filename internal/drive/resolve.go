package drive

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// resolve asks ECS what became of a claim or a task, and stores the answer in both tables.
func (r *run) resolve(ctx context.Context, a daemon.Action, res *result) error {
	slot := *a.Slot
	found, err := r.find(ctx, slot)
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
	next := daemon.Resolved(slot, found, r.Settings, r.Now())
	if found == nil && next.State == daemon.SlotIdle {
		if err := r.markAbsent(ctx, slot); err != nil {
			return err
		}
	}
	res.changed = next.State != slot.State
	if err := r.note(ctx, a); err != nil {
		return err
	}
	_, err = r.keep(ctx, next, res)
	return err
}

// find is the slot's task as ECS describes it; nil if ECS does not know it.
func (r *run) find(ctx context.Context, slot daemon.Slot) (*daemon.Task, error) {
	if slot.State == daemon.SlotClaimed {
		return r.liveTask(ctx, slot)
	}
	seen, err := r.describe(ctx, slot.Host.Cluster, []string{slot.TaskARN})
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
	group := daemon.Group(r.Installation, r.snapshot.Environment.ID)
	for _, observation := range seen {
		detail, err := state.DecodeTask(observation.Detail)
		if err != nil {
			return nil, err
		}
		task, err := r.taskSeen(observation)
		if err != nil {
			return nil, err
		}
		if detail.Group == group && strings.HasPrefix(detail.StartedBy, daemon.StartedByPrefix) && task.Live() {
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
func (r *run) markAbsent(ctx context.Context, slot daemon.Slot) error {
	key, ok := taskKey(slot)
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
