// Package dispatch reads the STATE table's stream: it appends every change to the feed, and wakes the environments that
// a change concerns.
//
// The stream delivers each change at least once and in order for each item, so the feed may hold a change twice, and a
// wake-up may come twice; neither does harm.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/wakeup"
)

// Config is what a dispatcher works with.
type Config struct {
	State        *table.State
	Daemon       *table.Daemon
	Feed         *table.Feed
	Wakeups      queue.Sender
	Installation string
}

// Dispatcher reads batches of the stream.
type Dispatcher struct{ Config }

// New is a dispatcher.
func New(c Config) *Dispatcher { return &Dispatcher{Config: c} }

// Batch handles a batch of stream records. An error means that all of it is to be delivered again. A change that cannot be
// read is in the feed all the same, for a watcher needs its key alone: otherwise it would be missing there once the stream
// gives it up.
func (d *Dispatcher) Batch(ctx context.Context, records []events.DynamoDBEventRecord) error {
	var changes []table.RecordChange
	var rows []table.Change
	var synced []state.ClusterKey
	var unread []error
	for _, record := range records {
		cluster, first, err := table.DecodeFirstSync(record)
		if err != nil {
			unread = append(unread, err)
		}
		if first {
			synced = append(synced, cluster)
		}
		change, ok, err := table.DecodeChange(record)
		if err != nil {
			unread = append(unread, err)
		}
		switch {
		case ok:
			changes = append(changes, change)
			rows = append(rows, change.FeedChange())
		case change.Key != state.Key{}:
			rows = append(rows, table.Change{Key: change.Key, Reason: table.ReasonWritten})
		}
	}
	if err := d.Feed.AppendAll(ctx, rows); err != nil {
		unread = append(unread, fmt.Errorf("appending %d changes to the feed: %w", len(rows), err))
	}
	if len(unread) > 0 {
		return errors.Join(unread...)
	}
	concerned, err := d.concerned(ctx, changes)
	if err != nil {
		return err
	}
	for _, cluster := range synced {
		ids, err := d.Daemon.EnvironmentsOfCluster(ctx, cluster)
		if err != nil {
			return err
		}
		for _, id := range ids {
			concerned[id] = nil // everything
		}
	}
	return d.wake(ctx, concerned)
}

// concerned maps environments to the container instances that they should look at.
func (d *Dispatcher) concerned(ctx context.Context, changes []table.RecordChange) (map[string][]state.Key, error) {
	concerned := map[string][]state.Key{}
	// hosts are container instances that every environment of their cluster should look at.
	var hosts, left []state.Key
	for _, c := range changes {
		if c.New == nil {
			continue // expired: it was over for days
		}
		switch {
		case c.Key.Kind == state.KindContainerInstance:
			if hostChanged(c) {
				hosts = append(hosts, c.Key)
			}
		case ours(c.New.Task.Group, d.Installation) != "":
			if instance, ok := instanceOf(c.New); ok {
				id := ours(c.New.Task.Group, d.Installation)
				concerned[id] = append(concerned[id], instance)
			}
		case ended(c):
			if instance, ok := instanceOf(c.New); ok {
				left = append(left, instance)
			}
		}
	}
	draining, err := d.draining(ctx, left)
	if err != nil {
		return nil, err
	}
	return concerned, d.addByCluster(ctx, concerned, append(hosts, draining...))
}

// hostChanged says whether a change of a container instance matters to a daemon. Most do not: a host's version rises
// with every task that starts or stops on it.
func hostChanged(c table.RecordChange) bool {
	return c.Old == nil || c.Old.Instance != c.New.Instance
}

// ours is the id of the environment that a task group belongs to, empty if it is none of this installation.
func ours(group, installation string) string {
	id, ok := strings.CutPrefix(group, daemon.Group(installation, ""))
	if !ok {
		return ""
	}
	return id
}

// ended says that a task was alive before the change and is not after it.
func ended(c table.RecordChange) bool {
	return c.New.Tombstone != nil && (c.Old == nil || c.Old.Tombstone == nil)
}

func instanceOf(task *state.Record) (state.Key, bool) {
	id := task.Task.ContainerInstanceID
	return state.Key{Kind: state.KindContainerInstance, Cluster: task.Cluster, ID: id}, id != ""
}

// draining picks the hosts that are being drained: on those, the end of an ordinary task may be what the daemon waits
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

func (d *Dispatcher) addByCluster(ctx context.Context, concerned map[string][]state.Key, hosts []state.Key) error {
	slices.SortFunc(hosts, state.Key.Compare)
	environments := map[state.ClusterKey][]string{}
	for _, host := range hosts {
		ids, known := environments[host.Cluster]
		if !known {
			var err error
			if ids, err = d.Daemon.EnvironmentsOfCluster(ctx, host.Cluster); err != nil {
				return err
			}
			environments[host.Cluster] = ids
		}
		for _, id := range ids {
			concerned[id] = append(concerned[id], host)
		}
	}
	return nil
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
