// Package sqssim is as much of the Amazon SQS API as looking at queues and emptying them needs, over queues in
// memory: as Go calls for tests, and as the JSON protocol for the SDKs and the AWS CLI, in local mode.
//
// It answers receives at once, whatever WaitTimeSeconds says: queues in memory have no servers of which a short poll
// could miss some. A message move task moves all that is there within the call, unless MovesPerSecond says otherwise.
package sqssim

import (
	"context"
	"crypto/md5" //nolint:gosec // SQS's own checksum, which its clients check; nothing relies on it
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
)

// maxMoveTasks is how many finished tasks ListMessageMoveTasks tells of at most.
const maxMoveTasks = 10

// Service has queues by name.
type Service struct {
	// MovesPerSecond is how fast a message move task works that is told no rate of its own, as far as the clock has come
	// whenever the service is called. It goes on until nothing is left that could be received, as SQS does. 0 moves what
	// is there within the call.
	MovesPerSecond int

	account, region string
	now             func() time.Time

	mu     sync.Mutex
	queues map[string]*hosted
}

// hosted is a queue and who is to know of messages that are sent to it.
type hosted struct {
	*memory.Queue
	name   string
	sender queue.Sender
	moves  []*moveTask // newest first
}

// New returns a service without queues, in an account and region that are part of ARNs and URLs.
func New(account, region string, now func() time.Time) *Service {
	return &Service{account: account, region: region, now: now, queues: map[string]*hosted{}}
}

// Add makes a queue known. Messages go through sender, which puts them into the queue; nil is the queue itself.
func (s *Service) Add(name string, q *memory.Queue, sender queue.Sender) {
	if sender == nil {
		sender = q
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues[name] = &hosted{Queue: q, name: name, sender: sender}
}

// URL is a queue's address below an endpoint such as http://127.0.0.1:8081.
func (s *Service) URL(endpoint, name string) string {
	return strings.TrimSuffix(endpoint, "/") + "/" + s.account + "/" + name
}

// ARN is a queue's ARN.
func (s *Service) ARN(name string) string {
	return "arn:aws:sqs:" + s.region + ":" + s.account + ":" + name
}

// byURL finds a queue by the last part of its URL's path; whichever host the URL names is this one.
func (s *Service) byURL(address *string) (*hosted, error) {
	parsed, err := url.Parse(aws.ToString(address))
	if err != nil {
		return nil, &smithy.GenericAPIError{
			Code:    "InvalidAddress",
			Message: fmt.Sprintf("the address %q is invalid", aws.ToString(address)),
		}
	}
	return s.byName(parsed.Path[strings.LastIndexByte(parsed.Path, '/')+1:])
}

func (s *Service) byARN(arn *string) (*hosted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(arn)
}

func (s *Service) byName(name string) (*hosted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(&name)
}

// find finds a queue by its name or ARN, with the lock held.
func (s *Service) find(arn *string) (*hosted, error) {
	text := aws.ToString(arn)
	name := text[strings.LastIndexByte(text, ':')+1:]
	if q, ok := s.queues[name]; ok {
		return q, nil
	}
	return nil, &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist: " + name)}
}

// GetQueueAttributes tells the ARN and the numbers of messages, whichever attributes are asked for.
func (s *Service) GetQueueAttributes(
	ctx context.Context,
	in *sqs.GetQueueAttributesInput,
	_ ...func(*sqs.Options),
) (*sqs.GetQueueAttributesOutput, error) {
	if err := s.advance(ctx); err != nil {
		return nil, err
	}
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ready, held, delayed := 0, 0, 0
	now := s.now()
	for _, m := range q.Messages() {
		switch {
		case !m.VisibleAt.After(now):
			ready++
		case m.Receives == 0:
			delayed++
		default:
			held++
		}
	}
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{
		string(types.QueueAttributeNameQueueArn):                              s.ARN(q.name),
		string(types.QueueAttributeNameApproximateNumberOfMessages):           strconv.Itoa(ready),
		string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible): strconv.Itoa(held),
		string(types.QueueAttributeNameApproximateNumberOfMessagesDelayed):    strconv.Itoa(delayed),
	}}, nil
}

// ReceiveMessage hands out what is due, with all attributes.
func (s *Service) ReceiveMessage(
	ctx context.Context,
	in *sqs.ReceiveMessageInput,
	_ ...func(*sqs.Options),
) (*sqs.ReceiveMessageOutput, error) {
	if err := s.advance(ctx); err != nil {
		return nil, err
	}
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	out := &sqs.ReceiveMessageOutput{}
	now := s.now()
	for _, m := range q.Receive(now, max(int(in.MaxNumberOfMessages), 1)) {
		if in.VisibilityTimeout > 0 {
			q.ChangeVisibility(now, m.Receipt, time.Duration(in.VisibilityTimeout)*time.Second)
		}
		out.Messages = append(out.Messages, message(m))
	}
	return out, nil
}

func message(m memory.Received) types.Message {
	received := types.Message{
		MessageId: aws.String(
			m.ID,
		),
		ReceiptHandle: aws.String(m.Receipt),
		Body:          aws.String(m.Body),
		MD5OfBody:     checksum(m.Body),
		Attributes: map[string]string{
			string(types.MessageSystemAttributeNameApproximateReceiveCount): strconv.Itoa(m.Receives),
			string(types.MessageSystemAttributeNameSentTimestamp):           strconv.FormatInt(m.SentAt.UnixMilli(), 10),
		},
	}
	if m.Group != "" {
		received.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)] = m.Group
	}
	for name, value := range m.Attributes {
		if received.MessageAttributes == nil {
			received.MessageAttributes = make(map[string]types.MessageAttributeValue, len(m.Attributes))
		}
		received.MessageAttributes[name] = types.MessageAttributeValue{
			DataType:    aws.String("String"),
			StringValue: aws.String(value),
		}
	}
	return received
}

func checksum(body string) *string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // see the import
	return aws.String(hex.EncodeToString(sum[:]))
}

// SendMessageBatch sends messages, and names those that SQS would refuse.
func (s *Service) SendMessageBatch(
	ctx context.Context,
	in *sqs.SendMessageBatchInput,
	_ ...func(*sqs.Options),
) (*sqs.SendMessageBatchOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(len(in.Entries)); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		m := queue.Message{
			Body: aws.ToString(e.MessageBody), Delay: time.Duration(e.DelaySeconds) * time.Second,
			Group: aws.ToString(e.MessageGroupId), DeduplicationID: aws.ToString(e.MessageDeduplicationId),
		}
		for name, value := range e.MessageAttributes {
			if m.Attributes == nil {
				m.Attributes = make(map[string]string, len(e.MessageAttributes))
			}
			m.Attributes[name] = aws.ToString(value.StringValue)
		}
		if err := q.sender.Send(ctx, []queue.Message{m}); err != nil {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{
				Id: e.Id, Code: aws.String("InvalidMessageContents"), Message: aws.String(err.Error()), SenderFault: true,
			})
			continue
		}
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{
			Id: e.Id, MessageId: e.Id, MD5OfMessageBody: checksum(m.Body),
		})
	}
	return out, nil
}

// DeleteMessageBatch deletes messages, and names those whose receipt is not of the last delivery. SQS may say that it
// deleted those, and does not either.
func (s *Service) DeleteMessageBatch(
	_ context.Context,
	in *sqs.DeleteMessageBatchInput,
	_ ...func(*sqs.Options),
) (*sqs.DeleteMessageBatchOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(len(in.Entries)); err != nil {
		return nil, err
	}
	out := &sqs.DeleteMessageBatchOutput{}
	for _, e := range in.Entries {
		if q.Delete(s.now(), aws.ToString(e.ReceiptHandle)) {
			out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: e.Id})
			continue
		}
		out.Failed = append(out.Failed, staleReceipt(e.Id))
	}
	return out, nil
}

// ChangeMessageVisibilityBatch lets messages be due again at other times.
func (s *Service) ChangeMessageVisibilityBatch(
	_ context.Context,
	in *sqs.ChangeMessageVisibilityBatchInput,
	_ ...func(*sqs.Options),
) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(len(in.Entries)); err != nil {
		return nil, err
	}
	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	for _, e := range in.Entries {
		if q.ChangeVisibility(s.now(), aws.ToString(e.ReceiptHandle), time.Duration(e.VisibilityTimeout)*time.Second) {
			out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: e.Id})
			continue
		}
		out.Failed = append(out.Failed, staleReceipt(e.Id))
	}
	return out, nil
}

func staleReceipt(id *string) types.BatchResultErrorEntry {
	return types.BatchResultErrorEntry{
		Id:          id,
		Code:        aws.String("ReceiptHandleIsInvalid"),
		Message:     aws.String("The receipt handle has expired"),
		SenderFault: true,
	}
}

func checkBatch(entries int) error {
	switch {
	case entries == 0:
		return &types.EmptyBatchRequest{Message: aws.String("There should be at least one entry in the request.")}
	case entries > queue.MaxBatch:
		return &types.TooManyEntriesInBatchRequest{
			Message: aws.String(fmt.Sprintf("%d entries: allowed are at most %d", entries, queue.MaxBatch)),
		}
	}
	return nil
}
