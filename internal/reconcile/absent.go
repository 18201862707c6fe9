package reconcile

import (
	"context"
	"errors"
	"strings"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// confirm reads what is stored as living and was not listed, and asks ECS by name
// for what is long enough so. What it describes after all is repaired; what it calls
// MISSING is given back.
func (p *pass) confirm(ctx context.Context, kind state.Kind, listed map[state.Key]bool, unlisted []state.Key) ([]state.Record, error) {
	confirmed := make([][]state.Record, batches(len(unlisted)))
	err := p.forEach(ctx, len(confirmed), func(ctx context.Context, n int) (err error) {
		confirmed[n], err = p.confirmBatch(ctx, kind, listed, batch(unlisted, n))
		return err
	})
	var absent []state.Record
	for _, records := range confirmed {
		absent = append(absent, records...)
	}
	return absent, err
}

func (p *pass) confirmBatch(ctx context.Context, kind state.Kind, listed map[state.Key]bool, keys []state.Key) ([]state.Record, error) {
	stored, err := p.stored(ctx, keys)
	if err != nil {
		return nil, err
	}
	records := make([]state.Record, 0, len(stored))
	for _, key := range keys {
		if record, ok := stored[key]; ok {
			records = append(records, record)
		}
	}
	candidates := Diff(Listing{Listed: listed}, records, p.tried)
	absent, err := p.missing(ctx, kind, candidates, stored)
	if err != nil {
		return nil, err
	}
	for _, record := range absent {
		p.sawEvent(record)
		delete(stored, record.Key) // it lives if it is held back, which is not known yet
	}
	for _, key := range keys {
		if record, ok := stored[key]; ok {
			p.lives(record)
		}
	}
	return absent, nil
}

// missing gives the candidates that ECS calls MISSING, and repairs the others.
func (p *pass) missing(ctx context.Context, kind state.Kind, candidates []Repair, stored map[state.Key]state.Record) ([]state.Record, error) {
	byID := make(map[string]state.Record, len(candidates))
	arns := make([]string, len(candidates))
	all := make([]state.Record, len(candidates))
	for i, c := range candidates {
		byID[c.Key.ID], arns[i], all[i] = c.Stored, c.Stored.ARN, c.Stored
	}
	if p.gone || len(candidates) == 0 {
		return all, nil
	}
	told, err := p.describe(ctx, p.key, kind, arns)
	if err != nil {
		return nil, err
	}
	var absent []state.Record
	for _, arn := range told.missing {
		// ECS may spell the ARN in another form than the record does.
		if record, ok := byID[arn[strings.LastIndexByte(arn, '/')+1:]]; ok {
			absent = append(absent, record)
		}
	}
	report, err := p.repair(ctx, told.seen, stored)
	report.Unstorable += told.unusable
	p.count(report)
	return absent, err
}

// markAbsent buries what is gone, unless it changed since it was read.
func (p *pass) markAbsent(ctx context.Context, records []state.Record) error {
	return p.forEach(ctx, len(records), func(ctx context.Context, n int) error {
		err := p.cfg.Store.MarkAbsent(ctx, records[n], p.cfg.Now())
		if errors.Is(err, table.ErrConflict) {
			p.lives(records[n])
			return nil
		}
		if table.Unstorable(err) {
			p.logUnstorable(ctx, p.key, 1, err)
			p.count(Report{Unstorable: 1})
			p.lives(records[n])
			return nil
		}
		if err == nil {
			p.count(Report{Absent: 1})
		}
		return err
	})
}
