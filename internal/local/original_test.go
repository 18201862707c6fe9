package local

import (
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
)

// "Deployments should start tasks": the end-to-end scenario of Blox v0.3.0's daemon scheduler, step by step. An Auto Scaling
// group that is scaled is a number of hosts that register or leave here.
func TestTheOriginalsScenarioDeploymentsShouldStartTasks(t *testing.T) {
	t.Parallel() // it waits most of the time
	w, told := newWatch(), &lockedText{}
	s, err := Start(t.Context(), Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, TickPeriod: 2 * time.Second,
		Out: told, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), OnWorld: w.see,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(t.Context())) })
	f := &fleet{started: &started{s, w, told}, t: t}

	_, err = f.ECS().CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(demoCluster)})
	require.NoError(t, err)
	require.NoError(t, registerDemo(t.Context(), f.ECS(), demoDaemon, 64, 128, 0))
	environment, err := f.Client().PutEnvironment(t.Context(), demoDaemon, client.EnvironmentDefinition{
		InstanceGroup: &client.InstanceGroup{Cluster: demoCluster}, TaskDefinition: demoDaemon,
	})
	require.NoError(t, err, "an environment may have no host yet")

	f.scaleTo(1)
	deployment, err := f.Client().CreateDeployment(t.Context(), demoDaemon, environment.DeploymentToken)
	require.NoError(t, err)
	f.watch.until(t, "a task on the only host", everyHostHasOne(1))
	f.reaches(deployment.ID, client.DeploymentCompleted)

	f.scaleTo(2)
	f.watch.until(t, "a task on each of two hosts", everyHostHasOne(2))
	f.stopAll()
	f.watch.until(t, "another task on each of two hosts", everyHostHasOne(2))
	f.scaleTo(10)
	f.watch.until(t, "a task on each of ten hosts", everyHostHasOne(10))
	f.scaleTo(0)
	f.watch.until(t, "no task without hosts", func(world ecssim.World) bool { return len(liveDaemons(world)) == 0 })
	f.watch.unbroken(t)
}

// scaleTo has the cluster have n hosts, by registrations or by taking the first ones out.
func (f *fleet) scaleTo(n int) {
	f.t.Helper()
	world, _ := f.watch.look()
	hosts := activeHosts(world)
	for range n - len(hosts) {
		_, err := f.ECS().RegisterContainerInstance(f.t.Context(), &ecs.RegisterContainerInstanceInput{Cluster: aws.String(demoCluster)})
		require.NoError(f.t, err)
	}
	for _, host := range hosts[:max(0, len(hosts)-n)] {
		_, err := f.ECS().DeregisterContainerInstance(f.t.Context(), &ecs.DeregisterContainerInstanceInput{
			Cluster: aws.String(demoCluster), ContainerInstance: aws.String(host.ARN), Force: aws.Bool(true),
		})
		require.NoError(f.t, err)
	}
	f.watch.until(f.t, "as many hosts as wanted", func(world ecssim.World) bool { return len(activeHosts(world)) == n })
}

// stopAll stops every task by hand, and waits until none of them lives.
func (f *fleet) stopAll() {
	f.t.Helper()
	world, _ := f.watch.look()
	victims := map[string]bool{}
	for _, task := range liveDaemons(world) {
		victims[task.ARN] = true
		_, err := f.ECS().StopTask(f.t.Context(), &ecs.StopTaskInput{Cluster: aws.String(demoCluster), Task: aws.String(task.ARN)})
		require.NoError(f.t, err)
	}
	f.watch.until(f.t, "all of them stopped", func(world ecssim.World) bool {
		for _, task := range liveDaemons(world) {
			if victims[task.ARN] {
				return false
			}
		}
		return true
	})
}
