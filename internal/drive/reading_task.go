package drive

import (
	"context"
	"slices"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// addTasks adds live tasks of the group, and the tasks of every slot, whatever their state.
func (r *reading) addTasks(ctx context.Context, live []state.Record) error {
	have := map[state.Key]bool{}
	for _, t := range live {
		have[t.Key] = true
	}
	var missing []state.Key
	for _, slot := range r.snapshot.Slots {
		for _, arn := range tasksOf(slot) {
			if key, ok := taskKey(slot.Host, arn); ok && !have[key] {
				have[key] = true
				missing = append(missing, key)
			}
		}
	}
	rest, err := r.State.GetMany(ctx, missing, true)
	if err != nil {
		return err
	}
	for _, record := range slices.Concat(live, rest) {
		task, err := r.taskOf(ctx, record)
		if err != nil {
			return err
		}
		r.snapshot.Tasks = append(r.snapshot.Tasks, task)
		if !task.Stopped() {
			r.ours[task.Host]++
		}
	}
	return nil
}

// tasksOf are the tasks that a slot names: its own, and under a surge the one before.
func tasksOf(slot daemon.Slot) []string {
	if slot.Former == nil {
		return []string{slot.TaskARN}
	}
	return []string{slot.TaskARN, slot.Former.TaskARN}
}

// taskKey is where a task of the host's slot is stored; not ok is no task.
func taskKey(host daemon.HostKey, taskARN string) (state.Key, bool) {
	arn, err := state.ParseARN(taskARN)
	if err != nil {
		return state.Key{}, false
	}
	return state.Key{Kind: state.KindTask, Cluster: host.Cluster, ID: arn.ID}, true
}

func (r *reading) taskOf(ctx context.Context, record state.Record) (daemon.Task, error) {
	detail, err := record.AsTask()
	if err != nil {
		return daemon.Task{}, err
	}
	task := daemon.Task{
		ARN: record.ARN, LastStatus: record.Task.LastStatus, DesiredStatus: record.Task.DesiredStatus,
		Health: detail.HealthStatus, StartedBy: record.Task.StartedBy, TaskDefinition: detail.TaskDefinitionARN,
		StopCode: detail.StopCode, StoppedReason: detail.StoppedReason, ContainerInstanceARN: detail.ContainerInstanceARN,
	}
	task.Host, err = r.hostOfTask(ctx, record)
	return task, err
}

// hostOfTask is the machine that a task is on. If its container instance is not stored, the host of the slot that has
// the task is believed: what is not known must not make a task appear misplaced. An older registration of that host is
// added to the snapshot, which could not tell otherwise that it was left behind.
func (r *reading) hostOfTask(ctx context.Context, record state.Record) (daemon.HostKey, error) {
	key := state.Key{Kind: state.KindContainerInstance, Cluster: record.Cluster, ID: record.Task.ContainerInstanceID}
	if host, ok := r.hosts[key]; ok {
		return host, nil
	}
	var owner daemon.HostKey
	for _, slot := range r.snapshot.Slots {
		if slices.Contains(tasksOf(slot), record.ARN) {
			owner = slot.Host
		}
	}
	if key.ID == "" {
		return owner, nil
	}
	stored, err := r.State.GetMany(ctx, []state.Key{key}, true)
	if err != nil || len(stored) == 0 {
		return owner, err
	}
	host, _, ok, err := hostOf(stored[0])
	if err != nil || !ok {
		return owner, err
	}
	if host.Key == owner {
		return owner, r.addHosts(ctx, stored)
	}
	return host.Key, nil
}
