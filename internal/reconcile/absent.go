package reconcile

import (
	"context"
	"errors"
	"strings"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// confirm asks ECS for each absent record by name. What it describes after all
// is repaired; what it calls MISSING is given back.
func (p *pass) confirm(ctx context.Context, kind state.Kind, candidates []Repair) ([]state.Record, error) {
	byID := make(map[string]state.Record, len(candidates))
	byKey := make(map[state.Key]state.Record, len(candidates))
	arns := make([]string, len(candidates))
	all := make([]state.Record, len(candidates))
	for i, c := range candidates {
		byID[c.Key.ID], byKey[c.Key] = c.Stored, c.Stored
		arns[i], all[i] = c.Stored.ARN, c.Stored
	}
	if p.gone {
		return all, nil
	}
	confirmed := make([][]state.Record, batches(len(arns)))
	err := p.forEach(ctx, len(confirmed), func(ctx context.Context, n int) error {
		seen, missing, err := p.describe(ctx, p.key, kind, batch(arns, n))
		if err != nil {
			return err
		}
		for _, arn := range missing {
			// ECS may spell the ARN in another form than the record does.
			if record, ok := byID[arn[strings.LastIndexByte(arn, '/')+1:]]; ok {
				confirmed[n] = append(confirmed[n], record)
			}
		}
		stored, err := p.stored(ctx, seen, byKey)
		if err != nil {
			return err
		}
		report, err := p.repair(ctx, Diff(Listing{Listed: keysOf(seen), Seen: seen}, stored, p.began))
		p.count(report)
		return err
	})
	var absent []state.Record
	for _, records := range confirmed {
		absent = append(absent, records...)
	}
	return absent, err
}

// markAbsent buries what is gone, unless it changed since it was read.
func (p *pass) markAbsent(ctx context.Context, records []state.Record) error {
	return p.forEach(ctx, len(records), func(ctx context.Context, n int) error {
		err := p.cfg.Store.MarkAbsent(ctx, records[n], p.cfg.Now())
		if errors.Is(err, table.ErrConflict) {
			return nil
		}
		if err == nil {
			p.count(Report{Absent: 1})
		}
		return err
	})
}
