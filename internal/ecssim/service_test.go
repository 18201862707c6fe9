package ecssim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

func (w *world) service(name string, desired int32, change func(*ecs.CreateServiceInput)) {
	w.t.Helper()
	in := &ecs.CreateServiceInput{Cluster: aws.String("prod"), ServiceName: &name, TaskDefinition: aws.String("app"), DesiredCount: &desired}
	if change != nil {
		change(in)
	}
	_, err := w.ecs.CreateService(w.ctx(), in)
	require.NoError(w.t, err)
}

func (w *world) describeService(name string) types.Service {
	w.t.Helper()
	out, err := w.ecs.DescribeServices(w.ctx(), &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{name}})
	require.NoError(w.t, err)
	require.Empty(w.t, out.Failures)
	return out.Services[0]
}

func (w *world) serviceTasks(name string) []string {
	return w.listTasks(func(in *ecs.ListTasksInput) { in.ServiceName = &name })
}

func TestAServiceKeepsItsTasks(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(4, ecssim.HostSpec{})
	w.define("app", nil)
	w.service("web", 4, nil)
	w.pass(10 * time.Second)
	web := w.describeService("web")
	require.Equal(t, []int32{4, 4, 0}, []int32{web.DesiredCount, web.RunningCount, web.PendingCount})
	require.Equal(t, "(service web) has reached a steady state.", *web.Events[0].Message)
	require.Equal(t, types.DeploymentRolloutStateCompleted, web.Deployments[0].RolloutState)
	tasks := w.serviceTasks("web")
	require.Len(t, tasks, 4)
	one := w.task(&tasks[0])
	require.Equal(t, "service:web", *one.Group)
	require.Regexp(t, `^ecs-svc/\d{19}$`, *one.StartedBy)

	t.Run("one that is stopped comes back", func(t *testing.T) {
		w.stop(&tasks[0])
		w.pass(10 * time.Second)
		require.Len(t, w.serviceTasks("web"), 4)
		require.NotContains(t, w.serviceTasks("web"), tasks[0])
	})
	t.Run("those of a host that is lost come back elsewhere", func(t *testing.T) {
		lost := *w.task(&tasks[1]).ContainerInstanceArn
		require.NoError(t, w.sim.RemoveHost(w.now, "prod", lost))
		w.pass(10 * time.Second)
		require.Equal(t, int32(4), w.describeService("web").RunningCount)
	})
	t.Run("it is scaled", func(t *testing.T) {
		_, err := w.ecs.UpdateService(w.ctx(), &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("web"), DesiredCount: aws.Int32(2)})
		require.NoError(t, err)
		w.pass(10 * time.Second)
		require.Len(t, w.serviceTasks("web"), 2)
		require.Equal(t, int32(2), w.describeService("web").RunningCount)
	})
	t.Run("it is deleted", func(t *testing.T) {
		_, err := w.ecs.DeleteService(w.ctx(), &ecs.DeleteServiceInput{Cluster: aws.String("prod"), Service: aws.String("web")})
		require.ErrorContains(t, err, "The service cannot be stopped while it is scaled above 0.")
		_, err = w.ecs.DeleteService(w.ctx(), &ecs.DeleteServiceInput{Cluster: aws.String("prod"), Service: aws.String("web"), Force: aws.Bool(true)})
		require.NoError(t, err)
		require.Equal(t, "DRAINING", *w.describeService("web").Status)
		w.pass(10 * time.Second)
		require.Equal(t, "INACTIVE", *w.describeService("web").Status)
		list, err := w.ecs.ListServices(w.ctx(), &ecs.ListServicesInput{Cluster: aws.String("prod")})
		require.NoError(t, err)
		require.Empty(t, list.ServiceArns)
		w.service("web", 1, nil)
	})
}

// At no moment are there fewer running tasks than minimumHealthyPercent asks for, nor more than maximumPercent allows.
func TestDrainsAndDeploymentsKeepTheServiceUp(t *testing.T) {
	for _, c := range []struct {
		name             string
		minimum, maximum int32
	}{{"replace, then stop", 100, 200}, {"stop, then replace", 50, 100}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, ecssim.Config{})
			hosts := w.hosts(4, ecssim.HostSpec{})
			w.define("app", nil)
			w.service("web", 6, func(in *ecs.CreateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: &c.minimum, MaximumPercent: &c.maximum}
			})
			w.pass(10 * time.Second)
			settle := func() {
				for range 600 {
					w.pass(50 * time.Millisecond)
					running, wanted := 0, 0
					for _, task := range w.sim.Snapshot().Tasks {
						if task.DesiredStatus == "RUNNING" {
							wanted++
							if task.LastStatus == "RUNNING" {
								running++
							}
						}
					}
					require.GreaterOrEqual(t, running, int(6*c.minimum/100))
					require.LessOrEqual(t, wanted, int(6*c.maximum/100))
				}
				require.Equal(t, int32(6), w.describeService("web").RunningCount)
			}
			w.drain(hosts[0], types.ContainerInstanceStatusDraining)
			settle()
			require.Zero(t, w.host(hosts[0]).RunningTasksCount, "moved away from the DRAINING host")

			second := w.define("app", nil)
			_, err := w.ecs.UpdateService(w.ctx(), &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("web"), TaskDefinition: &second})
			require.NoError(t, err)
			require.Len(t, w.describeService("web").Deployments, 2)
			settle()
			require.Len(t, w.describeService("web").Deployments, 1)
			for _, arn := range w.serviceTasks("web") {
				require.Equal(t, second, *w.task(&arn).TaskDefinitionArn)
			}
		})
	}
}

func TestAServiceWithoutRoomOrImage(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{Memory: 200})
	w.define("app", nil)
	w.service("web", 2, nil)
	w.pass(20 * time.Second)
	web := w.describeService("web")
	require.Equal(t, int32(1), web.RunningCount)
	require.Contains(t, *web.Events[0].Message, `encountered error "RESOURCE:MEMORY"`)
	w.hosts(1, ecssim.HostSpec{})
	w.pass(20 * time.Second)
	require.Equal(t, int32(2), w.describeService("web").RunningCount)

	w.sim.Faults().SetImage("broken:1", ecssim.ImageFault{FailPull: true})
	w.define("broken", nil)
	w.service("bad", 1, func(in *ecs.CreateServiceInput) { in.TaskDefinition = aws.String("broken") })
	w.pass(10 * time.Minute)
	failed := w.describeService("bad").Deployments[0].FailedTasks
	require.Greater(t, failed, int32(3))
	require.Less(t, failed, int32(12), "each failure waits longer than the last")
}

func TestUnhealthyTasksOfAServiceAreReplaced(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(2, ecssim.HostSpec{})
	w.define("app", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}}
	})
	w.sim.Faults().SetImage("app:1", ecssim.ImageFault{Unhealthy: true})
	w.service("web", 1, nil)
	w.pass(10 * time.Second)
	first := w.sim.Snapshot().Tasks[0]
	require.Equal(t, "ServiceSchedulerInitiated", first.StopCode)
	require.Contains(t, first.StoppedReason, "health check")
	w.sim.Faults().ClearImage("app:1")
	w.pass(10 * time.Second)
	require.Equal(t, int32(1), w.describeService("web").RunningCount)
}

func TestServicesRefuseWhatIsNotSimulated(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.define("app", nil)
	for says, change := range map[string]func(*ecs.CreateServiceInput){
		"expected REPLICA or DAEMON": func(in *ecs.CreateServiceInput) { in.SchedulingStrategy = "EXTERNAL" },
		"loadBalancers":              func(in *ecs.CreateServiceInput) { in.LoadBalancers = []types.LoadBalancer{{}} },
		"capacityProviderStrategy": func(in *ecs.CreateServiceInput) {
			in.CapacityProviderStrategy = []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("x")}}
		},
		"desiredCount is required": func(in *ecs.CreateServiceInput) { in.DesiredCount = nil },
		"desiredCount is -1":       func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(-1) },
		"maximumPercent": func(in *ecs.CreateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{MaximumPercent: aws.Int32(300)}
		},
	} {
		in := &ecs.CreateServiceInput{Cluster: aws.String("prod"), ServiceName: aws.String("web"), TaskDefinition: aws.String("app"), DesiredCount: aws.Int32(1)}
		change(in)
		_, err := w.ecs.CreateService(w.ctx(), in)
		require.ErrorContains(t, err, says)
	}
	for i := range 12 {
		w.service(fmt.Sprintf("s%02d", i), 0, nil)
	}
	_, err := w.ecs.CreateService(w.ctx(), &ecs.CreateServiceInput{Cluster: aws.String("prod"), ServiceName: aws.String("s00"), TaskDefinition: aws.String("app"), DesiredCount: aws.Int32(1)})
	require.ErrorContains(t, err, "Creation of service was not idempotent.")
	list, err := w.ecs.ListServices(w.ctx(), &ecs.ListServicesInput{Cluster: aws.String("prod")})
	require.NoError(t, err)
	require.Len(t, list.ServiceArns, 10, "ten a page")
	rest, err := w.ecs.ListServices(w.ctx(), &ecs.ListServicesInput{Cluster: aws.String("prod"), NextToken: list.NextToken})
	require.NoError(t, err)
	require.Len(t, rest.ServiceArns, 2)
}
