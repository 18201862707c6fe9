package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
)

// stopSeconds is long enough for drive to look at a draining host before its other tasks have left.
const stopSeconds = 10

// provider is the capacity provider that two of the hosts came from.
const provider = "edge-asg"

func (s *Scenario) eventsBecomeRows(ctx context.Context) error {
	if _, err := s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(cluster)}); err != nil {
		return err
	}
	for _, family := range []string{"web", environment} {
		if err := s.register(ctx, family); err != nil {
			return err
		}
	}
	s.host.Simulator.Do(func(sim *ecssim.Simulator, now time.Time) {
		for i := range hosts {
			arn := sim.AddHost(now, cluster, ecssim.HostSpec{CPU: 4096, Memory: 15616})
			if i < 2 {
				s.host.ECSFront.Provide(arn, provider)
			}
		}
	})
	_, err := s.ecs.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String(cluster), ServiceName: aws.String("web"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(hosts), LaunchType: types.LaunchTypeEc2,
	})
	if err != nil {
		return err
	}
	return s.wait(ctx, "8 hosts and 8 running tasks", func(ctx context.Context) (bool, string, error) {
		instances, err := collect(s.reader.ListInstances(ctx, client.InstanceFilter{Cluster: cluster}))
		if err != nil {
			return false, "", err
		}
		tasks, err := collect(s.reader.ListTasks(ctx, client.TaskFilter{Cluster: cluster, Status: "running"}))
		return len(instances) == hosts && len(tasks) == hosts, fmt.Sprintf("%d hosts, %d tasks", len(instances), len(tasks)), err
	})
}

func (s *Scenario) register(ctx context.Context, family string) error {
	_, err := s.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeBridge, RequiresCompatibilities: []types.Compatibility{types.CompatibilityEc2},
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: &family, Image: aws.String("example.com/" + family + ":1"), Essential: aws.Bool(true), Cpu: 64, Memory: aws.Int32(128),
			StopTimeout: aws.Int32(stopSeconds), // of a container that does not stop when asked
		}},
	})
	if err != nil {
		return fmt.Errorf("registering the task definition %s: %w", family, err)
	}
	return nil
}

func (s *Scenario) authorization(ctx context.Context) error {
	for _, c := range []*client.Client{s.operator, s.reader} {
		if err := c.Ping(ctx); err != nil {
			return fmt.Errorf("a ping: %w", err)
		}
	}
	if err := refused(s.unsigned.Ping(ctx), http.StatusForbidden); err != nil {
		return fmt.Errorf("an unsigned request: %w", err)
	}
	if err := refused(s.nobody.Ping(ctx), http.StatusForbidden); err != nil {
		return fmt.Errorf("a request of somebody without a policy: %w", err)
	}
	_, err := s.reader.CreateEnvironment(ctx, client.EnvironmentDefinition{Name: "no", InstanceGroup: &client.InstanceGroup{Cluster: cluster}, TaskDefinition: "web"})
	if err := refused(err, http.StatusForbidden); err != nil {
		return fmt.Errorf("a write of a reader: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.host.APIURL+"/v1/nothing", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only its head was of interest
	if response.StatusCode != http.StatusForbidden {
		return fmt.Errorf("a path that is not deployed: status %s, expected 403 as of API Gateway", response.Status)
	}
	return nil
}

func (s *Scenario) firstSweep(ctx context.Context) error {
	if err := s.host.Due(ctx, "reconcile"); err != nil {
		return err
	}
	return s.wait(ctx, "a reconciled cluster", func(ctx context.Context) (bool, string, error) {
		c, err := s.reader.GetCluster(ctx, cluster)
		return err == nil && c.LastReconciledAt != nil, fmt.Sprintf("%+v", c), err
	})
}

func (s *Scenario) beginWatch(ctx context.Context) error {
	w, err := s.openWatch(ctx, "tasks?cluster="+cluster)
	if err != nil {
		return err
	}
	s.watch = w
	if err := s.wait(ctx, "the end of the snapshot", func(context.Context) (bool, string, error) {
		n, ended := w.seen(client.WatchUpdated, nil), w.seen(client.WatchBookmark, nil)
		return n == hosts && ended == 1, fmt.Sprintf("%d tasks, %d bookmarks", n, ended), w.err()
	}); err != nil {
		return err
	}
	other, err := s.openWatch(ctx, "instances?timeoutSeconds=1")
	if err != nil {
		return err
	}
	defer other.close()
	return s.wait(ctx, "a watch of instances that ends by itself", func(context.Context) (bool, string, error) {
		n, ended := other.seen(client.WatchUpdated, nil), other.seen(client.WatchEnd, nil)
		return n == hosts && ended == 1, fmt.Sprintf("%d hosts, %d ends", n, ended), other.err()
	})
}

// repair loses every event of a stopped task and of its successor, and asks for a sweep.
func (s *Scenario) repair(ctx context.Context) error {
	var web []ecssim.TaskInfo
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		sim.Faults().SetEvents(ecssim.EventFaults{Drop: 1})
		for _, task := range sim.Snapshot().Tasks {
			if task.Group == "service:web" && task.LastStatus == "RUNNING" {
				web = append(web, task)
			}
		}
	})
	if len(web) == 0 {
		return errors.New("the simulator has no running task of the service web")
	}
	if _, err := s.ecs.StopTask(ctx, &ecs.StopTaskInput{Cluster: aws.String(cluster), Task: &web[0].ARN}); err != nil {
		return err
	}
	err := s.wait(ctx, "a successor in ECS", func(context.Context) (bool, string, error) {
		running := s.truth("service:web")
		return len(running) == hosts && running[web[0].ARN] == "", fmt.Sprint(running), nil
	})
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) { sim.Faults().Clear() })
	if err != nil {
		return err
	}
	task, err := s.reader.GetTask(ctx, cluster, web[0].ID)
	if err != nil || task.Entity.LastStatus != "RUNNING" {
		return fmt.Errorf("the task whose events were lost should still be RUNNING in Blox's eyes, it is %q: %w", task.Entity.LastStatus, err)
	}
	if err := s.host.Due(ctx, "reconcile"); err != nil {
		return err
	}
	return s.wait(ctx, "Blox to know what ECS knows", func(ctx context.Context) (bool, string, error) {
		known, err := s.known(ctx, "service:web")
		return same(known, s.truth("service:web")), fmt.Sprintf("Blox %v, ECS %v", known, s.truth("service:web")), err
	})
}

// truth are the running tasks of a group in ECS, by ARN; a group that ends in * is a prefix.
func (s *Scenario) truth(group string) map[string]string {
	running := map[string]string{}
	s.host.Simulator.Do(func(sim *ecssim.Simulator, _ time.Time) {
		for _, task := range sim.Snapshot().Tasks {
			if matches(group, task.Group) && task.LastStatus == "RUNNING" && task.DesiredStatus == "RUNNING" {
				running[task.ARN] = task.EC2InstanceID
			}
		}
	})
	return running
}

// known are those that Blox knows of.
func (s *Scenario) known(ctx context.Context, group string) (map[string]string, error) {
	tasks, err := collect(s.reader.ListTasks(ctx, client.TaskFilter{Cluster: cluster, Status: "RUNNING", Group: group}))
	running := map[string]string{}
	for _, task := range tasks {
		running[task.Entity.TaskARN] = "known"
	}
	return running, err
}

func same(a, b map[string]string) bool {
	for key := range a {
		if _, ok := b[key]; !ok {
			return false
		}
	}
	return len(a) == len(b)
}

func matches(pattern, text string) bool {
	if n := len(pattern) - 1; n >= 0 && pattern[n] == '*' {
		return len(text) >= n && text[:n] == pattern[:n]
	}
	return pattern == text
}
