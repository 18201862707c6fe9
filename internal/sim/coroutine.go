package sim

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime/debug"
	"slices"
	"time"
)

// invocation is one call of a handler: a coroutine that stops before each effect and says how long it takes.
type invocation struct {
	world *world
	name  string // of the function
	id    int
	begun time.Time

	next  func() (time.Duration, bool)
	stop  func()
	yield func(time.Duration) bool
	// dead is an invocation whose process has died. Go cannot take a coroutine away, so it is unwound by panics, and every
	// effect on the way out is a panic too: whatever deferred or recovering code does, nothing of it leaves the process.
	dead bool
	// failed is a panic that was none of ours.
	failed string
	// turn counts the times that it went on, so that one that was woken early is not woken again.
	turn int
	// claiming is the environment of the stop that it is about to claim, or empty.
	claiming string
	// asked is when the invocation's last DescribeTasks was answered.
	asked time.Time
	done  func(crashed bool)
}

// crash is the panic that unwinds a dead invocation.
type crash struct{}

// start begins an invocation. body runs in it; done is called in the loop when it ended.
func (w *world) start(name string, body func(ctx context.Context), done func(crashed bool)) {
	w.invocations++
	inv := &invocation{world: w, name: name, id: w.invocations, begun: w.now, done: done}
	inv.next, inv.stop = iter.Pull(func(yield func(time.Duration) bool) {
		inv.yield = yield
		defer func() {
			if cause := recover(); cause != nil && !inv.dead {
				inv.failed = fmt.Sprintf("%v\n%s", cause, debug.Stack())
			}
		}()
		body(context.Background())
	})
	w.running[inv.id] = inv
	w.trace(inv, "begins", "")
	w.resume(inv)
}

// resume runs an invocation up to its next effect.
func (w *world) resume(inv *invocation) {
	before := w.current
	w.current = inv
	wait, more := inv.next()
	w.current = before
	inv.turn++
	if more {
		w.resumeIn(wait, inv)
		return
	}
	delete(w.running, inv.id)
	if inv.failed != "" {
		w.violate(0, "%s panicked: %s", inv.name, inv.failed)
	}
	outcome := "ends"
	if inv.dead {
		outcome = "is dead"
	}
	w.trace(inv, outcome, "")
	inv.done(inv.dead)
}

// resumeIn plans that an invocation goes on, if it has not by then.
func (w *world) resumeIn(d time.Duration, inv *invocation) {
	turn := inv.turn
	w.after(d, func() {
		if inv.turn == turn {
			w.resume(inv)
		}
	})
}

// leaseTaken wakes drivers that were paused right before they claimed a stop, soon after another took their lease: the
// moment at which what they counted is most wrong.
func (w *world) leaseTaken(environmentPK string) {
	for _, id := range slices.Sorted(maps.Keys(w.running)) {
		inv := w.running[id]
		if inv != w.current && inv.claiming == environmentPK && w.chance.Float64() < 0.8 {
			w.met("a paused stop goes on after its lease was taken")
			w.resumeIn(time.Duration(w.pace.Int64N(int64(4*time.Second))), inv)
		}
	}
}

// pause gives the loop its turn, for d of virtual time.
func (inv *invocation) pause(d time.Duration) {
	if inv.dead || !inv.yield(d) {
		inv.die()
	}
}

// die is the end of the invocation's process, here and now.
func (inv *invocation) die() {
	inv.dead = true
	panic(crash{})
}

// sleep is a pause that the product asks for.
func (w *world) sleep(_ context.Context, d time.Duration) error {
	w.current.pause(d)
	return nil
}

// abandon unwinds what still runs at the end of a run, so that nothing of it stays in memory.
func (w *world) abandon() {
	for _, inv := range w.running {
		inv.dead = true
		inv.stop()
	}
}
