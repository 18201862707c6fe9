package reconcile

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
)

// Describe looks at what a request names and stores what differs. What ECS calls
// MISSING is left to the next sweep: being absent takes more than one answer.
func (r *Reconciler) Describe(ctx context.Context, asked request.Request) (Report, error) {
	var report Report
	for _, things := range []struct {
		kind state.Kind
		ids  []string
	}{{state.KindTask, asked.Tasks}, {state.KindContainerInstance, asked.Instances}} {
		if len(things.ids) == 0 {
			continue
		}
		done, err := r.look(ctx, asked.Cluster, things.kind, things.ids)
		report.add(done)
		if err != nil {
			return report, fmt.Errorf("looking at cluster %s: %w", asked.Cluster, err)
		}
	}
	r.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "described what was asked for", report.attributes()...)
	return report, nil
}

func (r *Reconciler) look(ctx context.Context, cluster state.ClusterKey, kind state.Kind, ids []string) (Report, error) {
	seen, _, err := r.describe(ctx, cluster, kind, ids)
	if ecsapi.IsClusterNotFound(err) {
		return Report{}, nil
	}
	if err != nil {
		return Report{}, err
	}
	keys := make([]state.Key, len(seen))
	for i, observation := range seen {
		keys[i] = observation.Key
	}
	stored, err := r.stored(ctx, keys)
	if err != nil {
		return Report{}, err
	}
	if len(stored) < len(seen) {
		// It may be the first that is heard of the cluster.
		if err := r.cfg.Store.AddCluster(ctx, cluster); err != nil {
			return Report{}, err
		}
	}
	report, err := r.repair(ctx, seen, stored)
	report.Listed = len(seen)
	return report, err
}

func (r *Reconciler) describe(ctx context.Context, cluster state.ClusterKey, kind state.Kind, arns []string) ([]state.Observation, []string, error) {
	if kind == state.KindTask {
		return ecsapi.DescribeTasks(ctx, r.cfg.ECS, cluster, arns, r.cfg.Now())
	}
	return ecsapi.DescribeContainerInstances(ctx, r.cfg.ECS, cluster, arns, r.cfg.Now())
}
