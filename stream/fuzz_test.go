package stream_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/stream"
)

// FuzzDecode: whatever stands in a record, decoding ends with a whole change, with nothing, or with an error.
func FuzzDecode(f *testing.F) {
	w := newWorld(f)
	w.store(task("a", 1, "RUNNING"))
	w.describe(task("a", 1, "RUNNING"), "edge")
	w.markAbsent(taskKey("a"))
	w.store(instance(1, "ACTIVE"))
	require.NoError(f, w.state.AddCluster(f.Context(), cluster))
	w.db.ExpireItems(t0.AddDate(1, 0, 0))
	for _, record := range w.batch().Records {
		raw, err := json.Marshal(record)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var record events.DynamoDBEventRecord
		if json.Unmarshal(raw, &record) != nil {
			return // Lambda's runtime refuses it before any handler is called
		}
		change, ok, err := stream.Decode(record)
		if !ok || err != nil {
			require.False(t, ok)
			require.Zero(t, change)
			return
		}
		require.NotEmpty(t, change.ID)
		require.Contains(t, []stream.Reason{stream.Written, stream.Stopped, stream.Gone, stream.Expired}, change.Reason)
		require.False(t, change.Old == nil && change.New == nil)
		for _, e := range []*stream.Entity{change.Old, change.New} {
			if e == nil {
				continue
			}
			require.Equal(t, change.Kind == stream.KindTask, e.Task != nil)
			require.Equal(t, change.Kind == stream.KindContainerInstance, e.Instance != nil)
			require.True(t, json.Valid(e.Detail))
		}
		again, _, err := stream.Decode(record)
		require.NoError(t, err)
		require.Equal(t, change, again)
	})
}
