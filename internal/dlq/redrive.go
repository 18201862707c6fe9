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
	// pickSeconds is how long messages that were not picked are hidden, so that the others come forward; they are hidden
	// anew when holdAgain of it is over.
	pickSeconds = 300
	holdAgain   = pickSeconds / 2 * time.Second
	// maxStale is how many receives in a row may bring nothing that is new. SQS may deliver a message twice, and a long
	// poll may still be empty while there are some.
	maxStale = 3
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
	// CameBack counts messages that are the same as one that was sent back by this redrive, and came after it: set aside
	// again meanwhile. They are left where they are.
	CameBack int `json:"cameBack"`
	// Unsent names picked messages that SQS did not say it took, by their ids. They are left where they are.
	Unsent []string `json:"unsent,omitempty"`
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
	// heldAt is when what is held was hidden, or hidden anew.
	heldAt time.Time
	// sentAt is when a body was sent back first.
	sentAt  map[[sha256.Size]byte]time.Time
	outcome Outcome
}

// pick goes through a queue and sends back what is picked. What is not stays hidden until the end, so that each
// receive brings others.
func (o *Office) pick(ctx context.Context, q Queue, r Redrive) (outcome Outcome, err error) {
	p := &picking{
		Office: o, queue: q, redrive: r, heldAt: o.Now(), sentAt: map[[sha256.Size]byte]time.Time{}, outcome: Outcome{Queue: q.Name},
	}
	defer func() { err = errors.Join(err, o.giveBack(ctx, q, &p.held)) }()
	stale := 0
	for p.outcome.Looked < MaxLooked && stale < maxStale {
		if err := p.holdOn(ctx); err != nil {
			return p.outcome, err
		}
		messages, err := o.receive(ctx, q, queue.MaxBatch, pickSeconds)
		if err != nil {
			return p.outcome, err
		}
		picked, fresh := p.choose(messages)
		if fresh {
			stale = 0
			if err := p.sendBack(ctx, picked); err != nil {
				return p.outcome, err
			}
			continue
		}
		stale++
		if all, err := p.heldAll(ctx); all || err != nil {
			return p.outcome, err
		}
	}
	all, err := p.heldAll(ctx)
	p.outcome.Partly = !all
	return p.outcome, err
}

// heldAll says whether all that the queue has is what is held, which SQS counts as well.
func (p *picking) heldAll(ctx context.Context) (bool, error) {
	left, err := p.Count(ctx, p.queue)
	return left <= p.held.count(), err
}

// holdOn hides what is held for longer, before it would be visible again and be received in place of others.
func (p *picking) holdOn(ctx context.Context) error {
	if p.Now().Sub(p.heldAt) < holdAgain {
		return nil
	}
	p.heldAt = p.Now()
	return p.setVisibility(ctx, p.queue, &p.held, pickSeconds)
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
		switch {
		case !p.redrive.Selection.Picks(letterOf(p.queue, m)):
		case p.cameBack(m):
			p.outcome.CameBack++
		default:
			p.outcome.Picked++
			picked = append(picked, m)
		}
	}
	return picked, fresh
}

// cameBack says whether a message has a body that was sent back before the message was sent, by SQS's clock. Two that
// are equal and were there before are two letters.
func (p *picking) cameBack(m types.Message) bool {
	at, ok := p.sentAt[bodyOf(m)]
	return ok && !letterOf(p.queue, m).SentAt.Before(at.Add(-clockSlack))
}

func bodyOf(m types.Message) [sha256.Size]byte { return sha256.Sum256([]byte(aws.ToString(m.Body))) }

// sendBack sends, deletes what was taken, and then waits as long as the rate wants.
func (p *picking) sendBack(ctx context.Context, picked []types.Message) error {
	if len(picked) == 0 || p.redrive.DryRun {
		return nil
	}
	bodies := make([]queue.Message, len(picked))
	for i, m := range picked {
		// Without the attributes: they say why it was set aside, which is over.
		bodies[i] = queue.Message{Body: aws.ToString(m.Body)}
		if key := bodyOf(m); p.sentAt[key].IsZero() {
			p.sentAt[key] = p.Now()
		}
	}
	err := queue.NewSQS(p.API, p.queue.Back).Send(ctx, bodies)
	taken := picked
	if err != nil {
		if taken, err = p.taken(picked, err); len(taken) == 0 {
			return err
		}
	}
	p.outcome.Sent += len(taken)
	if err := errors.Join(err, p.remove(ctx, taken)); err != nil {
		return err
	}
	if p.redrive.PerSecond > 0 {
		return p.Pause(ctx, time.Duration(len(taken))*time.Second/time.Duration(p.redrive.PerSecond))
	}
	return nil
}

// taken are the messages that SQS took although sending failed, and what to say of the others. Those of which it is not
// known stay, and may be in both queues.
func (p *picking) taken(picked []types.Message, failure error) (taken []types.Message, err error) {
	unsent := make([]bool, len(picked))
	var some *queue.UnsentError
	if errors.As(failure, &some) {
		for _, i := range some.Unsent {
			unsent[i] = true
		}
	}
	for i, m := range picked {
		if some == nil || unsent[i] {
			p.outcome.Unsent = append(p.outcome.Unsent, aws.ToString(m.MessageId))
		} else {
			taken = append(taken, m)
		}
	}
	return taken, fmt.Errorf("sending messages of %s back: %d of %d were not sent and are still there: %w",
		p.queue.Name, len(picked)-len(taken), len(picked), failure)
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
