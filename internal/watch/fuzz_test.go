package watch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// Any text is a position that Blox could have given, in its one spelling, or it is refused; and from any position a
// stream and a poll tell everything after it, or say that they cannot.
func FuzzStreamPosition(f *testing.F) {
	w := newWorld(f)
	for n := range 3 {
		w.task(id(n), "RUNNING")
		w.dispatchAll()
	}
	end, err := w.feed.Position(context.Background())
	require.NoError(f, err)
	f.Add(end)
	f.Fuzz(func(t *testing.T, text string) {
		from, err := table.ParseFeedPosition(text)
		if err != nil {
			require.Less(t, len(err.Error()), 400, "an error repeats no more than a position could have")
			return
		}
		require.Equal(t, text, from.String())
		w.t, w.now = t, start
		selection := watch.Tasks(state.TaskFilter{})
		polled, pollErr := w.watcher(func() {}).Poll(t.Context(), watch.PollRequest{
			Selection: selection, From: from, Until: w.now.Add(time.Second),
		})
		r := newReader(w)
		r.position = text
		take := func(line watch.Line) error { r.take(line); return nil }
		streamErr := r.watch(w.watcher(func() {}), selection, time.Second, take)
		if pollErr != nil {
			require.ErrorIs(t, pollErr, table.ErrExpired)
			require.ErrorIs(t, streamErr, table.ErrExpired)
			return
		}
		require.NoError(t, errors.Join(pollErr, streamErr))
		require.Equal(t, end, polled.Position.String())
		require.Equal(t, end, r.position)
		require.Len(t, polled.Lines, len(r.has))
	})
}
