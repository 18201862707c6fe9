// Package reconcile compares what is stored with what ECS says, and repairs the
// difference.
//
// Events are most of the truth, soon; Describe is all of it, late. Events can be
// lost for good (a broken rule or queue policy, more than 24 hours of outage),
// some changes cause none (attributes, tags), and none exist for what was there
// before Blox: an empty table is filled by the same code as a drifted one.
//
// Diff and HoldBack decide; the rest calls ECS and the table.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Store is the part of the STATE table that reconcile reads and writes.
type Store interface {
	Clusters(ctx context.Context) ([]table.Cluster, error)
	Living(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Record, error)
	GetMany(ctx context.Context, keys []state.Key, consistent bool) ([]state.Record, error)
	Put(ctx context.Context, seen state.Observation, now time.Time) (state.Outcome, error)
	MarkAbsent(ctx context.Context, stored state.Record, now time.Time) error
	PutSync(ctx context.Context, cluster table.Cluster) error
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

// Report counts what a sweep, a pass over a cluster or a describe did.
type Report struct {
	Clusters  int // reconciled
	Skipped   int // clusters that were reconciled already since the sweep was asked for
	Failed    int // clusters whose pass failed
	Listed    int // tasks and container instances
	Missed    int
	Stale     int
	Refreshed int
	Absent    int // marked absent
	Held      int // absent, and held back
}

// Repaired is how many records were written.
func (r Report) Repaired() int { return r.Missed + r.Stale + r.Refreshed + r.Absent }

func (r *Report) add(other Report) {
	r.Clusters += other.Clusters
	r.Skipped += other.Skipped
	r.Failed += other.Failed
	r.Listed += other.Listed
	r.Missed += other.Missed
	r.Stale += other.Stale
	r.Refreshed += other.Refreshed
	r.Absent += other.Absent
	r.Held += other.Held
}

// Sweep reconciles every cluster that ECS or the table knows and that was not
// reconciled since askedAt. A cluster that fails does not keep the others from
// it; the error names each. Asked again with the same askedAt, a sweep does what
// is left.
func (r *Reconciler) Sweep(ctx context.Context, askedAt time.Time) (Report, error) {
	started := r.cfg.Now()
	var report Report
	candidates, err := r.candidates(ctx)
	if err != nil {
		r.measureUnlisted(ctx)
		return report, err
	}
	var failures []error
	m := measures{}
	defer func() { r.measure(m, candidates, report.Held) }()
	for _, c := range candidates {
		if c.before.SyncedAt >= askedAt.UnixMilli() {
			report.Skipped++
			continue
		}
		// What has been done until the time is up stays done, and is skipped when
		// the request is delivered again.
		if err := ctx.Err(); err != nil {
			failures = append(failures, fmt.Errorf("sweep stopped before cluster %s: %w", c.key, err))
			break
		}
		done, err := r.cluster(ctx, c)
		report.add(done)
		m.pass(c, done, err)
		if err != nil {
			report.Failed++
			failures = append(failures, fmt.Errorf("reconciling cluster %s: %w", c.key, err))
		}
	}
	err = errors.Join(failures...)
	r.logSweep(ctx, report, r.cfg.Now().Sub(started), err)
	return report, err
}

// candidate is a cluster to reconcile.
type candidate struct {
	key state.ClusterKey
	// gone: ECS has the cluster no more, so it has nothing in it.
	gone   bool
	before table.Cluster // zero for one that the table does not know
}

// candidates gives the clusters that ECS lists and those that the table knows,
// sorted. Of the latter ECS must say itself that they are gone: a list may be
// wrong or old.
func (r *Reconciler) candidates(ctx context.Context) ([]candidate, error) {
	stored, err := r.cfg.Store.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	byKey := map[state.ClusterKey]*candidate{}
	for _, cluster := range stored {
		if cluster.Key.Account == r.cfg.Account && cluster.Key.Region == r.cfg.Region {
			byKey[cluster.Key] = &candidate{key: cluster.Key, before: cluster}
		}
	}
	arns, err := ecsapi.ListClusterARNs(ctx, r.cfg.ECS)
	if err != nil {
		return nil, err
	}
	listed := map[state.ClusterKey]bool{}
	for _, arn := range arns {
		key, err := state.ClusterKeyFromARN(arn)
		if err != nil {
			return nil, fmt.Errorf("listing clusters: %w", err)
		}
		listed[key] = true
		if byKey[key] == nil {
			byKey[key] = &candidate{key: key}
		}
	}
	var all []candidate
	var unlisted []state.ClusterKey
	for key := range byKey {
		if !listed[key] {
			unlisted = append(unlisted, key)
		}
	}
	slices.SortFunc(unlisted, state.ClusterKey.Compare)
	gone, err := ecsapi.GoneClusters(ctx, r.cfg.ECS, unlisted)
	if err != nil {
		return nil, err
	}
	for _, key := range gone {
		byKey[key].gone = true
	}
	for _, c := range byKey {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b candidate) int { return a.key.Compare(b.key) })
	return all, nil
}

func (r *Reconciler) logSweep(ctx context.Context, report Report, took time.Duration, err error) {
	level, attributes := slog.LevelInfo, append(report.attributes(),
		slog.Int("clusters", report.Clusters), slog.Int("skipped", report.Skipped),
		slog.Int("failed", report.Failed), slog.Int64("durationMillis", took.Milliseconds()))
	if err != nil {
		level = slog.LevelError
		attributes = append(attributes, slog.String("error", err.Error()))
	}
	r.cfg.Logger.LogAttrs(ctx, level, "swept", attributes...)
}

func (r Report) attributes() []slog.Attr {
	return []slog.Attr{
		slog.Int("listed", r.Listed), slog.Int("missed", r.Missed), slog.Int("stale", r.Stale),
		slog.Int("refreshed", r.Refreshed), slog.Int("absent", r.Absent), slog.Int("held", r.Held),
	}
}
