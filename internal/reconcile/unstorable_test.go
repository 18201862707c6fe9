package reconcile

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// refusingStore does not take one task.
type refusingStore struct {
	*table.State
	id  string
	err error
}

func (s refusingStore) Put(ctx context.Context, seen state.Observation, now time.Time) (state.Outcome, error) {
	if seen.ID == s.id {
		return 0, s.err
	}
	return s.State.Put(ctx, seen, now)
}

func (s refusingStore) MarkAbsent(ctx context.Context, stored state.Record, now time.Time) error {
	if stored.ID == s.id {
		return s.err
	}
	return s.State.MarkAbsent(ctx, stored, now)
}

// oddECS describes one task in a way of its own.
type oddECS struct {
	ecsapi.API
	odd func(out *ecs.DescribeTasksOutput)
}

func (e oddECS) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput, opts ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	out, err := e.API.DescribeTasks(ctx, in, opts...)
	if err == nil {
		e.odd(out)
	}
	return out, err
}

var errTooLarge = &smithy.GenericAPIError{Code: "ValidationException", Message: "Item size to update has exceeded the maximum allowed size"}

// One record that can never be stored is left as it is, and the rest of the cluster is reconciled.
func TestWhatCanNeverBeStoredHoldsBackNoOther(t *testing.T) {
	bad := taskID(7)
	for name, spoil := range map[string]func(cfg *Config, w *world, fleet *fleet){
		"too large": func(cfg *Config, w *world, _ *fleet) { cfg.Store = refusingStore{w.store, bad, errTooLarge} },
		"too much of a cluster": func(cfg *Config, w *world, _ *fleet) {
			cfg.Store = refusingStore{w.store, bad, &ddbtypes.ItemCollectionSizeLimitExceededException{}}
		},
		"no version": func(cfg *Config, _ *world, fleet *fleet) {
			cfg.ECS = oddECS{fleet, func(out *ecs.DescribeTasksOutput) { out.Tasks[7].Version = 0 }}
		},
		"failed for another reason": func(cfg *Config, _ *world, fleet *fleet) {
			cfg.ECS = oddECS{fleet, func(out *ecs.DescribeTasksOutput) {
				out.Failures = append(out.Failures, types.Failure{Arn: out.Tasks[7].TaskArn, Reason: aws.String("INTERNAL")})
				out.Tasks = append(out.Tasks[:7:7], out.Tasks[8:]...)
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, memory.New())
			fleet := newFleet(10, 50)
			cfg := w.config()
			cfg.ECS = fleet
			spoil(&cfg, w, fleet)
			w.invent(key(bad), 1) // events told of it
			w.now = w.now.Add(time.Hour)
			report, err := w.cluster(cfg, request.Request{Cluster: edge, At: w.now})
			require.NoError(t, err)
			require.Equal(t, Report{Clusters: 1, Listed: 60, Missed: 59, Unstorable: 1}, report)
			require.Len(t, w.living("edge"), 60, "it is not taken for absent")
			row := w.clusterRow("edge")
			require.Equal(t, w.now.UnixMilli(), row.SyncedAt)
			require.Equal(t, 1, row.Unstorable)
			require.Equal(t, 50, row.Summary.Tasks.Total)
			require.Equal(t, int64(1), w.measured()[metrics.RecordsUnstorable])

			cfg.ECS, cfg.Store = fleet, w.store
			w.now = w.now.Add(time.Minute)
			report, err = w.cluster(cfg, request.Request{Cluster: edge, At: w.now})
			require.NoError(t, err)
			require.Equal(t, Report{Clusters: 1, Listed: 60, Stale: 1}, report)
			require.Zero(t, w.clusterRow("edge").Unstorable)
		})
	}
}

// Nor does one whose end cannot be stored.
func TestAnAbsenceThatCanNeverBeStored(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 1, 1)
	w.invent(key("ghost-1"), 1)
	w.invent(key("ghost-2"), 1)
	w.pass(15 * time.Minute)
	cfg := w.config()
	cfg.Store = refusingStore{w.store, "ghost-1", errTooLarge}
	report, err := w.sweepWith(cfg, w.now)
	require.NoError(t, err)
	require.Equal(t, Report{Clusters: 1, Listed: 2, Absent: 1, Unstorable: 1}, report)
	require.Equal(t, 2, w.clusterRow("edge").Summary.Tasks.Total)
}

// What may pass is another matter: a pass that cannot write is not complete.
func TestAWriteThatIsThrottledFailsThePass(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(1, 10)
	cfg := w.config()
	cfg.ECS = fleet
	cfg.Store = refusingStore{w.store, taskID(7), &smithy.GenericAPIError{Code: "ThrottlingException"}}
	_, err := w.cluster(cfg, request.Request{Cluster: edge, At: w.now})
	require.ErrorContains(t, err, "ThrottlingException")
	require.Zero(t, w.clusterRow("edge").SyncedAt)
	require.Equal(t, map[metrics.Name]int64{metrics.ReconcilePassesFailed: 1}, w.measured())
}

func TestADescribeOnDemandStoresWhatItCan(t *testing.T) {
	w := newWorld(t, memory.New())
	fleet := newFleet(0, 3)
	cfg := w.config()
	cfg.ECS = fleet
	cfg.Store = refusingStore{w.store, taskID(0), errTooLarge}
	asked := request.Request{Kind: request.KindDescribe, Cluster: edge}
	for _, id := range fleet.tasks {
		asked.Tasks = append(asked.Tasks, arnOf("task", id))
	}
	report, err := New(cfg).Describe(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, Report{Listed: 3, Missed: 2, Unstorable: 1}, report)
}
