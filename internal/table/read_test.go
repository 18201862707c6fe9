package table_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// ids are the ids of records, sorted.
func ids(records []state.Record) []string {
	var ids []string
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

// id makes an id of ECS's form that can be told apart.
func id(n int) string { return fmt.Sprintf("%032x", n) }

func TestGetReadsOneRecord(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		_, err := s.Get(t.Context(), taskKey(id(1)), start)
		require.ErrorIs(t, err, table.ErrNotFound)
		require.ErrorContains(t, err, id(1))
		put(t, s, task(t, 3, "RUNNING", eventtest.ID(id(1))), start)
		record, err := s.Get(t.Context(), taskKey(id(1)), start)
		require.NoError(t, err)
		require.Equal(t, stored(t, s, taskKey(id(1))), record)
	})
}

func TestGetManyReadsEachKeyOnce(t *testing.T) {
	const n = 101 // more than a batch of BatchGetItem
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		var keys []state.Key
		var want []string
		for i := range n {
			seen := task(t, 1, "RUNNING", eventtest.ID(id(i)))
			_, err := s.Put(t.Context(), seen, start)
			require.NoError(t, err)
			// An index can show a record twice while it moves from one key to another.
			keys = append(keys, seen.Key, seen.Key, taskKey(id(n+i)))
			want = append(want, id(i))
		}
		records, err := s.GetMany(t.Context(), keys, false)
		require.NoError(t, err)
		require.Equal(t, want, ids(records))
		records, err = s.GetMany(t.Context(), nil, true)
		require.NoError(t, err)
		require.Empty(t, records)
	})
}

// fill puts one task of each status, on two hosts by turns, and one instance of each status. The tasks' ids are their
// places in state.TaskStatuses.
func fill(t *testing.T, s *table.State) {
	t.Helper()
	for i, status := range state.TaskStatuses() {
		put(t, s, task(t, 1, status, eventtest.ID(id(i)), eventtest.OnContainerInstance(id(100+i%2)),
			eventtest.Group("service:web")), start)
	}
	put(t, s, task(t, 1, "RUNNING", eventtest.ID(id(50)), eventtest.Cluster("other"),
		eventtest.OnContainerInstance(id(100)), eventtest.Group("service:web")), start)
	put(t, s, task(t, 1, "RUNNING", eventtest.ID(id(51)), eventtest.OnContainerInstance(""),
		eventtest.Group("service:web2")), start)
	for i, status := range state.InstanceStatuses() {
		put(t, s, instance(t, 1, status, eventtest.ID(id(100+i))), start)
	}
}

func TestLists(t *testing.T) {
	var tasks, live, instances, present []string
	onHost := map[string][]string{}
	for i, status := range state.TaskStatuses() {
		tasks = append(tasks, id(i))
		if status != state.TaskStopped && status != state.TaskDeleted {
			live = append(live, id(i))
			onHost[id(100+i%2)] = append(onHost[id(100+i%2)], id(i))
		}
	}
	for i, status := range state.InstanceStatuses() {
		instances = append(instances, id(100+i))
		if status != state.InstanceInactive {
			present = append(present, id(100+i))
		}
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		fill(t, s)
		lists := map[string]struct {
			want []string
			read func() ([]state.Record, error)
		}{
			"all tasks": {append(slices.Clone(tasks), id(51)), func() ([]state.Record, error) {
				return s.Cluster(t.Context(), home, state.KindTask)
			}},
			"all container instances": {instances, func() ([]state.Record, error) {
				return s.Cluster(t.Context(), home, state.KindContainerInstance)
			}},
			"living tasks": {append(slices.Clone(live), id(51)), func() ([]state.Record, error) {
				return s.Living(t.Context(), home, state.KindTask)
			}},
			"living container instances": {present, func() ([]state.Record, error) {
				return s.Living(t.Context(), home, state.KindContainerInstance)
			}},
			"live tasks on a host": {onHost[id(100)], func() ([]state.Record, error) {
				return s.TasksOnInstance(t.Context(), home, id(100))
			}},
			"live tasks on another host": {onHost[id(101)], func() ([]state.Record, error) {
				return s.TasksOnInstance(t.Context(), home, id(101))
			}},
			"live tasks on no host": {nil, func() ([]state.Record, error) {
				return s.TasksOnInstance(t.Context(), home, id(99))
			}},
			"live tasks of a group": {live, func() ([]state.Record, error) {
				return s.LiveTasksOfGroup(t.Context(), home, "service:web")
			}},
			"live tasks of no group": {nil, func() ([]state.Record, error) {
				return s.LiveTasksOfGroup(t.Context(), home, "service:we")
			}},
			"another account's cluster": {nil, func() ([]state.Record, error) {
				return s.Living(t.Context(), state.ClusterKey{Account: "111111111111", Region: home.Region, Name: home.Name}, state.KindTask)
			}},
		}
		for title, list := range lists {
			t.Run(title, func(t *testing.T) {
				records, err := list.read()
				require.NoError(t, err)
				require.Equal(t, list.want, ids(records))
			})
		}
	})
}

func TestListsFollowATask(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		here := func() (living, onHost, ofGroup int) {
			a, err := s.Living(t.Context(), home, state.KindTask)
			require.NoError(t, err)
			b, err := s.TasksOnInstance(t.Context(), home, id(100))
			require.NoError(t, err)
			c, err := s.LiveTasksOfGroup(t.Context(), home, "service:web")
			require.NoError(t, err)
			return len(a), len(b), len(c)
		}
		on := []eventtest.Option{eventtest.Group("service:web"), eventtest.OnContainerInstance(id(100))}
		placeless := []eventtest.Option{eventtest.Group("service:web"), eventtest.OnContainerInstance("")}
		steps := []struct {
			version                 int64
			status                  string
			options                 []eventtest.Option
			living, onHost, ofGroup int
		}{
			{1, "PROVISIONING", placeless, 1, 0, 1}, // a task has no host before it is placed
			{2, "PENDING", on, 1, 1, 1},
			{3, "RUNNING", on, 1, 1, 1},
			{4, "STOPPED", on, 0, 0, 0},
			{5, "DELETED", on, 0, 0, 0},
		}
		for _, step := range steps {
			put(t, s, task(t, step.version, step.status, step.options...), start)
			living, onHost, ofGroup := here()
			require.Equal(t, []int{step.living, step.onHost, step.ofGroup}, []int{living, onHost, ofGroup}, step.status)
		}
	})
}

func TestListsOfMoreThanOnePage(t *testing.T) {
	const n, filler = 8, 200_000
	// Details of this size in one shard make a page of 1 MB end early.
	var inOneShard []string
	for i := 0; len(inOneShard) < n; i++ {
		if table.ShardOf(id(i), schema.TaskShards) == 0 {
			inOneShard = append(inOneShard, id(i))
		}
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		for i, id := range inOneShard {
			seen := task(t, 1, "RUNNING", eventtest.ID(id), eventtest.Field("filler", incompressible(i, filler)))
			_, err := s.Put(t.Context(), seen, start)
			require.NoError(t, err)
		}
		records, err := s.Cluster(t.Context(), home, state.KindTask)
		require.NoError(t, err)
		require.Equal(t, inOneShard, ids(records))
	})
}

// An index tells late. What it shows is true now all the same, because the records are read by key.
func TestListsFromAnIndexThatLags(t *testing.T) {
	lag := time.Duration(0)
	db := memory.New(memory.WithIndexLag(func(string, string) time.Duration { return lag }))
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.State))
	s := newState(db, "blox")
	options := []eventtest.Option{eventtest.Group("service:web"), eventtest.OnContainerInstance(id(100))}
	put(t, s, task(t, 1, "RUNNING", options...), start)
	lag = memory.UntilSettled
	put(t, s, task(t, 2, "STOPPED", options...), start)
	put(t, s, task(t, 1, "RUNNING", append(options, eventtest.ID(id(7)))...), start)

	for range 2 {
		onHost, err := s.TasksOnInstance(t.Context(), home, id(100))
		require.NoError(t, err)
		ofGroup, err := s.LiveTasksOfGroup(t.Context(), home, "service:web")
		require.NoError(t, err)
		living, err := s.Living(t.Context(), home, state.KindTask)
		require.NoError(t, err)
		require.NotContains(t, ids(onHost), eventtest.DefaultTaskID, "it has stopped, whatever the index says")
		require.NotContains(t, ids(ofGroup), eventtest.DefaultTaskID)
		for _, r := range living {
			require.Equal(t, stored(t, s, r.Key), r)
		}
		if lag == 0 {
			require.Equal(t, []string{id(7)}, ids(onHost))
			require.Equal(t, []string{id(7)}, ids(ofGroup))
			require.Equal(t, []string{id(7)}, ids(living))
		}
		lag = 0
		db.SettleIndexes()
	}
}

// How long what is over stays in sight is the reader's matter: a changed retention counts for what was stored before.
func TestTheReaderSaysHowLongItSeesWhatIsOver(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		put(t, newState(db, name), task(t, 1, "STOPPED", eventtest.Time(start)), start)
		put(t, newState(db, name), instance(t, 1, "INACTIVE", eventtest.Time(start)), start)
		for _, retention := range []time.Duration{visibleFor / 2, 2 * visibleFor} {
			s := table.NewState(db, name, retention)
			for now, seen := range map[time.Time]int{start.Add(retention - time.Millisecond): 1, start.Add(retention): 0} {
				for _, filter := range []state.TaskFilter{{}, {LastStatus: "STOPPED"}, {Group: "family:log-agent"}, {StartedBy: "ops"}} {
					page, err := s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: filter, Limit: 5}, now)
					require.NoError(t, err)
					require.Len(t, page.Records, seen, "%s, %+v", retention, filter)
				}
				for _, filter := range []state.InstanceFilter{{}, {Status: "INACTIVE"}} {
					page, err := s.ListInstances(t.Context(), table.InstanceQuery{Clusters: []state.ClusterKey{home}, Filter: filter, Limit: 5}, now)
					require.NoError(t, err)
					require.Len(t, page.Records, seen, "%s, %+v", retention, filter)
				}
				record, err := s.Get(t.Context(), taskKey(eventtest.DefaultTaskID), now)
				if seen == 0 {
					require.ErrorIs(t, err, table.ErrNotFound)
				} else {
					require.Equal(t, start.Add(retention), record.Tombstone.VisibleUntil)
				}
			}
		}
	})
}
