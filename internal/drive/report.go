package drive

import (
	"context"

	"github.com/blox/blox/internal/daemon"
)

// report is what an invocation has to say of an environment.
type report struct {
	*Driver
	// seen is the last look at the whole environment, and untold says that people were not told of it yet.
	seen   *daemon.Snapshot
	untold bool
	// mute says that the bus did not take what it was told.
	mute bool
}

// add takes a look at the whole environment; nil is none.
func (r *report) add(seen *daemon.Snapshot) {
	if seen != nil {
		r.seen, r.untold = seen, true
	}
}

// tell tells people of the last look, unless they were, at a moment when there is nothing more to do: a bus that does not
// answer keeps the lease for seconds. Once it did not, it is not asked again, and they are told after another look.
func (r *report) tell(ctx context.Context) {
	if r.untold && !r.mute {
		r.untold, r.mute = false, !r.Driver.tell(ctx, *r.seen)
	}
}

// measure gives the numbers of the last look: many looks of one invocation are one moment to an alarm.
func (r *report) measure() {
	if r.seen != nil {
		r.Driver.measure(*r.seen)
	}
}
