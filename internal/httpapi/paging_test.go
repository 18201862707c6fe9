package httpapi

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

type fixedFeed struct{ Feed }

func (fixedFeed) Position(context.Context) (string, error) { return someVersion, nil }

func TestAnOrderThatIsTooMuchIsRefused(t *testing.T) {
	s := &server{Deps: Deps{Feed: fixedFeed{}}}
	for of, advice := range map[ordered][]string{
		{state.KindTask, "createdAt"}:                  {"desiredStatus=RUNNING or a status before STOPPED", "name a cluster"},
		{state.KindTask, "-createdAt"}:                 {"desiredStatus=RUNNING or a status before STOPPED"},
		{state.KindTask, "-startedAt"}:                 {"startedBy, group, service", "startedSince"},
		{state.KindTask, "-stoppedAt"}:                 {"status=STOPPED", "stoppedSince"},
		{state.KindContainerInstance, "-registeredAt"}: {"name a cluster, or a status other than INACTIVE"},
	} {
		_, _, err := s.page(t.Context(), Paging{}, "list", of, func(table.Position) (table.Page, error) {
			return table.Page{}, fmt.Errorf("listing: %w", table.ErrTooManyToSort)
		})
		require.True(t, isProblem(err))
		require.ErrorContains(t, err, "query.sort: there are too many records to sort: ")
		require.ErrorContains(t, err, ", or leave sort out")
		for _, text := range advice {
			require.ErrorContains(t, err, text, of)
		}
		if of.kind == state.KindContainerInstance {
			for _, parameter := range []string{"desiredStatus", "startedBy", "group", "service"} {
				require.NotContains(t, err.Error(), parameter, "container instances have no such filter")
			}
		}
	}
}

// A release with a new filter goes on with the tokens of lists that do not use it.
func TestAFilterThatIsNotGivenDoesNotCount(t *testing.T) {
	type before struct{ StartedBy string }
	type after struct {
		Added     *bool
		StartedBy string
		Since     time.Time
	}
	of := func(filter any) string {
		list, err := fingerprintOf("tasks", "edge", "", filter)
		require.NoError(t, err)
		return list
	}
	require.Equal(t, of(before{"ops"}), of(after{StartedBy: "ops"}))
	require.NotEqual(t, of(before{"ops"}), of(after{StartedBy: "ops", Added: new(false)}))
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
