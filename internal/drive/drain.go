package drive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// neighbourTime is how long a look reads what else runs on hosts that may be idle: a process that has just begun knows that
// of none, it takes two reads a host, and 5,000 of them would use up the invocation each time.
const neighbourTime = 15 * time.Second

// addNeighbours counts what runs beside the daemon: on draining hosts, and on all others if the revision releases those
// that nothing else runs on.
func (r *reading) addNeighbours(ctx context.Context) error {
	began := r.Now()
	for i := range r.snapshot.Hosts {
		h := &r.snapshot.Hosts[i]
		instance, ok := instanceOf(h.Key, h.ContainerInstanceARN)
		if !ok {
			continue
		}
		var err error
		switch {
		case h.Status == daemon.StatusDraining:
			err = r.addLeavers(ctx, h, instance)
		case h.Status == daemon.StatusActive && r.snapshot.Revision.ReleaseIdleHosts:
			// Not known releases nothing; the next look goes on with what this one has learnt.
			mayRead := r.Now().Sub(began) < neighbourTime && !r.short(ctx)
			h.OtherTasks, h.OtherTasksKnown, err = r.idle(ctx, h.Key, instance, mayRead)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addLeavers counts the tasks of a draining host that leave before its daemon does.
func (r *reading) addLeavers(ctx context.Context, h *daemon.Host, instance state.Key) error {
	tasks, err := r.tasksOn(ctx, instance)
	if err != nil {
		return err
	}
	h.OtherTasks, _ = r.otherTasks(ctx, instance.Cluster, tasks)
	h.OtherTasksKnown = true
	for _, t := range tasks {
		id, ok := strings.CutPrefix(t.Task.Group, daemon.Group(r.Installation, ""))
		if !ok || id == r.snapshot.Environment.ID || !strings.HasPrefix(t.Task.StartedBy, daemon.StartedByPrefix) {
			continue
		}
		priority, err := r.drainPriority(ctx, id)
		if err != nil {
			return err
		}
		if priority != nil && *priority < r.snapshot.Revision.DrainPriority {
			h.EarlierDaemons++
		}
	}
	return nil
}

// drainPriority is that of what another environment has deployed; nil if it is no more, or has nothing deployed: nobody
// stops its tasks then, and nobody may wait for them.
func (r *reading) drainPriority(ctx context.Context, environmentID string) (*int, error) {
	if priority, read := r.priorities[environmentID]; read {
		return priority, nil
	}
	revision, err := r.deployed(ctx, environmentID)
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return nil, fmt.Errorf("reading the drain priority of environment %s: %w", environmentID, err)
	}
	r.priorities[environmentID] = nil
	if err == nil {
		r.priorities[environmentID] = &revision.DrainPriority
	}
	return r.priorities[environmentID], nil
}

// deployed is the revision that another environment brings to its hosts. table.ErrNotFound: there is none.
func (d *Driver) deployed(ctx context.Context, environmentID string) (daemon.Revision, error) {
	env, err := d.Daemon.Environment(ctx, environmentID)
	if err != nil {
		return daemon.Revision{}, err
	}
	deployment, err := d.Daemon.Deployment(ctx, environmentID, env.DeploymentID)
	if err != nil {
		return daemon.Revision{}, err
	}
	return d.revision(ctx, environmentID, deployment.Target())
}

// taskCount is what ECS counts on a container instance, as of a version of it; total is -1 if it did not say.
type taskCount struct {
	version int64
	total   int
}

func countOf(version int64, instance state.ContainerInstance) taskCount {
	c := taskCount{version: version, total: -1}
	if instance.RunningTasksCount != nil && instance.PendingTasksCount != nil {
		c.total = int(*instance.RunningTasksCount) + int(*instance.PendingTasksCount)
	}
	return c
}

// neighbourKey is a container instance at a version, which rises with every task that starts or stops on it.
type neighbourKey struct {
	instance state.Key
	version  int64
}

// idle counts the tasks of a host that keep it from being idle. Most hosts cost nothing: ECS's own count says that
// there is no task but ours, or the host is as it was when they were counted last. Tasks that ECS counts and that are
// not stored yet are counted, too: a host must not be released for what is not known. known is false if it takes a read,
// and there may be none.
func (r *reading) idle(
	ctx context.Context, host daemon.HostKey, instance state.Key, mayRead bool,
) (others int, known bool, err error) {
	count := r.counts[instance]
	if count.total >= 0 && count.total <= r.ours[host] {
		return 0, true, nil
	}
	key := neighbourKey{instance, count.version}
	if others, ok := r.neighbours.recall(key, time.Time{}); ok {
		return others, true, nil
	}
	if !mayRead {
		return 0, false, nil
	}
	tasks, err := r.tasksOn(ctx, instance)
	if err != nil {
		return 0, false, err
	}
	others, certain := r.otherTasks(ctx, instance.Cluster, tasks)
	if count.total > len(tasks) {
		return others + count.total - len(tasks), true, nil
	}
	if certain && count.total == len(tasks) {
		r.neighbours.remember(key, others, r.Now())
	}
	return others, true, nil
}

// otherTasks counts the live tasks that a drain must end before the daemon is stopped. Left out are those that wait for
// the others themselves: Blox daemons of any environment, and the tasks of DAEMON services, which ECS stops last on a
// draining host. certain is false if ECS did not say what some service is.
func (d *Driver) otherTasks(
	ctx context.Context, cluster state.ClusterKey, tasks []state.Record,
) (ordinary int, certain bool) {
	certain = true
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
		is, known := d.isDaemonService(ctx, cluster, service)
		if certain = certain && known; !is {
			ordinary += byService[service]
		}
	}
	return ordinary, certain
}

// isDaemonService asks ECS once for each service. If ECS does not answer, the service's tasks are waited for: a daemon
// that stays too long is better than one that leaves too early. A service's strategy never changes; one that was
// deleted and made anew with another is learned by the next process.
func (d *Driver) isDaemonService(ctx context.Context, cluster state.ClusterKey, name string) (is, known bool) {
	return d.facts.remember(factKey{cluster, "service " + name}, d.Now(), func() (bool, error) {
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
