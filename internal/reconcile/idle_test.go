package reconcile

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
)

func TestAHostWithOnlyDaemonsRunsOneAndNothingElse(t *testing.T) {
	task := func(on, startedBy string) state.Record {
		return state.Record{Key: state.Key{Kind: state.KindTask}, Task: state.TaskFields{ContainerInstanceID: on, StartedBy: startedBy}}
	}
	host := func(status string) []state.Record {
		return []state.Record{{
			Key: state.Key{Kind: state.KindContainerInstance, ID: "h1"}, Instance: state.InstanceFields{Status: status},
		}}
	}
	ours, theirs := daemon.StartedBy("d-1"), "ecs-svc/1"
	cases := []struct {
		name     string
		status   string
		tasks    []state.Record
		hosts    int
		anywhere bool
	}{
		{"a daemon", "ACTIVE", []state.Record{task("h1", ours)}, 1, true},
		{"two daemons", "ACTIVE", []state.Record{task("h1", ours), task("h1", daemon.StartedBy("d-2"))}, 1, true},
		{"a daemon and a service's task", "ACTIVE", []state.Record{task("h1", ours), task("h1", theirs)}, 0, true},
		{"a service's task and a daemon", "ACTIVE", []state.Record{task("h1", theirs), task("h1", ours)}, 0, true},
		{"a daemon and a task that nobody says to have started", "ACTIVE", []state.Record{task("h1", ours), task("h1", "")}, 0, true},
		{"nothing", "ACTIVE", nil, 0, false},
		{"a service's task", "ACTIVE", []state.Record{task("h1", theirs)}, 0, false},
		{"a daemon elsewhere, and one on Fargate", "ACTIVE", []state.Record{task("h2", ours), task("", ours)}, 0, true},
		{"draining", "DRAINING", []state.Record{task("h1", ours)}, 0, true},
		{"registering", "REGISTERING", []state.Record{task("h1", ours)}, 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			hosts, anywhere := onlyDaemons(c.tasks, host(c.status))
			require.Equal(t, c.hosts, hosts)
			require.Equal(t, c.anywhere, anywhere)
		})
	}
}

// A daemon on each of three hosts, and a job on one of them.
func TestHostsWithOnlyDaemonsAreCountedAndMeasured(t *testing.T) {
	w := newWorld(t, memory.New())
	settled(t, w, 3, 1)
	require.Empty(t, w.metrics.Of(metrics.HostsWithOnlyDaemons), "a cluster without daemons pays for no metric")
	require.Zero(t, w.clusterRow("edge").Summary.Instances.WithOnlyDaemons)
	out, err := w.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
		Cluster: aws.String("edge"), TaskDefinition: aws.String("job"), Count: aws.Int32(3), LaunchType: ecstypes.LaunchTypeEc2,
		StartedBy: aws.String(daemon.StartedBy("d-1")), Group: aws.String(daemon.Group("blox", "e-1")),
		PlacementConstraints: []ecstypes.PlacementConstraint{{Type: ecstypes.PlacementConstraintTypeDistinctInstance}},
	})
	require.NoError(t, err)
	require.Len(t, out.Tasks, 3)
	w.pass(time.Minute)
	w.sweep()
	w.pass(time.Minute)
	w.sweep()
	require.Equal(t, []int64{2, 2}, w.metrics.Of(metrics.HostsWithOnlyDaemons))
	require.Equal(t, 2, w.clusterRow("edge").Summary.Instances.WithOnlyDaemons)
	lines := w.metrics.Lines()
	require.Contains(t, lines, metrics.Line{
		Values:     []metrics.Value{{Name: metrics.HostsWithOnlyDaemons, Value: 2}},
		Properties: []metrics.Property{{Key: metrics.DimensionCluster, Value: edge.String()}},
	}, "alone in its line: the dimension is that of all in it")
}
