package watch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// life are a task's lastStatus and desiredStatus, in the order that ECS goes through them; some may be left out.
var life = []struct{ last, desired string }{
	{"PROVISIONING", "RUNNING"}, {"PENDING", "RUNNING"}, {"RUNNING", "RUNNING"}, {"RUNNING", "STOPPED"}, {"STOPPED", "STOPPED"},
}

// writers are all that change the table meanwhile. What a task is of never changes; its statuses do.
type writers struct {
	*world
	t     *rapid.T
	phase map[string]int
	// budget bounds what is written in one run.
	budget int
}

func (w *writers) some() {
	if w.budget <= 0 {
		return
	}
	for range rapid.IntRange(0, 2).Draw(w.t, "writes") {
		w.budget--
		w.one()
	}
}

func (w *writers) one() {
	n := rapid.IntRange(0, 5).Draw(w.t, "task")
	key := state.Key{Kind: state.KindTask, Cluster: cluster([]string{"edge", "core"}[n%2]), ID: id(n)}
	switch pick(w.t, "write", "event", "event", "event", "event", "dispatch", "dispatch", "refresh", "absent", "repeat", "settle", "time", "expire", "instance") {
	case "event":
		w.live(n, key.Cluster.Name)
	case "dispatch":
		w.dispatch(rapid.IntRange(1, 6).Draw(w.t, "records"))
	case "refresh":
		w.refresh(key)
	case "absent":
		w.absent(key)
	case "repeat":
		if len(w.stream) > 0 {
			w.append(w.stream[0]) // delivered twice
		}
	case "settle":
		w.db.SettleIndexes()
	case "time":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(w.t, "seconds")) * time.Second)
	case "expire":
		w.db.ExpireItems(w.now)
	case "instance":
		w.version[id(100+n)]++
		w.put(eventtest.ContainerInstance(eventtest.ID(id(100+n)), eventtest.Version(w.version[id(100+n)])))
	}
}

// live brings a task further in its life, or makes it.
func (w *writers) live(n int, clusterName string) {
	phase := w.phase[id(n)]
	if phase >= len(life) {
		return
	}
	w.phase[id(n)] = phase + rapid.IntRange(1, 2).Draw(w.t, "steps")
	w.task(id(n), life[phase].last, eventtest.DesiredStatus(life[phase].desired), eventtest.Cluster(clusterName),
		eventtest.StartedBy([]string{"ops", "web", "ops"}[n%3]), eventtest.Group([]string{"service:a", "service:b"}[n%2]))
}

// refresh is a Describe that finds new tags without a new version.
func (w *writers) refresh(key state.Key) {
	records, err := w.state.GetMany(context.Background(), []state.Key{key}, true)
	require.NoError(w.t, err)
	for _, r := range records {
		if r.Event == nil {
			continue
		}
		detail := strings.TrimSuffix(string(r.Event.Detail), "}") + `,"tags":[{"key":"at","value":"` + w.now.String() + `"}]}`
		w.observe(state.Observation{Key: key, ARN: r.ARN, Version: r.Event.Version, Source: state.SourceDescribed, ObservedAt: w.now, Detail: []byte(detail)})
	}
}

var errLeft = errors.New("the reader went away")

// Who takes a snapshot, or lists, and then watches, ends at the state of a fresh list: whatever is written between any two
// reads, however late the feed and the indexes are, and however often the reader is cut off and goes on.
func TestAWatcherEndsAtTheStateOfAFreshList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writers{world: newWorld(t), t: t, phase: map[string]int{}, budget: 60}
		filter := state.TaskFilter{
			LastStatus:    pick(t, "lastStatus", "", "", "RUNNING", "STOPPED"),
			DesiredStatus: pick(t, "desiredStatus", "", "", "RUNNING"),
			StartedBy:     pick(t, "startedBy", "", "", "ops"),
			Group:         pick(t, "group", "", "", "service:a"),
			Cluster:       pick(t, "cluster", state.ClusterKey{}, cluster("edge")),
		}
		selection := watch.Tasks(filter)
		readLag := pick(t, "read lag", 0, memory.UntilSettled)
		w.readLag = func() time.Duration { return readLag }
		for range rapid.IntRange(0, 12).Draw(t, "writes before") {
			w.one()
		}
		w.between = w.some
		watcher := w.watcher(w.some)
		r := newReader(w.world)
		if rapid.Bool().Draw(t, "lists first") {
			r.list(watcher, filter, rapid.IntRange(1, 4).Draw(t, "limit"))
		}
		for range rapid.IntRange(1, 4).Draw(t, "connections") {
			left := rapid.IntRange(1, 30).Draw(t, "lines")
			err := r.watch(watcher, selection, time.Duration(rapid.IntRange(1, 30).Draw(t, "lasts"))*time.Second, func(line watch.Line) error {
				if left--; left < 0 {
					return errLeft
				}
				r.take(line)
				return nil
			})
			r.recover(t, err)
		}

		w.budget, w.between = 0, func() {}
		w.dispatchAll()
		w.db.SettleIndexes()
		err := r.watch(watcher, selection, time.Minute, func(line watch.Line) error { r.take(line); return nil })
		if errors.Is(err, table.ErrExpired) {
			r.recover(t, err)
			err = r.watch(watcher, selection, time.Minute, func(line watch.Line) error { r.take(line); return nil })
		}
		require.NoError(t, err)
		require.Equal(t, watch.End, r.lines[len(r.lines)-1].Type)
		fresh := list(t, w.state, filter, true, 100, w.clock)
		require.Equal(t, fresh, list(t, w.state, filter, false, 100, w.clock))
		require.Equal(t, fresh, r.holds())
	})
}

// recover is what a reader does after a stream: it goes on from its position, or lists again.
func (r *reader) recover(t *rapid.T, err error) {
	switch {
	case errors.Is(err, table.ErrExpired), errors.Is(err, watch.ErrSnapshotTooLarge):
		r.position = ""
	case err != nil:
		require.ErrorIs(t, err, errLeft)
	}
	if r.stale != nil {
		r.position = "" // cut off within a snapshot
	}
}

// list is the other way to begin: a list, whose position was read before its first page. Lists by an index have none.
func (r *reader) list(watcher *watch.Watcher, f state.TaskFilter, limit int) {
	position, err := watcher.Feed.Position(context.Background())
	require.NoError(r.w.t, err)
	query := table.TaskQuery{Filter: f, Limit: limit}
	if f.Cluster.Name != "" {
		query.Clusters = []state.ClusterKey{f.Cluster}
	}
	for {
		page, err := watcher.State.ListTasks(context.Background(), query, r.w.now)
		require.NoError(r.w.t, err)
		for _, record := range page.Records {
			r.has[record.Key] = record
		}
		if page.Indexed {
			position = ""
		}
		if page.Next.IsZero() {
			r.position = position
			return
		}
		query.After = page.Next
	}
}

// A stream that has told its own snapshot tells no end of what it never told, and nothing twice.
func TestAStreamWithASnapshotSaysNothingInVain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writers{world: newWorld(t), t: t, phase: map[string]int{}, budget: 60}
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
