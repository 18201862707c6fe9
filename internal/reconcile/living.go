package reconcile

import (
	"encoding/json"
	"time"

	"github.com/blox/blox/internal/state"
)

// lives notes a record for the summary: of one that has ended, when its last event came.
func (p *pass) lives(record state.Record) {
	p.sawEvent(record)
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

// sawEvent notes when the last event of a record came.
func (p *pass) sawEvent(record state.Record) {
	if record.Event == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastEventAt = latest(p.lastEventAt, record.Event.At)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// summary counts what lives. The newest event may be that of something which has ended and is not looked at any more:
// that time stays.
func (p *pass) summary() *state.Summary {
	summary := state.Summarize(p.living[state.KindTask], p.living[state.KindContainerInstance], p.cfg.Now().UTC())
	summary.LastEventAt = latest(summary.LastEventAt, p.lastEventAt)
	summary.Instances.WithOnlyDaemons, p.hasDaemons = onlyDaemons(p.living[state.KindTask], p.living[state.KindContainerInstance])
	if p.before.Summary != nil {
		summary.LastEventAt = latest(summary.LastEventAt, p.before.Summary.LastEventAt)
	}
	return &summary
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
