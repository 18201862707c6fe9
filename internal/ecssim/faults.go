package ecssim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Faults is what goes wrong. All of it is off at first; every probability is between 0 and 1 and drawn from the seed.
// Like the Simulator it is not safe for concurrent use: behind a Server, reach it through Server.Do.
type Faults struct {
	events    EventFaults
	images    map[string]ImageFault
	throttled []string
	lost      AnswerFaults
	empty     int
}

// EventFaults are the liberties of an at-least-once, unordered bus.
type EventFaults struct {
	Drop      float64 // never delivered
	Duplicate float64 // delivered twice, the second time up to MaxDelay later
	Delay     float64 // delivered up to MaxDelay late
	Reorder   float64 // delivered up to ReorderWindow late, so that later ones overtake it
	// MaxDelay defaults to a minute, ReorderWindow to two seconds.
	MaxDelay      time.Duration
	ReorderWindow time.Duration
}

// ImageFault is what containers of an image do wrong.
type ImageFault struct {
	FailPull   bool          // the task stops with TaskFailedToStart
	CrashAfter time.Duration // the container exits this long after RUNNING; 0 = never
	ExitCode   int           // of the crash; 0 is an essential container that just ends
	Unhealthy  bool          // the health check, if the task definition has one, fails
	IgnoreStop bool          // SIGTERM does nothing: it is killed after its stopTimeout, exit code 137
}

// AnswerFaults are API calls that fail although nothing was wrong with them.
type AnswerFaults struct {
	Refused float64  // HTTP 500 before the work
	Lost    float64  // the work is done, then HTTP 500 or no answer at all (status 0), half and half
	Actions []string // which actions; empty = all
}

func newFaults() *Faults { return &Faults{images: map[string]ImageFault{}} }

// SetEvents replaces the event faults.
func (f *Faults) SetEvents(e EventFaults) { f.events = e }

// SetImage sets what containers of this image (the exact string of the task definition) do wrong from now on; tasks
// already past the point in question are not affected.
func (f *Faults) SetImage(image string, fault ImageFault) { f.images[image] = fault }

// ClearImage makes an image sound again.
func (f *Faults) ClearImage(image string) { delete(f.images, image) }

// SetThrottled answers these actions with ThrottlingException, whatever the rate; no action lifts it, "*" means all.
func (f *Faults) SetThrottled(actions ...string) { f.throttled = actions }

// SetAnswers replaces the answer faults.
func (f *Faults) SetAnswers(a AnswerFaults) { f.lost = a }

// EmptyLists makes the next n List calls answer an empty, complete list.
func (f *Faults) EmptyLists(n int) { f.empty = n }

// Clear ends all faults. Events already delayed still arrive late.
func (f *Faults) Clear() { *f = *newFaults() }

// eventDeliveries are the delays after which one event is delivered: none if dropped, two if doubled.
func (f *Faults) eventDeliveries(chance *rand.Rand) []time.Duration {
	e := f.events
	if e == (EventFaults{}) {
		return []time.Duration{0}
	}
	maxDelay, window := e.MaxDelay, e.ReorderWindow
	if maxDelay <= 0 {
		maxDelay = time.Minute
	}
	if window <= 0 {
		window = 2 * time.Second
	}
	if chance.Float64() < e.Drop {
		return nil
	}
	var delay time.Duration
	if chance.Float64() < e.Reorder {
		delay = time.Duration(chance.Float64() * float64(window))
	}
	if chance.Float64() < e.Delay {
		delay += time.Duration(chance.Float64() * float64(maxDelay))
	}
	deliveries := []time.Duration{delay}
	if chance.Float64() < e.Duplicate {
		deliveries = append(deliveries, delay+time.Duration(chance.Float64()*float64(maxDelay)))
	}
	return deliveries
}

func (f *Faults) throttles(action string) bool {
	return slices.Contains(f.throttled, action) || slices.Contains(f.throttled, "*")
}

func (f *Faults) hits(probability float64, action string, chance *rand.Rand) bool {
	if probability <= 0 || len(f.lost.Actions) > 0 && !slices.Contains(f.lost.Actions, action) {
		return false
	}
	return chance.Float64() < probability
}

// takeEmptyList uses up one of the empty answers.
func (f *Faults) takeEmptyList() bool {
	if f.empty == 0 {
		return false
	}
	f.empty--
	return true
}
