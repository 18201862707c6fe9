// Package reconcile compares what is stored with what ECS says, and repairs the
// difference.
//
// Events are most of the truth, soon; Describe is all of it, late. Events can be
// lost for good (a broken rule or queue policy, more than 24 hours of outage),
// some changes cause none (attributes, tags), and none exist for what was there
// before Blox: an empty table is filled by the same code as a drifted one.
//
// A sweep finds the clusters and asks for a pass over each. Diff and HoldBack
// decide what a pass does; the rest calls ECS and the table.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Store is the part of the STATE table that reconcile reads and writes.
type Store interface {
	Clusters(ctx context.Context) ([]table.Cluster, error)
	ClusterVisible(cluster table.Cluster, now time.Time) bool
	Progress(ctx context.Context, key state.ClusterKey) (table.Cluster, table.Checkpoint, error)
	LivingKeys(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Key, error)
	GetMany(ctx context.Context, keys []state.Key, consistent bool) ([]state.Record, error)
	Put(ctx context.Context, seen state.Observation, now time.Time) (state.Outcome, error)
	MarkAbsent(ctx context.Context, stored state.Record, now time.Time) error
	PutCheckpoint(ctx context.Context, reached table.Checkpoint) error
	PutSync(ctx context.Context, cluster table.Cluster) error
	SeeCluster(ctx context.Context, key state.ClusterKey, at time.Time) error
	SeeGone(ctx context.Context, key state.ClusterKey, at time.Time) error
	AddCluster(ctx context.Context, key state.ClusterKey) error
}

var _ Store = (*table.State)(nil)

// Config is what a Reconciler needs.
type Config struct {
	// ECS is of Account and Region.
	ECS             ecsapi.API
	Account, Region string
	Store           Store
	Now             func() time.Time
	// Workers is how many batches are described and written at the same time;
	// with 1 everything happens in the caller's goroutine, in a fixed order.
	Workers int
	// Period is how often a sweep is asked for; a cluster that was not reconciled for two of them counts as unsynced.
	Period  time.Duration
	Metrics metrics.Sink
	Logger  *slog.Logger
}

// Reconciler reconciles one account and region.
type Reconciler struct {
	cfg Config
}

// New makes a Reconciler.
func New(cfg Config) *Reconciler { return &Reconciler{cfg: cfg} }

// Report counts what passes over clusters or a describe did.
type Report struct {
	Clusters int // reconciled completely
	Skipped  int // clusters that were reconciled already since it was asked for
	Listed   int // tasks and container instances
	// What was written: see table.Drift.
	Missed, Stale, Refreshed, Absent, Resurrected int
	Held                                          int // absent, and held back
	Unstorable                                    int // not described or not written, and never will be
}

// Repaired is how many records were written.
func (r Report) Repaired() int { return r.drift().Total() }

func (r Report) drift() table.Drift {
	return table.Drift{Missed: r.Missed, Stale: r.Stale, Refreshed: r.Refreshed, Absent: r.Absent, Resurrected: r.Resurrected}
}

func (r *Report) add(other Report) {
	r.Clusters += other.Clusters
	r.Skipped += other.Skipped
	r.Listed += other.Listed
	r.Missed += other.Missed
	r.Stale += other.Stale
	r.Refreshed += other.Refreshed
	r.Absent += other.Absent
	r.Resurrected += other.Resurrected
	r.Held += other.Held
	r.Unstorable += other.Unstorable
}

func (r Report) attributes() []slog.Attr {
	return []slog.Attr{
		slog.Int("listed", r.Listed), slog.Int("missed", r.Missed), slog.Int("stale", r.Stale),
		slog.Int("refreshed", r.Refreshed), slog.Int("absent", r.Absent), slog.Int("resurrected", r.Resurrected),
		slog.Int("held", r.Held), slog.Int("unstorable", r.Unstorable),
	}
}
