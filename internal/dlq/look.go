package dlq

import (
	"context"
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
	// MaxShown bounds how many messages Look looks at, and so how long they are out of sight.
	MaxShown = 100
	// lookSeconds is how long a message is hidden at most while it is looked at: if this program dies, it is back then.
	lookSeconds = 60
	// waitSeconds makes a long poll of each receive: a short one asks a part of SQS's servers, and may find nothing
	// where there is something.
	waitSeconds = 1
	// giveBackLimit is how long giving back may take after what it was for was interrupted.
	giveBackLimit = 20 * time.Second
)

// hand is the messages that this program has received and others cannot see meanwhile: by id, with the newest
// receipt.
type hand struct {
	receipts map[string]string
	order    []string
}

// hold keeps a message, and says whether it was seen before: SQS may deliver one twice.
func (h *hand) hold(m types.Message) (again bool) {
	id := aws.ToString(m.MessageId)
	if h.receipts == nil {
		h.receipts = map[string]string{}
	}
	_, again = h.receipts[id]
	h.receipts[id] = aws.ToString(m.ReceiptHandle)
	if !again {
		h.order = append(h.order, id)
	}
	return again
}

// Look reads up to limit letters of a queue, at most MaxShown, and gives them back. Of a FIFO queue these are at
// most ten of each group: SQS shows the others when those have been deleted.
func (o *Office) Look(ctx context.Context, q Queue, limit int) (letters []Letter, err error) {
	letters = []Letter{}
	var held hand
	defer func() { err = errors.Join(err, o.giveBack(ctx, q, &held)) }()
	limit = min(limit, MaxShown)
	// A receive that brings messages brings one that is new, or the last had none: twice as many as could be needed.
	for range 2 * MaxShown {
		if len(letters) >= limit {
			break
		}
		messages, err := o.receive(ctx, q, limit-len(letters), lookSeconds)
		if err != nil {
			return nil, err
		}
		fresh := 0
		for _, m := range messages {
			if !held.hold(m) {
				letters = append(letters, letterOf(q, m))
				fresh++
			}
		}
		if fresh == 0 {
			break
		}
	}
	return letters, nil
}

func (o *Office) receive(ctx context.Context, q Queue, most int, hiddenSeconds int32) ([]types.Message, error) {
	out, err := o.API.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &q.URL,
		MaxNumberOfMessages:         int32(min(most, queue.MaxBatch)),
		VisibilityTimeout:           hiddenSeconds,
		WaitTimeSeconds:             waitSeconds,
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("receiving messages of %s: %w", q.Name, err)
	}
	return out.Messages, nil
}

// count is how many messages are held.
func (h *hand) count() (n int) {
	for _, id := range h.order {
		if h.receipts[id] != "" {
			n++
		}
	}
	return n
}

// giveBack makes all messages visible again, also after ctx has ended. Those that it cannot give back are visible
// when their time is over.
func (o *Office) giveBack(ctx context.Context, q Queue, held *hand) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackLimit)
	defer cancel()
	if err := o.setVisibility(ctx, q, held, 0); err != nil {
		return fmt.Errorf("giving messages back, which are hidden for a few minutes now: %w", err)
	}
	return nil
}

// setVisibility hides all that is held for so many seconds from now.
func (o *Office) setVisibility(ctx context.Context, q Queue, held *hand, seconds int32) error {
	for start := 0; start < len(held.order); start += queue.MaxBatch {
		var entries []types.ChangeMessageVisibilityBatchRequestEntry
		for i, id := range held.order[start:min(start+queue.MaxBatch, len(held.order))] {
			if held.receipts[id] == "" {
				continue // deleted meanwhile
			}
			entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(held.receipts[id]), VisibilityTimeout: seconds,
			})
		}
		if len(entries) == 0 {
			continue
		}
		// Single entries fail for messages that are visible already.
		if _, err := o.API.ChangeMessageVisibilityBatch(
			ctx,
			&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.URL, Entries: entries},
		); err != nil {
			return fmt.Errorf("changing how long messages of %s are hidden: %w", q.Name, err)
		}
	}
	return nil
}
