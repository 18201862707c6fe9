package daemon

import "time"

// What ECS answered to a start, in words that need no SDK.

// StartResult is the outcome of RunTask for one host. Exactly one of TaskARN and Refused is set; when neither is, the
// outcome is unknown and the claim stays as it is, to be replayed.
type StartResult struct {
	// TaskARN is the task that ECS started, now or when the token was first used. It may be stopped already.
	TaskARN string
	// Refused is ECS's reason for starting nothing: a failure (RESOURCE:MEMORY, AGENT, …), or an error about the
	// request itself.
	Refused string
	// Blocked says that the host had no room or was not fit, rather than that the request was wrong.
	Blocked bool
	// Delay is how long to wait before the replay when the outcome is unknown, or ECS throttled the call.
	Delay time.Duration
}

// Started is the slot after RunTask was answered.
//
// Keeps: the attempt is spent only if ECS said that it started nothing, or it is left claimed.
func Started(slot Slot, r StartResult, s Settings, now time.Time) Slot {
	switch {
	case r.TaskARN != "":
		return slot.place(r.TaskARN, now).wakeBy(now.Add(s.EventGrace), now)
	case r.Refused != "":
		// No room is nothing that the daemon did: it must not be held against the revision when a task is placed at last.
		next := slot.vacate(!r.Blocked, r.Refused, now)
		next.Blocked = r.Blocked
		next, wait := next.refusedFor(r.Refused)
		return next.retry(now.Add(wait))
	default:
		return slot.retry(now.Add(r.Delay))
	}
}

// missingProof is how old a task must be for ECS's MISSING to prove it dead: young tasks are MISSING while ECS's own
// replicas catch up.
const missingProof = 5 * time.Minute

// Resolved is the slot after ECS was asked directly. found is the claim's or the slot's task as ECS describes it; nil
// says that ECS does not know it. An answer that proves nothing leaves the slot as it is, to be asked about again.
func Resolved(slot Slot, found *Task, s Settings, now time.Time) Slot {
	alive := found != nil && !found.Stopped()
	switch {
	case slot.State == SlotClaimed && alive && slot.owns(found.ARN):
		return slot.wakeBy(now.Add(missingProof), now) // the former task says nothing about the claim
	case slot.State == SlotClaimed && alive:
		return slot.place(found.ARN, now).wakeBy(now.Add(s.EventGrace), now)
	case slot.State == SlotClaimed:
		// The claim is older than any call still on its way, so what ECS does not know was never started.
		return slot.vacate(true, "the start's outcome was never learned", now)
	case alive:
		return slot.wakeBy(now.Add(missingProof), now)
	case found == nil && now.Before(slot.PlacedAt.Add(missingProof)):
		return slot.wakeBy(slot.PlacedAt.Add(missingProof), now)
	case slot.State == SlotStopping:
		return slot.stopped(now)
	case found != nil:
		return slot.vacate(true, deathReason(*found), now)
	default:
		return slot.vacate(true, "ECS does not know the task any more", now)
	}
}
