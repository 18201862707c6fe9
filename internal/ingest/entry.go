package ingest

import (
	"errors"
	"fmt"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/state"
)

// fate is what became of a record; its value is the name in the log.
type fate string

const (
	pending    fate = "pending"    // not decided yet; no record ends here
	stored     fate = "new"        // nothing was known of it
	newer      fate = "newer"      // replaced an older version
	duplicate  fate = "duplicate"  // this version was there already
	stale      fate = "stale"      // a newer version was there already
	superseded fate = "superseded" // the same batch has a newer version, which is stored
	hint       fate = "hint"       // reconcile was asked to look
	ignored    fate = "ignored"    // of no concern to cluster state
	dead       fate = "dead"       // sent to the dead-letter queue
	failed     fate = "failed"     // must be delivered again
)

// fates in the order of the log.
var fates = []fate{stored, newer, duplicate, stale, superseded, hint, ignored, dead, failed}

// entry is one record of a batch on its way.
type entry struct {
	record Record
	event  event.Event
	fate   fate
	reason string // of the dead: machine-readable, an attribute of the dead letter
	err    error  // of the dead and the failed
}

func (e *entry) die(reason string, err error) { e.fate, e.reason, e.err = dead, reason, err }

func (e *entry) fail(err error) { e.fate, e.err = failed, err }

// The reasons of dead letters that package event does not have.
const (
	reasonPanic   = "panic"
	reasonInvalid = "invalid"
)

// batch holds the entries in order, and those with an observation by key.
type batch struct {
	entries []*entry
	byKey   map[state.Key][]*entry
	keys    []state.Key // in the order of their first entry
}

func parse(records []Record) *batch {
	b := &batch{byKey: map[state.Key][]*entry{}}
	for _, record := range records {
		e := &entry{record: record, fate: pending}
		b.entries = append(b.entries, e)
		e.parse(event.Parse)
		if e.fate != pending {
			continue
		}
		key := e.event.Observation.Key
		if _, ok := b.byKey[key]; !ok {
			b.keys = append(b.keys, key)
		}
		b.byKey[key] = append(b.byKey[key], e)
	}
	return b
}

// parse decides the fate of all but those with an observation. The parser is an
// argument for the test of its panics.
func (e *entry) parse(parser func([]byte) (event.Event, error)) {
	defer e.survive()
	parsed, err := parser([]byte(e.record.Body))
	// Of one that is invalid, too: the log names it by its id.
	e.event = parsed
	var invalid *event.InvalidError
	switch {
	case errors.As(err, &invalid):
		e.die(invalid.Reason, err)
	case err != nil:
		e.die(reasonInvalid, err)
	case parsed.Ignored():
		e.fate = ignored
	case parsed.Hint != nil:
		e.fate = hint
	}
}

// survive makes a dead letter of a record that made us panic: it would do so
// each time, and take its batch with it. It has to be deferred itself.
func (e *entry) survive() {
	if cause := recover(); cause != nil {
		e.die(reasonPanic, fmt.Errorf("panic: %v", cause))
	}
}

// each gives the entries of a fate.
func (b *batch) each(f fate) []*entry {
	var found []*entry
	for _, e := range b.entries {
		if e.fate == f {
			found = append(found, e)
		}
	}
	return found
}

// counts is how many entries met each fate.
func (b *batch) counts() map[fate]int {
	counts := make(map[fate]int, len(fates))
	for _, e := range b.entries {
		counts[e.fate]++
	}
	return counts
}
