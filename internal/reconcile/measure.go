package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/table"
)

// unsyncedPeriods is how many periods without a complete pass make a cluster unsynced. It is the scheduler's own bound:
// beyond it nothing is stopped by what is stored.
const unsyncedPeriods = 2

// unsynced says whether a complete pass over the cluster has been due for too long: since the last one, or since the
// cluster was seen.
func (r *Reconciler) unsynced(c table.Cluster) bool {
	since := max(c.SyncedAt, c.SeenAt)
	return since > 0 && r.cfg.Now().Sub(time.UnixMilli(since)) > unsyncedPeriods*r.cfg.Period
}

// measureSweep gives the number of a sweep.
func (r *Reconciler) measureSweep(unsynced int) {
	if unsynced > 0 {
		r.cfg.Logger.Warn("clusters are unsynced", slog.Int("clusters", unsynced),
			slog.String("account", r.cfg.Account), slog.String("region", r.cfg.Region))
	}
	r.cfg.Metrics.Put([]metrics.Value{{Name: metrics.ClustersUnsynced, Value: int64(unsynced)}},
		metrics.Property{Key: "account", Value: r.cfg.Account}, metrics.Property{Key: "region", Value: r.cfg.Region})
}

// measure gives the numbers of a pass, also of one that failed: what it wrote is written. What a first pass stores is
// no drift, for nothing was known before; neither is what changes without an event.
func (p *pass) measure(ctx context.Context, failure error) {
	drift := p.report.drift()
	if p.before.SyncedAt == 0 {
		drift = table.Drift{}
	}
	values := []metrics.Value{
		{Name: metrics.DriftRepaired, Value: int64(drift.Total() - drift.Refreshed)},
		{Name: metrics.RecordsMissed, Value: int64(drift.Missed)},
		{Name: metrics.RecordsStale, Value: int64(drift.Stale)},
		{Name: metrics.RecordsAbsent, Value: int64(drift.Absent)},
		{Name: metrics.RecordsResurrected, Value: int64(drift.Resurrected)},
	}
	if p.report.Unstorable > 0 {
		values = append(values, metrics.Value{Name: metrics.RecordsUnstorable, Value: int64(p.report.Unstorable)})
	}
	switch {
	case failure == nil:
		values = append(values, metrics.Value{Name: metrics.HeldAbsent, Value: int64(p.report.Held)})
	case errors.Is(failure, errFirstGone), ctx.Err() != nil: // the next one decides, or it is delivered again
	default:
		values = append(values, metrics.Value{Name: metrics.ReconcilePassesFailed, Value: 1})
	}
	p.cfg.Metrics.Put(values, metrics.Property{Key: "account", Value: p.cfg.Account},
		metrics.Property{Key: "region", Value: p.cfg.Region}, metrics.Property{Key: "cluster", Value: p.key.String()})
}
