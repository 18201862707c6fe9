package table_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// The values that tasks and container instances of the lists below have; few, so that filters find some of each.
var (
	listClusters = []string{"core", "edge", "edge-2"}
	listStatuses = []string{"PENDING", "RUNNING", "STOPPING", "STOPPED"}
	listGroups   = []string{"family:web", "service:web"}
	listStarters = []string{"ops", "blox/1"}
	listFamilies = []string{"web", "log-agent"}
	listHosts    = []string{"i-0000000000000001", "i-0000000000000002"}
	listTimes    = []time.Time{{}, {}, after(-3600), after(-10), start, after(60)}
	tasksSort    = []string{"", table.SortByCreatedAt, table.SortByStartedAt, table.SortByStoppedAt}
	instanceSort = []string{"", table.SortByRegisteredAt}
)

func pick[T any](t *rapid.T, from []T, what string) T { return rapid.SampledFrom(from).Draw(t, what) }

func maybe(t *rapid.T, from []string, what string) string {
	return pick(t, append([]string{"", ""}, from...), what)
}

// drawTask is what is seen of a task at a time: some have not told all of their times.
func drawTask(t *rapid.T, n int, version int64, status string, at time.Time) state.Observation {
	options := []eventtest.Option{
		eventtest.ID(id(n)), eventtest.Cluster(pick(t, listClusters, "cluster")), eventtest.Time(at),
		eventtest.Group(pick(t, listGroups, "group")), eventtest.StartedBy(pick(t, listStarters, "startedBy")),
		eventtest.TaskDefinition(pick(t, listFamilies, "family") + ":1"), eventtest.OnContainerInstance(id(rapid.IntRange(0, 2).Draw(t, "instance"))),
	}
	if rapid.IntRange(0, 9).Draw(t, "timeless") == 0 {
		options = append(options, eventtest.WithoutField("createdAt"))
	}
	return task(t, version, status, options...)
}

// drawRecords stores some tasks and container instances in some clusters, and gives them back as they are stored.
func drawRecords(t *rapid.T, s *table.State) []state.Record {
	var keys []state.Key
	store := func(seen state.Observation) {
		_, err := s.Put(context.Background(), seen, start)
		require.NoError(t, err)
		require.NoError(t, s.AddCluster(context.Background(), seen.Cluster))
		keys = append(keys, seen.Key)
	}
	for i := range rapid.IntRange(0, 60).Draw(t, "tasks") {
		before := pick(t, []time.Duration{0, time.Hour, 2 * visibleFor}, "age") + time.Duration(rapid.IntRange(0, 5).Draw(t, "ms"))*time.Millisecond
		store(drawTask(t, i, 1, pick(t, listStatuses, "status"), start.Add(-before)))
	}
	for i := range rapid.IntRange(0, 15).Draw(t, "instances") {
		before := pick(t, []time.Duration{0, time.Hour, 2 * visibleFor}, "age")
		store(instance(t, 1, pick(t, append(state.InstanceStatuses(), "HIBERNATING"), "status"), eventtest.ID(id(i)), eventtest.Time(start.Add(-before)),
			eventtest.Cluster(pick(t, listClusters, "cluster")), eventtest.EC2InstanceID(pick(t, listHosts, "ec2"))))
	}
	records, err := s.GetMany(context.Background(), keys, true)
	require.NoError(t, err)
	return records
}

func drawFilter(t *rapid.T) state.TaskFilter {
	return state.TaskFilter{
		LastStatus: maybe(t, []string{"PENDING", "running", "STOPPING", "STOPPED", "DELETED"}, "f.status"), DesiredStatus: maybe(t, []string{"RUNNING", "stopped"}, "f.desired"),
		StartedBy: maybe(t, listStarters, "f.startedBy"), Group: maybe(t, listGroups, "f.group"), Family: maybe(t, listFamilies, "f.family"),
		Service:           maybe(t, []string{"", "web", "arn:aws:ecs:eu-west-1:" + eventtest.DefaultAccount + ":service/edge/web"}, "f.service"),
		ContainerInstance: maybe(t, []string{id(0), id(1), "arn:aws:ecs:eu-west-1:" + eventtest.DefaultAccount + ":container-instance/edge/" + id(2)}, "f.instance"),
		StartedSince:      pick(t, listTimes, "f.startedSince"), StartedUntil: pick(t, listTimes, "f.startedUntil"),
		StoppedSince: pick(t, listTimes, "f.stoppedSince"), StoppedUntil: pick(t, listTimes, "f.stoppedUntil"),
	}
}

func drawInstanceFilter(t *rapid.T) state.InstanceFilter {
	return state.InstanceFilter{
		Status: maybe(t, []string{"active", "DRAINING", "INACTIVE", "HIBERNATING"}, "f.status"), EC2InstanceID: maybe(t, listHosts, "f.ec2"),
		RegisteredSince: pick(t, listTimes, "f.registeredSince"), RegisteredUntil: pick(t, listTimes, "f.registeredUntil"),
	}
}

func drawSort(t *rapid.T) table.Sort {
	return table.Sort{By: pick(t, tasksSort, "sort"), Descending: rapid.Bool().Draw(t, "descending")}
}

func drawClusters(t *rapid.T) []state.ClusterKey {
	var clusters []state.ClusterKey // nil is all
	for _, name := range rapid.SliceOfN(rapid.SampledFrom(listClusters), 0, 3).Draw(t, "clusters") {
		clusters = append(clusters, state.ClusterKey{Account: home.Account, Region: home.Region, Name: name})
	}
	return clusters
}

// timeOf is a record's time that a list is sorted by, zero if it has none.
func timeOf(t require.TestingT, r state.Record, by string) time.Time {
	var at *time.Time
	if r.Kind == state.KindContainerInstance {
		instance, err := r.AsContainerInstance()
		require.NoError(t, err)
		at = instance.RegisteredAt
	} else {
		task, err := r.AsTask()
		require.NoError(t, err)
		at = map[string]*time.Time{table.SortByCreatedAt: task.CreatedAt, table.SortByStartedAt: task.StartedAt, table.SortByStoppedAt: task.StoppedAt}[by]
	}
	if at == nil {
		return time.Time{}
	}
	return *at
}

// requireSorted checks the order: what has no time comes last, whatever the direction.
func requireSorted(t require.TestingT, records []state.Record, sort table.Sort) {
	if sort.By == "" {
		return
	}
	require.True(t, slices.IsSortedFunc(records, func(a, b state.Record) int {
		at, bt := timeOf(t, a, sort.By), timeOf(t, b, sort.By)
		if at.IsZero() != bt.IsZero() {
			return cmp.Compare(bt.Unix(), at.Unix())
		}
		if sort.Descending {
			return bt.Compare(at)
		}
		return at.Compare(bt)
	}), "by %s, descending %t: %v", sort.By, sort.Descending, keysOf(records))
}

func TestPagesOfAnySizeHoldWhatTheFilterPicksOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := memory.New(memory.WithClock(func() time.Time { return start }))
		require.NoError(t, table.Create(context.Background(), db, "blox", schema.State))
		s := newState(db, "blox")
		records, clusters := drawRecords(t, s), drawClusters(t)
		tasks, instances, consistent := drawFilter(t), drawInstanceFilter(t), rapid.Bool().Draw(t, "consistent")
		check := func(matches func(state.Record) bool, sort table.Sort, list func(limit int, after table.Position) (table.Page, error)) {
			var want []string
			for _, r := range records {
				if table.Visible(r, start) && matches(r) && (clusters == nil || slices.Contains(clusters, r.Cluster)) {
					want = append(want, r.Key.String())
				}
			}
			big := pagesOf(t, func() int { return 1000 }, list)
			small := pagesOf(t, func() int { return rapid.IntRange(1, 7).Draw(t, "limit") }, list)
			require.Equal(t, keysOf(big), keysOf(small), "the same order, whatever the pages")
			requireSorted(t, big, sort)
			got := keysOf(big)
			slices.Sort(got)
			slices.Sort(want)
			require.Equal(t, append([]string{}, want...), append([]string{}, got...))
		}
		sort := drawSort(t)
		check(tasks.Matches, sort, func(limit int, after table.Position) (table.Page, error) {
			return s.ListTasks(context.Background(), table.TaskQuery{Clusters: clusters, Filter: tasks, Sort: sort, Limit: limit, After: after, Consistent: consistent}, start)
		})
		byRegistration := table.Sort{By: pick(t, instanceSort, "sort"), Descending: sort.Descending}
		check(instances.Matches, byRegistration, func(limit int, after table.Position) (table.Page, error) {
			return s.ListInstances(context.Background(), table.InstanceQuery{Clusters: clusters, Filter: instances, Sort: byRegistration, Limit: limit, After: after, Consistent: consistent}, start)
		})
	})
}

// Tasks begin, go on and end between the pages of a list, and container instances change their status back and forth.
// What a filter picked all the time is in the list, and what did not change is in it once.
func TestAListUnderWritersMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := memory.New(memory.WithClock(func() time.Time { return start }))
		require.NoError(t, table.Create(context.Background(), db, "blox", schema.State))
		w := &writers{t: t, s: newState(db, "blox"), steps: map[int]int{}, changed: map[string]bool{}, out: map[string]bool{}}
		for range rapid.IntRange(0, 40).Draw(t, "before") {
			w.write()
		}
		w.filter = state.TaskFilter{LastStatus: maybe(t, listStatuses, "f.status"), DesiredStatus: maybe(t, []string{"RUNNING", "STOPPED"}, "f.desired"), Family: maybe(t, listFamilies, "f.family")}
		w.hosts = state.InstanceFilter{Status: maybe(t, []string{"ACTIVE", "DRAINING"}, "f.hosts")}
		w.begin()
		sort := table.Sort{By: pick(t, []string{"", "", table.SortByCreatedAt}, "sort"), Descending: rapid.Bool().Draw(t, "descending")}
		listed := pagesOf(t, func() int { w.writeSome(); return rapid.IntRange(1, 5).Draw(t, "limit") }, func(limit int, after table.Position) (table.Page, error) {
			return w.s.ListTasks(context.Background(), table.TaskQuery{Filter: w.filter, Clusters: []state.ClusterKey{home}, Sort: sort, Limit: limit, After: after}, start)
		})
		hosts := pagesOf(t, func() int { w.writeSome(); return rapid.IntRange(1, 5).Draw(t, "limit") }, func(limit int, after table.Position) (table.Page, error) {
			return w.s.ListInstances(context.Background(), table.InstanceQuery{Filter: w.hosts, Clusters: []state.ClusterKey{home}, Limit: limit, After: after}, start)
		})
		times := map[string]int{}
		for _, key := range append(keysOf(listed), keysOf(hosts)...) {
			times[key]++
		}
		for _, key := range w.picked {
			switch {
			case !w.changed[key]:
				require.Equal(t, 1, times[key], "unchanged: %s", key)
			case !w.out[key] && (sort.By == "" || !w.ofTask(key)):
				require.GreaterOrEqual(t, times[key], 1, "picked all the time: %s", key)
			}
		}
	})
}

// writers write what happens to a few tasks and container instances of the cluster home.
type writers struct {
	t      *rapid.T
	s      *table.State
	filter state.TaskFilter
	hosts  state.InstanceFilter
	steps  map[int]int // how far each task is in its life
	turns  int64
	// picked are the keys that the filters picked at the beginning. Since then, some changed, and some were not picked at
	// some time.
	picked       []string
	changed, out map[string]bool
}

func (w *writers) ofTask(key string) bool { return key[:len("task")] == "task" }

func (w *writers) all() []state.Record {
	tasks, err := w.s.Cluster(context.Background(), home, state.KindTask)
	require.NoError(w.t, err)
	hosts, err := w.s.Cluster(context.Background(), home, state.KindContainerInstance)
	require.NoError(w.t, err)
	return append(tasks, hosts...)
}

func (w *writers) begin() {
	for _, r := range w.all() {
		if w.filter.Matches(r) || w.hosts.Matches(r) {
			w.picked = append(w.picked, r.Key.String())
		}
	}
	w.changed = map[string]bool{}
}

func (w *writers) writeSome() {
	for range rapid.IntRange(0, 3).Draw(w.t, "writes") {
		key := w.write()
		w.changed[key.String()] = true
		r := stored(w.t, w.s, key)
		if !w.filter.Matches(r) && !w.hosts.Matches(r) {
			w.out[key.String()] = true
		}
	}
}

func (w *writers) write() state.Key {
	w.turns++
	n := rapid.IntRange(0, 19).Draw(w.t, "n")
	if n >= 14 {
		seen := instance(w.t, w.turns, pick(w.t, []string{"ACTIVE", "DRAINING"}, "status"), eventtest.ID(id(n)), eventtest.Time(start))
		_, err := w.s.Put(context.Background(), seen, start)
		require.NoError(w.t, err)
		return seen.Key
	}
	w.steps[n] = min(w.steps[n]+rapid.IntRange(1, 3).Draw(w.t, "steps"), len(taskLife))
	created := start.Add(time.Duration(n/2) * time.Millisecond)
	seen := task(w.t, int64(w.steps[n]), taskLife[w.steps[n]-1], eventtest.ID(id(n)), eventtest.Time(start), eventtest.Field("createdAt", created),
		eventtest.TaskDefinition(listFamilies[n%2]+":1"))
	_, err := w.s.Put(context.Background(), seen, start)
	require.NoError(w.t, err)
	return seen.Key
}
