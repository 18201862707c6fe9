package dlq

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/blox/blox/internal/queue"
)

// API is what is called of SQS; a Service of package sqssim is one, too.
type API interface {
	queue.SQSAPI
	GetQueueAttributes(
		context.Context,
		*sqs.GetQueueAttributesInput,
		...func(*sqs.Options),
	) (*sqs.GetQueueAttributesOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(
		context.Context,
		*sqs.DeleteMessageBatchInput,
		...func(*sqs.Options),
	) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(
		context.Context,
		*sqs.ChangeMessageVisibilityBatchInput,
		...func(*sqs.Options),
	) (*sqs.ChangeMessageVisibilityBatchOutput, error)
	StartMessageMoveTask(
		context.Context,
		*sqs.StartMessageMoveTaskInput,
		...func(*sqs.Options),
	) (*sqs.StartMessageMoveTaskOutput, error)
	ListMessageMoveTasks(
		context.Context,
		*sqs.ListMessageMoveTasksInput,
		...func(*sqs.Options),
	) (*sqs.ListMessageMoveTasksOutput, error)
	CancelMessageMoveTask(
		context.Context,
		*sqs.CancelMessageMoveTaskInput,
		...func(*sqs.Options),
	) (*sqs.CancelMessageMoveTaskOutput, error)
}

var _ API = (*sqs.Client)(nil)

// Office works on dead-letter queues.
type Office struct {
	API API
	// Now is the clock, Pause waits or ends early with the context's error.
	Now   func() time.Time
	Pause func(ctx context.Context, d time.Duration) error
}

// counts are the attributes that count messages: ready, in somebody's hands, and delayed.
var counts = []types.QueueAttributeName{
	types.QueueAttributeNameApproximateNumberOfMessages,
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
}

// Count is how many messages a queue has, about.
func (o *Office) Count(ctx context.Context, q Queue) (int, error) {
	out, err := o.API.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: counts})
	if err != nil {
		return 0, fmt.Errorf("counting the messages of %s: %w", q.Name, err)
	}
	count := 0
	for _, name := range counts {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf(
				"counting the messages of %s: SQS answered no number for %s: %q",
				q.Name,
				name,
				out.Attributes[string(name)],
			)
		}
		count += n
	}
	return count, nil
}

func (o *Office) arn(ctx context.Context, url string) (*string, error) {
	name := types.QueueAttributeNameQueueArn
	out, err := o.API.GetQueueAttributes(
		ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{name}},
	)
	if err != nil {
		return nil, fmt.Errorf("reading the ARN of %s: %w", url, err)
	}
	return aws.String(out.Attributes[string(name)]), nil
}
