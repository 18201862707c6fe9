package memory

import "time"

// queue holds changes that reads do not see yet.
type queue struct{ pending []pendingChange }

// change is what one write of an item makes visible, as a whole.
type change struct {
	base  key
	moves []move
}

// move takes an item's entry from one place to another.
type move struct {
	in       partitions
	from, to place
}

func (m move) apply() {
	if m.from.record != nil {
		m.in.remove(m.from.hash, m.from.position)
	}
	if m.to.record != nil {
		m.in.put(m.to.hash, entry{position: m.to.position, record: m.to.record})
	}
}

func (c change) apply() {
	for _, m := range c.moves {
		m.apply()
	}
}

type pendingChange struct {
	change
	visible time.Time
	held    bool // until the indexes are settled, whatever the time
}

// enqueue makes a change, at once or later.
func (q *queue) enqueue(c change, now func() time.Time, lag time.Duration) {
	if len(q.pending) > 0 && !q.pending[0].held && !q.pending[0].visible.After(now()) {
		q.release(now) // else what is never read would gather changes
	}
	if lag <= 0 && len(q.pending) == 0 {
		c.apply()
		return
	}
	q.pending = append(q.pending, pendingChange{change: c, visible: now().Add(max(lag, 0)), held: lag == UntilSettled})
}

// release makes the pending changes whose time has come. A change waits for the
// earlier ones of its item, so that an item never goes back.
func (q *queue) release(now func() time.Time) {
	if len(q.pending) == 0 {
		return
	}
	at := now()
	waiting := map[key]bool{}
	left := q.pending[:0]
	for _, c := range q.pending {
		if c.held || c.visible.After(at) || waiting[c.base] {
			waiting[c.base] = true
			left = append(left, c)
			continue
		}
		c.apply()
	}
	clear(q.pending[len(left):])
	q.pending = left
}

func (q *queue) settle() {
	for _, c := range q.pending {
		c.apply()
	}
	q.pending = nil
}

// SettleIndexes makes every index, and every table's reads that are not
// consistent, catch up with all writes so far, whatever their lag.
func (db *DB) SettleIndexes() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, t := range db.tables {
		for _, ix := range t.indexes {
			ix.lag.settle()
		}
		if t.replica != nil {
			t.replica.lag.settle()
		}
	}
}

func (db *DB) lagOf(t *table, ix *index) time.Duration {
	if db.lag == nil {
		return 0
	}
	return db.lag(t.name, ix.name)
}
