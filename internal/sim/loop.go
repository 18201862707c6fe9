package sim

import (
	"container/heap"
	"time"
)

// timer is something that will happen.
type timer struct {
	at  time.Time
	seq uint64 // of those of the same moment, what was planned first comes first
	run func()
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].at.Before(t[j].at) || t[i].at.Equal(t[j].at) && t[i].seq < t[j].seq
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	(*t)[len(*t)-1] = timer{}
	*t = (*t)[:len(*t)-1]
	return last
}

// at plans something for a time, which may be past: then it is next.
func (w *world) at(at time.Time, run func()) {
	w.seq++
	heap.Push(&w.timers, timer{at: at, seq: w.seq, run: run})
}

func (w *world) after(d time.Duration, run func()) { w.at(w.now.Add(d), run) }

// step lets the next thing happen.
func (w *world) step() {
	next := w.timers[0] // the schedules never end
	at := next.at
	for _, p := range w.places {
		if due, ok := p.ecs.NextDue(); ok && due.Before(at) {
			at = due
		}
	}
	if at.Before(next.at) {
		w.setNow(at)
		w.hear()
		w.poll()
		return
	}
	heap.Pop(&w.timers)
	w.setNow(next.at)
	w.hear()
	next.run()
	w.hear()
	w.poll()
}

func (w *world) setNow(t time.Time) {
	if t.After(w.now) {
		w.now = t
	}
}

// maxSteps bounds a run; the longest ones take a twentieth of it.
const maxSteps = 5_000_000

// runUntil steps to a time, or until a violation or done says that it is enough.
func (w *world) runUntil(end time.Time, done func() bool) {
	for w.violation == nil && w.timers[0].at.Before(end) {
		w.step()
		if w.steps++; w.steps > maxSteps {
			w.violate(5, "the run does not come to an end: %d steps", w.steps)
		}
		if done != nil && done() {
			return
		}
	}
	w.setNow(end)
}
