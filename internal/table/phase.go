package table

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blox/blox/internal/state"
)

// phase is where a record stands in schema.ByPhase. The digits of a task's phases order them as its life does: ECS
// moves a task forward only, so that a walk in the index's order never misses one that moves meanwhile. (Only what
// reconcile took for gone by mistake comes back.)
type phase = string

const (
	phaseStarting phase = "1starting" // lastStatus before RUNNING
	phaseRunning  phase = "2running"
	phaseStopping phase = "3stopping" // not stopped, but wanted stopped or on the way there
	phaseStopped  phase = "4stopped"  // has a tombstone

	// A container instance changes its status back and forth, so that a walk from status to status would miss one that
	// moves. It goes once.
	phaseHere phase = "1here"
	phaseGone phase = "2gone" // has a tombstone
)

// phases are those of a kind, in the index's order.
func phases(kind state.Kind) []phase {
	if kind == state.KindContainerInstance {
		return instancePhases
	}
	return taskPhases
}

var (
	taskPhases     = []phase{phaseStarting, phaseRunning, phaseStopping, phaseStopped}
	instancePhases = []phase{phaseHere, phaseGone}
)

// over says whether a phase, of ByPhase or of a life, is of what is over.
func over(p phase) bool { return p == phaseStopped || p == phaseGone || p == lifeStopped }

// phaseOf is a record's phase.
func phaseOf(r state.Record) phase {
	switch {
	case r.Kind == state.KindContainerInstance && r.Tombstone != nil:
		return phaseGone
	case r.Kind == state.KindContainerInstance:
		return phaseHere
	case r.Tombstone != nil:
		return phaseStopped
	case strings.EqualFold(r.Task.DesiredStatus, state.TaskStopped):
		return phaseStopping
	}
	return livePhase(r.Task.LastStatus)
}

// livePhase is the phase of a task that is wanted running and is not over. Of a status that Blox does not know only
// that much is known.
func livePhase(lastStatus string) phase {
	switch lastStatus {
	case state.TaskProvisioning, state.TaskPending, state.TaskActivating:
		return phaseStarting
	case state.TaskDeactivating, state.TaskStopping, state.TaskDeprovisioning:
		return phaseStopping
	default:
		return phaseRunning
	}
}

// maxMillis is the last time that 13 digits can say: in the year 2286.
const maxMillis = 9_999_999_999_999

// noMillis stands for no time where that comes after all times.
const noMillis = maxMillis + 1

// orderMillis is a time as the indexes by phase sort it; 0 is none.
func orderMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return min(max(millis(t), 0), maxMillis)
}

// phaseMillis is the time that a record is sorted by within its phase: since when it is over, or when it began; 0 if
// ECS did not say.
func phaseMillis(r state.Record) int64 {
	if r.Tombstone != nil {
		return orderMillis(r.Tombstone.StoppedAt)
	}
	if r.Kind == state.KindContainerInstance {
		return timeOf(r, SortByRegisteredAt)
	}
	return timeOf(r, SortByCreatedAt)
}

// timesOf are the times that a detail may tell.
type timesOf struct {
	CreatedAt    *time.Time `json:"createdAt"`
	StartedAt    *time.Time `json:"startedAt"`
	StoppedAt    *time.Time `json:"stoppedAt"`
	RegisteredAt *time.Time `json:"registeredAt"`
}

// timeOf is one of a record's times, in milliseconds since 1970; 0 if it has none. ECS fixes each time once it has told
// it, so that it does not matter which source does.
func timeOf(r state.Record, by string) int64 {
	if by == SortByStoppedAt {
		if r.Tombstone == nil {
			return 0
		}
		return orderMillis(r.Tombstone.StoppedAt)
	}
	for _, source := range []*state.SourceDetail{r.Event, r.Described} {
		if source == nil {
			continue
		}
		var times timesOf
		if err := json.Unmarshal(source.Detail, &times); err != nil {
			continue // what cannot be read has no time
		}
		if t := map[string]*time.Time{
			SortByCreatedAt: times.CreatedAt, SortByStartedAt: times.StartedAt, SortByRegisteredAt: times.RegisteredAt,
		}[by]; t != nil {
			return orderMillis(*t)
		}
	}
	return 0
}

// phaseKey is the value of a sort key that begins with a phase: PHASE/MILLIS/ID.
func phaseKey(p phase, at int64, id string) string { return phaseTime(p, at) + "/" + id }

// phaseTime begins the phaseKeys of a moment.
func phaseTime(p phase, at int64) string { return fmt.Sprintf("%s/%013d", p, at) }

// parsePhaseKey reads what phaseKey wrote.
func parsePhaseKey(key string) (p phase, at int64, err error) {
	p, rest, _ := strings.Cut(key, "/")
	digits, _, found := strings.Cut(rest, "/")
	if at, err = strconv.ParseInt(digits, 10, 64); err != nil || !found {
		return "", 0, fmt.Errorf("%q is no key of an index by phase: want PHASE/MILLIS/ID", key)
	}
	return p, at, nil
}

// The phases of schema.Life.
const (
	lifeLive    phase = "live"
	lifeStopped phase = "stopped"
)

var lifePhases = []phase{lifeLive, lifeStopped}

func lifeOf(r state.Record) phase {
	if r.Tombstone != nil {
		return lifeStopped
	}
	return lifeLive
}
