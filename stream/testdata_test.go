package stream_test

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/stream"
)

var update = flag.Bool("update", false, "write testdata/batch.json anew")

// The recorded batch is what the table streams now. When this fails after a change of the item's shape that is wanted,
// think of the readers that are older than it (docs/table.md), and run the test with -update.
func TestTheRecordedBatchIsWhatTheTableStreams(t *testing.T) {
	w := newWorld(t)
	group := eventtest.Group("service:web")
	w.store(task("a", 1, "RUNNING", group))
	require.NoError(t, w.state.AddCluster(t.Context(), cluster))
	w.store(eventtest.ContainerInstance(eventtest.ID("host1")))
	w.store(task("a", 2, "STOPPED", group, eventtest.Field("stopCode", "TaskFailedToStart"),
		eventtest.Field("stoppedReason", "CannotPullContainerError: no such image")))
	now := w.batch()
	const path = "testdata/batch.json"
	if *update {
		text, err := json.MarshalIndent(now, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
	}
	require.JSONEq(t, shape(t, recorded()), shape(t, now))
	for i, record := range recorded().Records {
		old, oldOK, err := stream.Decode(record)
		require.NoError(t, err)
		change, ok, err := stream.Decode(now.Records[i])
		require.NoError(t, err)
		require.Equal(t, ok, oldOK)
		require.Equal(t, change, old, "what was recorded reads as what is streamed now")
	}
}

// shape is a batch without its compressed details: the same detail may become other bytes.
func shape(t *testing.T, batch events.DynamoDBEvent) string {
	t.Helper()
	text, err := json.Marshal(batch)
	require.NoError(t, err)
	return regexp.MustCompile(`"(B|SizeBytes)":("[^"]*"|\d+)`).ReplaceAllString(string(text), `"$1":0`)
}
