package dlq

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// moveInterval is how often SQS is asked how far it has come.
	moveInterval = 2 * time.Second
	// maxMoveQuestions bounds the questions: SQS ends a move after 36 hours, a caller's limit is shorter.
	maxMoveQuestions = 36 * 3600 / 2
	// circling is how many times as many messages as there were SQS may have moved before they are taken for the same
	// ones, set aside again and moved again; circlingAtLeast allows for numbers that are approximate.
	circling, circlingAtLeast = 2, 100
	// maxMovesListed is as many as SQS lists.
	maxMovesListed = 10
	// clockSlack is how far this program's clock may be ahead of SQS's.
	clockSlack = 5 * time.Second
)

// move lets SQS move a whole queue, and waits until it has. SQS goes on until the queue is empty, also with messages
// that come back meanwhile: events that are still bad would go round for 36 hours. So the move ends with whoever
// waits for it, and when far more was moved than was there.
func (o *Office) move(ctx context.Context, q Queue, r Redrive) (Outcome, error) {
	outcome := Outcome{Queue: q.Name, Moved: true}
	count, err := o.Count(ctx, q)
	if err != nil {
		return outcome, err
	}
	outcome.Looked, outcome.Picked = count, count
	if count == 0 || r.DryRun {
		return outcome, nil
	}
	source, err := o.arn(ctx, q.URL)
	if err != nil {
		return outcome, err
	}
	destination, err := o.arn(ctx, q.Back)
	if err != nil {
		return outcome, err
	}
	in := &sqs.StartMessageMoveTaskInput{SourceArn: source, DestinationArn: destination}
	if r.PerSecond > 0 {
		in.MaxNumberOfMessagesPerSecond = aws.Int32(int32(r.PerSecond))
	}
	startedAt := o.Now()
	started, err := o.API.StartMessageMoveTask(ctx, in)
	if err != nil {
		return outcome, fmt.Errorf("starting to move the messages of %s: %w", q.Name, err)
	}
	return o.follow(ctx, outcome, moving{
		source: source, handle: started.TaskHandle, startedAt: startedAt, until: o.Now().Add(r.Limit),
	})
}

// moving is a move that SQS is at.
type moving struct {
	source, handle   *string
	startedAt, until time.Time
}

// follow asks SQS until the move has ended, and ends it when it must.
func (o *Office) follow(ctx context.Context, outcome Outcome, m moving) (Outcome, error) {
	name, there := outcome.Queue, outcome.Looked
	for range maxMoveQuestions {
		task, err := o.task(ctx, m)
		if err != nil {
			return outcome, o.cancel(ctx, m, fmt.Errorf("asking how far the move of %s has come: %w", name, err))
		}
		moved := int(task.ApproximateNumberOfMessagesMoved)
		outcome.Sent = moved
		switch status := aws.ToString(task.Status); status {
		case "COMPLETED":
			return outcome, nil
		case "FAILED", "CANCELLED":
			why := firstOf(aws.ToString(task.FailureReason), "it does not say why")
			return outcome, fmt.Errorf("SQS ended the move of %s (%s) after %d messages: %s", name, status, moved, why)
		}
		if moved > max(circling*there, circlingAtLeast) {
			outcome.CameBack = moved - there
			return outcome, o.cancel(ctx, m, fmt.Errorf("%d messages of %s were moved and there were only %d: "+
				"they are set aside again as they come back, so their cause is not gone", moved, name, there))
		}
		if !o.Now().Before(m.until) {
			outcome.Partly = true
			return outcome, o.cancel(ctx, m, fmt.Errorf("the move of %s is not done in time: %d of about %d messages were moved",
				name, moved, there))
		}
		if err := o.Pause(ctx, moveInterval); err != nil {
			outcome.Partly = true
			return outcome, o.cancel(ctx, m, fmt.Errorf("the move of %s was interrupted after %d of about %d messages: %w",
				name, moved, there, err))
		}
	}
	return outcome, o.cancel(ctx, m, fmt.Errorf("the move of %s does not end", name))
}

// task is what SQS tells of a move. It lists the moves of a queue, those that ended long ago as well, and may not list
// the newest at once: then nothing is known of it yet. Only a move that runs has a handle; one that has ended is told by
// when it began, which is by SQS's clock.
func (o *Office) task(ctx context.Context, m moving) (types.ListMessageMoveTasksResultEntry, error) {
	out, err := o.API.ListMessageMoveTasks(
		ctx,
		&sqs.ListMessageMoveTasksInput{SourceArn: m.source, MaxResults: aws.Int32(maxMovesListed)},
	)
	if err != nil {
		return types.ListMessageMoveTasksResultEntry{}, err
	}
	for _, task := range out.Results {
		if handle := aws.ToString(task.TaskHandle); handle != "" && handle == aws.ToString(m.handle) {
			return task, nil
		}
	}
	var ours types.ListMessageMoveTasksResultEntry
	for _, task := range out.Results {
		// One that runs and has another handle is another's.
		if aws.ToString(task.TaskHandle) != "" || task.StartedTimestamp < m.startedAt.Add(-clockSlack).UnixMilli() {
			continue
		}
		// Whoever started one after ours could do so because ours had ended.
		if ours.Status == nil || task.StartedTimestamp < ours.StartedTimestamp {
			ours = task
		}
	}
	return ours, nil
}

// cancel ends a move, also after ctx has ended; why is the error that says what for.
func (o *Office) cancel(ctx context.Context, m moving, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackLimit)
	defer cancel()
	if _, err := o.API.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: m.handle}); err != nil {
		return fmt.Errorf("%w; it could not be ended and goes on: %w", why, err)
	}
	return fmt.Errorf("%w; it was ended, and what was not moved is still there", why)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
