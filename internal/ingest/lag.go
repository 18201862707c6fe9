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
	// lagEvery is how often lateness is reported while it lasts.
	lagEvery = 10 * time.Second
	// lagOver is how long nothing may have been late before the all-clear is
	// given. SQS has no order: a fresh event comes in the midst of a backlog. It is
	// as long as readers believe a report, so no other process's is cut short by
	// more than a moment.
	lagOver = 2 * time.Minute
	// maxLagRegions bounds the memory of a process.
	maxLagRegions = 1000
)

// lags remembers what this process has reported, by account and region.
type lags struct {
	mu   sync.Mutex
	late map[place]lateness // absent for a place where nothing is late
}

type place struct{ account, region string }

// lateness is when a place was last reported late, and when something was last late there.
type lateness struct{ reported, seen time.Time }

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

// agesByPlace gives the age of each place's oldest event, and the places sorted. Only
// what was news counts, or would have been: a dead letter that was sent back after
// days, and is stored already, does not make what is stored any older.
func agesByPlace(b *batch, now time.Time) (map[place]time.Duration, []place) {
	ages := map[place]time.Duration{}
	var places []place
	for _, e := range b.entries {
		if !e.tellsLag() {
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

// tellsLag says whether a record shows how late what is stored is. One that has to
// come again will be later still.
func (e *entry) tellsLag() bool {
	return !e.event.Time.IsZero() && e.event.Account != "" && (e.fate == stored || e.fate == newer || e.fate == failed)
}

// due says whether a place's age is to be reported: while it is late now and
// then, and once when it has not been late for a while.
func (l *lags) due(p place, age time.Duration, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, late := l.late[p]
	if age < lateAfter {
		return late && now.Sub(last.seen) >= lagOver
	}
	if late {
		last.seen = now
		l.late[p] = last
	}
	return !late || now.Sub(last.reported) >= lagEvery
}

func (l *lags) report(p place, age time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age < lateAfter {
		delete(l.late, p)
		return
	}
	if l.late == nil || len(l.late) >= maxLagRegions {
		l.late = map[place]lateness{}
	}
	l.late[p] = lateness{reported: now, seen: now}
}
