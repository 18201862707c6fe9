package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/drive"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

var update = flag.Bool("update", false, "write the golden files of testdata from what the commands print")

// session runs command lines against an API on stores in memory.
type session struct {
	t        *testing.T
	endpoint string
	state    *table.State
	daemon   *table.Daemon
	now      time.Time
	env      map[string]string
	stdin    string
	// onPause is called for every pause; none takes any time but that of the clock.
	onPause func()
	ids     int
}

func newSession(t *testing.T) *session {
	s := &session{t: t, now: eventtest.DefaultTime.Add(90 * time.Minute), env: map[string]string{}, onPause: func() {}}
	clock := func() time.Time { return s.now }
	db := memory.New(memory.WithClock(clock))
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
	s.state, s.daemon = table.NewState(db, "state", state.DefaultVisibleFor), table.NewDaemon(db, "daemon")
	server := httptest.NewServer(httpapi.New(httpapi.Deps{
		State: s.state, Daemon: s.daemon, ECS: func(string, string) (httpapi.ECS, error) { return anyECS{}, nil }, Feed: table.NewFeed(db, "state", clock), Wakeups: nowhere{},
		Scheduler: drive.New(drive.Config{
			State: s.state, Daemon: s.daemon, ECS: func(string, string) (ecsapi.API, error) { return nil, errors.New("there is no ECS") },
			Alarms:  func(string, string) (alarms.API, error) { return &alarms.Memory{}, nil },
			Wakeups: nowhere{}, Now: clock, NewOwner: s.newID, Installation: "test", Settings: daemon.DefaultSettings(),
			Modify: drive.DefaultModify, Describe: drive.DefaultDescribe, Workers: 1, Announce: announce.Log{Logger: slog.New(slog.DiscardHandler)},
			Metrics: metrics.Discard{}, Log: slog.New(slog.DiscardHandler),
		}),
		Reconciles: nowhere{}, Version: "1.2.3", VisibleFor: state.DefaultVisibleFor, Now: clock, NewID: s.newID, Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Installation: "test",
		Logger: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(server.Close)
	s.endpoint = server.URL
	s.env[endpointEnv] = server.URL
	return s
}

func (t *session) newID() string {
	t.ids++
	return fmt.Sprintf("00000000-0000-7000-8000-%012d", t.ids)
}

// store stores what an event tells.
func (t *session) store(raw []byte) {
	parsed, err := event.Parse(raw)
	require.NoError(t.t, err)
	_, err = t.state.Put(t.t.Context(), *parsed.Observation, t.now)
	require.NoError(t.t, err)
	require.NoError(t.t, t.state.AddCluster(t.t.Context(), parsed.Observation.Cluster))
}

// advance stores a scheduler's progress of the environment's deployment in force.
func (t *session) advance(name string, change func(*daemon.Deployment)) {
	env, err := t.daemon.EnvironmentByName(context.Background(), name)
	require.NoError(t.t, err)
	dep, err := t.daemon.Deployment(context.Background(), env.ID, env.DeploymentID)
	require.NoError(t.t, err)
	change(&dep)
	_, err = t.daemon.AdvanceDeployment(context.Background(), dep)
	require.NoError(t.t, err)
}

// daemonCluster is the cluster of manifestText.
var daemonCluster = state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: "edge"}

// lastGood stores that a revision's deployment completed.
func (t *session) lastGood(name string, revision int) {
	env, err := t.daemon.EnvironmentByName(context.Background(), name)
	require.NoError(t.t, err)
	env.LastGoodRevision = revision
	require.NoError(t.t, t.daemon.UpdateEnvironment(context.Background(), env, nil))
}

// exits checks the exit code.
func (p printed) exits(code int) {
	p.t.Helper()
	require.Equal(p.t, code, p.code, "%s: %s%s", p.line, p.stdout, p.stderr)
}

// printed is what a command line left behind.
type printed struct {
	t              *testing.T
	line           string
	stdout, stderr string
	code           int
}

func (t *session) run(line string) printed { return t.runIn(t.t.Context(), line) }

func (t *session) runIn(ctx context.Context, line string) printed {
	var stdout, stderr bytes.Buffer
	root := newRootCommandIn(world{
		now: func() time.Time { return t.now }, getenv: func(name string) string { return t.env[name] },
		pause: func(ctx context.Context, d time.Duration) error {
			t.now = t.now.Add(d)
			t.onPause()
			return ctx.Err()
		},
	})
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	root.SetIn(strings.NewReader(t.stdin))
	code := run(ctx, root, strings.Fields(line), &stderr)
	return printed{t: t.t, line: line, stdout: stdout.String(), stderr: stderr.String(), code: code}
}

// golden compares all that was printed with a file of testdata.
func (p printed) golden(name string) {
	got := "$ blox " + p.line + "\n" + p.stdout
	if p.stderr != "" {
		got += "--- stderr\n" + p.stderr
	}
	got += fmt.Sprintf("--- exit code %d\n", p.code)
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(p.t, os.MkdirAll("testdata", 0o755))
		require.NoError(p.t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(p.t, err, "run the test with -update to write the file, then read it")
	require.Equal(p.t, string(want), got)
}

// fails checks the exit code and that the error is one line that says all of want.
func (p printed) fails(code int, want ...string) {
	require.Equal(p.t, code, p.code, "%s%s", p.stdout, p.stderr)
	require.Equal(p.t, 1, strings.Count(p.stderr, "\n"), p.stderr)
	require.Regexp(p.t, "^blox: ", p.stderr)
	for _, part := range want {
		require.Contains(p.t, p.stderr, part)
	}
}

// anyECS has every cluster and every task definition but those named nope.
type anyECS struct{}

func (anyECS) DescribeTaskDefinition(_ context.Context, in *ecs.DescribeTaskDefinitionInput, _ ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error) {
	if strings.HasPrefix(*in.TaskDefinition, "nope") {
		return nil, &types.ClientException{}
	}
	arn := "arn:aws:ecs:" + eventtest.DefaultRegion + ":" + eventtest.DefaultAccount + ":task-definition/" + *in.TaskDefinition
	return &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &types.TaskDefinition{
		TaskDefinitionArn: &arn, Status: types.TaskDefinitionStatusActive,
	}}, nil
}

func (anyECS) DescribeClusters(_ context.Context, in *ecs.DescribeClustersInput, _ ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error) {
	out := &ecs.DescribeClustersOutput{}
	active := "ACTIVE"
	for _, arn := range in.Clusters {
		if strings.HasSuffix(arn, "/nope") {
			continue
		}
		out.Clusters = append(out.Clusters, types.Cluster{ClusterArn: &arn, Status: &active})
	}
	return out, nil
}

func (anyECS) RegisterTaskDefinition(context.Context, *ecs.RegisterTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error) {
	return nil, errors.New("nothing is registered here")
}

func (anyECS) DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	return &ecs.DescribeServicesOutput{}, nil
}

// nowhere takes wake-ups.
type nowhere struct{}

func (nowhere) Send(context.Context, []queue.Message) error { return nil }

// file writes a file for a test, and gives its name.
func (t *session) file(text string) string {
	path := filepath.Join(t.t.TempDir(), "environment.yaml")
	require.NoError(t.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
