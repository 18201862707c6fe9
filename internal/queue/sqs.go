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

// UnsentError is the error of a Send that did not, or not for all it knows, send all messages.
type UnsentError struct {
	// Unsent are the places, in what was to be sent, of those that SQS did not say it took. It took all others.
	Unsent []int
	Err    error
}

func (e *UnsentError) Error() string { return e.Err.Error() }
func (e *UnsentError) Unwrap() error { return e.Err }

// Send sends in batches of at most MaxBatch messages and MaxBytes bytes, in order. Messages that SQS refuses for a fault
// of its own are sent again, a bounded number of times. Nothing is sent if a message is one that SQS can never take.
// Every error is an *UnsentError.
func (q *SQS) Send(ctx context.Context, messages []Message) error {
	if err := validateAll(messages, q.fifo); err != nil {
		return &UnsentError{Unsent: places(0, len(messages)), Err: fmt.Errorf("sending to %s: %w", q.url, err)}
	}
	for sent := 0; sent < len(messages); {
		n := batchLength(messages[sent:])
		if left, err := q.sendBatch(ctx, messages[sent:sent+n]); err != nil {
			unsent := append(placesOf(left, sent), places(sent+n, len(messages))...)
			return &UnsentError{Unsent: unsent, Err: fmt.Errorf("sending messages %d to %d of %d to %s: %w", sent+1, sent+n, len(messages), q.url, err)}
		}
		sent += n
	}
	return nil
}

func places(from, to int) []int {
	var all []int
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// placesOf are the places of entries whose batch begins at start.
func placesOf(entries []types.SendMessageBatchRequestEntry, start int) []int {
	var all []int
	for _, e := range entries {
		if i, err := strconv.Atoi(aws.ToString(e.Id)); err == nil {
			all = append(all, start+i)
		}
	}
	return all
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
// after a later one of its group: whoever needs more order than that sends one by one. left is what SQS did not take.
func (q *SQS) sendBatch(ctx context.Context, messages []Message) (left []types.SendMessageBatchRequestEntry, err error) {
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = q.entry(strconv.Itoa(i), m)
	}
	for attempt := 1; ; attempt++ {
		out, err := q.api.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String(q.url), Entries: entries})
		if err != nil {
			return entries, err
		}
		if len(out.Failed) == 0 {
			return nil, nil
		}
		permanent, refused := failures(out.Failed)
		entries = only(entries, out.Failed)
		if permanent || attempt == attempts {
			return entries, fmt.Errorf("%d of %d messages refused after %d attempts: %w", len(out.Failed), len(messages), attempt, refused)
		}
		if err := q.pause(ctx, attempt); err != nil {
			return entries, errors.Join(err, refused)
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
