package sqssim

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
)

const account, region = "123456789012", "eu-west-1"

// bench is the service behind its protocol, called by the SDK.
type bench struct {
	*sqs.Client
	now  time.Time
	dead *memory.Queue
	live *memory.Queue
	url  func(name string) *string
}

func newBench(t *testing.T) *bench {
	b := &bench{now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return b.now }
	b.dead, b.live = memory.New(memory.Options{Now: clock}), memory.New(memory.Options{Now: clock})
	service := New(account, region, clock)
	service.Add("events", b.live, nil)
	service.Add("events-dead-letters", b.dead, nil)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	b.url = func(name string) *string { return aws.String(service.URL(server.URL, name)) }
	b.Client = sqs.New(sqs.Options{
		Region:           region,
		BaseEndpoint:     &server.URL,
		Credentials:      credentials.NewStaticCredentialsProvider("testing", "testing", ""),
		RetryMaxAttempts: 1,
	})
	return b
}

// The SDK's client reads what the service writes, checksums included.
func TestAMessagesLife(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	url := b.url("events")
	sent, err := b.SendMessageBatch(
		ctx,
		&sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
			{
				Id:          aws.String("a"),
				MessageBody: aws.String("héllo <&>"),
				MessageAttributes: map[string]types.MessageAttributeValue{
					"reason": {DataType: aws.String("String"), StringValue: aws.String("not-json")},
				},
			},
			{Id: aws.String("b"), MessageBody: aws.String("later"), DelaySeconds: 60},
			{Id: aws.String("c"), MessageBody: aws.String("")},
		}},
	)
	require.NoError(t, err)
	require.Len(t, sent.Successful, 2)
	require.Equal(t, "c", *sent.Failed[0].Id)
	require.True(t, sent.Failed[0].SenderFault)

	b.now = b.now.Add(time.Second)
	got, err := b.ReceiveMessage(
		ctx,
		&sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 90},
	)
	require.NoError(t, err)
	require.Len(t, got.Messages, 1)
	m := got.Messages[0]
	require.Equal(t, "héllo <&>", *m.Body)
	require.Equal(t, "not-json", *m.MessageAttributes["reason"].StringValue)
	require.Equal(t, "1", m.Attributes["ApproximateReceiveCount"])
	require.Equal(t, "1795165200000", m.Attributes["SentTimestamp"])
	require.Equal(t, [3]string{"0", "1", "1"}, b.counts(t, "events"))

	b.now = b.now.Add(89 * time.Second)
	require.Equal(
		t,
		[3]string{"1", "1", "0"},
		b.counts(t, "events"),
		"what was delayed is due, what was received is hidden still",
	)
	changed, err := b.ChangeMessageVisibilityBatch(
		ctx,
		&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("0"), ReceiptHandle: m.ReceiptHandle}, {Id: aws.String("1"), ReceiptHandle: aws.String("nonsense")},
		}},
	)
	require.NoError(t, err)
	require.Len(t, changed.Successful, 1)
	require.Equal(t, "1", *changed.Failed[0].Id)
	require.Equal(t, [3]string{"2", "0", "0"}, b.counts(t, "events"))

	deleted, err := b.DeleteMessageBatch(
		ctx,
		&sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("0"), ReceiptHandle: m.ReceiptHandle}, {Id: aws.String("1"), ReceiptHandle: m.ReceiptHandle},
		}},
	)
	require.NoError(t, err)
	require.Len(t, deleted.Successful, 1)
	require.Len(t, deleted.Failed, 1)
	require.Equal(t, 1, b.live.Len())
}

// counts are the messages that are ready, hidden and delayed.
func (b *bench) counts(t *testing.T, name string) [3]string {
	t.Helper()
	out, err := b.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: b.url(name)})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sqs:eu-west-1:123456789012:"+name, out.Attributes["QueueArn"])
	return [3]string{
		out.Attributes["ApproximateNumberOfMessages"], out.Attributes["ApproximateNumberOfMessagesNotVisible"],
		out.Attributes["ApproximateNumberOfMessagesDelayed"],
	}
}

func TestAMoveTask(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, body := range []string{"a", "b", "c"} {
		require.NoError(t, b.dead.Send(ctx, []queue.Message{{Body: body, Attributes: map[string]string{"reason": "panic"}}}))
	}
	source, destination := aws.String(
		"arn:aws:sqs:eu-west-1:123456789012:events-dead-letters",
	), aws.String(
		"arn:aws:sqs:eu-west-1:123456789012:events",
	)
	_, err := b.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: source})
	require.NoError(t, err)
	require.Equal(t, 3, b.dead.Len(), "SQS does not know where messages came from that were sent")
	_, err = b.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: source, DestinationArn: destination})
	require.NoError(t, err)
	require.Zero(t, b.dead.Len())
	var bodies []string
	for _, m := range b.live.Messages() {
		bodies = append(bodies, m.Body)
	}
	require.Equal(t, []string{"a", "b", "c"}, bodies)

	tasks, err := b.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: source, MaxResults: aws.Int32(10)})
	require.NoError(t, err)
	require.Len(t, tasks.Results, 2)
	require.Equal(t, "COMPLETED", *tasks.Results[0].Status)
	require.Equal(t, int64(3), tasks.Results[0].ApproximateNumberOfMessagesMoved)
	require.Equal(t, "CouldNotDetermineMessageSource", *tasks.Results[1].FailureReason)
	_, err = b.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("any")})
	var none *types.ResourceNotFoundException
	require.ErrorAs(t, err, &none)
}

// A move that takes its time can be followed and ended, and goes on with what comes meanwhile.
func TestASlowMove(t *testing.T) {
	ctx, now := t.Context(), time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	dead, live := memory.New(memory.Options{Now: clock}), memory.New(memory.Options{Now: clock})
	service := New(account, region, clock)
	service.MovesPerSecond = 10
	service.Add("live", live, nil)
	service.Add("dead", dead, nil)
	for range 25 {
		require.NoError(t, dead.Send(ctx, []queue.Message{{Body: "a"}}))
	}
	source := aws.String(service.ARN("dead"))
	in := &sqs.StartMessageMoveTaskInput{SourceArn: source, DestinationArn: aws.String(service.ARN("live"))}
	started, err := service.StartMessageMoveTask(ctx, in)
	require.NoError(t, err)
	_, err = service.StartMessageMoveTask(ctx, in)
	require.ErrorContains(t, err, "already a task running")
	task := func(after time.Duration) types.ListMessageMoveTasksResultEntry {
		now = now.Add(after)
		out, err := service.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: source})
		require.NoError(t, err)
		return out.Results[0]
	}
	got := task(1500 * time.Millisecond)
	require.Equal(t, "RUNNING", *got.Status)
	require.Equal(t, *started.TaskHandle, *got.TaskHandle)
	require.Equal(t, int64(15), got.ApproximateNumberOfMessagesMoved)
	require.Equal(t, 15, live.Len())
	require.NoError(t, dead.Send(ctx, []queue.Message{{Body: "back"}}))
	got = task(time.Minute)
	require.Equal(t, "COMPLETED", *got.Status)
	require.Nil(t, got.TaskHandle, "SQS tells it of what runs only")
	require.Equal(t, int64(26), got.ApproximateNumberOfMessagesMoved)

	require.NoError(t, dead.Send(ctx, []queue.Message{{Body: "again"}}))
	started, err = service.StartMessageMoveTask(ctx, in)
	require.NoError(t, err)
	_, err = service.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: started.TaskHandle})
	require.NoError(t, err)
	require.Equal(t, "CANCELLED", *task(time.Minute).Status)
	require.Equal(t, 1, dead.Len())
}

func TestMistakesAreNamed(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	_, err := b.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: b.url("nope")})
	var missing *types.QueueDoesNotExist
	require.ErrorAs(t, err, &missing)
	_, err = b.ListQueues(ctx, &sqs.ListQueuesInput{})
	require.ErrorContains(t, err, "ListQueues is not simulated")
	eleven := make([]types.DeleteMessageBatchRequestEntry, 11)
	for i := range eleven {
		eleven[i] = types.DeleteMessageBatchRequestEntry{
			Id:            aws.String(strings.Repeat("x", i+1)),
			ReceiptHandle: aws.String("r"),
		}
	}
	_, err = b.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: b.url("events"), Entries: eleven})
	require.ErrorContains(t, err, "11 entries: allowed are at most 10")
	_, err = b.DeleteMessageBatch(
		ctx,
		&sqs.DeleteMessageBatchInput{QueueUrl: b.url("events"), Entries: []types.DeleteMessageBatchRequestEntry{}},
	)
	require.ErrorContains(t, err, "at least one entry")
}

// Whoever waits for messages of a queue hears of those that come through here.
func TestMessagesGoThroughTheSender(t *testing.T) {
	b := newBench(t)
	heard := &listener{}
	service := New(account, region, func() time.Time { return b.now })
	service.Add("events", b.live, heard)
	_, err := service.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{
		QueueUrl: aws.String(
			"http://x/1/events",
		),
		Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("b")}},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, heard.bodies)
}

type listener struct{ bodies []string }

func (l *listener) Send(_ context.Context, messages []queue.Message) error {
	for _, m := range messages {
		l.bodies = append(l.bodies, m.Body)
	}
	return nil
}
