package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

var (
	t0      = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	cluster = state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}
)

// world is a driver on tables in memory, with an ECS that says what the test tells it to.
type world struct {
	t      testing.TB
	db     *memory.DB
	state  *table.State
	daemon *table.Daemon
	driver *Driver
	ecs    *fakeECS
	sent   []queue.Message
	now    time.Time

	bus     announce.Memory
	alarms  alarms.Memory
	metrics metrics.Memory
	heard   int // events of the bus that the test has looked at
}

func (w *world) Send(_ context.Context, messages []queue.Message) error {
	w.sent = append(w.sent, messages...)
	return nil
}

// newWorld holds one environment with a deployment of revision 1 on a cluster that was reconciled a minute ago. The
// revision is as the test revises it.
func newWorld(t testing.TB, revise ...func(*daemon.Revision)) *world {
	t.Helper()
	w := &world{t: t, db: memory.New(), now: t0}
	w.ecs = &fakeECS{w: w, tasks: map[string]types.Task{}, attributes: map[string]map[string]string{}}
	ctx := t.Context()
	require.NoError(t, table.Create(ctx, w.db, "state", schema.State))
	require.NoError(t, table.Create(ctx, w.db, "daemon", schema.Daemon))
	w.state = table.NewState(w.db, "state", state.DefaultVisibleFor)
	w.daemon = table.NewDaemon(w.db, "daemon")
	w.driver = w.newDriver("driver")
	require.NoError(t, w.state.PutSync(ctx, syncedAt(t0.Add(-time.Minute))))
	w.deploy(revise)
	return w
}

func (w *world) newDriver(owner string) *Driver {
	return New(Config{
		State: w.state, Daemon: w.daemon, Wakeups: w, Now: func() time.Time { return w.now },
		ECS:      func(string, string) (ecsapi.API, error) { return w.ecs, nil },
		NewOwner: func() string { return owner }, Installation: "blox", Settings: daemon.DefaultSettings(),
		Modify: DefaultModify, Describe: DefaultDescribe, Workers: 1,
		Alarms:   func(string, string) (alarms.API, error) { return &w.alarms, nil },
		Announce: &w.bus, Metrics: &w.metrics, Log: slog.New(slog.DiscardHandler),
	})
}

func (w *world) deploy(revise []func(*daemon.Revision)) {
	env := daemon.Environment{
		ID: "env", Name: "log-agent", Status: daemon.EnvironmentActive, Partition: "aws", Revision: 1,
		Clusters: []state.ClusterKey{cluster}, DeploymentToken: "token", CreatedAt: t0, UpdatedAt: t0,
	}
	revision := daemon.Revision{
		EnvironmentID: "env", Number: 1, LaunchType: daemon.LaunchTypeEC2, CreatedAt: t0,
		TaskDefinition: "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:1",
	}
	for _, change := range revise {
		change(&revision)
	}
	require.NoError(w.t, w.daemon.CreateEnvironment(w.t.Context(), env, revision))
	env, err := w.daemon.Environment(w.t.Context(), "env")
	require.NoError(w.t, err)
	require.NoError(w.t, w.daemon.CreateDeployment(w.t.Context(), env, daemon.Deployment{
		ID: "d-1", EnvironmentID: "env", Revision: 1, Token: "token", Status: daemon.DeploymentPending, CreatedAt: t0,
	}))
}

// host stores an ACTIVE, connected container instance, at version 1 and without tasks if the options do not say otherwise.
func (w *world) host(n int, options ...eventtest.Option) state.Key {
	w.t.Helper()
	key := w.instance(n)
	w.store(eventtest.ContainerInstance(append(here(eventtest.ID(key.ID), eventtest.Version(1), eventtest.Status("ACTIVE"),
		eventtest.EC2InstanceID(ec2(n)), eventtest.AgentConnected(true)), options...)...))
	return key
}

// hostOn is an ACTIVE host of another cluster.
func hostOn(of state.ClusterKey, n int) []byte {
	return eventtest.ContainerInstance(eventtest.Account(of.Account), eventtest.Region(of.Region), eventtest.Cluster(of.Name),
		eventtest.ID(fmt.Sprintf("c%031d", n)), eventtest.EC2InstanceID(ec2(n)), eventtest.Version(1), eventtest.Status("ACTIVE"),
		eventtest.AgentConnected(true))
}

func here(options ...eventtest.Option) []eventtest.Option {
	return append([]eventtest.Option{
		eventtest.Account(cluster.Account), eventtest.Region(cluster.Region), eventtest.Cluster(cluster.Name),
	}, options...)
}

// counts are the tasks that ECS has on a host at a version of it.
func counts(version int64, running, pending int) []eventtest.Option {
	return []eventtest.Option{
		eventtest.Version(version), eventtest.Field("runningTasksCount", running), eventtest.Field("pendingTasksCount", pending),
	}
}

// other stores a RUNNING task that is none of the environment's, unless the options say otherwise.
func (w *world) other(id string, n int, options ...eventtest.Option) {
	w.t.Helper()
	w.store(eventtest.Task(append(here(eventtest.ID(id), eventtest.Version(1), eventtest.LastStatus("RUNNING"), eventtest.Group("family:batch"),
		eventtest.StartedBy("people"), eventtest.OnContainerInstance(w.instance(n).ID)), options...)...))
}

func (w *world) instance(n int) state.Key {
	return state.Key{Kind: state.KindContainerInstance, Cluster: cluster, ID: fmt.Sprintf("c%031d", n)}
}

// runs stores that the host's daemon is RUNNING.
func (w *world) runs(n int) { w.daemonIs(n, w.slot(n).TaskARN, 3, "RUNNING", "RUNNING", "log-agent:1") }

// daemonIs stores the statuses of a task of ours on the host.
func (w *world) daemonIs(n int, taskARN string, version int64, desired, last, definition string) {
	w.t.Helper()
	arn, err := state.ParseARN(taskARN)
	require.NoError(w.t, err)
	w.store(eventtest.Task(here(
		eventtest.ID(arn.ID), eventtest.Version(version), eventtest.LastStatus(last), eventtest.DesiredStatus(desired),
		eventtest.Group(daemon.Group("blox", "env")), eventtest.StartedBy(daemon.StartedBy("d-1")),
		eventtest.TaskDefinition(definition), eventtest.OnContainerInstance(w.instance(n).ID),
	)...))
}

// deployment is the one of that id, as it is stored.
func (w *world) deployment(id string) daemon.Deployment {
	w.t.Helper()
	dep, err := w.daemon.Deployment(w.t.Context(), "env", id)
	require.NoError(w.t, err)
	return dep
}

// environment is as it is stored.
func (w *world) environment() daemon.Environment {
	w.t.Helper()
	env, err := w.daemon.Environment(w.t.Context(), "env")
	require.NoError(w.t, err)
	return env
}

// revise stores revision 2 and deploys it as d-2.
func (w *world) revise(change func(*daemon.Revision), dep ...func(*daemon.Deployment)) {
	w.t.Helper()
	revision, err := w.daemon.Revision(w.t.Context(), "env", 1)
	require.NoError(w.t, err)
	revision.Number, revision.TaskDefinition = 2, "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:2"
	change(&revision)
	env := w.environment()
	env.Revision, env.UpdatedAt = 2, w.now
	require.NoError(w.t, w.daemon.UpdateEnvironment(w.t.Context(), env, &revision))
	next := daemon.Deployment{
		ID: "d-2", EnvironmentID: "env", Revision: 2, Token: "token-2", Status: daemon.DeploymentPending, CreatedAt: w.now,
		BasedOn: env.LastGoodRevision,
	}
	for _, change := range dep {
		change(&next)
	}
	require.NoError(w.t, w.daemon.CreateDeployment(w.t.Context(), w.environment(), next))
}

// syncedAt is a reconcile of the cluster that began at the time.
func syncedAt(at time.Time) table.Cluster {
	return table.Cluster{Key: cluster, SyncedAt: at.UnixMilli()}
}

func ec2(n int) string { return fmt.Sprintf("i-%017d", n) }

func (w *world) store(raw []byte) {
	w.t.Helper()
	parsed, err := event.Parse(raw)
	require.NoError(w.t, err)
	_, err = w.state.Put(w.t.Context(), *parsed.Observation, w.now)
	require.NoError(w.t, err)
}

func (w *world) slot(n int) daemon.Slot {
	w.t.Helper()
	slots, err := w.daemon.SlotsOf(w.t.Context(), "env", []daemon.HostKey{{Cluster: cluster, EC2InstanceID: ec2(n)}})
	require.NoError(w.t, err)
	if len(slots) == 0 {
		return daemon.Slot{}
	}
	return slots[0]
}

// fakeECS answers RunTask by its token, as ECS does, unless the test says otherwise.
type fakeECS struct {
	ecsapi.API // anything else that is called panics
	w          *world
	mu         sync.Mutex
	tasks      map[string]types.Task // by client token
	requests   []*ecs.RunTaskInput
	describes  int
	stopped    []string
	// stopReasons are what ECS was told of each of them.
	stopReasons []string
	// described is what DescribeTasks knows; the rest is MISSING. away makes it an error.
	described map[string]types.Task
	away      bool
	// inactive are task definitions, and deleted those that ECS does not know any more.
	inactive, deleted map[string]bool
	definitions       int
	// attributes are those of container instances by ARN; refuse is how ECS answers changes of them.
	attributes map[string]map[string]string
	refuse     error
	// changed is called when an attribute was changed, and what it returns is the answer.
	changed func() error
	// listed are the tasks that ListTasks knows.
	listed []string
	// before is called with each RunTask, before it is answered; lose makes the answer an error after the work was done.
	before func(in *ecs.RunTaskInput)
	lose   bool
	// refuseStart is what ECS answers to RunTask.
	refuseStart error
}

func (f *fakeECS) RunTask(_ context.Context, in *ecs.RunTaskInput, _ ...func(*ecs.Options)) (*ecs.RunTaskOutput, error) {
	f.mu.Lock()
	f.requests = append(f.requests, in)
	before := f.before
	f.mu.Unlock()
	if before != nil {
		before(in) // which may make other drivers call
	}
	if f.refuseStart != nil {
		return nil, f.refuseStart
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	task, known := f.tasks[*in.ClientToken]
	if !known {
		id := fmt.Sprintf("%032d", len(f.tasks)+1)
		task = types.Task{TaskArn: aws.String("arn:aws:ecs:eu-west-1:210987654321:task/edge/" + id)}
		f.tasks[*in.ClientToken] = task
	}
	if f.lose {
		return nil, context.DeadlineExceeded
	}
	return &ecs.RunTaskOutput{Tasks: []types.Task{task}}, nil
}

func (f *fakeECS) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput, _ ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	f.describes++
	if f.away {
		return nil, context.DeadlineExceeded
	}
	out := &ecs.DescribeTasksOutput{}
	for _, arn := range in.Tasks {
		if task, ok := f.described[arn]; ok {
			out.Tasks = append(out.Tasks, task)
			continue
		}
		out.Failures = append(out.Failures, types.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")})
	}
	return out, nil
}

func (f *fakeECS) ListTasks(context.Context, *ecs.ListTasksInput, ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	return &ecs.ListTasksOutput{TaskArns: f.listed}, nil
}

func (f *fakeECS) DescribeTaskDefinition(
	_ context.Context, in *ecs.DescribeTaskDefinitionInput, _ ...func(*ecs.Options),
) (*ecs.DescribeTaskDefinitionOutput, error) {
	f.definitions++
	if f.deleted[*in.TaskDefinition] {
		return nil, &types.ClientException{Message: aws.String("Unable to describe task definition.")}
	}
	status := types.TaskDefinitionStatusActive
	if f.inactive[*in.TaskDefinition] {
		status = types.TaskDefinitionStatusInactive
	}
	return &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &types.TaskDefinition{Status: status}}, nil
}

func (f *fakeECS) PutAttributes(_ context.Context, in *ecs.PutAttributesInput, _ ...func(*ecs.Options)) (*ecs.PutAttributesOutput, error) {
	for _, a := range in.Attributes {
		switch {
		case f.refuse != nil:
			return nil, f.refuse
		case f.attributes[*a.TargetId] == nil:
			f.attributes[*a.TargetId] = map[string]string{}
		}
		f.attributes[*a.TargetId][*a.Name] = aws.ToString(a.Value)
	}
	if f.changed != nil {
		return nil, f.changed()
	}
	return &ecs.PutAttributesOutput{}, nil
}

func (f *fakeECS) DeleteAttributes(_ context.Context, in *ecs.DeleteAttributesInput, _ ...func(*ecs.Options)) (*ecs.DeleteAttributesOutput, error) {
	for _, a := range in.Attributes {
		if f.refuse != nil {
			return nil, f.refuse
		}
		delete(f.attributes[*a.TargetId], *a.Name)
	}
	if f.changed != nil {
		return nil, f.changed()
	}
	return &ecs.DeleteAttributesOutput{}, nil
}

func (f *fakeECS) StopTask(_ context.Context, in *ecs.StopTaskInput, _ ...func(*ecs.Options)) (*ecs.StopTaskOutput, error) {
	f.stopped = append(f.stopped, *in.Task)
	f.stopReasons = append(f.stopReasons, *in.Reason)
	return &ecs.StopTaskOutput{}, nil
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func (w *world) wokenFor() (bodies []string) {
	for _, m := range w.sent {
		bodies = append(bodies, m.Body)
	}
	slices.Sort(bodies)
	return bodies
}

// patient lets a deployment take as long as it does.
func patient(r *daemon.Revision) { r.DeploymentConfiguration.CircuitBreaker.Disabled = true }

// deployNext puts another deployment of revision 1 in force.
func (w *world) deployNext(id string) {
	w.t.Helper()
	env, err := w.daemon.Environment(w.t.Context(), "env")
	require.NoError(w.t, err)
	require.NoError(w.t, w.daemon.CreateDeployment(w.t.Context(), env, daemon.Deployment{
		ID: id, EnvironmentID: "env", Revision: 1, Token: "token of " + id, Status: daemon.DeploymentPending, CreatedAt: w.now,
	}))
}

func (w *world) instances(hosts ...int) (keys []state.Key) {
	for _, n := range hosts {
		keys = append(keys, w.instance(n))
	}
	return keys
}
