package table_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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

// The values that tasks of the lists below have; few, so that filters find some of each.
var (
	listClusters = []string{"core", "edge", "edge-2"}
	listStatuses = []string{"PENDING", "RUNNING", "STOPPED"}
	listGroups   = []string{"family:web", "service:web"}
	listStarters = []string{"ops", "blox/1"}
	listFamilies = []string{"web", "log-agent"}
)

// drawTasks stores some tasks in some clusters, and gives them back as they are stored.
func drawTasks(t *rapid.T, s *table.State) []state.Record {
	var keys []state.Key
	for i := range rapid.IntRange(0, 60).Draw(t, "tasks") {
		pick := func(from []string, what string) string { return rapid.SampledFrom(from).Draw(t, what) }
		cluster := pick(listClusters, "cluster")
		stoppedBefore := rapid.SampledFrom([]time.Duration{0, time.Hour, 2 * visibleFor}).Draw(t, "age")
		seen := task(t, 1, pick(listStatuses, "status"), eventtest.ID(id(i)), eventtest.Cluster(cluster),
			eventtest.Time(start.Add(-stoppedBefore)), eventtest.Group(pick(listGroups, "group")),
			eventtest.StartedBy(pick(listStarters, "startedBy")), eventtest.TaskDefinition(pick(listFamilies, "family")+":1"),
			eventtest.OnContainerInstance(id(rapid.IntRange(0, 2).Draw(t, "instance"))))
		_, err := s.Put(context.Background(), seen, start)
		require.NoError(t, err)
		require.NoError(t, s.AddCluster(context.Background(), seen.Cluster))
		keys = append(keys, seen.Key)
	}
	records, err := s.GetMany(context.Background(), keys, true)
	require.NoError(t, err)
	return records
}

func drawFilter(t *rapid.T) state.TaskFilter {
	maybe := func(from []string, what string) string {
		return rapid.SampledFrom(append([]string{"", ""}, from...)).Draw(t, what)
	}
	return state.TaskFilter{
		LastStatus: maybe([]string{"PENDING", "running", "STOPPED"}, "f.status"), DesiredStatus: maybe([]string{"RUNNING", "STOPPED"}, "f.desired"),
		StartedBy: maybe(listStarters, "f.startedBy"), Group: maybe(listGroups, "f.group"), Family: maybe(listFamilies, "f.family"),
		ContainerInstance: maybe([]string{id(0), id(1), "arn:aws:ecs:eu-west-1:" + eventtest.DefaultAccount + ":container-instance/edge/" + id(2)}, "f.instance"),
	}
}

func TestPagesOfAnySizeHoldWhatTheFilterPicksOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := memory.New(memory.WithClock(func() time.Time { return start }))
		require.NoError(t, table.Create(context.Background(), db, "blox", schema.State))
		s := newState(db, "blox")
		filter := drawFilter(t)
		var clusters []state.ClusterKey // nil is all
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(listClusters), 0, 3).Draw(t, "clusters") {
			clusters = append(clusters, state.ClusterKey{Account: home.Account, Region: home.Region, Name: name})
		}
		var want []string
		for _, r := range drawTasks(t, s) {
			visible := r.Tombstone == nil || start.Before(r.Tombstone.VisibleUntil)
			if visible && filter.Matches(r) && (clusters == nil || slices.Contains(clusters, r.Cluster)) {
				want = append(want, r.Key.String())
			}
		}
		list := func(limit int, after table.Position) (table.Page, error) {
			return s.ListTasks(context.Background(), table.TaskQuery{Clusters: clusters, Filter: filter, Limit: limit, After: after}, start)
		}
		big := keysOf(pagesOf(t, func() int { return 1000 }, list))
		small := keysOf(pagesOf(t, func() int { return rapid.IntRange(1, 7).Draw(t, "limit") }, list))
		require.Equal(t, big, small, "the same order, whatever the pages")
		slices.Sort(big)
		slices.Sort(want)
		require.Equal(t, want, append([]string(nil), big...))
	})
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
			seen := task(t, 1, listStatuses[i%3], eventtest.ID(id(i)), eventtest.Group(listGroups[i%2]), eventtest.StartedBy(listStarters[i%2]),
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

func TestAPositionOfAnotherListIsRefused(t *testing.T) {
	db := memory.New(memory.WithClock(func() time.Time { return start }))
	require.NoError(t, table.Create(t.Context(), db, "blox", schema.State))
	s := newState(db, "blox")
	for _, after := range []table.Position{
		{Cluster: home, Stage: 4}, {Cluster: home, Stage: -1}, {Cluster: home, Stage: wrongShard(t, id(1)), ID: id(1)},
	} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			_, err := s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Limit: 1, After: after}, start)
			require.ErrorIs(t, err, table.ErrPosition)
		})
	}
	_, err := s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}}, start)
	require.ErrorContains(t, err, "limit 0: want 1 or more")
}

// wrongShard finds a shard that the id is not in, by what the store itself says.
func wrongShard(t *testing.T, taskID string) int {
	db := memory.New()
	s := table.NewState(db, "blox", visibleFor)
	for shard := range schema.Shards {
		_, err := s.ListTasks(context.Background(), table.TaskQuery{
			Clusters: []state.ClusterKey{home}, Limit: 1, After: table.Position{Cluster: home, Stage: shard, ID: taskID},
		}, start)
		if err != nil && fmt.Sprint(err) == table.ErrPosition.Error() {
			return shard
		}
	}
	require.Fail(t, "every shard takes the id")
	return 0
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
		Clusters: []state.ClusterKey{key("d"), key("a"), key("b")}, Limit: 10, After: table.Position{Cluster: key("c"), Stage: 2, ID: id(9)},
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
		"status": {LastStatus: "RUNNING"}, "instance": {ContainerInstance: eventtest.DefaultInstanceID, DesiredStatus: "RUNNING"},
		"group": {Group: "family:log-agent", LastStatus: "RUNNING"}, "starter": {StartedBy: "ops", LastStatus: "RUNNING"},
	} {
		page, err := s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: filter, Limit: 10}, start)
		require.NoError(t, err)
		require.Equal(t, []string{id(2)}, ids(page.Records), about)
	}
}

// queried counts the queries that are made, and the items that come back.
type queried struct {
	dynamo.API
	queries, items int
}

func (q *queried) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := q.API.Query(ctx, in, opts...)
	if err == nil {
		q.queries, q.items = q.queries+1, q.items+len(out.Items)
	}
	return out, err
}

// Most of a busy cluster are tasks that ended long ago. They cost their read units, and little else.
func TestWhatIsOutOfSightHardlySlowsAList(t *testing.T) {
	memoryDB, s := counted(t)
	const ended, living = 1600, 12
	for i := range ended + living {
		seen := plainTask(i, "web", "")
		if i%((ended+living)/living) != 0 {
			seen.Detail = []byte(strings.ReplaceAll(string(seen.Detail), "RUNNING", "STOPPED"))
		}
		_, err := s.Put(t.Context(), seen, start)
		require.NoError(t, err)
	}
	now := start.Add(visibleFor)
	for about, tc := range map[string]struct {
		now   time.Time
		query table.TaskQuery
		found int
		items int
		most  int
	}{
		"expired":                      {now, table.TaskQuery{Limit: 100}, 13, 13, 8},
		"of another status":            {start, table.TaskQuery{Limit: 100, Consistent: true, Filter: state.TaskFilter{LastStatus: "running"}}, 13, 13, 8},
		"of another status, and later": {now, table.TaskQuery{Limit: 100, Consistent: true, Filter: state.TaskFilter{LastStatus: "STOPPED"}}, 0, 0, 8},
		"everything is picked":         {start, table.TaskQuery{Limit: 100}, ended + living, ended + living + 60, 22},
	} {
		t.Run(about, func(t *testing.T) {
			db := &queried{API: memoryDB}
			s := table.NewState(db, "blox", visibleFor)
			memoryDB.ResetConsumed()
			tc.query.Clusters = []state.ClusterKey{home}
			all := pagesOf(t, func() int { return 100 }, func(_ int, after table.Position) (table.Page, error) {
				tc.query.After = after
				return s.ListTasks(t.Context(), tc.query, tc.now)
			})
			require.Len(t, all, tc.found)
			require.LessOrEqual(t, db.items, tc.items)
			require.LessOrEqual(t, db.queries, tc.most)
			var units float64
			for _, consumed := range memoryDB.Consumed().ByIndex {
				units += consumed.Read
			}
			require.InDelta(t, 190, units, 10, "whatever is picked")
		})
	}
}
