package httpapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/event/eventtest"
)

// Orders are by one time, in either direction, over all clusters and pages; what has no such time comes last.
func TestListsInOrder(t *testing.T) {
	a := newAPI(t)
	hour := func(n int) string { return start.Add(-time.Duration(n) * time.Hour).UTC().Format(time.RFC3339) }
	for _, task := range []struct {
		n, created, started, stopped int // hours ago, 0 for never
		cluster                      string
	}{
		{1, 9, 5, 0, "edge"}, {2, 8, 6, 2, "core"}, {3, 7, 0, 3, "edge"}, {4, 6, 4, 0, "core"}, {5, 5, 3, 1, "edge"},
	} {
		options := []eventtest.Option{
			eventtest.ID(id(task.n)), eventtest.Cluster(task.cluster), eventtest.Field("createdAt", hour(task.created)), eventtest.LastStatus("RUNNING"),
		}
		if task.stopped > 0 {
			options = append(options, eventtest.LastStatus("STOPPED"), eventtest.Field("stoppedAt", hour(task.stopped)))
		}
		if task.started > 0 {
			options = append(options, eventtest.Field("startedAt", hour(task.started)))
		} else {
			options = append(options, eventtest.WithoutField("startedAt"))
		}
		a.task(options...)
	}
	for n, registered := range []int{3, 1, 2} {
		a.instance(eventtest.ID(id(11+n)), eventtest.Cluster([]string{"edge", "core"}[n%2]), eventtest.Field("registeredAt", hour(registered)))
	}
	for query, want := range map[string][]int{
		"tasks?sort=createdAt":                     {1, 2, 3, 4, 5},
		"tasks?sort=-createdAt":                    {5, 4, 3, 2, 1},
		"tasks?sort=-createdAt&cluster=edge":       {5, 3, 1},
		"tasks?sort=startedAt":                     {2, 1, 4, 5, 3},
		"tasks?sort=-startedAt":                    {5, 4, 1, 2, 3},
		"tasks?sort=stoppedAt&status=stopped":      {3, 2, 5},
		"tasks?sort=-stoppedAt&status=stopped":     {5, 2, 3},
		"instances?sort=registeredAt":              {11, 13, 12},
		"instances?sort=-registeredAt":             {12, 13, 11},
		"instances?sort=registeredAt&cluster=edge": {11, 13},
	} {
		for _, limit := range []string{"&limit=1", "&limit=2", "&limit=100"} {
			var got []int
			token := ""
			for range 20 {
				answer := a.get("/v1/" + query + limit + token)
				got = append(got, numbersOf(t, answer)...)
				next, more := answer.object()["nextToken"].(string)
				if !more {
					break
				}
				token = "&nextToken=" + next
			}
			require.Equal(t, want, got, query+limit)
		}
	}
}

// An order is a part of what a token belongs to.
func TestATokenKeepsItsOrder(t *testing.T) {
	a := newAPI(t)
	for n := range 4 {
		a.task(eventtest.ID(id(n)))
	}
	var page client.TaskPage
	a.get("/v1/tasks?limit=1&sort=createdAt").into(&page)
	require.NotEmpty(t, page.NextToken)
	require.Contains(t, a.get("/v1/tasks?limit=1&sort=-createdAt&nextToken="+page.NextToken).problem(400), "another order")
	require.Contains(t, a.get("/v1/tasks?limit=1&nextToken="+page.NextToken).problem(400), "another order")
}
