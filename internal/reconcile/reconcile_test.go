package reconcile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
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

func sortKeys(keys []state.Key) { slices.SortFunc(keys, state.Key.Compare) }

// settled is a world with hosts and running tasks that was reconciled from an
// empty table half an hour ago.
func settled(t *testing.T, w *world, hosts, tasks int) {
	t.Helper()
	w.hosts("edge", hosts)
	w.run("edge", tasks)
	w.pass(time.Minute)
	report := w.sweep()
	require.Equal(t, hosts+tasks, report.Missed)
	w.requireTruth("edge")
	w.pass(30 * time.Minute)
}

func TestAnEmptyTableIsFilled(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("edge", 3)
	w.hosts("zeta", 1)
	w.run("edge", 5)
	w.pass(time.Minute)
	began := w.now
	report := w.sweep()
	require.Equal(t, Report{Clusters: 2, Listed: 9, Missed: 9}, report)
	w.requireTruth("edge", "zeta")
	row := w.clusterRow("edge")
	row.Summary = nil
	require.Equal(t, table.Cluster{
		Key: clusterKey("edge"), Name: clusterKey("edge").String(), SyncedAt: began.UnixMilli(), Drift: table.Drift{Missed: 8},
	}, row)

	var taskRecord state.Record
	for _, r := range w.living("edge") {
		if r.Kind == state.KindTask {
			taskRecord = r
		}
	}
	task, err := taskRecord.AsTask()
	require.NoError(t, err)
	require.Equal(t, []state.Tag{{Key: "team", Value: "edge"}}, task.Tags, "which no event tells")
}

func TestADriftlessPassWritesNothing(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 120, 230)
	w.resetCounts()
	report := w.sweep()
	require.Equal(t, Report{Clusters: 1, Listed: 350}, report)
	require.Equal(t, map[string]int{
		"ListClusters": 1,
		"ListTasks":    3 + 1, "DescribeTasks": 3,
		"ListContainerInstances": 2, "DescribeContainerInstances": 2,
	}, w.calls, "2*ceil(N/100) for each kind, and the empty list of stopped tasks")
	require.Equal(t, map[string]int{"PutItem": 1}, w.db.writes, "the time of the pass in the cluster's row, and nothing else")
}

// What events stored is what Describe says, in a form that differs where the
// meaning does not: that must not look like drift for ever.
func TestWhatEventsStoredIsNoDrift(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("edge", 4)
	w.run("edge", 8)
	w.put(w.pass(time.Minute))
	report := w.sweep()
	require.Zero(t, report.Missed+report.Stale+report.Absent)
	w.pass(time.Minute)
	w.resetCounts()
	require.Zero(t, w.sweep().Repaired(), "what only Describe tells is stored by now")
	require.Equal(t, map[string]int{"PutItem": 1}, w.db.writes)
}

func TestADriftedTableIsRepaired(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			seeds := 12
			if name == "local" {
				seeds = 2
			}
			for seed := range seeds {
				w := newWorld(t, engine(t))
				settled(t, w, 8, 20)
				drift(w, rand.New(rand.NewPCG(uint64(seed), 0)))
				w.pass(15 * time.Minute)
				w.sweep()
				w.requireTruth("edge")
				w.pass(time.Minute)
				w.resetCounts()
				require.Zero(t, w.sweep().Repaired())
				require.Equal(t, map[string]int{"PutItem": 1}, w.db.writes)
			}
		})
	}
}

// drift deletes, alters and invents records at random.
func drift(w *world, chance *rand.Rand) {
	w.t.Helper()
	records := w.living("edge")
	for _, k := range sortedKeys(records) {
		switch chance.IntN(4) {
		case 0:
			w.delete(map[state.Key]bool{k: true})
		case 1: // an older version
			w.delete(map[state.Key]bool{k: true})
			w.invent(k, 1)
		case 2: // a version that never was, of something that does not exist
			k.ID = fmt.Sprintf("%032x", chance.Uint64())
			w.invent(k, chance.Int64N(5)+1)
		}
	}
}

// invent stores an event that ECS never sent.
func (w *world) invent(k state.Key, version int64) {
	w.t.Helper()
	arn := state.ARN{Partition: "aws", Account: k.Cluster.Account, Region: k.Cluster.Region, Kind: k.Kind.ARNKind(), Cluster: k.Cluster.Name, ID: k.ID}.String()
	outcome, err := w.store.Put(w.t.Context(), state.Observation{
		Key: k, ARN: arn, Version: version, Source: state.SourceEvent, ObservedAt: w.now,
		Detail: fmt.Appendf(nil, `{"taskArn":%q,"lastStatus":"PENDING","desiredStatus":"RUNNING","status":"REGISTERING","version":%d}`, arn, version),
	}, w.now)
	require.NoError(w.t, err)
	require.True(w.t, outcome.Written())
}

// An error in the middle is no complete pass: nothing is absent and nothing is
// said to be synced.
func TestAPassThatFailsChangesNoSync(t *testing.T) {
	for _, action := range []string{"ListTasks", "DescribeTasks", "ListContainerInstances", "DescribeContainerInstances"} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t, memory.New())
			settled(t, w, 2, 3)
			w.invent(key("ghost"), 1)
			before := w.clusterRow("edge")
			w.pass(15 * time.Minute)
			w.sim.Faults().SetThrottled(action)
			_, err := w.sweepWith(w.config(), w.now)
			require.ErrorContains(t, err, "reconciling cluster 123456789012/us-east-1/edge")
			require.ErrorContains(t, err, "Rate exceeded")
			require.Equal(t, before, w.clusterRow("edge"))
			require.Contains(t, w.living("edge"), key("ghost"))

			w.sim.Faults().Clear()
			require.Equal(t, 1, w.sweep().Absent)
		})
	}
}

// failingECS refuses to list the tasks of one cluster.
type failingECS struct {
	ecsapi.API
	cluster *string
}

func (f failingECS) ListTasks(ctx context.Context, in *ecs.ListTasksInput, opts ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	if *in.Cluster == clusterKey(*f.cluster).ARN("") {
		return nil, errors.New("out of order")
	}
	return f.API.ListTasks(ctx, in, opts...)
}

// A cluster that fails is its own: the others are reconciled, and what is asked for
// again is only what is left.
func TestAClusterThatFailsHoldsBackNoOther(t *testing.T) {
	w := newWorld(t, memory.New())
	for _, cluster := range []string{"alpha", "beta", "gamma"} {
		w.hosts(cluster, 1)
	}
	w.pass(time.Minute)
	cfg := w.config()
	broken := "beta"
	cfg.ECS = failingECS{w.ecs, &broken}
	askedAt := w.now
	report, err := w.sweepWith(cfg, askedAt)
	require.ErrorContains(t, err, "cluster 123456789012/us-east-1/beta: listing RUNNING tasks")
	require.Equal(t, Report{Clusters: 2, Listed: 2, Missed: 2}, report)
	require.Zero(t, w.clusterRow("beta").SyncedAt)

	broken = ""
	w.pass(time.Minute)
	report, err = w.sweepWith(cfg, askedAt)
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 1, Missed: 1}, report)
}

func TestOtherAccountsAreNotOurs(t *testing.T) {
	w := newWorld(t, memory.New())
	foreign := state.ClusterKey{Account: "999999999999", Region: edge.Region, Name: "edge"}
	require.NoError(t, w.store.AddCluster(t.Context(), foreign))
	require.Equal(t, Report{}, w.sweep())
	require.Zero(t, w.calls["DescribeClusters"])
}

func TestManyWorkersDoTheSame(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("edge", 110)
	w.run("edge", 210)
	w.pass(time.Minute)
	cfg := w.config()
	cfg.Workers = 4
	report, err := w.sweepWith(cfg, w.now)
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 320, Missed: 320}, report)
	w.requireTruth("edge")
}

func TestDescribeStoresWhatWasAskedFor(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("edge", 2)
	w.run("edge", 2)
	w.pass(time.Minute)
	host, task := w.sim.Snapshot().Hosts[0], w.sim.Snapshot().Tasks[1]
	asked := request.Request{Kind: request.KindDescribe, Cluster: edge, Tasks: []string{task.ID, "missing"}, Instances: []string{host.ID}}
	report, err := New(w.config()).Describe(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, Report{Listed: 2, Missed: 2}, report)
	require.Equal(t, edge, w.clusterRow("edge").Key, "the cluster is known now")
	require.Len(t, w.living("edge"), 2)

	w.resetCounts()
	report, err = New(w.config()).Describe(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, Report{Listed: 2}, report)
	require.Empty(t, w.db.writes)
}

// One MISSING answer is not enough to bury something.
func TestDescribeMarksNothingAbsent(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 0)
	w.invent(key("ghost"), 1)
	w.pass(time.Hour)
	_, err := New(w.config()).Describe(t.Context(), request.Request{Kind: request.KindDescribe, Cluster: edge, Tasks: []string{"ghost"}})
	require.NoError(t, err)
	require.Contains(t, w.living("edge"), key("ghost"))

	_, err = New(w.config()).Describe(t.Context(), request.Request{Kind: request.KindDescribe, Cluster: clusterKey("nowhere"), Tasks: []string{"ghost"}})
	require.NoError(t, err, "a cluster that is gone has nothing to describe")
}

func TestSweepsAreLogged(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 2, 3)
	var lines bytes.Buffer
	cfg := w.config()
	cfg.Logger = slog.New(slog.NewJSONHandler(&lines, nil))
	_, err := w.sweepWith(cfg, w.now)
	require.NoError(t, err)
	var line struct {
		Cluster                                        string
		Listed, Missed, Stale, Refreshed, Absent       int
		Held, SinceLastMillis, Skipped, DurationMillis int
	}
	decoder := json.NewDecoder(&lines)
	require.NoError(t, decoder.Decode(&line), "the warning that the cluster is unsynced")
	require.NoError(t, decoder.Decode(&line), "the sweep's line")
	require.NoError(t, decoder.Decode(&line), "the pass's line")
	require.Equal(t, "123456789012/us-east-1/edge", line.Cluster)
	require.Equal(t, 5, line.Listed)
	require.Equal(t, int((30 * time.Minute).Milliseconds()), line.SinceLastMillis)
}

// lostECS does not find the cluster when its tasks are listed.
type lostECS struct {
	ecsapi.API
	before func()
}

func (l lostECS) ListTasks(context.Context, *ecs.ListTasksInput, ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	l.before()
	return nil, &ecstypes.ClusterNotFoundException{}
}

// ClusterNotFound alone proves nothing: DescribeClusters has to agree.
func TestAClusterThatIsNotFoundIsAskedForByName(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 0)
	w.invent(key("ghost"), 1)
	w.pass(15 * time.Minute)
	cfg := w.config()
	cfg.ECS = lostECS{w.ecs, func() {}}
	_, err := w.sweepWith(cfg, w.now)
	require.ErrorContains(t, err, "ClusterNotFoundException")
	require.Len(t, w.living("edge"), 2)

	cfg.ECS = lostECS{w.ecs, func() { // deleted since it was listed
		require.NoError(t, w.sim.RemoveHost(w.now, "edge", w.sim.Snapshot().Hosts[0].EC2InstanceID))
		_, err := w.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("edge")})
		require.NoError(t, err)
	}}
	report, err := w.sweepWith(cfg, w.now)
	require.NoError(t, err)
	require.Zero(t, report.Absent, "and even then, another pass")
	require.Len(t, w.living("edge"), 2)
	cfg.ECS = lostECS{w.ecs, func() {}}
	w.pass(15 * time.Minute)
	report, err = w.sweepWith(cfg, w.now)
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Absent: 2}, report)
}
