package table_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// crowd is a cluster with a hundred running tasks of a service, a hundred that stopped within the last hour, and others
// that stopped before: those no list below asks for.
func crowd(t testing.TB, others int) (*memory.DB, *table.State) {
	t.Helper()
	db, s := counted(t)
	store := func(n int, group, status string, stoppedAt time.Time) {
		times := fmt.Sprintf(`"createdAt": %q, "startedAt": %q`, after(-86_400+n).Format(time.RFC3339), after(-86_399+n).Format(time.RFC3339))
		if status == "STOPPED" {
			times += fmt.Sprintf(`, "stoppedAt": %q`, stoppedAt.Format(time.RFC3339))
		}
		seen := plainTask(n, "web", "")
		seen.Detail = fmt.Appendf(nil, `{"lastStatus": %q, "desiredStatus": %q, "group": %q, %s}`, status, status, group, times)
		_, err := s.Put(context.Background(), seen, start)
		require.NoError(t, err)
	}
	for n := range 100 {
		store(n, "service:web", "RUNNING", time.Time{})
		store(100+n, "service:batch", "STOPPED", after(-n))
	}
	for n := range others {
		store(200+n, "family:job", "STOPPED", after(-7200-n%3600))
	}
	return db, s
}

// hundreds are lists of a hundred.
var hundreds = []struct {
	name   string
	filter state.TaskFilter
	sort   table.Sort
	most   float64 // read units
}{
	{"status", state.TaskFilter{LastStatus: "RUNNING"}, table.Sort{}, 120},
	{"desired-status", state.TaskFilter{DesiredStatus: "RUNNING"}, table.Sort{}, 120},
	{"group", state.TaskFilter{Group: "service:web"}, table.Sort{}, 105},
	{"service", state.TaskFilter{Service: "web", LastStatus: "RUNNING"}, table.Sort{}, 105},
	{"stopped-since", state.TaskFilter{StoppedSince: after(-3600)}, table.Sort{}, 120},
	{"group-by-created", state.TaskFilter{Group: "service:web", DesiredStatus: "RUNNING"}, table.Sort{By: table.SortByCreatedAt, Descending: true}, 105},
	{"last-stopped", state.TaskFilter{LastStatus: "STOPPED"}, table.Sort{By: table.SortByStoppedAt, Descending: true}, 120},
	{"last-created", state.TaskFilter{DesiredStatus: "RUNNING"}, table.Sort{By: table.SortByCreatedAt, Descending: true}, 130},
}

// readUnits is what a list of a hundred consumes.
func readUnits(t testing.TB, db *memory.DB, s *table.State, filter state.TaskFilter, sort table.Sort) float64 {
	t.Helper()
	db.ResetConsumed()
	page, err := s.ListTasks(context.Background(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: filter, Sort: sort, Limit: 100}, start)
	require.NoError(t, err)
	require.Len(t, page.Records, 100)
	require.Equal(t, 100, page.Examined, "nothing is read that is not returned")
	return db.Consumed().Read
}

// What does not match costs nothing, however much of it there is.
func TestAListCostsWhatItReturns(t *testing.T) {
	few, fewState := crowd(t, 100)
	many, manyState := crowd(t, 2000)
	for _, list := range hundreds {
		t.Run(list.name, func(t *testing.T) {
			units := readUnits(t, few, fewState, list.filter, list.sort)
			require.LessOrEqual(t, units, list.most)
			require.InDelta(t, units, readUnits(t, many, manyState, list.filter, list.sort), 0, "with twenty times as many that do not match")
		})
	}
}

func TestAGetIsOneRead(t *testing.T) {
	db, s := crowd(t, 0)
	db.ResetConsumed()
	_, err := s.Get(t.Context(), taskKey(id(1)), start)
	require.NoError(t, err)
	require.InDelta(t, 1, db.Consumed().Read, 0)
}

func TestLivingCostsWhatLives(t *testing.T) {
	db, s := crowd(t, 2000)
	db.ResetConsumed()
	living, err := s.Living(t.Context(), home, state.KindTask)
	require.NoError(t, err)
	require.Len(t, living, 100)
	require.LessOrEqual(t, db.Consumed().Read, 110.0)
}

func TestWhatIsTooMuchToSortIsRefused(t *testing.T) {
	_, s := crowd(t, 1900)
	query := table.TaskQuery{Clusters: []state.ClusterKey{home}, Limit: 10, Sort: table.Sort{By: table.SortByStartedAt}}
	_, err := s.ListTasks(t.Context(), query, start)
	require.ErrorIs(t, err, table.ErrTooManyToSort)
	query.Filter.StoppedSince = after(-3600)
	page, err := s.ListTasks(t.Context(), query, start)
	require.NoError(t, err, "the filter leaves few")
	require.Len(t, page.Records, 10)
	require.Equal(t, 100, page.Examined)

	var clusters []state.ClusterKey
	for n := range 60 {
		clusters = append(clusters, state.ClusterKey{Account: home.Account, Region: home.Region, Name: fmt.Sprintf("c%d", n)})
	}
	query = table.TaskQuery{Clusters: clusters, Limit: 10, Sort: table.Sort{By: table.SortByStoppedAt}}
	page, err = s.ListTasks(t.Context(), query, start)
	require.NoError(t, err, "too many partitions to merge, and few tasks to sort")
	require.Empty(t, page.Records)
}

// Pages that end at bounds within a sorted list go on where they ended, and what has no time comes last.
func TestASortedListInPages(t *testing.T) {
	_, s := crowd(t, 50)
	sort := table.Sort{By: table.SortByStoppedAt, Descending: true}
	all := pagesOf(t, func() int { return 7 }, func(limit int, after table.Position) (table.Page, error) {
		return s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Sort: sort, Limit: limit, After: after}, start)
	})
	require.Len(t, all, 250)
	requireSorted(t, all, sort)
	require.Len(t, slices.Compact(ids(all)), 250)
}

// Tasks are created many in the same millisecond, and some have not told when: wherever a page ends, none is lost.
func TestASortedListOfEqualTimes(t *testing.T) {
	_, s := counted(t)
	for n := range 36 {
		seen, times := plainTask(n, "web", ""), ""
		if n%4 > 0 {
			times = fmt.Sprintf(`, "createdAt": %q`, start.Add(time.Duration(n%4)*time.Millisecond).Format(time.RFC3339Nano))
		}
		seen.Detail = fmt.Appendf(nil, `{"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "group": "g"%s}`, times)
		_, err := s.Put(t.Context(), seen, start)
		require.NoError(t, err)
	}
	for _, filter := range []state.TaskFilter{{DesiredStatus: "RUNNING"}, {DesiredStatus: "RUNNING", Group: "g"}, {LastStatus: "RUNNING", Search: "00"}, {}} {
		for _, descending := range []bool{false, true} {
			sort := table.Sort{By: table.SortByCreatedAt, Descending: descending}
			for size := range 5 {
				all := pagesOf(t, func() int { return size + 1 }, func(limit int, after table.Position) (table.Page, error) {
					return s.ListTasks(t.Context(), table.TaskQuery{Clusters: []state.ClusterKey{home}, Filter: filter, Sort: sort, Limit: limit, After: after}, start)
				})
				require.Len(t, all, 36)
				require.Len(t, slices.Compact(ids(all)), 36)
				requireSorted(t, all, sort)
			}
		}
	}
}

// What has gone out of sight is not looked at, however much of it there is.
func TestAListOfContainerInstancesLooksAtWhatIsInSight(t *testing.T) {
	_, s := counted(t)
	for n := range 40 {
		status := "INACTIVE"
		if n%10 == 0 {
			status = "ACTIVE"
		}
		put(t, s, instance(t, 1, status, eventtest.ID(id(n)), eventtest.Time(start.Add(-visibleFor))), start)
	}
	page, err := s.ListInstances(t.Context(), table.InstanceQuery{Clusters: []state.ClusterKey{home}, Limit: 100}, start.Add(time.Second))
	require.NoError(t, err)
	require.Len(t, page.Records, 4)
	require.Equal(t, 4, page.Examined)
	require.True(t, page.Next.IsZero())
}

func BenchmarkList(b *testing.B) {
	for _, others := range []int{1000, 50_000} {
		db, s := crowd(b, others)
		for _, list := range hundreds {
			b.Run(fmt.Sprintf("%s/%d-others", list.name, others), func(b *testing.B) {
				var units float64
				for b.Loop() {
					units = readUnits(b, db, s, list.filter, list.sort)
				}
				b.ReportMetric(units, "RRU/list-of-100")
			})
		}
		b.Run(fmt.Sprintf("living/%d-others", others), func(b *testing.B) {
			for b.Loop() {
				db.ResetConsumed()
				living, err := s.Living(context.Background(), home, state.KindTask)
				require.NoError(b, err)
				require.Len(b, living, 100)
			}
			b.ReportMetric(db.Consumed().Read, "RRU/100-living")
		})
	}
}
