package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// unlistedECS cannot list its clusters.
type unlistedECS struct{ ecsapi.API }

func (unlistedECS) ListClusters(context.Context, *ecs.ListClustersInput, ...func(*ecs.Options)) (*ecs.ListClustersOutput, error) {
	return nil, errors.New("out of order")
}

// asked is what a sweep asks for.
func (w *world) asked(cfg Config, at time.Time) ([]request.Request, error) {
	w.t.Helper()
	var sent sentRequests
	n, err := New(cfg).Sweep(w.t.Context(), &sent, at)
	require.Len(w.t, sent, n)
	return sent, err
}

func names(asked []request.Request) []string {
	var all []string
	for _, one := range asked {
		all = append(all, one.Cluster.Name)
	}
	return all
}

func TestASweepAsksForAPassOverEachCluster(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("beta", 1)
	w.hosts("alpha", 1)
	w.resetCounts()
	asked, err := w.asked(w.config(), w.now)
	require.NoError(t, err)
	require.Equal(t, []string{"alpha", "beta"}, names(asked))
	for _, one := range asked {
		require.Equal(t, request.Request{
			Kind: request.KindCluster, Account: edge.Account, Region: edge.Region, Cluster: one.Cluster, At: w.now,
		}, one)
	}
	require.Equal(t, map[string]int{"ListClusters": 1}, w.calls)
	require.Equal(t, map[string]int{"UpdateItem": 2}, w.db.writes, "the clusters are new")

	w.resetCounts()
	_, err = w.asked(w.config(), w.now)
	require.NoError(t, err)
	require.Empty(t, w.db.writes)
}

func TestTheLongestNotReconciledComesFirst(t *testing.T) {
	w := newWorld(t, memory.New())
	for _, cluster := range []string{"alpha", "beta", "gamma"} {
		w.hosts(cluster, 1)
	}
	w.sweep()
	w.pass(time.Minute)
	_, err := w.cluster(w.config(), request.Request{Cluster: clusterKey("alpha"), At: w.now})
	require.NoError(t, err)
	w.hosts("zeta", 1)
	w.pass(time.Minute)
	asked, err := w.asked(w.config(), w.now)
	require.NoError(t, err)
	require.Equal(t, []string{"zeta", "beta", "gamma", "alpha"}, names(asked))
}

func TestASweepThatIsDeliveredAgainAsksForWhatIsLeft(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("alpha", 1)
	w.hosts("beta", 1)
	_, err := w.cluster(w.config(), request.Request{Cluster: clusterKey("alpha"), At: w.now})
	require.NoError(t, err)
	asked, err := w.asked(w.config(), w.now)
	require.NoError(t, err)
	require.Equal(t, []string{"beta"}, names(asked))
}

// What is known can be reconciled without a list of clusters.
func TestAListThatFailsKeepsNoKnownClusterFromItsPass(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("alpha", 1)
	w.sweep()
	w.pass(time.Minute)
	asked, err := w.asked(w.failingLists(), w.now)
	require.ErrorContains(t, err, "out of order")
	require.Equal(t, []string{"alpha"}, names(asked))
	require.False(t, asked[0].Unlisted, "nothing was listed")
}

func TestRequestsThatCannotBeSentFailTheSweep(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("alpha", 1)
	_, err := New(w.config()).Sweep(t.Context(), closedQueue{}, w.now)
	require.ErrorContains(t, err, "asking for passes over 1 clusters: no such queue")
}

type closedQueue struct{}

func (closedQueue) Send(context.Context, []queue.Message) error { return errors.New("no such queue") }

// However many ask for a pass at the same time, one is made; whoever asks after it
// began gets another.
func TestAPassOnDemand(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 2)
	var sent sentRequests
	for range 3 {
		require.NoError(t, request.SendCluster(t.Context(), &sent, edge, w.now))
		w.now = w.now.Add(time.Second)
	}
	report, err := w.cluster(w.config(), sent...)
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Skipped: 2, Listed: 3}, report)
	require.NoError(t, request.SendCluster(t.Context(), &sent, edge, w.now.Add(time.Second)))
	w.now = w.now.Add(time.Second)
	report, err = w.cluster(w.config(), sent[3])
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 3}, report, "reconciled a second ago, and again")
}

// vanish deletes a cluster with its hosts.
func (w *world) vanish(cluster string) {
	w.t.Helper()
	for _, host := range w.sim.Snapshot().Hosts {
		if host.ClusterARN == clusterKey(cluster).ARN("") {
			require.NoError(w.t, w.sim.RemoveHost(w.now, cluster, host.EC2InstanceID))
		}
	}
	w.pass(time.Minute)
	_, err := w.ecs.DeleteCluster(w.t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String(cluster)})
	require.NoError(w.t, err)
}

// All of a cluster that is gone ends within three periods, however much it was; the
// cluster itself is told as gone as long as what was in it, and then forgotten.
func TestAClusterThatVanishes(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("zeta", 1)
	w.pass(time.Minute)
	w.sweep()
	for n := range 60 {
		w.invent(state.Key{Kind: state.KindTask, Cluster: clusterKey("zeta"), ID: fmt.Sprint("ghost-", n)}, 1)
	}
	w.pass(15 * time.Minute)
	w.vanish("zeta")
	gone := w.now
	for _, want := range []Report{{}, {Clusters: 1, Held: 61}, {Clusters: 1, Absent: 61}} {
		require.Equal(t, want, w.sweep())
		w.pass(w.config().Period)
	}
	require.Empty(t, w.living("zeta"))
	row := w.clusterRow("zeta")
	require.Equal(t, gone.UnixMilli(), row.GoneAt, "as it was found first")
	require.Zero(t, row.Summary.Tasks.Total+row.Summary.Instances.Total)
	require.True(t, w.store.ClusterVisible(row, w.now))

	w.resetCounts()
	w.measured()
	w.pass(state.DefaultVisibleFor)
	require.False(t, w.store.ClusterVisible(w.clusterRow("zeta"), w.now))
	require.Equal(t, Report{}, w.sweep(), "and nobody looks after it any more")
	require.Equal(t, map[string]int{"ListClusters": 1}, w.calls)
	require.Zero(t, w.measured()[metrics.ClustersUnsynced], "nor is it unsynced")

	w.hosts("zeta", 1)
	w.pass(time.Minute)
	require.Equal(t, Report{Clusters: 1, Listed: 1, Missed: 1}, w.sweep(), "a cluster of the name is made anew")
	require.Zero(t, w.clusterRow("zeta").GoneAt)
}

// A cluster that ECS has after all is as if it had never been doubted.
func TestAClusterThatWasCalledMissingOnce(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 1)
	denying := w.config()
	denying.ECS = denyingECS{w.ecs}
	asked := request.Request{Cluster: edge, At: w.now, Unlisted: true}
	report, err := w.cluster(denying, asked)
	require.NoError(t, err)
	require.Equal(t, Report{}, report)
	require.NotZero(t, w.clusterRow("edge").GoneAt)
	w.pass(5 * time.Minute)
	require.Equal(t, Report{Clusters: 1, Listed: 2}, w.sweep())
	require.Zero(t, w.clusterRow("edge").GoneAt)

	w.pass(time.Hour)
	asked.At = w.now
	report, err = w.cluster(denying, asked)
	require.NoError(t, err)
	require.Equal(t, Report{}, report, "the first doubt is forgotten")
	require.Len(t, w.living("edge"), 2)
}

// denyingECS has no cluster, if it is asked for by name.
type denyingECS struct{ ecsapi.API }

func (denyingECS) DescribeClusters(_ context.Context, in *ecs.DescribeClustersInput, _ ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error) {
	out := &ecs.DescribeClustersOutput{}
	for _, arn := range in.Clusters {
		out.Failures = append(out.Failures, ecstypes.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")})
	}
	return out, nil
}

// The rest of a broken pass, and then a whole one: what the second finds is stored as well.
func TestAClusterIsGoneInBothPassesOfARequest(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(1, 2500)
	cfg := w.config()
	cfg.ECS = crashingECS{fleet, &crash{left: 26 + 22}}
	require.NoError(t, w.store.AddCluster(t.Context(), edge))
	_, err := w.cluster(cfg, request.Request{Cluster: edge, At: w.now})
	require.ErrorIs(t, err, errCrashed)
	cfg.ECS = denyingECS{fleet}
	for _, passes := range []int{0, 2} {
		w.now = w.now.Add(agreeAfter)
		report, err := w.cluster(cfg, request.Request{Cluster: edge, At: w.now, Unlisted: true})
		require.NoError(t, err)
		require.Equal(t, passes, report.Clusters)
	}
	require.Equal(t, w.now.UnixMilli(), w.clusterRow("edge").SyncedAt)
}

// failingSees cannot make one cluster known.
type failingSees struct {
	*table.State
	cluster string
}

func (s failingSees) SeeCluster(ctx context.Context, key state.ClusterKey, at time.Time) error {
	if key.Name == s.cluster {
		return errors.New("throttled")
	}
	return s.State.SeeCluster(ctx, key, at)
}

func TestAClusterThatCannotBeMadeKnownHoldsBackNoOther(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("alpha", 1)
	w.hosts("beta", 1)
	cfg := w.config()
	cfg.Store = failingSees{w.store, "alpha"}
	asked, err := w.asked(cfg, w.now)
	require.ErrorContains(t, err, "throttled")
	require.Equal(t, []string{"alpha", "beta"}, names(asked))
	require.NotZero(t, w.clusterRow("beta").SeenAt)
}

// A list that leaves a cluster out proves nothing about it.
func TestAClusterThatIsNotListedIsReconciled(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 1)
	w.resetCounts()
	report, err := w.cluster(w.config(), request.Request{Cluster: edge, At: w.now, Unlisted: true})
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 2}, report)
	require.Equal(t, 1, w.calls["DescribeClusters"])
	require.Equal(t, table.Cluster{}.GoneAt, w.clusterRow("edge").GoneAt)
}

func TestAClusterThatNeverWasIsNotMadeKnown(t *testing.T) {
	w := newWorld(t, memory.New())
	w.resetCounts()
	report, err := w.cluster(w.config(), request.Request{Cluster: clusterKey("nowhere"), At: w.now})
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1}, report)
	require.Empty(t, w.db.writes)
}

// Tags and attributes change without an event and without a new version.
func TestTagsAndAttributesAreKeptFresh(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(3, 5)
	cfg := w.config()
	cfg.ECS = fleet
	pass := func() Report {
		w.now = w.now.Add(cfg.Period)
		report, err := w.cluster(cfg, request.Request{Cluster: edge, At: w.now})
		require.NoError(t, err)
		return report
	}
	require.Equal(t, 8, pass().Missed)
	fleet.stage = "canary"
	require.Equal(t, Report{Clusters: 1, Listed: 8, Refreshed: 8}, pass())
	for _, record := range w.living("edge") {
		detail, err := record.Detail()
		require.NoError(t, err)
		require.Contains(t, string(detail), `"canary"`)
	}
	w.resetCounts()
	require.Equal(t, Report{Clusters: 1, Listed: 8}, pass())
	require.Equal(t, map[string]int{"PutItem": 1}, w.db.writes)
	require.Empty(t, w.measured(), "no event tells of them, so that none was missed")
}

// An ECS that answers nothing for a while, and then everything again.
func TestAnECSThatIsBlindForLessThanTwoPasses(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 60, 120)
	before := w.living("edge")
	blind := w.config()
	blind.ECS = blindECS{w.ecs}
	report, err := w.sweepWith(blind, w.now)
	require.NoError(t, err)
	require.Equal(t, 120, report.Held)
	require.Equal(t, 180, w.clusterRow("edge").Summary.Tasks.Total+w.clusterRow("edge").Summary.Instances.Total, "they count as long as they are shown")
	w.pass(5 * time.Minute)
	require.Equal(t, Report{Clusters: 1, Listed: 180}, w.sweep())
	require.Equal(t, before, w.living("edge"))
	require.Zero(t, w.clusterRow("edge").HeldBack)
	require.Zero(t, w.clusterRow("edge").HeldSince)

	w.pass(5 * time.Minute)
	report, err = w.sweepWith(blind, w.now)
	require.NoError(t, err)
	require.Equal(t, 120, report.Held, "what was held back before says nothing any more")
}

// The summary counts what lives, as the pass left it.
func TestAPassCounts(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 2, 4)
	w.invent(key("ghost"), 1)
	w.stop()
	w.pass(15 * time.Minute)
	w.sweep()
	summary := w.clusterRow("edge").Summary
	require.NotNil(t, summary)
	require.True(t, summary.CountedAt.Equal(w.now))
	require.Equal(t, 3, summary.Tasks.Total, "without the one that stopped and the one that never was")
	require.Equal(t, []state.Count{{Name: state.TaskRunning, Count: 3}}, summary.Tasks.ByStatus)
	require.Equal(t, []state.FamilyCount{{
		Family: "job", Count: 3, Revisions: []state.RevisionCount{{Revision: 1, Count: 3}},
	}}, summary.Tasks.Families)
	require.Equal(t, 2, summary.Instances.Total)
	require.NotEmpty(t, summary.Instances.Resources)
}

// The newest event may be that of something which has ended, and is forgotten by ECS an hour later.
func TestTheLastEventStays(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("edge", 2)
	w.run("edge", 4)
	w.put(w.pass(time.Minute))
	w.sweep()
	stopped := w.stop()
	w.put(slices.DeleteFunc(w.pass(time.Minute), func(e ecssim.Event) bool { return !strings.Contains(string(e.JSON), "task/edge/"+stopped.ID) }))
	record, err := w.store.Get(t.Context(), stopped, w.now)
	require.NoError(t, err)
	require.Equal(t, state.TaskStopped, record.Task.LastStatus)
	for _, living := range w.living("edge") {
		require.True(t, living.Event.At.Before(record.Event.At))
	}
	for _, d := range []time.Duration{time.Minute, 2 * time.Hour} {
		w.pass(d)
		w.sweep()
		require.False(t, w.clusterRow("edge").Summary.LastEventAt.Before(record.Event.At), "after %s", d)
	}
}

// What a pass keeps of each task is enough to count it.
func TestASummaryOfSlimTasksIsTheSame(t *testing.T) {
	w := newWorld(t, memory.New())
	w.hosts("edge", 2)
	w.run("edge", 6)
	w.put(w.pass(time.Minute))
	w.sweep()
	var tasks, slimmed []state.Record
	for _, k := range sortedKeys(w.living("edge")) {
		if record := w.living("edge")[k]; k.Kind == state.KindTask {
			tasks, slimmed = append(tasks, record), append(slimmed, slim(record))
		}
	}
	require.Len(t, tasks, 6)
	want := state.Summarize(tasks, nil, w.now)
	require.Equal(t, want, state.Summarize(slimmed, nil, w.now))
	require.False(t, want.LastEventAt.IsZero())
	require.Equal(t, 1, want.Tasks.Families[0].Revisions[0].Revision)
}
