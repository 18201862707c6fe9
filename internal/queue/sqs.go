package queue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SQSAPI is the one call of [sqs.Client] that sending needs.
type SQSAPI interface {
	SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

var _ SQSAPI = (*sqs.Client)(nil)

// attempts is how often a message is sent at most. The SDK retries calls that fail as a whole; SQS also refuses single
// messages of a call that succeeds, with status 200, and those the SDK does not see.
const attempts = 4

// SQS is the Sender of an Amazon SQS queue.
type SQS struct {
	api   SQSAPI
	url   string
	fifo  bool
	pause func(ctx context.Context, attempt int) error
}

var _ Sender = (*SQS)(nil)

// NewSQS returns the sender of the queue at url. A queue whose name ends in ".fifo" is a FIFO queue, by SQS's own rule.
func NewSQS(api SQSAPI, url string) *SQS {
	return &SQS{api: api, url: url, fifo: strings.HasSuffix(url, ".fifo"), pause: backOff}
}

// Send sends in batches of at most MaxBatch messages and MaxBytes bytes, in order. Messages that SQS refuses for a fault
// of its own are sent again, a bounded number of times. Nothing is sent if a message is one that SQS can never take.
func (q *SQS) Send(ctx context.Context, messages []Message) error {
	if err := validateAll(messages, q.fifo); err != nil {
		return fmt.Errorf("sending to %s: %w", q.url, err)
	}
	for sent := 0; sent < len(messages); {
		n := batchLength(messages[sent:])
		if err := q.sendBatch(ctx, messages[sent:sent+n]); err != nil {
			return fmt.Errorf("sending messages %d to %d of %d to %s: %w", sent+1, sent+n, len(messages), q.url, err)
		}
		sent += n
	}
	return nil
}

// batchLength is how many of the messages fit one call.
func batchLength(messages []Message) int {
	bytes := 0
	for i, m := range messages[:min(len(messages), MaxBatch)] {
		if bytes += m.Size(); bytes > MaxBytes && i > 0 {
			return i
		}
	}
	return min(len(messages), MaxBatch)
}

// sendBatch sends one batch, and what SQS refused of it again. On a FIFO queue a message that was sent again may come
// after a later one of its group: whoever needs more order than that sends one by one.
func (q *SQS) sendBatch(ctx context.Context, messages []Message) error {
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = q.entry(strconv.Itoa(i), m)
	}
	for attempt := 1; ; attempt++ {
		out, err := q.api.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String(q.url), Entries: entries})
		if err != nil {
			return err
		}
		if len(out.Failed) == 0 {
			return nil
		}
		permanent, refused := failures(out.Failed)
		if permanent || attempt == attempts {
			return fmt.Errorf("%d of %d messages refused after %d attempts: %w", len(out.Failed), len(messages), attempt, refused)
		}
		entries = only(entries, out.Failed)
		if err := q.pause(ctx, attempt); err != nil {
			return errors.Join(err, refused)
		}
	}
}

func (q *SQS) entry(id string, m Message) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String(m.Body)}
	if m.Group != "" {
		e.MessageGroupId = aws.String(m.Group)
	}
	if q.fifo {
		e.MessageDeduplicationId = aws.String(m.DeduplicationID)
	} else {
		// SQS delays by whole seconds; rounded up, a message is never early.
		e.DelaySeconds = int32((m.Delay + time.Second - 1) / time.Second)
	}
	for name, value := range m.Attributes {
		if e.MessageAttributes == nil {
			e.MessageAttributes = make(map[string]types.MessageAttributeValue, len(m.Attributes))
		}
		e.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String(attributeType), StringValue: aws.String(value)}
	}
	return e
}

// failures says whether sending again is pointless for one of them at least, and joins what SQS said.
func failures(failed []types.BatchResultErrorEntry) (permanent bool, all error) {
	for _, f := range failed {
		all = errors.Join(all, fmt.Errorf("entry %s: %s: %s", aws.ToString(f.Id), aws.ToString(f.Code), aws.ToString(f.Message)))
		permanent = permanent || f.SenderFault
	}
	return permanent, all
}

// only keeps the entries that failed, in their order.
func only(entries []types.SendMessageBatchRequestEntry, failed []types.BatchResultErrorEntry) []types.SendMessageBatchRequestEntry {
	again := make(map[string]bool, len(failed))
	for _, f := range failed {
		again[aws.ToString(f.Id)] = true
	}
	var kept []types.SendMessageBatchRequestEntry
	for _, e := range entries {
		if again[aws.ToString(e.Id)] {
			kept = append(kept, e)
		}
	}
	return kept
}

// backOff waits 100, 200, 400 milliseconds, each up to half as long again, so that many senders do not return as one.
func backOff(ctx context.Context, attempt int) error {
	wait := 100 * time.Millisecond << (attempt - 1)
	timer := time.NewTimer(wait + rand.N(wait/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
