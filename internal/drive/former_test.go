package drive

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/event/eventtest"
)

// An environment was deleted, its tasks were left running, and one of its name was made again: a second daemon beside each
// of them is what must not be.
func TestTasksOfTheEnvironmentBeforeAreAdopted(t *testing.T) {
	w := newWorld(t)
	env := w.environment()
	env.FormerIDs = []string{"before"}
	require.NoError(t, w.daemon.UpdateEnvironment(t.Context(), env, nil))
	left := func(n int, group, definition string) {
		w.host(n)
		w.other(left32(n), n, eventtest.Group(daemon.Group("blox", group)), eventtest.StartedBy(daemon.StartedBy("gone")), eventtest.TaskDefinition(definition))
	}
	left(1, "before", "log-agent:1")
	left(2, "before", "log-agent:7")
	left(3, "stranger", "log-agent:1")

	t.Run("by a look at everything", func(t *testing.T) {
		require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
		require.Len(t, w.ecs.requests, 1, "on the host whose task is a stranger's")
		require.Equal(t, []int{1, 0, 1}, []int{w.slot(1).Revision, w.slot(2).Revision, w.slot(3).Revision}, "the second is outdated")
		require.Equal(t, daemon.SlotPlaced, w.slot(1).State)
		require.Contains(t, w.slot(1).TaskARN, left32(1))
	})
	t.Run("by a look at one host", func(t *testing.T) {
		left(4, "before", "log-agent:1")
		require.NoError(t, w.driver.Drive(t.Context(), "env", w.instances(4)))
		require.Len(t, w.ecs.requests, 1)
		require.Contains(t, w.slot(4).TaskARN, left32(4))
	})
	t.Run("and what is outdated is replaced by the rollout", func(t *testing.T) {
		require.NoError(t, w.state.PutSync(t.Context(), syncedAt(w.now)))
		w.now = w.now.Add(time.Minute)
		require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
		require.Equal(t, []string{w.slot(2).TaskARN}, slices.Compact(w.ecs.stopped))
		require.Contains(t, w.slot(2).TaskARN, left32(2))
	})
}

// left32 is the id of the task that was left on a host.
func left32(n int) string { return "1ef7000000000000000000000000000" + string(rune('0'+n)) }
