package sim

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
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
	if more {
		w.after(wait, func() { w.resume(inv) })
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
