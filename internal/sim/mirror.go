package sim

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// mirror is what STATE holds, as its stream tells it: what readers should be shown.
type mirror struct {
	records map[state.Key]state.Record
	changed map[state.Key]time.Time
	// expired has the versions of what DynamoDB has deleted by its TTL.
	expired map[state.Key]int64
}

func newMirror() mirror {
	return mirror{
		records: map[state.Key]state.Record{}, changed: map[state.Key]time.Time{}, expired: map[state.Key]int64{},
	}
}

// visibleUntil is when readers must not see a record any more; false if it lives.
func visibleUntil(r state.Record) (time.Time, bool) {
	if r.Tombstone == nil {
		return time.Time{}, false
	}
	return r.Tombstone.StoppedAt.Add(state.DefaultVisibleFor), true
}

func visible(r state.Record, now time.Time) bool {
	until, over := visibleUntil(r)
	return !over || now.Before(until)
}

// reflect follows a change of the STATE table, and checks that it is of something that ECS has told.
func (w *world) reflect(record events.DynamoDBEventRecord) {
	change, ok, err := table.DecodeChange(record)
	if err != nil {
		w.violate(1, "a change of STATE cannot be read: %v", err)
	}
	if !ok || err != nil {
		return
	}
	w.mirror.changed[change.Key] = w.now
	if change.New == nil {
		delete(w.mirror.records, change.Key)
		if change.Expired {
			w.met("tombstone expired")
			w.mirror.expired[change.Key] = change.Old.Version
		}
		return
	}
	if version, was := w.mirror.expired[change.Key]; was && change.Old == nil {
		w.returned(*change.New, version)
	}
	w.mirror.records[change.Key] = *change.New
	w.checkOrigin(*change.New)
	w.checkBurial(change)
}

// returned is a record that is made anew after its tombstone expired: only what lives may be. Invariant 1.
func (w *world) returned(r state.Record, version int64) {
	if !w.lives(r.ARN) {
		w.violate(1, "%s came back at version %d after its tombstone of version %d expired", r.ARN, r.Version, version)
	}
	w.met("taken for gone, and back after its tombstone expired")
	delete(w.mirror.expired, r.Key)
}

// checkOrigin is a part of invariant 5: what is stored is what ECS told of the same thing, in its account and region.
func (w *world) checkOrigin(r state.Record) {
	version := int64(-1)
	if t := w.truth.tasks[r.ARN]; t != nil {
		version = t.version
	} else if h := w.truth.hosts[r.ARN]; h != nil {
		version = h.version
	}
	if r.Version > version {
		w.violate(5, "STATE has version %d of %s, ECS never had it", r.Version, r.ARN)
		return
	}
	for _, source := range []*state.SourceDetail{r.Event, r.Described} {
		if source == nil {
			continue
		}
		var detail struct {
			Task     string `json:"taskArn"`
			Instance string `json:"containerInstanceArn"`
		}
		if err := json.Unmarshal(source.Detail, &detail); err != nil {
			panic(fmt.Sprintf("sim: the detail of %s is %q", r.ARN, source.Detail))
		}
		if arn := either(detail.Task, detail.Instance); arn != r.ARN {
			w.violate(5, "the record of %s holds what ECS told of %s", r.ARN, arn)
			return
		}
	}
}

// lives says whether ECS has something alive.
func (w *world) lives(arn string) bool {
	if t := w.truth.tasks[arn]; t != nil {
		return t.last != state.TaskStopped
	}
	h := w.truth.hosts[arn]
	return h != nil && h.status != state.InstanceInactive
}
