package memory

import (
	"cmp"
	"slices"
	"sort"

	"github.com/blox/blox/internal/dynamo/attr"
)

// record is one version of an item, or its projection into an index. It never
// changes once it is stored, so it may be shared and read without the lock.
type record struct {
	item attr.Item
	size int // bytes as DynamoDB counts them
}

func newRecord(item attr.Item) *record {
	return &record{item: item, size: attr.ItemSize(item)}
}

// position is the place of an entry in its partition: its range key, then, in
// an index, the key of the item, because index keys need not be unique.
type position struct {
	sort string
	base key
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.sort, q.sort), cmp.Compare(p.base.hash, q.base.hash), cmp.Compare(p.base.sort, q.base.sort))
}

type entry struct {
	position
	record *record
}

// partition is the entries of one hash key in the order of their positions. A
// slice is enough: inserting into 10,000 entries moves some 100 KB.
type partition struct{ entries []entry }

func (p *partition) find(at position) (int, bool) {
	return slices.BinarySearchFunc(p.entries, at, func(e entry, at position) int { return e.compare(at) })
}

// partitions is a table's or an index's partitions by hash key.
type partitions map[string]*partition

func (ps partitions) get(hash string, at position) *record {
	p, ok := ps[hash]
	if !ok {
		return nil
	}
	if i, found := p.find(at); found {
		return p.entries[i].record
	}
	return nil
}

// put stores an entry, in place of the one at the same position.
func (ps partitions) put(hash string, e entry) {
	p, ok := ps[hash]
	if !ok {
		p = &partition{}
		ps[hash] = p
	}
	i, found := p.find(e.position)
	if found {
		p.entries[i] = e
		return
	}
	p.entries = slices.Insert(p.entries, i, e)
}

func (ps partitions) remove(hash string, at position) {
	p, ok := ps[hash]
	if !ok {
		return
	}
	i, found := p.find(at)
	if !found {
		return
	}
	p.entries = slices.Delete(p.entries, i, i+1)
	if len(p.entries) == 0 {
		delete(ps, hash)
	}
}

// bounds is a range of range keys. high is not bounded when it is nil.
type bounds struct {
	low         string
	lowOpen     bool // low itself is outside
	high        *string
	highOpen    bool
	prefixBound bool // only keys that begin with low
}

func (b bounds) contains(sortKey string) bool {
	if sortKey < b.low || b.lowOpen && sortKey == b.low {
		return false
	}
	if b.prefixBound {
		return len(sortKey) >= len(b.low) && sortKey[:len(b.low)] == b.low
	}
	return b.high == nil || sortKey < *b.high || !b.highOpen && sortKey == *b.high
}

// within returns the entries whose range key is in b.
func (ps partitions) within(hash string, b bounds) []entry {
	p, ok := ps[hash]
	if !ok {
		return nil
	}
	from := sort.Search(len(p.entries), func(i int) bool {
		key := p.entries[i].sort
		return key > b.low || !b.lowOpen && key == b.low
	})
	// From there on the keys inside come first, then those above.
	count := sort.Search(len(p.entries)-from, func(i int) bool { return !b.contains(p.entries[from+i].sort) })
	return p.entries[from : from+count]
}
