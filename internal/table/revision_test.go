package table_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func TestRevisionsNewestFirst(t *testing.T) {
	const n = 12
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		none, err := d.Revisions(t.Context(), "e1", 10, 0)
		require.NoError(t, err)
		require.Empty(t, none)
		created(t, d, "e1", "log-agent")
		created(t, d, "e2", "metrics")
		for range n - 1 {
			revised(t, d, "e1", daemon.Revision{TaskDefinition: strings.Repeat("x", 100_000)}) // a page of a query ends at 1 MB
		}
		numbers := func(limit, before int) []int {
			revisions, err := d.Revisions(t.Context(), "e1", limit, before)
			require.NoError(t, err)
			var numbers []int
			for _, rev := range revisions {
				require.Equal(t, "e1", rev.EnvironmentID)
				numbers = append(numbers, rev.Number)
			}
			return numbers
		}
		require.Equal(t, []int{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, numbers(100, 0))
		require.Equal(t, []int{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, numbers(n, 0))
		require.Equal(t, []int{12, 11}, numbers(2, 0))
		require.Equal(t, []int{10, 9, 8}, numbers(3, 11))
		require.Equal(t, []int{1}, numbers(3, 2))
		require.Empty(t, numbers(3, 1))
	})
}
