package local

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
)

// mapping is Lambda's event source mapping of a queue: it invokes the function with batches of at most ten messages and
// deletes what the function did not report as failed. Failed messages come again after their visibility timeout.
type mapping struct {
	queue    *memory.Queue
	dead     *memory.Queue // its dead-letter queue
	queueARN string
	bell     bell
	function *function
	now      func() time.Time
	log      *slog.Logger
}

// newMapping returns the mapping of a queue; its function is set before it runs.
func newMapping(name string, q, dead *memory.Queue, now func() time.Time, log *slog.Logger) *mapping {
	return &mapping{
		queue: q, dead: dead, queueARN: "arn:aws:sqs:" + region + ":" + account + ":" + name, bell: newBell(), now: now, log: log,
	}
}

// Send puts messages into the queue and wakes whoever waits for them.
func (m *mapping) Send(ctx context.Context, messages []queue.Message) error {
	if err := m.queue.Send(ctx, messages); err != nil {
		return err
	}
	m.bell.ring()
	return nil
}

var _ queue.Sender = (*mapping)(nil)

// run receives until ctx ends; calls is the context of the invocations, which may outlast it. Any number of goroutines
// may run one mapping: each is one concurrent execution of the function.
func (m *mapping) run(ctx, calls context.Context) {
	for ctx.Err() == nil {
		now := m.now()
		batch := m.queue.Receive(now, queue.MaxBatch)
		due, known := m.queue.NextDue(now)
		if len(batch) == 0 {
			m.bell.wait(ctx, now, due, known)
			continue
		}
		if known && !due.After(now) {
			m.bell.ring() // more is there than one batch: let another execution have it
		}
		m.work(calls, batch)
	}
}

func (m *mapping) work(ctx context.Context, batch []memory.Received) {
	var answer events.SQSEventResponse
	if err := m.function.invoke(ctx, memory.Event(m.queueARN, batch), &answer); err != nil {
		m.log.Warn("a batch of messages failed and will be delivered again", "messages", len(batch), "error", err)
		return
	}
	if n := len(answer.BatchItemFailures); n > 0 {
		m.log.Warn("messages failed and will be delivered again", "function", m.function.name, "messages", n, "of", len(batch))
	}
	m.queue.Settle(m.now(), batch, answer)
	m.bell.ring() // on a FIFO queue, what was deleted lets the next of its group forward
}
