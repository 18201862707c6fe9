package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Type says what a line tells.
type Type string

// The types of a line.
const (
	// Snapshot: a snapshot begins. What the reader had and is not told until the bookmark does not match any more.
	Snapshot Type = "SNAPSHOT"
	// Updated: this is what the thing is now; it matches the filter.
	Updated Type = "UPDATED"
	// Deleted: the thing does not match the filter any more, or is gone. The reader may never have had it.
	Deleted Type = "DELETED"
	// Bookmark: the snapshot, if there is one, is complete; changes follow.
	Bookmark Type = "BOOKMARK"
	// Heartbeat: nothing to tell up to this position.
	Heartbeat Type = "HEARTBEAT"
	// End: the time is up; go on from this position.
	End Type = "END"
)

// Line is one thing told.
type Line struct {
	Type Type
	// Position is where to go on without missing anything after this line; empty before the bookmark, when there is no
	// such position.
	Position string
	// Key and Record are of Updated and Deleted. Record is nil if nothing is known of the thing any more.
	Key    state.Key
	Record *state.Record
	// Includes is a position whose changes are all in Record.
	Includes string
}

// Feed is the feed of changes: *table.Feed.
type Feed interface {
	Position(ctx context.Context) (string, error)
	Read(ctx context.Context, from table.FeedPosition, limit int) ([]table.Change, table.FeedPosition, error)
	Follow(ctx context.Context, from table.FeedPosition, limit int) ([]table.Change, table.FeedPosition, error)
}

// ErrSnapshotTooLarge says that the time was up, or the stream was full, before the snapshot was complete.
var ErrSnapshotTooLarge = errors.New("the snapshot is larger than one stream may tell")

// What a stream holds in memory at once, and how it waits. It reads no further before the reader took what it was
// told, so that a slow reader costs time and no memory.
const (
	// chunk is how many records are read and told at once.
	chunk = 100
	// feedBatch is about how many changes are read at once. They are keys without details.
	feedBatch = 400
	// remembered bounds memory to about 20 MB.
	remembered = 50_000

	heartbeatPeriod = 15 * time.Second
	// After news the feed is looked at soon, for changes come in bursts; then less often. A look costs half a read unit, so
	// that a reader costs half a unit a second while nothing happens, and a unit a second while changes come.
	firstPause = 500 * time.Millisecond
	idlePause  = time.Second
)

// Watcher opens streams.
type Watcher struct {
	State State
	Feed  Feed
	Now   func() time.Time
	// Wait waits, or ends early with the context's error.
	Wait func(ctx context.Context, d time.Duration) error
}

// Request asks for a stream.
type Request struct {
	Selection Selection
	// From is the position after which changes are told; nil is now.
	From *table.FeedPosition
	// Snapshot tells first what there is. It is not allowed with From.
	Snapshot bool
	// Until is when the stream ends by itself.
	Until time.Time
	// Full says that the reader cannot be told more: the stream ends as if its time were up. Nil never says so. What is told
	// between two askings is a chunk.
	Full func() bool
}

// Stream is one reader's.
type Stream struct {
	*Watcher
	Request
	memory   *memory
	position table.FeedPosition
	pending  []table.Change
	next     table.FeedPosition // after pending
	rest     bool               // the feed may have more than pending
	toldAt   time.Time
	pause    time.Duration
	emit     func([]Line) error
}

// Open finds out whether the stream can be given. table.ErrExpired: the feed does not reach back to From.
func (w *Watcher) Open(ctx context.Context, r Request) (s *Stream, err error) {
	s = &Stream{Watcher: w, Request: r, memory: newMemory(r.Selection, remembered), toldAt: w.Now(), pause: firstPause}
	if r.From != nil {
		if r.Snapshot {
			return nil, errors.New("opening a stream: both a snapshot and a position to go on from")
		}
		s.position = *r.From
		// Read finds out more than Follow: a position that is not of this feed.
		s.pending, s.next, err = w.Feed.Read(ctx, s.position, feedBatch)
		s.rest = mayHaveMore(s.pending)
		return s, err
	}
	text, err := w.Feed.Position(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	s.position, err = table.ParseFeedPosition(text)
	s.next = s.position
	return s, err
}

// Run tells lines until the time is up, ctx ends, or emit fails, which gets them in order, some at a time, and must not
// keep them. table.ErrExpired: the reader was so slow that the feed went on without it.
func (s *Stream) Run(ctx context.Context, emit func([]Line) error) error {
	s.emit = emit
	if s.Snapshot {
		if err := s.snapshot(ctx); err != nil {
			return err
		}
	}
	if err := s.tell(Line{Type: Bookmark, Position: s.position.String()}); err != nil {
		return err
	}
	for {
		if err := s.tellPending(ctx); err != nil {
			return err
		}
		if s.over() {
			return s.tell(Line{Type: End, Position: s.position.String()})
		}
		if s.silent() {
			if err := s.tell(Line{Type: Heartbeat, Position: s.position.String()}); err != nil {
				return err
			}
		}
		if err := s.look(ctx); err != nil {
			return err
		}
	}
}

// snapshot tells all that matches. The position was read before.
func (s *Stream) snapshot(ctx context.Context) error {
	if err := s.tell(Line{Type: Snapshot}); err != nil {
		return err
	}
	var after table.Position
	for {
		page, err := s.Selection.list(ctx, s.State, after, chunk, s.Now())
		if err != nil {
			return err
		}
		var lines []Line
		for _, record := range page.Records {
			if line, ok := s.memory.snapshotted(record); ok {
				line.Includes = s.position.String()
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 && s.silent() {
			lines = []Line{{Type: Heartbeat}}
		}
		if err := s.tell(lines...); err != nil {
			return err
		}
		if page.Next.IsZero() {
			s.memory.completed()
			return nil
		}
		if s.over() {
			return ErrSnapshotTooLarge
		}
		after = page.Next
	}
}

// tellPending tells what became of the things that changed, and then is at the position after them. The lines
// themselves have the position before, for some of the changes are told after them.
func (s *Stream) tellPending(ctx context.Context) error {
	wanted, _ := s.Selection.wanted(s.pending)
	for keys := range slices.Chunk(wanted, chunk) {
		byKey, err := s.read(ctx, keys)
		if err != nil {
			return err
		}
		var lines []Line
		for _, key := range keys {
			if line, ok := s.changed(key, byKey[key]); ok {
				lines = append(lines, line)
			}
		}
		if err := s.tell(lines...); err != nil {
			return err
		}
		if s.full() {
			return nil // the rest is told again from the same position
		}
	}
	s.passPending()
	return nil
}

// read reads the records of keys as they are now; there is none of a key that is gone.
func (s *Stream) read(ctx context.Context, keys []state.Key) (map[state.Key]*state.Record, error) {
	records, err := s.State.GetMany(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	byKey := make(map[state.Key]*state.Record, len(records))
	for i := range records {
		byKey[records[i].Key] = &records[i]
	}
	return byKey, nil
}

// changed is the line about a pending change, if there is anything to tell; record is nil if there is none.
func (s *Stream) changed(key state.Key, record *state.Record) (Line, bool) {
	line, ok := s.memory.changed(key, record, s.Now())
	line.Position = s.position.String()
	line.Includes = line.Position
	return line, ok
}

// passPending goes to the position after the pending changes: all of them were told.
func (s *Stream) passPending() { s.position, s.pending = s.next, nil }

func (s *Stream) full() bool { return s.Full != nil && s.Full() }

// over says that the stream is to end.
func (s *Stream) over() bool { return s.full() || !s.Now().Before(s.Until) }

// look waits a while, unless the last look left something for this one, and reads what is new.
func (s *Stream) look(ctx context.Context) (err error) {
	if !s.rest {
		if err := s.Wait(ctx, max(0, min(s.pause, s.Until.Sub(s.Now())))); err != nil {
			return err
		}
	}
	s.pending, s.next, err = s.Feed.Follow(ctx, s.position, feedBatch)
	s.rest = mayHaveMore(s.pending)
	if len(s.pending) > 0 {
		s.pause = firstPause
	} else {
		s.pause = min(2*s.pause, idlePause)
	}
	return err
}

// mayHaveMore says whether a reading of the feed may have left something.
func mayHaveMore(changes []table.Change) bool { return len(changes) >= feedBatch }

func (s *Stream) silent() bool { return s.Now().Sub(s.toldAt) >= heartbeatPeriod }

func (s *Stream) tell(lines ...Line) error {
	if len(lines) == 0 {
		return nil
	}
	err := s.emit(lines)
	s.toldAt = s.Now()
	return err
}
