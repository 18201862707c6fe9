package stream_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// section names the part of docs/table.md that describes a row.
func section(pk string) string {
	switch first, _, _ := strings.Cut(pk, "/"); first {
	case "clusters":
		return "Clusters"
	case "checkpoints":
		return "Checkpoints"
	case "ingest":
		return "Lateness of events"
	case "feed":
		return "Feed"
	}
	if strings.Contains(pk, "/task/") {
		return "Tasks"
	}
	return "Container instances"
}

// types of attributes, as the document and DynamoDB name them.
var typeNames = map[events.DynamoDBDataType]string{
	events.DataTypeString: "S", events.DataTypeNumber: "N", events.DataTypeBinary: "B", events.DataTypeBoolean: "BOOL",
	events.DataTypeMap: "M", events.DataTypeList: "L",
}

func addAttributes(to map[string]string, prefix string, image map[string]events.DynamoDBAttributeValue) {
	for name, value := range image {
		to[prefix+name] = typeNames[value.DataType()]
		if value.DataType() == events.DataTypeMap {
			addAttributes(to, prefix+name+".", value.Map())
		}
	}
}

// storedAttributes are those of every kind of row, with every attribute that Blox writes.
func storedAttributes(t *testing.T) map[string]map[string]string {
	t.Helper()
	w := newWorld(t)
	w.store(task("a", 1, "RUNNING", eventtest.ShortARNs()))
	w.describe(task("a", 1, "RUNNING", eventtest.ShortARNs()), "edge")
	w.markAbsent(taskKey("a"))
	w.store(eventtest.ContainerInstance(eventtest.ShortARNs()))
	w.describe(eventtest.ContainerInstance(eventtest.ShortARNs()), "edge")
	w.markAbsent(state.Key{Kind: state.KindContainerInstance, Cluster: cluster, ID: eventtest.DefaultInstanceID})
	drift := table.Drift{Missed: 1, Stale: 1, Refreshed: 1, Absent: 1, Resurrected: 1}
	require.NoError(t, w.state.PutSync(t.Context(), table.Cluster{
		Key: cluster, SyncedAt: 1, SeenAt: 1, GoneAt: 1, HeldBack: 1, HeldSince: 1, Unstorable: 1, Drift: drift, Summary: &state.Summary{},
	}))
	require.NoError(t, w.state.PutCheckpoint(t.Context(), table.Checkpoint{
		Key: cluster, BeganAt: 1, Kind: state.KindTask, After: "a", Drift: drift, Unstorable: 1,
	}))
	require.NoError(t, w.state.PutLag(t.Context(), cluster.Account, cluster.Region, table.Lag{Millis: 1, At: 1}))
	require.NoError(t, table.NewFeed(w.db, tableName, func() time.Time { return t0 }).AppendAll(t.Context(),
		[]table.Change{{Key: taskKey("a"), Version: 1, Reason: table.ReasonWritten}}))
	stored := map[string]map[string]string{}
	for _, record := range w.batch().Records {
		of := section(record.Change.Keys[schema.PartitionKey].String())
		if stored[of] == nil {
			stored[of] = map[string]string{}
		}
		addAttributes(stored[of], "", record.Change.NewImage)
	}
	return stored
}

var (
	heading    = regexp.MustCompile(`^#+ (.+)$`)
	attributes = regexp.MustCompile("^\\| ((?:`[A-Za-z0-9.]+`(?:, )?)+) \\| ([A-Z]+) \\|")
	quoted     = regexp.MustCompile("`([^`]+)`")
)

// documented are the tables of attributes by section.
func documented(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/table.md")
	require.NoError(t, err)
	found, in := map[string]map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		if m := heading.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			in = m[1]
		}
		m := attributes.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if found[in] == nil {
			found[in] = map[string]string{}
		}
		for _, name := range quoted.FindAllStringSubmatch(m[1], -1) {
			require.NotContains(t, found[in], name[1], "twice in section %s", in)
			found[in][name[1]] = m[2]
		}
	}
	return found
}

func TestTheDocumentHasExactlyTheStoredAttributes(t *testing.T) {
	stored, written := storedAttributes(t), documented(t)
	require.Equal(t, slices.Sorted(maps.Keys(stored)), slices.Sorted(maps.Keys(written)))
	for of := range stored {
		require.Equal(t, stored[of], written[of], "section %s of docs/table.md", of)
	}
}

func TestTheDocumentHasTheIndexesAndShards(t *testing.T) {
	text, err := os.ReadFile("../docs/table.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `(\\w+)`[^|]* \\| `(\\w+)`[^|]* \\| [^`|]+ \\|$")
	var indexes []schema.Index
	for _, m := range rows.FindAllStringSubmatch(string(text), -1) {
		indexes = append(indexes, schema.Index{Name: m[1], PartitionKey: m[2], SortKey: m[3]})
	}
	require.Equal(t, schema.State.Indexes, indexes)
	require.Contains(t, string(text), "`ACCOUNT/REGION/CLUSTER/task/SHARD`, SHARD 0 to "+digit(schema.TaskShards-1))
	require.Contains(t, string(text), "`ACCOUNT/REGION/CLUSTER/instance/SHARD`, SHARD 0 to "+digit(schema.InstanceShards-1))
	require.Equal(t, 1, schema.FeedShards, "the document says feed/0, also in the filter")
	require.Contains(t, string(text), "the shape that this page describes: **"+digit(table.SchemaVersion)+"**")
}

func digit(n int) string { return string(rune('0' + n)) }
