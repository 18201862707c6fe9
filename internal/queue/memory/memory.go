// Package memory is a queue that behaves as Amazon SQS does, without a clock, a goroutine or a random number of its own:
// messages are delivered at least once, hidden while they are worked on, delivered again when nobody deleted them in
// time, and set aside in a dead-letter queue after too many deliveries. Local mode runs it in real time, the simulation
// on virtual time.
//
// Two things of SQS are left out: messages never expire, and a FIFO queue hands out one message of a group at a time
// (SQS may hand out several of one group in one batch).
package memory

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/blox/blox/internal/queue"
)

// DeduplicationInterval is how long a FIFO queue drops messages with a deduplication id it has seen.
const DeduplicationInterval = 5 * time.Minute

// DefaultVisibility is SQS's visibility timeout unless set.
const DefaultVisibility = 30 * time.Second

// Options describe a queue.
type Options struct {
	// Now is the time at which Send is called; required.
	Now func() time.Time
	// Visibility is how long a received message is hidden; 0 means DefaultVisibility.
	Visibility time.Duration
	// MaxReceives moves a message to DeadLetter instead of delivering it once more than this often; 0 means never.
	MaxReceives int
	DeadLetter  *Queue
	FIFO        bool
	// Duplicate, if set, is asked for every message sent to a standard queue whether it is delivered a second time,
	// and how long after the first: one of SQS's servers missed the deletion. FIFO queues do not do that.
	Duplicate func(queue.Message) (after time.Duration, twice bool)
	// Choose, if set, says which of n messages that are due is handed out next, from 0 on: a standard queue has no order.
	// FIFO queues do not ask it.
	Choose func(n int) int
}

// Queue is one queue. It is safe for concurrent use.
type Queue struct {
	options Options

	mu          sync.Mutex
	nextID      uint64
	nextSeq     uint64
	due         dueMessages         // standard: all messages; FIFO: the first of each group
	waiting     map[string][]*entry // FIFO: the others of each group, in order
	receipts    map[string]*entry   // the newest receipt of each message that has one
	seen        map[string]time.Time
	seenInOrder []seenID
	length      int
}

var _ queue.Sender = (*Queue)(nil)

type seenID struct {
	id    string
	until time.Time
}

// New returns an empty queue. It panics when MaxReceives and DeadLetter do not come together, when a FIFO queue's
// dead-letter queue is none (SQS wants both alike), and without a clock: all are mistakes in the program, not in its input.
func New(o Options) *Queue {
	switch {
	case o.Now == nil:
		panic("memory: a queue needs a clock")
	case (o.MaxReceives > 0) != (o.DeadLetter != nil):
		panic("memory: MaxReceives and DeadLetter come together")
	case o.DeadLetter != nil && o.DeadLetter.options.FIFO != o.FIFO:
		panic("memory: the dead-letter queue of a FIFO queue is a FIFO queue, that of a standard queue is none")
	}
	if o.Visibility == 0 {
		o.Visibility = DefaultVisibility
	}
	return &Queue{options: o, waiting: map[string][]*entry{}, receipts: map[string]*entry{}, seen: map[string]time.Time{}}
}

// Send puts all messages into the queue, or none and an error if SQS would refuse one.
func (q *Queue) Send(ctx context.Context, messages []queue.Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sending %d messages: %w", len(messages), err)
	}
	for i, m := range messages {
		if err := m.Validate(q.options.FIFO); err != nil {
			return fmt.Errorf("sending message %d of %d: %w", i+1, len(messages), err)
		}
	}
	now := q.options.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range messages {
		if q.options.FIFO && q.seenBefore(now, m.DeduplicationID) {
			continue
		}
		q.nextID++
		e := entry{id: messageID(q.nextID), message: copied(m), sentAt: now, dueAt: now.Add(m.Delay)}
		q.add(&e)
		if !q.options.FIFO && q.options.Duplicate != nil {
			if after, twice := q.options.Duplicate(m); twice {
				again := e
				again.dueAt = e.dueAt.Add(max(after, 0))
				q.add(&again)
			}
		}
	}
	return nil
}

// Receive hands out up to most messages (SQS: at most 10) that are due, hides them for the visibility timeout, and moves
// those that were received too often to the dead-letter queue.
func (q *Queue) Receive(now time.Time, most int) []Received {
	q.mu.Lock()
	defer q.mu.Unlock()
	most = min(most, queue.MaxBatch)
	var batch []Received
	for len(batch) < most {
		e := q.next(now)
		if e == nil {
			break
		}
		delete(q.receipts, e.receipt)
		if q.options.MaxReceives > 0 && e.receives >= q.options.MaxReceives {
			q.remove(e)
			q.options.DeadLetter.take(*e, now)
			continue
		}
		e.receives++
		if e.receives == 1 {
			e.firstReceivedAt = now
		}
		e.receipt = e.newReceipt()
		q.receipts[e.receipt] = e
		e.dueAt = now.Add(q.options.Visibility)
		heap.Fix(&q.due, e.index)
		batch = append(batch, e.received())
	}
	return batch
}

// next is a message that is due, if there is one.
func (q *Queue) next(now time.Time) *entry {
	if len(q.due) == 0 || q.due[0].dueAt.After(now) {
		return nil
	}
	if q.options.Choose == nil || q.options.FIFO {
		return q.due[0]
	}
	var due []*entry
	for _, e := range q.due {
		if !e.dueAt.After(now) {
			due = append(due, e)
		}
	}
	return due[q.options.Choose(len(due))]
}

// Delete removes a message. Like SQS it wants the receipt of the last delivery, else it does nothing and says false; a
// standard queue still takes it after the visibility timeout, if nobody received the message since, a FIFO queue does not.
func (q *Queue) Delete(now time.Time, receipt string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e, ok := q.receipts[receipt]
	if !ok || q.options.FIFO && !e.dueAt.After(now) {
		return false
	}
	delete(q.receipts, receipt)
	q.remove(e)
	return true
}

// ChangeVisibility lets the message of a receipt be due again in timeout from now; 0 gives it back at once. It says
// false, and does nothing, when the receipt is not of the last delivery or the message is visible again already.
func (q *Queue) ChangeVisibility(now time.Time, receipt string, timeout time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e, ok := q.receipts[receipt]
	if !ok || !e.dueAt.After(now) {
		return false
	}
	e.dueAt = now.Add(max(timeout, 0))
	heap.Fix(&q.due, e.index)
	return true
}

// NextDue is the earliest time, not before now, at which Receive may hand out or set aside a message, if nothing is sent,
// deleted or given back before; false when the queue is empty.
func (q *Queue) NextDue(now time.Time) (time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.due) == 0 {
		return time.Time{}, false
	}
	if q.due[0].dueAt.Before(now) {
		return now, true
	}
	return q.due[0].dueAt, true
}

// seenBefore also forgets deduplication ids whose interval is over.
func (q *Queue) seenBefore(now time.Time, id string) bool {
	for len(q.seenInOrder) > 0 && !q.seenInOrder[0].until.After(now) {
		delete(q.seen, q.seenInOrder[0].id)
		q.seenInOrder = q.seenInOrder[1:]
	}
	if until, ok := q.seen[id]; ok && until.After(now) {
		return true
	}
	q.seen[id] = now.Add(DeduplicationInterval)
	q.seenInOrder = append(q.seenInOrder, seenID{id, q.seen[id]})
	return false
}

// take is the dead-letter queue's side of a move: the message keeps its id and the time it was sent, as in SQS.
func (q *Queue) take(e entry, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.dueAt, e.receipt, e.receives, e.firstReceivedAt = now, "", 0, time.Time{}
	q.add(&e)
}

// add queues a message: on a FIFO queue behind the others of its group.
func (q *Queue) add(e *entry) {
	q.nextSeq++
	e.seq = q.nextSeq
	q.length++
	if q.options.FIFO {
		if others, busy := q.waiting[e.message.Group]; busy {
			q.waiting[e.message.Group] = append(others, e)
			return
		}
		q.waiting[e.message.Group] = nil
	}
	heap.Push(&q.due, e)
}

// remove takes a message out and, on a FIFO queue, lets the next of its group forward.
func (q *Queue) remove(e *entry) {
	heap.Remove(&q.due, e.index)
	q.length--
	if !q.options.FIFO {
		return
	}
	group := e.message.Group
	if others := q.waiting[group]; len(others) > 0 {
		heap.Push(&q.due, others[0])
		q.waiting[group] = others[1:]
		return
	}
	delete(q.waiting, group)
}
