package memory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/blox/blox/internal/dynamo/attr"
)

// maxExpiredAge: what has been due for longer than five years, DynamoDB does
// not delete. It guards against times in another unit than seconds.
const maxExpiredAge = 5 * 365 * 24 * time.Hour

// ExpireItems deletes the items that are due at now by their table's
// time-to-live attribute, and returns how many. Like DynamoDB's own deletions
// they consume no units, and their change records carry the service's identity.
// DynamoDB takes up to days to delete what is due: until then reads return it,
// and so they do here until this is called. Tables and items are gone through in
// the order of their names and keys.
func (db *DB) ExpireItems(now time.Time) int {
	defer db.deliver()
	db.mu.Lock()
	defer db.mu.Unlock()
	count := 0
	for _, name := range slices.Sorted(maps.Keys(db.tables)) {
		t := db.tables[name]
		if t.ttl == "" {
			continue
		}
		due := t.due(now)
		count += len(due)
		for _, d := range due {
			o := outcome{write: &write{table: t, key: d.key, keys: t.schema.keyItem(d.record.item)}, old: d.record, changed: true}
			db.do(o, &bill{table: t}, 1, expiryService)
		}
	}
	return count
}

type dueItem struct {
	key    key
	record *record
}

func (t *table) due(now time.Time) []dueItem {
	var out []dueItem
	latest, earliest := attr.SecondsOf(now), attr.SecondsOf(now.Add(-maxExpiredAge))
	for hash, p := range t.items {
		p.all(func(e entry) {
			at, isNumber := attr.NumberOf(e.record.item[t.ttl])
			if isNumber && at.Compare(latest) <= 0 && at.Compare(earliest) > 0 {
				out = append(out, dueItem{key: key{hash: hash, sort: e.sort}, record: e.record})
			}
		})
	}
	slices.SortFunc(out, func(a, b dueItem) int {
		return cmp.Or(cmp.Compare(a.key.hash, b.key.hash), cmp.Compare(a.key.sort, b.key.sort))
	})
	return out
}
