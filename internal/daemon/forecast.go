package daemon

import (
	"strings"
	"time"
)

// Forecast is what Plan would do from now on if nothing went wrong.
type Forecast struct {
	// Before are the hosts as they are now, counted for the deployment in force; After as they are at the end.
	Before, After Counts
	// Waves are the looks at which something is done, in their order. Looks that only learn are left out.
	Waves []Wave
	// Status is the deployment's at the end; empty if there is none.
	Status DeploymentStatus
	// Ends is when the last thing happens, from now on.
	Ends time.Duration
	// WaitsFor says why no more is done; empty if there is nothing left to do.
	WaitsFor string
	// Truncated says that there was more to come than the forecast was to tell.
	Truncated bool
}

// Wave is what one look does.
type Wave struct {
	// After is when, from now on.
	After time.Duration
	// Actions are those of Plan that change something other than the scheduler's own memory. Tasks that do not exist yet
	// are Imagined.
	Actions []Action
}

const (
	// forecastLooks bounds the plans of one forecast, to so many for each wave: one that stops, one that starts, one that
	// sees the daemon healthy and one that finds it settled, and as many that find nothing to do.
	forecastLooks = 8
	// quietLooks is how many looks in a row may find nothing to do before a forecast ends.
	quietLooks = 30
	// forecastHorizon bounds how far a forecast goes.
	forecastHorizon = 7 * 24 * time.Hour
	// lookPeriod is how often an environment in motion is looked at without any reason.
	lookPeriod = time.Minute
)

// Foresee plans again and again, each time as if everything before had been done at once and had gone well: tasks start
// and are healthy from then on, stops take no time, and clusters are reconciled. What is broken or away now stays so. It ends
// when nothing is left to do, when people are waited for, or after maxWaves.
//
// Assumes: the snapshot is full.
func Foresee(s Snapshot, now time.Time, maxWaves int) Forecast {
	return foresee(s, now, maxWaves, func(Snapshot, []Action) {})
}

// foresee shows watch each snapshot with what was planned for it.
func foresee(s Snapshot, start time.Time, maxWaves int, watch func(Snapshot, []Action)) Forecast {
	w := newImagination(s)
	f := Forecast{Before: CountHosts(s, start)}
	now, quiet := start, 0
	for range maxWaves * forecastLooks {
		planned := w.snapshot()
		actions := Plan(planned, now)
		watch(planned, actions)
		done := effective(planned, actions)
		if len(done) > 0 {
			if len(f.Waves) == maxWaves {
				f.Truncated = true
				break
			}
			f.Waves = append(f.Waves, Wave{After: now.Sub(start), Actions: done})
			f.Ends, quiet = now.Sub(start), 0
		} else {
			quiet++
		}
		changed := w.apply(actions, now)
		if w.finished || quiet >= quietLooks || w.waitsForPeople(quiet) {
			break
		}
		if changed {
			continue // what was done is seen at once
		}
		next, ok := w.due(actions, now)
		if !ok || next.Sub(start) > forecastHorizon {
			break
		}
		now = next
		w.reconciled(now)
	}
	return w.conclude(f, now)
}

// conclude says where the forecast ended.
func (w *imagination) conclude(f Forecast, now time.Time) Forecast {
	s := w.snapshot()
	if s.Deployment != nil {
		f.Status = s.Deployment.Status
	}
	if w.finished {
		return f
	}
	f.After = CountHosts(s, now)
	if !f.Truncated {
		f.WaitsFor = waitsFor(s, now)
	}
	return f
}

// waitsFor says what an environment waits for when nothing is left to do in it now; empty if all is done.
func waitsFor(s Snapshot, now time.Time) string {
	dep := s.Deployment
	switch {
	case s.Environment.Frozen != nil && s.Environment.Status == EnvironmentActive:
		return "waits for the environment to be thawed: it is " + frozenWords(*s.Environment.Frozen)
	case dep == nil:
		return ""
	case dep.Status == DeploymentPaused && dep.PausedFor == PausedByCanary:
		return "waits for somebody to promote the canaries"
	case dep.Status == DeploymentPaused:
		return "waits for somebody to resume the deployment, which is " + dep.Reason
	}
	return firstWait(Explain(s, now), !dep.Status.Ended())
}

// firstWait is what the first host waits for that is not as it should be: the rest waits for the same, or is worse.
func firstWait(hosts []HostStatus, rolling bool) string {
	for _, h := range hosts {
		if h.Desired && h.WaitsFor != "" && (!h.Healthy || rolling && !h.Updated) {
			return h.Host.EC2InstanceID + ": " + h.WaitsFor
		}
	}
	return ""
}

// effective are the actions that change something other than the scheduler's own memory.
func effective(s Snapshot, actions []Action) []Action {
	var kept []Action
	for _, a := range actions {
		switch a.Kind {
		case Observe, Forget, Wake, Resolve:
			continue
		case Advance:
			if s.Deployment != nil && s.Deployment.Status == a.Deployment.Status {
				continue
			}
		case Start, Replay, Stop, Restop, Surge, StopFormer, SetAttribute, DeleteAttribute, HandOver, StopStray, Finish:
		}
		kept = append(kept, a)
	}
	return kept
}

// frozenWords says who froze an environment, when and what for.
func frozenWords(f Freeze) string {
	return Operator{By: f.By, Reason: f.Reason}.saying("frozen since " + clock(f.At))
}

// imaginedTask begins the ARNs of tasks that do not exist.
const imaginedTask = "imagined/"

// Imagined says that a task of a forecast does not exist yet.
func Imagined(taskARN string) bool { return strings.HasPrefix(taskARN, imaginedTask) }
