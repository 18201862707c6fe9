package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/member"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

type fakeQueue struct {
	messages []queue.Message
	err      error
}

func (q *fakeQueue) Send(_ context.Context, messages []queue.Message) error {
	if q.err == nil {
		q.messages = append(q.messages, messages...)
	}
	return q.err
}

// function is the handler as Lambda calls it, between a simulated ECS with one
// host and a table in memory.
type function struct {
	invoke lambda.Handler
	queue  *fakeQueue
	sim    *ecssim.Simulator
	store  *table.State
	host   string // its id
	now    time.Time
	// broken is a cluster whose tasks cannot be listed; the time is up while they are if it ends the invocation.
	broken  string
	end     context.CancelFunc
	metrics metrics.Memory
}

// brokenECS refuses to list the tasks of one cluster.
type brokenECS struct {
	ecsapi.API
	f *function
}

func (b brokenECS) ListTasks(ctx context.Context, in *ecs.ListTasksInput, opts ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	if !strings.HasSuffix(*in.Cluster, "/"+b.f.broken) {
		return b.API.ListTasks(ctx, in, opts...)
	}
	if b.f.end != nil {
		b.f.end()
		return nil, ctx.Err()
	}
	return nil, errors.New("out of order")
}

func newFunction(t *testing.T) *function {
	f := &function{queue: &fakeQueue{}, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), broken: "none"}
	f.sim = ecssim.New(ecssim.Config{Account: account, Region: region}, f.now)
	f.sim.AddHost(f.now, "edge", ecssim.HostSpec{})
	f.host = f.sim.Snapshot().Hosts[0].ID
	db := memory.New()
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	f.store = table.NewState(db, "state", state.DefaultVisibleFor)
	clock := func() time.Time { return f.now }
	f.invoke = lambda.NewHandler(New(Config{
		Places: []reconcile.Config{{
			ECS: brokenECS{ecs.New(ecs.Options{
				Region: region, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
				HTTPClient: &http.Client{Transport: &ecssim.Transport{Sim: f.sim, Now: clock}}, Retryer: aws.NopRetryer{},
			}), f},
			Account: account, Region: region, Store: f.store, Now: clock, Workers: 1, Period: 5 * time.Minute,
			Metrics: metrics.Discard{}, Logger: slog.New(slog.DiscardHandler),
		}},
		Queue: f.queue, Now: clock, Metrics: &f.metrics, Logger: slog.New(slog.DiscardHandler),
	}).Handle)
	return f
}

// deliver invokes the function with messages and gives the ids that failed.
func (f *function) deliver(t *testing.T, bodies ...string) []string {
	t.Helper()
	var in events.SQSEvent
	for i, body := range bodies {
		in.Records = append(in.Records, events.SQSMessage{MessageId: string(rune('0' + i)), Body: body})
	}
	payload, err := json.Marshal(in)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if f.end != nil {
		f.end = cancel
	}
	answer, err := f.invoke.Invoke(ctx, payload)
	require.NoError(t, err)
	var out events.SQSEventResponse
	require.NoError(t, json.Unmarshal(answer, &out))
	var failed []string
	for _, failure := range out.BatchItemFailures {
		failed = append(failed, failure.ItemIdentifier)
	}
	return failed
}

// deliverAll delivers what is in the queue, and what that leads to, each message by
// itself, and gives those that failed.
func (f *function) deliverAll(t *testing.T) (failed []queue.Message) {
	t.Helper()
	for len(f.queue.messages) > 0 {
		message := f.queue.messages[0]
		f.queue.messages = f.queue.messages[1:]
		require.NoError(t, message.Validate(true))
		if len(f.deliver(t, message.Body)) > 0 {
			failed = append(failed, message)
		}
	}
	return failed
}

// sweep has everything reconciled.
func (f *function) sweep(t *testing.T) (failed []queue.Message) {
	t.Helper()
	require.Empty(t, f.deliver(t, sweep))
	return f.deliverAll(t)
}

func (f *function) stored(t *testing.T) int { return f.storedIn(t, "edge") }

func (f *function) storedIn(t *testing.T, cluster string) int {
	t.Helper()
	records, err := f.store.Living(t.Context(), state.ClusterKey{Account: account, Region: region, Name: cluster}, state.KindContainerInstance)
	require.NoError(t, err)
	return len(records)
}

// The schedule asks, and the message it leads to is what the function does.
func TestAScheduleLeadsToASweep(t *testing.T) {
	f := newFunction(t)
	_, err := f.invoke.Invoke(t.Context(), []byte(`{"source":"blox.schedule"}`))
	require.NoError(t, err)
	require.Zero(t, f.stored(t), "it only asks")
	require.Len(t, f.queue.messages, 1)
	require.NoError(t, f.queue.messages[0].Validate(true))

	require.Empty(t, f.deliverAll(t))
	require.Equal(t, 1, f.stored(t))
}

func TestAScheduleThatFiresTwiceIsOneSweep(t *testing.T) {
	f := newFunction(t)
	for range 2 {
		_, err := f.invoke.Invoke(t.Context(), []byte(`{"source":"blox.schedule","scheduledTime":"2026-11-20T08:59:00Z"}`))
		require.NoError(t, err)
		f.now = f.now.Add(time.Second)
	}
	require.Len(t, f.queue.messages, 2)
	require.Equal(t, f.queue.messages[0], f.queue.messages[1], "SQS drops the second")
	asked, err := request.Parse(f.queue.messages[0].Body)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 11, 20, 8, 59, 0, 0, time.UTC), asked.At)
}

func TestAScheduleThatCannotBePassedOnFails(t *testing.T) {
	f := newFunction(t)
	f.queue.err = errors.New("no such queue")
	_, err := f.invoke.Invoke(t.Context(), []byte(`{"source":"blox.schedule"}`))
	require.ErrorContains(t, err, "no such queue")
}

func TestOtherPayloadsAreRefused(t *testing.T) {
	f := newFunction(t)
	for _, payload := range []string{`{}`, `{"source":"aws.ecs","detail":{}}`, `[]`} {
		_, err := f.invoke.Invoke(t.Context(), []byte(payload))
		require.Error(t, err, payload)
	}
	require.Empty(t, f.queue.messages)
}

func TestADescribeStoresWhatItNames(t *testing.T) {
	f := newFunction(t)
	require.Empty(t, f.deliver(t, `{"kind":"describe","cluster":"123456789012/us-east-1/edge","instances":["`+f.host+`"]}`))
	require.Equal(t, 1, f.stored(t))
}

const sweep = `{"kind":"sweep","account":"123456789012","region":"us-east-1","atMillis":1795165200000}`

// One cluster that cannot be reconciled holds back no other.
func TestAClusterThatFailsHoldsBackNothing(t *testing.T) {
	f := newFunction(t)
	f.sim.AddHost(f.now, "alpha", ecssim.HostSpec{})
	f.sim.AddHost(f.now, "gamma", ecssim.HostSpec{})
	f.broken = "edge"
	require.Empty(t, f.sweep(t), "the next sweep asks anew")
	require.Equal(t, 1, f.storedIn(t, "alpha"))
	require.Equal(t, 1, f.storedIn(t, "gamma"))
	require.Zero(t, f.stored(t))
	require.Empty(t, f.metrics.Of(metrics.ReconcileMessagesFailed))
}

func TestAPassThatRunsOutOfTimeIsDeliveredAgain(t *testing.T) {
	f := newFunction(t)
	f.sim.AddHost(f.now, "alpha", ecssim.HostSpec{})
	f.broken, f.end = "edge", func() {}
	failed := f.sweep(t)
	require.Len(t, failed, 1)
	require.Equal(t, account+"/"+region+"/edge", failed[0].Group)
	require.Equal(t, 1, f.storedIn(t, "alpha"), "another cluster's time is its own")
	require.Equal(t, []int64{1}, f.metrics.Of(metrics.ReconcileMessagesFailed))

	f.broken, f.end = "none", nil
	require.Empty(t, f.deliver(t, failed[0].Body))
	require.Equal(t, 1, f.stored(t))
}

func TestAPassOnDemand(t *testing.T) {
	f := newFunction(t)
	require.Empty(t, f.sweep(t))
	f.sim.AddHost(f.now, "edge", ecssim.HostSpec{})
	f.now = f.now.Add(time.Second)
	cluster := state.ClusterKey{Account: account, Region: region, Name: "edge"}
	require.NoError(t, request.SendCluster(t.Context(), f.queue, cluster, f.now))
	require.Empty(t, f.deliverAll(t))
	require.Equal(t, 2, f.stored(t))
}

// What can never be done and what failed are dropped, and the rest of the batch
// is done.
func TestABatchIsWorkedOnByItem(t *testing.T) {
	f := newFunction(t)
	f.sim.Faults().SetThrottled("ListClusters", "DescribeTasks")
	failed := f.deliver(t,
		`nonsense`,
		sweep,
		`{"kind":"describe","cluster":"123456789012/us-east-1/edge","tasks":["x"]}`,
		`{"kind":"sweep","account":"999999999999","region":"us-east-1","atMillis":1795165200000}`,
		`{"kind":"describe","cluster":"123456789012/eu-west-1/edge","instances":["x"]}`,
		`{"kind":"cluster","cluster":"123456789012/eu-west-1/edge","atMillis":1795165200000}`,
		`{"kind":"describe","cluster":"123456789012/us-east-1/edge","instances":["`+f.host+`"]}`,
	)
	require.Empty(t, failed)
	require.Equal(t, 1, f.stored(t))
}

func TestTheFunctionStopsBeforeItIsKilled(t *testing.T) {
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	early, stop := withMargin(ctx)
	defer stop()
	got, ok := early.Deadline()
	require.True(t, ok)
	require.Equal(t, deadline.Add(-margin), got)
}

func TestSettingsNameWhatIsMissing(t *testing.T) {
	environment := map[string]string{
		"BLOX_ACCOUNT": account, "AWS_REGION": region, "BLOX_STATE_TABLE": "state", "BLOX_DAEMON_TABLE": "daemon",
		"BLOX_RECONCILE_QUEUE_URL": "https://reconcile", "BLOX_RETENTION_DAYS": "7", "BLOX_INSTALLATION": "main",
		"BLOX_RECONCILE_MINUTES": "5", "BLOX_ECS_READS_PER_SECOND": "10", "BLOX_MEMBERS": "123456789012/eu-west-1", "BLOX_EXTERNAL_ID": "secret",
	}
	settings, err := SettingsFrom(func(name string) string { return environment[name] })
	require.NoError(t, err)
	require.Equal(t, Settings{
		Settings: member.Settings{
			Home:    member.Place{Account: account, Region: region},
			Members: []member.Place{{Account: account, Region: "eu-west-1"}}, ExternalID: "secret",
		},
		Installation: "main", StateTable: "state", DaemonTable: "daemon", ReconcileQueueURL: "https://reconcile",
		VisibleFor: 7 * 24 * time.Hour, Period: 5 * time.Minute, ReadsPerSecond: 10,
	}, settings)
	for name := range environment {
		_, err := SettingsFrom(func(asked string) string {
			if asked == name {
				return ""
			}
			return environment[asked]
		})
		require.ErrorContains(t, err, "environment variable "+name+" is")
	}
}

// Each place has its own group of the queue, so that they are swept side by side, and its own ECS. One that answers
// nothing fails by itself.
func TestEachPlaceIsSwept(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	db := memory.New()
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	store := table.NewState(db, "state", state.DefaultVisibleFor)
	places := []member.Place{{Account: account, Region: region}, {Account: account, Region: "eu-west-1"}, {Account: "210987654321", Region: region}}
	const refused = 1
	sent := &fakeQueue{}
	cfg := Config{Queue: sent, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)}
	for i, p := range places {
		sim := ecssim.New(ecssim.Config{Account: p.Account, Region: p.Region}, now)
		for range i + 1 {
			sim.AddHost(now, "edge", ecssim.HostSpec{})
		}
		if i == refused {
			sim.Faults().SetThrottled("ListClusters", "ListTasks")
		}
		cfg.Places = append(cfg.Places, reconcile.Config{
			ECS: ecs.New(ecs.Options{
				Region: p.Region, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
				HTTPClient: &http.Client{Transport: &ecssim.Transport{Sim: sim, Now: cfg.Now}}, Retryer: aws.NopRetryer{},
			}),
			Account: p.Account, Region: p.Region, Store: store, Now: cfg.Now, Workers: 1, Period: 5 * time.Minute,
			Metrics: metrics.Discard{}, Logger: cfg.Logger,
		})
	}
	f := &function{invoke: lambda.NewHandler(New(cfg).Handle), queue: sent}
	_, err := f.invoke.Invoke(t.Context(), []byte(`{"source":"blox.schedule"}`))
	require.NoError(t, err)
	require.Len(t, sent.messages, len(places))
	stored := func(p member.Place) int {
		records, err := store.Living(t.Context(), state.ClusterKey{Account: p.Account, Region: p.Region, Name: "edge"}, state.KindContainerInstance)
		require.NoError(t, err)
		return len(records)
	}
	sweeps := sent.messages
	for i, p := range places {
		require.Equal(t, p.String(), sweeps[i].Group)
		sent.messages = sweeps[i : i+1 : i+1]
		require.Empty(t, f.deliverAll(t))
		want := i + 1
		if i == refused {
			want = 0
		}
		require.Equal(t, want, stored(p), p)
		for _, other := range places[i+1:] {
			require.Zero(t, stored(other), "another place's ECS was asked")
		}
	}
}

// failingQueue takes the messages of all groups but one.
type failingQueue struct {
	fakeQueue
	group string
}

func (q *failingQueue) Send(ctx context.Context, messages []queue.Message) error {
	if messages[0].Group == q.group {
		return errors.New("throttled")
	}
	return q.fakeQueue.Send(ctx, messages)
}

func TestAPlaceThatCannotBeAskedForKeepsNoOtherFromItsSweep(t *testing.T) {
	sent := &failingQueue{group: account + "/eu-west-1"}
	handler := New(Config{
		Places: []reconcile.Config{{Account: account, Region: region}, {Account: account, Region: "eu-west-1"}, {Account: account, Region: "eu-west-2"}},
		Queue:  sent, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	_, err := handler.Handle(t.Context(), []byte(`{"source":"blox.schedule"}`))
	require.EqualError(t, err, "asking for a sweep of 123456789012/eu-west-1: throttled")
	require.Len(t, sent.messages, 2)
}
