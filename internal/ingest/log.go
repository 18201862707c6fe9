package ingest

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// log writes the batch's line: how many records met which fate, and the ids by which an event can be found, never
// what was in them, for a task's overrides may hold secrets.
func (i *Ingester) log(ctx context.Context, b *batch, took, lag time.Duration) {
	counts := b.counts()
	attributes := make([]slog.Attr, 0, len(fates)+8)
	attributes = append(attributes, slog.Int("records", len(b.entries)))
	for _, f := range fates {
		attributes = append(attributes, slog.Int(string(f), counts[f]))
	}
	attributes = append(
		attributes,
		slog.Int64("lagMillis", lag.Milliseconds()),
		slog.Int64("durationMillis", took.Milliseconds()),
		slog.Any("eventIds", b.eventIDs()),
	)
	level := slog.LevelInfo
	if counts[dead] > 0 {
		level = slog.LevelWarn
		reasons := map[string]int{}
		for _, e := range b.each(dead) {
			reasons[e.reason]++
		}
		attributes = append(attributes, slog.Any("reasons", reasons), slog.Any("deadMessages", troubled(b.each(dead))))
	}
	if again := b.each(failed); len(again) > 0 {
		level = slog.LevelError
		attributes = append(
			attributes,
			slog.String("error", again[0].err.Error()),
			slog.Any("failedMessages", troubled(again)),
		)
	}
	i.cfg.Logger.LogAttrs(ctx, level, "stored a batch of events", attributes...)
}

// trouble names a record that was not stored.
type trouble struct {
	MessageID string `json:"messageId"`
	EventID   string `json:"eventId,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

func troubled(entries []*entry) []trouble {
	all := make([]trouble, len(entries))
	for i, e := range entries {
		all[i] = trouble{MessageID: e.record.ID, EventID: shortID(e.event.ID), Reason: e.reason}
	}
	return all
}

// eventIDs names the events that could be read, in the order of the batch.
func (b *batch) eventIDs() []string {
	ids := make([]string, 0, len(b.entries))
	for _, e := range b.entries {
		if e.event.ID != "" {
			ids = append(ids, shortID(e.event.ID))
		}
	}
	return ids
}

// maxIDBytes is more than an id of EventBridge has; what is longer is none, and may be anything.
const maxIDBytes = 64

func shortID(id string) string {
	if len(id) <= maxIDBytes {
		return id
	}
	return strings.ToValidUTF8(id[:maxIDBytes], "")
}
