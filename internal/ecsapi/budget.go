package ecsapi

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Budget is a Limiter that takes calls in blocks from a budget that many
// processes share, so that one conditional write pays for many calls. It is
// safe for concurrent use.
type Budget struct {
	// Take asks the shared budget for up to n calls. They may be made when wait is
	// over. If it grants none, wait says when to ask again.
	Take func(ctx context.Context, n int) (granted int, wait time.Duration, err error)
	// Block is how many calls to take at once; what a process has taken and not
	// used is lost to the others.
	Block int
	// Pause waits; Pause of this package in production.
	Pause func(ctx context.Context, d time.Duration) error

	mu   sync.Mutex
	left int
}

// The bounds of one pause before asking again, and of all pauses of one Wait. A
// shared budget may say that it will be a moment. After two minutes a Lambda does
// better to give its work back; a dozen processes that share ten calls a second
// wait for a dozen seconds each.
const (
	minBudgetPause = 50 * time.Millisecond
	maxBudgetPause = 5 * time.Second
	budgetPatience = 2 * time.Minute
)

// Wait takes n calls. It holds its lock while it pauses: who comes second would
// have to wait for the same budget anyway, and so the calls are granted in turn.
func (b *Budget) Wait(ctx context.Context, n int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for paused := time.Duration(0); b.left < n; {
		if paused >= budgetPatience {
			return fmt.Errorf("the shared budget of ECS calls granted too few in %s", budgetPatience)
		}
		granted, wait, err := b.Take(ctx, max(b.Block, n-b.left))
		if err != nil {
			return err
		}
		if granted <= 0 {
			wait = min(max(wait, minBudgetPause), maxBudgetPause)
		}
		if wait > 0 {
			if err := b.Pause(ctx, wait); err != nil {
				return err
			}
			paused += wait
		}
		b.left += granted
	}
	b.left -= n
	return nil
}
