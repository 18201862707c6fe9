package memory

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// index is a secondary index. Items without its key attributes are not in it.
type index struct {
	name       string
	schema     schema
	projection types.Projection
	projects   map[string]bool // attributes in the index, nil for all
	// local is an index over the table's own partitions. DynamoDB writes it with
	// the item, so entries are up to date and can be read consistently; those of
	// a global index follow by lag.
	local   bool
	entries partitions
	lag     queue
	// stale is what reads of a local index see that are not consistent; nil: the
	// entries themselves.
	stale partitions
	used  Capacity
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

// update plans what a write does to the index: which entry moves, and the write
// units it costs. changed is false when the index stays as it is.
//
// A new or removed entry costs its size, a changed one the larger size, and one
// whose key changes is removed and written anew.
func (ix *index) update(base key, old, next *record) (m move, units float64, changed bool) {
	from, to := ix.place(base, old), ix.place(base, next)
	switch {
	case from.record == nil && to.record == nil:
		return move{}, 0, false
	case from.record == nil:
		units = writeUnits(to.record.size)
	case to.record == nil:
		units = writeUnits(from.record.size)
	case from.hash != to.hash || from.position != to.position:
		units = writeUnits(from.record.size) + writeUnits(to.record.size)
	case attr.EqualItem(from.record.item, to.record.item):
		return move{}, 0, false
	default:
		units = writeUnits(max(from.record.size, to.record.size))
	}
	return move{in: ix.entries, from: from, to: to}, units, true
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
