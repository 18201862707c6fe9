package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
)

// unsyncedPeriods is how many periods without a complete pass make a cluster unsynced. It is the scheduler's own bound:
// beyond it nothing is stopped by what is stored.
const unsyncedPeriods = 2

// measures are what a sweep did, as far as people are to be warned of it.
type measures struct {
	synced map[state.ClusterKey]bool // in this sweep
	drift  int
}

// pass counts a pass over a cluster. What a first pass stores is no drift: nothing was known before.
func (m *measures) pass(c candidate, done Report, err error) {
	if err == nil {
		if m.synced == nil {
			m.synced = map[state.ClusterKey]bool{}
		}
		m.synced[c.key] = true
	}
	if c.before.SyncedAt > 0 {
		m.drift += done.Repaired()
	}
}

// measure gives the numbers of a sweep, also of one that failed in part.
func (r *Reconciler) measure(m measures, candidates []candidate, held int) {
	unsynced := 0
	for _, c := range candidates {
		if !m.synced[c.key] && r.unsynced(c.before.SyncedAt) {
			unsynced++
		}
	}
	r.put(unsynced, metrics.Value{Name: metrics.HeldAbsent, Value: int64(held)},
		metrics.Value{Name: metrics.DriftRepaired, Value: int64(m.drift)})
}

// measureUnlisted gives the number of a sweep whose clusters could not be listed: their rows say since when. A place of
// which nothing is stored is one that was never seen.
func (r *Reconciler) measureUnlisted(ctx context.Context) {
	stored, err := r.cfg.Store.Clusters(context.WithoutCancel(ctx))
	if err != nil {
		r.cfg.Logger.WarnContext(ctx, "cannot tell how many clusters are unsynced", "error", err)
		return
	}
	known, unsynced := 0, 0
	for _, cluster := range stored {
		if cluster.Key.Account != r.cfg.Account || cluster.Key.Region != r.cfg.Region {
			continue
		}
		known++
		if r.unsynced(cluster.SyncedAt) {
			unsynced++
		}
	}
	if known == 0 {
		unsynced = 1
	}
	r.put(unsynced)
}

func (r *Reconciler) unsynced(syncedAtMillis int64) bool {
	return r.cfg.Now().Sub(time.UnixMilli(syncedAtMillis)) > unsyncedPeriods*r.cfg.Period
}

func (r *Reconciler) put(unsynced int, others ...metrics.Value) {
	if unsynced > 0 {
		r.cfg.Logger.Warn("clusters are unsynced", slog.Int("clusters", unsynced),
			slog.String("account", r.cfg.Account), slog.String("region", r.cfg.Region))
	}
	r.cfg.Metrics.Put(append([]metrics.Value{{Name: metrics.ClustersUnsynced, Value: int64(unsynced)}}, others...),
		metrics.Property{Key: "account", Value: r.cfg.Account}, metrics.Property{Key: "region", Value: r.cfg.Region})
}
