package ingest

import (
	"context"
	"fmt"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// write stores the newest of one key's entries. The others are superseded by it
// once it is stored, or proven to be no news. If it can never be stored, the
// next newest has its turn: what waits in the dead-letter queue must not hide
// what is good. If it may be stored later, the others wait with it.
func (i *Ingester) write(ctx context.Context, entries []*entry) {
	for len(entries) > 0 {
		newest := newestOf(entries)
		i.writeOne(ctx, newest)
		rest := make([]*entry, 0, len(entries)-1)
		for _, e := range entries {
			if e != newest {
				rest = append(rest, e)
			}
		}
		entries = rest
		if newest.fate == dead {
			continue
		}
		for _, e := range entries {
			if newest.fate == failed {
				e.fail(newest.err)
			} else {
				e.fate = superseded
			}
		}
		return
	}
}

// newestOf finds the entry that state.NewestPerKey picks.
func newestOf(entries []*entry) *entry {
	observations := make([]state.Observation, len(entries))
	for k, e := range entries {
		observations[k] = *e.event.Observation
	}
	newest, _ := state.NewestPerKey(observations)
	for _, e := range entries {
		// All are events, of which the first of equal versions wins.
		if e.event.Observation.Version == newest[0].Version {
			return e
		}
	}
	return entries[0]
}

// writeOne decides the fate of an entry that may still be pending.
func (i *Ingester) writeOne(ctx context.Context, e *entry) {
	if e.fate != pending {
		return
	}
	defer e.survive()
	seen := *e.event.Observation
	now := i.cfg.Now()
	if now.Sub(seen.ObservedAt) > state.TombstoneKeptFor {
		// It may be about a task whose tombstone has expired, and would bring it
		// back to life. Where there is a row, its version decides as always.
		rows, err := i.cfg.Store.GetMany(ctx, []state.Key{seen.Key}, true)
		if err != nil {
			e.fail(err)
			return
		}
		if len(rows) == 0 {
			e.event.Hint = &event.Hint{Cluster: seen.Cluster, Kind: seen.Kind, IDs: []string{seen.ID}}
			e.fate = hint
			return
		}
	}
	outcome, err := i.cfg.Store.Put(ctx, seen, now)
	switch {
	case table.Unstorable(err):
		e.die(event.ReasonTooLarge, err)
	case err != nil:
		e.fail(err)
	default:
		e.fate = fateOf(outcome)
	}
}

func fateOf(outcome state.Outcome) fate {
	switch outcome {
	case state.New:
		return stored
	case state.Duplicate:
		return duplicate
	case state.Stale:
		return stale
	default:
		return newer
	}
}

// addClusters makes the clusters of a batch known before anything of them is
// written. A cluster that cannot be added fails its records: lists over all
// clusters would not find them.
func (i *Ingester) addClusters(ctx context.Context, b *batch) {
	refused := map[state.ClusterKey]error{}
	for _, key := range b.keys {
		cluster := key.Cluster
		if _, ok := refused[cluster]; !ok && !i.clusters.has(cluster) {
			err := i.cfg.Store.AddCluster(ctx, cluster)
			refused[cluster] = err
			if err == nil {
				i.clusters.add(cluster)
			}
		}
		if err := refused[cluster]; err != nil {
			for _, e := range b.byKey[key] {
				e.fail(fmt.Errorf("making the cluster known: %w", err))
			}
		}
	}
}
