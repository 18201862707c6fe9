package state

import (
	"encoding/json"
	"time"
)

// Outcome says what an observation means for what is stored.
type Outcome int

const (
	// New: nothing was stored. Written.
	New Outcome = iota + 1
	// Newer: the version is higher than the stored one. Written.
	Newer
	// Refresh: the version is equal, and a later Describe shows other content.
	// Written, because tags and attributes change without an event and without
	// a new version; or because what was inferred to be gone is there.
	Refresh
	// Duplicate: the version is equal and nothing is to be learned. Not written.
	Duplicate
	// Stale: the version is lower, or the thing has ended for good. Not written.
	Stale
)

// String names the outcome in lower case, as metrics and logs show it.
func (o Outcome) String() string {
	switch o {
	case New:
		return "new"
	case Newer:
		return "newer"
	case Refresh:
		return "refresh"
	case Duplicate:
		return "duplicate"
	case Stale:
		return "stale"
	default:
		return "unknown"
	}
}

// Written says whether the observation belongs into the store.
func (o Outcome) Written() bool { return o == New || o == Newer || o == Refresh }

// Compare decides whether an observation is newer than what is stored; the zero
// Record means that nothing is.
//
//   - Order comes from the version alone. EventBridge delivers at least once and
//     in any order, so neither arrival nor the event's time says which is newer.
//   - A lower version is Stale whatever its source, and an event of an equal
//     version is a Duplicate: ECS raises the version with every change that
//     causes an event.
//   - A Describe of an equal version may still bring news, since tags, custom
//     attributes and health move without a new version. It is a Refresh if its
//     call began after that of the stored Describe and the merged detail would
//     change. Of two Describes the later call counts, not the later answer; but a
//     Describe that changes nothing is not written, so neither is the time of its
//     call, and an answer that was overtaken by it may still bring back an old tag
//     until the next Describe. To prevent that would cost a write of every record
//     with every reconcile.
//   - What ECS itself called stopped or inactive stays so, even against a higher
//     version: a task never runs again and a container instance that left gets a
//     new ARN. Its end may be told anew (attachments are deleted after STOPPED).
//   - What reconcile inferred to be gone revives by a higher version, or by a
//     Describe of an equal one whose call began after the inference: ECS holds it,
//     so the inference was wrong. A quiet task would otherwise stay buried for
//     good, for ECS raises no version while nothing happens to it. An event of an
//     equal version, or an answer to an earlier call, may have been under way for
//     long and proves nothing.
//
// The same rule as a DynamoDB condition is
// attribute_not_exists(pk) OR version < :v, plus the two limits above.
func Compare(stored Record, seen Observation) Outcome {
	switch {
	case stored.IsZero():
		return New
	case seen.Version < stored.Version:
		return Stale
	case seen.Version > stored.Version:
		if stored.Tombstone != nil && !stored.Tombstone.Inferred && !seen.Ended() {
			return Stale
		}
		return Newer
	case refreshes(stored, seen):
		return Refresh
	default:
		return Duplicate
	}
}

// refreshes says whether an observation of the stored version brings content
// that is worth a write.
func refreshes(stored Record, seen Observation) bool {
	if seen.Source != SourceDescribed {
		return false
	}
	if stored.Tombstone != nil {
		if stored.Tombstone.Inferred {
			return !seen.Ended() && stored.Tombstone.StoppedAt.Before(seen.ObservedAt)
		}
		if !seen.Ended() {
			return false
		}
	}
	if stored.Described != nil && !stored.Described.At.Before(seen.ObservedAt) {
		return false
	}
	before, err := stored.Detail()
	if err != nil {
		// What is stored cannot be read: any readable answer is better.
		return true
	}
	stored.Described = &SourceDetail{Version: seen.Version, At: seen.ObservedAt, Detail: seen.Detail}
	after, err := stored.Detail()
	return err == nil && !SameContent(before, after)
}

// Ended says whether the observation shows a stopped task or an inactive
// container instance.
func (o Observation) Ended() bool {
	var detail struct {
		LastStatus string `json:"lastStatus"`
		Status     string `json:"status"`
	}
	if err := json.Unmarshal(o.Detail, &detail); err != nil {
		return false
	}
	if o.Kind == KindTask {
		return taskStatusEnded(detail.LastStatus)
	}
	return detail.Status == InstanceInactive
}

// Apply gives the record as it is after the observation. If the outcome is not
// Written, the record is the stored one unchanged. now is the time of the write;
// visibleFor is how long readers see what has ended.
// The error tells of a detail that cannot be decoded; nothing is to be written
// then.
func Apply(stored Record, seen Observation, now time.Time, visibleFor time.Duration) (Record, Outcome, error) {
	outcome := Compare(stored, seen)
	if !outcome.Written() {
		return stored, outcome, nil
	}
	next, err := recordOf(seen, now, visibleFor)
	if err != nil {
		return stored, outcome, err
	}
	if seen.Source == SourceEvent {
		next.Described = stored.Described
	} else {
		next.Event = stored.Event
	}
	return next, outcome, nil
}

// recordOf is the record of an observation when nothing else is known.
func recordOf(seen Observation, now time.Time, visibleFor time.Duration) (Record, error) {
	record := Record{Key: seen.Key, ARN: seen.ARN, Version: seen.Version, StoredAt: now}
	told := &SourceDetail{Version: seen.Version, At: seen.ObservedAt, Detail: seen.Detail}
	if seen.Source == SourceEvent {
		record.Event = told
	} else {
		record.Described = told
	}
	if seen.Kind == KindContainerInstance {
		instance, err := DecodeContainerInstance(seen.Detail)
		if err != nil {
			return Record{}, err
		}
		record.Instance = InstanceFieldsOf(instance)
		if instance.Gone() {
			record.Tombstone = newTombstone(seen.ObservedAt, now, visibleFor)
			record.Tombstone.Gone = true
		}
		return record, nil
	}
	task, err := DecodeTask(seen.Detail)
	if err != nil {
		return Record{}, err
	}
	record.Task = TaskFieldsOf(task)
	if task.Stopped() {
		stoppedAt := seen.ObservedAt
		if task.StoppedAt != nil {
			stoppedAt = *task.StoppedAt
		}
		record.Tombstone = newTombstone(stoppedAt, now, visibleFor)
	}
	return record, nil
}
