package watch

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// What one answer of a poll may hold: a Lambda function answers at most 6 MB, and a record's document has little more
// than the details that the record keeps.
const (
	// pollPage is how many records one answer about a snapshot tells at most.
	pollPage = 1000
	// maxPollBytes bounds the details of the records that one answer tells of, unless the first alone has more.
	maxPollBytes = 3 << 20
)

// PollRequest asks what happened since a position, once.
type PollRequest struct {
	Selection Selection
	// From is the position after which changes are told. Skip leaves out that many of the feed's changes after it, whatever
	// they are of: an answer before told what became of them, and was full then.
	From table.FeedPosition
	Skip int
	// Until is when the answer is given though there is nothing to tell.
	Until time.Time
	// MaxBytes is about how much the answer may hold; 0 is what a Lambda function may answer.
	MaxBytes int
}

// Polled is the answer to a PollRequest: UPDATED and DELETED lines, none if nothing happened.
type Polled struct {
	Lines []Line
	// Position and Skip are where to go on.
	Position table.FeedPosition
	Skip     int
}

// Poll tells what happened since a position as soon as there is something to tell. It remembers nothing from one call
// to the next, so that what does not match the filter now is told as deleted unless it cannot ever have matched.
// table.ErrExpired: the feed does not reach back to From. table.ErrPosition: there is less after From than is to be
// skipped.
func (w *Watcher) Poll(ctx context.Context, r PollRequest) (Polled, error) {
	s, err := w.Open(ctx, Request{Selection: r.Selection, From: &r.From, Until: r.Until})
	if err != nil {
		return Polled{}, err
	}
	for skip := r.Skip; ; skip = 0 {
		polled, err := s.answer(ctx, skip, cmp.Or(r.MaxBytes, maxPollBytes))
		if err != nil || len(polled.Lines) > 0 || s.over() {
			return polled, err
		}
		if err := s.look(ctx); err != nil {
			return Polled{}, err
		}
	}
}

// Skip counts on it that the feed is one sequence: of several, what came meanwhile would stand between what was told. This
// does not compile for another number of them.
var _ [1]struct{} = [schema.FeedShards]struct{}{}

// answer tells as much of the pending changes as an answer may hold, and then is at the position after them if that was
// all. What is skipped are the feed's own changes, before those of one thing become one: a thing that was told and then
// changed again stands behind them once more, and is told again.
func (s *Stream) answer(ctx context.Context, skip, maxBytes int) (Polled, error) {
	if skip < 0 || skip > len(s.pending) {
		return Polled{}, fmt.Errorf("%d changes are to be skipped after %s, there are %d: %w",
			skip, s.position, len(s.pending), table.ErrPosition)
	}
	keys, firsts := s.Selection.wanted(s.pending[skip:])
	var lines []Line
	size := 0
	for from := 0; from < len(keys); from += chunk {
		some := keys[from:min(from+chunk, len(keys))]
		byKey, err := s.read(ctx, some)
		if err != nil {
			return Polled{}, err
		}
		for i, key := range some {
			line, ok := s.changed(key, byKey[key])
			if ok {
				if size += detailBytes(line.Record); size > maxBytes && len(lines) > 0 {
					return Polled{Lines: lines, Position: s.position, Skip: skip + firsts[from+i]}, nil
				}
				lines = append(lines, line)
			}
		}
	}
	s.passPending()
	return Polled{Lines: lines, Position: s.position}, nil
}

// detailBytes is about what a record adds to an answer.
func detailBytes(r *state.Record) int {
	n := 0
	if r != nil {
		for _, source := range []*state.SourceDetail{r.Event, r.Described} {
			if source != nil {
				n += len(source.Detail)
			}
		}
	}
	return n
}

// Page is a part of what a selection holds now, for readers who poll: all pages together, and all changes after a
// position that was read before the first page, miss nothing.
func (w *Watcher) Page(ctx context.Context, selection Selection, after table.Position) (table.Page, error) {
	return selection.list(ctx, w.State, after, pollPage, w.Now())
}
