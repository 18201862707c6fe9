package ecsapi

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Pace is how fast one process reads: as fast as its Limiter grants, until ECS
// throttles. ECS counts the calls of everybody in the account, so a share that was
// right yesterday may be too much while somebody else deploys. Each throttle halves
// the rate, and it grows back little by little: additive increase and
// multiplicative decrease find a fair share with strangers who do the same.
//
// What was throttled is tried again after a pause of random length, so that workers
// that were refused together do not come back together. It is safe for concurrent
// use.
type Pace struct {
	// Limiter grants calls; nil grants all.
	Limiter Limiter
	// PerSecond is the full rate.
	PerSecond float64
	Now       func() time.Time
	// Pause waits; Pause of this package in production.
	Pause func(ctx context.Context, d time.Duration) error
	// Random gives numbers from 0 up to 1.
	Random func() float64

	mu       sync.Mutex
	slow     float64   // the rate at slowedAt; 0 before the first throttle
	slowedAt time.Time // the last time that the rate was halved
	next     time.Time // when the next call may be made, at a rate below the full one
}

const (
	// recovery is how long it takes to get from nothing to the full rate.
	recovery = time.Minute
	// slowest is the part of the full rate that is left whatever happens: there
	// must be a call at times to learn that ECS grants some again.
	slowest = 1.0 / 64
	// sameThrottle is how long further throttles count as one: the calls that were
	// under way when the rate was halved say nothing about the new one.
	sameThrottle = time.Second
)

// The bounds of trying again: after ten tries, with up to 43 seconds of pauses
// between them, the caller leaves to a later time what ECS refuses. Waiting for the
// budget does not count: it says nothing about whether ECS grants calls again.
const (
	throttleTries    = 10
	minThrottlePause = 200 * time.Millisecond
	maxThrottlePause = 10 * time.Second
)

// rate is how many calls a second may be made now.
func (p *Pace) rate(now time.Time) float64 {
	if p.slow == 0 {
		return p.PerSecond
	}
	grown := p.slow + p.PerSecond*float64(max(0, now.Sub(p.slowedAt)))/float64(recovery)
	return min(p.PerSecond, grown)
}

// Wait takes n calls, of the limiter and of its own rate. At the full rate only the
// limiter counts: it allows bursts, as ECS does.
func (p *Pace) Wait(ctx context.Context, n int) error {
	if d := p.due(n); d > 0 {
		if err := p.Pause(ctx, d); err != nil {
			return err
		}
	}
	if p.Limiter == nil {
		return nil
	}
	return p.Limiter.Wait(ctx, n)
}

// due is how long to wait for n calls, which are taken.
func (p *Pace) due(n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	rate := p.rate(now)
	if rate >= p.PerSecond {
		p.slow, p.next = 0, time.Time{}
		return 0
	}
	if p.next.Before(now) {
		p.next = now
	}
	d := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(n) / rate * float64(time.Second)))
	return d
}

// throttled halves the rate.
func (p *Pace) throttled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	if p.slow > 0 && now.Sub(p.slowedAt) < sameThrottle {
		return
	}
	p.slow, p.slowedAt = max(p.rate(now)/2, p.PerSecond*slowest), now
}

// do makes a call in its turn, and again while ECS throttles it.
func (p *Pace) do(ctx context.Context, call func() error) error {
	for try := 1; ; try++ {
		if err := p.Wait(ctx, 1); err != nil {
			return fmt.Errorf("waiting for the ECS call budget: %w", err)
		}
		err := call()
		if err == nil || !IsThrottled(err) {
			return err
		}
		p.throttled()
		if try == throttleTries {
			return fmt.Errorf("ECS throttled %d tries: %w", try, err)
		}
		if p.Pause(ctx, p.backOff(try)) != nil {
			return fmt.Errorf("no time is left after ECS throttled %d tries: %w", try, err)
		}
	}
}

// backOff is anywhere between nothing and a bound that doubles with each try.
func (p *Pace) backOff(try int) time.Duration {
	bound := min(minThrottlePause<<(try-1), maxThrottlePause)
	return time.Duration(p.Random() * float64(bound))
}
