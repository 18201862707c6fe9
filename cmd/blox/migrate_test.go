package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/local"
)

// installation is a whole Blox with a simulated ECS, in which a DAEMON service runs on every host.
type installation struct {
	t *testing.T
	*local.System
}

const (
	migratedCluster = "demo"
	migratedHosts   = 3
)

func newInstallation(t *testing.T) *installation {
	system, err := local.Start(t.Context(), local.Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Instances: migratedHosts, Seed: 1, Store: local.StoreMemory, Demo: true,
		TickPeriod: 2 * time.Second, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, system.Stop(t.Context())) })
	t.Setenv("AWS_ENDPOINT_URL_ECS", system.ECSURL())
	t.Setenv("AWS_ACCESS_KEY_ID", "testing")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "testing")
	t.Setenv("AWS_REGION", "us-east-1")
	i := &installation{t, system}
	_, err = i.ECS().RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("metrics"), RequiresCompatibilities: []types.Compatibility{types.CompatibilityEc2},
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("metrics"), Image: aws.String("example.com/metrics:1"), Memory: aws.Int32(64), Essential: aws.Bool(true),
		}},
	})
	require.NoError(t, err)
	i.createService("metrics", types.SchedulingStrategyDaemon)
	i.serviceRuns("metrics", migratedHosts)
	return i
}

func (i *installation) createService(name string, strategy types.SchedulingStrategy) {
	in := &ecs.CreateServiceInput{
		Cluster: aws.String(migratedCluster), ServiceName: &name, TaskDefinition: aws.String("metrics"), SchedulingStrategy: strategy,
		LaunchType: types.LaunchTypeEc2,
	}
	if strategy == types.SchedulingStrategyReplica {
		in.DesiredCount = aws.Int32(1)
	}
	_, err := i.ECS().CreateService(i.t.Context(), in)
	require.NoError(i.t, err)
}

// serviceRuns waits until a service has so many running tasks, and no other.
func (i *installation) serviceRuns(name string, tasks int) {
	i.t.Helper()
	require.EventuallyWithT(i.t, func(c *assert.CollectT) {
		out, err := i.ECS().DescribeServices(context.Background(), &ecs.DescribeServicesInput{
			Cluster: aws.String(migratedCluster), Services: []string{name},
		})
		require.NoError(c, err)
		require.Len(c, out.Services, 1)
		require.EqualValues(c, tasks, out.Services[0].RunningCount)
	}, time.Minute, 50*time.Millisecond)
}

// run runs a command line as on this machine.
func (i *installation) run(line string) printed {
	var stdout, stderr bytes.Buffer
	root := newRootCommand()
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	code := run(i.t.Context(), root, append(strings.Fields(line), "--endpoint", i.APIURL()), &stderr)
	return printed{t: i.t, line: line, stdout: stdout.String(), stderr: stderr.String(), code: code}
}

func TestADaemonIsTakenOverFromAServiceAndGivenBack(t *testing.T) {
	i := newInstallation(t)
	i.createService("replicas", types.SchedulingStrategyReplica)
	i.run("migrate replicas --cluster demo").fails(exitFailed, "service replicas cannot become an environment", "REPLICA")
	i.run("migrate nope --cluster demo").fails(exitNotFound, "cluster demo has no service nope")

	got := i.run("migrate metrics --cluster demo --dry-run")
	got.exits(exitOK)
	for _, part := range []string{
		"service metrics would get the placement constraint not(attribute:blox.handover exists)",
		`"migrateFrom": "metrics"`, "plan of metrics", "handOver",
	} {
		require.Contains(t, got.stdout, part)
	}
	i.run("describe environment metrics").fails(exitNotFound)

	s := session{t: t}
	file := s.file("name: metrics\ncluster: demo\ntaskDefinition: metrics\ndeploymentConfiguration: {minHealthySeconds: 1}")
	got = i.run("migrate metrics --cluster demo -f " + file + " --wait --timeout 60s")
	got.exits(exitOK)
	require.Contains(t, got.stdout, "aws ecs delete-service --cluster demo --service metrics --force")
	i.serviceRuns("metrics", 0)
	require.Equal(t, migratedHosts, i.tasksOf("metrics"), "the environment's")
	require.Contains(t, i.run("describe environment metrics").stdout, "Migrates from:")

	i.run("migrate metrics --cluster demo --back").exits(exitOK)
	i.serviceRuns("metrics", 0)
	got = i.run("migrate metrics --cluster demo --back --yes --host-timeout 30s")
	got.exits(exitOK)
	require.Contains(t, got.stdout, fmt.Sprintf("(%d of %[1]d)", migratedHosts))
	i.serviceRuns("metrics", migratedHosts)
	require.Zero(t, i.tasksOf("metrics"))
	require.Contains(t, i.run("orphans").stderr, "nothing found")
}

// tasksOf counts the live tasks that Blox started of a family.
func (i *installation) tasksOf(family string) (n int) {
	out, err := i.ECS().ListTasks(i.t.Context(), &ecs.ListTasksInput{
		Cluster: aws.String(migratedCluster), Family: &family, DesiredStatus: types.DesiredStatusRunning,
	})
	require.NoError(i.t, err)
	if len(out.TaskArns) == 0 {
		return 0
	}
	tasks, err := i.ECS().DescribeTasks(i.t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String(migratedCluster), Tasks: out.TaskArns})
	require.NoError(i.t, err)
	for _, task := range tasks.Tasks {
		if strings.HasPrefix(aws.ToString(task.Group), "blox:") {
			n++
		}
	}
	return n
}

func TestAnEnvironmentIsMadeLikeItsService(t *testing.T) {
	s := daemonService{name: "metrics", clusterARN: "arn:aws:ecs:us-east-1:123456789012:cluster/edge", Service: types.Service{
		TaskDefinition: aws.String("metrics:3"), LaunchType: types.LaunchTypeExternal, SchedulingStrategy: types.SchedulingStrategyDaemon,
		PlacementConstraints: []types.PlacementConstraint{
			{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:zone == a")},
			{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String(handoverConstraint)},
			{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:size == b")},
		},
		EnableECSManagedTags: true, PropagateTags: types.PropagateTagsService,
		Tags:                 []types.Tag{{Key: aws.String("team"), Value: aws.String("platform")}},
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent:    aws.Int32(0),
			Alarms:                   &types.DeploymentAlarms{Enable: true, AlarmNames: []string{"errors"}},
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true},
		},
	}}
	require.True(t, s.handsOver())
	require.Empty(t, s.problems())
	made, err := s.manifest("metrics")
	require.NoError(t, err)
	require.Equal(t, manifest{
		Name: "metrics", TaskDefinition: "metrics:3", LaunchType: "EXTERNAL", MigrateFrom: "metrics",
		InstanceGroup:        &manifestGroup{Cluster: s.clusterARN, Expression: "(attribute:zone == a) and (attribute:size == b)"},
		EnableECSManagedTags: true, Tags: map[string]string{"team": "platform"},
		NetworkConfiguration: &manifestNetwork{Subnets: []string{"subnet-1"}},
		DeploymentConfiguration: &manifestConfiguration{
			Alarms: []string{"errors"}, CircuitBreaker: &manifestBreaker{Rollback: aws.Bool(false)},
		},
	}, made, "ECS's default of 0 % is not taken over: it would replace all hosts at once")

	s.DeploymentConfiguration.MinimumHealthyPercent = aws.Int32(75)
	made, err = s.manifest("metrics")
	require.NoError(t, err)
	require.Equal(t, whole(75), *made.DeploymentConfiguration.MinimumHealthyPercent)

	_, err = s.manifest("a name")
	require.ErrorContains(t, err, "give another with --as")
	s.LoadBalancers = []types.LoadBalancer{{}}
	s.ServiceRegistries = []types.ServiceRegistry{{}}
	require.Len(t, s.problems(), 2)
}
