package dlq

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/blox/blox/internal/queue"
)

const (
	// MaxPerSecond is the fastest that SQS moves messages when it is told a rate.
	MaxPerSecond = 500
	// MaxLooked bounds how many messages one redrive looks at, when it picks some of them.
	MaxLooked = 10_000
	// pickSeconds is how long messages that were not picked are hidden at most, so that the others come forward.
	pickSeconds = 300
)

// Redrive says what to send back, and how.
type Redrive struct {
	Selection Selection
	// PerSecond is how many messages to send in a second at most; 0 is as many as go.
	PerSecond int
	// DryRun looks and sends nothing.
	DryRun bool
	// Limit is how long SQS is given to move a whole queue.
	Limit time.Duration
}

// Outcome is what a redrive did.
type Outcome struct {
	Queue string `json:"queue"`
	// Moved is that SQS moved them, a whole queue; else they were looked at one by one.
	Moved bool `json:"movedBySQS"`
	// Looked is how many messages were looked at, or were there for SQS to move.
	Looked int `json:"looked"`
	// Picked is how many of them the selection picked, Sent how many of those were sent back, as far as is known.
	Picked int `json:"picked"`
	Sent   int `json:"sent"`
	// CameBack counts messages that are the same as one that was sent back by this redrive: set aside again meanwhile.
	// They are left where they are.
	CameBack int `json:"cameBack"`
	// Doubled counts messages that were sent and could not be deleted: they are in both queues.
	Doubled int `json:"doubled"`
	// Partly is that there may be more messages than were looked at.
	Partly bool `json:"partly"`
}

// RefusedError says why messages cannot be sent back, or not in this way.
type RefusedError struct{ message string }

func (e *RefusedError) Error() string { return e.message }

// Check refuses what cannot be done: it is an error of whoever asks, and nothing was done.
func (r Redrive) Check(q Queue) error {
	switch {
	case q.Refusal != "":
		return &RefusedError{fmt.Sprintf("messages of %s cannot be sent back: %s", q.Name, q.Refusal)}
	case q.Ordered && !r.Selection.All():
		return &RefusedError{
			fmt.Sprintf(
				"messages of %s can be sent back only all together: it is a FIFO queue, which shows the first of each group and keeps the "+
					"others until those are gone; the next sweep does what they ask in any case",
				q.Name,
			),
		}
	case r.PerSecond < 0 || r.PerSecond > MaxPerSecond:
		return &RefusedError{fmt.Sprintf("%d messages a second: allowed are 1 to %d", r.PerSecond, MaxPerSecond)}
	}
	return nil
}

// Redrive sends messages back to where they came from. The outcome says how far it came, with an error too.
func (o *Office) Redrive(ctx context.Context, q Queue, r Redrive) (Outcome, error) {
	if err := r.Check(q); err != nil {
		return Outcome{Queue: q.Name}, err
	}
	if q.MovedBySQS && r.Selection.All() {
		return o.move(ctx, q, r)
	}
	return o.pick(ctx, q, r)
}

// picking is one redrive of single messages.
type picking struct {
	*Office
	queue   Queue
	redrive Redrive
	held    hand
	sent    map[[sha256.Size]byte]bool // bodies
	outcome Outcome
}

// pick goes through a queue and sends back what is picked. What is not stays hidden until the end, so that each
// receive brings others.
func (o *Office) pick(ctx context.Context, q Queue, r Redrive) (outcome Outcome, err error) {
	p := &picking{Office: o, queue: q, redrive: r, sent: map[[sha256.Size]byte]bool{}, outcome: Outcome{Queue: q.Name}}
	defer func() { err = errors.Join(err, o.giveBack(ctx, q, &p.held)) }()
	for p.outcome.Looked < MaxLooked {
		messages, err := o.receive(ctx, q, queue.MaxBatch, pickSeconds)
		if err != nil {
			return p.outcome, err
		}
		picked, fresh := p.choose(messages)
		if !fresh {
			return p.outcome, nil
		}
		if err := p.sendBack(ctx, picked); err != nil {
			return p.outcome, err
		}
	}
	p.outcome.Partly = true
	return p.outcome, nil
}

// choose takes the messages into the hand and gives those to send back; fresh is whether any was seen for the first
// time.
func (p *picking) choose(messages []types.Message) (picked []types.Message, fresh bool) {
	for _, m := range messages {
		if p.held.hold(m) {
			continue
		}
		fresh = true
		p.outcome.Looked++
		body := sha256.Sum256([]byte(aws.ToString(m.Body)))
		switch {
		case !p.redrive.Selection.Picks(letterOf(p.queue, m)):
		case p.sent[body]:
			p.outcome.CameBack++
		default:
			p.outcome.Picked++
			p.sent[body] = true
			picked = append(picked, m)
		}
	}
	return picked, fresh
}

// sendBack sends, deletes, and then waits as long as the rate wants.
func (p *picking) sendBack(ctx context.Context, picked []types.Message) error {
	if len(picked) == 0 || p.redrive.DryRun {
		return nil
	}
	bodies := make([]queue.Message, len(picked))
	for i, m := range picked {
		// Without the attributes: they say why it was set aside, which is over.
		bodies[i] = queue.Message{Body: aws.ToString(m.Body)}
	}
	if err := queue.NewSQS(p.API, p.queue.Back).Send(ctx, bodies); err != nil {
		return fmt.Errorf("sending messages of %s back; those that were not sent are still there: %w", p.queue.Name, err)
	}
	p.outcome.Sent += len(picked)
	if err := p.remove(ctx, picked); err != nil {
		return err
	}
	if p.redrive.PerSecond > 0 {
		return p.Pause(ctx, time.Duration(len(picked))*time.Second/time.Duration(p.redrive.PerSecond))
	}
	return nil
}

// remove deletes what was sent, also if ctx has ended since: it would be in both queues.
func (p *picking) remove(ctx context.Context, sent []types.Message) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackLimit)
	defer cancel()
	entries := make([]types.DeleteMessageBatchRequestEntry, len(sent))
	for i, m := range sent {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle}
	}
	out, err := p.API.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &p.queue.URL, Entries: entries})
	if err != nil {
		p.outcome.Doubled += len(sent)
		return fmt.Errorf("deleting messages of %s that were sent back: %w", p.queue.Name, err)
	}
	p.outcome.Doubled += len(out.Failed)
	failed := map[string]bool{}
	for _, f := range out.Failed {
		failed[aws.ToString(f.Id)] = true
	}
	for i, m := range sent {
		if !failed[strconv.Itoa(i)] {
			p.held.receipts[aws.ToString(m.MessageId)] = ""
		}
	}
	return nil
}
