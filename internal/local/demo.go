package local

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/state"
)

// The demo: a cluster with ordinary services, and a daemon on it.
const (
	demoCluster = "demo"
	demoDaemon  = "log-agent"
	// demoMinHealthySeconds makes the demo's deployments quick to finish.
	demoMinHealthySeconds = 3
)

var demoZones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

// addDemoHosts lets n machines join the demo cluster, one size, over three zones.
func addDemoHosts(sim *ecssim.Simulator, now time.Time, n int) {
	for i := range n {
		sim.AddHost(now, demoCluster, ecssim.HostSpec{
			CPU: 4096, Memory: 15616,
			Attributes: map[string]string{
				"ecs.availability-zone": demoZones[i%len(demoZones)],
				"ecs.instance-type":     "m7i.xlarge",
			},
		})
	}
}

type demoService struct {
	name         string
	cpu, memory  int
	port         int // 0: none
	desiredCount int
}

func demoServices(hosts int) []demoService {
	return []demoService{
		{name: "web", cpu: 256, memory: 512, port: 80, desiredCount: max(1, hosts*3/5)},
		{name: "worker", cpu: 512, memory: 1024, desiredCount: max(1, hosts*2/5)},
		{name: "cache", cpu: 512, memory: 2048, port: 6379, desiredCount: max(1, min(3, hosts))},
	}
}

// startDemoServices registers the task definitions and creates the services, by ECS's API as anybody would. The daemon's
// task definition is registered too; Blox is to deploy it.
func startDemoServices(ctx context.Context, api *ecs.Client, hosts int) error {
	if _, err := api.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(demoCluster)}); err != nil {
		return fmt.Errorf("creating the demo cluster: %w", err)
	}
	if err := registerDemo(ctx, api, demoDaemon, 64, 128, 0); err != nil {
		return err
	}
	for _, s := range demoServices(hosts) {
		if err := registerDemo(ctx, api, s.name, s.cpu, s.memory, s.port); err != nil {
			return err
		}
		if hosts == 0 {
			continue // a service without a host would only complain
		}
		if _, err := api.CreateService(ctx, &ecs.CreateServiceInput{
			Cluster: aws.String(demoCluster), ServiceName: aws.String(s.name), TaskDefinition: aws.String(s.name),
			DesiredCount: aws.Int32(int32(s.desiredCount)), LaunchType: types.LaunchTypeEc2,
		}); err != nil {
			return fmt.Errorf("creating the demo service %s: %w", s.name, err)
		}
	}
	return nil
}

func registerDemo(ctx context.Context, api *ecs.Client, family string, cpu, memory, port int) error {
	container := types.ContainerDefinition{
		Name: aws.String(family), Image: aws.String("example.com/" + family + ":1"), Essential: aws.Bool(true),
		Cpu: int32(cpu), Memory: aws.Int32(int32(memory)),
	}
	if port != 0 {
		container.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(int32(port)), HostPort: aws.Int32(0)}}
	}
	if _, err := api.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), ContainerDefinitions: []types.ContainerDefinition{container},
		NetworkMode: types.NetworkModeBridge, RequiresCompatibilities: []types.Compatibility{types.CompatibilityEc2},
	}); err != nil {
		return fmt.Errorf("registering the demo task definition %s: %w", family, err)
	}
	return nil
}

// syncLimit bounds the wait for the first reconcile, syncPoll is how often it is looked for.
const (
	syncLimit = time.Minute
	syncPoll  = 50 * time.Millisecond
)

// deployDemo creates and deploys the demo's daemon through the API, as a user would. Blox starts nothing in a cluster
// that it has not reconciled once, so it waits for that: the deployment then goes ahead at once.
func (s *System) deployDemo(ctx context.Context) error {
	if err := s.waitForSync(ctx, state.ClusterKey{Account: account, Region: region, Name: demoCluster}); err != nil {
		return err
	}
	seconds := demoMinHealthySeconds
	environment, err := s.blox.CreateEnvironment(ctx, client.EnvironmentDefinition{
		Name: demoDaemon, InstanceGroup: &client.InstanceGroup{Cluster: demoCluster}, TaskDefinition: demoDaemon,
		DeploymentConfiguration: &client.DeploymentConfiguration{MinHealthySeconds: &seconds},
	})
	if err != nil {
		return err
	}
	_, err = s.blox.CreateDeployment(ctx, environment.Name, environment.DeploymentToken)
	return err
}

func (s *System) waitForSync(ctx context.Context, cluster state.ClusterKey) error {
	ctx, cancel := context.WithTimeoutCause(ctx, syncLimit, fmt.Errorf("cluster %s was not reconciled within %s", cluster.Name, syncLimit))
	defer cancel()
	for ctx.Err() == nil {
		known, err := s.state.ClustersByKey(ctx, []state.ClusterKey{cluster})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if len(known) == 1 && known[0].SyncedAt > 0 {
			return nil
		}
		pause(ctx, syncPoll)
	}
	return context.Cause(ctx)
}
