package watch

import (
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// memory is what one stream remembers of what it told. It only saves lines: without it, and after it forgot, everything
// told is still true and nothing is missing.
//
// A reader that goes on from a position holds things that this stream never told it. What does not match the filter now
// may have matched then, so it is told as deleted, even if the reader never had it. Two things keep these lines few:
// what differs in something that never changes was never in the filter, and after a snapshot of its own a stream knows
// all that the reader has.
type memory struct {
	selection Selection
	told      map[state.Key]telling
	limit     int
	// complete says that whatever is not in told is not in the reader's hands.
	complete bool
	forgot   bool
}

// telling is what was told last of a thing, by what tells two states of a record apart.
type telling struct {
	deleted                        bool
	version                        int64
	eventVersion, describedVersion int64
	eventAt, describedAt, storedAt time.Time
	ended, inferred                bool
}

func newMemory(selection Selection, limit int) *memory {
	return &memory{selection: selection, told: map[state.Key]telling{}, limit: limit}
}

func tellingOf(r state.Record) telling {
	t := telling{version: r.Version, storedAt: r.StoredAt, ended: r.Tombstone != nil}
	if r.Event != nil {
		t.eventVersion, t.eventAt = r.Event.Version, r.Event.At
	}
	if r.Described != nil {
		t.describedVersion, t.describedAt = r.Described.Version, r.Described.At
	}
	t.inferred = t.ended && r.Tombstone.Inferred
	return t
}

// snapshotted remembers a record of the snapshot, and is the line about it. ok is false if it was told already: what goes
// on in its life during the snapshot is found where it was and again where it is now.
func (m *memory) snapshotted(r state.Record) (line Line, ok bool) {
	telling := tellingOf(r)
	if last, known := m.told[r.Key]; known && last == telling {
		return Line{}, false
	}
	m.remember(r.Key, telling)
	return Line{Type: Updated, Key: r.Key, Record: &r}, true
}

// changed decides what to tell of a thing that changed; r is nil if there is no record of it. ok is false if there is
// nothing to tell.
func (m *memory) changed(key state.Key, r *state.Record, now time.Time) (line Line, ok bool) {
	never := r != nil && !m.selection.could(*r)
	if r != nil && !table.Visible(*r, now) {
		r = nil
	}
	last, known := m.told[key]
	switch {
	case r != nil && m.selection.matches(*r):
		telling := tellingOf(*r)
		if known && last == telling {
			return Line{}, false // the feed repeats itself, or the snapshot was ahead of it
		}
		m.remember(key, telling)
		return Line{Type: Updated, Key: key, Record: r}, true
	case known && last.deleted, !known && m.complete, never:
		return Line{}, false // the reader does not have it
	default:
		m.remember(key, telling{deleted: true})
		return Line{Type: Deleted, Key: key, Record: r}, true
	}
}

// remember forgets everything when it is full: to forget things one by one would need an order, and saves little.
func (m *memory) remember(key state.Key, t telling) {
	if _, known := m.told[key]; !known && len(m.told) >= m.limit {
		clear(m.told)
		m.complete = false
		m.forgot = true
	}
	m.told[key] = t
}

// completed says that the snapshot is over. If some of it is forgotten, not being remembered says nothing.
func (m *memory) completed() { m.complete = !m.forgot }
