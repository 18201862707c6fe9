package watch_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
	"github.com/blox/blox/internal/watch"
)

const visibleFor = 2 * time.Hour

var start = eventtest.DefaultTime

// world is the STATE table with all that writes to it. It is in one goroutine: whoever reads it through hooked lets the
// others come between any two of its calls.
type world struct {
	t     require.TestingT
	now   time.Time
	db    *memory.DB
	state *table.State
	feed  *table.Feed
	// stream holds the change records that nobody has appended to the feed yet.
	stream []events.DynamoDBEventRecord
	// between is called before and after every read of hooked.
	between func()
	// readLag is how late reads see a write that are not consistent.
	readLag func() time.Duration
	version map[string]int64
}

func newWorld(t require.TestingT) *world {
	w := &world{t: t, now: start, between: func() {}, readLag: func() time.Duration { return 0 }, version: map[string]int64{}}
	clock := func() time.Time { return w.now }
	w.db = memory.New(
		memory.WithClock(clock),
		memory.WithStream(func(_ string, r events.DynamoDBEventRecord) { w.stream = append(w.stream, r) }),
		memory.WithReadLag(func(string) time.Duration { return w.readLag() }),
		memory.WithIndexLag(func(string, string) time.Duration { return memory.UntilSettled }),
	)
	require.NoError(t, table.Create(context.Background(), w.db, "state", schema.State))
	w.state, w.feed = table.NewState(w.db, "state", visibleFor), table.NewFeed(w.db, "state", clock)
	return w
}

// watcher reads through the hooks. wait passes virtual time.
func (w *world) watcher(waited func()) *watch.Watcher {
	return &watch.Watcher{
		State: table.NewState(hooked{w.db, w}, "state", visibleFor), Feed: table.NewFeed(hooked{w.db, w}, "state", w.clock), Now: w.clock,
		Wait: func(_ context.Context, d time.Duration) error {
			w.now = w.now.Add(d)
			waited()
			return nil
		},
	}
}

func (w *world) clock() time.Time { return w.now }

// put stores what an event tells, as ingest does.
func (w *world) put(raw []byte) state.Observation {
	parsed, err := event.Parse(raw)
	require.NoError(w.t, err)
	w.observe(*parsed.Observation)
	return *parsed.Observation
}

func (w *world) observe(seen state.Observation) {
	require.NoError(w.t, w.state.AddCluster(context.Background(), seen.Cluster))
	_, err := w.state.Put(context.Background(), seen, w.now)
	require.NoError(w.t, err)
}

// task stores the next version of a task.
func (w *world) task(id, status string, options ...eventtest.Option) state.Observation {
	w.version[id]++
	return w.put(eventtest.Task(append([]eventtest.Option{
		eventtest.ID(id), eventtest.LastStatus(status), eventtest.Version(w.version[id]), eventtest.Time(w.now),
	}, options...)...))
}

// dispatch appends the oldest n change records to the feed, as the scheduler's dispatch does.
func (w *world) dispatch(n int) {
	for ; n > 0 && len(w.stream) > 0; n-- {
		record := w.stream[0]
		w.stream = w.stream[1:]
		w.append(record)
	}
}

func (w *world) append(record events.DynamoDBEventRecord) {
	change, ok, err := table.DecodeChange(record)
	require.NoError(w.t, err)
	if ok {
		require.NoError(w.t, w.feed.AppendAll(context.Background(), []table.Change{change.FeedChange()}))
	}
}

// dispatchAll leaves nothing in the stream but what the feed's own rows put there.
func (w *world) dispatchAll() {
	for len(w.stream) > 0 {
		w.dispatch(len(w.stream))
	}
}

// absent marks a record as reconcile does that ECS does not know.
func (w *world) absent(key state.Key) {
	records, err := w.state.GetMany(context.Background(), []state.Key{key}, true)
	require.NoError(w.t, err)
	for _, record := range records {
		if record.Tombstone == nil {
			require.NoError(w.t, w.state.MarkAbsent(context.Background(), record, w.now))
		}
	}
}

// hooked lets others come between reads.
type hooked struct {
	dynamo.API
	w *world
}

func (h hooked) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	h.w.between()
	defer h.w.between()
	return h.API.Query(ctx, in, opts...)
}

func (h hooked) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	h.w.between()
	defer h.w.between()
	return h.API.BatchGetItem(ctx, in, opts...)
}

// reader is who watches: it does what the documentation tells readers to do, and no more.
type reader struct {
	w        *world
	has      map[state.Key]state.Record
	stale    map[state.Key]bool // during a snapshot: what was not told again
	position string
	lines    []watch.Line
}

func newReader(w *world) *reader { return &reader{w: w, has: map[state.Key]state.Record{}} }

func (r *reader) take(line watch.Line) {
	r.lines = append(r.lines, line)
	switch line.Type {
	case watch.Snapshot:
		r.stale = map[state.Key]bool{}
		for key := range r.has {
			r.stale[key] = true
		}
	case watch.Updated:
		r.has[line.Key] = *line.Record
		delete(r.stale, line.Key)
	case watch.Deleted:
		delete(r.has, line.Key)
	case watch.Bookmark:
		for key := range r.stale {
			delete(r.has, key)
		}
		r.stale = nil
	}
	if line.Position != "" {
		r.position = line.Position
	}
}

// holds is what the reader has and still may show.
func (r *reader) holds() map[state.Key]state.Record {
	shown := map[state.Key]state.Record{}
	for key, record := range r.has {
		if table.Visible(record, r.w.now) {
			shown[key] = record
		}
	}
	return shown
}

// from is where the reader goes on.
func (r *reader) from() *table.FeedPosition {
	if r.position == "" {
		return nil
	}
	position, err := table.ParseFeedPosition(r.position)
	require.NoError(r.w.t, err)
	return &position
}

// watch runs one stream for a time. A failing emit is the reader's own end of it.
func (r *reader) watch(watcher *watch.Watcher, selection watch.Selection, lasts time.Duration, emit func(watch.Line) error) error {
	from := r.from()
	stream, err := watcher.Open(context.Background(), watch.Request{
		Selection: selection, From: from, Snapshot: from == nil, Until: r.w.now.Add(lasts),
	})
	if err != nil {
		return err
	}
	return stream.Run(context.Background(), func(lines []watch.Line) error {
		for _, line := range lines {
			if err := emit(line); err != nil {
				return err
			}
		}
		return nil
	})
}

// list reads all of a filter's tasks, page by page, consistently or by an index.
func list(t require.TestingT, s *table.State, f state.TaskFilter, consistent bool, limit int, now func() time.Time) map[state.Key]state.Record {
	found := map[state.Key]state.Record{}
	query := table.TaskQuery{Filter: f, Limit: limit, Consistent: consistent}
	if f.Cluster.Name != "" {
		query.Clusters = []state.ClusterKey{f.Cluster}
	}
	for {
		page, err := s.ListTasks(context.Background(), query, now())
		require.NoError(t, err)
		for _, record := range page.Records {
			found[record.Key] = record
		}
		if page.Next.IsZero() {
			return found
		}
		query.After = page.Next
	}
}

// id makes an id of ECS's form.
func id(n int) string { return fmt.Sprintf("%032x", n) }

// cluster is one of the clusters that the tests use.
func cluster(name string) state.ClusterKey {
	return state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: name}
}

func pick[T any](t *rapid.T, name string, of ...T) T { return rapid.SampledFrom(of).Draw(t, name) }
