package state

import "time"

const (
	// DefaultVisibleFor is how long readers still see what has ended. ECS itself
	// forgets a stopped task after about an hour.
	DefaultVisibleFor = 7 * 24 * time.Hour

	// TombstoneKeptFor is how long a tombstone keeps its version. It must outlive
	// every event that could still arrive, or a late one would bring a dead task
	// back: EventBridge retries a delivery for 24 hours, a message then stays in
	// the queue for up to 14 days, and in the dead-letter queue, from where it
	// may be sent again, for 14 more. One day is added for clocks and for
	// redrives at the last minute.
	TombstoneKeptFor = (1 + 14 + 14 + 1) * 24 * time.Hour
)

// Tombstone marks a record whose task has stopped or whose container instance
// is gone. The record stays, so that its version can refuse late events.
type Tombstone struct {
	// StoppedAt is when the task stopped or the container instance was seen to
	// be gone.
	StoppedAt time.Time
	// Gone means that ECS holds it no more or soon will not: an INACTIVE
	// container instance, or anything reconcile found missing.
	Gone bool
	// Inferred means that ECS did not say it: reconcile concluded it from a
	// complete list and a Describe answering MISSING. Only such a tombstone can
	// be wrong, so only such a one may come back to life (see Compare).
	Inferred bool
	// VisibleUntil is when readers stop seeing the record, and TTL when
	// DynamoDB may delete it.
	VisibleUntil time.Time
	TTL          time.Time
}

// newTombstone counts visibility from the end of the thing's life, and the TTL
// from now: what matters there is which events may still be under way.
func newTombstone(stoppedAt, now time.Time, visibleFor time.Duration) *Tombstone {
	visibleUntil := stoppedAt.Add(visibleFor)
	ttl := now.Add(TombstoneKeptFor)
	if ttl.Before(visibleUntil) {
		ttl = visibleUntil
	}
	return &Tombstone{StoppedAt: stoppedAt, VisibleUntil: visibleUntil, TTL: ttl}
}

// InferGone gives the record of a thing that reconcile found missing in ECS. It
// keeps its version, so that only a higher one, or a later Describe of an equal
// one, revives it (see Compare), and no index finds it among the living. A record that has a tombstone already is given back as it
// is: what ECS said itself is not overruled by a guess.
func InferGone(stored Record, now time.Time, visibleFor time.Duration) Record {
	if stored.Tombstone != nil {
		return stored
	}
	stored.Tombstone = newTombstone(now, now, visibleFor)
	stored.Tombstone.Gone = true
	stored.Tombstone.Inferred = true
	stored.StoredAt = now
	switch stored.Kind {
	case KindTask:
		stored.Task.LastStatus = TaskStopped
		stored.Task.DesiredStatus = TaskStopped
	case KindContainerInstance:
		stored.Instance.Status = InstanceInactive
		stored.Instance.AgentConnected = false
	}
	return stored
}
