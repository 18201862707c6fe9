package table_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func TestRemoveEnvironmentLeavesNothingButItsTimeline(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		created(t, d, "e2", "metrics")
		before := contents(t, db, name)
		env := created(t, d, "e1", "log-agent")
		furnish(t, d, env)
		require.NoError(t, d.RemoveEnvironment(t.Context(), env, after(60)))
		require.Equal(t, before, butTimelines(contents(t, db, name)))
		require.NoError(t, d.RemoveEnvironment(t.Context(), env, after(60)), "once more is nothing")
		require.Equal(t, before, butTimelines(contents(t, db, name)))
	})
}

// Whoever dies while removing leaves an environment that is found by its name, and can be removed again.
func TestRemoveEnvironmentAfterACrash(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		crashPoints(t, db, func(t *testing.T, dying *crashing, _ int) {
			env := created(t, d, "e1", "log-agent")
			furnish(t, d, env)
			err := table.NewDaemon(dying, name).RemoveEnvironment(t.Context(), env, after(60))
			if err != nil {
				require.ErrorIs(t, err, errCrash)
			}
			found, err := d.EnvironmentByName(t.Context(), "log-agent")
			if err == nil {
				require.NoError(t, d.RemoveEnvironment(t.Context(), found, after(61)))
			} else {
				require.ErrorIs(t, err, table.ErrNotFound)
			}
			require.Empty(t, butTimelines(contents(t, db, name)))
		})
	})
}

// butTimelines leaves out what DynamoDB's TTL removes.
func butTimelines(contents []string) []string {
	return slices.DeleteFunc(contents, func(item string) bool { return strings.Contains(item, " timeline/") })
}

func TestRemoveEnvironmentLeavesTheNameToANewOne(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		old := created(t, d, "e1", "log-agent")
		require.NoError(t, d.RemoveEnvironment(t.Context(), old, after(60)))
		created(t, d, "e2", "log-agent")
		before := contents(t, db, name)
		require.NoError(t, d.RemoveEnvironment(t.Context(), old, after(60)), "a wake-up that was under way for long")
		require.Equal(t, before, contents(t, db, name))
	})
}

// gone are the deleted environments that can be seen at a moment, as "id at second".
func gone(t *testing.T, d *table.Daemon, second int) []string {
	t.Helper()
	all, err := d.DeletedEnvironments(t.Context(), after(second))
	require.NoError(t, err)
	var seen []string
	for _, e := range all {
		seen = append(seen, fmt.Sprintf("%s at %d", e.Environment.ID, int(e.DeletedAt.Sub(start).Seconds())))
	}
	return seen
}

func TestADeletedEnvironmentIsSeenForADay(t *testing.T) {
	const day = 24 * 3600
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		require.Empty(t, gone(t, d, 0))
		_, err := d.DeletedEnvironment(t.Context(), "log-agent", after(0))
		require.ErrorIs(t, err, table.ErrNotFound)

		older := created(t, d, "e2", "log-agent")
		require.NoError(t, d.RemoveEnvironment(t.Context(), older, after(10)))
		env := created(t, d, "e1", "log-agent")
		other := created(t, d, "e3", "log-agent-2")
		furnish(t, d, env)
		env = read(t, d, "e1")
		require.Equal(t, []string{"e2 at 10"}, gone(t, d, 10), "those that there are do not count")
		require.NoError(t, d.RemoveEnvironment(t.Context(), env, after(20)))
		require.NoError(t, d.RemoveEnvironment(t.Context(), other, after(30)))
		require.NoError(t, d.RemoveEnvironment(t.Context(), env, after(40)), "once more is nothing")

		last, err := d.DeletedEnvironment(t.Context(), "log-agent", after(50))
		require.NoError(t, err)
		require.Equal(t, table.DeletedEnvironment{Environment: env, DeletedAt: after(20)}, last, "the last one of the name, as it was")
		require.ElementsMatch(t, []string{"e1 at 20", "e2 at 10", "e3 at 30"}, gone(t, d, 10+day-1))
		require.ElementsMatch(t, []string{"e1 at 20", "e3 at 30"}, gone(t, d, 10+day), "whether DynamoDB deleted it or not")
		require.Empty(t, gone(t, d, 30+day))
		_, err = d.DeletedEnvironment(t.Context(), "log-agent", after(20+day))
		require.ErrorIs(t, err, table.ErrNotFound)
	})
}

func TestAnEnvironmentThatCameBackWasDeletedOnceMore(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		for i := range 3 {
			env := created(t, d, fmt.Sprint("e", i), "log-agent")
			require.NoError(t, d.RemoveEnvironment(t.Context(), env, after(i)))
		}
		last, err := d.DeletedEnvironment(t.Context(), "log-agent", after(5))
		require.NoError(t, err)
		require.Equal(t, "e2", last.Environment.ID)
		require.Equal(t, daemon.EnvironmentActive, last.Environment.Status)
	})
}
