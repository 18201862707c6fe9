package memory

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/blox/blox/internal/queue"
)

// Received is a message in somebody's hands.
type Received struct {
	queue.Message
	// ID is the message's own; a duplicate has the same.
	ID string
	// Receipt is of this delivery: it deletes the message until it is delivered again.
	Receipt string
	// Receives counts the deliveries, this one included.
	Receives        int
	SentAt          time.Time
	FirstReceivedAt time.Time
}

// Stored is a message as the queue keeps it.
type Stored struct {
	queue.Message
	ID       string
	Receives int
	SentAt   time.Time
	// VisibleAt is when it is delivered next: in the past for one that waits, in the future for one that is delayed or
	// in somebody's hands.
	VisibleAt time.Time
}

// Len counts all messages: waiting, delayed and in somebody's hands.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.length
}

// Messages returns all messages in the order they were sent. Their attributes are not to be changed.
func (q *Queue) Messages() []Stored {
	q.mu.Lock()
	entries := slices.Clone(q.due)
	for _, others := range q.waiting {
		entries = append(entries, others...)
	}
	slices.SortFunc(entries, func(a, b *entry) int { return int(int64(a.seq) - int64(b.seq)) })
	messages := make([]Stored, len(entries))
	for i, e := range entries {
		messages[i] = Stored{Message: e.message, ID: e.id, Receives: e.receives, SentAt: e.sentAt, VisibleAt: e.dueAt}
	}
	q.mu.Unlock()
	return messages
}

// entry is one message, or one of the two of a message that will be delivered twice.
type entry struct {
	seq             uint64
	id              string
	message         queue.Message
	sentAt          time.Time
	dueAt           time.Time // when it can be received next
	receives        int
	firstReceivedAt time.Time
	receipt         string // of the last delivery
	index           int    // in the heap
}

func (e *entry) received() Received {
	return Received{
		Message: e.message, ID: e.id, Receipt: e.receipt, Receives: e.receives,
		SentAt: e.sentAt, FirstReceivedAt: e.firstReceivedAt,
	}
}

func (e *entry) newReceipt() string {
	return strconv.FormatUint(e.seq, 10) + "/" + strconv.Itoa(e.receives)
}

// messageID looks as SQS's ids do, and repeats from run to run.
func messageID(n uint64) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", n)
}

// copied keeps what the sender may change afterwards out of the queue.
func copied(m queue.Message) queue.Message {
	m.Attributes = maps.Clone(m.Attributes)
	return m
}

// dueMessages is a heap: what is due first comes first, and of those due together what was sent first.
type dueMessages []*entry

func (d dueMessages) Len() int { return len(d) }

func (d dueMessages) Less(i, j int) bool {
	if !d[i].dueAt.Equal(d[j].dueAt) {
		return d[i].dueAt.Before(d[j].dueAt)
	}
	return d[i].seq < d[j].seq
}

func (d dueMessages) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

func (d *dueMessages) Push(x any) {
	e := x.(*entry)
	e.index = len(*d)
	*d = append(*d, e)
}

func (d *dueMessages) Pop() any {
	old := *d
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return e
}
