package watch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

var errLeft = errors.New("the reader went away")

// Who takes a snapshot, or lists, and then watches, by streams or by polls, ends at the state of a fresh list: whatever is
// written between any two reads, however late the feed and the indexes are, and however often the reader is cut off and
// goes on.
func TestAWatcherEndsAtTheStateOfAFreshList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriters(t)
		filter := drawFilter(t)
		selection := watch.Tasks(filter)
		for range rapid.IntRange(0, 12).Draw(t, "writes before") {
			w.one()
		}
		w.between = w.some
		watcher := w.watcher(w.some)
		p := newPoller(w.world)
		if rapid.Bool().Draw(t, "lists first") {
			p.list(watcher, filter, rapid.IntRange(1, 4).Draw(t, "limit"))
		}
		p.connect(t, w, watcher, selection)

		w.budget, w.between = 0, func() {}
		w.dispatchAll()
		w.db.SettleIndexes()
		p.finish(t, watcher, selection)
		fresh := list(t, w.state, filter, true, 100, w.clock)
		require.Equal(t, fresh, list(t, w.state, filter, false, 100, w.clock))
		require.Equal(t, fresh, p.holds())
	})
}

// connect watches some times, by streams and by polls, and is cut off anywhere. What a full answer told often changes
// before the rest is told.
func (p *poller) connect(t *rapid.T, w *writers, watcher *watch.Watcher, selection watch.Selection) {
	for range rapid.IntRange(1, 6).Draw(t, "connections") {
		lasts := time.Duration(rapid.IntRange(1, 30).Draw(t, "lasts")) * time.Second
		if rapid.Bool().Draw(t, "streams") {
			p.stream(t, watcher, selection, lasts, rapid.IntRange(1, 30).Draw(t, "lines"))
			continue
		}
		maxBytes := pick(t, "bytes of an answer", 1, 2500, 0)
		for range rapid.IntRange(1, 6).Draw(t, "polls") {
			p.recover(t, p.poll(watcher, selection, lasts, maxBytes, pick(t, "lost", false, false, false, true)))
			if p.skip > 0 && rapid.Bool().Draw(t, "changes again") {
				w.further(p.lines[len(p.lines)-1].Key)
				w.dispatchAll()
			}
		}
	}
}

// finish watches until nothing is left to tell.
func (p *poller) finish(t *rapid.T, watcher *watch.Watcher, selection watch.Selection) {
	if rapid.Bool().Draw(t, "streams at last") {
		p.stream(t, watcher, selection, time.Minute, 10_000)
		if p.position == "" { // it was too old
			p.stream(t, watcher, selection, time.Minute, 10_000)
		}
		require.Equal(t, watch.End, p.lines[len(p.lines)-1].Type)
		return
	}
	for range 1000 {
		lines, before := len(p.lines), p.position
		p.recover(t, p.poll(watcher, selection, time.Second, 0, false))
		if p.position != "" && before == p.position && len(p.lines) == lines {
			return
		}
	}
	require.Fail(t, "it never ends")
}

// stream watches until the reader has had so many lines. Whoever is cut off within a snapshot begins with another.
func (p *poller) stream(t *rapid.T, watcher *watch.Watcher, selection watch.Selection, lasts time.Duration, lines int) {
	p.skip, p.began = 0, "" // what polls had begun to tell is told again
	p.recover(t, p.watch(watcher, selection, lasts, func(line watch.Line) error {
		if lines--; lines < 0 {
			return errLeft
		}
		p.take(line)
		return nil
	}))
	if p.stale != nil {
		p.again()
	}
}

// recover is what a reader does after an error: it goes on from its position, or begins again.
func (p *poller) recover(t *rapid.T, err error) {
	switch {
	case errors.Is(err, table.ErrExpired), errors.Is(err, watch.ErrSnapshotTooLarge):
		p.again()
	case err != nil:
		require.ErrorIs(t, err, errLeft)
	}
}

// list is the other way to begin: a list, whose position was read before its first page. Lists by an index that lags have
// none.
func (p *poller) list(watcher *watch.Watcher, f state.TaskFilter, limit int) {
	position, err := watcher.Feed.Position(context.Background())
	require.NoError(p.w.t, err)
	query := table.TaskQuery{Filter: f, Limit: limit}
	if f.Cluster.Name != "" {
		query.Clusters = []state.ClusterKey{f.Cluster}
	}
	for {
		page, err := watcher.State.ListTasks(context.Background(), query, p.w.now)
		require.NoError(p.w.t, err)
		for _, record := range page.Records {
			p.has[record.Key] = record
		}
		if page.Lagging {
			position = ""
		}
		if page.Next.IsZero() {
			p.position = position
			return
		}
		query.After = page.Next
	}
}

// A stream that has told its own snapshot tells no end of what it never told, and nothing twice.
func TestAStreamWithASnapshotSaysNothingInVain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriters(t)
		w.between = w.some
		r := newReader(w.world)
		selection := watch.Tasks(state.TaskFilter{LastStatus: "RUNNING"})
		err := r.watch(w.watcher(w.some), selection, 20*time.Second, func(line watch.Line) error {
			if _, has := r.has[line.Key]; line.Type == watch.Deleted {
				require.True(t, has, "%v was never told", line.Key)
			}
			if line.Type == watch.Updated {
				before := r.has[line.Key]
				require.NotEqual(t, before, *line.Record)
				require.Equal(t, "RUNNING", line.Record.Task.LastStatus)
			}
			r.take(line)
			return nil
		})
		if !errors.Is(err, watch.ErrSnapshotTooLarge) && !errors.Is(err, table.ErrExpired) {
			require.NoError(t, err)
		}
		require.Equal(t, watch.Snapshot, r.lines[0].Type)
		bookmarks := slices.DeleteFunc(slices.Clone(r.lines), func(l watch.Line) bool { return l.Type != watch.Bookmark })
		require.LessOrEqual(t, len(bookmarks), 1)
	})
}
