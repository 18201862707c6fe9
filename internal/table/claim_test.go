package table_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// A driver that was paused for longer than its lease may hold the plan of an environment that was deleted meanwhile.
func TestClaimSlotOnlyOfALivingEnvironment(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env := created(t, d, "e1", "log-agent")
		stored, err := d.ClaimSlot(t.Context(), slot("e1", "i-1"))
		require.NoError(t, err)
		require.Equal(t, int64(1), stored.RecordVersion)
		_, err = d.ClaimSlot(t.Context(), slot("e1", "i-1"))
		require.ErrorIs(t, err, table.ErrConflict, "another driver has made it")

		env.Status = daemon.EnvironmentDeleting
		require.NoError(t, d.UpdateEnvironment(t.Context(), env, nil))
		_, err = d.ClaimSlot(t.Context(), slot("e1", "i-2"))
		require.ErrorIs(t, err, table.ErrConflict, "it is being deleted")
		stored, err = d.ClaimSlot(t.Context(), stored)
		require.NoError(t, err, "what it had before is seen by whoever deletes it")
		require.Equal(t, int64(2), stored.RecordVersion)

		require.NoError(t, d.RemoveEnvironment(t.Context(), env, after(60)))
		for _, late := range []daemon.Slot{slot("e1", "i-2"), stored} {
			_, err = d.ClaimSlot(t.Context(), late)
			require.ErrorIs(t, err, table.ErrConflict, "it is no more")
		}
		slots, err := d.Slots(t.Context(), "e1")
		require.NoError(t, err)
		require.Empty(t, slots)
	})
}
