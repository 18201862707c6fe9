package mappings

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

// QueueAPI is the calls that Lambda makes to a queue with the function's role.
type QueueAPI interface {
	GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, opts ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, opts ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
}

var _ QueueAPI = (*sqs.Client)(nil)

// Queue polls one queue.
type Queue struct {
	common
	API QueueAPI
	URL string
	// Retry, if not nil, makes a message that failed visible again at once. Real ones wait for the queue's visibility
	// timeout, for which a test has no time.
	Retry func(ctx context.Context, receiptHandle string) error
}

// NewQueue returns the poller of a queue's mapping.
func NewQueue(m Mapping, f Invoker, region string, log *slog.Logger, api QueueAPI, url string) *Queue {
	return &Queue{common: common{Mapping: m, Function: f, Region: region, Log: log}, API: api, URL: url}
}

const (
	waitSeconds = 2 // of a long poll, so that an end is noticed
	errorPause  = 500 * time.Millisecond
	// maxPollers bounds the batches of one queue that are worked on at one time.
	maxPollers = 3
	maxReceive = 10 // SQS's
)

// Run polls until ctx ends; calls is the context of the invocations, which may outlast it. A FIFO queue has one poller,
// for its groups' order.
func (q *Queue) Run(ctx, calls context.Context) error {
	// Lambda reads the attributes before it polls; a role that does not allow it makes no mapping.
	if _, err := q.API.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}}); err != nil {
		return fmt.Errorf("reading the attributes of %s: %w", q.URL, err)
	}
	pollers := min(maxPollers, max(1, q.Mapping.Concurrency))
	if strings.HasSuffix(q.URL, ".fifo") {
		pollers = 1
	}
	var group errgroup.Group
	for range pollers {
		group.Go(func() error {
			for ctx.Err() == nil {
				if err := q.round(ctx, calls); err != nil && ctx.Err() == nil {
					q.Log.Warn("polling a queue failed and is tried again", "queue", q.URL, "error", err)
					pause(ctx, errorPause)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// round receives once and invokes the function if anything came.
func (q *Queue) round(ctx, calls context.Context) error {
	out, err := q.API.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.URL, MaxNumberOfMessages: int32(min(maxReceive, max(1, q.Mapping.Batch))), WaitTimeSeconds: waitSeconds,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		return fmt.Errorf("receiving from %s: %w", q.URL, err)
	}
	if len(out.Messages) == 0 {
		return nil
	}
	return q.deliver(calls, out.Messages)
}

func (q *Queue) deliver(ctx context.Context, messages []types.Message) error {
	var event events.SQSEvent
	var done, deliver []types.Message
	for _, m := range messages {
		record := q.record(m)
		ok, err := q.Mapping.passes(record)
		if err != nil {
			return err
		}
		if !ok {
			done = append(done, m) // what no filter wants is deleted
			continue
		}
		event.Records, deliver = append(event.Records, record), append(deliver, m)
	}
	if len(deliver) > 0 {
		succeeded, err := q.invoke(ctx, event, deliver)
		if err != nil {
			return err
		}
		done = append(done, succeeded...)
	}
	return q.remove(ctx, done)
}

// invoke gives the messages that are done.
func (q *Queue) invoke(ctx context.Context, event events.SQSEvent, messages []types.Message) ([]types.Message, error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	answer, err := q.Function.Invoke(ctx, payload)
	failed, readable := []string(nil), true
	switch {
	case err != nil:
		q.Log.Warn("a batch of messages failed and will be delivered again", "queue", q.URL, "messages", len(messages), "error", err)
		readable = false
	case q.Mapping.Partial:
		failed, readable = failures(answer)
	}
	var done []types.Message
	for _, m := range messages {
		if readable && !slices.Contains(failed, aws.ToString(m.MessageId)) {
			done = append(done, m)
		} else if q.Retry != nil {
			if err := q.Retry(ctx, aws.ToString(m.ReceiptHandle)); err != nil {
				return nil, fmt.Errorf("making a failed message of %s visible: %w", q.URL, err)
			}
		}
	}
	return done, nil
}

func (q *Queue) remove(ctx context.Context, messages []types.Message) error {
	if len(messages) == 0 {
		return nil
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle}
	}
	out, err := q.API.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.URL, Entries: entries})
	if err != nil {
		return fmt.Errorf("deleting %d messages from %s: %w", len(messages), q.URL, err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("deleting %d messages from %s: %d failed: %s", len(messages), q.URL, len(out.Failed), aws.ToString(out.Failed[0].Message))
	}
	return nil
}

func (q *Queue) record(m types.Message) events.SQSMessage {
	attributes := make(map[string]events.SQSMessageAttribute, len(m.MessageAttributes))
	for name, a := range m.MessageAttributes {
		attributes[name] = events.SQSMessageAttribute{DataType: aws.ToString(a.DataType), StringValue: a.StringValue, BinaryValue: a.BinaryValue}
	}
	return events.SQSMessage{
		MessageId: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body), Md5OfBody: aws.ToString(m.MD5OfBody),
		Attributes: m.Attributes, MessageAttributes: attributes, EventSource: "aws:sqs", EventSourceARN: q.Mapping.Source, AWSRegion: q.Region,
	}
}
