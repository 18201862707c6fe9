package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// pass is one comparison of a cluster with ECS.
type pass struct {
	*Reconciler
	candidate
	began time.Time // before the lists

	mu     sync.Mutex
	report Report
}

// cluster makes a pass over one cluster. Only a pass that read everything and
// stored everything says so in the cluster's row.
func (r *Reconciler) cluster(ctx context.Context, c candidate) (Report, error) {
	p := &pass{Reconciler: r, candidate: c, began: r.cfg.Now(), report: Report{Clusters: 1}}
	tasks, absentTasks, err := p.kind(ctx, state.KindTask)
	if err != nil {
		return p.report, err
	}
	instances, absentInstances, err := p.kind(ctx, state.KindContainerInstance)
	if err != nil {
		return p.report, err
	}
	p.report.Held = HoldBack(c.before.Absent, tasks, instances)
	if p.report.Held == 0 {
		if err := p.markAbsent(ctx, append(absentTasks, absentInstances...)); err != nil {
			return p.report, err
		}
	}
	err = r.cfg.Store.PutSync(ctx, table.Cluster{
		Key: c.key, SyncedAt: p.began.UnixMilli(), Absent: p.report.Held, Drift: p.report.Repaired(),
	})
	if err != nil {
		return p.report, err
	}
	p.log(ctx)
	return p.report, nil
}

// kind compares the tasks or the container instances. It repairs all but the
// absences, which it gives back: whether they are believed depends on both.
//
// The living are read before ECS is asked. A record that an event changes in
// between is still safe, since every write has a condition.
func (p *pass) kind(ctx context.Context, kind state.Kind) (Absence, []state.Record, error) {
	living, err := p.cfg.Store.Living(ctx, p.key, kind)
	if err != nil {
		return Absence{}, nil, err
	}
	byKey := make(map[state.Key]state.Record, len(living))
	for _, record := range living {
		byKey[record.Key] = record
	}
	arns, listed, err := p.list(ctx, kind)
	if err != nil {
		return Absence{}, nil, err
	}
	p.count(Report{Listed: len(listed)})
	err = p.forEach(ctx, batches(len(arns)), func(ctx context.Context, n int) error {
		return p.compare(ctx, kind, batch(arns, n), listed, byKey)
	})
	if err != nil {
		return Absence{}, nil, err
	}
	absent, err := p.confirm(ctx, kind, Diff(Listing{Listed: listed}, living, p.began))
	return Absence{Absent: len(absent), Living: len(living)}, absent, err
}

// list gives the ARNs of everything in the cluster. A cluster that is gone has
// nothing in it, and asking for its tasks would be an error.
func (p *pass) list(ctx context.Context, kind state.Kind) ([]string, map[state.Key]bool, error) {
	var arns []string
	var err error
	if !p.gone {
		if kind == state.KindTask {
			arns, err = ecsapi.ListTaskARNs(ctx, p.cfg.ECS, p.key, ecsapi.TaskFilter{})
		} else {
			arns, err = ecsapi.ListContainerInstanceARNs(ctx, p.cfg.ECS, p.key)
		}
	}
	if ecsapi.IsClusterNotFound(err) {
		// It was deleted since it was listed, or this one answer is wrong.
		gone, goneErr := ecsapi.GoneClusters(ctx, p.cfg.ECS, []state.ClusterKey{p.key})
		if goneErr != nil {
			return nil, nil, goneErr
		}
		p.gone = len(gone) > 0
		if p.gone {
			arns, err = nil, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	listed := make(map[state.Key]bool, len(arns))
	for _, arn := range arns {
		key, err := state.KeyOf(kind, p.key.ARN(""), arn)
		if err != nil {
			return nil, nil, fmt.Errorf("listing %ss: %w", kind, err)
		}
		listed[key] = true
	}
	return arns, listed, nil
}

// compare describes a batch of what was listed and repairs what differs.
func (p *pass) compare(ctx context.Context, kind state.Kind, arns []string, listed map[state.Key]bool, living map[state.Key]state.Record) error {
	seen, _, err := p.describe(ctx, p.key, kind, arns)
	if err != nil {
		return err
	}
	stored, err := p.stored(ctx, seen, living)
	if err != nil {
		return err
	}
	report, err := p.repair(ctx, Diff(Listing{Listed: listed, Seen: seen}, stored, p.began))
	p.count(report)
	return err
}

// stored gives what is stored of things, reading what is not among the known.
func (r *Reconciler) stored(ctx context.Context, seen []state.Observation, known map[state.Key]state.Record) ([]state.Record, error) {
	var records []state.Record
	var unknown []state.Key
	for _, observation := range seen {
		if record, ok := known[observation.Key]; ok {
			records = append(records, record)
		} else {
			unknown = append(unknown, observation.Key)
		}
	}
	if len(unknown) == 0 {
		return records, nil
	}
	read, err := r.cfg.Store.GetMany(ctx, unknown, true)
	return append(records, read...), err
}

// repair stores what was seen. The report counts what was written: between the
// comparison and the write an event may have brought the same or something newer.
func (r *Reconciler) repair(ctx context.Context, repairs []Repair) (Report, error) {
	var report Report
	for _, repair := range repairs {
		if repair.Reason == Absent {
			continue
		}
		outcome, err := r.cfg.Store.Put(ctx, repair.Seen, r.cfg.Now())
		if err != nil {
			return report, err
		}
		if !outcome.Written() {
			continue
		}
		switch repair.Reason {
		case Missed:
			report.Missed++
		case Stale:
			report.Stale++
		default:
			report.Refreshed++
		}
	}
	return report, nil
}

func keysOf(seen []state.Observation) map[state.Key]bool {
	keys := make(map[state.Key]bool, len(seen))
	for _, observation := range seen {
		keys[observation.Key] = true
	}
	return keys
}

func (r *Reconciler) describe(ctx context.Context, cluster state.ClusterKey, kind state.Kind, arns []string) ([]state.Observation, []string, error) {
	if kind == state.KindTask {
		return ecsapi.DescribeTasks(ctx, r.cfg.ECS, cluster, arns, r.cfg.Now())
	}
	return ecsapi.DescribeContainerInstances(ctx, r.cfg.ECS, cluster, arns, r.cfg.Now())
}

func (p *pass) count(r Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.add(r)
}

// forEach runs do for 0 to n-1 and ends with the first error.
func (r *Reconciler) forEach(ctx context.Context, n int, do func(ctx context.Context, n int) error) error {
	if r.cfg.Workers <= 1 {
		for i := range n {
			if err := do(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.cfg.Workers)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// batches is how many Describe calls n names take, and batch gives the names of
// one of them.
func batches(n int) int { return (n + ecsapi.BatchSize - 1) / ecsapi.BatchSize }

func batch(arns []string, n int) []string {
	return arns[n*ecsapi.BatchSize : min((n+1)*ecsapi.BatchSize, len(arns))]
}

// log writes the pass's line. Held records want a look: a second pass may agree,
// or ECS answers wrongly.
func (p *pass) log(ctx context.Context) {
	level := slog.LevelInfo
	if p.report.Held > 0 {
		level = slog.LevelWarn
	}
	attributes := append([]slog.Attr{slog.String("cluster", p.key.String()), slog.Bool("gone", p.gone)}, p.report.attributes()...)
	attributes = append(attributes, slog.Int64("durationMillis", p.cfg.Now().Sub(p.began).Milliseconds()))
	if p.before.SyncedAt > 0 {
		attributes = append(attributes, slog.Int64("sinceLastMillis", p.began.UnixMilli()-p.before.SyncedAt))
	}
	p.cfg.Logger.LogAttrs(ctx, level, "reconciled a cluster", attributes...)
}
