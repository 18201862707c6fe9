package sim

import (
	"context"
	"errors"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// ask begins the lists and reads of people while others write.
func (w *world) ask() {
	var next func()
	next = func() {
		if w.rest.calm {
			return
		}
		if w.reading.IntN(3) == 0 {
			w.get()
		} else {
			w.list()
		}
		w.after(time.Duration(w.reading.ExpFloat64()*float64(w.f.queries)), next)
	}
	w.after(30*time.Second, next)
}

// get reads one thing: what was stored before the read began must be seen.
func (w *world) get() {
	keys := sortedKeys(w.mirror.records)
	if len(keys) == 0 {
		return
	}
	before := w.mirror.records[keys[w.reading.IntN(len(keys))]]
	began := w.now
	w.start("get", func(ctx context.Context) {
		r, err := w.state.Get(ctx, before.Key, w.now)
		switch {
		case errors.Is(err, table.ErrNotFound) && visible(before, began):
			w.violate(7, "%s of version %d was stored, and a read does not find it", before.Key, before.Version)
		case err != nil:
		case r.Version < before.Version:
			w.violate(7, "version %d of %s was stored, and a read gives version %d", before.Version, before.Key, r.Version)
		case !visible(r, began):
			w.violate(7, "a read gives %s, which is out of sight", before.Key)
		default:
			w.met("query: get")
		}
	}, func(bool) {})
}

// lag is how late an index may be at worst.
const lag = 6 * time.Second

// list reads a list page by page. What matched all the while and did not change must be in it exactly once, and what
// changed at least once, but for what an index had not heard of.
func (w *world) list() {
	c := w.choose(w.reading)
	p := paging{limit: 1 + w.reading.IntN(12), consistent: w.reading.IntN(4) == 0}
	if w.reading.IntN(3) == 0 {
		p.sort = w.order(c.kind)
	}
	l := &listing{
		world: w, choice: c, paging: p, began: w.now,
		before: map[state.Key]state.Record{}, times: map[state.Key]int{},
	}
	for key, r := range w.mirror.records { // any order: it is a map again
		if visible(r, w.now) && c.matches(r) {
			l.before[key] = r
		}
	}
	w.start("list", func(ctx context.Context) {
		if l.read(ctx) {
			l.check()
		}
	}, func(bool) {})
}

func (w *world) order(kind state.Kind) table.Sort {
	by := []string{table.SortByCreatedAt, table.SortByStartedAt, table.SortByStoppedAt}[w.reading.IntN(3)]
	if kind == state.KindContainerInstance {
		by = table.SortByRegisteredAt
	}
	return table.Sort{By: by, Descending: w.reading.IntN(2) == 0}
}

// listing is one list.
type listing struct {
	world   *world
	choice  choice
	paging  paging
	began   time.Time
	before  map[state.Key]state.Record // what matched when it began
	times   map[state.Key]int          // how often each was listed
	lagging bool
}

// maxPages bounds a list; the longest have a tenth of them.
const maxPages = 2000

// read reads all pages, and says whether it came to the end.
func (l *listing) read(ctx context.Context) bool {
	w := l.world
	var after table.Position
	for range maxPages {
		asked := w.now
		page, err := l.choice.page(ctx, w.state, l.paging, after, asked)
		if err != nil {
			return false // a fault, and the client begins again
		}
		l.lagging = l.lagging || page.Lagging
		for _, r := range page.Records {
			l.times[r.Key]++
			if !l.choice.matches(r) || !visible(r, asked) {
				w.violate(7, "a list of %s has %s, which does not match or is out of sight", l.choice.name, r.Key)
			}
		}
		if len(page.Records) > l.paging.limit {
			w.violate(7, "a page of %s has %d records, the limit is %d", l.choice.name, len(page.Records), l.paging.limit)
		}
		if after = page.Next; after.IsZero() {
			return true
		}
		if w.reading.IntN(6) == 0 { // the reader thinks
			w.current.pause(time.Duration(w.reading.IntN(3000)) * time.Millisecond)
		}
	}
	w.violate(7, "a list of %s does not come to an end", l.choice.name)
	return false
}

func (l *listing) check() {
	w := l.world
	w.met("query: list")
	since := l.began
	if l.lagging {
		w.met("query: list by an index that may lag")
		since = since.Add(-lag)
	}
	if l.paging.sort.By != "" {
		w.met("query: sorted list")
	}
	for _, key := range sortedKeys(l.before) {
		now, there := w.mirror.records[key]
		if !there || !visible(now, w.now) {
			continue
		}
		changed, n := w.mirror.changed[key], l.times[key]
		switch {
		case changed.Before(since) && n != 1:
			w.violate(7, "a list (%+v) of %s has %s %d times, which did not change meanwhile", l.paging, l.choice.name, key, n)
			return
		case changed.Before(since):
		case !l.lagging && n == 0 && l.paging.sort.By == "" && !l.moves(now):
			w.violate(7, "a list (%+v) of %s misses %s, which changed meanwhile", l.paging, l.choice.name, key)
			return
		case n > 0:
			w.met("query: listed what changed meanwhile")
		}
	}
}

// moves says that what changed may not have matched all the while, or may have been in a walk's back: ECS moves tasks
// forward only, container instances back and forth.
func (l *listing) moves(now state.Record) bool {
	if !l.choice.matches(now) {
		return true
	}
	if now.Kind == state.KindTask {
		// A task that was taken for gone by mistake comes back; a health comes and goes.
		return now.Cluster == crowdKey() || l.choice.tasks.HealthStatus != ""
	}
	return l.choice.instances.Status != "" || l.choice.instances.AgentConnected != nil
}
