package ecssim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

var epoch = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// world is a simulator on virtual time with the real SDK client in front of it. Every event it delivers is checked: one
// version a change, none missing, none twice.
type world struct {
	t        *testing.T
	sim      *ecssim.Simulator
	ecs      *ecs.Client
	now      time.Time
	events   []event
	versions map[string]int64
	checked  bool
}

type event struct {
	ecssim.Event
	DetailType string   `json:"detail-type"`
	Resources  []string `json:"resources"`
	Detail     struct {
		AgentConnected bool   `json:"agentConnected"`
		Status         string `json:"status"`
		DesiredStatus  string `json:"desiredStatus"`
		LastStatus     string `json:"lastStatus"`
		HealthStatus   string `json:"healthStatus"`
		StopCode       string `json:"stopCode"`
		StoppedReason  string `json:"stoppedReason"`
		Version        int64  `json:"version"`
		UpdatedAt      string `json:"updatedAt"`
	} `json:"detail"`
}

func newWorld(t *testing.T, cfg ecssim.Config) *world {
	t.Helper()
	w := &world{t: t, now: epoch, versions: map[string]int64{}, checked: true}
	w.sim = ecssim.New(cfg, w.now)
	w.ecs = ecs.New(ecs.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
		Retryer:     aws.NopRetryer{},
		HTTPClient:  &http.Client{Transport: &ecssim.Transport{Sim: w.sim, Now: func() time.Time { return w.now }}},
	})
	_, err := w.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("prod")})
	require.NoError(t, err)
	return w
}

// exact delays make the life cycle tables exact.
func exact() ecssim.Delays {
	d := ecssim.DefaultDelays()
	d.Jitter = 0
	return d
}

func (w *world) ctx() context.Context { return w.t.Context() }

// pass lets time go by, transition after transition.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for {
		due, ok := w.sim.NextDue()
		if !ok || due.After(end) {
			break
		}
		if due.After(w.now) {
			w.now = due
		}
		w.collect(w.sim.Advance(w.now))
	}
	w.now = end
	w.collect(w.sim.Advance(w.now))
}

func (w *world) collect(events []ecssim.Event) {
	w.t.Helper()
	for _, e := range events {
		x := event{Event: e}
		require.NoError(w.t, json.Unmarshal(e.JSON, &x))
		require.Len(w.t, x.Resources, 1)
		if w.checked {
			arn := x.Resources[0]
			require.Equal(w.t, w.versions[arn]+1, x.Detail.Version, "version of %s", arn)
			w.versions[arn] = x.Detail.Version
		}
		w.events = append(w.events, x)
	}
}

// of is the events of one resource, and forgets nothing.
func (w *world) of(arn string) []event {
	var found []event
	for _, e := range w.events {
		if e.Resources[0] == arn {
			found = append(found, e)
		}
	}
	return found
}

func (w *world) hosts(n int, spec ecssim.HostSpec) []string {
	arns := make([]string, n)
	for i := range arns {
		arns[i] = w.sim.AddHost(w.now, "prod", spec)
	}
	return arns
}

// define registers a definition of one container, changed as wanted.
func (w *world) define(family string, change func(*ecs.RegisterTaskDefinitionInput)) string {
	w.t.Helper()
	in := &ecs.RegisterTaskDefinitionInput{
		Family: &family,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(family + ":1"), Cpu: 64, Memory: aws.Int32(128),
		}},
	}
	if change != nil {
		change(in)
	}
	out, err := w.ecs.RegisterTaskDefinition(w.ctx(), in)
	require.NoError(w.t, err)
	return *out.TaskDefinition.TaskDefinitionArn
}

func run(family string, change func(*ecs.RunTaskInput)) *ecs.RunTaskInput {
	in := &ecs.RunTaskInput{Cluster: aws.String("prod"), TaskDefinition: &family}
	if change != nil {
		change(in)
	}
	return in
}

// start runs one task that must be placed.
func (w *world) start(in *ecs.RunTaskInput) types.Task {
	w.t.Helper()
	out, err := w.ecs.RunTask(w.ctx(), in)
	require.NoError(w.t, err)
	require.Empty(w.t, out.Failures)
	require.Len(w.t, out.Tasks, 1)
	return out.Tasks[0]
}

func (w *world) task(arn *string) types.Task {
	w.t.Helper()
	out, err := w.ecs.DescribeTasks(w.ctx(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: []string{*arn}})
	require.NoError(w.t, err)
	require.Empty(w.t, out.Failures)
	return out.Tasks[0]
}

func (w *world) stop(arn *string) types.Task {
	w.t.Helper()
	out, err := w.ecs.StopTask(w.ctx(), &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: arn, Reason: aws.String("test")})
	require.NoError(w.t, err)
	return *out.Task
}

func (w *world) host(arn string) types.ContainerInstance {
	w.t.Helper()
	out, err := w.ecs.DescribeContainerInstances(w.ctx(), &ecs.DescribeContainerInstancesInput{Cluster: aws.String("prod"), ContainerInstances: []string{arn}})
	require.NoError(w.t, err)
	require.Empty(w.t, out.Failures)
	return out.ContainerInstances[0]
}

func (w *world) drain(arn string, status types.ContainerInstanceStatus) {
	w.t.Helper()
	out, err := w.ecs.UpdateContainerInstancesState(w.ctx(), &ecs.UpdateContainerInstancesStateInput{Cluster: aws.String("prod"), ContainerInstances: []string{arn}, Status: status})
	require.NoError(w.t, err)
	require.Empty(w.t, out.Failures)
}

func (w *world) listTasks(change func(*ecs.ListTasksInput)) []string {
	w.t.Helper()
	in := &ecs.ListTasksInput{Cluster: aws.String("prod")}
	if change != nil {
		change(in)
	}
	out, err := w.ecs.ListTasks(w.ctx(), in)
	require.NoError(w.t, err)
	return out.TaskArns
}

func reasons(failures []types.Failure) []string {
	var list []string
	for _, f := range failures {
		list = append(list, *f.Reason)
	}
	return list
}

func id(n int) string { return "i-" + strconv.Itoa(n) }

func memberOf(expression string) types.PlacementConstraint {
	return types.PlacementConstraint{Type: types.PlacementConstraintTypeMemberOf, Expression: &expression}
}

var distinct = types.PlacementConstraint{Type: types.PlacementConstraintTypeDistinctInstance}
