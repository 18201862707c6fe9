package ingest

import (
	"time"

	"github.com/blox/blox/internal/metrics"
)

// measure gives the batch's numbers. A batch without an event that says its time has no lag, and is no sign of health.
func (i *Ingester) measure(b *batch, lag time.Duration) {
	var values []metrics.Value
	for _, e := range b.entries {
		if !e.event.Time.IsZero() {
			// A clock that is behind the one of ECS makes no negative lag.
			values = append(values, metrics.Value{Name: metrics.EventLagMillis, Value: max(0, lag.Milliseconds())})
			break
		}
	}
	if n := len(b.each(dead)); n > 0 {
		values = append(values, metrics.Value{Name: metrics.EventsSetAside, Value: int64(n)})
	}
	if len(values) > 0 {
		i.cfg.Metrics.Put(values)
	}
}
