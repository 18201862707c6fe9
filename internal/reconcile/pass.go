package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// kinds are what a pass compares, in this order.
var kinds = []state.Kind{state.KindTask, state.KindContainerInstance}

// pass is one comparison of a cluster with ECS.
type pass struct {
	*Reconciler
	key    state.ClusterKey
	before table.Cluster
	// gone: ECS has the cluster no more, so it has nothing in it.
	gone bool
	// began is when the pass began, the tries before this one included; tried is
	// when this one did, before its lists.
	began, tried time.Time

	mu          sync.Mutex
	report      Report // of this try
	progress    progress
	living      map[state.Kind][]state.Record // as they are after the repair; of tasks, what a summary needs
	lastEventAt time.Time                     // of anything that was looked at, ended or not
	hasDaemons  bool                          // known with the summary
}

// Cluster makes a pass over a cluster, unless one that began since asked.At is
// complete. A pass that was broken off lately goes on where it stopped; if it began
// before asked.At, another one follows. A pass that is the first to find the cluster
// gone changes nothing and is not complete, which is no error: the next one decides.
func (r *Reconciler) Cluster(ctx context.Context, asked request.Request) (Report, error) {
	var total Report
	before, reached, err := r.cfg.Store.Progress(ctx, asked.Cluster)
	if err != nil {
		return total, err
	}
	// Where clocks differ, what was asked for may lie ahead of this one: two passes are enough in any case.
	for range 2 {
		if before.SyncedAt >= asked.At.UnixMilli() {
			break
		}
		p := r.newPass(before, reached)
		row, err := p.run(ctx, asked.Unlisted)
		p.measure(ctx, err)
		total.add(p.report)
		if errors.Is(err, errFirstGone) {
			return total, p.seeGone(ctx)
		}
		if err != nil {
			p.saveBrokenOff(ctx)
			return total, fmt.Errorf("reconciling cluster %s: %w", p.key, err)
		}
		before, reached = row, table.Checkpoint{}
	}
	if total.Clusters == 0 {
		total.Skipped = 1
	}
	return total, nil
}

func (r *Reconciler) newPass(before table.Cluster, reached table.Checkpoint) *pass {
	now := r.cfg.Now()
	p := &pass{
		Reconciler: r, key: before.Key, before: before, began: now, tried: now,
		living: map[state.Kind][]state.Record{},
	}
	// What was compared longer ago says too little about now.
	resumeFor := max(minResumeFor, unsyncedPeriods*r.cfg.Period)
	if began := time.UnixMilli(reached.BeganAt); reached.BeganAt > 0 && now.Sub(began) < resumeFor {
		p.began, p.progress.resumed = began, reached
	}
	return p
}

// run makes the pass. Only one that read everything and stored everything says so
// in the cluster's row, which is given back.
func (p *pass) run(ctx context.Context, unlisted bool) (table.Cluster, error) {
	if unlisted {
		if err := p.lookForCluster(ctx); err != nil {
			return p.before, err
		}
	}
	var absences []Absence
	var candidates []state.Record
	for _, kind := range kinds {
		absence, absent, err := p.kind(ctx, kind)
		if err != nil {
			return p.before, err
		}
		absences, candidates = append(absences, absence), append(candidates, absent...)
	}
	previous := Held{Records: p.before.HeldBack, Since: time.UnixMilli(p.before.HeldSince)}
	held := HoldBack(previous, p.tried, absences...)
	p.report.Held = held.Records
	if held.Records > 0 {
		for _, record := range candidates {
			p.lives(record)
		}
	} else if err := p.markAbsent(ctx, candidates); err != nil {
		return p.before, err
	}
	row := p.row(held)
	// Who asks for a cluster that never was does not make it known.
	if row.Name != "" {
		if err := p.cfg.Store.PutSync(ctx, row); err != nil {
			return p.before, err
		}
	}
	p.report.Clusters = 1
	p.measureIdle(*row.Summary)
	p.log(ctx)
	return row, nil
}

// row is what a complete pass says of the cluster. It has no name if the cluster
// never was.
func (p *pass) row(held Held) table.Cluster {
	row := table.Cluster{
		Key: p.key, Name: p.key.String(), SyncedAt: p.began.UnixMilli(), HeldBack: held.Records,
		Drift:      sum(p.progress.resumed.Drift, p.report.drift()),
		Unstorable: p.progress.resumed.Unstorable + p.report.Unstorable,
	}
	if held.Records > 0 {
		row.HeldSince = held.Since.UnixMilli()
	}
	if p.gone {
		row.Name, row.GoneAt = p.before.Name, p.before.GoneAt
	}
	row.Summary = p.summary()
	return row
}

func sum(a, b table.Drift) table.Drift {
	return table.Drift{
		Missed: a.Missed + b.Missed, Stale: a.Stale + b.Stale, Refreshed: a.Refreshed + b.Refreshed,
		Absent: a.Absent + b.Absent, Resurrected: a.Resurrected + b.Resurrected,
	}
}

func (p *pass) count(r Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.add(r)
}

// log writes the pass's line. Held records want a look: a second pass may agree,
// or ECS answers wrongly.
func (p *pass) log(ctx context.Context) {
	level := slog.LevelInfo
	if p.report.Held > 0 {
		level = slog.LevelWarn
	}
	attributes := append([]slog.Attr{slog.String("cluster", p.key.String()), slog.Bool("gone", p.gone)}, p.report.attributes()...)
	attributes = append(attributes, slog.Int64("durationMillis", p.cfg.Now().Sub(p.tried).Milliseconds()))
	if p.began.Before(p.tried) {
		attributes = append(attributes, slog.Int64("resumedAfterMillis", p.tried.Sub(p.began).Milliseconds()))
	}
	if p.before.SyncedAt > 0 {
		attributes = append(attributes, slog.Int64("sinceLastMillis", p.began.UnixMilli()-p.before.SyncedAt))
	}
	p.cfg.Logger.LogAttrs(ctx, level, "reconciled a cluster", attributes...)
}
