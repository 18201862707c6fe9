package sim

import (
	"context"
	"time"

	"github.com/blox/blox/internal/state"
)

// checkReaders lets every reader come to the end of what there is to tell, from its own position, and compares what it
// holds with a fresh list.
func (w *world) checkReaders() {
	for _, r := range w.readers {
		r.done = false
		r.finish()
	}
	w.runUntil(w.now.Add(finishWithin), func() bool {
		for _, r := range w.readers {
			if !r.done {
				return false
			}
		}
		return true
	})
	for _, r := range w.readers {
		if w.violation == nil && !r.done {
			w.violate(7, "reader %d of %s does not end as a fresh list does: %s", r.number, r.choice.name, r.differs())
		}
	}
	if w.violation == nil && w.f.watched() {
		w.checkLists()
	}
}

// finish watches from the last position on until there is nothing to tell, and looks whether that is all. What is
// written at the last moment takes another session; a reader that has lost something holds it in none.
func (r *reader) finish() {
	w := r.world
	if r.watching {
		w.after(time.Second, r.finish)
		return
	}
	r.slow = false
	r.start(func(ctx context.Context) error {
		return r.stream(ctx, 3*time.Second, func() error { return nil })
	}, func() {
		if r.position != "" && r.differs() == "" {
			r.done = true
			w.met("watch: ended at the state of a fresh list")
			return
		}
		w.after(30*time.Second, r.finish)
	})
}

// differs says where what the reader holds is not what a fresh list gives.
func (r *reader) differs() string { return unlike(r.holds(), r.choice.all(r.world, true)) }

// checkLists compares what lists give at rest with what was stored, by the stream of changes: for every reader's
// filter, and for some others.
func (w *world) checkLists() {
	choices := []choice{
		{name: "all tasks", kind: state.KindTask},
		{name: "all container instances", kind: state.KindContainerInstance},
	}
	for _, r := range w.readers {
		choices = append(choices, r.choice)
	}
	for range 5 {
		choices = append(choices, w.choose(w.reading))
	}
	for _, c := range choices {
		want := c.reflected(w)
		for _, consistent := range []bool{true, false} {
			if what := unlike(want, c.all(w, consistent)); what != "" {
				w.violate(7, "a list (consistent %t) of %s is not what is stored: %s", consistent, c.name, what)
				return
			}
		}
	}
}
