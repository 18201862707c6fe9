package drive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// otherTasks counts the live tasks that a drain must end before the daemon is stopped. Left out are those that wait for
// the others themselves: Blox daemons of any environment, and the tasks of DAEMON services, which ECS stops last on a
// draining host.
func (r *reading) otherTasks(ctx context.Context, instance state.Key) (int, error) {
	tasks, err := r.State.TasksOnInstance(ctx, instance.Cluster, instance.ID)
	if err != nil {
		return 0, err
	}
	ordinary := 0
	byService := map[string]int{}
	for _, t := range tasks {
		if strings.HasPrefix(t.Task.StartedBy, daemon.StartedByPrefix) {
			continue
		}
		if service, ok := strings.CutPrefix(t.Task.Group, "service:"); ok {
			byService[service]++
		} else {
			ordinary++
		}
	}
	for _, service := range slices.Sorted(maps.Keys(byService)) {
		if !r.isDaemonService(ctx, instance.Cluster, service) {
			ordinary += byService[service]
		}
	}
	return ordinary, nil
}

// isDaemonService asks ECS once for each service. If ECS does not answer, the service's tasks are waited for: a daemon
// that stays too long is better than one that leaves too early. A service's strategy never changes; one that was
// deleted and made anew with another is learned by the next process.
func (d *Driver) isDaemonService(ctx context.Context, cluster state.ClusterKey, name string) bool {
	return d.facts.remember(factKey{cluster, "service " + name}, func() (bool, error) {
		api, err := d.describing(ctx, cluster)
		if err != nil {
			return false, err
		}
		out, err := api.DescribeServices(ctx, &ecs.DescribeServicesInput{
			Cluster: aws.String(cluster.ARN("")), Services: []string{name},
		})
		if err != nil {
			return false, fmt.Errorf("describing service %s of cluster %s: %w", name, cluster, err)
		}
		return slices.ContainsFunc(out.Services, func(s types.Service) bool {
			return s.SchedulingStrategy == types.SchedulingStrategyDaemon
		}), nil
	}, d.Log)
}
