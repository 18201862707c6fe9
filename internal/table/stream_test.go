package table_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// streamed is a STATE table whose stream the test reads.
type streamed struct {
	db      *memory.DB
	records []events.DynamoDBEventRecord
}

func newStreamed(t *testing.T) *streamed {
	t.Helper()
	s := &streamed{}
	s.db = memory.New(
		memory.WithClock(func() time.Time { return start }),
		memory.WithStream(func(_ string, record events.DynamoDBEventRecord) { s.records = append(s.records, record) }),
	)
	require.NoError(t, table.Create(t.Context(), s.db, "blox", schema.State))
	return s
}

// next is the one record since the last call, as Lambda gets it: through JSON.
func (s *streamed) next(t *testing.T) events.DynamoDBEventRecord {
	t.Helper()
	require.Len(t, s.records, 1)
	raw, err := json.Marshal(s.records[0])
	require.NoError(t, err)
	s.records = nil
	var record events.DynamoDBEventRecord
	require.NoError(t, json.Unmarshal(raw, &record))
	return record
}

func TestStreamTellsTheLifeOfARecord(t *testing.T) {
	stream := newStreamed(t)
	s, key := newState(stream.db, "blox"), taskKey(eventtest.DefaultTaskID)
	var before *state.Record
	steps := []struct {
		title  string
		do     func()
		reason table.Reason
	}{
		{"new", func() { put(t, s, task(t, 1, "PENDING"), after(1)) }, table.ReasonWritten},
		{"newer", func() { put(t, s, task(t, 2, "RUNNING"), after(2)) }, table.ReasonWritten},
		{"refreshed", func() { put(t, s, described(t, task(t, 2, "RUNNING"), after(3), "a"), after(3)) }, table.ReasonWritten},
		{"absent", func() { require.NoError(t, s.MarkAbsent(t.Context(), stored(t, s, key), after(900))) }, table.ReasonGone},
		{"revived", func() { put(t, s, task(t, 4, "RUNNING"), after(901)) }, table.ReasonWritten},
		{"stopped", func() { put(t, s, task(t, 5, "STOPPED"), after(902)) }, table.ReasonStopped},
	}
	for _, step := range steps {
		step.do()
		now := stored(t, s, key)
		change, ok, err := table.DecodeChange(stream.next(t))
		require.NoError(t, err, step.title)
		require.True(t, ok)
		require.Equal(t, table.RecordChange{Key: key, Old: before, New: &now}, change, step.title)
		require.Equal(t, table.Change{Key: key, Version: now.Version, Reason: step.reason}, change.FeedChange(), step.title)
		before = &now
	}

	require.Equal(t, 1, stream.db.ExpireItems(before.Tombstone.TTL.Add(time.Second)))
	change, ok, err := table.DecodeChange(stream.next(t))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, table.RecordChange{Key: key, Old: before, Expired: true}, change)
	require.Equal(t, table.Change{Key: key, Version: 5, Reason: table.ReasonExpired}, change.FeedChange())
}

func TestStreamTellsOfContainerInstances(t *testing.T) {
	stream := newStreamed(t)
	s := newState(stream.db, "blox")
	put(t, s, instance(t, 1, "ACTIVE"), after(1))
	change, ok, err := table.DecodeChange(stream.next(t))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, table.Change{Key: instanceKey(eventtest.DefaultInstanceID), Version: 1, Reason: table.ReasonWritten}, change.FeedChange())
	put(t, s, instance(t, 2, "INACTIVE"), after(2))
	change, _, err = table.DecodeChange(stream.next(t))
	require.NoError(t, err)
	require.Equal(t, "ACTIVE", change.Old.Instance.Status)
	require.Equal(t, "INACTIVE", change.New.Instance.Status)
	require.Equal(t, table.ReasonGone, change.FeedChange().Reason)
}

// A record deleted by hand is no expiry: watchers must hear that it is gone.
func TestStreamTellsTTLFromOthersWhoDelete(t *testing.T) {
	stream := newStreamed(t)
	put(t, newState(stream.db, "blox"), task(t, 1, "RUNNING"), after(1))
	deleted := stream.next(t)
	deleted.EventName, deleted.Change.OldImage, deleted.Change.NewImage = "REMOVE", deleted.Change.NewImage, nil
	for _, by := range []*events.DynamoDBUserIdentity{
		nil,
		{Type: "AssumedRole", PrincipalID: "dynamodb.amazonaws.com"},
		{Type: "Service", PrincipalID: "replication.dynamodb.amazonaws.com"},
	} {
		deleted.UserIdentity = by
		change, ok, err := table.DecodeChange(deleted)
		require.NoError(t, err)
		require.True(t, ok)
		require.False(t, change.Expired)
		require.Equal(t, table.ReasonGone, change.FeedChange().Reason)
	}
}

func TestStreamPassesOverWhatIsNoRecord(t *testing.T) {
	stream := newStreamed(t)
	s := newState(stream.db, "blox")
	require.NoError(t, s.AddCluster(t.Context(), home))
	require.NoError(t, s.PutSync(t.Context(), table.Cluster{Key: home, SyncedAt: 7}))
	require.NoError(t, s.PutLag(t.Context(), home.Account, home.Region, table.Lag{Millis: 7}))
	require.NoError(t, newFeed(stream.db, "blox").Append(t.Context(), 0, []table.Change{written(inShard(0, 1)[0], 1)}))
	require.Len(t, stream.records, 6)
	for _, record := range stream.records {
		change, ok, err := table.DecodeChange(record)
		require.NoError(t, err)
		require.False(t, ok)
		require.Zero(t, change)
	}
}

func TestStreamRefusesWhatItCannotRead(t *testing.T) {
	stream := newStreamed(t)
	s := newState(stream.db, "blox")
	put(t, s, task(t, 1, "RUNNING"), after(1))
	_ = stream.next(t)
	put(t, s, task(t, 2, "RUNNING"), after(2))
	whole := stream.next(t)
	spoiled := func(attribute string, value events.DynamoDBAttributeValue) map[string]events.DynamoDBAttributeValue {
		image := map[string]events.DynamoDBAttributeValue{}
		for name, v := range whole.Change.NewImage {
			image[name] = v
		}
		image[attribute] = value
		return image
	}
	cases := map[string]struct {
		spoil   func(r *events.DynamoDBEventRecord)
		message string
	}{
		"no key":       {func(r *events.DynamoDBEventRecord) { r.Change.Keys = nil }, "no key pk and sk"},
		"no images":    {func(r *events.DynamoDBEventRecord) { r.Change.OldImage, r.Change.NewImage = nil, nil }, "NEW_AND_OLD_IMAGES"},
		"no old image": {func(r *events.DynamoDBEventRecord) { r.Change.OldImage = nil }, "NEW_AND_OLD_IMAGES"},
		"no new image": {func(r *events.DynamoDBEventRecord) { r.Change.NewImage = nil }, "NEW_AND_OLD_IMAGES"},
		"an old image": {func(r *events.DynamoDBEventRecord) { r.EventName = "INSERT" }, "NEW_AND_OLD_IMAGES"},
		"another type": {func(r *events.DynamoDBEventRecord) {
			r.Change.NewImage = spoiled("version", events.NewStringAttribute("two"))
		}, eventtest.DefaultTaskID},
		"a detail that is not compressed": {func(r *events.DynamoDBEventRecord) {
			r.Change.NewImage = spoiled("event", events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{
				"version": events.NewNumberAttribute("2"), "detail": events.NewBinaryAttribute([]byte("{}")),
			}))
		}, "decompressing"},
	}
	for title, c := range cases {
		t.Run(title, func(t *testing.T) {
			record := whole
			c.spoil(&record)
			_, ok, err := table.DecodeChange(record)
			require.ErrorContains(t, err, c.message)
			require.False(t, ok)
		})
	}
}
