package watch

import (
	"context"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// State reads the STATE table: *table.State.
type State interface {
	ListTasks(ctx context.Context, q table.TaskQuery, now time.Time) (table.Page, error)
	ListInstances(ctx context.Context, q table.InstanceQuery, now time.Time) (table.Page, error)
	GetMany(ctx context.Context, keys []state.Key, consistent bool) ([]state.Record, error)
}

// Selection is what a reader wants to hear of: all tasks or all container instances that a filter picks.
type Selection struct {
	kind    state.Kind
	cluster state.ClusterKey // zero is every cluster
	matches func(state.Record) bool
	// could says whether the filter may have picked an earlier state of the record: nothing is told of what it never picked.
	// Its filter keeps what nothing in a life can bring a thing out of, and no more. What may only come, such as an address,
	// may leave the record again when the other source tells it anew; a health, a status or a time's window is left anyway.
	could func(state.Record) bool
	list  func(ctx context.Context, s State, after table.Position, limit int, now time.Time) (table.Page, error)
}

// Tasks selects what a filter picks.
func Tasks(f state.TaskFilter) Selection {
	return Selection{
		kind: state.KindTask, cluster: f.Cluster, matches: f.Matches, could: f.Lasting().Matches,
		list: func(ctx context.Context, s State, after table.Position, limit int, now time.Time) (table.Page, error) {
			return s.ListTasks(ctx, table.TaskQuery{
				Clusters: clusters(f.Cluster), Filter: f, Limit: limit, After: after, Consistent: true,
			}, now)
		},
	}
}

// Instances selects what a filter picks.
func Instances(f state.InstanceFilter) Selection {
	return Selection{
		kind: state.KindContainerInstance, cluster: f.Cluster, matches: f.Matches, could: f.Lasting().Matches,
		list: func(ctx context.Context, s State, after table.Position, limit int, now time.Time) (table.Page, error) {
			return s.ListInstances(ctx, table.InstanceQuery{
				Clusters: clusters(f.Cluster), Filter: f, Limit: limit, After: after, Consistent: true,
			}, now)
		},
	}
}

// clusters is nil, which lists all, for none.
func clusters(key state.ClusterKey) []state.ClusterKey {
	if key == (state.ClusterKey{}) {
		return nil
	}
	return []state.ClusterKey{key}
}

// concerns says whether the selection may hold what has this key.
func (s Selection) concerns(key state.Key) bool {
	return key.Kind == s.kind && (s.cluster == state.ClusterKey{} || s.cluster == key.Cluster)
}

// wanted are the keys of changes that concern the selection, each once, and of each the index of its first change. One
// reading answers for all changes of a key. What expired has been out of sight since its VisibleUntil, at which readers
// drop it.
func (s Selection) wanted(changes []table.Change) (keys []state.Key, firsts []int) {
	seen := make(map[state.Key]bool, len(changes))
	for i, change := range changes {
		if s.concerns(change.Key) && change.Reason != table.ReasonExpired && !seen[change.Key] {
			seen[change.Key] = true
			keys, firsts = append(keys, change.Key), append(firsts, i)
		}
	}
	return keys, firsts
}
