package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
	"github.com/blox/blox/internal/wakeup"
	"github.com/blox/blox/stream"
)

var (
	t0      = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	cluster = state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}
)

// world is a dispatcher behind a STATE table in memory, whose stream it keeps until it is read.
type world struct {
	t            *testing.T
	state        *table.State
	feed         *table.Feed
	dispatcher   *Dispatcher
	environments *table.Daemon
	stream       []events.DynamoDBEventRecord
	sent         []wakeup.Wakeup
}

func (w *world) Send(_ context.Context, messages []queue.Message) error {
	for _, m := range messages {
		parsed, err := wakeup.Parse(m.Body)
		require.NoError(w.t, err)
		w.sent = append(w.sent, parsed)
	}
	return nil
}

// newWorld has one environment, "env", on the cluster, and one on another cluster.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	db := memory.New(memory.WithStream(func(_ string, record events.DynamoDBEventRecord) { w.stream = append(w.stream, record) }))
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
	environments := table.NewDaemon(db, "daemon")
	other := cluster
	other.Name = "core"
	for id, of := range map[string]state.ClusterKey{"env": cluster, "elsewhere": other} {
		require.NoError(t, environments.CreateEnvironment(t.Context(),
			daemon.Environment{ID: id, Name: id, Clusters: []state.ClusterKey{of}}, daemon.Revision{EnvironmentID: id, Number: 1}))
	}
	w.environments = environments
	w.state = table.NewState(db, "state", state.DefaultVisibleFor)
	w.feed = table.NewFeed(db, "state", func() time.Time { return t0 })
	w.dispatcher = New(Config{State: w.state, Daemon: environments, Feed: w.feed, Wakeups: w, Installation: "main", Log: slog.New(slog.DiscardHandler)})
	return w
}

// store writes events without dispatching them.
func (w *world) store(raws ...[]byte) {
	w.t.Helper()
	for _, raw := range raws {
		parsed, err := event.Parse(raw)
		require.NoError(w.t, err)
		_, err = w.state.Put(w.t.Context(), *parsed.Observation, t0)
		require.NoError(w.t, err)
	}
}

// dispatch reads what the stream holds.
func (w *world) dispatch() []wakeup.Wakeup {
	w.t.Helper()
	batch := w.stream
	w.stream, w.sent = nil, nil
	require.NoError(w.t, w.dispatcher.Batch(w.t.Context(), batch))
	return w.sent
}

func here(options ...eventtest.Option) []eventtest.Option {
	return append([]eventtest.Option{
		eventtest.Account(cluster.Account), eventtest.Region(cluster.Region), eventtest.Cluster(cluster.Name),
	}, options...)
}

func host(version int64, status string, connected bool) []byte {
	return eventtest.ContainerInstance(here(
		eventtest.ID("host1"), eventtest.Version(version), eventtest.Status(status), eventtest.AgentConnected(connected),
	)...)
}

func task(id string, version int64, lastStatus, group string) []byte {
	return eventtest.Task(here(
		eventtest.ID(id), eventtest.Version(version), eventtest.LastStatus(lastStatus), eventtest.Group(group),
		eventtest.OnContainerInstance("host1"),
	)...)
}

func TestWhoIsWoken(t *testing.T) {
	ours, foreign := daemon.Group("main", "env"), daemon.Group("other", "env")
	for name, c := range map[string]struct {
		before, change [][]byte
		want           []string
	}{
		"a host joins":                                {nil, [][]byte{host(1, "ACTIVE", true)}, []string{"env"}},
		"a host drains":                               {[][]byte{host(1, "ACTIVE", true)}, [][]byte{host(2, "DRAINING", true)}, []string{"env"}},
		"an agent disconnects":                        {[][]byte{host(1, "ACTIVE", true)}, [][]byte{host(2, "ACTIVE", false)}, []string{"env"}},
		"only a host's resources change":              {[][]byte{host(1, "ACTIVE", true)}, [][]byte{host(2, "ACTIVE", true)}, nil},
		"a daemon starts":                             {nil, [][]byte{task("d", 1, "RUNNING", ours)}, []string{"env"}},
		"a daemon of another installation starts":     {nil, [][]byte{task("d", 1, "RUNNING", foreign)}, nil},
		"an ordinary task starts":                     {nil, [][]byte{task("a", 1, "RUNNING", "service:web")}, nil},
		"an ordinary task stops":                      {[][]byte{host(1, "ACTIVE", true), task("a", 1, "RUNNING", "service:web")}, [][]byte{task("a", 2, "STOPPED", "service:web")}, nil},
		"an ordinary task stops on a draining host":   {[][]byte{host(1, "DRAINING", true), task("a", 1, "RUNNING", "service:web")}, [][]byte{task("a", 2, "STOPPED", "service:web")}, []string{"env"}},
		"many changes of one host are one wake-up":    {nil, [][]byte{host(1, "ACTIVE", true), task("d", 1, "PENDING", ours), task("d", 2, "RUNNING", ours)}, []string{"env"}},
		"a stopped task's attachments change anew":    {[][]byte{host(1, "DRAINING", true), task("a", 2, "STOPPED", "service:web")}, [][]byte{task("a", 3, "STOPPED", "service:web")}, nil},
		"a task that was never seen alive is stopped": {[][]byte{host(1, "DRAINING", true)}, [][]byte{task("a", 2, "STOPPED", "service:web")}, []string{"env"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.store(c.before...)
			w.stream = nil
			w.store(c.change...)
			var woken []string
			for _, wake := range w.dispatch() {
				woken = append(woken, wake.EnvironmentID)
				require.Equal(t, []state.Key{{Kind: state.KindContainerInstance, Cluster: cluster, ID: "host1"}}, wake.Instances)
			}
			require.Equal(t, c.want, woken)
		})
	}
}

// described is the host as reconcile saw it, with one attribute of its own.
func described(version int64, attribute string) state.Observation {
	key := state.Key{Kind: state.KindContainerInstance, Cluster: cluster, ID: "host1"}
	return state.Observation{
		Key: key, ARN: cluster.ARN("") + "/host1", Version: version, Source: state.SourceDescribed, ObservedAt: t0.Add(time.Minute),
		Detail: fmt.Appendf(nil, `{"ec2InstanceId":"i-0a1b2c3d4e5f60718","status":"ACTIVE","agentConnected":true,"version":%d,
			"attributes":[{"name":"stack","value":%q}]}`, version, attribute),
	}
}

// ECS tells nobody when attributes change: reconcile finds it, at the version that the host had before.
func TestAChangeOfAttributesWakesTheEnvironments(t *testing.T) {
	w := newWorld(t)
	put := func(o state.Observation) {
		_, err := w.state.Put(t.Context(), o, o.ObservedAt)
		require.NoError(t, err)
	}
	put(described(1, "blue"))
	require.Len(t, w.dispatch(), 1)
	again := described(1, "blue")
	again.ObservedAt = again.ObservedAt.Add(time.Minute)
	put(again)
	require.Empty(t, w.dispatch())
	green := described(1, "green")
	green.ObservedAt = green.ObservedAt.Add(2 * time.Minute)
	put(green)
	require.Equal(t, []wakeup.Wakeup{{EnvironmentID: "env", Instances: []state.Key{green.Key}, Names: []string{green.Key.String()}}}, w.dispatch())
}

func TestAnEnvironmentThatWatchesTasksIsWokenByAllOfItsClusters(t *testing.T) {
	for name, revision := range map[string]daemon.Revision{
		"it releases idle hosts":       {ReleaseIdleHosts: true},
		"it takes over from a service": {MigrateFrom: "log-agent"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			revision.EnvironmentID, revision.Number = "watcher", 1
			require.NoError(t, w.environments.CreateEnvironment(t.Context(),
				daemon.Environment{ID: "watcher", Name: "watcher", Clusters: []state.ClusterKey{cluster}}, revision))
			w.store(host(1, "ACTIVE", true))
			w.dispatch()
			for _, change := range []struct {
				raw  []byte
				want int
			}{
				{task("a", 1, "PENDING", "service:web"), 1}, // the host is not idle any more
				{task("a", 2, "RUNNING", "service:web"), 0},
				{task("a", 3, "STOPPED", "service:web"), 1}, // or is
				{task("b", 1, "RUNNING", "family:batch"), 1},
				{nowhere("c", 1), 0}, // a capacity provider scales out for it first
				{task("c", 2, "PENDING", "service:web"), 1},
			} {
				w.store(change.raw)
				woken := w.dispatch()
				require.Len(t, woken, change.want)
				for _, wake := range woken {
					require.Equal(t, "watcher", wake.EnvironmentID, "the other environment of the cluster does not care")
					require.Len(t, wake.Instances, 1)
				}
			}
		})
	}
}

// An environment that was deleted may have left its tasks to the next one of its name, which watches all tasks then.
func TestTheEndOfATaskThatWasLeftWakesWhoTookItOver(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.environments.CreateEnvironment(t.Context(),
		daemon.Environment{ID: "heir", Name: "heir", Clusters: []state.ClusterKey{cluster}, FormerIDs: []string{"gone"}},
		daemon.Revision{EnvironmentID: "heir", Number: 1}))
	w.store(host(1, "ACTIVE", true))
	for _, group := range []string{daemon.Group("main", "gone"), daemon.Group("main", "env")} {
		w.store(task(group[len(group)-3:], 1, "RUNNING", group))
	}
	w.dispatch()
	woken := func(id, group string) (ids []string) {
		w.store(task(id, 2, "STOPPED", group))
		for _, wake := range w.dispatch() {
			ids = append(ids, wake.EnvironmentID)
		}
		return ids
	}
	require.ElementsMatch(t, []string{"gone", "heir"}, woken("one", daemon.Group("main", "gone")))
	require.Equal(t, []string{"env"}, woken("env", daemon.Group("main", "env")), "that one is there")
}

// nowhere is a task that ECS has no host for yet.
func nowhere(id string, version int64) []byte {
	return eventtest.Task(here(
		eventtest.ID(id), eventtest.Version(version), eventtest.LastStatus("PROVISIONING"), eventtest.Group("service:web"), eventtest.OnContainerInstance(""),
	)...)
}

// Daemons of a draining host are stopped one after the other, by their drain priority.
func TestTheEndOfADaemonOnADrainingHostWakesTheOthers(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.environments.CreateEnvironment(t.Context(),
		daemon.Environment{ID: "later", Name: "later", Clusters: []state.ClusterKey{cluster}}, daemon.Revision{EnvironmentID: "later", Number: 1}))
	group := daemon.Group("main", "env")
	w.store(host(1, "ACTIVE", true), task("d", 1, "RUNNING", group))
	w.dispatch()
	woken := func() (ids []string) {
		for _, wake := range w.dispatch() {
			ids = append(ids, wake.EnvironmentID)
		}
		return ids
	}
	w.store(task("d", 2, "STOPPED", group))
	require.Equal(t, []string{"env"}, woken(), "on a host that stays it is nobody else's business")
	w.store(host(2, "DRAINING", true), task("e", 1, "RUNNING", group))
	w.dispatch()
	w.store(task("e", 2, "STOPPED", group))
	require.Equal(t, []string{"env", "later"}, woken())
}

func TestEveryChangeGoesToTheFeed(t *testing.T) {
	w := newWorld(t)
	start, err := w.feed.Position(t.Context())
	require.NoError(t, err)
	from, err := table.ParseFeedPosition(start)
	require.NoError(t, err)
	w.store(host(1, "ACTIVE", true), task("a", 1, "PENDING", "service:web"), task("a", 2, "RUNNING", "service:web"))
	w.dispatch()
	w.dispatch() // what the feed itself writes to the table is no change of a task or host

	seen := map[string]int64{}
	for range 10 {
		changes, next, err := w.feed.Read(t.Context(), from, 10)
		require.NoError(t, err)
		for _, c := range changes {
			require.Greater(t, c.Version, seen[c.Key.ID], "in order for each key")
			seen[c.Key.ID] = c.Version
		}
		from = next
	}
	require.Equal(t, map[string]int64{"host1": 1, "a": 2}, seen)
}

func TestTheFirstReconcileOfAClusterWakesItsEnvironments(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.state.AddCluster(t.Context(), cluster))
	require.Empty(t, w.dispatch(), "known is not reconciled")

	sync := table.Cluster{Key: cluster, SyncedAt: t0.UnixMilli()}
	require.NoError(t, w.state.PutSync(t.Context(), sync))
	require.Equal(t, []wakeup.Wakeup{{EnvironmentID: "env"}}, w.dispatch(), "what it waited for has come: it looks at everything")

	sync.SyncedAt++
	require.NoError(t, w.state.PutSync(t.Context(), sync))
	require.Empty(t, w.dispatch())
}

// Nobody can wait for a change that cannot be read: watchers hear of it, and of all others in its batch, though the batch
// is delivered again from there on. Environments hear of what came before it.
func TestAChangeThatCannotBeReadBlocksOnlyWhatFollowsIt(t *testing.T) {
	w := newWorld(t)
	text, err := w.feed.Position(t.Context())
	require.NoError(t, err)
	from, err := table.ParseFeedPosition(text)
	require.NoError(t, err)
	w.store(host(1, "ACTIVE", true))
	w.store(task("a", 1, "RUNNING", "service:web"), task("b", 1, "RUNNING", daemon.Group("main", "env")))
	w.store(task("c", 1, "RUNNING", daemon.Group("main", "other")))
	batch := w.stream
	var bad string
	for i, record := range batch {
		if record.Change.Keys[schema.SortKey].String() == "b" {
			bad = record.Change.SequenceNumber
			batch[i].Change.NewImage = map[string]events.DynamoDBAttributeValue{schema.PartitionKey: events.NewNumberAttribute("7")}
		}
	}
	err = w.dispatcher.Batch(t.Context(), batch)
	require.ErrorContains(t, err, "decoding a change of")
	var failed *stream.RecordError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, bad, failed.SequenceNumber)
	require.Len(t, w.sent, 1)
	require.Equal(t, "env", w.sent[0].EnvironmentID, "the new host is told, the tasks after the bad record are not")

	changes, _, err := w.feed.Read(t.Context(), from, 100)
	require.NoError(t, err)
	seen := map[string]table.Reason{}
	for _, c := range changes {
		seen[c.Key.ID] = c.Reason
	}
	require.Equal(t, map[string]table.Reason{
		"host1": table.ReasonWritten, "a": table.ReasonWritten, "b": table.ReasonWritten, "c": table.ReasonWritten,
	}, seen)
}
