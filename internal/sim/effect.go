package sim

import (
	"fmt"
	"time"
)

// effect is one call that a function makes to the world outside of its process.
type effect struct {
	service, name, target string
	writes                bool
	// tender are the calls around which a mistake in the order of claim, lease and call would show: invocations are
	// paused before them and die after them more often.
	tender bool
	// stop is the key of the environment whose stop is claimed.
	stop string
	// feed is the putting of a row of the feed.
	feed bool
}

func (e effect) String() string {
	if e.target == "" {
		return e.service + "." + e.name
	}
	return e.service + "." + e.name + " " + e.target
}

// fate is what becomes of an effect.
type fate string

const (
	fateDone    fate = "done"
	fateRefused fate = "refused"   // nothing was done
	fateLost    fate = "lost"      // it was done, and the answer did not arrive
	fateTwice   fate = "twice"     // the answer was lost, and the client made the call again
	fateCrashed fate = "then dies" // it was done, and the process died
)

// tenderness is how much likelier the faults of tender calls are.
const tenderness = 8

// latency is how long a call takes to be made.
func (w *world) latency(e effect) time.Duration {
	base := time.Duration(1+w.pace.IntN(15)) * time.Millisecond
	base += time.Duration(w.pace.IntN(1000)) * time.Microsecond
	paused := w.p.paused
	switch {
	case e.stop != "":
		paused = w.p.pausedStops
	case e.tender:
		paused *= tenderness
	}
	switch x := w.chance.Float64(); {
	case x < paused:
		w.met("an invocation paused past its lease")
		if e.stop != "" && w.chance.Float64() < 0.7 {
			w.met("a deployment overtakes a paused stop")
			w.after(time.Duration(1+w.plan.IntN(30))*time.Second, func() { w.deploy(w.someName(), 1+w.plan.IntN(revisions)) })
		}
		return 65*time.Second + time.Duration(w.pace.Int64N(int64(70*time.Second)))
	case x < paused+w.p.slow:
		return base + time.Duration(w.pace.Int64N(int64(8*time.Second)))
	}
	return base
}

func (w *world) fateOf(e effect) fate {
	crashes, losses := w.p.crash, w.p.lose
	if e.tender {
		crashes, losses = crashes*tenderness, losses*tenderness
	}
	if e.feed && w.f.feedDeath > 0 && w.feeding.Float64() < w.f.feedDeath {
		w.met("a dispatcher dies between a row and the head")
		return fateCrashed
	}
	x := w.chance.Float64()
	for _, f := range []struct {
		fate  fate
		share float64
	}{
		{fateRefused, w.p.refuse}, {fateCrashed, crashes}, {fateLost, losses}, {fateTwice, w.p.twice},
	} {
		if x < f.share {
			if f.fate != fateRefused && f.fate != fateCrashed && !e.writes {
				return fateDone // a read whose answer is lost is a read that was refused
			}
			return f.fate
		}
		x -= f.share
	}
	return fateDone
}

// perform makes a call of the running invocation: it waits its turn, and then the call is done, or its fault strikes.
// refusal and loss are the errors that the caller sees.
func perform[Out any](w *world, e effect, do func() (Out, error), refusal, loss error) (out Out, err error) {
	inv := w.current
	if inv == nil {
		return do() // the simulation itself looks
	}
	inv.claiming = e.stop
	inv.pause(w.latency(e))
	inv.claiming = ""
	fate := w.fateOf(e)
	if fate != fateRefused {
		out, err = do()
	}
	if fate == fateTwice {
		out, err = do()
	}
	outcome := string(fate)
	if err != nil {
		outcome += ": " + shortError(err)
	}
	w.trace(inv, e.String(), outcome)
	if fate != fateDone {
		w.met(fmt.Sprintf("fault: %s call %s", e.service, fate))
	}
	switch fate {
	case fateCrashed:
		w.met("crash of " + inv.name)
		inv.die()
	case fateRefused:
		var nothing Out
		return nothing, refusal
	case fateLost:
		var nothing Out
		return nothing, loss
	}
	return out, err
}

// shortError keeps a line of the trace a line.
func shortError(err error) string {
	text := err.Error()
	return text[:min(len(text), 160)]
}
