package watch_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// poller is a reader that polls. What stands beside its position is what the API's tokens hold.
type poller struct {
	*reader
	skip int
	// began is the position before the first page of a snapshot under way, after where it goes on.
	began string
	after table.Position
}

func newPoller(w *world) *poller { return &poller{reader: newReader(w)} }

// poll asks once and takes the answer, unless lost says that it never arrived.
func (p *poller) poll(watcher *watch.Watcher, selection watch.Selection, lasts time.Duration, maxBytes int, lost bool) error {
	if p.position == "" {
		return p.page(watcher, selection, lost)
	}
	polled, err := watcher.Poll(context.Background(), watch.PollRequest{
		Selection: selection, From: *p.from(), Skip: p.skip, Until: p.w.now.Add(lasts), MaxBytes: maxBytes,
	})
	if err != nil || lost {
		return err
	}
	for _, line := range polled.Lines {
		p.take(line)
	}
	p.position, p.skip = polled.Position.String(), polled.Skip
	return nil
}

// page takes a part of a snapshot.
func (p *poller) page(watcher *watch.Watcher, selection watch.Selection, lost bool) error {
	if p.began == "" {
		position, err := watcher.Feed.Position(context.Background())
		if err != nil {
			return err
		}
		p.began, p.after = position, table.Position{}
		p.take(watch.Line{Type: watch.Snapshot})
	}
	page, err := watcher.Page(context.Background(), selection, p.after)
	if err != nil || lost {
		return err
	}
	for _, record := range page.Records {
		p.take(watch.Line{Type: watch.Updated, Key: record.Key, Record: &record})
	}
	if p.after = page.Next; p.after.IsZero() {
		p.take(watch.Line{Type: watch.Bookmark, Position: p.began})
		p.began, p.skip = "", 0
	}
	return nil
}

// again begins with a snapshot.
func (p *poller) again() { p.position, p.skip, p.began = "", 0, "" }

func TestAPollAnswersAsSoonAsThereIsSomethingToTell(t *testing.T) {
	w := newWorld(t)
	w.task(id(1), "RUNNING")
	w.dispatchAll()
	p := newPoller(w)
	steps := []func(){
		func() {}, func() {},
		func() { w.task(id(2), "PENDING") }, // never matched, and is told as deleted: nobody remembers
		func() { w.task(id(1), "STOPPED"); w.task(id(3), "RUNNING") },
	}
	watcher := w.watcher(func() {
		if len(steps) > 0 {
			steps[0]()
			steps = steps[1:]
			w.dispatchAll()
		}
	})
	selection := watch.Tasks(state.TaskFilter{LastStatus: "running"})
	began := w.now
	for range 3 {
		require.NoError(t, p.poll(watcher, selection, 20*time.Second, 0, false))
	}
	require.Equal(t, []string{
		"SNAPSHOT", "UPDATED 1 RUNNING", "BOOKMARK", "DELETED 2 PENDING", "DELETED 1 STOPPED", "UPDATED 3 RUNNING",
	}, told(p.lines))
	require.Less(t, w.now.Sub(began), 5*time.Second)
	require.Equal(t, position(t, w), p.position)

	began = w.now
	require.NoError(t, p.poll(watcher, selection, 20*time.Second, 0, false))
	require.Len(t, p.lines, 6)
	require.Equal(t, 20*time.Second, w.now.Sub(began), "nothing happened")
}

// What cannot concern the reader is passed by, and the answer's position is beyond it.
func TestAPollPassesByWhatIsNotItsReaders(t *testing.T) {
	w := newWorld(t)
	p := newPoller(w)
	p.position = position(t, w)
	for n := range 3 {
		w.task(id(n), "RUNNING", eventtest.StartedBy("web"))
	}
	w.dispatchAll()
	require.NoError(t, p.poll(w.watcher(func() {}), watch.Tasks(state.TaskFilter{StartedBy: "ops"}), time.Second, 0, false))
	require.Empty(t, p.lines)
	require.Equal(t, position(t, w), p.position)
}

// An answer may only be so large. The next one goes on within the same changes, whatever came meanwhile.
func TestAnAnswerToAPollThatIsFull(t *testing.T) {
	w := newWorld(t)
	p := newPoller(w)
	p.position = position(t, w)
	began := p.position
	for n := range 5 {
		w.task(id(n), "RUNNING")
	}
	w.dispatchAll()
	watcher, selection := w.watcher(func() {}), watch.Tasks(state.TaskFilter{})
	for n := range 4 {
		require.NoError(t, p.poll(watcher, selection, time.Second, 1, false))
		require.Equal(t, began, p.position)
		require.Equal(t, n+1, p.skip, "at least one in each answer, or it would never end")
		w.task(id(7+n), "RUNNING")
		w.dispatchAll()
	}
	require.NoError(t, p.poll(watcher, selection, time.Second, 1<<20, false))
	require.NoError(t, p.poll(watcher, selection, time.Second, 1<<20, false))
	require.Len(t, p.has, 9)
	require.Len(t, p.lines, 9, "nothing twice")
	require.Equal(t, position(t, w), p.position)

	p.skip = 1
	require.ErrorIs(t, p.poll(watcher, selection, time.Second, 0, false), table.ErrPosition)
	p.skip = -1
	require.ErrorIs(t, p.poll(watcher, selection, time.Second, 0, false), table.ErrPosition)
}

// What was told and changes again before the rest is told is told again: its later change stands behind what is skipped.
func TestWhatChangesAgainWhileAnswersAreFull(t *testing.T) {
	w := newWorld(t)
	p := newPoller(w)
	p.position = position(t, w)
	for n := range 3 {
		w.task(id(n), "RUNNING")
	}
	w.dispatchAll()
	watcher, selection := w.watcher(func() {}), watch.Tasks(state.TaskFilter{})
	require.NoError(t, p.poll(watcher, selection, time.Second, 1, false))
	require.Equal(t, 1, p.skip)
	w.task(id(0), "STOPPED")
	w.dispatchAll()
	require.NoError(t, p.poll(watcher, selection, time.Second, 1, false))
	require.Equal(t, 2, p.skip)
	require.NoError(t, p.poll(watcher, selection, time.Second, 1<<20, false))
	require.Equal(t, []string{"UPDATED 0 RUNNING", "UPDATED 1 RUNNING", "UPDATED 2 RUNNING", "UPDATED 0 STOPPED"}, told(p.lines))
	require.Equal(t, position(t, w), p.position)
}

// What is skipped is counted in the feed's changes, also in those that are not told: of others, and of the same again.
func TestAFullAnswerGoesOnAtTheFirstThatWasNotTold(t *testing.T) {
	w := newWorld(t)
	p := newPoller(w)
	p.position = position(t, w)
	w.task(id(0), "PENDING", eventtest.StartedBy("web"))
	w.task(id(1), "PENDING", eventtest.StartedBy("ops"))
	w.task(id(1), "RUNNING", eventtest.StartedBy("ops"))
	w.task(id(0), "RUNNING", eventtest.StartedBy("web"))
	w.task(id(2), "RUNNING", eventtest.StartedBy("ops"))
	w.task(id(1), "STOPPED", eventtest.StartedBy("ops"))
	w.dispatchAll()
	watcher, selection := w.watcher(func() {}), watch.Tasks(state.TaskFilter{StartedBy: "ops"})
	require.NoError(t, p.poll(watcher, selection, time.Second, 1, false))
	require.Equal(t, 4, p.skip)
	require.NoError(t, p.poll(watcher, selection, time.Second, 0, false))
	require.Equal(t, []string{"UPDATED 1 STOPPED", "UPDATED 2 RUNNING", "UPDATED 1 STOPPED"}, told(p.lines))
	require.Equal(t, position(t, w), p.position)
}

func TestPollsThatFail(t *testing.T) {
	w := newWorld(t)
	p := newPoller(w)
	p.position = position(t, w)
	w.task(id(1), "RUNNING")
	w.dispatchAll()
	good, selection := w.watcher(func() {}), watch.Tasks(state.TaskFilter{})
	bad := *good
	bad.State = table.NewState(failing{API: w.db, batch: true}, "state", visibleFor)
	require.ErrorIs(t, p.poll(&bad, selection, time.Second, 0, false), errBroken)
	require.NoError(t, p.poll(good, selection, time.Second, 0, false))
	require.Len(t, p.has, 1)

	impatient := *good
	impatient.Wait = func(context.Context, time.Duration) error { return context.Canceled }
	require.ErrorIs(t, p.poll(&impatient, selection, time.Second, 0, false), context.Canceled)

	w.task(id(1), "STOPPED")
	w.dispatchAll()
	w.now = w.now.Add(49 * time.Hour)
	w.db.ExpireItems(w.now)
	require.ErrorIs(t, p.poll(good, selection, time.Second, 0, false), table.ErrExpired)
}

// Whoever polls without anything happening costs less than a read unit a second.
func TestAnIdlePollIsCheap(t *testing.T) {
	w := newWorld(t)
	w.task(id(1), "RUNNING")
	w.dispatchAll()
	p := newPoller(w)
	p.position = position(t, w)
	w.db.ResetConsumed()
	began := w.now
	for range 15 {
		require.NoError(t, p.poll(w.watcher(func() {}), watch.Tasks(state.TaskFilter{}), 20*time.Second, 0, false))
	}
	require.Empty(t, p.lines)
	require.Equal(t, 300*time.Second, w.now.Sub(began))
	require.LessOrEqual(t, units(w), 300.0)
	require.Greater(t, units(w), 100.0, "or nothing is counted")
}
