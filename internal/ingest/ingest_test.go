package ingest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
)

func task(id string, version int64, options ...eventtest.Option) []byte {
	return eventtest.Task(append([]eventtest.Option{eventtest.ID(id), eventtest.Version(version)}, options...)...)
}

func TestEachFateIsCounted(t *testing.T) {
	b := newBench(1)
	require.Empty(t, b.batch(t, task("a", 1), task("a", 2), task("b", 3), task("c", 1)))
	b.requireCounts(t, map[fate]int{stored: 3, superseded: 1})

	require.Empty(t, b.batch(t,
		task("a", 5), task("b", 3), task("c", 1), task("d", 1),
		eventtest.ContainerInstanceHealth(),
		[]byte(`{"source":"aws.ecs","detail-type":"ECS Service Action","account":"210987654321","region":"eu-west-1","detail":{}}`),
		[]byte(`nonsense`),
	))
	b.requireCounts(t, map[fate]int{newer: 1, duplicate: 2, stored: 1, hint: 1, ignored: 1, dead: 1})

	require.Empty(t, b.batch(t, task("a", 4)))
	b.requireCounts(t, map[fate]int{stale: 1})
	require.Equal(t, int64(5), b.version("a"))
}

func TestOnlyTheNewestOfAKeyIsWritten(t *testing.T) {
	b := newBench(1)
	require.Empty(t, b.batch(t, task("a", 2), task("a", 4), task("b", 1), task("a", 3), task("a", 4)))
	require.Equal(t, []int64{4, 1}, b.store.puts)
	b.requireCounts(t, map[fate]int{stored: 2, superseded: 3})
}

func TestMalformedEventsAreSetAsideWithTheirReason(t *testing.T) {
	for _, c := range []struct {
		name, body, reason string
	}{
		{"no JSON", "nonsense", event.ReasonNotJSON},
		{"unknown type", string(eventtest.Task(eventtest.EnvelopeField("detail-type", "ECS Surprise"))), event.ReasonUnknownDetailType},
		{"no ARN", string(eventtest.Task(eventtest.WithoutField("taskArn"))), event.ReasonMissingARN},
		{"wrong type", string(eventtest.Task(eventtest.Field("version", "four"))), event.ReasonWrongType + "version"},
		{"half of an event", string(eventtest.Task()[:200]), event.ReasonNotJSON},
		{"a list", "[]", event.ReasonNotJSON},
		{"not UTF-8", "{\"id\":\"\xff\"}", event.ReasonNotJSON},
		{"no detail", string(eventtest.Task(eventtest.EnvelopeField("detail", nil))), event.ReasonMissingDetail},
		{"another source", string(eventtest.Task(eventtest.EnvelopeField("source", "aws.ec2"))), event.ReasonUnknownSource},
		{"an impossible version", string(eventtest.Task(eventtest.Field("version", -1))), event.ReasonInvalidVersion},
		{"no status", string(eventtest.Task(eventtest.WithoutField("lastStatus"))), event.ReasonMissingStatus},
		{"another region", string(eventtest.Task(eventtest.EnvelopeField("region", "us-east-1"))), event.ReasonRegionMismatch},
		{"hostile text", string(eventtest.Task(eventtest.EnvelopeField("detail-type", "\x00\u202e<script>'; DROP TABLE"))), event.ReasonUnknownDetailType},
		{"another account", string(eventtest.Task(eventtest.EnvelopeField("account", "999999999999"))), event.ReasonAccountMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(1)
			require.Empty(t, b.batch(t, []byte(c.body), task("good", 1)), "acknowledged: it is in the dead-letter queue now")
			require.Len(t, b.dead.messages, 1)
			letter := b.dead.messages[0]
			require.Equal(t, c.body, letter.Body, "as it came")
			require.Equal(t, c.reason, letter.Attributes["reason"])
			require.NoError(t, letter.Validate(false))
			require.Equal(t, int64(1), b.version("good"))
			require.Equal(t, map[string]any{c.reason: float64(1)}, b.lastLine(t)["reasons"])
		})
	}
}

func TestDeadLettersThatCannotBeSentStayInTheQueue(t *testing.T) {
	b := newBench(1)
	b.dead.err = errors.New("no such queue")
	require.Equal(t, []string{"0", "2"}, b.batch(t, []byte("nonsense"), task("good", 1), []byte("{")))
	require.Equal(t, int64(1), b.version("good"))
	b.requireCounts(t, map[fate]int{stored: 1, failed: 2})
}

// SQS counts attributes against the size of a message.
func TestAnEventWithoutRoomForReasonsIsStillSetAside(t *testing.T) {
	b := newBench(1)
	huge := strings.Repeat("x", 1<<20)
	require.Empty(t, b.batch(t, []byte(huge), []byte(huge[:1<<20-50]), []byte("small")))
	require.Len(t, b.dead.messages, 3)
	for _, letter := range b.dead.messages {
		require.NoError(t, letter.Validate(false))
	}
	require.Empty(t, b.dead.messages[0].Attributes)
	require.Equal(t, map[string]string{"reason": "not-json"}, b.dead.messages[1].Attributes)
	require.Len(t, b.dead.messages[2].Attributes, 2)
}

func TestAPassingFaultFailsItsOwnRecordOnly(t *testing.T) {
	for _, workers := range []int{1, 8} {
		b := newBench(workers)
		b.store.put = func(seen state.Observation) error {
			if seen.ID == "b" {
				return errors.New("throttled")
			}
			return nil
		}
		require.Equal(t, []string{"1"}, b.batch(t, task("a", 1), task("b", 1), task("c", 1)))
		require.Equal(t, int64(1), b.version("c"))
		require.Contains(t, b.lastLine(t)["error"], "throttled")
	}
}

// What a newer version supersedes may be acknowledged only once that is stored:
// if the newer one were lost after all, the older would be the newest there is.
func TestWhatAFailedVersionSupersedesFailsWithIt(t *testing.T) {
	b := newBench(1)
	b.store.put = func(state.Observation) error { return errors.New("throttled") }
	require.Equal(t, []string{"0", "1"}, b.batch(t, task("a", 1), task("a", 2)))
	require.Empty(t, b.store.puts)

	b.store.put = nil
	require.Empty(t, b.batch(t, task("a", 1), task("a", 2)))
	require.Equal(t, int64(2), b.version("a"))
}

func TestATooLargeItemIsSetAsideAndDoesNotHideAnOlderOne(t *testing.T) {
	b := newBench(1)
	b.store.put = func(seen state.Observation) error {
		if seen.Version == 3 {
			return fmt.Errorf("storing: %w", validationError("Item size to update has exceeded the maximum allowed size"))
		}
		return nil
	}
	require.Empty(t, b.batch(t, task("a", 1), task("a", 3), task("a", 2)))
	require.Len(t, b.dead.messages, 1)
	require.Equal(t, event.ReasonTooLarge, b.dead.messages[0].Attributes["reason"])
	require.Equal(t, int64(2), b.version("a"))
	b.requireCounts(t, map[fate]int{dead: 1, stored: 1, superseded: 1})
}

// A cluster whose part of the table is full keeps its events for who makes room, and holds up no other.
func TestAnEventThatTheTableHasNoRoomForIsSetAside(t *testing.T) {
	b := newBench(1)
	b.store.put = func(seen state.Observation) error {
		if seen.ID == "a" {
			return fmt.Errorf("storing: %w", &types.ItemCollectionSizeLimitExceededException{})
		}
		return nil
	}
	require.Empty(t, b.batch(t, task("a", 1), task("b", 1)))
	require.Len(t, b.dead.messages, 1)
	require.Equal(t, event.ReasonTooLarge, b.dead.messages[0].Attributes["reason"])
	require.Equal(t, int64(1), b.version("b"))
}

func TestOtherRefusalsOfDynamoDBMayPass(t *testing.T) {
	b := newBench(1)
	b.store.put = func(state.Observation) error {
		return validationError("The provided key element does not match the schema")
	}
	require.Equal(t, []string{"0"}, b.batch(t, task("a", 1)))
	require.Empty(t, b.dead.messages)
}

func TestAPanicIsSetAside(t *testing.T) {
	for _, workers := range []int{1, 8} {
		b := newBench(workers)
		b.store.put = func(seen state.Observation) error {
			if seen.ID == "b" {
				panic("index out of range")
			}
			return nil
		}
		require.Empty(t, b.batch(t, task("a", 1), task("b", 1), task("c", 1)))
		require.Len(t, b.dead.messages, 1)
		require.Equal(t, "panic", b.dead.messages[0].Attributes["reason"])
		require.Equal(t, "panic: index out of range", b.dead.messages[0].Attributes["error"])
		require.Equal(t, int64(1), b.version("a"))
		require.Equal(t, int64(1), b.version("c"))
	}
}

func TestAPanicOfTheParserIsSetAside(t *testing.T) {
	e := &entry{record: Record{ID: "1", Body: "x"}, fate: pending}
	e.parse(func([]byte) (event.Event, error) { panic("bug") })
	require.Equal(t, dead, e.fate)
	require.Equal(t, "panic", e.reason)
}

func TestEventsWithoutAVersionBecomeHints(t *testing.T) {
	b := newBench(1)
	require.Empty(t, b.batch(t,
		eventtest.ContainerInstanceHealth(eventtest.ID("one")),
		eventtest.Task(eventtest.ID("two"), eventtest.WithoutField("version")),
	))
	require.Empty(t, b.store.puts)
	require.Len(t, b.hints.messages, 1)
	asked, err := request.Parse(b.hints.messages[0].Body)
	require.NoError(t, err)
	require.Equal(t, request.KindDescribe, asked.Kind)
	require.Equal(t, []string{"one"}, asked.Instances)
	require.Equal(t, []string{"two"}, asked.Tasks)
	require.NoError(t, b.hints.messages[0].Validate(true))
}

func TestHintsThatCannotBeSentStayInTheQueue(t *testing.T) {
	b := newBench(1)
	b.hints.err = errors.New("no such queue")
	require.Equal(t, []string{"1"}, b.batch(t, task("a", 1), eventtest.ContainerInstanceHealth()))
}

// Its tombstone, if it had one, has expired: it must not bring a task back.
func TestAnEventOlderThanAnyTombstoneIsAHint(t *testing.T) {
	b := newBench(1)
	b.now = eventtest.DefaultTime.Add(state.TombstoneKeptFor + time.Second)
	require.Empty(t, b.batch(t, task("a", 1), task("a", 2)))
	require.Empty(t, b.store.puts)
	require.Len(t, b.hints.messages, 1)
	b.requireCounts(t, map[fate]int{hint: 1, superseded: 1})

	// With a row the version decides.
	b.now = now
	require.Empty(t, b.batch(t, task("b", 1)))
	b.now = eventtest.DefaultTime.Add(state.TombstoneKeptFor + time.Second)
	require.Empty(t, b.batch(t, task("b", 2)))
	require.Equal(t, int64(2), b.version("b"))

	b.store.readErr = errors.New("throttled")
	require.Equal(t, []string{"0"}, b.batch(t, task("c", 1)))
}

func TestAClusterIsAddedOnce(t *testing.T) {
	b := newBench(1)
	require.Empty(t, b.batch(t, task("a", 1), task("b", 1), task("c", 1, eventtest.Cluster("other"))))
	require.Empty(t, b.batch(t, task("a", 2)))
	require.Len(t, b.store.clusters, 2)
	require.Equal(t, "edge", b.store.clusters[0].Name)
	require.Equal(t, "other", b.store.clusters[1].Name)
}

func TestAClusterThatCannotBeAddedFailsItsRecords(t *testing.T) {
	b := newBench(1)
	b.store.clusterErr = errors.New("throttled")
	require.Equal(t, []string{"0", "1"}, b.batch(t, task("a", 1), task("b", 1)))
	require.Empty(t, b.store.puts)

	b.store.clusterErr = nil
	require.Empty(t, b.batch(t, task("a", 1), task("b", 1)))
	require.Len(t, b.store.clusters, 1, "tried again")
}

func TestTheMemoryOfClustersIsBounded(t *testing.T) {
	var known knownClusters
	for i := range maxKnownClusters + 1 {
		known.add(state.ClusterKey{Name: fmt.Sprint(i)})
	}
	require.LessOrEqual(t, len(known.added), maxKnownClusters)
	require.True(t, known.has(state.ClusterKey{Name: fmt.Sprint(maxKnownClusters)}))
}

func TestTheLogHoldsNothingOfTheEvents(t *testing.T) {
	b := newBench(1)
	secret := eventtest.Field("overrides", map[string]any{"containerOverrides": []any{map[string]any{
		"environment": []any{map[string]any{"name": "PASSWORD", "value": "hunter2"}},
	}}})
	b.batch(t, task("a", 1, secret), eventtest.Task(secret, eventtest.WithoutField("taskArn")))
	b.store.put = func(state.Observation) error { return errors.New("throttled") }
	b.batch(t, task("b", 1, secret))
	require.NotContains(t, b.lines.String(), "hunter2")
	require.Equal(t, 2, strings.Count(b.lines.String(), "\n"), "one line a batch")
}

// By its ids an event is found in the log, and in the dead-letter queue.
func TestTheLogNamesTheEvents(t *testing.T) {
	b := newBench(1)
	b.store.put = func(seen state.Observation) error {
		if seen.ID == "c" {
			return errors.New("throttled")
		}
		return nil
	}
	long := eventtest.EnvelopeField("id", strings.Repeat("x", 1000))
	require.Equal(t, []string{"2"}, b.batch(t, task("a", 1), []byte("nonsense"), task("c", 1), task("d", 1, long)))
	line := b.lastLine(t)
	require.Equal(t, []any{"a-1", "c-1", strings.Repeat("x", maxIDBytes)}, line["eventIds"])
	require.Equal(t, []any{map[string]any{"messageId": "1", "reason": "not-json"}}, line["deadMessages"])
	require.Equal(t, []any{map[string]any{"messageId": "2", "eventId": "c-1"}}, line["failedMessages"])
}

// Whatever a batch holds, each record is accounted for: stored, old news, a hint, ignored, or a dead letter as it came
// with its reason; and the same batch again stores nothing.
func TestNothingIsLostSilently(t *testing.T) {
	fields := []string{"taskArn", "clusterArn", "version", "lastStatus", "desiredStatus", "updatedAt", "containers", "containerInstanceArn", "taskDefinitionArn"}
	values := []any{nil, "", 7, -1, 1.5, true, "x", []any{}, map[string]any{}, "\x00\u202e", strings.Repeat("y", 3000), "arn:aws:ecs:::", 1e300}
	rapid.Check(t, func(r *rapid.T) {
		var bodies [][]byte
		for i := range rapid.IntRange(1, 10).Draw(r, "records") {
			options := []eventtest.Option{eventtest.ID(fmt.Sprint("task", i%3)), eventtest.Version(rapid.Int64Range(1, 4).Draw(r, "version"))}
			for range rapid.IntRange(0, 2).Draw(r, "faults") {
				name, value := rapid.SampledFrom(fields).Draw(r, "field"), rapid.SampledFrom(values).Draw(r, "value")
				if rapid.Bool().Draw(r, "in the envelope") {
					name = rapid.SampledFrom([]string{"account", "region", "detail-type", "source", "time", "id", "detail"}).Draw(r, "envelope field")
					options = append(options, eventtest.EnvelopeField(name, value))
					continue
				}
				options = append(options, eventtest.Field(name, value))
			}
			body := eventtest.Task(options...)
			if rapid.IntRange(0, 9).Draw(r, "cut") == 0 {
				body = body[:rapid.IntRange(1, len(body)).Draw(r, "length")]
			}
			bodies = append(bodies, body)
		}
		b := newBench(1)
		require.Empty(t, b.batch(t, bodies...))
		line := b.lastLine(t)
		total := 0
		for _, f := range fates {
			total += int(line[string(f)].(float64))
		}
		require.Equal(t, len(bodies), total, "each has one fate")
		require.EqualValues(t, len(b.dead.messages), line["dead"])
		came := map[string]bool{}
		for _, body := range bodies {
			came[string(body)] = true
		}
		for _, letter := range b.dead.messages {
			require.True(t, came[letter.Body], "as it came")
			require.NotEmpty(t, letter.Attributes["reason"])
			require.NoError(t, letter.Validate(false))
		}
		require.Empty(t, b.batch(t, bodies...))
		require.EqualValues(t, 0, b.lastLine(t)["new"])
		require.EqualValues(t, 0, b.lastLine(t)["newer"])
	})
}

func TestAttributeValues(t *testing.T) {
	require.Equal(t, "ab", attributeValue("a\x00\x0b\uffffb", 10))
	require.Equal(t, "a\tb\n", attributeValue("a\tb\n", 10))
	require.Equal(t, "ä", attributeValue("ää", 3), "a character is never cut in two")
	require.Equal(t, "unknown", attributeValue("\x01", 10))
}
