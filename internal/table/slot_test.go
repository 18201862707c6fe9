package table_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func host(ec2InstanceID string) daemon.HostKey {
	return daemon.HostKey{Cluster: home, EC2InstanceID: ec2InstanceID}
}

// slot is a claim, with every kind of field that a slot has.
func slot(environmentID, ec2InstanceID string) daemon.Slot {
	claimedAt := start.Add(123456789 * time.Nanosecond)
	return daemon.Slot{
		EnvironmentID: environmentID, Host: host(ec2InstanceID), State: daemon.SlotClaimed, Revision: 3, DeploymentID: "d1",
		Attempt: 2, ClaimedAt: &claimedAt, Disrupted: true,
		Request: json.RawMessage(`{"cluster":"edge", "clientToken":"<&>", "count":1}`),
	}
}

func TestPutSlotOnlyOverWhatWasRead(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		first := slot("e1", "i-1")
		stored, err := d.PutSlot(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, int64(1), stored.RecordVersion)
		slots, err := d.Slots(t.Context(), "e1")
		require.NoError(t, err)
		require.Equal(t, []daemon.Slot{stored}, slots, "the request comes back byte for byte, times to the nanosecond")

		_, err = d.PutSlot(t.Context(), first)
		require.ErrorIs(t, err, table.ErrConflict, "another driver has made it")
		placed := stored
		placed.State, placed.Request, placed.TaskARN = daemon.SlotPlaced, nil, "arn:aws:ecs:eu-west-1:210987654321:task/edge/1"
		placed, err = d.PutSlot(t.Context(), placed)
		require.NoError(t, err)
		require.Equal(t, int64(2), placed.RecordVersion)
		_, err = d.PutSlot(t.Context(), stored)
		require.ErrorIs(t, err, table.ErrConflict, "another driver has changed it")
		require.ErrorContains(t, err, "i-1")
		slots, err = d.Slots(t.Context(), "e1")
		require.NoError(t, err)
		require.Equal(t, []daemon.Slot{placed}, slots)
	})
}

func TestSlotsOfAnEnvironment(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		furnish(t, d, created(t, d, "e1", "log-agent")) // has a slot on i-1
		for _, machine := range []string{"mi-3", "i-2"} {
			_, err := d.PutSlot(t.Context(), slot("e1", machine))
			require.NoError(t, err)
		}
		_, err := d.PutSlot(t.Context(), slot("e2", "i-2"))
		require.NoError(t, err)

		hosts := func(slots []daemon.Slot) []string {
			var hosts []string
			for _, s := range slots {
				require.Equal(t, "e1", s.EnvironmentID)
				hosts = append(hosts, s.Host.EC2InstanceID)
			}
			slices.Sort(hosts)
			return hosts
		}
		all, err := d.Slots(t.Context(), "e1")
		require.NoError(t, err)
		require.Equal(t, []string{"i-1", "i-2", "mi-3"}, hosts(all))
		some, err := d.SlotsOf(t.Context(), "e1", []daemon.HostKey{host("i-2"), host("i-9"), host("mi-3"), host("i-2")})
		require.NoError(t, err)
		require.Equal(t, []string{"i-2", "mi-3"}, hosts(some))
		none, err := d.SlotsOf(t.Context(), "e1", nil)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestPutSlotUnderLease(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		held, _, err := d.AcquireLease(t.Context(), "e1", "one", after(0), time.Minute)
		require.NoError(t, err)
		stored, err := d.PutSlotUnderLease(t.Context(), slot("e1", "i-1"), held)
		require.NoError(t, err)
		require.Equal(t, int64(1), stored.RecordVersion)
		_, err = d.PutSlotUnderLease(t.Context(), slot("e1", "i-1"), held)
		require.ErrorIs(t, err, table.ErrConflict, "the slot changed")

		taken, _, err := d.AcquireLease(t.Context(), "e1", "two", after(61), time.Minute)
		require.NoError(t, err)
		stored.State = daemon.SlotStopping
		_, err = d.PutSlotUnderLease(t.Context(), stored, held)
		require.ErrorIs(t, err, table.ErrConflict, "the lease was taken over")
		slots, err := d.Slots(t.Context(), "e1")
		require.NoError(t, err)
		require.Equal(t, daemon.SlotClaimed, slots[0].State)
		_, err = d.PutSlotUnderLease(t.Context(), stored, taken)
		require.NoError(t, err)
		_, err = d.PutSlotUnderLease(t.Context(), slot("e2", "i-1"), table.Lease{EnvironmentID: "e2", Epoch: 1})
		require.ErrorIs(t, err, table.ErrConflict, "there is no lease")
	})
}

func TestDeleteSlotOnlyAsItWasRead(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		first, err := d.PutSlot(t.Context(), slot("e1", "i-1"))
		require.NoError(t, err)
		second, err := d.PutSlot(t.Context(), first)
		require.NoError(t, err)
		require.ErrorIs(t, d.DeleteSlot(t.Context(), first), table.ErrConflict)
		require.NoError(t, d.DeleteSlot(t.Context(), second))
		require.ErrorIs(t, d.DeleteSlot(t.Context(), second), table.ErrConflict)
		slots, err := d.Slots(t.Context(), "e1")
		require.NoError(t, err)
		require.Empty(t, slots)
	})
}
