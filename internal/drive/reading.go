package drive

import (
	"context"
	"slices"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// reading fills a snapshot.
type reading struct {
	*Driver
	snapshot *daemon.Snapshot
	// groups are those whose tasks are the environment's.
	groups []string
	// hosts maps container instances that were read to the machine behind them.
	hosts map[state.Key]daemon.HostKey
	// counts are how many tasks ECS has on them.
	counts map[state.Key]taskCount
	// on are the live tasks of container instances, of those for which they were read.
	on map[state.Key][]state.Record
	// ours counts the environment's own tasks that have not stopped, by host.
	ours map[daemon.HostKey]int
	// priorities are the DrainPriority of other environments; nil of one that is no more, or has nothing deployed.
	priorities map[string]*int
}

func newReading(d *Driver, s *daemon.Snapshot) *reading {
	return &reading{
		Driver: d, snapshot: s, groups: s.Environment.Groups(d.Installation),
		hosts: map[state.Key]daemon.HostKey{}, counts: map[state.Key]taskCount{}, on: map[state.Key][]state.Record{},
		ours: map[daemon.HostKey]int{}, priorities: map[string]*int{},
	}
}

// everything reads all hosts that are in the clusters. An index finds them, which may lag, so the registrations that
// slots remember and those that the wake-up names are read by their keys as well: a host that the index has not heard
// of is not one that has left.
func (r *reading) everything(ctx context.Context, named []state.Key) error {
	slots, err := r.Daemon.Slots(ctx, r.snapshot.Environment.ID)
	if err != nil {
		return err
	}
	r.snapshot.Slots = slots
	var tasks, foreign []state.Record
	for _, cluster := range r.snapshot.Environment.Clusters {
		instances, err := r.State.Living(ctx, cluster, state.KindContainerInstance)
		if err != nil {
			return err
		}
		if err := r.addHosts(ctx, instances); err != nil {
			return err
		}
		for _, group := range r.groups {
			live, err := r.State.LiveTasksOfGroup(ctx, cluster, group)
			if err != nil {
				return err
			}
			tasks = append(tasks, live...)
		}
		if service := r.snapshot.Revision.MigrateFrom; service != "" {
			live, err := r.State.LiveTasksOfGroup(ctx, cluster, state.ServiceGroup(service))
			if err != nil {
				return err
			}
			foreign = append(foreign, live...)
		}
	}
	rest, err := r.State.GetMany(ctx, sortedUnique(append(r.rememberedInstances(), named...)), true)
	if err != nil {
		return err
	}
	if err := r.addHosts(ctx, rest); err != nil {
		return err
	}
	if err := r.addTasks(ctx, tasks); err != nil {
		return err
	}
	if err := r.addForeign(ctx, foreign); err != nil {
		return err
	}
	return r.addNeighbours(ctx)
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
	var tasks, foreign []state.Record
	service := r.snapshot.Revision.MigrateFrom
	for _, instance := range sortedUnique(keysOf(r.hosts)) {
		on, err := r.tasksOn(ctx, instance)
		if err != nil {
			return err
		}
		for _, t := range on {
			switch {
			case slices.Contains(r.groups, t.Task.Group):
				tasks = append(tasks, t)
			case service != "" && t.Task.Group == state.ServiceGroup(service):
				foreign = append(foreign, t)
			}
		}
	}
	if err := r.addTasks(ctx, tasks); err != nil {
		return err
	}
	if err := r.addForeign(ctx, foreign); err != nil {
		return err
	}
	return r.addNeighbours(ctx)
}

// tasksOn reads the live tasks of a container instance, once.
func (r *reading) tasksOn(ctx context.Context, instance state.Key) ([]state.Record, error) {
	if on, read := r.on[instance]; read {
		return on, nil
	}
	on, err := r.State.TasksOnInstance(ctx, instance.Cluster, instance.ID)
	if err == nil {
		r.on[instance] = on
	}
	return on, err
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
	return instanceOf(slot.Host, slot.ContainerInstanceARN)
}

// instanceOf is where a registration of a host is stored; not ok is none.
func instanceOf(host daemon.HostKey, containerInstanceARN string) (state.Key, bool) {
	arn, err := state.ParseARN(containerInstanceARN)
	if err != nil {
		return state.Key{}, false
	}
	return state.Key{Kind: state.KindContainerInstance, Cluster: host.Cluster, ID: arn.ID}, true
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
