package daemon

import (
	"fmt"
	"strings"
	"time"
)

// Room on a host: what ECS refuses a start for, and when asking again makes sense.

// reasonResource begins ECS's reasons for finding no room on a host.
const reasonResource = "RESOURCE"

const (
	// quickRefusals are tried again as failures are, for resources are often held by what is just stopping.
	quickRefusals = 3
	// refusalBackoff is the least time between two tries after that. Room that a task leaves ends it at once, so it only
	// has to find what Blox cannot see.
	refusalBackoff = 5 * time.Minute
)

// refusedFor counts a start that ECS started nothing for, and says how long to wait before the next.
func (s Slot) refusedFor(reason string) (Slot, time.Duration) {
	if !s.Blocked {
		s.Refusals = 0
		return s, max(backoff(s.Failures), firstBackoff)
	}
	s.Refusals++
	wait := max(backoff(s.Refusals), firstBackoff)
	if s.Refusals >= quickRefusals && strings.HasPrefix(reason, reasonResource) {
		wait = max(wait, refusalBackoff)
	}
	return s, wait
}

// roomMade says that a task has ended since ECS found no room for the daemon. More tasks than then make none.
func roomMade(slot Slot, h Host) bool {
	return slot.Refusals >= quickRefusals && strings.HasPrefix(slot.Reason, reasonResource) && h.Query.RunningTasksCount < slot.RunningTasks
}

// shortage says what the host lacks, and whether waiting can help at all.
func (s Slot) shortage() string {
	_, what, _ := strings.Cut(s.Reason, ":")
	lacking := map[string]string{
		"CPU": "CPU units", "MEMORY": "memory", "PORTS": "a host port that the daemon needs", "ENI": "a network interface",
		"GPU": "GPUs", "DISK": "disk space",
	}[what]
	if lacking == "" {
		lacking = "resources"
	}
	if s.RunningTasks == 0 {
		return fmt.Sprintf("the host has too little for the daemon even with no task running on it: it lacks %s (%s)",
			lacking, s.Reason)
	}
	return fmt.Sprintf("the host lacks %s (%s), which its %d running tasks may leave when they end",
		lacking, s.Reason, s.RunningTasks)
}
