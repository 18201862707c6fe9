package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/dynamotest"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// world is a simulated ECS, reached by the real SDK, and a STATE table.
type world struct {
	metrics metrics.Memory
	lines   int // of the metrics that the test has looked at
	t       testing.TB
	sim     *ecssim.Simulator
	now     time.Time
	ecs     *ecs.Client
	db      *countingDB
	table   string
	store   *table.State
	calls   map[string]int // of ECS, by action

	mu sync.Mutex // the simulator is for one caller at a time
}

// engines are what a STATE table runs on. DynamoDB Local is Amazon's own.
var engines = map[string]func(t *testing.T) dynamo.API{
	"memory": func(*testing.T) dynamo.API { return memory.New() },
	"local":  func(t *testing.T) dynamo.API { return dynamotest.ForTest(t) },
}

func newWorld(t testing.TB, db dynamo.API) *world {
	w := &world{t: t, now: listedAt, calls: map[string]int{}, db: &countingDB{API: db, writes: map[string]int{}}}
	w.sim = ecssim.New(ecssim.Config{Seed: 7}, w.now)
	w.ecs = ecs.New(ecs.Options{
		Region: edge.Region, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
		HTTPClient: &http.Client{Transport: w}, Retryer: aws.NopRetryer{},
	})
	w.table = dynamotest.TableName(t, "state")
	require.NoError(t, table.Create(t.Context(), w.db, w.table, schema.State))
	w.store = table.NewState(w.db, w.table, state.DefaultVisibleFor)
	return w
}

// RoundTrip counts the calls of ECS.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	transport := &ecssim.Transport{Sim: w.sim, Now: func() time.Time { return w.now }, Observe: func(action string, _ int) { w.calls[action]++ }}
	return transport.RoundTrip(req)
}

// countingDB counts writes by call.
type countingDB struct {
	dynamo.API
	mu     sync.Mutex
	writes map[string]int
}

func (db *countingDB) count(call string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.writes[call]++
}

func (db *countingDB) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	db.count("UpdateItem")
	return db.API.UpdateItem(ctx, in, opts...)
}

func (db *countingDB) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	db.count("PutItem")
	return db.API.PutItem(ctx, in, opts...)
}

func (db *countingDB) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	db.count("DeleteItem")
	return db.API.DeleteItem(ctx, in, opts...)
}

// resetCounts forgets all calls so far.
func (w *world) resetCounts() {
	clear(w.calls)
	clear(w.db.writes)
}

// config is a reconciler of this world that works in one goroutine.
func (w *world) config() Config {
	return Config{
		ECS: w.ecs, Account: edge.Account, Region: edge.Region, Store: w.store, Workers: 1,
		Period: 5 * time.Minute, Metrics: &w.metrics,
		Now:    func() time.Time { return w.now },
		Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	}
}

// sweep reconciles everything, and gives the sum of the passes.
func (w *world) sweep() Report {
	w.t.Helper()
	report, err := w.sweepWith(w.config(), w.now)
	require.NoError(w.t, err)
	return report
}

// sweepWith does what a sweep asks for, one request after the other.
func (w *world) sweepWith(cfg Config, askedAt time.Time) (Report, error) {
	w.t.Helper()
	var sent sentRequests
	r := New(cfg)
	_, sweepErr := r.Sweep(w.t.Context(), &sent, askedAt)
	report, err := w.cluster(cfg, sent...)
	return report, errors.Join(sweepErr, err)
}

// cluster makes the passes that are asked for, also after one that fails.
func (w *world) cluster(cfg Config, asked ...request.Request) (Report, error) {
	w.t.Helper()
	var total Report
	var failures []error
	for _, one := range asked {
		report, err := New(cfg).Cluster(w.t.Context(), one)
		total.add(report)
		failures = append(failures, err)
	}
	return total, errors.Join(failures...)
}

// sentRequests takes messages.
type sentRequests []request.Request

func (s *sentRequests) Send(_ context.Context, messages []queue.Message) error {
	for _, message := range messages {
		if err := message.Validate(true); err != nil {
			return err
		}
		asked, err := request.Parse(message.Body)
		if err != nil {
			return err
		}
		*s = append(*s, asked)
	}
	return nil
}

// pass lets time go by and gives the events of it.
func (w *world) pass(d time.Duration) []ecssim.Event {
	w.now = w.now.Add(d)
	return w.sim.Advance(w.now)
}

// hosts joins n hosts to a cluster.
func (w *world) hosts(cluster string, n int) {
	for range n {
		w.sim.AddHost(w.now, cluster, ecssim.HostSpec{})
	}
}

// run starts n tasks in a cluster and waits until they run.
func (w *world) run(cluster string, n int) {
	w.t.Helper()
	_, err := w.ecs.RegisterTaskDefinition(w.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("job"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("job"), Image: aws.String("job:1"), Memory: aws.Int32(64), Cpu: 16,
		}},
	})
	require.NoError(w.t, err)
	for started := 0; started < n; {
		count := min(10, n-started)
		out, err := w.ecs.RunTask(w.t.Context(), &ecs.RunTaskInput{
			Cluster: aws.String(cluster), TaskDefinition: aws.String("job"), Count: aws.Int32(int32(count)),
			LaunchType: ecstypes.LaunchTypeEc2, ClientToken: aws.String(fmt.Sprint(cluster, started)),
			Tags: []ecstypes.Tag{{Key: aws.String("team"), Value: aws.String("edge")}},
		})
		require.NoError(w.t, err)
		require.Empty(w.t, out.Failures)
		started += count
	}
}

// put stores events as ingest does.
func (w *world) put(events []ecssim.Event) {
	w.t.Helper()
	for _, e := range events {
		parsed, err := event.Parse(e.JSON)
		require.NoError(w.t, err)
		if parsed.Observation != nil {
			_, err = w.store.Put(w.t.Context(), *parsed.Observation, w.now)
			require.NoError(w.t, err)
		}
	}
}

// living gives what the table thinks lives in a cluster.
func (w *world) living(cluster string) map[state.Key]state.Record {
	w.t.Helper()
	living := map[state.Key]state.Record{}
	for _, kind := range []state.Kind{state.KindTask, state.KindContainerInstance} {
		records, err := w.store.Living(w.t.Context(), clusterKey(cluster), kind)
		require.NoError(w.t, err)
		for _, r := range records {
			living[r.Key] = r
		}
	}
	return living
}

func clusterKey(name string) state.ClusterKey {
	return state.ClusterKey{Account: edge.Account, Region: edge.Region, Name: name}
}

// truth is what ECS holds, as version and status.
func (w *world) truth() map[state.Key]string {
	w.t.Helper()
	truth := map[state.Key]string{}
	snapshot := w.sim.Snapshot()
	for _, task := range snapshot.Tasks {
		k, err := state.KeyOf(state.KindTask, task.ClusterARN, task.ARN)
		require.NoError(w.t, err)
		truth[k] = fmt.Sprintf("%d %s %s", task.Version, task.LastStatus, task.DesiredStatus)
	}
	for _, host := range snapshot.Hosts {
		if host.Status == state.InstanceInactive {
			continue // never listed
		}
		k, err := state.KeyOf(state.KindContainerInstance, host.ClusterARN, host.ARN)
		require.NoError(w.t, err)
		truth[k] = fmt.Sprintf("%d %s", host.Version, host.Status)
	}
	return truth
}

// requireTruth compares the table with ECS: it has all that ECS has, as ECS has
// it, and nothing living besides.
func (w *world) requireTruth(clusters ...string) {
	w.t.Helper()
	truth := w.truth()
	for _, k := range sortedKeys(truth) {
		r, err := w.store.Get(w.t.Context(), k, w.now)
		require.NoError(w.t, err)
		is := fmt.Sprintf("%d %s", r.Version, r.Instance.Status)
		if k.Kind == state.KindTask {
			is = fmt.Sprintf("%d %s %s", r.Version, r.Task.LastStatus, r.Task.DesiredStatus)
		}
		require.Equal(w.t, truth[k], is, k)
	}
	for _, cluster := range clusters {
		for k := range w.living(cluster) {
			require.Contains(w.t, truth, k, "stored as living and not in ECS")
		}
	}
}

func sortedKeys[V any](m map[state.Key]V) []state.Key {
	var keys []state.Key
	for k := range maps.Keys(m) {
		keys = append(keys, k)
	}
	sortKeys(keys)
	return keys
}

// delete removes records from the table behind everybody's back.
func (w *world) delete(doomed map[state.Key]bool) {
	w.t.Helper()
	for k := range doomed {
		for shard := range schema.TaskShards {
			_, err := w.db.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{
				TableName: &w.table,
				Key: map[string]types.AttributeValue{
					schema.PartitionKey: &types.AttributeValueMemberS{Value: fmt.Sprintf("%s/%s/%d", k.Cluster, k.Kind, shard)},
					schema.SortKey:      &types.AttributeValueMemberS{Value: k.ID},
				},
			})
			require.NoError(w.t, err)
		}
	}
}

// clusterRow reads a cluster's row, zero if there is none.
func (w *world) clusterRow(name string) table.Cluster {
	w.t.Helper()
	rows, err := w.store.ClustersByKey(w.t.Context(), []state.ClusterKey{clusterKey(name)})
	require.NoError(w.t, err)
	if len(rows) == 0 {
		return table.Cluster{}
	}
	return rows[0]
}
