package memory

import (
	"cmp"
	"slices"
	"strings"

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

// partitions is a table's or an index's partitions by hash key.
type partitions map[string]*partition

func (ps partitions) get(hash string, at position) *record {
	p, ok := ps[hash]
	if !ok {
		return nil
	}
	if c, found := p.find(at); found {
		return p.at(c).record
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
	p.put(e)
}

func (ps partitions) remove(hash string, at position) {
	p, ok := ps[hash]
	if !ok {
		return
	}
	p.remove(at)
	if len(p.chunks) == 0 {
		delete(ps, hash)
	}
}

// maxChunk is when a chunk is split. Between 64 and 512 it makes little
// difference.
const maxChunk = 128

// partition is the entries of one hash key in the order of their positions: a
// list of sorted chunks, none of them empty. One sorted slice would do for a few
// hundred entries; in one of ten thousand every insertion moves half a megabyte
// that the garbage collector has to look at.
type partition struct{ chunks [][]entry }

// cursor is a place in a partition. It is good until the partition changes.
type cursor struct{ chunk, index int }

func (p *partition) at(c cursor) entry { return p.chunks[c.chunk][c.index] }

// first returns the first entry that is past what the caller looks for, or the
// end. For the entries in their order, past must be false, then true.
func (p *partition) first(past func(entry) bool) cursor {
	chunk, _ := slices.BinarySearchFunc(p.chunks, true, func(chunk []entry, _ bool) int { return found(past(chunk[len(chunk)-1])) })
	if chunk == len(p.chunks) {
		return cursor{chunk: chunk}
	}
	index, _ := slices.BinarySearchFunc(p.chunks[chunk], true, func(e entry, _ bool) int { return found(past(e)) })
	return cursor{chunk: chunk, index: index}
}

// found makes a binary search stop at the first entry that is past.
func found(past bool) int {
	if past {
		return 0
	}
	return -1
}

func (p *partition) isEnd(c cursor) bool { return c.chunk >= len(p.chunks) }

func (p *partition) next(c cursor) cursor {
	if c.index+1 < len(p.chunks[c.chunk]) {
		return cursor{chunk: c.chunk, index: c.index + 1}
	}
	return cursor{chunk: c.chunk + 1}
}

// previous returns the entry before c, ok false at the beginning.
func (p *partition) previous(c cursor) (before cursor, ok bool) {
	switch {
	case c.index > 0:
		return cursor{chunk: c.chunk, index: c.index - 1}, true
	case c.chunk > 0:
		return cursor{chunk: c.chunk - 1, index: len(p.chunks[c.chunk-1]) - 1}, true
	default:
		return cursor{}, false
	}
}

// find returns where at is, or would be.
func (p *partition) find(at position) (cursor, bool) {
	c := p.first(func(e entry) bool { return e.compare(at) >= 0 })
	return c, !p.isEnd(c) && p.at(c).position == at
}

func (p *partition) put(e entry) {
	c, found := p.find(e.position)
	switch {
	case found:
		p.chunks[c.chunk][c.index] = e
		return
	case len(p.chunks) == 0:
		p.chunks = [][]entry{{e}}
		return
	case p.isEnd(c): // behind the last entry
		c = cursor{chunk: len(p.chunks) - 1, index: len(p.chunks[len(p.chunks)-1])}
	}
	grown := slices.Insert(p.chunks[c.chunk], c.index, e)
	p.chunks[c.chunk] = grown
	if len(grown) > maxChunk {
		half := len(grown) / 2
		p.chunks[c.chunk] = slices.Clone(grown[:half])
		p.chunks = slices.Insert(p.chunks, c.chunk+1, slices.Clone(grown[half:]))
	}
}

func (p *partition) remove(at position) {
	c, found := p.find(at)
	if !found {
		return
	}
	p.chunks[c.chunk] = slices.Delete(p.chunks[c.chunk], c.index, c.index+1)
	if len(p.chunks[c.chunk]) == 0 {
		p.chunks = slices.Delete(p.chunks, c.chunk, c.chunk+1)
	}
}

// all calls do for each entry in order.
func (p *partition) all(do func(entry)) {
	for _, chunk := range p.chunks {
		for _, e := range chunk {
			do(e)
		}
	}
}

// bounds is a range of range keys.
type bounds struct {
	low      string
	lowOpen  bool    // low itself is outside
	high     *string // nil: no bound
	highOpen bool
	prefix   bool // only keys that begin with low
}

// below reports whether a range key lies before the range.
func (b bounds) below(key string) bool { return key < b.low || b.lowOpen && key == b.low }

// above reports whether a range key lies behind the range.
func (b bounds) above(key string) bool {
	if b.prefix {
		return key > b.low && !strings.HasPrefix(key, b.low)
	}
	return b.high != nil && (key > *b.high || b.highOpen && key == *b.high)
}

// read calls do for the entries of a partition within b, from the one after
// start if it is given, until do returns false.
func (ps partitions) read(hash string, b bounds, start *position, backward bool, do func(entry) bool) {
	p, ok := ps[hash]
	if !ok {
		return
	}
	if backward {
		c := p.first(func(e entry) bool { return b.above(e.sort) || start != nil && e.compare(*start) >= 0 })
		for c, ok := p.previous(c); ok && !b.below(p.at(c).sort) && do(p.at(c)); {
			c, ok = p.previous(c)
		}
		return
	}
	c := p.first(func(e entry) bool { return !b.below(e.sort) && (start == nil || e.compare(*start) > 0) })
	for !p.isEnd(c) && !b.above(p.at(c).sort) && do(p.at(c)) {
		c = p.next(c)
	}
}
