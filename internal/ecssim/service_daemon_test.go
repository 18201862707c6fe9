package ecssim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

func (w *world) daemonService(name string, change func(*ecs.CreateServiceInput)) {
	w.t.Helper()
	in := &ecs.CreateServiceInput{
		Cluster: aws.String("prod"), ServiceName: &name, TaskDefinition: aws.String("agent"),
		SchedulingStrategy: types.SchedulingStrategyDaemon,
	}
	if change != nil {
		change(in)
	}
	_, err := w.ecs.CreateService(w.ctx(), in)
	require.NoError(w.t, err)
}

func (w *world) putAttribute(host, name, value string) error {
	_, err := w.ecs.PutAttributes(w.ctx(), &ecs.PutAttributesInput{
		Cluster: aws.String("prod"), Attributes: []types.Attribute{{Name: &name, Value: &value, TargetId: &host}},
	})
	return err
}

// hostsOf are the hosts of a service's live tasks, sorted.
func (w *world) hostsOf(service string) []string {
	w.t.Helper()
	var hosts []string
	for _, arn := range w.serviceTasks(service) {
		hosts = append(hosts, *w.task(&arn).ContainerInstanceArn)
	}
	slices.Sort(hosts)
	return hosts
}

func sorted(list ...string) []string {
	slices.Sort(list)
	return list
}

func TestADaemonServiceHasATaskOnEachHost(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(3, ecssim.HostSpec{})
	w.define("agent", nil)
	w.daemonService("agent", nil)
	w.pass(10 * time.Second)
	require.Equal(t, sorted(hosts...), w.hostsOf("agent"))
	described := w.describeService("agent")
	require.Equal(t, types.SchedulingStrategyDaemon, described.SchedulingStrategy)
	require.Equal(t, []int32{3, 3}, []int32{described.DesiredCount, described.RunningCount})
	require.Equal(t, types.DeploymentRolloutStateCompleted, described.Deployments[0].RolloutState)

	t.Run("also on one that comes", func(t *testing.T) {
		hosts = append(hosts, w.hosts(1, ecssim.HostSpec{})...)
		w.pass(10 * time.Second)
		require.Equal(t, sorted(hosts...), w.hostsOf("agent"))
	})
	t.Run("and again on one whose task was stopped", func(t *testing.T) {
		w.stop(&w.serviceTasks("agent")[0])
		w.pass(10 * time.Second)
		require.Equal(t, sorted(hosts...), w.hostsOf("agent"))
	})
	t.Run("it is listed by its strategy", func(t *testing.T) {
		for strategy, want := range map[types.SchedulingStrategy]int{"": 1, types.SchedulingStrategyDaemon: 1, types.SchedulingStrategyReplica: 0} {
			out, err := w.ecs.ListServices(w.ctx(), &ecs.ListServicesInput{Cluster: aws.String("prod"), SchedulingStrategy: strategy})
			require.NoError(t, err)
			require.Len(t, out.ServiceArns, want)
		}
	})
	t.Run("it is deleted without being scaled", func(t *testing.T) {
		_, err := w.ecs.DeleteService(w.ctx(), &ecs.DeleteServiceInput{Cluster: aws.String("prod"), Service: aws.String("agent")})
		require.NoError(t, err)
		w.pass(10 * time.Second)
		require.Equal(t, "INACTIVE", *w.describeService("agent").Status)
		require.Empty(t, w.hostsOf("agent"))
	})
}

// What a migration rests on: the attribute takes the host away from the service, and ECS itself stops the task there.
func TestADaemonServiceLeavesAHostThatNoLongerMeetsItsConstraints(t *testing.T) {
	for _, expression := range []string{"not(attribute:blox.handover exists)", "attribute:blox.handover !exists"} {
		t.Run(expression, func(t *testing.T) {
			w := newWorld(t, ecssim.Config{})
			hosts := w.hosts(3, ecssim.HostSpec{})
			w.define("agent", nil)
			w.daemonService("agent", nil)
			w.pass(10 * time.Second)
			_, err := w.ecs.UpdateService(w.ctx(), &ecs.UpdateServiceInput{
				Cluster: aws.String("prod"), Service: aws.String("agent"), PlacementConstraints: []types.PlacementConstraint{memberOf(expression)},
			})
			require.NoError(t, err)
			before := w.serviceTasks("agent")
			w.pass(10 * time.Second)
			require.Equal(t, before, w.serviceTasks("agent"), "every host meets it still")

			require.NoError(t, w.putAttribute(hosts[1], "blox.handover", "log-agent"))
			w.pass(10 * time.Second)
			require.Equal(t, sorted(hosts[0], hosts[2]), w.hostsOf("agent"))
			require.Equal(t, int32(2), w.describeService("agent").DesiredCount)

			_, err = w.ecs.DeleteAttributes(w.ctx(), &ecs.DeleteAttributesInput{
				Cluster: aws.String("prod"), Attributes: []types.Attribute{{Name: aws.String("blox.handover"), TargetId: &hosts[1]}},
			})
			require.NoError(t, err)
			w.pass(10 * time.Second)
			require.Equal(t, sorted(hosts...), w.hostsOf("agent"), "and comes back when it is met again")
		})
	}
}

func TestADaemonServiceIsUpdatedWithinItsMinimum(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(4, ecssim.HostSpec{})
	w.define("agent", nil)
	w.daemonService("agent", func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(75), MaximumPercent: aws.Int32(100)}
	})
	w.pass(10 * time.Second)
	w.define("agent", nil)
	_, err := w.ecs.UpdateService(w.ctx(), &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("agent"), TaskDefinition: aws.String("agent:2")})
	require.NoError(t, err)
	for range 200 {
		w.pass(250 * time.Millisecond)
		require.GreaterOrEqual(t, len(w.serviceTasks("agent")), 3)
	}
	tasks := w.serviceTasks("agent")
	require.Len(t, tasks, 4)
	for _, arn := range tasks {
		require.Contains(t, *w.task(&arn).TaskDefinitionArn, "agent:2")
	}
}

func TestADaemonIsTheLastServiceTaskOfADrainingHost(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(2, ecssim.HostSpec{})
	w.define("agent", nil)
	w.define("app", nil)
	w.daemonService("agent", nil)
	w.service("web", 2, nil)
	w.pass(10 * time.Second)
	w.drain(hosts[0], types.ContainerInstanceStatusDraining)
	left := false
	for range 100 {
		w.pass(100 * time.Millisecond)
		onHost := func(service string) bool { return slices.Contains(w.hostsOf(service), hosts[0]) }
		if onHost("web") {
			require.True(t, onHost("agent"), "the daemon serves what is still there")
		}
		left = !onHost("agent")
	}
	require.True(t, left)
	require.Equal(t, hosts[1:], w.hostsOf("agent"))
}

func TestDaemonServicesRefuseWhatECSRefuses(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.define("agent", nil)
	for says, change := range map[string]func(*ecs.CreateServiceInput){
		"does not support a desired count": func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(2) },
		"does not support values for maximumPercent other than 100": func(in *ecs.CreateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{MaximumPercent: aws.Int32(200)}
		},
		"Placement strategies are not supported": func(in *ecs.CreateServiceInput) {
			in.PlacementStrategy = []types.PlacementStrategy{{Type: types.PlacementStrategyTypeRandom}}
		},
	} {
		in := &ecs.CreateServiceInput{
			Cluster: aws.String("prod"), ServiceName: aws.String("agent"), TaskDefinition: aws.String("agent"),
			SchedulingStrategy: types.SchedulingStrategyDaemon,
		}
		change(in)
		_, err := w.ecs.CreateService(w.ctx(), in)
		require.ErrorContains(t, err, says)
	}
}
