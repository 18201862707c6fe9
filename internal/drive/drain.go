package drive

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

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

// daemonServices remembers which services are of the DAEMON strategy. A service's strategy never changes; one that was
// deleted and made anew with another is learned by the next process.
type daemonServices struct {
	mu    sync.Mutex
	known map[serviceKey]bool
}

type serviceKey struct {
	cluster state.ClusterKey
	name    string
}

// maxServices bounds what is remembered: ECS allows 5,000 services a cluster.
const maxServices = 10000

// isDaemonService asks ECS once for each service. If ECS does not answer, the service's tasks are waited for: a daemon
// that stays too long is better than one that leaves too early.
func (d *Driver) isDaemonService(ctx context.Context, cluster state.ClusterKey, name string) bool {
	key := serviceKey{cluster, name}
	d.services.mu.Lock()
	defer d.services.mu.Unlock()
	if is, ok := d.services.known[key]; ok {
		return is
	}
	is, err := d.describeService(ctx, key)
	if err != nil {
		d.Log.Warn("scheduling strategy of a service is not known, its tasks are waited for",
			"cluster", cluster.String(), "service", name, "error", err)
		return false
	}
	if d.services.known == nil || len(d.services.known) >= maxServices {
		d.services.known = map[serviceKey]bool{}
	}
	d.services.known[key] = is
	return is
}

func (d *Driver) describeService(ctx context.Context, key serviceKey) (isDaemon bool, err error) {
	if err := d.spendDescribe(ctx, key.cluster, 1); err != nil {
		return false, err
	}
	api, err := d.ECS(key.cluster.Account, key.cluster.Region)
	if err != nil {
		return false, err
	}
	out, err := api.DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: aws.String(key.cluster.ARN("")), Services: []string{key.name},
	})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(out.Services, func(s types.Service) bool {
		return s.SchedulingStrategy == types.SchedulingStrategyDaemon
	}), nil
}
