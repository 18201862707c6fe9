package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// batchSize is how many things are described and read at once.
const batchSize = ecsapi.BatchSize

// named is a thing that ECS listed.
type named struct {
	key state.Key
	arn string
}

// kind compares the tasks or the container instances. It repairs all but the
// absences, which it gives back: whether they are believed depends on both.
//
// The keys of the living are read before ECS is asked, and every record shortly
// before it is written: a large cluster's records are not held in memory. A record
// that an event changes in between is safe, since every write has a condition.
func (p *pass) kind(ctx context.Context, kind state.Kind) (Absence, []state.Record, error) {
	living, err := p.cfg.Store.LivingKeys(ctx, p.key, kind)
	if err != nil {
		return Absence{}, nil, err
	}
	all, err := p.list(ctx, kind)
	if err != nil {
		return Absence{}, nil, err
	}
	p.count(Report{Listed: len(all)})
	listed := make(map[state.Key]bool, len(all))
	for _, thing := range all {
		listed[thing.key] = true
	}
	todo, err := p.leftOver(ctx, kind, all)
	if err != nil {
		return Absence{}, nil, err
	}
	p.progress.begin(kind)
	err = p.forEach(ctx, batches(len(todo)), func(ctx context.Context, n int) error {
		things := batch(todo, n)
		if err := p.compare(ctx, kind, things); err != nil {
			return err
		}
		return p.reached(ctx, n, things[len(things)-1].key.ID)
	})
	if err != nil {
		return Absence{}, nil, err
	}
	absent, err := p.confirm(ctx, kind, listed, slices.DeleteFunc(living, func(key state.Key) bool { return listed[key] }))
	return Absence{Absent: len(absent), Living: len(living)}, absent, err
}

// list names everything in the cluster, sorted by id. A cluster that is gone has
// nothing in it, and asking for its tasks would be an error.
func (p *pass) list(ctx context.Context, kind state.Kind) ([]named, error) {
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
		if goneErr := p.lookForCluster(ctx); goneErr != nil {
			return nil, goneErr
		}
		if p.gone {
			arns, err = nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	all := make([]named, len(arns))
	for i, arn := range arns {
		key, err := state.KeyOf(kind, p.key.ARN(""), arn)
		if err != nil {
			return nil, fmt.Errorf("listing %ss: %w", kind, err)
		}
		all[i] = named{key, arn}
	}
	slices.SortFunc(all, func(a, b named) int { return cmp.Compare(a.key.ID, b.key.ID) })
	return all, nil
}

// leftOver gives what is still to be compared: everything, but for what a try
// before this one compared, if it is stored. What is not stored came since.
func (p *pass) leftOver(ctx context.Context, kind state.Kind, all []named) ([]named, error) {
	var done []named
	todo := make([]named, 0, len(all))
	for _, thing := range all {
		if p.progress.done(kind, thing.key.ID) {
			done = append(done, thing)
		} else {
			todo = append(todo, thing)
		}
	}
	if len(done) == 0 {
		return all, nil
	}
	found := make([][]named, batches(len(done)))
	err := p.forEach(ctx, len(found), func(ctx context.Context, n int) error {
		stored, err := p.stored(ctx, keysOf(batch(done, n)))
		for _, thing := range batch(done, n) {
			if record, ok := stored[thing.key]; ok {
				p.lives(record)
			} else {
				found[n] = append(found[n], thing)
			}
		}
		return err
	})
	return append(slices.Concat(found...), todo...), err
}

// compare describes a batch of what was listed and repairs what differs.
func (p *pass) compare(ctx context.Context, kind state.Kind, things []named) error {
	arns := make([]string, len(things))
	for i, thing := range things {
		arns[i] = thing.arn
	}
	told, err := p.describe(ctx, p.key, kind, arns)
	if err != nil {
		return err
	}
	stored, err := p.stored(ctx, keysOf(things))
	if err != nil {
		return err
	}
	report, err := p.repair(ctx, told.seen, stored)
	report.Unstorable += told.unusable
	p.count(report)
	for _, key := range keysOf(things) {
		if record, ok := stored[key]; ok {
			p.lives(record)
		}
	}
	return err
}

// stored reads records by key.
func (r *Reconciler) stored(ctx context.Context, keys []state.Key) (map[state.Key]state.Record, error) {
	if len(keys) == 0 {
		return map[state.Key]state.Record{}, nil
	}
	records, err := r.cfg.Store.GetMany(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	byKey := make(map[state.Key]state.Record, len(records))
	for _, record := range records {
		byKey[record.Key] = record
	}
	return byKey, nil
}

// repair stores what was seen and differs, and changes the stored accordingly. The
// report counts what was written: between the comparison and the write an event may
// have brought the same or something newer. What can never be stored is counted and
// left as it is: it must not keep the others from being repaired.
func (r *Reconciler) repair(ctx context.Context, seen []state.Observation, stored map[state.Key]state.Record) (Report, error) {
	listing := Listing{Listed: make(map[state.Key]bool, len(seen)), Seen: seen}
	var records []state.Record
	for _, observation := range seen {
		listing.Listed[observation.Key] = true
		if record, ok := stored[observation.Key]; ok {
			records = append(records, record)
		}
	}
	var report Report
	var unstorable error
	for _, repair := range Diff(listing, records, r.cfg.Now()) {
		outcome, err := r.cfg.Store.Put(ctx, repair.Seen, r.cfg.Now())
		if table.Unstorable(err) {
			report.Unstorable++
			unstorable = cmp.Or(unstorable, err)
			continue
		}
		if err != nil {
			return report, err
		}
		if !outcome.Written() {
			continue
		}
		report.wrote(repair.Reason)
		if next, _, err := state.Apply(repair.Stored, repair.Seen, r.cfg.Now(), 0); err == nil {
			stored[repair.Key] = next
		}
	}
	if unstorable != nil {
		r.logUnstorable(ctx, seen[0].Cluster, report.Unstorable, unstorable)
	}
	return report, nil
}

func (r *Report) wrote(reason Reason) {
	switch reason {
	case Missed:
		r.Missed++
	case Stale:
		r.Stale++
	case Resurrected:
		r.Resurrected++
	case Absent:
		r.Absent++
	default:
		r.Refreshed++
	}
}

func keysOf(things []named) []state.Key {
	keys := make([]state.Key, len(things))
	for i, thing := range things {
		keys[i] = thing.key
	}
	return keys
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

// batches is how many batches n things make, and batch gives one of them.
func batches(n int) int { return (n + batchSize - 1) / batchSize }

func batch[T any](all []T, n int) []T {
	return all[n*batchSize : min((n+1)*batchSize, len(all))]
}
