package table_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func TestTimelineNewestFirst(t *testing.T) {
	entry := func(deployment, kind, host string, at time.Time) table.TimelineEntry {
		return table.TimelineEntry{At: at, DeploymentID: deployment, Kind: daemon.Kind(kind), Host: host, Reason: "because"}
	}
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		first := entry("d1", "start", "i-1", after(1))
		second := entry("d1", "start", "i-2", after(1))
		third := entry("d1", "stop", "i-1", after(2).Add(5*time.Microsecond))
		for _, e := range []table.TimelineEntry{third, first, second, first, entry("d2", "start", "i-1", after(3)), entry("d", "start", "i-1", after(3))} {
			require.NoError(t, d.AppendTimeline(t.Context(), "e1", e))
		}
		require.NoError(t, d.AppendTimeline(t.Context(), "e2", entry("d1", "start", "i-9", after(9))))

		all, err := d.Timeline(t.Context(), "e1", "d1", 10)
		require.NoError(t, err)
		want := []table.TimelineEntry{third, second, first}
		for i := range want {
			want[i].TTL = want[i].At.Add(30 * 24 * time.Hour).Unix()
		}
		require.Equal(t, want, all)
		newest, err := d.Timeline(t.Context(), "e1", "d1", 1)
		require.NoError(t, err)
		require.Equal(t, want[:1], newest)
		none, err := d.Timeline(t.Context(), "e1", "d9", 10)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}
