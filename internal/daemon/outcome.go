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
func Started(slot Slot, r StartResult, now time.Time) Slot {
	switch {
	case r.TaskARN != "":
		return slot.place(r.TaskARN, now)
	case r.Refused != "":
		next := slot.vacate(true, r.Refused, now)
		next.Blocked = r.Blocked
		retryAt := now.Add(max(backoff(next.Failures), firstBackoff))
		next.RetryAt = &retryAt
		return next
	default:
		retryAt := now.Add(r.Delay)
		slot.RetryAt = &retryAt
		return slot
	}
}

// missingProof is how old a task must be for ECS's MISSING to prove it dead: young tasks are MISSING while ECS's own
// replicas catch up.
const missingProof = 5 * time.Minute

// Resolved is the slot after ECS was asked directly. found is the claim's or the slot's task as ECS describes it; nil
// says that ECS does not know it. The second result is when to ask again, if that was no proof.
func Resolved(slot Slot, found *Task, now time.Time) (Slot, *time.Time) {
	switch slot.State {
	case SlotClaimed:
		// The claim is older than any call still on its way, so what ECS does not know was never started.
		if found != nil && !found.Stopped() {
			return slot.place(found.ARN, now), nil
		}
		return slot.vacate(true, "the start's outcome was never learned", now), nil
	case SlotPlaced, SlotStopping:
		if found != nil && !found.Stopped() {
			again := now.Add(missingProof)
			return slot, &again
		}
		if young := slot.PlacedAt.Add(missingProof); found == nil && now.Before(young) {
			return slot, &young
		}
		if slot.State == SlotStopping {
			return slot.vacate(false, slot.StopReason, now), nil
		}
		if found != nil {
			return slot.vacate(true, deathReason(*found), now), nil
		}
		return slot.vacate(true, "ECS does not know the task any more", now), nil
	}
	return slot, nil
}
