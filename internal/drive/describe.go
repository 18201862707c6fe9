package drive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
)

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

// spendDescribe takes n calls or none: half of a describe decides nothing.
func (d *Driver) spendDescribe(ctx context.Context, cluster state.ClusterKey, n int) error {
	bucket := bucketOf(cluster, ecsapi.BucketRead, d.Describe)
	wait, err := d.Daemon.TakeCallsTogether(ctx, bucket, n, d.Now())
	if err == nil && wait > 0 {
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
