package reconcile

import (
	"context"
	"errors"
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
	told, err := r.describe(ctx, cluster, kind, ids)
	if ecsapi.IsClusterNotFound(err) {
		return Report{}, nil
	}
	if err != nil {
		return Report{}, err
	}
	keys := make([]state.Key, len(told.seen))
	for i, observation := range told.seen {
		keys[i] = observation.Key
	}
	stored, err := r.stored(ctx, keys)
	if err != nil {
		return Report{}, err
	}
	if len(stored) < len(told.seen) {
		// It may be the first that is heard of the cluster.
		if err := r.cfg.Store.AddCluster(ctx, cluster); err != nil {
			return Report{}, err
		}
	}
	report, err := r.repair(ctx, told.seen, stored)
	report.Listed = len(told.seen)
	report.Unstorable += told.unusable
	return report, err
}

// description is what ECS says of some things.
type description struct {
	seen     []state.Observation
	missing  []string // ARNs
	unusable int      // neither, whatever happens: they are as they were
}

// describe asks ECS. What it cannot say of one thing is no reason to know nothing of the others.
func (r *Reconciler) describe(ctx context.Context, cluster state.ClusterKey, kind state.Kind, arns []string) (description, error) {
	ask := ecsapi.DescribeContainerInstances
	if kind == state.KindTask {
		ask = ecsapi.DescribeTasks
	}
	seen, missing, err := ask(ctx, r.cfg.ECS, cluster, arns, r.cfg.Now())
	told := description{seen: seen, missing: missing}
	var unusable *ecsapi.UnusableError
	if errors.As(err, &unusable) {
		told.unusable = len(unusable.Things)
		r.logUnstorable(ctx, cluster, told.unusable, unusable.Things[0])
		err = nil
	}
	return told, err
}

// logUnstorable tells of records that stay as they are, and why the first of them does.
func (r *Reconciler) logUnstorable(ctx context.Context, cluster state.ClusterKey, n int, first error) {
	r.cfg.Logger.WarnContext(ctx, "records can never be stored as ECS has them", "cluster", cluster.String(), "records", n, "error", first)
}
