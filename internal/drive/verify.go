package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
)

// plan is what is to be done in one pass.
type plan struct {
	actions []daemon.Action
	// more says that there are stops left that were not verified.
	more bool
	// wait is when to come back because calls to verify stops ran out.
	wait time.Duration
}

// unverifiedDelay is how long stops wait whose tasks could not be described.
const unverifiedDelay = 10 * time.Second

// plan decides, and decides again with what ECS says now about the tasks that would be stopped: the stored state may be
// a few seconds old, and a daemon must not be stopped for what it was then. The second plan may stop no others. A
// cluster whose tasks cannot be described has its stops wait; its starts, and other clusters, do not.
func (d *Driver) plan(ctx context.Context, s *daemon.Snapshot) (plan, error) {
	actions := daemon.Plan(*s, d.Now())
	stops := tasksToStop(actions)
	if len(stops) == 0 {
		return plan{actions: actions}, nil
	}
	var p plan
	verified := map[string]bool{}
	for _, cluster := range sortedClusters(stops) {
		err := d.refresh(ctx, s, cluster, stops[cluster])
		var spent outOfCalls
		switch {
		case errors.As(err, &spent):
			p.wait = max(p.wait, spent.wait)
		case err != nil && ctx.Err() != nil:
			return plan{}, err
		case err != nil:
			d.Log.Warn("stops wait, their tasks could not be described", "cluster", cluster.String(), "error", err)
			p.wait = max(p.wait, unverifiedDelay)
		default:
			for _, arn := range stops[cluster] {
				verified[arn] = true
			}
		}
	}
	again := daemon.Plan(*s, d.Now())
	p.actions = slices.DeleteFunc(slices.Clone(again), func(a daemon.Action) bool { return isStop(a) && !verified[a.TaskARN] })
	p.more = len(p.actions) < len(again)
	return p, nil
}

func isStop(a daemon.Action) bool {
	return a.Kind == daemon.Stop || a.Kind == daemon.StopStray || a.Kind == daemon.Restop
}

// tasksToStop are the tasks of one batch of stops, by cluster.
func tasksToStop(actions []daemon.Action) map[state.ClusterKey][]string {
	stops, n := map[state.ClusterKey][]string{}, 0
	for _, a := range actions {
		if isStop(a) && n < callsAPass {
			stops[a.Host.Cluster] = append(stops[a.Host.Cluster], a.TaskARN)
			n++
		}
	}
	return stops
}

// refresh describes tasks of one cluster, stores what is news, and puts it into the snapshot.
func (d *Driver) refresh(ctx context.Context, s *daemon.Snapshot, cluster state.ClusterKey, tasks []string) error {
	seen, err := d.describe(ctx, cluster, tasks)
	if err != nil {
		return err
	}
	for _, observation := range seen {
		detail, err := state.DecodeTask(observation.Detail)
		if err != nil {
			return err
		}
		overlay(s, observation.ARN, detail)
	}
	return nil
}

// overlay replaces what the snapshot says about a task.
func overlay(s *daemon.Snapshot, arn string, now state.Task) {
	for i := range s.Tasks {
		if s.Tasks[i].ARN == arn {
			t := &s.Tasks[i]
			t.LastStatus, t.DesiredStatus, t.Health = now.LastStatus, now.DesiredStatus, now.HealthStatus
			t.StopCode, t.StoppedReason = now.StopCode, now.StoppedReason
		}
	}
}

// describe asks ECS about tasks, within the budget, and stores what it says.
func (d *Driver) describe(ctx context.Context, cluster state.ClusterKey, arns []string) ([]state.Observation, error) {
	if err := d.spendDescribe(ctx, cluster, (len(arns)+99)/100); err != nil {
		return nil, err
	}
	api, err := d.ECS(cluster.Account, cluster.Region)
	if err != nil {
		return nil, err
	}
	seen, _, err := ecsapi.DescribeTasks(ctx, api, cluster, arns, d.Now())
	if err != nil {
		return nil, err
	}
	for _, observation := range seen {
		if _, err := d.State.Put(ctx, observation, d.Now()); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// outOfCalls says that the budget is spent for now.
type outOfCalls struct{ wait time.Duration }

func (e outOfCalls) Error() string { return fmt.Sprintf("no ECS calls left for %s", e.wait) }

func (d *Driver) spendDescribe(ctx context.Context, cluster state.ClusterKey, n int) error {
	bucket := bucketOf(cluster, "read", d.Describe)
	granted, wait, err := d.Daemon.TakeCalls(ctx, bucket, n, d.Now())
	if err == nil && granted < n {
		return outOfCalls{wait: max(wait, time.Second)}
	}
	return err
}

func sortedClusters[T any](m map[state.ClusterKey]T) []state.ClusterKey {
	keys := make([]state.ClusterKey, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, state.ClusterKey.Compare)
	return keys
}
