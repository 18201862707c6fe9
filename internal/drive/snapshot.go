package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// snapshot reads what Plan needs for a look. An environment in motion is always read whole, since its budget is counted
// over all hosts.
func (d *Driver) snapshot(ctx context.Context, environmentID string, at look) (daemon.Snapshot, error) {
	env, err := d.Daemon.Environment(ctx, environmentID)
	if err != nil {
		return daemon.Snapshot{}, err
	}
	s := daemon.Snapshot{
		Environment: env, Installation: d.Installation, Settings: d.Settings,
		Full: at.all || env.Status != daemon.EnvironmentActive,
	}
	err = d.inForce(ctx, &s)
	if errors.Is(err, table.ErrNotFound) && env.Status == daemon.EnvironmentDeleting {
		err = nil // a driver died while it removed the environment: the rest of it is still to be removed
	}
	if err != nil {
		return s, err
	}
	if s.Clusters, err = d.freshness(ctx, env.Clusters); err != nil {
		return s, err
	}
	r := reading{Driver: d, snapshot: &s, group: daemon.Group(d.Installation, env.ID), hosts: map[state.Key]daemon.HostKey{}}
	if s.Full {
		err = r.everything(ctx, at.instances)
	} else {
		err = r.some(ctx, at.instances)
	}
	if err != nil {
		return s, fmt.Errorf("reading a snapshot of environment %s: %w", env.Name, err)
	}
	return s, nil
}

// inForce reads the deployment in force and its revision.
func (d *Driver) inForce(ctx context.Context, s *daemon.Snapshot) error {
	env := s.Environment
	if env.DeploymentID == "" {
		return nil
	}
	deployment, err := d.Daemon.Deployment(ctx, env.ID, env.DeploymentID)
	if err != nil {
		return err
	}
	if s.Revision, err = d.Daemon.Revision(ctx, env.ID, deployment.Revision); err != nil {
		return err
	}
	s.Deployment = &deployment
	s.Full = s.Full || !deployment.Status.Ended()
	return nil
}

func (d *Driver) freshness(ctx context.Context, clusters []state.ClusterKey) (map[state.ClusterKey]daemon.Freshness, error) {
	known, err := d.State.ClustersByKey(ctx, clusters)
	if err != nil {
		return nil, err
	}
	fresh := map[state.ClusterKey]daemon.Freshness{}
	for _, key := range clusters {
		fresh[key] = daemon.Freshness{}
	}
	for _, c := range known {
		lag, err := d.State.IngestLag(ctx, c.Key.Account, c.Key.Region, d.Now())
		if err != nil {
			return nil, err
		}
		f := daemon.Freshness{IngestLag: lag, Doubtful: c.HeldBack > 0}
		if c.SyncedAt > 0 {
			f.SyncedAt = time.UnixMilli(c.SyncedAt)
		}
		fresh[c.Key] = f
	}
	return fresh, nil
}

// reading fills a snapshot. hosts maps container instances that were read to the machine behind them.
type reading struct {
	*Driver
	snapshot *daemon.Snapshot
	group    string
	hosts    map[state.Key]daemon.HostKey
}

// everything reads all hosts that are in the clusters. An index finds them, which may lag, so the registrations that slots
// remember and those that the wake-up names are read by their keys as well: a host that the index has not heard of is
// not one that has left.
func (r *reading) everything(ctx context.Context, named []state.Key) error {
	slots, err := r.Daemon.Slots(ctx, r.snapshot.Environment.ID)
	if err != nil {
		return err
	}
	r.snapshot.Slots = slots
	var tasks []state.Record
	for _, cluster := range r.snapshot.Environment.Clusters {
		instances, err := r.State.Living(ctx, cluster, state.KindContainerInstance)
		if err != nil {
			return err
		}
		if err := r.addHosts(ctx, instances); err != nil {
			return err
		}
		live, err := r.State.LiveTasksOfGroup(ctx, cluster, r.group)
		if err != nil {
			return err
		}
		tasks = append(tasks, live...)
	}
	rest, err := r.State.GetMany(ctx, sortedUnique(append(r.rememberedInstances(), named...)), true)
	if err != nil {
		return err
	}
	if err := r.addHosts(ctx, rest); err != nil {
		return err
	}
	return r.addTasks(ctx, tasks)
}

// some reads the hosts of the named container instances, and of the registrations that their slots remember: a machine
// that registered anew has two container instances, and which one counts can only be told from both.
func (r *reading) some(ctx context.Context, instances []state.Key) error {
	for _, more := range []func() []state.Key{
		func() []state.Key { return instances },
		r.rememberedInstances,
	} {
		keys := more()
		records, err := r.State.GetMany(ctx, sortedUnique(keys), true)
		if err != nil {
			return err
		}
		if err := r.addHosts(ctx, records); err != nil {
			return err
		}
		if err := r.addSlots(ctx); err != nil {
			return err
		}
	}
	var tasks []state.Record
	for _, instance := range sortedUnique(keysOf(r.hosts)) {
		on, err := r.State.TasksOnInstance(ctx, instance.Cluster, instance.ID)
		if err != nil {
			return err
		}
		for _, t := range on {
			if t.Task.Group == r.group {
				tasks = append(tasks, t)
			}
		}
	}
	return r.addTasks(ctx, tasks)
}

// addSlots reads the slots of the hosts that have none yet in the snapshot.
func (r *reading) addSlots(ctx context.Context) error {
	have := map[daemon.HostKey]bool{}
	for _, slot := range r.snapshot.Slots {
		have[slot.Host] = true
	}
	var missing []daemon.HostKey
	for _, h := range r.snapshot.Hosts {
		if !have[h.Key] {
			have[h.Key] = true
			missing = append(missing, h.Key)
		}
	}
	slots, err := r.Daemon.SlotsOf(ctx, r.snapshot.Environment.ID, missing)
	r.snapshot.Slots = append(r.snapshot.Slots, slots...)
	return err
}

func (r *reading) rememberedInstances() []state.Key {
	var keys []state.Key
	for _, slot := range r.snapshot.Slots {
		if key, ok := instanceKey(slot); ok {
			if _, read := r.hosts[key]; !read {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// instanceKey is the container instance that a slot remembers.
func instanceKey(slot daemon.Slot) (state.Key, bool) {
	arn, err := state.ParseARN(slot.ContainerInstanceARN)
	if err != nil {
		return state.Key{}, false
	}
	return state.Key{Kind: state.KindContainerInstance, Cluster: slot.Host.Cluster, ID: arn.ID}, true
}

func (r *reading) addHosts(ctx context.Context, records []state.Record) error {
	for _, record := range records {
		host, ok, err := hostOf(record)
		if err != nil {
			return err
		}
		if _, added := r.hosts[record.Key]; added || !ok {
			continue
		}
		r.hosts[record.Key] = host.Key
		host.Managed = r.isManaged(ctx, record.Cluster, host.CapacityProvider)
		if host.Status == daemon.StatusDraining {
			if host.OtherTasks, err = r.otherTasks(ctx, record.Key); err != nil {
				return err
			}
		}
		r.snapshot.Hosts = append(r.snapshot.Hosts, host)
	}
	return nil
}

// hostOf reads a host from its record; ok is false for one without an EC2 instance id, which nothing can be placed on by
// name.
func hostOf(record state.Record) (host daemon.Host, ok bool, err error) {
	if record.Instance.EC2InstanceID == "" {
		return host, false, nil
	}
	instance, err := record.AsContainerInstance()
	if err != nil {
		return host, false, err
	}
	host = daemon.Host{
		Key:                  daemon.HostKey{Cluster: record.Cluster, EC2InstanceID: record.Instance.EC2InstanceID},
		ContainerInstanceARN: record.ARN,
		Status:               record.Instance.Status,
		AgentConnected:       record.Instance.AgentConnected,
		CapacityProvider:     instance.CapacityProviderName,
		External:             strings.HasPrefix(record.Instance.EC2InstanceID, "mi-"),
	}
	if instance.RegisteredAt != nil {
		host.RegisteredAt = *instance.RegisteredAt
	}
	return host, true, nil
}

// addTasks adds live tasks of the group, and the task of every slot, whatever its state.
func (r *reading) addTasks(ctx context.Context, live []state.Record) error {
	have := map[state.Key]bool{}
	for _, t := range live {
		have[t.Key] = true
	}
	var missing []state.Key
	for _, slot := range r.snapshot.Slots {
		if key, ok := taskKey(slot); ok && !have[key] {
			have[key] = true
			missing = append(missing, key)
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
	}
	return nil
}

// taskKey is where the slot's task is stored.
func taskKey(slot daemon.Slot) (state.Key, bool) {
	arn, err := state.ParseARN(slot.TaskARN)
	if err != nil {
		return state.Key{}, false
	}
	return state.Key{Kind: state.KindTask, Cluster: slot.Host.Cluster, ID: arn.ID}, true
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
		if slot.TaskARN == record.ARN {
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
	host, ok, err := hostOf(stored[0])
	if err != nil || !ok {
		return owner, err
	}
	if host.Key == owner {
		return owner, r.addHosts(ctx, stored)
	}
	return host.Key, nil
}

func keysOf(hosts map[state.Key]daemon.HostKey) []state.Key {
	keys := make([]state.Key, 0, len(hosts))
	for key := range hosts {
		keys = append(keys, key)
	}
	return keys
}

func sortedUnique(keys []state.Key) []state.Key {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, state.Key.Compare)
	return slices.Compact(keys)
}
