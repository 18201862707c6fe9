package ingest

import (
	"context"
	"log/slog"
	"time"
)

// log writes the batch's line: how many records met which fate, never what was
// in them, for a task's overrides may hold secrets.
func (i *Ingester) log(ctx context.Context, b *batch, took, lag time.Duration) {
	counts := map[fate]int{}
	reasons := map[string]int{}
	var firstError error
	for _, e := range b.entries {
		counts[e.fate]++
		if e.fate == dead {
			reasons[e.reason]++
		}
		if e.fate == failed && firstError == nil {
			firstError = e.err
		}
	}
	attributes := []slog.Attr{slog.Int("records", len(b.entries))}
	for _, f := range fates {
		attributes = append(attributes, slog.Int(string(f), counts[f]))
	}
	attributes = append(attributes, slog.Int64("lagMillis", lag.Milliseconds()), slog.Int64("durationMillis", took.Milliseconds()))
	level := slog.LevelInfo
	if counts[dead] > 0 {
		level = slog.LevelWarn
		attributes = append(attributes, slog.Any("reasons", reasons))
	}
	if firstError != nil {
		level = slog.LevelError
		attributes = append(attributes, slog.String("error", firstError.Error()))
	}
	i.cfg.Logger.LogAttrs(ctx, level, "stored a batch of events", attributes...)
}
