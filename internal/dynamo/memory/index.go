package memory

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// index is a global secondary index. Items without its key attributes are not
// in it.
type index struct {
	name       string
	schema     schema
	projection types.Projection
	projects   map[string]bool // attributes in the index, nil for all
	entries    partitions
	pending    []pendingChange
	used       Capacity
}

// hasAttribute reports whether the index holds the attribute.
func (ix *index) hasAttribute(name string) bool { return ix.projects == nil || ix.projects[name] }

// place is where an item stands in an index.
type place struct {
	hash     string
	position position
	record   *record // as projected; nil: the item is not in the index
}

func (ix *index) place(base key, r *record) place {
	if r == nil {
		return place{}
	}
	for _, a := range ix.schema.attributes() {
		if attr.TypeOf(r.item[a.name]) != a.kind {
			return place{}
		}
	}
	k := ix.schema.keyOf(r.item)
	projected := r
	if ix.projects != nil {
		item := attr.Item{}
		for name, v := range r.item {
			if ix.projects[name] {
				item[name] = v
			}
		}
		projected = newRecord(item)
	}
	return place{hash: k.hash, position: position{sort: k.sort, base: base}, record: projected}
}

// update plans what a write does to the index: the change, and the write units
// it costs. changed is false when the index stays as it is.
//
// A new or removed entry costs its size, a changed one the larger size, and one
// whose key changes is removed and written anew.
func (ix *index) update(base key, old, next *record) (change indexChange, units float64, changed bool) {
	from, to := ix.place(base, old), ix.place(base, next)
	switch {
	case from.record == nil && to.record == nil:
		return indexChange{}, 0, false
	case from.record == nil:
		units = writeUnits(to.record.size)
	case to.record == nil:
		units = writeUnits(from.record.size)
	case from.hash != to.hash || from.position != to.position:
		units = writeUnits(from.record.size) + writeUnits(to.record.size)
	case attr.EqualItem(from.record.item, to.record.item):
		return indexChange{}, 0, false
	default:
		units = writeUnits(max(from.record.size, to.record.size))
	}
	return indexChange{base: base, from: from, to: to}, units, true
}

// indexChange moves an item's entry.
type indexChange struct {
	base     key
	from, to place
}

func (ix *index) apply(c indexChange) {
	if c.from.record != nil {
		ix.entries.remove(c.from.hash, c.from.position)
	}
	if c.to.record != nil {
		ix.entries.put(c.to.hash, entry{position: c.to.position, record: c.to.record})
	}
}

// pendingChange is a change that reads of the index do not see yet.
type pendingChange struct {
	indexChange
	visible time.Time
	held    bool // until the indexes are settled, whatever the time
}

// enqueue makes a change, at once or later.
func (ix *index) enqueue(c indexChange, now func() time.Time, lag time.Duration) {
	if len(ix.pending) > 0 && !ix.pending[0].held && !ix.pending[0].visible.After(now()) {
		ix.release(now) // else an index that is never read would gather changes
	}
	if lag <= 0 && len(ix.pending) == 0 {
		ix.apply(c)
		return
	}
	ix.pending = append(ix.pending, pendingChange{indexChange: c, visible: now().Add(max(lag, 0)), held: lag == UntilSettled})
}

// release makes the pending changes whose time has come. A change waits for the
// earlier ones of its item, so that an item never goes back in the index.
func (ix *index) release(now func() time.Time) {
	if len(ix.pending) == 0 {
		return
	}
	at := now()
	waiting := map[key]bool{}
	left := ix.pending[:0]
	for _, c := range ix.pending {
		if c.held || c.visible.After(at) || waiting[c.base] {
			waiting[c.base] = true
			left = append(left, c)
			continue
		}
		ix.apply(c.indexChange)
	}
	clear(ix.pending[len(left):])
	ix.pending = left
}

func (ix *index) settle() {
	for _, c := range ix.pending {
		ix.apply(c.indexChange)
	}
	ix.pending = nil
}

// SettleIndexes makes every index, and every table's reads that are not
// consistent, catch up with all writes so far, whatever their lag.
func (db *DB) SettleIndexes() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, t := range db.tables {
		for _, ix := range t.indexes {
			ix.settle()
		}
		if t.replica != nil {
			t.replica.settle()
		}
	}
}

// checkIndexKeys refuses an item whose attributes cannot be keys of the table's
// indexes though they have the keys' names.
func (t *table) checkIndexKeys(item attr.Item, byUpdate bool) error {
	for _, ix := range t.indexes {
		for _, a := range ix.schema.attributes() {
			v, ok := item[a.name]
			if !ok {
				continue
			}
			if attr.TypeOf(v) != a.kind {
				return attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
					a.name, a.kind, attr.TypeOf(v), ix.name))
			}
			if what := emptyValue(v); what != "" {
				return errEmptyIndexKey(what, ix.name, a.name, byUpdate)
			}
		}
		if err := ix.schema.checkSizes(item); err != nil {
			return err
		}
	}
	return nil
}

func errEmptyIndexKey(what, index, name string, byUpdate bool) error {
	if byUpdate {
		return attr.Invalid(fmt.Sprintf("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value.", what))
	}
	return attr.Invalid(fmt.Sprintf("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", what, index, name))
}

func (db *DB) lagOf(t *table, ix *index) time.Duration {
	if db.lag == nil {
		return 0
	}
	return db.lag(t.name, ix.name)
}
