package sim

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// choice is what a reader wants to see: a filter of tasks, or one of container instances.
type choice struct {
	name      string
	kind      state.Kind
	tasks     state.TaskFilter
	instances state.InstanceFilter
}

// choose draws a filter that picks something, as a rule.
func (w *world) choose(r *rand.Rand) choice {
	cluster := state.ClusterKey{}
	if all := w.everyCluster(); r.IntN(3) > 0 {
		cluster = all[r.IntN(len(all))]
	}
	if r.IntN(4) == 0 {
		connected := r.IntN(2) == 0
		f := []state.InstanceFilter{
			{}, {Status: "ACTIVE"}, {Status: "DRAINING"}, {Status: "INACTIVE"}, {AgentConnected: &connected},
		}[r.IntN(5)]
		f.Cluster = cluster
		name := fmt.Sprintf("container instances of %s, %s", cluster, f.Status)
		if f.AgentConnected != nil {
			name += fmt.Sprintf("connected %t", connected)
		}
		return choice{name: name, kind: state.KindContainerInstance, instances: f}
	}
	f := []state.TaskFilter{
		{},
		{},
		{LastStatus: "RUNNING"},
		{LastStatus: "PENDING"},
		{LastStatus: "STOPPED"},
		{DesiredStatus: "RUNNING"},
		{DesiredStatus: "STOPPED"},
		{StartedBy: "cron"},
		{StartedBy: "crowd"},
		{Group: "service:web"},
		{Service: "web"},
		{Family: names[0]},
		{LastStatus: "RUNNING", Family: names[0]},
		{Group: "service:web", LastStatus: "RUNNING"},
		{StartedBy: "cron", DesiredStatus: "RUNNING"},
		{TaskDefinition: names[0] + ":1"},
		{HealthStatus: "HEALTHY"},
	}[r.IntN(17)]
	f.Cluster = cluster
	return choice{
		name: fmt.Sprintf("tasks of %s, %q", cluster, []string{
			f.LastStatus, f.DesiredStatus, f.StartedBy, f.Group, f.Service, f.Family, f.TaskDefinition, f.HealthStatus,
		}),
		kind: state.KindTask, tasks: f,
	}
}

// everyCluster are all clusters, those of places that are away too.
func (w *world) everyCluster() []state.ClusterKey {
	all := []state.ClusterKey{clusterKey()}
	if w.f.crowd > 0 {
		all = append(all, crowdKey())
	}
	if w.member != nil {
		all = append(all, w.member.cluster(cluster))
	}
	return all
}

func (c choice) matches(r state.Record) bool {
	if c.kind == state.KindTask {
		return c.tasks.Matches(r)
	}
	return c.instances.Matches(r)
}

func (c choice) selection() watch.Selection {
	if c.kind == state.KindTask {
		return watch.Tasks(c.tasks)
	}
	return watch.Instances(c.instances)
}

// clusters is nil, which lists all, if the filter names none.
func (c choice) clusters() []state.ClusterKey {
	if key := cmp.Or(c.tasks.Cluster, c.instances.Cluster); key != (state.ClusterKey{}) {
		return []state.ClusterKey{key}
	}
	return nil
}

// paging is how a list is read.
type paging struct {
	sort       table.Sort
	limit      int
	consistent bool
}

// page reads a page of the list.
func (c choice) page(
	ctx context.Context, s *table.State, p paging, after table.Position, now time.Time,
) (table.Page, error) {
	if c.kind == state.KindTask {
		return s.ListTasks(ctx, table.TaskQuery{
			Clusters: c.clusters(), Filter: c.tasks, Sort: p.sort, Limit: p.limit, After: after, Consistent: p.consistent,
		}, now)
	}
	return s.ListInstances(ctx, table.InstanceQuery{
		Clusters: c.clusters(), Filter: c.instances, Sort: p.sort, Limit: p.limit, After: after, Consistent: p.consistent,
	}, now)
}

// all reads the whole list, past the faults.
func (c choice) all(w *world, consistent bool) map[state.Key]state.Record {
	found := map[state.Key]state.Record{}
	var after table.Position
	for {
		page, err := c.page(context.Background(), w.state, paging{limit: 100, consistent: consistent}, after, w.now)
		if err != nil {
			panic(err)
		}
		for _, r := range page.Records {
			found[r.Key] = r
		}
		if after = page.Next; after.IsZero() {
			return found
		}
	}
}

// reflected is what the list should be, by the stream of changes.
func (c choice) reflected(w *world) map[state.Key]state.Record {
	found := map[state.Key]state.Record{}
	for key, r := range w.mirror.records { // any order: it is a map again
		if visible(r, w.now) && c.matches(r) {
			found[key] = r
		}
	}
	return found
}

func sortedKeys[V any](m map[state.Key]V) []state.Key {
	return slices.SortedFunc(maps.Keys(m), state.Key.Compare)
}

// unlike says where two lists of records differ; empty if nowhere.
func unlike(one, other map[state.Key]state.Record) string {
	for _, key := range sortedKeys(one) {
		a := one[key]
		b, ok := other[key]
		if !ok {
			return fmt.Sprintf("%s of version %d is only in the first", key, a.Version)
		}
		if a.Version != b.Version || !a.StoredAt.Equal(b.StoredAt) || (a.Tombstone == nil) != (b.Tombstone == nil) {
			return fmt.Sprintf("%s is of version %d stored at %s in the first, %d at %s in the second",
				key, a.Version, a.StoredAt, b.Version, b.StoredAt)
		}
	}
	for _, key := range sortedKeys(other) {
		if _, ok := one[key]; !ok {
			return fmt.Sprintf("%s of version %d is only in the second", key, other[key].Version)
		}
	}
	return ""
}
