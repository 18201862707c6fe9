package sqssim

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/blox/blox/internal/queue"
)

// The states of a message move task.
const (
	statusRunning   = "RUNNING"
	statusCompleted = "COMPLETED"
	statusFailed    = "FAILED"
	statusCancelled = "CANCELLED"
)

// moveTask is a message move task. While it runs it has a handle.
type moveTask struct {
	types.ListMessageMoveTasksResultEntry
	to        *hosted
	startedAt time.Time
	perSecond int // 0 is all at once
}

func (t *moveTask) running() bool { return aws.ToString(t.Status) == statusRunning }

func (t *moveTask) end(status string) { t.Status, t.TaskHandle = aws.String(status), nil }

// StartMessageMoveTask moves what is visible in one queue to another, in order. Without a destination it fails as
// SQS does for messages that were sent to the dead-letter queue and not moved there: where they came from is not
// known.
func (s *Service) StartMessageMoveTask(
	ctx context.Context,
	in *sqs.StartMessageMoveTaskInput,
	_ ...func(*sqs.Options),
) (*sqs.StartMessageMoveTaskOutput, error) {
	if err := s.advance(ctx); err != nil {
		return nil, err
	}
	from, err := s.byARN(in.SourceArn)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(from.moves) > 0 && from.moves[0].running() {
		return nil, &types.UnsupportedOperation{Message: aws.String("There is already a task running. Only one active task is allowed.")}
	}
	handle := fmt.Sprintf("%s/%d/%d", from.name, s.now().UnixMilli(), len(from.moves))
	task := &moveTask{
		startedAt: s.now(), perSecond: s.MovesPerSecond,
		ListMessageMoveTasksResultEntry: types.ListMessageMoveTasksResultEntry{
			SourceArn: in.SourceArn, DestinationArn: in.DestinationArn, StartedTimestamp: s.now().UnixMilli(),
			MaxNumberOfMessagesPerSecond: in.MaxNumberOfMessagesPerSecond, ApproximateNumberOfMessagesToMove: aws.Int64(int64(from.Len())),
			Status: aws.String(statusRunning), TaskHandle: &handle,
		},
	}
	if in.DestinationArn == nil {
		task.end(statusFailed)
		task.FailureReason = aws.String("CouldNotDetermineMessageSource")
	} else if task.to, err = s.find(in.DestinationArn); err != nil {
		return nil, err
	}
	if s.MovesPerSecond > 0 && in.MaxNumberOfMessagesPerSecond != nil {
		task.perSecond = int(*in.MaxNumberOfMessagesPerSecond)
	}
	from.moves = append([]*moveTask{task}, from.moves[:min(len(from.moves), maxMoveTasks-1)]...)
	if task.running() && task.perSecond == 0 {
		// What was there when it began, and not what comes back meanwhile.
		_, err := s.move(ctx, from, task, from.Len())
		task.end(statusCompleted)
		if err != nil {
			return nil, err
		}
	}
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: &handle}, nil
}

// advance lets the tasks that run do what they have had time for.
func (s *Service) advance(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var running []*hosted
	for _, q := range s.queues {
		if len(q.moves) > 0 && q.moves[0].running() {
			running = append(running, q)
		}
	}
	slices.SortFunc(running, func(a, b *hosted) int { return cmp.Compare(a.name, b.name) })
	for _, from := range running {
		task := from.moves[0]
		due := int(s.now().Sub(task.startedAt).Seconds()*float64(task.perSecond)) - int(task.ApproximateNumberOfMessagesMoved)
		empty, err := s.move(ctx, from, task, due)
		if err != nil {
			return err
		}
		if empty {
			task.end(statusCompleted)
		}
	}
	return nil
}

// move moves up to most messages; empty is whether there were no more.
func (s *Service) move(ctx context.Context, from *hosted, task *moveTask, most int) (empty bool, err error) {
	for range most {
		batch := from.Receive(s.now(), 1)
		if len(batch) == 0 {
			return true, nil
		}
		m := batch[0].Message
		m.Delay = 0
		if m.Group != "" {
			m.DeduplicationID = batch[0].ID // as SQS does: two messages with one id are still two
		}
		if err := task.to.sender.Send(ctx, []queue.Message{m}); err != nil {
			from.ChangeVisibility(s.now(), batch[0].Receipt, 0)
			return false, fmt.Errorf("moving messages from %s to %s: %w", from.name, task.to.name, err)
		}
		from.Delete(s.now(), batch[0].Receipt)
		task.ApproximateNumberOfMessagesMoved++
	}
	return false, nil
}

// ListMessageMoveTasks tells of the last tasks of a queue.
func (s *Service) ListMessageMoveTasks(
	ctx context.Context,
	in *sqs.ListMessageMoveTasksInput,
	_ ...func(*sqs.Options),
) (*sqs.ListMessageMoveTasksOutput, error) {
	if err := s.advance(ctx); err != nil {
		return nil, err
	}
	q, err := s.byARN(in.SourceArn)
	if err != nil {
		return nil, err
	}
	most := int(max(aws.ToInt32(in.MaxResults), 1))
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &sqs.ListMessageMoveTasksOutput{}
	for _, task := range q.moves[:min(len(q.moves), most)] {
		out.Results = append(out.Results, task.ListMessageMoveTasksResultEntry)
	}
	return out, nil
}

// CancelMessageMoveTask ends a task that runs.
func (s *Service) CancelMessageMoveTask(
	ctx context.Context,
	in *sqs.CancelMessageMoveTaskInput,
	_ ...func(*sqs.Options),
) (*sqs.CancelMessageMoveTaskOutput, error) {
	if err := s.advance(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.queues {
		for _, task := range q.moves {
			if task.running() && aws.ToString(task.TaskHandle) == aws.ToString(in.TaskHandle) {
				task.end(statusCancelled)
				return &sqs.CancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: task.ApproximateNumberOfMessagesMoved}, nil
			}
		}
	}
	return nil, &types.ResourceNotFoundException{Message: aws.String("Only active tasks can be cancelled")}
}
