package local

import (
	"flag"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/dynamo/dynamotest"
	"github.com/blox/blox/internal/ecssim"
)

// The parallel tests of this package wait most of the time: more of them than there are cores may run at once.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "5"); err != nil {
		panic(err)
	}
	os.Exit(dynamotest.Main(m))
}

// started is a system with the demo, a watch on it and what it told.
type started struct {
	*System
	watch *watch
	told  *lockedText
}

func start(t *testing.T, storage string, instances int) *started {
	t.Helper()
	endpoint := ""
	if storage == StoreDynamoDB {
		endpoint = *dynamotest.ForTest(t).Options().BaseEndpoint
	}
	w, told := newWatch(), &lockedText{}
	s, err := Start(t.Context(), Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Instances: instances, Seed: 1, Store: storage, Endpoint: endpoint, Demo: true,
		Out: told, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), OnWorld: w.see,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Stop(t.Context()))
		select {
		case err := <-s.Failed():
			require.NoError(t, err)
		default:
		}
		w.unbroken(t)
	})
	return &started{s, w, told}
}

// lockedText is an io.Writer that may be read meanwhile.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually asks again and again what no event tells of: the API and the tables.
func eventually(t *testing.T, what string, condition func(c *assert.CollectT)) {
	t.Helper()
	require.EventuallyWithT(t, condition, patience, 50*time.Millisecond, what)
}

// The whole loop, on both stores: what the README promises, one thing after the other, on one system. All the while the
// watch looks at the simulator's truth: never two daemons on a host, never fewer than the minimum.
func TestTheLoop(t *testing.T) {
	for _, storage := range []string{StoreMemory, StoreDynamoDB} {
		t.Run(storage, func(t *testing.T) {
			t.Parallel() // both wait for the simulator most of the time
			s := start(t, storage, 20)
			took := s.watch.until(t, "the demo's daemon on 20 of 20 hosts", everyHostHasOne(20))
			t.Logf("daemon on 20 of 20 after %s", took)
			s.deploymentCompletes(t)

			s.addHostBySDK(t)
			took = s.watch.until(t, "a daemon on the new host", everyHostHasOne(21))
			t.Logf("daemon on a new host after %s", took)

			s.Do(func(sim *ecssim.Simulator, now time.Time) { addDemoHosts(sim, now, 50) })
			took = s.watch.until(t, "a daemon on each of 50 new hosts", everyHostHasOne(71))
			t.Logf("daemon on 50 new hosts after %s", took)

			s.stopOneDaemon(t)
			s.deregisterOneHost(t, 70)
			s.update(t, 70)
			eventually(t, "the narration", func(c *assert.CollectT) {
				for _, line := range []string{"hosts joined", "events stored", "daemon log-agent on 20 of 20 hosts", "(log-agent:1) completed", "(log-agent:2) completed"} {
					require.Contains(c, s.told.String(), line)
				}
			})
			require.Less(t, strings.Count(s.told.String(), "\n"), 60, "no flood:\n%s", s.told)
		})
	}
}

func (s *started) environment(t require.TestingT) client.Environment {
	environment, err := s.Client().GetEnvironment(s.calls, demoDaemon)
	require.NoError(t, err)
	return environment
}

func (s *started) deploymentCompletes(t *testing.T) {
	t.Helper()
	eventually(t, "the deployment completes", func(c *assert.CollectT) {
		e := s.environment(c)
		require.Equal(c, client.DeploymentCompleted, e.DeploymentStatus)
		require.Equal(c, e.Revision, e.LastGoodRevision)
		require.Equal(c, "healthy", e.Health)
	})
}

// addHostBySDK registers a container instance as the AWS CLI would.
func (s *started) addHostBySDK(t *testing.T) {
	t.Helper()
	_, err := s.ECS().RegisterContainerInstance(t.Context(), &ecs.RegisterContainerInstanceInput{Cluster: aws.String(demoCluster)})
	require.NoError(t, err)
}

// stopOneDaemon stops a daemon's task behind Blox's back and waits for another one in its place.
func (s *started) stopOneDaemon(t *testing.T) {
	t.Helper()
	world, _ := s.watch.look()
	victim := runningDaemons(world)[0]
	_, err := s.ECS().StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String(demoCluster), Task: aws.String(victim.ARN), Reason: aws.String("test")})
	require.NoError(t, err)
	took := s.watch.until(t, "another daemon in the place of a stopped one", func(world ecssim.World) bool {
		for _, task := range runningDaemons(world) {
			if task.EC2InstanceID == victim.EC2InstanceID && task.ID != victim.ID {
				return true
			}
		}
		return false
	})
	t.Logf("a stopped daemon was replaced after %s", took)
}

// deregisterOneHost takes a host out by force; n are left, and no slot of the one that is gone.
func (s *started) deregisterOneHost(t *testing.T, n int) {
	t.Helper()
	world, _ := s.watch.look()
	gone := activeHosts(world)[5]
	_, err := s.ECS().DeregisterContainerInstance(t.Context(), &ecs.DeregisterContainerInstanceInput{
		Cluster: aws.String(demoCluster), ContainerInstance: aws.String(gone.ARN), Force: aws.Bool(true),
	})
	require.NoError(t, err)
	s.watch.until(t, "a daemon on each host that is left", everyHostHasOne(n))
	id := s.environment(t).ID
	eventually(t, "no slot of the host that is gone", func(c *assert.CollectT) {
		slots, err := s.daemon.Slots(s.calls, id)
		require.NoError(c, err)
		require.Len(c, slots, n)
		for _, slot := range slots {
			require.NotEqual(c, gone.EC2InstanceID, slot.Host.EC2InstanceID)
		}
	})
}

// update rolls a new task definition out over n hosts, of which four in five keep a running daemon.
func (s *started) update(t *testing.T, n int) {
	t.Helper()
	require.NoError(t, registerDemo(t.Context(), s.ECS(), demoDaemon, 64, 128, 0))
	const minimumHealthyPercent = 80
	percent, seconds := minimumHealthyPercent, 0
	environment, err := s.Client().PutEnvironment(t.Context(), demoDaemon, client.EnvironmentDefinition{
		InstanceGroup: &client.InstanceGroup{Cluster: demoCluster}, TaskDefinition: demoDaemon + ":2",
		DeploymentConfiguration: &client.DeploymentConfiguration{MinimumHealthyPercent: &percent, MinHealthySeconds: &seconds},
	})
	require.NoError(t, err)
	s.watch.setFloor(n - n*(100-minimumHealthyPercent)/100)
	_, err = s.Client().CreateDeployment(t.Context(), demoDaemon, environment.DeploymentToken)
	require.NoError(t, err)
	took := s.watch.until(t, "revision 2 on every host", func(world ecssim.World) bool {
		for _, task := range runningDaemons(world) {
			if !strings.HasSuffix(task.TaskDefinitionARN, ":2") {
				return false
			}
		}
		return everyHostHasOne(n)(world)
	})
	t.Logf("a rollout over %d hosts took %s", n, took)
	s.deploymentCompletes(t)
	s.watch.setFloor(0)
	s.watch.unbroken(t)
}
