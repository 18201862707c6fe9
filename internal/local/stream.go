package local

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

const (
	streamBatch = 100
	// streamAttempts bounds how often a record is tried. The deployed mapping sends what still fails to a queue of its
	// own; here it is logged.
	streamAttempts = 10
	// streamBuffer bounds the records that wait: DynamoDB keeps them for a day, a laptop keeps this many.
	streamBuffer = 1 << 18
)

// stream is a DynamoDB stream of one shard with Lambda's event source mapping: records are delivered in order, and a
// batch that failed is tried again, from the first record that failed, before anything later.
type stream struct {
	function *function
	bell     bell
	log      *slog.Logger
	pause    time.Duration // before a failed batch is tried again

	mu      sync.Mutex
	records []events.DynamoDBEventRecord
	lost    int
}

// newStream returns an empty stream; its function is set before it runs.
func newStream(log *slog.Logger) *stream {
	return &stream{bell: newBell(), log: log, pause: 200 * time.Millisecond}
}

// emit appends a record. It never blocks: the table's writer calls it.
func (s *stream) emit(record events.DynamoDBEventRecord) {
	s.mu.Lock()
	if len(s.records) < streamBuffer {
		s.records = append(s.records, record)
	} else if s.lost++; s.lost == 1 {
		s.log.Error("the stream is full and loses records: the scheduler learns of changes only by its ticks", "records", streamBuffer)
	}
	s.mu.Unlock()
	s.bell.ring()
}

// run delivers until ctx ends; calls is the context of the invocations.
func (s *stream) run(ctx, calls context.Context) {
	attempt := 0
	for ctx.Err() == nil {
		batch := s.next()
		if len(batch) == 0 {
			s.bell.wait(ctx, time.Time{}, time.Time{}, false)
			continue
		}
		done := s.deliver(calls, batch)
		if done < len(batch) {
			if done > 0 {
				attempt = 0
			}
			if attempt++; attempt < streamAttempts {
				s.drop(done)
				pause(ctx, s.pause)
				continue
			}
			s.log.Error("a change record is given up after its last attempt", "sequenceNumber", batch[done].Change.SequenceNumber, "attempts", attempt)
			done++
		}
		attempt = 0
		s.drop(done)
	}
}

func (s *stream) next() []events.DynamoDBEventRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records[:min(len(s.records), streamBatch)])
}

func (s *stream) drop(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.records[:n])
	s.records = s.records[n:]
}

// deliver says how many records of the batch are done: those before the first that the function reports as failed.
func (s *stream) deliver(ctx context.Context, batch []events.DynamoDBEventRecord) (done int) {
	var answer events.DynamoDBEventResponse
	if err := s.function.invoke(ctx, events.DynamoDBEvent{Records: batch}, &answer); err != nil {
		s.log.Warn("a batch of change records failed and will be delivered again", "records", len(batch), "error", err)
		return 0
	}
	done = len(batch)
	for _, failed := range answer.BatchItemFailures {
		i := slices.IndexFunc(batch, func(r events.DynamoDBEventRecord) bool {
			return r.Change.SequenceNumber == failed.ItemIdentifier
		})
		done = min(done, max(i, 0)) // an unknown identifier fails the whole batch
	}
	if done < len(batch) {
		s.log.Warn("change records failed and will be delivered again", "records", len(batch)-done, "of", len(batch))
	}
	return done
}

// pause waits, or returns early when the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
