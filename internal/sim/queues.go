package sim

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
)

// sender is a queue as functions reach it.
type sender struct {
	world *world
	name  string
	queue *memory.Queue
}

var _ queue.Sender = sender{}

// Send implements [queue.Sender].
func (s sender) Send(ctx context.Context, messages []queue.Message) error {
	target := s.name
	if len(messages) == 1 {
		target += " " + messages[0].Body[:min(len(messages[0].Body), 120)]
	}
	e := effect{service: "sqs", name: "SendMessageBatch", target: target, writes: true}
	_, err := perform(s.world, e, func() (struct{}, error) { return struct{}{}, s.queue.Send(ctx, messages) }, errThrottled, errLost)
	return err
}

// mapping is Lambda's event source mapping of a queue to a function.
type mapping struct {
	world    *world
	name     string // of the function
	arn      string
	queue    *memory.Queue
	batch    int
	most     int // how many invocations at once
	handle   func(ctx context.Context, p *process, payload []byte) (events.SQSEventResponse, error)
	function *function

	running int
	looksAt time.Time // when it looks next; past if it does not
}

// look plans a look at the queue for when something is due. Whether two messages come in one batch or in two
// invocations at once is chance.
func (m *mapping) look() {
	if m.running >= m.most {
		return
	}
	due, ok := m.queue.NextDue(m.world.now)
	if !ok {
		return
	}
	at := due.Add(time.Duration(m.world.pace.IntN(60)) * time.Millisecond)
	if m.looksAt.After(m.world.now) && !m.looksAt.After(at) || m.looksAt.Equal(m.world.now) {
		return
	}
	m.looksAt = at
	m.world.at(at, m.receive)
}

func (m *mapping) receive() {
	if !m.looksAt.After(m.world.now) {
		m.looksAt = time.Time{}
	}
	if m.running >= m.most {
		return
	}
	batch := m.queue.Receive(m.world.now, m.batch)
	if len(batch) == 0 {
		return
	}
	payload, err := json.Marshal(memory.Event(m.arn, batch))
	if err != nil {
		panic(err) // strings only
	}
	for _, message := range batch {
		if message.Receives > 1 {
			m.world.met("message delivered again to " + m.name)
		}
	}
	m.running++
	p := m.function.take()
	var answer events.SQSEventResponse
	m.world.start(m.name, func(ctx context.Context) {
		answer, err = m.handle(ctx, p, payload)
	}, func(crashed bool) {
		m.running--
		if crashed {
			return // all of it comes again
		}
		m.function.giveBack(p)
		if err == nil {
			m.queue.Settle(m.world.now, batch, answer)
		}
	})
}
