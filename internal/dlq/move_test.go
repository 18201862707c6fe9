package dlq

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
)

func TestAWholeQueueIsMovedBySQS(t *testing.T) {
	b := newBench(t)
	for _, body := range []string{"a", "b", "c"} {
		b.put(t, "panic", body)
	}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Limit: time.Minute})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Moved: true, Looked: 3, Picked: 3, Sent: 3}, outcome)
	require.Equal(t, []string{"a", "b", "c"}, bodies(b.live))
	require.Empty(t, bodies(b.dead))

	outcome, err = b.Redrive(t.Context(), b.queue, Redrive{Limit: time.Minute})
	require.NoError(t, err)
	require.Zero(t, outcome.Sent, "an empty queue is not moved")
}

func TestAMoveIsFollowed(t *testing.T) {
	failed := step("FAILED", 1)
	failed.FailureReason = aws.String("AccessDenied")
	for _, c := range []struct {
		about    string
		steps    []types.ListMessageMoveTasksResultEntry
		outcome  Outcome
		says     string
		canceled int
		paused   time.Duration
	}{
		{
			about: "until it is done", steps: []types.ListMessageMoveTasksResultEntry{step("RUNNING", 1), step("RUNNING", 2), step("COMPLETED", 3)},
			outcome: Outcome{Sent: 3}, paused: 4 * time.Second,
		},
		{about: "SQS fails", steps: []types.ListMessageMoveTasksResultEntry{failed}, outcome: Outcome{Sent: 1}, says: "(FAILED) after 1 messages: AccessDenied"},
		{about: "somebody cancels it", steps: []types.ListMessageMoveTasksResultEntry{step("CANCELLED", 2)}, outcome: Outcome{Sent: 2}, says: "it does not say why"},
		{
			about: "messages go round", steps: []types.ListMessageMoveTasksResultEntry{step("RUNNING", 3), step("RUNNING", 101)},
			outcome: Outcome{Sent: 101, CameBack: 98}, says: "their cause is not gone; it was ended", canceled: 1, paused: 2 * time.Second,
		},
		{
			about: "time is up", steps: []types.ListMessageMoveTasksResultEntry{step("RUNNING", 2)},
			outcome: Outcome{Sent: 2, Partly: true}, says: "not done in time: 2 of about 3 messages were moved; it was ended", canceled: 1, paused: time.Minute,
		},
	} {
		t.Run(c.about, func(t *testing.T) {
			b := newBench(t)
			for _, body := range []string{"a", "b", "c"} {
				b.put(t, "panic", body)
			}
			m := &mover{API: b.Office.API, now: b.Now, steps: c.steps, cancelOK: true}
			b.Office.API = m
			outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Limit: time.Minute, PerSecond: 7})
			c.outcome.Queue, c.outcome.Moved, c.outcome.Looked, c.outcome.Picked = "events", true, 3, 3
			require.Equal(t, c.outcome, outcome)
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.says)
			}
			require.Equal(t, c.canceled, m.cancels)
			require.Equal(t, c.paused, b.paused)
			require.Equal(t, "arn:aws:sqs:eu-west-1:123456789012:dead", *m.started.SourceArn)
			require.Equal(t, "arn:aws:sqs:eu-west-1:123456789012:live", *m.started.DestinationArn, "SQS does not know it")
			require.Equal(t, int32(7), *m.started.MaxNumberOfMessagesPerSecond)
		})
	}
}

func TestAMoveEndsWithWhoeverWaitsForIt(t *testing.T) {
	b := newBench(t)
	b.put(t, "panic", "a")
	m := &mover{API: b.Office.API, now: b.Now, steps: []types.ListMessageMoveTasksResultEntry{step("RUNNING", 0)}, cancelOK: true}
	b.Office.API = m
	ctx, cancel := context.WithCancel(t.Context())
	b.Pause = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return ctx.Err()
	}
	outcome, err := b.Redrive(ctx, b.queue, Redrive{Limit: time.Minute})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, outcome.Partly)
	require.Equal(t, 1, m.cancels)

	m.cancelOK = false
	_, err = b.Redrive(ctx, b.queue, Redrive{Limit: time.Minute})
	require.ErrorContains(t, err, "could not be ended and goes on")
}

// SQS lists what it moved before as well, and may not know the newest at once.
func TestAnotherMoveIsNotTakenForOurs(t *testing.T) {
	b := newBench(t)
	b.put(t, "panic", "a")
	earlier := step("FAILED", 57)
	earlier.StartedTimestamp = b.now.Add(-time.Hour).UnixMilli()
	later := step("CANCELLED", 9)
	later.StartedTimestamp = b.now.Add(time.Minute).UnixMilli()
	other := step("RUNNING", 5)
	other.StartedTimestamp, other.TaskHandle = b.now.UnixMilli(), aws.String("another")
	m := &mover{
		API: b.Office.API, now: b.Now, earlier: []types.ListMessageMoveTasksResultEntry{later, other, earlier},
		steps: []types.ListMessageMoveTasksResultEntry{step("RUNNING", 0), step("COMPLETED", 1)},
	}
	b.Office.API = m
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Limit: time.Minute})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Moved: true, Looked: 1, Picked: 1, Sent: 1}, outcome)

	m.earlier, m.cancelOK = nil, true
	m.steps[0].Status = aws.String("COMPLETED")
	late := &lateLister{mover: m, answers: 3}
	b.Office.API = late
	outcome, err = b.Redrive(t.Context(), b.queue, Redrive{Limit: time.Minute})
	require.NoError(t, err)
	require.Equal(t, 1, outcome.Sent)
	require.Negative(t, late.answers)
}

// SQS goes on with what comes back, so a move whose letters are still bad ends when far more was moved than was there.
func TestAMoveThatGoesRoundIsEnded(t *testing.T) {
	b := newBench(t)
	b.service.MovesPerSecond = 10
	for i := range 30 {
		b.put(t, "panic", fmt.Sprint(i))
	}
	pause := b.Pause
	b.Pause = func(ctx context.Context, d time.Duration) error {
		for b.live.Len() > 0 {
			for _, m := range b.live.Receive(b.now, 10) {
				require.NoError(t, b.dead.Send(ctx, []queue.Message{{Body: m.Body}}))
				require.True(t, b.live.Delete(b.now, m.Receipt))
			}
		}
		return pause(ctx, d)
	}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Limit: time.Hour})
	require.ErrorContains(t, err, "so their cause is not gone; it was ended")
	require.Positive(t, outcome.CameBack)
	require.Equal(t, 30, b.dead.Len()+b.live.Len(), "none was lost")
}

// lateLister does not know of a move at first, only of one of an hour ago.
type lateLister struct {
	*mover
	answers int
}

func (l *lateLister) ListMessageMoveTasks(
	ctx context.Context, in *sqs.ListMessageMoveTasksInput, opts ...func(*sqs.Options),
) (*sqs.ListMessageMoveTasksOutput, error) {
	if l.answers--; l.answers >= 0 {
		old := step("COMPLETED", 57)
		old.StartedTimestamp = l.startAt.Add(-time.Hour).UnixMilli()
		return &sqs.ListMessageMoveTasksOutput{Results: []types.ListMessageMoveTasksResultEntry{old}}, nil
	}
	return l.mover.ListMessageMoveTasks(ctx, in, opts...)
}
