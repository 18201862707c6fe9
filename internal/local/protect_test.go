package local

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/client"
	"github.com/blox/blox/functions/scheduler"
	"github.com/blox/blox/internal/ecssim"
)

// All of this is done through the API, while the watch looks at the simulator's truth at every event.

func TestUpdatesThatGoWrongOn200Hosts(t *testing.T) {
	f := startFleet(t, fleetSize)
	const unavailable = 40
	f.story("a revision that changes only the rollout replaces nothing", 0, 1, func(f *fleet) {
		// What is rolled back to later has the same budget then.
		deployment := f.deploy(f.current, client.DeploymentConfiguration{MaxUnavailable: "20%"})
		f.reaches(deployment.ID, client.DeploymentCompleted)
	})
	f.story("a bad image rolls back by itself", unavailable, 1, func(f *fleet) {
		bad := f.register()
		f.Do(func(sim *ecssim.Simulator, _ time.Time) {
			sim.Faults().SetImage(image(bad), ecssim.ImageFault{CrashAfter: 200 * time.Millisecond, ExitCode: 1})
		})
		deployment := f.deploy(bad, client.DeploymentConfiguration{
			MaxUnavailable: "20%", CircuitBreaker: &client.CircuitBreaker{Threshold: "5"},
		})
		deployment = f.reaches(deployment.ID, client.DeploymentRolledBack)
		require.NotZero(f.t, deployment.RollbackTo)
		require.NotEmpty(f.t, deployment.Reason, "it says why")
		world, _ := f.watch.look()
		require.LessOrEqual(f.t, touched(world, bad), 2*unavailable, "few hosts ever met the bad image")
		require.GreaterOrEqual(f.t, touched(world, bad), 5, "as many as the circuit breaker needs to know")
	})
	f.story("canaries pause, are promoted, and half way all is turned back", unavailable, 1, func(f *fleet) {
		next := f.register()
		deployment := f.deploy(next, client.DeploymentConfiguration{MaxUnavailable: "40", Canary: &client.Canary{Hosts: "5"}})
		deployment = f.reaches(deployment.ID, client.DeploymentPaused)
		require.Equal(f.t, client.PausedByCanary, deployment.PausedFor)
		world, _ := f.watch.look()
		require.Equal(f.t, 5, runsOf(world, next), "the canaries have it, and nobody else")
		require.Equal(f.t, fleetSize-5, runsOf(world, f.current))

		_, err := f.Client().ResumeDeployment(f.t.Context(), demoDaemon, "")
		require.Equal(f.t, http.StatusConflict, client.StatusOf(err), "canaries are promoted, not resumed")
		_, err = f.Client().PromoteDeployment(f.t.Context(), demoDaemon, "they look well")
		require.NoError(f.t, err)
		f.watch.until(f.t, "a part of the hosts updated", func(world ecssim.World) bool { return runsOf(world, next) >= 40 })
		deployment, err = f.Client().RollBackEnvironment(f.t.Context(), demoDaemon, 0, "")
		require.NoError(f.t, err)
		require.Equal(f.t, client.DeploymentRollingBack, deployment.Status)
		f.reaches(deployment.ID, client.DeploymentRolledBack)
	})
}

// touched counts the hosts on which a task of that revision of the task definition ever was.
func touched(world ecssim.World, revision int) int {
	hosts := map[string]bool{}
	for _, task := range world.Tasks {
		if task.TaskDefinitionARN == arnOf(revision) {
			hosts[task.EC2InstanceID] = true
		}
	}
	return len(hosts)
}

func TestASurgeARestartAndADrainOn200Hosts(t *testing.T) {
	f := startFleet(t, fleetSize)
	f.story("a surge leaves no host without a daemon", 0, 2, func(f *fleet) {
		next := f.register()
		deployment := f.deploy(next, client.DeploymentConfiguration{
			Method: client.MethodReplaceThenTerminate, MinimumHealthyPercent: aws.Int(100), MaxSurge: "50%",
		})
		f.reaches(deployment.ID, client.DeploymentCompleted)
		f.current = next
	})
	f.story("two schedulers at once start no second task while a restart replaces every one", fleetSize/2, 1, func(f *fleet) {
		world, _ := f.watch.look()
		before := map[string]bool{}
		for _, task := range runningDaemons(world) {
			before[task.ID] = true
		}
		// What was deployed last would let hosts have two; a revision that changes only the rollout replaces nothing.
		f.reaches(f.deploy(f.current, client.DeploymentConfiguration{}).ID, client.DeploymentCompleted)
		deployment, err := f.Client().RestartEnvironment(f.t.Context(), demoDaemon, "")
		require.NoError(f.t, err)
		// Beside the drivers that the wake-ups start, two more look at everything over and over.
		group, ctx := errgroup.WithContext(f.t.Context())
		for range 2 {
			group.Go(func() error { return f.driveUntilEnded(ctx, deployment.ID) })
		}
		require.NoError(f.t, group.Wait())
		f.reaches(deployment.ID, client.DeploymentCompleted)
		world, _ = f.watch.look()
		for _, task := range runningDaemons(world) {
			require.False(f.t, before[task.ID], "task %s was there before", task.ID)
		}
	})
	f.drain(fleetSize - 1) // the last, for it takes a host away
}

func TestAnAlarmRollsBack(t *testing.T) {
	f := startFleet(t, 40)
	f.story("a revision that changes only the rollout replaces nothing", 0, 1, func(f *fleet) {
		deployment := f.deploy(f.current, client.DeploymentConfiguration{MaxUnavailable: "2"})
		f.reaches(deployment.ID, client.DeploymentCompleted)
	})
	f.story("an alarm during the rollout rolls back", 2, 1, func(f *fleet) {
		f.SetAlarm("errors", "OK")
		next := f.register()
		// So few at a time that the alarm, which is asked for every ten seconds, goes off long before the end.
		deployment := f.deploy(next, client.DeploymentConfiguration{MaxUnavailable: "2", Alarms: []string{"errors"}})
		f.watch.until(f.t, "the first hosts updated", func(world ecssim.World) bool { return runsOf(world, next) >= 1 })
		f.SetAlarm("errors", "ALARM")
		deployment = f.reaches(deployment.ID, client.DeploymentRolledBack)
		require.Contains(f.t, deployment.Reason, "errors")
	})
}

// driveUntilEnded ticks the scheduler as fast as it can.
func (f *fleet) driveUntilEnded(ctx context.Context, deploymentID string) error {
	for {
		var done struct{}
		if err := f.functions.drive.invoke(ctx, payload(scheduler.TickSource), &done); err != nil {
			return err
		}
		now, err := f.Client().GetDeployment(ctx, demoDaemon, deploymentID)
		if err != nil || now.Ended() {
			return err
		}
	}
}

// drain drains a host that runs tasks of services, which are the other n hosts' in the end: its daemon is the last to leave.
func (f *fleet) drain(n int) {
	f.t.Helper()
	world, _ := f.watch.look()
	host := hostOfAService(world)
	_, err := f.ECS().UpdateContainerInstancesState(f.t.Context(), &ecs.UpdateContainerInstancesStateInput{
		Cluster: aws.String(demoCluster), ContainerInstances: []string{host.ARN}, Status: types.ContainerInstanceStatusDraining,
	})
	require.NoError(f.t, err)
	early := false
	f.watch.until(f.t, "a drained host without a task", func(world ecssim.World) bool {
		daemons, others := 0, 0
		for _, task := range world.Tasks {
			if task.EC2InstanceID != host.EC2InstanceID || task.LastStatus == "STOPPED" {
				continue
			}
			if isDaemon(task) {
				daemons++
			} else {
				others++
			}
		}
		early = early || daemons == 0 && others > 0
		return daemons+others == 0
	})
	require.False(f.t, early, "the daemon left before the tasks that need it")
	f.watch.until(f.t, "the other hosts keep theirs", everyHostHasOne(n))
}

// hostOfAService is the first host that runs another task than a daemon.
func hostOfAService(world ecssim.World) ecssim.HostInfo {
	busy := map[string]bool{}
	for _, task := range world.Tasks {
		busy[task.EC2InstanceID] = busy[task.EC2InstanceID] || !isDaemon(task) && task.LastStatus == "RUNNING"
	}
	for _, host := range world.Hosts {
		if busy[host.EC2InstanceID] {
			return host
		}
	}
	return ecssim.HostInfo{}
}
