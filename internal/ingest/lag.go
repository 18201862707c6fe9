package ingest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/blox/blox/internal/table"
)

const (
	// lateAfter is how old an event may be before it counts as late. Normally
	// one is stored within a second; events have whole seconds.
	lateAfter = time.Minute
	// lagEvery is how often lateness is reported while it lasts. Readers believe
	// a report for two minutes.
	lagEvery = 10 * time.Second
	// maxLagRegions bounds the memory of a process.
	maxLagRegions = 1000
)

// lags remembers what this process has reported, by account and region.
type lags struct {
	mu       sync.Mutex
	reported map[place]time.Time // when a place was last reported late; absent while it is not
}

type place struct{ account, region string }

// reportLag stores how late the events of this batch are, since whoever stops
// tasks must know when what is stored is old. It gives the age of the oldest.
func (i *Ingester) reportLag(ctx context.Context, b *batch) time.Duration {
	now := i.cfg.Now()
	ages, places := agesByPlace(b, now)
	var oldest time.Duration
	for _, p := range places {
		age := ages[p]
		oldest = max(oldest, age)
		if !i.lags.due(p, age, now) {
			continue
		}
		err := i.cfg.Store.PutLag(ctx, p.account, p.region, table.Lag{Millis: age.Milliseconds(), At: now.UnixMilli()})
		if err != nil {
			// The events themselves are stored. The next batch tries again.
			i.cfg.Logger.WarnContext(ctx, "cannot report the lag of events", "account", p.account, "region", p.region, "error", err)
			continue
		}
		i.lags.report(p, age, now)
	}
	return oldest
}

// agesByPlace gives the age of each place's oldest event, and the places sorted.
func agesByPlace(b *batch, now time.Time) (map[place]time.Duration, []place) {
	ages := map[place]time.Duration{}
	var places []place
	for _, e := range b.entries {
		if e.event.Time.IsZero() {
			continue
		}
		p := place{e.event.Account, e.event.Region}
		if _, ok := ages[p]; !ok {
			places = append(places, p)
		}
		ages[p] = max(ages[p], now.Sub(e.event.Time))
	}
	slices.SortFunc(places, func(a, b place) int {
		return strings.Compare(a.account+"/"+a.region, b.account+"/"+b.region)
	})
	return ages, places
}

// due says whether a place's age is to be reported: while it is late now and
// then, and once when it no longer is.
func (l *lags) due(p place, age time.Duration, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, late := l.reported[p]
	if age < lateAfter {
		return late
	}
	return !late || now.Sub(last) >= lagEvery
}

func (l *lags) report(p place, age time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age < lateAfter {
		delete(l.reported, p)
		return
	}
	if l.reported == nil || len(l.reported) >= maxLagRegions {
		l.reported = map[place]time.Time{}
	}
	l.reported[p] = now
}
