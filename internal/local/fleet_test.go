package local

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
)

// fleetSize is as many hosts as `blox local --instances 200` has.
const fleetSize = 200

// fleet is a system with the demo, whose daemon is on every one.
type fleet struct {
	*started
	t     *testing.T
	hosts int
	// current is the revision of the task definition that every host runs, newest the one registered last.
	current, newest int
}

func startFleet(t *testing.T, hosts int) *fleet {
	t.Helper()
	t.Parallel() // it waits most of the time
	w, told := newWatch(), &lockedText{}
	s, err := Start(t.Context(), Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Instances: hosts, Seed: 1, Store: StoreMemory, Demo: true,
		TickPeriod:        2 * time.Second,
		ModifiesPerSecond: 400, // the simulator has no limit, and the tests are not to wait for one
		Out:               told, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), OnWorld: w.see,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Stop(t.Context()))
		w.unbroken(t)
	})
	f := &fleet{started: &started{s, w, told}, t: t, hosts: hosts, current: 1, newest: 1}
	w.until(t, "the demo's daemon on every host", everyHostHasOne(hosts))
	f.deploymentCompletes(t)
	return f
}

// image is the image of a revision of the daemon's task definition.
func image(revision int) string { return fmt.Sprintf("example.com/%s:%d", demoDaemon, revision) }

// arnOf is the ARN of a revision of the daemon's task definition.
func arnOf(revision int) string {
	return fmt.Sprintf("arn:%s:ecs:%s:%s:task-definition/%s:%d", partition, region, account, demoDaemon, revision)
}

func isDaemon(task ecssim.TaskInfo) bool {
	return strings.HasPrefix(task.Group, "blox:"+installation+":")
}

// story is a subtest on the fleet, all of whose hosts run the current revision when it begins; no more than unavailable
// of them may ever be without a running daemon, nor may any have more than most.
func (f *fleet) story(name string, unavailable, most int, tell func(f *fleet)) {
	f.t.Run(name, func(t *testing.T) {
		on := *f
		on.t = t
		on.watch.setMost(most)
		on.watch.setFloor(on.hosts - unavailable)
		tell(&on)
		on.watch.until(t, "the current revision on every host", everyHostRuns(on.hosts, on.current))
		on.watch.unbroken(t)
		on.watch.setFloor(0)
		on.watch.setMost(1)
		f.current, f.newest = on.current, on.newest
	})
}

// register makes the next revision of the daemon's task definition, with an image of its own.
func (f *fleet) register() (revision int) {
	f.t.Helper()
	f.newest++
	_, err := f.ECS().RegisterTaskDefinition(f.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(demoDaemon), NetworkMode: types.NetworkModeBridge, RequiresCompatibilities: []types.Compatibility{types.CompatibilityEc2},
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String(demoDaemon), Image: aws.String(image(f.newest)), Essential: aws.Bool(true), Cpu: 64, Memory: aws.Int32(128),
		}},
	})
	require.NoError(f.t, err)
	return f.newest
}

// deploy gives the environment a revision with that revision of the task definition, and deploys it.
func (f *fleet) deploy(revision int, configuration client.DeploymentConfiguration) client.Deployment {
	f.t.Helper()
	if configuration.MinHealthySeconds == nil {
		configuration.MinHealthySeconds = aws.Int(1)
	}
	environment, err := f.Client().PutEnvironment(f.t.Context(), demoDaemon, client.EnvironmentDefinition{
		InstanceGroup: &client.InstanceGroup{Cluster: demoCluster}, TaskDefinition: demoDaemon + ":" + strconv.Itoa(revision),
		DeploymentConfiguration: &configuration,
	})
	require.NoError(f.t, err)
	deployment, err := f.Client().CreateDeployment(f.t.Context(), demoDaemon, environment.DeploymentToken)
	require.NoError(f.t, err)
	return deployment
}

// reaches waits until a deployment has a status, and gives it as it is then.
func (f *fleet) reaches(id, status string) (deployment client.Deployment) {
	f.t.Helper()
	deadline := time.After(patience)
	for {
		var err error
		deployment, err = f.Client().GetDeployment(f.t.Context(), demoDaemon, id)
		require.NoError(f.t, err)
		if deployment.Status == status {
			return deployment
		}
		require.False(f.t, deployment.Ended(), "it is %s (%s), wanted %s", deployment.Status, deployment.Reason, status)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-deadline:
			require.Failf(f.t, "waited in vain", "the deployment is %s (%s), wanted %s: %+v", deployment.Status, deployment.Reason, status, deployment.Counts)
		}
	}
}

// runsOf counts the running daemons of a revision of the task definition.
func runsOf(world ecssim.World, revision int) (n int) {
	for _, task := range runningDaemons(world) {
		if strings.HasSuffix(task.TaskDefinitionARN, ":"+strconv.Itoa(revision)) {
			n++
		}
	}
	return n
}

// everyHostRuns says that every host runs one daemon, of that revision of the task definition.
func everyHostRuns(hosts, revision int) func(ecssim.World) bool {
	return func(world ecssim.World) bool {
		return runsOf(world, revision) == hosts && everyHostHasOne(hosts)(world)
	}
}
