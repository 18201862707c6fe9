package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Sweep asks for a pass over every cluster that ECS or the table knows and that was
// not reconciled since askedAt, and gives their number. The clusters that were
// reconciled the longest ago come first. When ECS does not list its clusters, the
// known ones are reconciled all the same, and the error says so; neither does one
// whose row cannot be written keep the others from their pass.
func (r *Reconciler) Sweep(ctx context.Context, to queue.Sender, askedAt time.Time) (asked int, err error) {
	stored, err := r.cfg.Store.Clusters(ctx)
	if err != nil {
		return 0, err
	}
	listed, listErr := r.listed(ctx)
	failures := []error{listErr}
	due := r.due(stored, listed)
	unsynced := 0
	var requests []request.Cluster
	for _, c := range due {
		if c.SeenAt == 0 && c.SyncedAt == 0 {
			failures = append(failures, r.cfg.Store.SeeCluster(ctx, c.Key, r.cfg.Now()))
		}
		if r.unsynced(c) {
			unsynced++
		}
		if c.SyncedAt < askedAt.UnixMilli() {
			requests = append(requests, request.Cluster{Key: c.Key, Unlisted: listErr == nil && !listed[c.Key]})
		}
	}
	if listErr != nil && len(due) == 0 {
		unsynced = 1 // a place that was never seen
	}
	r.measureSweep(unsynced)
	if err := request.SendClusters(ctx, to, requests, askedAt); err != nil {
		return 0, errors.Join(append(failures, err)...)
	}
	r.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "asked for passes over clusters", slog.Int("clusters", len(requests)),
		slog.Int("skipped", len(due)-len(requests)), slog.Int("unsynced", unsynced),
		slog.String("account", r.cfg.Account), slog.String("region", r.cfg.Region))
	return len(requests), errors.Join(failures...)
}

// listed names the clusters that ECS lists.
func (r *Reconciler) listed(ctx context.Context) (map[state.ClusterKey]bool, error) {
	arns, err := ecsapi.ListClusterARNs(ctx, r.cfg.ECS)
	if err != nil {
		return nil, err
	}
	listed := make(map[state.ClusterKey]bool, len(arns))
	for _, arn := range arns {
		key, err := state.ClusterKeyFromARN(arn)
		if err != nil {
			return nil, fmt.Errorf("listing clusters: %w", err)
		}
		listed[key] = true
	}
	return listed, nil
}

// due gives the clusters of the place that are listed, and those that are not and
// may still be seen: of these ECS must say itself that they are gone, for a list
// may be wrong or old. A cluster that the table does not know has its key only.
func (r *Reconciler) due(stored []table.Cluster, listed map[state.ClusterKey]bool) []table.Cluster {
	var due []table.Cluster
	known := map[state.ClusterKey]bool{}
	for _, c := range stored {
		if c.Key.Account != r.cfg.Account || c.Key.Region != r.cfg.Region {
			continue
		}
		known[c.Key] = true
		if listed[c.Key] || r.cfg.Store.ClusterVisible(c, r.cfg.Now()) {
			due = append(due, c)
		}
	}
	for key := range listed {
		if !known[key] {
			due = append(due, table.Cluster{Key: key})
		}
	}
	slices.SortFunc(due, func(a, b table.Cluster) int {
		return cmp.Or(cmp.Compare(a.SyncedAt, b.SyncedAt), a.Key.Compare(b.Key))
	})
	return due
}
