package table

import (
	"strings"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// taskSpans picks what leaves least to look at for a filter: everything that it picks is in there. What stopped before
// visibleSince is out of sight.
func taskSpans(cluster state.ClusterKey, f state.TaskFilter, consistent bool, visibleSince time.Time) []span {
	windows := taskWindows(f, visibleSince)
	group := f.Group
	if group == "" {
		group = state.ServiceGroup(f.Service)
	}
	switch {
	case consistent:
	case f.ContainerInstance != "":
		return valueSpans(cluster, state.KindTask, schema.ByInstance, lastPart(f.ContainerInstance), windows)
	case f.StartedBy != "":
		return valueSpans(cluster, state.KindTask, schema.ByStartedBy, f.StartedBy, windows)
	case group != "":
		return valueSpans(cluster, state.KindTask, schema.ByGroup, group, windows)
	}
	return shardSpans(cluster, state.KindTask, windows)
}

// lastPart is the id or name of what is given by that or by ARN: neither has a slash in it.
func lastPart(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// taskWindows are the phases that tasks can be in which a filter picks, and since when.
func taskWindows(f state.TaskFilter, visibleSince time.Time) []window {
	stopped := window{phase: phaseStopped, until: before(f.StoppedUntil)}
	stopped.since = latest(visibleSince, f.StoppedSince, f.StartedSince)
	onlyStopped := !f.StoppedSince.IsZero() || !f.StoppedUntil.IsZero()
	var windows []window
	for _, p := range taskPhases {
		if !maybeIn(p, strings.ToUpper(f.LastStatus), strings.ToUpper(f.DesiredStatus)) {
			continue
		}
		if p == phaseStopped {
			windows = append(windows, stopped)
		} else if !onlyStopped {
			// A task starts after it was created: what was created later has not started before.
			windows = append(windows, window{phase: p, until: before(f.StartedUntil)})
		}
	}
	return windows
}

// maybeIn says whether a task of a lastStatus and desiredStatus can be in a phase; empty statuses are any. A task that
// ECS wants to run has not stopped: what stops by itself gets the desiredStatus STOPPED with it.
func maybeIn(p phase, lastStatus, desiredStatus string) bool {
	stopped := lastStatus == state.TaskStopped || lastStatus == state.TaskDeleted
	switch {
	case lastStatus != "" && stopped != (p == phaseStopped), p == phaseStopped && desiredStatus == state.TaskRunning:
		return false
	case p == phaseStopped:
		return true
	case p == phaseStopping:
		// By its desiredStatus, or by its lastStatus whatever is desired.
		return desiredStatus != state.TaskRunning || lastStatus == "" || livePhase(lastStatus) == phaseStopping
	default:
		return desiredStatus != state.TaskStopped && (lastStatus == "" || livePhase(lastStatus) == p)
	}
}

// lifeWindows are the windows of an index that knows only what lives and what is over.
func lifeWindows(windows []window) []window {
	var of []window
	for _, w := range windows {
		p := lifeLive
		if over(w.phase) {
			p = lifeStopped
		}
		next := window{phase: p, since: w.since, until: w.until}
		if len(of) == 0 || of[len(of)-1] != next { // the phases of the living have the same times
			of = append(of, next)
		}
	}
	return of
}

// instanceSpans picks what leaves least to look at, as taskSpans does.
func instanceSpans(cluster state.ClusterKey, f state.InstanceFilter, consistent bool, visibleSince time.Time) []span {
	windows := instanceWindows(f, visibleSince)
	if f.EC2InstanceID != "" && !consistent {
		return valueSpans(cluster, state.KindContainerInstance, schema.ByInstance, f.EC2InstanceID, windows)
	}
	return shardSpans(cluster, state.KindContainerInstance, windows)
}

// instanceWindows are where container instances can be that a filter picks.
func instanceWindows(f state.InstanceFilter, visibleSince time.Time) []window {
	gone := window{phase: phaseGone, since: latest(visibleSince, f.RegisteredSince)}
	if strings.EqualFold(f.Status, state.InstanceInactive) {
		return []window{gone}
	}
	var windows []window
	here := window{phase: phaseHere, since: latest(f.RegisteredSince), until: before(f.RegisteredUntil)}
	if here.since > 0 {
		// The key has the time that the last source told, and filters look at what both did: one without a time may match.
		windows = append(windows, window{phase: phaseHere, until: 1})
	}
	windows = append(windows, here)
	if f.Status == "" {
		windows = append(windows, gone)
	}
	return windows
}

// latest is the last of some times in milliseconds; 0 if all are zero.
func latest(times ...time.Time) int64 {
	var last int64
	for _, t := range times {
		last = max(last, orderMillis(t))
	}
	return last
}

// before is the first whole millisecond at or after a time, as the end of a window; 0 is none.
func before(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(1, orderMillis(t.Add(time.Millisecond-time.Nanosecond)))
}
