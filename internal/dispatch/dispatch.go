// Package dispatch reads the STATE table's stream: it appends every change to the feed, wakes the environments that a
// change concerns, and forwards changes to an event bus where that is wanted.
//
// The stream delivers each change at least once and in order for each item, so the feed may hold a change twice, and a
// wake-up or a forwarded change may come twice; neither does harm.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/wakeup"
	"github.com/blox/blox/stream"
)

// Config is what a dispatcher works with.
type Config struct {
	State        *table.State
	Daemon       *table.Daemon
	Feed         *table.Feed
	Wakeups      queue.Sender
	Installation string
	// Forward is the bus that changes are forwarded to; nil forwards none.
	Forward Forwarder
	// Log hears of records that cannot be read: a batch that is delivered again from a record on is no error to Lambda,
	// which would log it. nil is slog's default.
	Log *slog.Logger
}

// Dispatcher reads batches of the stream.
type Dispatcher struct{ Config }

// New is a dispatcher.
func New(c Config) *Dispatcher {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Dispatcher{Config: c}
}

// batch is what a batch of stream records says, up to the first that cannot be read.
type batch struct {
	changes []table.RecordChange
	synced  []state.ClusterKey
	// rows are of all records, those after an unread one too.
	rows   []table.Change
	unread *stream.RecordError
}

// read sorts the records. A change that cannot be read is in the feed all the same, and so is what follows it: watchers
// need its key alone, and it would be missing there once the stream gives it up. Who is woken by what follows has to
// wait, for a later change of the same thing must not be acted upon before an earlier one.
func read(records []events.DynamoDBEventRecord) (b batch) {
	for _, record := range records {
		change, ok, err := table.DecodeChange(record)
		switch {
		case ok:
			b.rows = append(b.rows, change.FeedChange())
		case change.Key != state.Key{}:
			b.rows = append(b.rows, table.Change{Key: change.Key, Reason: table.ReasonWritten})
		}
		cluster, first, syncErr := table.DecodeFirstSync(record)
		if err = errors.Join(err, syncErr); err != nil && b.unread == nil {
			b.unread = &stream.RecordError{SequenceNumber: record.Change.SequenceNumber, Err: err}
		}
		if b.unread != nil {
			continue
		}
		if ok {
			b.changes = append(b.changes, change)
		}
		if first {
			b.synced = append(b.synced, cluster)
		}
	}
	return b
}

// Batch handles a batch of stream records. An error means that all of it is to be delivered again; a
// stream.RecordError, that only the records from that one on are.
func (d *Dispatcher) Batch(ctx context.Context, records []events.DynamoDBEventRecord) error {
	b := read(records)
	if err := d.Feed.AppendAll(ctx, b.rows); err != nil {
		return fmt.Errorf("appending %d changes to the feed: %w", len(b.rows), err)
	}
	concerned, err := d.concerned(ctx, b.changes)
	if err != nil {
		return err
	}
	for _, cluster := range b.synced {
		members, err := d.Daemon.EnvironmentsOfCluster(ctx, cluster)
		if err != nil {
			return err
		}
		for _, member := range members {
			concerned[member.ID] = nil // everything
		}
	}
	if err := d.wake(ctx, concerned); err != nil {
		return err
	}
	// Last: a bus that takes nothing must not keep daemons waiting.
	if err := d.forward(ctx, b.changes); err != nil {
		return err
	}
	if b.unread != nil {
		d.Log.ErrorContext(ctx, "a change of the state cannot be read", "error", b.unread)
		return b.unread
	}
	return nil
}

// concerned maps environments to the container instances that they should look at.
func (d *Dispatcher) concerned(ctx context.Context, changes []table.RecordChange) (map[string][]state.Key, error) {
	concerned := map[string][]state.Key{}
	// hosts are container instances that every environment of their cluster should look at; busy are those that only the
	// environments should which watch all tasks.
	var hosts, busy, left []state.Key
	var daemons []daemonTask
	for _, c := range changes {
		if c.New == nil {
			continue // expired: it was over for days
		}
		if c.Key.Kind == state.KindContainerInstance {
			if hostChanged(c) {
				hosts = append(hosts, c.Key)
			}
			continue
		}
		instance, ok := instanceOf(c.New)
		if !ok {
			continue
		}
		id := ours(c.New.Task.Group, d.Installation)
		if id != "" {
			concerned[id] = append(concerned[id], instance)
		}
		if ended(c) {
			// A daemon's end, too: daemons of a higher drain priority wait for it.
			left = append(left, instance)
		}
		switch {
		case id == "" && (began(c) || ended(c)):
			busy = append(busy, instance)
		case id != "" && ended(c):
			daemons = append(daemons, daemonTask{id, instance})
		}
	}
	draining, err := d.draining(ctx, left)
	if err != nil {
		return nil, err
	}
	memberships := memberships{Daemon: d.Daemon, of: map[state.ClusterKey][]table.Membership{}}
	err = memberships.add(ctx, concerned, append(hosts, draining...), func(table.Membership) bool { return true })
	if err == nil {
		err = memberships.add(ctx, concerned, busy, watches)
	}
	// An environment that is no more in the cluster may have left its tasks to the next one of its name.
	for _, task := range daemons {
		if err != nil {
			break
		}
		var there bool
		if there, err = memberships.has(ctx, task.instance.Cluster, task.environment); err == nil && !there {
			err = memberships.add(ctx, concerned, []state.Key{task.instance}, watches)
		}
	}
	return concerned, err
}

// daemonTask is a task of an environment's group.
type daemonTask struct {
	environment string
	instance    state.Key
}

func watches(m table.Membership) bool { return m.WatchesTasks }

// hostChanged says whether a change of a container instance matters to a daemon. Most do not: a host's version rises
// with every task that starts or stops on it.
func hostChanged(c table.RecordChange) bool {
	return c.Old == nil || c.Old.Instance != c.New.Instance || attributesChanged(*c.Old, *c.New)
}

// attributesChanged says that expressions may select the host which did not before, or no more. ECS raises no event
// when attributes change, so that it is seen with the next event of the host, or by reconcile. Details that cannot be
// read count as changed: whoever looks will say so.
func attributesChanged(before, after state.Record) bool {
	old, err := attributesOf(before)
	if err != nil {
		return true
	}
	attributes, err := attributesOf(after)
	return err != nil || !maps.Equal(old, attributes)
}

func attributesOf(record state.Record) (map[string]string, error) {
	instance, err := record.AsContainerInstance()
	attributes := make(map[string]string, len(instance.Attributes))
	for _, a := range instance.Attributes {
		attributes[a.Name] = a.Value
	}
	return attributes, err
}

// ours is the id of the environment that a task group belongs to, empty if it is none of this installation.
func ours(group, installation string) string {
	id, ok := strings.CutPrefix(group, daemon.Group(installation, ""))
	if !ok {
		return ""
	}
	return id
}

// began says that a task is alive on a host that was not known to be there: it is new, or ECS has only now found a place
// for it, as it does for tasks that a capacity provider scales out for.
func began(c table.RecordChange) bool {
	return c.New.Tombstone == nil && (c.Old == nil || c.Old.Task.ContainerInstanceID == "")
}

// ended says that a task was alive before the change and is not after it.
func ended(c table.RecordChange) bool {
	return c.New.Tombstone != nil && (c.Old == nil || c.Old.Tombstone == nil)
}

func instanceOf(task *state.Record) (state.Key, bool) {
	id := task.Task.ContainerInstanceID
	return state.Key{Kind: state.KindContainerInstance, Cluster: task.Cluster, ID: id}, id != ""
}

// draining picks the hosts that are being drained: on those, the end of another task may be what the daemon waits
// for. On all others it is nothing to us, and there is much of it.
func (d *Dispatcher) draining(ctx context.Context, instances []state.Key) ([]state.Key, error) {
	slices.SortFunc(instances, state.Key.Compare)
	records, err := d.State.GetMany(ctx, slices.Compact(instances), false)
	if err != nil {
		return nil, err
	}
	var draining []state.Key
	for _, record := range records {
		if record.Instance.Status == daemon.StatusDraining {
			draining = append(draining, record.Key)
		}
	}
	return draining, nil
}

// memberships are the environments of clusters, each read once a batch.
type memberships struct {
	*table.Daemon
	of map[state.ClusterKey][]table.Membership
}

// add lets those environments of the hosts' clusters look at them that are wanted.
func (m memberships) add(
	ctx context.Context, concerned map[string][]state.Key, hosts []state.Key, wanted func(table.Membership) bool,
) error {
	slices.SortFunc(hosts, state.Key.Compare)
	for _, host := range slices.Compact(hosts) {
		members, err := m.in(ctx, host.Cluster)
		if err != nil {
			return err
		}
		for _, member := range members {
			if wanted(member) {
				concerned[member.ID] = append(concerned[member.ID], host)
			}
		}
	}
	return nil
}

// in are the environments of a cluster, which is asked for once.
func (m memberships) in(ctx context.Context, cluster state.ClusterKey) ([]table.Membership, error) {
	if members, known := m.of[cluster]; known {
		return members, nil
	}
	members, err := m.EnvironmentsOfCluster(ctx, cluster)
	if err == nil {
		m.of[cluster] = members
	}
	return members, err
}

func (m memberships) has(ctx context.Context, cluster state.ClusterKey, environment string) (bool, error) {
	members, err := m.in(ctx, cluster)
	return slices.ContainsFunc(members, func(member table.Membership) bool { return member.ID == environment }), err
}

func (d *Dispatcher) wake(ctx context.Context, concerned map[string][]state.Key) error {
	ids := make([]string, 0, len(concerned))
	for id := range concerned {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	wakeups := make([]wakeup.Wakeup, len(ids))
	for i, id := range ids {
		instances := concerned[id]
		slices.SortFunc(instances, state.Key.Compare)
		wakeups[i] = wakeup.Wakeup{EnvironmentID: id, Instances: slices.Compact(instances)}
	}
	if len(wakeups) == 0 {
		return nil
	}
	return wakeup.Send(ctx, d.Wakeups, 0, wakeups...)
}
