package drive

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/blox/blox/internal/table"
)

const (
	// firstPutOff is how long the tick leaves alone an environment that cannot be worked on; each further failure doubles
	// it, up to maxPutOff. The queue brings the wake-up that failed again by itself, five times within eight minutes.
	firstPutOff = 5 * time.Minute
	maxPutOff   = 20 * time.Minute
	// maxBroken bounds the memory of a process.
	maxBroken = 1000
)

// patience remembers, for as long as the process lives, how often environments could not be worked on one after the
// other. A process that knows of no failure begins anew, which costs looks in vain and nothing else.
type patience struct {
	mu       sync.Mutex
	failures map[string]int // by environment id; absent is 0
}

// spend counts a failure and says how long to put the environment off.
func (p *patience) spend(environmentID string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.failures[environmentID]
	if p.failures == nil || (before == 0 && len(p.failures) >= maxBroken) {
		p.failures = map[string]int{}
	}
	p.failures[environmentID] = before + 1
	putOff := firstPutOff
	for range before {
		putOff = min(2*putOff, maxPutOff)
	}
	return putOff
}

// restore forgets the failures of an environment that was worked on.
func (p *patience) restore(environmentID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.failures, environmentID)
}

// putOff keeps the tick from waking an environment that cannot be worked on every minute: each of its messages would be
// received five times, with a look at everything each time, and then lie among the dead letters. What happens in the
// environment wakes it all the same, and so does a change of its definition, which makes it due at once.
func (d *Driver) putOff(ctx context.Context, environmentID string) {
	due := d.Now().Add(d.patience.spend(environmentID))
	env, err := d.Daemon.Environment(ctx, environmentID)
	if err == nil {
		err = d.Daemon.SetDue(ctx, env, due)
	}
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		d.Log.Warn("environment is not put off, the tick wakes it each minute", "environmentId", environmentID, "error", err)
	}
}
