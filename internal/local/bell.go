package local

import (
	"context"
	"time"
)

// bell wakes one waiter. Ringing never blocks, and a ring that nobody hears is kept for the next who waits.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// wait returns when the bell rings, at the time given (if known), or when the context ends.
func (b bell) wait(ctx context.Context, now, until time.Time, known bool) {
	var due <-chan time.Time
	if known {
		timer := time.NewTimer(until.Sub(now))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-b:
	case <-due:
	case <-ctx.Done():
	}
}
