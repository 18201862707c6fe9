package reconcile

import (
	"encoding/json"

	"github.com/blox/blox/internal/state"
)

// lives notes a record for the summary, if it has not ended.
func (p *pass) lives(record state.Record) {
	if record.Tombstone != nil {
		return
	}
	// Tasks are many, and a summary looks at little of what is known of them.
	if record.Kind == state.KindTask {
		record = slim(record)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.living[record.Kind] = append(p.living[record.Kind], record)
}

// slim leaves of a task's details what state.Summarize looks at: when the last
// event came, and the task definition.
func slim(record state.Record) state.Record {
	record.Event, record.Described = slimSource(record.Event), slimSource(record.Described)
	return record
}

func slimSource(told *state.SourceDetail) *state.SourceDetail {
	if told == nil {
		return nil
	}
	slimmed := &state.SourceDetail{Version: told.Version, At: told.At}
	var task struct {
		TaskDefinitionARN string `json:"taskDefinitionArn"`
	}
	if json.Unmarshal(told.Detail, &task) == nil {
		slimmed.Detail, _ = json.Marshal(task) //nolint:errchkjson // a struct of one string
	}
	return slimmed
}
