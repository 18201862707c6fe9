package table

import (
	"context"
	"fmt"
	"slices"
)

// A merge reads every stream before its first entry. maxStreams keeps that within a request's time; the reader of too
// many can name a cluster. A stream's first query asks for as many keys as one read unit holds.
const (
	maxStreams    = 400
	firstKeys     = 25
	maxMergeReads = 1000
)

// merge gives the entries of spans of one phase each, which are sorted by the same time, in that order.
type merge struct {
	reader  *reader
	sort    Sort
	streams []*stream
	at      Position
}

// stream is one span of a merge, with what was read ahead of it.
type stream struct {
	span  span
	ahead []entry
	start Item
	ended bool
}

// newMerge begins after a position of stageTimed; the zero Position is the beginning.
func newMerge(r *reader, spans []span, sort Sort, after Position) (*merge, error) {
	if len(spans) > maxStreams {
		return nil, fmt.Errorf("%w: %d partitions of the table, allowed are %d: name a cluster",
			ErrTooManyToSort, len(spans), maxStreams)
	}
	if after.At < 0 || after.At > maxMillis {
		return nil, ErrPosition
	}
	m := &merge{reader: r, sort: sort, at: after}
	for _, s := range spans {
		// What is at the position's millisecond is read again, and passed over by its id.
		if !after.IsZero() && sort.Descending {
			s.to = min(s.to, phaseTime(s.covers[0], after.At)+"0")
		} else if !after.IsZero() {
			s.from = max(s.from, phaseTime(s.covers[0], after.At))
		}
		if !s.empty() {
			m.streams = append(m.streams, &stream{span: s})
		}
	}
	return m, nil
}

func (m *merge) next() (Position, bool) {
	m.prune()
	return m.at, len(m.streams) > 0
}

// prune drops the streams that have ended. Of one whose last query reached its limit that is not known yet.
func (m *merge) prune() {
	m.streams = slices.DeleteFunc(m.streams, func(s *stream) bool { return len(s.ahead) == 0 && s.ended })
}

func (m *merge) read(ctx context.Context, wanted int) ([]entry, error) {
	var entries []entry
	for wanted = min(getBatch, wanted); len(entries) < wanted; {
		if err := m.fill(ctx, wanted); err != nil {
			return nil, err
		}
		if len(m.streams) == 0 {
			return entries, nil
		}
		first := m.streams[0]
		for _, s := range m.streams[1:] {
			if m.sort.compare(s.ahead[0].place, first.ahead[0].place) < 0 {
				first = s
			}
		}
		m.at = first.ahead[0].place
		entries = append(entries, first.ahead[0])
		first.ahead = first.ahead[1:]
	}
	return entries, nil
}

// fill reads on in every stream of which nothing is left, and drops those that have ended.
func (m *merge) fill(ctx context.Context, wanted int) error {
	for _, s := range m.streams {
		for len(s.ahead) == 0 && !s.ended {
			if m.reader.queries >= maxMergeReads {
				return fmt.Errorf("%w: more than %d queries", ErrTooManyToSort, maxMergeReads)
			}
			if err := m.readOn(ctx, s, wanted); err != nil {
				return err
			}
		}
	}
	m.prune()
	return nil
}

func (m *merge) readOn(ctx context.Context, s *stream, wanted int) error {
	limit := firstKeys
	if len(m.streams) == 1 || s.start != nil {
		limit = max(firstKeys, min(wanted, getBatch))
	}
	entries, last, err := m.reader.query(ctx, s.span, s.start, limit, m.sort.Descending)
	if err != nil {
		return err
	}
	for _, e := range entries {
		e.place.Stage = stageTimed
		if m.at.IsZero() || m.sort.compare(e.place, m.at) > 0 {
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
