package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// crash is the end of a process after some calls of ECS: nothing it does after it
// reaches anybody.
type crash struct {
	left    int
	crashed bool
}

var errCrashed = errors.New("the process has ended")

func (c *crash) next() error {
	if c.left--; c.left < 0 {
		c.crashed = true
	}
	return c.err()
}

func (c *crash) err() error {
	if c.crashed {
		return errCrashed
	}
	return nil
}

type crashingECS struct {
	ecsapi.API
	*crash
}

func (e crashingECS) ListTasks(ctx context.Context, in *ecs.ListTasksInput, opts ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	if err := e.next(); err != nil {
		return nil, err
	}
	return e.API.ListTasks(ctx, in, opts...)
}

func (e crashingECS) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput, opts ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	if err := e.next(); err != nil {
		return nil, err
	}
	return e.API.DescribeTasks(ctx, in, opts...)
}

func (e crashingECS) DescribeContainerInstances(
	ctx context.Context, in *ecs.DescribeContainerInstancesInput, opts ...func(*ecs.Options),
) (*ecs.DescribeContainerInstancesOutput, error) {
	if err := e.next(); err != nil {
		return nil, err
	}
	return e.API.DescribeContainerInstances(ctx, in, opts...)
}

// crashingStore takes no write of a process that has ended.
type crashingStore struct {
	*table.State
	*crash
}

func (s crashingStore) Put(ctx context.Context, seen state.Observation, now time.Time) (state.Outcome, error) {
	if err := s.err(); err != nil {
		return 0, err
	}
	return s.State.Put(ctx, seen, now)
}

func (s crashingStore) PutCheckpoint(ctx context.Context, reached table.Checkpoint) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.State.PutCheckpoint(ctx, reached)
}

// What was compared before a crash stays done, wherever the crash comes.
func TestAPassGoesOnAfterACrash(t *testing.T) {
	const tasks, hosts = 4100, 100
	const lists, describes = 41 + 1, 41 + 1
	for _, k := range []int{lists + checkpointEvery, lists + checkpointEvery + 5, lists + describes - 1} {
		t.Run(fmt.Sprint("after ", k, " calls"), func(t *testing.T) {
			w := newWorld(t, memory.New())
			fleet := newFleet(hosts, tasks)
			began := w.now
			asked := request.Request{Cluster: edge, At: w.now}
			var report Report
			tries := 0
			for ; report.Clusters == 0; tries++ {
				require.Less(t, tries, 5, "each try goes at least one checkpoint further")
				end := &crash{left: k}
				cfg := w.config()
				cfg.ECS, cfg.Store = crashingECS{fleet, end}, crashingStore{w.store, end}
				var err error
				report, err = New(cfg).Cluster(t.Context(), asked)
				require.Equal(t, end.crashed, err != nil, err)
				w.now = w.now.Add(time.Minute)
			}
			require.Greater(t, tries, 1)
			// A crash loses less than what lies between two checkpoints.
			require.LessOrEqual(t, fleet.calls["DescribeTasks"]+fleet.calls["DescribeContainerInstances"], describes+(tries-1)*checkpointEvery)
			require.Len(t, w.living("edge"), tasks+hosts)
			row := w.clusterRow("edge")
			require.Equal(t, began.UnixMilli(), row.SyncedAt, "what was compared first is as old as that")
			require.Equal(t, tasks, row.Summary.Tasks.Total, "of all tries")
			require.Equal(t, hosts, row.Summary.Instances.Total)
		})
	}
}

// What comes while a pass is broken off must not be taken for compared, whatever its id.
func TestWhatCameSinceIsCompared(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(10, 3000)
	end := &crash{left: 31 + checkpointEvery + 2}
	cfg := w.config()
	cfg.ECS, cfg.Store = crashingECS{fleet, end}, crashingStore{w.store, end}
	asked := request.Request{Cluster: edge, At: w.now}
	_, err := New(cfg).Cluster(t.Context(), asked)
	require.ErrorIs(t, err, errCrashed)
	_, reached, err := w.store.Progress(t.Context(), edge)
	require.NoError(t, err)
	require.Equal(t, taskID(checkpointEvery*batchSize-1), reached.After)

	fleet.tasks = slices.Insert(fleet.tasks, 0, "0-new")
	cfg.ECS, cfg.Store = fleet, w.store
	report, err := New(cfg).Cluster(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, 1, report.Clusters)
	require.Len(t, w.living("edge"), 3011)
	require.Contains(t, w.living("edge"), key("0-new"))
}

// Who asks after the broken pass began gets what is true since then.
func TestARequestAfterABrokenPassGetsANewOne(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(1, 2500)
	cfg := w.config()
	cfg.ECS = crashingECS{fleet, &crash{left: 26 + 22}}
	_, err := New(cfg).Cluster(t.Context(), request.Request{Cluster: edge, At: w.now})
	require.ErrorIs(t, err, errCrashed)
	_, reached, err := w.store.Progress(t.Context(), edge)
	require.NoError(t, err)
	require.Equal(t, taskID(22*batchSize-1), reached.After, "a process that knows its end says how far it came")

	w.now = w.now.Add(time.Minute)
	clear(fleet.calls)
	cfg.ECS = fleet
	report, err := New(cfg).Cluster(t.Context(), request.Request{Cluster: edge, At: w.now})
	require.NoError(t, err)
	require.Equal(t, 2, report.Clusters, "the rest of the broken one, and a whole one")
	require.Equal(t, 3+25, fleet.calls["DescribeTasks"])
	require.Equal(t, w.now.UnixMilli(), w.clusterRow("edge").SyncedAt)
}

func TestAPassThatWasBrokenOffLongAgoIsNotResumed(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(1, 2500)
	cfg := w.config()
	cfg.ECS = crashingECS{fleet, &crash{left: 26 + 22}}
	asked := request.Request{Cluster: edge, At: w.now}
	_, err := New(cfg).Cluster(t.Context(), asked)
	require.ErrorIs(t, err, errCrashed)
	w.now = w.now.Add(minResumeFor)
	clear(fleet.calls)
	cfg.ECS = fleet
	_, err = New(cfg).Cluster(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, 25, fleet.calls["DescribeTasks"])
	require.Equal(t, w.now.UnixMilli(), w.clusterRow("edge").SyncedAt)
}

// slowECS takes a time for each call, and is not waited for beyond the end.
type slowECS struct {
	ecsapi.API
	w      *world
	each   time.Duration
	end    time.Time
	cancel func()
}

func (e slowECS) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput, opts ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	if e.w.now = e.w.now.Add(e.each); e.w.now.After(e.end) {
		e.cancel()
		return nil, ctx.Err()
	}
	return e.API.DescribeTasks(ctx, in, opts...)
}

// A pass is delivered again every six minutes, after having had five, until it is complete.
func TestAPassThatTakesLongerThanTheFunctionCompletes(t *testing.T) {
	for _, c := range []struct {
		name         string
		period, each time.Duration
		tasks, tries int
	}{
		{"in a short period", time.Minute, 20 * time.Second, 4_000, 3},
		{"whose few calls are slow", 5 * time.Minute, time.Minute, 1_500, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, memory.New())
			fleet := newFleet(10, c.tasks)
			began := w.now
			var report Report
			tries := 0
			for ; report.Clusters == 0; tries++ {
				require.Less(t, tries, c.tries, "one more is a dead letter, or takes longer than it must")
				started := w.now
				ctx, cancel := context.WithCancel(t.Context())
				cfg := w.config()
				cfg.Period, cfg.ECS = c.period, slowECS{fleet, w, c.each, started.Add(290 * time.Second), cancel}
				var err error
				report, err = New(cfg).Cluster(ctx, request.Request{Cluster: edge, At: began})
				require.Equal(t, ctx.Err() != nil, err != nil, err)
				cancel()
				w.now = started.Add(6 * time.Minute)
			}
			require.Equal(t, c.tries, tries)
			require.Zero(t, w.measured()[metrics.ReconcilePassesFailed], "it only ran out of time")
			require.Equal(t, began.UnixMilli(), w.clusterRow("edge").SyncedAt, "what was compared first is as old as that")
			require.Equal(t, c.tasks, w.clusterRow("edge").Summary.Tasks.Total)
		})
	}
}

func TestASmallClusterHasNoCheckpoints(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(1, 500)
	cfg := w.config()
	cfg.ECS = crashingECS{fleet, &crash{left: 6 + 3}}
	_, err := New(cfg).Cluster(t.Context(), request.Request{Cluster: edge, At: w.now})
	require.ErrorIs(t, err, errCrashed)
	require.Zero(t, w.db.writes["PutItem"])
}

// Workers finish batches in any order; what counts is what has no gap before it.
func TestProgressHasNoGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "batches")
		var g progress
		g.begin(state.KindTask)
		finished := map[int]bool{}
		for _, b := range rapid.Permutation(slices.Collect(seq(n))).Draw(t, "order") {
			g.finish(b, fmt.Sprintf("%03d", b))
			finished[b] = true
			first := 0
			for finished[first] {
				first++
			}
			require.Equal(t, first, g.next)
			if first > 0 {
				require.Equal(t, fmt.Sprintf("%03d", first-1), g.after)
			}
		}
		require.Equal(t, n, g.compared)
	})
}

func seq(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// A try that finds something new among the tasks, when the one before was at the
// instances already, must not say that it is back at the tasks.
func TestProgressDoesNotGoBack(t *testing.T) {
	g := progress{resumed: table.Checkpoint{BeganAt: 1, Kind: state.KindContainerInstance, After: "m"}}
	require.True(t, g.done(state.KindTask, "z"))
	require.True(t, g.done(state.KindContainerInstance, "m"))
	require.False(t, g.done(state.KindContainerInstance, "n"))
	g.begin(state.KindTask)
	g.finish(0, "x")
	require.Equal(t, state.KindContainerInstance, g.kind)
	require.Equal(t, "m", g.after)
	g.begin(state.KindContainerInstance)
	g.finish(0, "c")
	require.Equal(t, "m", g.after)
	g.finish(1, "p")
	require.Equal(t, "p", g.after)
}
