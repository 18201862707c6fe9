package table_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// pagesOf follows Next from the beginning to the end. Each page's size is drawn by limit.
func pagesOf(t require.TestingT, limit func() int, list func(limit int, after table.Position) (table.Page, error)) []state.Record {
	const maxPages = 500
	var all []state.Record
	var after table.Position
	for range maxPages {
		size := limit()
		page, err := list(size, after)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Records), size)
		all = append(all, page.Records...)
		if page.Next.IsZero() {
			return all
		}
		require.NotEqual(t, after, page.Next, "a page that does not go on")
		after = page.Next
	}
	require.Fail(t, "the list does not end")
	return nil
}

func keysOf(records []state.Record) []string {
	keys := make([]string, len(records))
	for i, r := range records {
		keys[i] = r.Key.String()
	}
	return keys
}

func TestListsReadEveryIndexPageByPage(t *testing.T) {
	filters := map[string]state.TaskFilter{
		"none":            {},
		"status":          {LastStatus: "running"},
		"stopped":         {LastStatus: "STOPPED"},
		"started by":      {StartedBy: "ops"},
		"group":           {Group: "service:web"},
		"group, stopped":  {Group: "service:web", LastStatus: "STOPPED"},
		"group, live":     {Group: "service:web", DesiredStatus: "RUNNING"},
		"on an instance":  {ContainerInstance: id(7), LastStatus: "RUNNING"},
		"family":          {Family: "web"},
		"nothing matches": {Family: "nobody"},
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		var all []state.Record
		for i := range 40 {
			seen := task(t, 1, listStatuses[1+i%3], eventtest.ID(id(i)), eventtest.Group(listGroups[i%2]), eventtest.StartedBy(listStarters[i%2]),
				eventtest.TaskDefinition(listFamilies[i%2]+":1"), eventtest.OnContainerInstance(id(7+i%2)), eventtest.Time(start))
			put(t, s, seen, start)
			all = append(all, stored(t, s, seen.Key))
		}
		for about, filter := range filters {
			var want []string
			for _, r := range all {
				if filter.Matches(r) {
					want = append(want, r.Key.String())
				}
			}
			require.Equal(t, about == "nothing matches", len(want) == 0, about)
			got := keysOf(pagesOf(t, func() int { return 3 }, func(limit int, after table.Position) (table.Page, error) {
				return s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: filter, Limit: limit, After: after}, start)
			}))
			require.ElementsMatch(t, want, got, about)
		}
	})
}

func TestListInstancesFiltersByStatus(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		for i, status := range []string{"ACTIVE", "DRAINING", "ACTIVE", "INACTIVE", "ACTIVE"} {
			put(t, s, instance(t, 1, status, eventtest.ID(id(i)), eventtest.Time(start)), start)
		}
		list := func(status string) []string {
			return ids(pagesOf(t, func() int { return 1 }, func(limit int, after table.Position) (table.Page, error) {
				return s.ListInstances(t.Context(), table.InstanceQuery{
					Clusters: []state.ClusterKey{home}, Filter: state.InstanceFilter{Status: status}, Limit: limit, After: after,
				}, start)
			}))
		}
		require.Equal(t, []string{id(0), id(2), id(4)}, list("active"))
		require.Equal(t, []string{id(1)}, list("DRAINING"))
		require.Equal(t, []string{id(0), id(1), id(2), id(3), id(4)}, list(""))
	})
}

// plainTask is a task with the least detail, for tests that need many of them.
func plainTask(n int, family, padding string) state.Observation {
	return state.Observation{
		Key: taskKey(id(n)), ARN: "arn:aws:ecs:eu-west-1:" + home.Account + ":task/edge/" + id(n), Version: 1,
		Source: state.SourceEvent, ObservedAt: start,
		Detail: fmt.Appendf(nil, `{"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "taskDefinitionArn": %q, "padding": %q}`,
			"arn:aws:ecs:eu-west-1:"+home.Account+":task-definition/"+family+":1", padding),
	}
}

func TestAPageThatFindsLittleEndsAfterSomeWork(t *testing.T) {
	const tasks = 2300 // more than a page examines
	db := memory.New(memory.WithClock(func() time.Time { return start }))
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.State))
	s := newState(db, "blox")
	for i := range tasks {
		family := "web"
		if i == tasks-1 {
			family = "rare"
		}
		_, err := s.Put(t.Context(), plainTask(i, family, ""), start)
		require.NoError(t, err)
	}
	query := table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: state.TaskFilter{Family: "rare"}, Limit: 10}
	var found, examined, pages int
	for {
		page, err := s.ListTasks(t.Context(), query, start)
		require.NoError(t, err)
		require.LessOrEqual(t, page.Examined, 2000)
		found, examined, pages = found+len(page.Records), examined+page.Examined, pages+1
		if page.Next.IsZero() {
			break
		}
		query.After = page.Next
	}
	require.Equal(t, 1, found)
	require.Equal(t, tasks, examined, "nothing is examined twice")
	require.Equal(t, 2, pages)
}

func TestAPageOfLargeDetailsEndsEarly(t *testing.T) {
	db := memory.New(memory.WithClock(func() time.Time { return start }))
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.State))
	s := newState(db, "blox")
	padding := strings.Repeat("the same text again ", 22_000)
	for i := range 20 {
		_, err := s.Put(t.Context(), plainTask(i, "web", padding), start)
		require.NoError(t, err)
	}
	query := table.TaskQuery{Clusters: []state.ClusterKey{home}, Limit: 1000}
	page, err := s.ListTasks(t.Context(), query, start)
	require.NoError(t, err)
	require.False(t, page.Next.IsZero())
	require.Less(t, len(page.Records), 10, "3 MB of 440 kB each")
	query.After = page.Next
	rest := pagesOf(t, func() int { return 1000 }, func(_ int, after table.Position) (table.Page, error) {
		if !after.IsZero() {
			query.After = after
		}
		return s.ListTasks(t.Context(), query, start)
	})
	require.Len(t, append(page.Records, rest...), 20)
}

// wrongShard is a shard of tasks that the id is not in.
func wrongShard(taskID string) int {
	return (table.ShardOf(taskID, schema.TaskShards) + 1) % schema.TaskShards
}

func TestAPositionOfAnotherListIsRefused(t *testing.T) {
	const phases = 4
	shard := table.ShardOf(id(1), schema.TaskShards)
	running := state.TaskFilter{LastStatus: "RUNNING"}
	at := start.UnixMilli()
	cases := map[string]struct {
		query table.TaskQuery
		after table.Position
	}{
		"beyond the last stage":          {table.TaskQuery{}, table.Position{Stage: schema.TaskShards * phases}},
		"before the first stage":         {table.TaskQuery{}, table.Position{Stage: -1}},
		"a phase that the filter leaves": {table.TaskQuery{Filter: running}, table.Position{Stage: shard * phases, At: at, ID: id(1)}},
		"an id of another shard":         {table.TaskQuery{}, table.Position{Stage: wrongShard(id(1)) * phases, At: at, ID: id(1)}},
		"before all time":                {table.TaskQuery{}, table.Position{Stage: shard * phases, At: -1, ID: id(1)}},
		"after all time":                 {table.TaskQuery{}, table.Position{Stage: shard * phases, At: 1e13, ID: id(1)}},
		"a time that the filter leaves": {
			table.TaskQuery{Filter: state.TaskFilter{StoppedUntil: start}},
			table.Position{Stage: shard*phases + 3, At: at + 1, ID: id(1)},
		},
		"the end of the time that the filter leaves": {
			table.TaskQuery{Filter: state.TaskFilter{StoppedUntil: start}},
			table.Position{Stage: shard*phases + 3, At: at, ID: id(1)},
		},
		"sorted, before all time": {
			table.TaskQuery{Filter: state.TaskFilter{DesiredStatus: "RUNNING"}, Sort: table.Sort{By: table.SortByCreatedAt}},
			table.Position{At: -1, ID: id(1)},
		},
		"sorted in memory, no such stage": {table.TaskQuery{Sort: table.Sort{By: table.SortByStartedAt}}, table.Position{Stage: 2, ID: id(1)}},
		"of a group, no such stage":       {table.TaskQuery{Filter: state.TaskFilter{Group: "g"}}, table.Position{Stage: 2, ID: id(1)}},
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		for title, tc := range cases {
			tc.query.Clusters, tc.query.Limit, tc.query.After = []state.ClusterKey{home}, 1, tc.after
			tc.query.After.Cluster = home
			_, err := s.ListTasks(t.Context(), tc.query, start)
			require.ErrorIs(t, err, table.ErrPosition, title)
		}
	})
}

// Whatever a position says that somebody made up, it is refused or gives rows of the same list, and DynamoDB never gets
// a key that it refuses.
func TestNoPositionLeavesItsList(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, run := newState(db, name), 0
		for i, status := range []string{"PENDING", "RUNNING", "STOPPED"} {
			put(t, s, task(t, 1, status, eventtest.ID(id(i)), eventtest.Time(start)), start)
			put(t, s, instance(t, 1, "ACTIVE", eventtest.ID(id(i)), eventtest.Time(start)), start)
		}
		rapid.Check(t, func(t *rapid.T) {
			if run++; run > 10*runs(db) {
				return
			}
			around := start.UnixMilli()
			after := table.Position{
				Cluster: home, Stage: rapid.IntRange(-1, 33).Draw(t, "stage"),
				At: rapid.OneOf(rapid.Int64Range(around-20_000, around+1000), rapid.Int64()).Draw(t, "at"),
				ID: rapid.OneOf(rapid.SampledFrom([]string{id(0), id(1), id(2)}), rapid.StringN(0, 40, 200)).Draw(t, "id"),
			}
			filter, sort := drawFilter(t), drawSort(t)
			page, err := s.ListTasks(context.Background(), table.TaskQuery{
				Clusters: []state.ClusterKey{home}, Filter: filter, Sort: sort, Limit: 5, After: after,
			}, start)
			if err != nil {
				require.ErrorIs(t, err, table.ErrPosition)
			}
			for _, record := range page.Records {
				require.True(t, filter.Matches(record))
			}
			_, err = s.ListInstances(context.Background(), table.InstanceQuery{
				Clusters: []state.ClusterKey{home}, Filter: drawInstanceFilter(t), Limit: 5, After: after,
			}, start)
			if err != nil {
				require.ErrorIs(t, err, table.ErrPosition)
			}
		})
	})
}

func TestListsRefuseWhatTheyCannotDo(t *testing.T) {
	_, s := counted(t)
	_, err := s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}}, start)
	require.ErrorContains(t, err, "limit 0: want 1 or more")
	_, err = s.ListTasks(t.Context(), table.TaskQuery{Limit: 1, Sort: table.Sort{By: table.SortByRegisteredAt}}, start)
	require.ErrorContains(t, err, `by "registeredAt": allowed are createdAt, startedAt, stoppedAt`)
	_, err = s.ListInstances(t.Context(), table.InstanceQuery{Limit: 1, Sort: table.Sort{By: "status"}}, start)
	require.ErrorContains(t, err, `by "status": allowed are registeredAt`)
}

func TestClustersMayComeAndGoBetweenPages(t *testing.T) {
	db := memory.New(memory.WithClock(func() time.Time { return start }))
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.State))
	s := newState(db, "blox")
	for i, cluster := range []string{"b", "d"} {
		_, err := s.Put(t.Context(), task(t, 1, "RUNNING", eventtest.ID(id(i)), eventtest.Cluster(cluster)), start)
		require.NoError(t, err)
	}
	key := func(name string) state.ClusterKey {
		return state.ClusterKey{Account: home.Account, Region: home.Region, Name: name}
	}
	// The page ended in a cluster that is not among the known any more; one before it was added.
	page, err := s.ListTasks(t.Context(), table.TaskQuery{
		Clusters: []state.ClusterKey{key("d"), key("a"), key("b")}, Limit: 10, After: table.Position{Cluster: key("c"), Stage: 2, At: 5, ID: id(9)},
	}, start)
	require.NoError(t, err)
	require.Equal(t, []string{id(1)}, ids(page.Records))
}

func TestAListByIndexShowsWhatIsTrueNow(t *testing.T) {
	db := memory.New(memory.WithClock(func() time.Time { return start }),
		memory.WithIndexLag(func(string, string) time.Duration { return memory.UntilSettled }))
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.State))
	s := newState(db, "blox")
	put(t, s, task(t, 1, "RUNNING", eventtest.ID(id(1))), start)
	put(t, s, task(t, 1, "RUNNING", eventtest.ID(id(2))), start)
	db.SettleIndexes()
	put(t, s, task(t, 2, "STOPPED", eventtest.ID(id(1))), start) // no index has heard of it
	for about, filter := range map[string]state.TaskFilter{
		"instance": {ContainerInstance: eventtest.DefaultInstanceID, DesiredStatus: "RUNNING"},
		"group":    {Group: "family:log-agent", LastStatus: "RUNNING"}, "starter": {StartedBy: "ops", LastStatus: "RUNNING"},
	} {
		page, err := s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: filter, Limit: 10}, start)
		require.NoError(t, err)
		require.Equal(t, []string{id(2)}, ids(page.Records), about)
		require.True(t, page.Lagging, about)
	}
	page, err := s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: state.TaskFilter{LastStatus: "STOPPED"}, Limit: 10}, start)
	require.NoError(t, err)
	require.Equal(t, []string{id(1)}, ids(page.Records), "by phase it does not lag")
	require.False(t, page.Lagging)
}
