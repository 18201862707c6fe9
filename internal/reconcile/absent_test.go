package reconcile

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

func TestAnECSThatAnswersNothingOnceDeletesNothing(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 8, 20)
	before := w.living("edge")
	w.resetCounts()
	w.sim.Faults().EmptyLists(4) // clusters, RUNNING tasks, STOPPED tasks, container instances
	report := w.sweep()
	require.Equal(t, Report{Clusters: 1}, report)
	require.Equal(t, 1, w.calls["DescribeClusters"], "a cluster that is not listed is asked for by name")
	require.Equal(t, 1, w.calls["DescribeTasks"], "so is what is in it")
	require.Equal(t, before, w.living("edge"))
	require.Equal(t, map[string]int{"PutItem": 1}, w.db.writes)
}

// blindECS lists nothing and calls everything MISSING.
type blindECS struct{ ecsapi.API }

func (blindECS) ListTasks(context.Context, *ecs.ListTasksInput, ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	return &ecs.ListTasksOutput{}, nil
}

func (blindECS) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput, _ ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	out := &ecs.DescribeTasksOutput{}
	for _, arn := range in.Tasks {
		out.Failures = append(out.Failures, ecstypes.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")})
	}
	return out, nil
}

func TestManyAbsencesAtOnceNeedASecondPass(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 4, 60)
	blind := w.config()
	blind.ECS = blindECS{w.ecs}

	report, err := w.sweepWith(blind, w.now)
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 4, Held: 60}, report)
	require.Len(t, w.living("edge"), 64)
	require.Equal(t, 60, w.clusterRow("edge").HeldBack)

	// The same sweep once more is no second opinion, and neither is who asks a moment later.
	report, err = w.sweepWith(blind, w.now)
	require.NoError(t, err)
	require.Equal(t, Report{}, report)
	w.pass(time.Second)
	report, err = w.cluster(blind, request.Request{Cluster: edge, At: w.now})
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 4, Held: 60}, report)
	t.Run("which disagrees", func(t *testing.T) {
		w.pass(5 * time.Minute)
		require.Zero(t, w.sweep().Repaired())
		require.Len(t, w.living("edge"), 64)
		require.Zero(t, w.clusterRow("edge").HeldBack)
	})
	t.Run("or agrees", func(t *testing.T) {
		for want, report := range []Report{{Clusters: 1, Listed: 4, Held: 60}, {Clusters: 1, Listed: 4, Absent: 60}} {
			w.pass(5 * time.Minute)
			got, err := w.sweepWith(blind, w.now)
			require.NoError(t, err)
			require.Equal(t, report, got, "pass %d", want)
		}
		require.Len(t, w.living("edge"), 4)
		require.Zero(t, w.clusterRow("edge").HeldBack)
	})
}

// stop stops a task of the cluster and gives its key.
func (w *world) stop() state.Key {
	w.t.Helper()
	for _, task := range w.sim.Snapshot().Tasks {
		if task.LastStatus != state.TaskRunning {
			continue
		}
		_, err := w.ecs.StopTask(w.t.Context(), &ecs.StopTaskInput{Cluster: aws.String("edge"), Task: aws.String(task.ARN)})
		require.NoError(w.t, err)
		return key(task.ID)
	}
	w.t.Fatal("no task runs")
	return state.Key{}
}

func TestAStopThatNoEventToldIsSeen(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 2, 4)
	stopped := w.stop()
	w.pass(time.Minute)
	require.Equal(t, 2, w.sweep().Stale, "the task, and its host whose resources came back")
	r, err := w.store.Get(t.Context(), stopped, w.now)
	require.NoError(t, err)
	require.Equal(t, state.TaskStopped, r.Task.LastStatus)
	require.False(t, r.Tombstone.Inferred, "ECS still lists it among the STOPPED")
}

func TestAStopThatECSForgotIsInferred(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 2, 4)
	stopped := w.stop()
	w.pass(2 * time.Hour)
	report := w.sweep()
	require.Equal(t, 1, report.Absent)
	r, err := w.store.Get(t.Context(), stopped, w.now)
	require.NoError(t, err)
	require.Equal(t, state.TaskStopped, r.Task.LastStatus)
	require.True(t, r.Tombstone.Inferred)
	w.requireTruth("edge")
}

func TestAHostThatIsInactiveIsDescribed(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 3, 0)
	host := w.sim.Snapshot().Hosts[0]
	require.NoError(t, w.sim.RemoveHost(w.now, "edge", host.EC2InstanceID))
	w.pass(time.Minute)
	report := w.sweep()
	require.Equal(t, Report{Clusters: 1, Listed: 2, Stale: 1}, report, "not listed, and still described as INACTIVE")
	w.requireTruth("edge")
}

// racingStore lets an event come in just before a record is marked absent.
type racingStore struct {
	*table.State
	before func(state.Record)
}

func (s racingStore) MarkAbsent(ctx context.Context, stored state.Record, now time.Time) error {
	s.before(stored)
	return s.State.MarkAbsent(ctx, stored, now)
}

func TestAnEventThatComesMeanwhileIsNotOverruled(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 0)
	w.invent(key("ghost"), 1)
	w.pass(15 * time.Minute)
	cfg := w.config()
	cfg.Store = racingStore{w.store, func(stored state.Record) { w.invent(stored.Key, stored.Version+1) }}
	report, err := w.sweepWith(cfg, w.now)
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 1}, report)
	require.Contains(t, w.living("edge"), key("ghost"))
}

func TestWhatWasWrittenLatelyIsNotAbsent(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 0)
	w.invent(key("young"), 1)
	w.pass(QuietFor)
	require.Zero(t, w.sweep().Absent)
	w.pass(time.Second)
	require.Equal(t, 1, w.sweep().Absent)
}

func TestAClusterThatIsGoneIsEmpty(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("zeta", 1)
	w.pass(time.Minute)
	w.sweep()
	ghost := state.Key{Kind: state.KindTask, Cluster: clusterKey("zeta"), ID: "ghost"}
	w.invent(ghost, 1)
	require.NoError(t, w.sim.RemoveHost(w.now, "zeta", w.sim.Snapshot().Hosts[0].EC2InstanceID))
	w.pass(time.Minute)
	_, err := w.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("zeta")})
	require.NoError(t, err)
	w.pass(2 * time.Hour)

	before := w.clusterRow("zeta").SyncedAt
	w.measured()
	require.Equal(t, Report{}, w.sweep(), "one answer may be wrong")
	require.Equal(t, unsynced(1), w.measured(), "and is no failure")
	require.Len(t, w.living("zeta"), 2)
	row := w.clusterRow("zeta")
	require.Equal(t, w.now.UnixMilli(), row.GoneAt)
	require.Equal(t, before, row.SyncedAt)
	w.pass(agreeAfter - time.Second)
	require.Equal(t, Report{}, w.sweep(), "who asks just after may meet the same fault")
	require.Equal(t, row, w.clusterRow("zeta"))

	w.pass(time.Second)
	w.resetCounts()
	report := w.sweep()
	require.Equal(t, Report{Clusters: 1, Absent: 2}, report)
	require.Empty(t, w.living("zeta"))
	require.Equal(t, map[string]int{"ListClusters": 1, "DescribeClusters": 1}, w.calls)
	require.Equal(t, w.now.UnixMilli(), w.clusterRow("zeta").SyncedAt)
}
