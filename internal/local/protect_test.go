package local

import (
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

// All of this is done through the API, and the watch looks at the simulator's truth at every event meanwhile.

func TestABadImageRollsBackByItselfAndNeverBelowTheMinimum(t *testing.T) {
	t.Parallel() // the tests of this file wait most of the time
	f := startFleet(t)
	f.register(2)
	f.Do(func(sim *ecssim.Simulator, _ time.Time) {
		sim.Faults().SetImage(image(2), ecssim.ImageFault{CrashAfter: 200 * time.Millisecond, ExitCode: 1})
	})
	const unavailable = 20
	f.watch.setFloor(fleetSize - unavailable)
	deployment := f.deploy(2, client.DeploymentConfiguration{
		MaxUnavailable: "10%", CircuitBreaker: &client.CircuitBreaker{Threshold: "5"},
	})
	deployment = f.reaches(deployment.ID, client.DeploymentRolledBack)
	require.Equal(t, 1, deployment.RollbackTo)
	require.NotEmpty(t, deployment.Reason, "it says why")
	f.watch.until(t, "the last good revision on every host", everyHostRuns(fleetSize, 1))
	f.watch.unbroken(t)
	world, _ := f.watch.look()
	require.LessOrEqual(t, touched(world, 2), 2*unavailable, "few hosts ever met the bad image")
	require.GreaterOrEqual(t, touched(world, 2), 5, "as many as the circuit breaker needs to know")
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

func TestAnAlarmRollsBack(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.register(2)
	f.SetAlarm("errors", "OK")
	f.watch.setFloor(fleetSize - 50)
	deployment := f.deploy(2, client.DeploymentConfiguration{
		MaxUnavailable: "25%", Alarms: []string{"errors"}, BakeSeconds: 3600,
	})
	f.reaches(deployment.ID, client.DeploymentBaking)
	f.SetAlarm("errors", "ALARM")
	deployment = f.reaches(deployment.ID, client.DeploymentRolledBack)
	require.Contains(t, deployment.Reason, "errors")
	f.watch.until(t, "the last good revision on every host", everyHostRuns(fleetSize, 1))
}

func TestCanariesPauseArePromotedAndTheRestIsRolledBackHalfWay(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.register(2)
	f.watch.setFloor(fleetSize - 20)
	deployment := f.deploy(2, client.DeploymentConfiguration{MaxUnavailable: "20", Canary: &client.Canary{Hosts: "5"}})
	deployment = f.reaches(deployment.ID, client.DeploymentPaused)
	require.Equal(t, client.PausedByCanary, deployment.PausedFor)
	world, _ := f.watch.look()
	require.Equal(t, 5, runsOf(world, 2), "the canaries have it, and nobody else")
	require.Equal(t, fleetSize-5, runsOf(world, 1))

	_, err := f.Client().ResumeDeployment(t.Context(), demoDaemon, "")
	require.Equal(t, 409, client.StatusOf(err), "canaries are promoted, not resumed")
	_, err = f.Client().PromoteDeployment(t.Context(), demoDaemon, "they look well")
	require.NoError(t, err)
	f.watch.until(t, "a part of the hosts updated", func(world ecssim.World) bool { return runsOf(world, 2) >= 60 })
	deployment, err = f.Client().RollBackEnvironment(t.Context(), demoDaemon, 0, "")
	require.NoError(t, err)
	require.Equal(t, client.DeploymentRollingBack, deployment.Status)
	f.reaches(deployment.ID, client.DeploymentRolledBack)
	f.watch.until(t, "the last good revision on every host", everyHostRuns(fleetSize, 1))
	f.watch.unbroken(t)
}

func TestADrainedHostKeepsItsDaemonUntilTheLastOtherTaskHasLeft(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	world, _ := f.watch.look()
	host := hostOfAService(world)
	_, err := f.ECS().UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{
		Cluster: aws.String(demoCluster), ContainerInstances: []string{host.ARN}, Status: types.ContainerInstanceStatusDraining,
	})
	require.NoError(t, err)
	early := false
	f.watch.until(t, "a drained host without a task", func(world ecssim.World) bool {
		daemons, others := 0, 0
		for _, task := range world.Tasks {
			if task.EC2InstanceID == host.EC2InstanceID && task.LastStatus != "STOPPED" {
				if isDaemon(task) && task.DesiredStatus == "RUNNING" {
					daemons++
				} else if !isDaemon(task) {
					others++
				}
			}
		}
		early = early || daemons == 0 && others > 0
		return daemons+others == 0
	})
	require.False(t, early, "the daemon left before the tasks that need it")
	status, err := f.Client().GetHost(t.Context(), demoDaemon, host.EC2InstanceID)
	require.NoError(t, err)
	require.Contains(t, status.Sentence, "drain")
	f.watch.until(t, "the other hosts keep theirs", everyHostHasOne(fleetSize-1))
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

func TestTwoSchedulersAtOnceStartNoSecondTask(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.register(2)
	f.watch.setFloor(fleetSize - 100)
	deployment := f.deploy(2, client.DeploymentConfiguration{MaxUnavailable: "50%"})
	// Beside the drivers that the wake-ups start, two more look at everything over and over.
	group, ctx := errgroup.WithContext(t.Context())
	for range 2 {
		group.Go(func() error {
			for {
				var done struct{}
				if err := f.functions.drive.invoke(ctx, payload(scheduler.TickSource), &done); err != nil {
					return err
				}
				now, err := f.Client().GetDeployment(ctx, demoDaemon, deployment.ID)
				if err != nil || now.Ended() {
					return err
				}
			}
		})
	}
	require.NoError(t, group.Wait())
	f.reaches(deployment.ID, client.DeploymentCompleted)
	f.watch.until(t, "the new revision on every host", everyHostRuns(fleetSize, 2))
	require.Equal(t, 1, f.watch.mostSeen(), "no host ever had two live daemons")
	f.watch.unbroken(t)
}

func TestASurgeLeavesNoHostWithoutADaemon(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	f.register(2)
	f.watch.setMost(2)
	f.watch.setFloor(fleetSize)
	deployment := f.deploy(2, client.DeploymentConfiguration{
		Method: client.MethodReplaceThenTerminate, MinimumHealthyPercent: aws.Int(100), MaxSurge: "25%",
	})
	f.reaches(deployment.ID, client.DeploymentCompleted)
	f.watch.until(t, "the new revision on every host", everyHostRuns(fleetSize, 2))
	require.Equal(t, 2, f.watch.mostSeen())
	f.watch.unbroken(t)
}

func TestARestartReplacesEveryTaskByOneOfTheSameRevision(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	world, _ := f.watch.look()
	before := map[string]bool{}
	for _, task := range runningDaemons(world) {
		before[task.ID] = true
	}
	f.watch.setFloor(fleetSize / 2)
	deployment, err := f.Client().RestartEnvironment(t.Context(), demoDaemon, "")
	require.NoError(t, err)
	f.reaches(deployment.ID, client.DeploymentCompleted)
	f.watch.until(t, "another task on every host", func(world ecssim.World) bool {
		for _, task := range runningDaemons(world) {
			if before[task.ID] {
				return false
			}
		}
		return everyHostRuns(fleetSize, 1)(world)
	})
	f.watch.unbroken(t)
}
