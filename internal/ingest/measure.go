package ingest

import (
	"slices"
	"time"

	"github.com/blox/blox/internal/metrics"
)

// measure gives the batch's numbers, all in one line. A batch without news that says its time has no lag, and is
// no sign of health; what does not happen in most batches is left out of the others.
func (i *Ingester) measure(b *batch, lag time.Duration) {
	var values []metrics.Value
	put := func(name metrics.Name, value int) {
		values = append(values, metrics.Value{Name: name, Value: int64(value)})
	}
	if b.tellsLag() {
		// A clock that is behind the one of ECS makes no negative lag.
		put(metrics.EventLagMillis, int(max(0, lag.Milliseconds())))
	}
	n := b.counts()
	if len(b.keys) > 0 {
		put(metrics.EventsStored, n[stored]+n[newer])
	}
	for _, m := range []struct {
		name  metrics.Name
		count int
	}{
		{metrics.EventsDuplicate, n[duplicate]},
		{metrics.EventsStale, n[stale] + n[superseded]},
		{metrics.EventsSetAside, n[dead]},
		{metrics.IngestMessagesFailed, n[failed]},
	} {
		if m.count > 0 {
			put(m.name, m.count)
		}
	}
	if len(values) > 0 {
		i.cfg.Metrics.Put(values)
	}
}

func (b *batch) tellsLag() bool { return slices.ContainsFunc(b.entries, (*entry).tellsLag) }
