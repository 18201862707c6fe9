package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// reader is who watches: it does what the documentation tells readers to do, and no more. It lists or takes a snapshot,
// watches by streams and by polls, is cut off anywhere, and goes on from its last position, or from an older one. What
// it holds at last must be what a fresh list gives: invariant 7.
type reader struct {
	world  *world
	number int
	choice choice

	has   map[state.Key]state.Record
	stale map[state.Key]bool // during a snapshot: what was not told again
	// seen is the highest version of each thing that it ever was told.
	seen     map[state.Key]int64
	position string
	skip     int      // of what polls had begun to tell after the position
	kept     []string // older positions
	asleep   *sleeper
	watching bool
	// slow: it takes seconds for whatever it is told in this session.
	slow bool
	// done says that the last session ended as it should, with everything at rest.
	done bool
}

// sleeper is a reader as it once was: the one that goes on from there after days.
type sleeper struct {
	has      map[state.Key]state.Record
	position string
}

const (
	// keptPositions are remembered to go back to.
	keptPositions = 4
	// finishWithin bounds how long readers may take to come to the end.
	finishWithin = 15 * time.Minute
)

// read begins the readers' and the askers' work.
func (w *world) read() {
	for n := range w.f.readers {
		r := &reader{
			world: w, number: n, choice: w.choose(w.reading), has: map[state.Key]state.Record{}, seen: map[state.Key]int64{},
		}
		w.readers = append(w.readers, r)
		w.note("reader %d watches %s", n, r.choice.name)
		w.after(time.Duration(w.reading.IntN(300))*time.Second, r.connect)
	}
	if w.f.queries > 0 {
		w.ask()
	}
}

// connect runs a session, and then another one after a while.
func (r *reader) connect() {
	w := r.world
	if w.rest.calm {
		return // it is led to the end by checkReaders
	}
	r.start(r.session, func() {
		away := time.Duration(w.reading.IntN(20_000)) * time.Millisecond
		if w.reading.IntN(4) == 0 {
			away = time.Duration(w.reading.IntN(300)) * time.Second
		}
		w.after(away, r.connect)
	})
}

func (r *reader) start(session func(context.Context) error, then func()) {
	r.watching = true
	var err error
	r.world.start("watch", func(ctx context.Context) { err = session(ctx) }, func(crashed bool) {
		r.watching = false
		if crashed {
			err = errLost
		}
		r.recover(err)
		then()
	})
}

// recover is what a reader does after a session: it goes on from its position, or begins again.
func (r *reader) recover(err error) {
	switch {
	case errors.Is(err, table.ErrExpired):
		r.world.met("watch: position expired")
		r.forget()
	case errors.Is(err, watch.ErrSnapshotTooLarge):
		r.world.met("watch: snapshot not complete in time")
		r.forget()
	case r.stale != nil: // cut off within a snapshot
		r.world.met("watch: cut off within a snapshot")
		r.forget()
	}
}

func (r *reader) forget() { r.position, r.skip, r.stale, r.kept = "", 0, nil, nil }

var errLeft = errors.New("the reader went away")

// wake makes the reader what it was when it fell asleep.
func (r *reader) wake() {
	if r.asleep == nil {
		return
	}
	r.world.met("watch: wakes up after days")
	r.has, r.position, r.skip, r.stale, r.kept, r.asleep = r.asleep.has, r.asleep.position, 0, nil, nil, nil
}

// watcher is one process of the API's function.
func (w *world) watcher() *watch.Watcher {
	return &watch.Watcher{State: w.state, Feed: table.NewFeed(w.db, stateTable, w.clock), Now: w.clock, Wait: w.sleep}
}

func (r *reader) session(ctx context.Context) error {
	w := r.world
	lasts := time.Duration(1+w.reading.IntN(45)) * time.Second
	r.slow = w.reading.IntN(4) == 0
	if r.position != "" && r.asleep == nil && w.reading.IntN(4) == 0 {
		r.asleep = &sleeper{maps.Clone(r.has), r.position}
	}
	switch {
	case w.reading.IntN(12) == 0:
		w.met("watch: begins anew")
		r.forget()
		r.slow = r.slow || w.reading.IntN(2) == 0 // so that there is time for changes during the snapshot
	case r.position == "" && w.reading.IntN(2) == 0:
		if err := r.list(ctx); err != nil || r.position == "" {
			return err
		}
	case len(r.kept) > 0 && w.reading.IntN(6) == 0:
		w.met("watch: from an older position")
		r.position, r.skip = r.kept[w.reading.IntN(len(r.kept))], 0
	}
	if r.position != "" && w.reading.IntN(5) < 2 {
		for range 1 + w.reading.IntN(4) {
			if err := r.poll(ctx, lasts); err != nil {
				return err
			}
		}
		return nil
	}
	lines := 1 + w.reading.IntN([]int{10, 200}[w.reading.IntN(2)])
	return r.stream(ctx, lasts, func() error {
		if lines--; lines < 0 {
			w.met("watch: reader leaves within a stream")
			return errLeft
		}
		return nil
	})
}

func (r *reader) from() *table.FeedPosition {
	if r.position == "" {
		return nil
	}
	position, err := table.ParseFeedPosition(r.position)
	if err != nil {
		panic(fmt.Sprintf("sim: position %q was told: %v", r.position, err))
	}
	return &position
}

// stream watches by one stream. more is asked before every line.
func (r *reader) stream(ctx context.Context, lasts time.Duration, more func() error) error {
	w, from := r.world, r.from()
	r.skip = 0
	stream, err := w.watcher().Open(ctx, watch.Request{
		Selection: r.choice.selection(), From: from, Snapshot: from == nil, Until: w.now.Add(lasts),
	})
	if err != nil {
		return err
	}
	return stream.Run(ctx, func(lines []watch.Line) error {
		if r.slow {
			w.met("watch: slow reader")
			w.current.pause(time.Duration(w.reading.IntN(12_000)) * time.Millisecond)
		}
		for _, line := range lines {
			if err := more(); err != nil {
				return err
			}
			r.take(line)
		}
		return nil
	})
}

// poll asks once. The answer may be lost on its way.
func (r *reader) poll(ctx context.Context, lasts time.Duration) error {
	w := r.world
	maxBytes := 0
	if w.reading.IntN(3) == 0 {
		maxBytes = 2000
	}
	polled, err := w.watcher().Poll(ctx, watch.PollRequest{
		Selection: r.choice.selection(), From: *r.from(), Skip: r.skip,
		Until: w.now.Add(min(lasts, 25*time.Second)), MaxBytes: maxBytes,
	})
	if err != nil {
		return err
	}
	if !w.rest.calm && w.reading.IntN(12) == 0 {
		w.met("watch: answer of a poll lost")
		return nil
	}
	w.met("watch: poll")
	for _, line := range polled.Lines {
		r.take(line)
	}
	r.remember()
	r.position, r.skip = polled.Position.String(), polled.Skip
	return nil
}

// list is the other way to begin: a list, whose position was read before its first page. Lists by an index that lags
// have none, so that a snapshot follows.
func (r *reader) list(ctx context.Context) error {
	w := r.world
	position, err := w.watcher().Feed.Position(ctx)
	if err != nil {
		return err
	}
	p := paging{limit: 1 + w.reading.IntN(30)}
	listed := map[state.Key]state.Record{}
	var after table.Position
	for {
		page, err := r.choice.page(ctx, w.state, p, after, w.now)
		if err != nil {
			return err
		}
		if page.Lagging {
			w.met("watch: list without a position")
			return nil
		}
		for _, record := range page.Records {
			listed[record.Key] = record
		}
		if after = page.Next; after.IsZero() {
			break
		}
	}
	w.met("watch: list")
	r.has = map[state.Key]state.Record{}
	for _, key := range sortedKeys(listed) {
		r.hold(listed[key])
	}
	r.position = position
	return nil
}

func (r *reader) take(line watch.Line) {
	w := r.world
	switch line.Type {
	case watch.Snapshot:
		w.met("watch: snapshot")
		r.stale = map[state.Key]bool{}
		for key := range r.has {
			r.stale[key] = true
		}
	case watch.Updated:
		delete(r.stale, line.Key)
		r.hold(*line.Record)
	case watch.Deleted:
		if _, has := r.has[line.Key]; has {
			w.met("watch: told what left the filter")
		}
		delete(r.has, line.Key)
	case watch.Bookmark:
		for key := range r.stale {
			w.met("watch: told by a snapshot what left the filter")
			delete(r.has, key)
		}
		r.stale = nil
	}
	if line.Position != "" && line.Position != r.position {
		r.remember()
		r.position = line.Position
	}
}

// hold keeps what was told. It must match, and be no older than what was told before.
func (r *reader) hold(record state.Record) {
	if !r.choice.matches(record) {
		r.world.violate(7, "reader %d of %s was told %s, which does not match", r.number, r.choice.name, record.Key)
	}
	if !visible(record, r.world.now.Add(-remembered)) {
		r.world.violate(7, "reader %d of %s was told %s, which is long out of sight", r.number, r.choice.name, record.Key)
	}
	if record.Version < r.seen[record.Key] {
		r.world.violate(7, "reader %d of %s held version %d of %s and was told version %d then",
			r.number, r.choice.name, r.seen[record.Key], record.Key, record.Version)
	}
	r.seen[record.Key] = record.Version
	r.has[record.Key] = record
}

func (r *reader) remember() {
	if r.position == "" {
		return
	}
	if r.kept = append(r.kept, r.position); len(r.kept) > keptPositions {
		r.kept = r.kept[1:]
	}
}

// holds is what the reader has and may still show: it drops what is out of sight.
func (r *reader) holds() map[state.Key]state.Record {
	shown := map[state.Key]state.Record{}
	for key, record := range r.has { // any order: it is a map again
		if visible(record, r.world.now) {
			shown[key] = record
		}
	}
	return shown
}
