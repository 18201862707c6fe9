package table

import (
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// taskSpans picks what leaves least to look at for a filter: everything that it picks is in there. What stopped before
// visibleSince is out of sight.
func taskSpans(cluster state.ClusterKey, f state.TaskFilter, consistent bool, visibleSince time.Time) []span {
	windows := taskWindows(f, visibleSince)
	live := !slices.ContainsFunc(windows, func(w window) bool { return w.phase == phaseStopped })
	group := f.Group
	if group == "" {
		group = state.ServiceGroup(f.Service)
	}
	switch {
	case consistent:
	case f.ContainerInstance != "" && live:
		host := lastPart(f.ContainerInstance)
		return []span{valueSpan(cluster, state.KindTask, schema.ByInstance, host, schema.SortKey)}
	case f.StartedBy != "":
		return []span{valueSpan(cluster, state.KindTask, schema.ByStartedBy, f.StartedBy, schema.SortKey)}
	case group != "":
		of := valueSpan(cluster, state.KindTask, schema.ByGroup, group, schema.GroupPhase)
		return of.spansOf(groupPhases, groupWindows(windows))
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

// groupWindows are the windows of an index that knows only living and stopped tasks.
func groupWindows(windows []window) []window {
	var of []window
	for _, w := range windows {
		switch {
		case w.phase == phaseStopped:
			of = append(of, window{phase: groupStopped, since: w.since, until: w.until})
		case len(of) == 0:
			of = append(of, window{phase: groupLive, since: w.since, until: w.until})
		}
	}
	return of
}

// instanceSpans picks what leaves least to look at, as taskSpans does. Without a status it is the table itself, which
// has few others in it: a container instance changes its status back and forth, and walking from status to status
// would miss one that moves.
func instanceSpans(cluster state.ClusterKey, f state.InstanceFilter, consistent bool, visibleSince time.Time) []span {
	switch {
	case f.EC2InstanceID != "" && !consistent:
		return []span{valueSpan(cluster, state.KindContainerInstance, schema.ByInstance, f.EC2InstanceID, schema.SortKey)}
	case f.Status != "":
		w := window{phase: strings.ToUpper(f.Status)}
		switch {
		case w.phase == state.InstanceInactive:
			w.since = latest(visibleSince, f.RegisteredSince)
		case !slices.Contains(instancePhases, w.phase):
			w.phase = phaseUnknown
			fallthrough
		default:
			w.since, w.until = latest(f.RegisteredSince), before(f.RegisteredUntil)
		}
		return shardSpans(cluster, state.KindContainerInstance, []window{w})
	default:
		return tableSpans(cluster, state.KindContainerInstance)
	}
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
