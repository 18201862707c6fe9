package event_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

// with puts raw JSON at the beginning of the detail of an event, before what it
// has already: eventtest marshals values and would refuse, or repair, most of it.
func with(raw []byte, fields string) []byte {
	return bytes.Replace(raw, []byte(`"detail":{`), []byte(`"detail":{`+fields+","), 1)
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// What nobody would send. Each of it is read for what it says, a hint, or an error
// that says what was wrong and what is allowed.
func TestHostileEvents(t *testing.T) {
	task, host := eventtest.Task, eventtest.ContainerInstance
	field := eventtest.Field
	const version = `"version":`
	// taken is whether the event becomes an observation; else reason says why not,
	// and no reason makes a hint.
	tests := map[string]struct {
		raw    []byte
		taken  bool
		reason string
		says   string
	}{
		"400 KB of detail":                    {raw: task(field("stoppedReason", strings.Repeat("x", 400<<10))), taken: true},
		"400 KB of containers":                {raw: task(field("containers", make([]struct{}, 130_000))), taken: true},
		"a version to end all versions":       {raw: task(eventtest.Version(math.MaxInt64)), taken: true},
		"a version beyond that":               {raw: with(task(eventtest.WithoutField("version")), version+`9223372036854775808`), reason: "wrong-type:version", says: "allowed is a whole number"},
		"a version in scientific notation":    {raw: with(task(eventtest.WithoutField("version")), version+`4e0`), reason: "wrong-type:version", says: "allowed is a whole number"},
		"a version of a thousand digits":      {raw: with(task(eventtest.WithoutField("version")), version+strings.Repeat("9", 1000)), reason: "wrong-type:version", says: "allowed is a whole number"},
		"a negative version":                  {raw: host(eventtest.Version(-7)), reason: event.ReasonInvalidVersion, says: "allowed are 1 and above"},
		"version null is none":                {raw: with(task(eventtest.WithoutField("version")), version+`null`)},
		"version true":                        {raw: task(field("version", true)), reason: "wrong-type:version", says: "bool, allowed is a whole number"},
		"a number beyond floating point":      {raw: with(task(), `"futureField":1e400`), taken: true},
		"a resource beyond floating point":    {raw: host(field("registeredResources", json.RawMessage(`[{"doubleValue":1e400}]`))), reason: "wrong-type:registeredResources.doubleValue", says: "allowed is a number"},
		"a port beyond 32 bits":               {raw: task(field("containers", json.RawMessage(`[{"networkBindings":[{"hostPort":70000000000}]}]`))), reason: "wrong-type:containers.networkBindings.hostPort", says: "allowed is a whole number"},
		"a number that is none":               {raw: with(task(), `"futureField":NaN`), reason: event.ReasonNotJSON},
		"a time before the calendar":          {raw: task(field("createdAt", "-0001-01-01T00:00:00Z")), reason: "wrong-type:createdAt"},
		"a time without zone":                 {raw: task(field("startedAt", "2026-11-20T09:14:02")), reason: "wrong-type:startedAt"},
		"nested as deep as allowed":           {raw: with(task(), `"futureField":`+nested(198)), taken: true},
		"nested too deeply":                   {raw: with(task(), `"futureField":`+nested(199)), reason: event.ReasonTooDeep, says: "allowed are at most 200"},
		"nested too deeply for the parser":    {raw: with(task(), `"futureField":`+nested(10_000)), reason: event.ReasonNotJSON},
		"brackets in texts are no depth":      {raw: task(field("stoppedReason", strings.Repeat(`[{"\`, 5000))), taken: true},
		"many objects beside each other":      {raw: with(task(), `"futureField":[[`+strings.Repeat(`{},`, 5000)+`{}]]`), taken: true},
		"control characters":                  {raw: task(field("stoppedReason", "\x00\x1b[31m\r\n\x7f")), taken: true},
		"control characters not escaped":      {raw: with(task(), "\"stoppedReason\":\"\x00\""), reason: event.ReasonNotJSON},
		"control characters in a name":        {raw: task(eventtest.Cluster("a\x00b")), reason: event.ReasonInvalidARN, says: "letters, digits, hyphens and underscores"},
		"control characters in startedBy":     {raw: task(eventtest.StartedBy("\x00\n")), taken: true},
		"invalid UTF-8":                       {raw: with(task(), "\"stoppedReason\":\"\xc3\x28\""), reason: event.ReasonNotJSON, says: "not valid UTF-8"},
		"half of a surrogate pair":            {raw: with(task(eventtest.WithoutField("group")), `"group":"\ud83d"`), taken: true},
		"a byte order mark":                   {raw: append([]byte("\ufeff"), task()...), reason: event.ReasonNotJSON, says: "not a JSON object"},
		"UTF-16":                              {raw: []byte("\xff\xfe{\x00}\x00"), reason: event.ReasonNotJSON, says: "not valid UTF-8"},
		"a slash in the id":                   {raw: task(eventtest.ID("../../1")), reason: event.ReasonInvalidARN},
		"an id of 256 characters":             {raw: task(eventtest.ID(strings.Repeat("x", 256))), reason: event.ReasonInvalidARN, says: "1 to 255"},
		"an ARN of a megabyte":                {raw: task(eventtest.ID(strings.Repeat("x", 100_000))), reason: event.ReasonInvalidARN, says: "allowed are at most 2048"},
		"unknown lastStatus":                  {raw: task(eventtest.LastStatus("FROZEN")), taken: true},
		"unknown desiredStatus":               {raw: task(eventtest.DesiredStatus("PAUSED")), taken: true},
		"unknown status":                      {raw: host(eventtest.Status("HIBERNATING")), taken: true},
		"unknown launch type and health":      {raw: task(field("launchType", "MOON"), field("healthStatus", "FINE"), field("stopCode", "Bored")), taken: true},
		"a status of a novel":                 {raw: task(eventtest.LastStatus(strings.Repeat("x", 129))), reason: "too-long:lastStatus", says: "129 bytes, allowed are at most 128"},
		"a desired status of a novel":         {raw: task(eventtest.DesiredStatus(strings.Repeat("x", 129))), reason: "too-long:desiredStatus", says: "allowed are at most 128"},
		"an instance's status of a novel":     {raw: host(eventtest.Status(strings.Repeat("x", 129))), reason: "too-long:status", says: "allowed are at most 128"},
		"an EC2 instance id of a novel":       {raw: host(eventtest.EC2InstanceID(strings.Repeat("x", 129))), reason: "too-long:ec2InstanceId", says: "allowed are at most 128"},
		"a startedBy of a novel":              {raw: task(eventtest.StartedBy(strings.Repeat("ü", 257))), reason: "too-long:startedBy", says: "514 bytes, allowed are at most 512"},
		"a group of a novel":                  {raw: task(eventtest.Group(strings.Repeat("x", 1025))), reason: "too-long:group", says: "allowed are at most 1024"},
		"startedBy and group as long as can":  {raw: task(eventtest.StartedBy(strings.Repeat("x", 512)), eventtest.Group(strings.Repeat("x", 1024))), taken: true},
		"lists that are null":                 {raw: task(field("containers", json.RawMessage("null")), field("attachments", json.RawMessage("null"))), taken: true},
		"elements that are null":              {raw: task(field("containers", json.RawMessage("[null,{}]"))), taken: true},
		"a container that is a list":          {raw: task(field("containers", json.RawMessage("[[]]"))), reason: "wrong-type:containers", says: "array, allowed is an object"},
		"an empty ARN of the host":            {raw: task(field("containerInstanceArn", "")), taken: true},
		"the empty object as detail":          {raw: task(eventtest.EnvelopeField("detail", map[string]any{})), reason: event.ReasonMissingARN, says: "clusterArn"},
		"a detail that is text of JSON":       {raw: task(eventtest.EnvelopeField("detail", "{}")), reason: "wrong-type:detail"},
		"an envelope within an envelope":      {raw: task(eventtest.EnvelopeField("detail", json.RawMessage(task()))), reason: "wrong-type:version"},
		"a detail-type of a megabyte":         {raw: task(eventtest.EnvelopeField("detail-type", strings.Repeat("x", 900_000))), reason: event.ReasonUnknownDetailType},
		"resources without end":               {raw: task(eventtest.EnvelopeField("resources", strings.Split(strings.Repeat("x,", 100_000), ","))), taken: true},
		"the detail of the other kind":        {raw: bytes.Replace(task(), []byte("ECS Task State"), []byte("ECS Container Instance State"), 1), reason: event.ReasonMissingStatus, says: "status"},
		"wrong type in a part nobody reads":   {raw: task(field("overrides", "none")), reason: "wrong-type:overrides", says: "string, allowed is an object"},
		"a text where the others have a list": {raw: host(field("attributes", "ring=1")), reason: "wrong-type:attributes", says: "string, allowed is a list"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse(test.raw)
			if test.reason != "" {
				var invalid *event.InvalidError
				require.ErrorAs(t, err, &invalid)
				require.Equal(t, test.reason, invalid.Reason, invalid.Message)
				require.Contains(t, invalid.Message, test.says)
				require.Less(t, len(invalid.Message), 3000, "the message stays readable")
				require.Equal(t, event.Event{ID: got.ID, Time: got.Time}, got, "nothing else is told of what is invalid")
				return
			}
			require.NoError(t, err)
			if !test.taken {
				require.Nil(t, got.Observation)
				require.NotNil(t, got.Hint)
				return
			}
			require.NotNil(t, got.Observation)
			checkStorable(t, *got.Observation)
		})
	}
}

// encoding/json takes the last of two, and so does everybody who reads the detail
// later: what the record says of itself is what stands in its detail.
func TestOfAFieldNamedTwiceTheLastCounts(t *testing.T) {
	got, err := event.Parse(with(eventtest.Task(eventtest.Version(9), eventtest.LastStatus("RUNNING")), `"version":4,"lastStatus":"PENDING"`))
	require.NoError(t, err)
	require.Equal(t, int64(9), got.Observation.Version)
	record, _, err := state.Apply(state.Record{}, *got.Observation, eventtest.DefaultTime, state.DefaultVisibleFor)
	require.NoError(t, err)
	require.Equal(t, "RUNNING", record.Task.LastStatus)
	task, err := record.AsTask()
	require.NoError(t, err)
	require.Equal(t, "RUNNING", task.LastStatus)

	record.Described = &state.SourceDetail{Version: 8, Detail: json.RawMessage(`{"version":8,"tags":[]}`)}
	merged, err := record.Detail()
	require.NoError(t, err)
	require.NotContains(t, string(merged), "PENDING", "merging leaves the last one")
}

// Parse knows nothing of what is stored: an older version is read like any other
// and refused by what it is compared with.
func TestAnOlderVersionIsStale(t *testing.T) {
	record := state.Record{}
	for _, step := range []struct {
		version int64
		status  string
		want    state.Outcome
	}{{4, "RUNNING", state.New}, {3, "PENDING", state.Stale}, {4, "STOPPED", state.Duplicate}, {5, "STOPPED", state.Newer}, {6, "RUNNING", state.Stale}} {
		got, err := event.Parse(eventtest.Task(eventtest.Version(step.version), eventtest.LastStatus(step.status)))
		require.NoError(t, err)
		var outcome state.Outcome
		record, outcome, err = state.Apply(record, *got.Observation, eventtest.DefaultTime, state.DefaultVisibleFor)
		require.NoError(t, err)
		require.Equal(t, step.want, outcome, step)
	}
	require.Equal(t, int64(5), record.Version)
}

// A status that ECS may have one day is stored as it is, keeps the thing alive, and
// is found by who asks for it.
func TestUnknownStatusesAreKept(t *testing.T) {
	got, err := event.Parse(eventtest.Task(eventtest.LastStatus("FROZEN")))
	require.NoError(t, err)
	record, _, err := state.Apply(state.Record{}, *got.Observation, eventtest.DefaultTime, state.DefaultVisibleFor)
	require.NoError(t, err)
	require.Nil(t, record.Tombstone)
	require.True(t, state.TaskFilter{LastStatus: "frozen"}.Matches(record))
	require.False(t, state.TaskFilter{LastStatus: "RUNNING"}.Matches(record))
	_, err = state.ParseTaskStatus("FROZEN")
	require.ErrorContains(t, err, "allowed are", "asking by the API takes what ECS has today")
}

// Account and region are a part of every key, in both forms of ARNs and in every
// partition: clusters of one name in two places share nothing.
func TestOneNameInTwoPlaces(t *testing.T) {
	seen := map[state.Key]string{}
	places := map[string][]string{
		"aws": {"eu-west-1", "us-east-1"}, "aws-cn": {"cn-north-1"}, "aws-eusc": {"eusc-de-east-1"}, "aws-us-gov": {"us-gov-west-1"},
		"aws-iso": {"us-iso-east-1"}, "aws-iso-b": {"us-isob-east-1"}, "aws-iso-e": {"eu-isoe-west-1"}, "aws-iso-f": {"us-isof-south-1"},
	}
	require.Len(t, places, len(state.Partitions()))
	for partition, regions := range places {
		for _, region := range regions {
			for _, account := range []string{"111111111111", "222222222222"} {
				options := []eventtest.Option{
					eventtest.Partition(partition), eventtest.Region(region), eventtest.Account(account), eventtest.Cluster("default"), eventtest.ID("1"),
				}
				for _, build := range []func(...eventtest.Option) []byte{eventtest.Task, eventtest.ContainerInstance} {
					long, err := event.Parse(build(options...))
					require.NoError(t, err)
					short, err := event.Parse(build(append(options, eventtest.ShortARNs())...))
					require.NoError(t, err)
					require.Equal(t, long.Observation.Key, short.Observation.Key, "the form of the ARN is no part of the key")
					require.NotEqual(t, long.Observation.ARN, short.Observation.ARN)
					require.Empty(t, seen[long.Observation.Key], "another place has the same key")
					seen[long.Observation.Key] = partition
					require.Equal(t, partition, state.PartitionOf(long.Observation.Cluster.Region))
				}
			}
		}
	}
}
