package table

import (
	"context"
	"fmt"
	"slices"
)

// A merge reads every stream before its first entry. maxStreams keeps that within a request's time. A stream's first
// query asks for as many keys as one read unit holds.
const (
	maxStreams    = 400
	firstKeys     = 25
	maxMergeReads = 2000
)

// merge gives the entries of spans of one phase each, which are sorted by the same time, in that order.
//
// A task that moves on in its life while it runs keeps its place in the order, and changes its stream. So that it is in
// the list all the same, the streams of a partition are always read in the order of a life: when one is read on, what was
// read ahead in the later ones is dropped and read again, for what was to come in the one may be in the others now.
type merge struct {
	reader  *reader
	sort    Sort
	streams []*stream
	at      Position
}

// stream is one span of a merge, with what was read ahead of it.
type stream struct {
	span span
	// read is false until the first query, and again when what was read ahead has been dropped.
	read  bool
	ahead []entry
	start Item
	ended bool
}

// newMerge begins after a position of stageTimed; the zero Position is the beginning. loose are entries in order that no
// index has in order.
func newMerge(r *reader, spans []span, loose []entry, sort Sort, after Position) (*merge, error) {
	if after.At < 0 || after.At > noMillis {
		return nil, ErrPosition
	}
	m := &merge{reader: r, sort: sort, at: after}
	for _, s := range spans {
		m.streams = append(m.streams, &stream{span: s})
	}
	if len(loose) > 0 {
		m.streams = append(m.streams, &stream{read: true, ahead: loose, ended: true})
	}
	return m, nil
}

// rest is what of the stream's span comes after a place. A span's order within a millisecond is that of ids, so that only
// the record at the place itself is met again.
func (s *stream) rest(sort Sort, at Position) span {
	rest := s.span
	if at.IsZero() {
		return rest
	}
	moment := phaseTime(rest.covers[0], at.At)
	first, end := moment+"/", moment+"0" // around the keys of the moment
	if at.At > maxMillis {
		first, end = rest.covers[0]+"0", rest.covers[0]+"0"
	}
	edge := end
	switch c := rest.cluster.Compare(at.Cluster); {
	case c == 0:
		edge = first + at.ID
	case c > 0:
		edge = first
	}
	if sort.Descending {
		rest.to = min(rest.to, edge)
	} else {
		rest.from = max(rest.from, edge)
	}
	return rest
}

func (m *merge) next() (Position, bool) {
	return m.at, slices.ContainsFunc(m.streams, func(s *stream) bool { return len(s.ahead) > 0 || !s.ended })
}

func (m *merge) read(ctx context.Context, wanted int) ([]entry, error) {
	var entries []entry
	for wanted = min(getBatch, wanted); len(entries) < wanted; {
		if err := m.fill(ctx, wanted); err != nil {
			return nil, err
		}
		first := m.first()
		if first == nil {
			return entries, nil
		}
		// What moved on between two queries may have been read from both of its streams.
		if next := first.ahead[0]; m.after(next) {
			m.at = next.place
			entries = append(entries, next)
		}
		first.ahead = first.ahead[1:]
	}
	return entries, nil
}

// after says whether an entry comes after all that was given.
func (m *merge) after(e entry) bool { return m.at.IsZero() || m.sort.compare(e.place, m.at) > 0 }

// first is the stream whose next entry comes first; nil if there is none.
func (m *merge) first() *stream {
	var first *stream
	for _, s := range m.streams {
		if len(s.ahead) > 0 && (first == nil || m.sort.compare(s.ahead[0].place, first.ahead[0].place) < 0) {
			first = s
		}
	}
	return first
}

// fill reads on in every stream of which nothing is left.
func (m *merge) fill(ctx context.Context, wanted int) error {
	for i, s := range m.streams {
		for len(s.ahead) == 0 && !s.ended {
			if m.reader.queries >= maxMergeReads {
				return fmt.Errorf("%w: more than %d queries", ErrTooManyToSort, maxMergeReads)
			}
			if err := m.readOn(ctx, s, wanted); err != nil {
				return err
			}
			m.dropLater(i)
		}
	}
	return nil
}

// dropLater forgets what was read in the later phases of a stream's partition.
func (m *merge) dropLater(i int) {
	for _, s := range m.streams[i+1:] {
		if s.span.index != m.streams[i].span.index || s.span.partition != m.streams[i].span.partition {
			return // the streams of a partition lie together
		}
		*s = stream{span: s.span}
	}
}

func (m *merge) readOn(ctx context.Context, s *stream, wanted int) error {
	limit := firstKeys
	if len(m.streams) == 1 || s.start != nil {
		limit = max(firstKeys, min(wanted, getBatch))
	}
	if !s.read {
		s.read = true
		s.span = s.rest(m.sort, m.at)
		if s.span.empty() {
			s.ended = true
			return nil
		}
	}
	entries, last, err := m.reader.query(ctx, s.span, s.start, limit, m.sort.Descending)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.place.Stage = stageTimed; m.after(e) {
			s.ahead = append(s.ahead, e)
		}
	}
	s.start, s.ended = last, last == nil
	return nil
}

// chain gives what is sorted, and then the rest.
type chain struct {
	sorted *merge // nil when it has ended
	rest   *walk
}

func (c *chain) read(ctx context.Context, wanted int) ([]entry, error) {
	if c.sorted == nil {
		return c.rest.read(ctx, wanted)
	}
	return c.sorted.read(ctx, wanted)
}

func (c *chain) next() (Position, bool) {
	if c.sorted != nil {
		if at, more := c.sorted.next(); more {
			return at, true
		}
		c.sorted = nil
	}
	return c.rest.next()
}
