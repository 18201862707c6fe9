package table_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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

func TestAppendTimelineAll(t *testing.T) {
	const n = 60
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		require.NoError(t, d.AppendTimelineAll(t.Context(), "e1", nil))
		var entries []table.TimelineEntry
		for i := range n {
			entries = append(entries, table.TimelineEntry{At: after(i), DeploymentID: "d1", Kind: "start", Reason: "first"})
		}
		again := entries[3]
		again.Reason = "again"
		require.NoError(t, d.AppendTimelineAll(t.Context(), "e1", append(entries, again)))
		all, err := d.Timeline(t.Context(), "e1", "d1", 100)
		require.NoError(t, err)
		require.Len(t, all, n)
		for i, entry := range all {
			want := entries[n-1-i]
			if i == n-1-3 {
				want = again
			}
			want.TTL = want.At.Add(30 * 24 * time.Hour).Unix()
			require.Equal(t, want, entry)
		}
	})
}

// leaving writes one item of a batch, and leaves the rest over.
type leaving struct {
	dynamo.API
	calls int
	least int // it leaves over at least so many
}

func (l *leaving) BatchWriteItem(
	ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.BatchWriteItemOutput, error) {
	l.calls++
	for table, requests := range in.RequestItems {
		done := max(1, len(requests)/2)
		left := map[string][]types.WriteRequest{table: requests[done:]}
		if len(requests) <= l.least {
			return &dynamodb.BatchWriteItemOutput{UnprocessedItems: in.RequestItems}, nil
		} else if len(requests) == done {
			left = nil
		}
		_, err := l.API.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table: requests[:done]},
		}, opts...)
		return &dynamodb.BatchWriteItemOutput{UnprocessedItems: left}, err
	}
	return nil, nil
}

func TestAppendTimelineAllWritesWhatIsLeftOver(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		var entries []table.TimelineEntry
		for i := range 12 {
			entries = append(entries, table.TimelineEntry{At: after(i), DeploymentID: "d1", Kind: "start"})
		}
		slow := &leaving{API: db}
		require.NoError(t, table.NewDaemon(slow, name).AppendTimelineAll(t.Context(), "e1", entries))
		require.Equal(t, 5, slow.calls, "12 items, then 6, 3, 2 and 1")
		all, err := table.NewDaemon(db, name).Timeline(t.Context(), "e1", "d1", 100)
		require.NoError(t, err)
		require.Len(t, all, len(entries))

		stuck := &leaving{API: db, least: 1}
		err = table.NewDaemon(stuck, name).AppendTimelineAll(t.Context(), "e2", entries)
		require.ErrorContains(t, err, "still throttled")
		require.Equal(t, 8, stuck.calls, "bounded")
	})
}
