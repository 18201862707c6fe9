package httpapi

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

type fixedFeed struct{ Feed }

func (fixedFeed) Position(context.Context) (string, error) { return someVersion, nil }

func TestAnOrderThatIsTooMuchIsRefused(t *testing.T) {
	s := &server{Deps: Deps{Feed: fixedFeed{}}}
	_, _, err := s.page(t.Context(), Paging{}, "list", func(table.Position) (table.Page, error) {
		return table.Page{}, fmt.Errorf("listing: %w", table.ErrTooManyToSort)
	})
	require.True(t, isProblem(err))
	require.ErrorContains(t, err, "query.sort: no index has this order")
	require.ErrorContains(t, err, "narrow the list by cluster, status, startedBy, group or service")
}

// A token goes on in the same list: one with another filter, cluster or order is another.
func TestEveryFilterAndOrderMakesAnotherList(t *testing.T) {
	seen := map[string]bool{}
	add := func(kind, cluster, sort string, filter any) {
		t.Helper()
		list, err := fingerprintOf(kind, cluster, sort, filter)
		require.NoError(t, err)
		require.False(t, seen[list])
		seen[list] = true
		again, err := fingerprintOf(kind, cluster, sort, filter)
		require.NoError(t, err)
		require.Equal(t, list, again)
	}
	add("tasks", "", "", state.TaskFilter{})
	add("tasks", "edge", "", state.TaskFilter{})
	add("tasks", "", "createdAt", state.TaskFilter{})
	add("tasks", "", "-createdAt", state.TaskFilter{})
	add("tasks", "", "", state.TaskFilter{StartedBy: "a"})
	add("tasks", "", "", state.TaskFilter{Group: "a"})
	add("tasks", "", "", state.TaskFilter{Search: "a"})
	add("instances", "", "", state.InstanceFilter{})
	add("instances", "", "", state.InstanceFilter{AgentConnected: new(true)})
	add("instances", "", "", state.InstanceFilter{AgentConnected: new(false)})
	value := "b"
	add("instances", "", "", state.InstanceFilter{Attributes: []state.AttributeFilter{{Name: "a"}}})
	add("instances", "", "", state.InstanceFilter{Attributes: []state.AttributeFilter{{Name: "a", Value: &value}}})
}

func TestSortOf(t *testing.T) {
	for given, want := range map[string]table.Sort{
		"": {}, "createdAt": {By: table.SortByCreatedAt}, "-stoppedAt": {By: table.SortByStoppedAt, Descending: true},
	} {
		require.Equal(t, want, sortOf(given))
	}
}
