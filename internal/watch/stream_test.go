package watch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
	"github.com/blox/blox/internal/watch"
)

// told are a stream's lines, in short.
func told(lines []watch.Line) []string {
	var short []string
	for _, line := range lines {
		text := string(line.Type)
		if line.Key.ID != "" {
			text += " " + line.Key.ID[len(line.Key.ID)-1:]
		}
		if line.Record != nil && line.Key.Kind == state.KindTask {
			text += " " + line.Record.Task.LastStatus
		}
		short = append(short, text)
	}
	return short
}

// run watches for a time; at each wait the next of the steps is done.
func (r *reader) run(t *testing.T, selection watch.Selection, lasts time.Duration, steps ...func()) []string {
	t.Helper()
	from := len(r.lines)
	watcher := r.w.watcher(func() {
		if len(steps) > 0 {
			steps[0]()
			steps = steps[1:]
			r.w.dispatchAll()
		}
	})
	require.NoError(t, r.watch(watcher, selection, lasts, func(line watch.Line) error { r.take(line); return nil }))
	return told(r.lines[from:])
}

func TestAStreamTellsWhatThereIsAndThenWhatHappens(t *testing.T) {
	w := newWorld(t)
	w.task(id(1), "RUNNING")
	w.task(id(2), "PENDING")
	w.dispatchAll()
	r := newReader(w)
	require.Equal(t, []string{
		"SNAPSHOT", "UPDATED 1 RUNNING", "BOOKMARK",
		"UPDATED 2 RUNNING",
		"DELETED 1 STOPPED", // and with it why: the record is there
		"UPDATED 3 RUNNING", // what was between is left out
		"END",
	}, r.run(t, watch.Tasks(state.TaskFilter{LastStatus: "running"}), 10*time.Second,
		func() { w.task(id(2), "RUNNING") },
		func() { w.task(id(1), "STOPPED") },
		func() { w.task(id(3), "PENDING"); w.task(id(3), "RUNNING") },
		func() { w.task(id(4), "PENDING") }, // never matches
	))
	require.Empty(t, r.lines[1].Position, "a stream cut off within its snapshot cannot be gone on with")
	require.NotEmpty(t, r.lines[2].Position)

	w.task(id(2), "STOPPED")
	w.dispatchAll()
	require.Equal(t, []string{"BOOKMARK", "DELETED 2 STOPPED", "END"}, r.run(t, watch.Tasks(state.TaskFilter{LastStatus: "running"}), 10*time.Second))
}

func TestWhatMayHaveBeenInTheFilterIsToldWhenItIsNot(t *testing.T) {
	ops := eventtest.StartedBy("ops")
	for about, tc := range map[string]struct {
		filter state.TaskFilter
		want   []string
	}{
		"its status is another":         {state.TaskFilter{LastStatus: "RUNNING", StartedBy: "ops"}, []string{"DELETED 1 STOPPED"}},
		"its desiredStatus is another":  {state.TaskFilter{DesiredStatus: "RUNNING"}, []string{"DELETED 1 STOPPED"}},
		"it was started by another":     {state.TaskFilter{LastStatus: "RUNNING", StartedBy: "web"}, nil},
		"it is of another family":       {state.TaskFilter{LastStatus: "RUNNING", Family: "web"}, nil},
		"it is of another group":        {state.TaskFilter{LastStatus: "RUNNING", Group: "web"}, nil},
		"it is on another host":         {state.TaskFilter{LastStatus: "RUNNING", ContainerInstance: id(9)}, nil},
		"it is in another cluster":      {state.TaskFilter{Cluster: cluster("core")}, nil},
		"it matches":                    {state.TaskFilter{StartedBy: "ops"}, []string{"UPDATED 1 STOPPED"}},
		"it matches, and so did before": {state.TaskFilter{LastStatus: "STOPPED"}, []string{"UPDATED 1 STOPPED"}},
	} {
		t.Run(about, func(t *testing.T) {
			w := newWorld(t)
			w.task(id(1), "RUNNING", ops)
			w.dispatchAll()
			r := newReader(w)
			r.position = position(t, w)
			w.task(id(1), "STOPPED", ops)
			w.dispatchAll()
			want := append(append([]string{"BOOKMARK"}, tc.want...), "END")
			require.Equal(t, want, r.run(t, watch.Tasks(tc.filter), time.Second))
		})
	}
}

func position(t *testing.T, w *world) string {
	t.Helper()
	text, err := table.NewFeed(w.db, "state", w.clock).Position(context.Background())
	require.NoError(t, err)
	return text
}

func TestWhatExpiresIsToldNoMore(t *testing.T) {
	w := newWorld(t)
	w.task(id(1), "STOPPED")
	w.dispatchAll()
	r := newReader(w)
	r.run(t, watch.Tasks(state.TaskFilter{}), time.Second)
	require.Len(t, r.holds(), 1)

	w.now = w.now.Add(visibleFor)
	require.Empty(t, r.holds(), "no line tells of it: the reader drops it by itself")
	r.position = position(t, w)
	w.now = w.now.Add(state.TombstoneKeptFor)
	w.db.ExpireItems(w.now)
	w.dispatchAll()
	require.Equal(t, []string{"BOOKMARK", "END"}, r.run(t, watch.Tasks(state.TaskFilter{}), time.Second))
}

// What is out of sight by now may have been in the filter before, unless it never can have been.
func TestWhatEndedLongAgo(t *testing.T) {
	for about, tc := range map[string]struct {
		startedBy string
		want      []string
	}{
		"it may have matched":    {"ops", []string{"BOOKMARK", "DELETED 1", "END"}},
		"it cannot have matched": {"web", []string{"BOOKMARK", "END"}},
	} {
		t.Run(about, func(t *testing.T) {
			w := newWorld(t)
			r := newReader(w)
			r.position = position(t, w)
			w.task(id(1), "STOPPED", eventtest.StartedBy("ops"))
			w.dispatchAll()
			w.now = w.now.Add(visibleFor)
			require.Equal(t, tc.want, r.run(t, watch.Tasks(state.TaskFilter{StartedBy: tc.startedBy}), time.Second))
		})
	}
}

func TestInstancesAreWatchedAsTasksAre(t *testing.T) {
	w := newWorld(t)
	instance := func(status string, version int64) {
		w.put(eventtest.ContainerInstance(eventtest.ID(id(7)), eventtest.Status(status), eventtest.Version(version)))
		w.task(id(1), "RUNNING") // concerns nobody here
	}
	instance("ACTIVE", 1)
	r := newReader(w)
	require.Equal(t, []string{"SNAPSHOT", "UPDATED 7", "BOOKMARK", "DELETED 7", "UPDATED 7", "END"},
		r.run(t, watch.Instances(state.InstanceFilter{Status: "active", Cluster: cluster("edge")}), 10*time.Second,
			func() { instance("DRAINING", 2) }, func() { instance("DRAINING", 3) }, func() { instance("ACTIVE", 4) }))
}

func TestASilentStreamGivesSignsOfLife(t *testing.T) {
	w := newWorld(t)
	w.task(id(1), "RUNNING")
	r := newReader(w)
	r.position = position(t, w)
	steps := make([]func(), 30)
	for i := range steps {
		steps[i] = func() { w.task(id(1), "RUNNING") } // there is news all the time, but not for this reader
	}
	got := r.run(t, watch.Tasks(state.TaskFilter{StartedBy: "nobody"}), 50*time.Second, steps...)
	require.Equal(t, []string{"BOOKMARK", "HEARTBEAT", "HEARTBEAT", "HEARTBEAT", "END"}, got)
	require.Equal(t, position(t, w), r.position, "and its position goes on")
}

func TestAStreamOnlyOfWhatIsToCome(t *testing.T) {
	w := newWorld(t)
	w.task(id(1), "RUNNING")
	w.dispatchAll()
	stream, err := w.watcher(func() {}).Open(context.Background(), watch.Request{Selection: watch.Tasks(state.TaskFilter{}), Until: w.now})
	require.NoError(t, err)
	var lines []watch.Line
	require.NoError(t, stream.Run(context.Background(), func(more []watch.Line) error { lines = append(lines, more...); return nil }))
	require.Equal(t, []string{"BOOKMARK", "END"}, told(lines))
	require.Equal(t, position(t, w), lines[0].Position)
}

func TestAPositionThatIsTooOld(t *testing.T) {
	w := newWorld(t)
	r := newReader(w)
	r.position = position(t, w)
	w.task(id(1), "RUNNING")
	w.dispatchAll()
	w.now = w.now.Add(49 * time.Hour)
	w.db.ExpireItems(w.now)
	require.ErrorIs(t, r.watch(w.watcher(func() {}), watch.Tasks(state.TaskFilter{}), time.Second, nil), table.ErrExpired)

	_, err := w.watcher(func() {}).Open(context.Background(), watch.Request{From: &table.FeedPosition{}, Snapshot: true})
	require.ErrorContains(t, err, "both a snapshot and a position")
}

func TestAReaderThatIsTooSlowHearsOfIt(t *testing.T) {
	w := newWorld(t)
	r := newReader(w)
	steps := []func(){
		func() { w.task(id(1), "RUNNING"); w.dispatchAll() },
	}
	watcher := w.watcher(func() {
		if len(steps) > 0 {
			steps[0]()
			steps = steps[1:]
		}
	})
	err := r.watch(watcher, watch.Tasks(state.TaskFilter{}), 100*time.Hour, func(line watch.Line) error {
		r.take(line)
		if line.Type == watch.Updated && line.Record.Version == 1 {
			// It takes its time, and the feed goes on without it.
			w.task(id(1), "STOPPED")
			w.dispatchAll()
			w.now = w.now.Add(49 * time.Hour)
			w.db.ExpireItems(w.now)
		}
		return nil
	})
	require.ErrorIs(t, err, table.ErrExpired)
	require.Equal(t, []string{"SNAPSHOT", "BOOKMARK", "UPDATED 1 RUNNING"}, told(r.lines)[:3])
}

func TestASnapshotThatTakesTooLong(t *testing.T) {
	w := newWorld(t)
	for n := range 300 {
		w.task(id(n), "RUNNING")
	}
	r := newReader(w)
	err := r.watch(w.watcher(func() {}), watch.Tasks(state.TaskFilter{}), 5*time.Second, func(line watch.Line) error {
		w.now = w.now.Add(50 * time.Millisecond)
		return nil
	})
	require.ErrorIs(t, err, watch.ErrSnapshotTooLarge)
}

// An answer may only be so large: the reader goes on in another, from a position from which it misses nothing.
func TestAStreamThatIsFullEnds(t *testing.T) {
	w := newWorld(t)
	r := newReader(w)
	r.position = position(t, w)
	for n := range 150 {
		w.task(id(n), "RUNNING")
	}
	w.dispatchAll()
	watch := func(most int) error {
		r.lines = nil
		from := r.from()
		stream, err := w.watcher(func() {}).Open(t.Context(), watch.Request{
			Selection: watch.Tasks(state.TaskFilter{}), From: from, Snapshot: from == nil, Until: w.now.Add(time.Minute),
			Full: func() bool { return len(r.lines) >= most },
		})
		require.NoError(t, err)
		return stream.Run(t.Context(), func(lines []watch.Line) error {
			for _, line := range lines {
				r.take(line)
			}
			return nil
		})
	}
	before := r.position
	require.NoError(t, watch(50))
	require.Len(t, r.lines, 102, "a bookmark, a chunk and the end: long before its time")
	require.Equal(t, before, r.position, "some of the changes there were not told")
	require.NoError(t, watch(500))
	require.Len(t, r.has, 150)
	require.Equal(t, position(t, w), r.position)

	r.position = ""
	require.ErrorContains(t, watch(50), "larger than one stream")
	require.Less(t, len(r.lines), 150)
}

// A slow reader costs time and no memory.
func TestNothingIsReadAheadOfTheReader(t *testing.T) {
	w := newWorld(t)
	for n := range 300 {
		w.task(id(n), "RUNNING")
	}
	reads, most := 0, 0
	w.between = func() { reads++ }
	r := newReader(w)
	require.NoError(t, r.watch(w.watcher(func() {}), watch.Tasks(state.TaskFilter{}), time.Second, func(line watch.Line) error {
		r.take(line)
		if line.Type == watch.Updated {
			most = max(most, reads/2)
			if len(r.has) == 100 {
				require.LessOrEqual(t, reads/2, 12, "the first hundred are told before the others are read")
			}
		}
		return nil
	}))
	require.Len(t, r.has, 300)
	require.Greater(t, most, 12)
}

func TestAStreamEndsWithItsContextAndSaysWhatFailed(t *testing.T) {
	w := newWorld(t)
	w.task(id(1), "RUNNING")
	ctx, cancel := context.WithCancel(context.Background())
	watcher := w.watcher(func() {})
	watcher.Wait = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return ctx.Err()
	}
	stream, err := watcher.Open(ctx, watch.Request{Selection: watch.Tasks(state.TaskFilter{}), Until: w.now.Add(time.Hour)})
	require.NoError(t, err)
	require.ErrorIs(t, stream.Run(ctx, func([]watch.Line) error { return nil }), context.Canceled)

	gone := errors.New("gone")
	for n := range 4 {
		stream, err := w.watcher(func() { w.task(id(1), "RUNNING"); w.dispatchAll() }).Open(context.Background(),
			watch.Request{Selection: watch.Tasks(state.TaskFilter{}), Snapshot: true, Until: w.now.Add(time.Hour)})
		require.NoError(t, err)
		left := n
		require.ErrorIs(t, stream.Run(context.Background(), func([]watch.Line) error {
			if left--; left < 0 {
				return gone
			}
			return nil
		}), gone, "whatever it was about to tell")
	}
}

// failing fails every read of one kind.
type failing struct {
	dynamo.API
	query, batch bool
}

var errBroken = errors.New("broken")

func (f failing) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if f.query {
		return nil, errBroken
	}
	return f.API.Query(ctx, in, opts...)
}

func (f failing) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if f.batch {
		return nil, errBroken
	}
	return f.API.BatchGetItem(ctx, in, opts...)
}

func TestAStreamOfABrokenTable(t *testing.T) {
	w := newWorld(t)
	good := w.watcher(func() {})
	bad := func(db failing) *watch.Watcher {
		db.API = w.db
		return &watch.Watcher{State: table.NewState(db, "state", visibleFor), Feed: table.NewFeed(db, "state", w.clock), Now: w.clock, Wait: good.Wait}
	}
	for _, from := range []*table.FeedPosition{nil, {}} {
		_, err := bad(failing{batch: true}).Open(context.Background(), watch.Request{Selection: watch.Tasks(state.TaskFilter{}), From: from})
		require.ErrorIs(t, err, errBroken)
	}
	stream, err := bad(failing{query: true}).Open(context.Background(), watch.Request{Selection: watch.Tasks(state.TaskFilter{}), Snapshot: true})
	require.NoError(t, err)
	require.ErrorIs(t, stream.Run(context.Background(), func([]watch.Line) error { return nil }), errBroken)
}

// units is what a watcher consumes in read units of DynamoDB.
func units(w *world) float64 {
	var sum float64
	for _, consumed := range w.db.Consumed().ByIndex {
		sum += consumed.Read
	}
	return sum
}

// An idle reader costs at most one read unit a second.
func TestAnIdleReaderIsCheap(t *testing.T) {
	w := newWorld(t)
	for n := range 20 {
		w.task(id(n), "RUNNING")
	}
	w.dispatchAll()
	r := newReader(w)
	r.position = position(t, w)
	r.run(t, watch.Tasks(state.TaskFilter{}), time.Second)
	w.db.ResetConsumed()
	const seconds = 300
	r.run(t, watch.Tasks(state.TaskFilter{}), seconds*time.Second)
	// What opening costs, and the looks in the first seconds, come once.
	require.LessOrEqual(t, units(w), float64(seconds)+schema.FeedShards+6)
	require.Greater(t, units(w), float64(seconds)/2, "or nothing is counted")
}
