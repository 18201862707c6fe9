package table_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// afterQuery is a DynamoDB in which something may happen after each query, before its answer arrives.
type afterQuery struct {
	dynamo.API
	then func()
}

func (a *afterQuery) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := a.API.Query(ctx, in, opts...)
	a.then()
	return out, err
}

// aged is a task that ECS wants to run, created n/2 milliseconds after the start.
func aged(n int, version int64, status string, created time.Time) state.Observation {
	seen := plainTask(n, "web", "")
	seen.Version = version
	seen.Detail = fmt.Appendf(nil, `{"lastStatus": %q, "desiredStatus": "RUNNING", "createdAt": %q}`, status, created.Format(time.RFC3339Nano))
	return seen
}

// inShards are numbers whose ids are in the first shards.
func inShards(count, shards int) []int {
	var of []int
	for n := 0; len(of) < count; n++ {
		if table.ShardOf(id(n), schema.TaskShards) < shards {
			of = append(of, n)
		}
	}
	return of
}

// Tasks move on in their lives between any two queries of a sorted list. Each is in it once.
func TestASortedListUnderWritersHasEachTaskOnce(t *testing.T) {
	life := []string{"PENDING", "RUNNING", "DEPROVISIONING"}
	numbers := inShards(120, 2)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		if run++; run > 40 {
			return
		}
		db := memory.New()
		require.NoError(t, table.Create(context.Background(), db, "blox", schema.State))
		steps := make([]int, len(numbers))
		store := func(i int) {
			_, err := newState(db, "blox").Put(context.Background(),
				aged(numbers[i], int64(steps[i]+1), life[steps[i]], start.Add(time.Duration(i/2)*time.Millisecond)), start)
			require.NoError(t, err)
		}
		late := rapid.IntRange(0, 2).Draw(t, "late")
		for i := range numbers {
			steps[i] = min(late, i%3)
			store(i)
		}
		s := newState(&afterQuery{API: db, then: func() {
			for range rapid.IntRange(0, 6).Draw(t, "moves") {
				if i := rapid.IntRange(0, len(numbers)-1).Draw(t, "task"); steps[i] < len(life)-1 {
					steps[i]++
					store(i)
				}
			}
		}}, "blox")
		sort := table.Sort{By: table.SortByCreatedAt, Descending: rapid.Bool().Draw(t, "descending")}
		all := pagesOf(t, func() int { return rapid.SampledFrom([]int{7, 40, 1000}).Draw(t, "limit") }, func(limit int, after table.Position) (table.Page, error) {
			return s.ListTasks(context.Background(), table.TaskQuery{
				Clusters: []state.ClusterKey{home}, Filter: state.TaskFilter{DesiredStatus: "RUNNING"}, Sort: sort, Limit: limit, After: after,
			}, start)
		})
		require.Len(t, all, len(numbers))
		require.Len(t, slices.Compact(ids(all)), len(numbers))
		requireSorted(t, all, sort)
	})
}

// However many tasks began in one millisecond, a page does not read those again that came before it.
func TestASortedPageOfOneMomentBeginsWhereTheLastEnded(t *testing.T) {
	db, s := counted(t)
	for _, n := range inShards(1000, 1) {
		_, err := s.Put(t.Context(), aged(n, 1, "RUNNING", start), start)
		require.NoError(t, err)
	}
	query := table.TaskQuery{
		Clusters: []state.ClusterKey{home}, Filter: state.TaskFilter{DesiredStatus: "RUNNING"}, Limit: 100,
		Sort: table.Sort{By: table.SortByCreatedAt},
	}
	var first float64
	for page := range 10 {
		db.ResetConsumed()
		got, err := s.ListTasks(t.Context(), query, start)
		require.NoError(t, err)
		require.Len(t, got.Records, 100)
		if query.After = got.Next; page == 0 {
			first = db.Consumed().Read
		}
		require.LessOrEqual(t, db.Consumed().Read, first+5, "page %d", page)
	}
}
