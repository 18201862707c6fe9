package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/blox/blox/internal/state"
)

// observed is what an event with a resource says about it.
type observed struct {
	key       state.Key
	arn       string
	version   int64
	updatedAt *time.Time
	detail    json.RawMessage
	complete  bool   // whether the fields are there that indexes are made of
	required  string // their names
}

// observe sets the event's observation, or a hint if there is no version. ECS
// counts versions from 1, so 0 is none.
func (e *Event) observe(o observed) error {
	if o.version < 0 {
		return invalid(ReasonInvalidVersion, fmt.Sprintf("version %d of %s, allowed are 1 and above", o.version, o.key))
	}
	if o.version == 0 {
		e.hint(o.key)
		return nil
	}
	if !o.complete {
		return invalid(ReasonMissingStatus, fmt.Sprintf("%s has no %s", o.key, o.required))
	}
	if e.Time.IsZero() && o.updatedAt != nil {
		e.Time = o.updatedAt.UTC()
	}
	if e.Time.IsZero() {
		return invalid(ReasonMissingTime, fmt.Sprintf("the event of %s has no time", o.key))
	}
	var detail bytes.Buffer
	if err := json.Compact(&detail, o.detail); err != nil {
		return invalid(ReasonNotJSON, "detail: "+err.Error())
	}
	e.Observation = &state.Observation{
		Key:        o.key,
		ARN:        o.arn,
		Version:    o.version,
		Source:     state.SourceEvent,
		ObservedAt: e.Time,
		Detail:     detail.Bytes(),
	}
	return nil
}

func (e *Event) hint(key state.Key) {
	e.Hint = &Hint{Cluster: key.Cluster, Kind: key.Kind, IDs: []string{key.ID}}
}
