package sqssim

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/blox/blox/internal/queue"
)

// StartMessageMoveTask moves what is visible in one queue to another, in order. Without a destination it fails as
// SQS does for messages that were sent to the dead-letter queue and not moved there: where they came from is not
// known.
func (s *Service) StartMessageMoveTask(
	ctx context.Context,
	in *sqs.StartMessageMoveTaskInput,
	_ ...func(*sqs.Options),
) (*sqs.StartMessageMoveTaskOutput, error) {
	from, err := s.byARN(in.SourceArn)
	if err != nil {
		return nil, err
	}
	task := types.ListMessageMoveTasksResultEntry{
		SourceArn: in.SourceArn, DestinationArn: in.DestinationArn, StartedTimestamp: s.now().UnixMilli(),
		MaxNumberOfMessagesPerSecond: in.MaxNumberOfMessagesPerSecond, Status: aws.String("COMPLETED"),
		ApproximateNumberOfMessagesToMove: aws.Int64(int64(from.Len())),
	}
	if in.DestinationArn == nil {
		task.Status, task.FailureReason = aws.String("FAILED"), aws.String("CouldNotDetermineMessageSource")
	} else {
		to, err := s.byARN(in.DestinationArn)
		if err != nil {
			return nil, err
		}
		if task.ApproximateNumberOfMessagesMoved, err = s.move(ctx, from, to); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from.moves = append(
		[]types.ListMessageMoveTasksResultEntry{task},
		from.moves[:min(len(from.moves), maxMoveTasks-1)]...)
	return &sqs.StartMessageMoveTaskOutput{
		TaskHandle: aws.String(fmt.Sprintf("%s/%d", from.name, task.StartedTimestamp)),
	}, nil
}

// move takes what was there when it began, and not what comes back meanwhile.
func (s *Service) move(ctx context.Context, from, to *hosted) (moved int64, err error) {
	for range from.Len() {
		batch := from.Receive(s.now(), 1)
		if len(batch) == 0 {
			break
		}
		m := batch[0].Message
		m.Delay = 0
		if m.Group != "" {
			m.DeduplicationID = batch[0].ID // as SQS does: two messages with one id are still two
		}
		if err := to.sender.Send(ctx, []queue.Message{m}); err != nil {
			from.ChangeVisibility(s.now(), batch[0].Receipt, 0)
			return moved, fmt.Errorf("moving messages from %s to %s: %w", from.name, to.name, err)
		}
		from.Delete(s.now(), batch[0].Receipt)
		moved++
	}
	return moved, nil
}

// ListMessageMoveTasks tells of the last tasks of a queue.
func (s *Service) ListMessageMoveTasks(
	_ context.Context,
	in *sqs.ListMessageMoveTasksInput,
	_ ...func(*sqs.Options),
) (*sqs.ListMessageMoveTasksOutput, error) {
	q, err := s.byARN(in.SourceArn)
	if err != nil {
		return nil, err
	}
	most := int(max(aws.ToInt32(in.MaxResults), 1))
	s.mu.Lock()
	defer s.mu.Unlock()
	return &sqs.ListMessageMoveTasksOutput{
		Results: append([]types.ListMessageMoveTasksResultEntry(nil), q.moves[:min(len(q.moves), most)]...),
	}, nil
}

// CancelMessageMoveTask finds no task: each has ended before anybody could cancel it.
func (s *Service) CancelMessageMoveTask(
	context.Context,
	*sqs.CancelMessageMoveTaskInput,
	...func(*sqs.Options),
) (*sqs.CancelMessageMoveTaskOutput, error) {
	return nil, &types.ResourceNotFoundException{Message: aws.String("Only active tasks can be cancelled")}
}
