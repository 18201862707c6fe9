package memory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
)

// clock is a time that only moves when told.
type clock struct{ now time.Time }

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time          { return c.now }
func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

func send(t *testing.T, q *memory.Queue, messages ...queue.Message) {
	t.Helper()
	require.NoError(t, q.Send(context.Background(), messages))
}

func bodies(batch []memory.Received) []string {
	names := []string{}
	for _, m := range batch {
		names = append(names, m.Body)
	}
	return names
}

func TestMessagesComeInTheOrderSentAtMostTenAtOnce(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now})
	for _, body := range strings.Split("abcdefghijkl", "") {
		send(t, q, queue.Message{Body: body})
	}
	require.Equal(t, strings.Split("abcdefghij", ""), bodies(q.Receive(c.now, 100)))
	require.Equal(t, []string{"k"}, bodies(q.Receive(c.now, 1)))
	require.Equal(t, []string{"l"}, bodies(q.Receive(c.now, 10)))
	require.Empty(t, q.Receive(c.now, 10))
	require.Equal(t, 12, q.Len())
}

func TestADelayedMessageIsHiddenAtFirst(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now})
	send(t, q, queue.Message{Body: "later", Delay: time.Minute}, queue.Message{Body: "now"})
	require.Equal(t, []string{"now"}, bodies(q.Receive(c.now, 10)))
	c.advance(time.Minute - 1)
	require.Equal(t, []string{"now"}, bodies(q.Receive(c.now, 10)), "redelivered: nobody deleted it")
	c.advance(1)
	require.Equal(t, []string{"later"}, bodies(q.Receive(c.now, 10)))
}

func TestWhatNobodyDeletesComesAgain(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now, Visibility: 10 * time.Second})
	send(t, q, queue.Message{Body: "a", Attributes: map[string]string{"reason": "test"}})
	first := q.Receive(c.now, 10)[0]
	c.advance(10*time.Second - 1)
	require.Empty(t, q.Receive(c.now, 10), "hidden while it is worked on")
	c.advance(1)
	second := q.Receive(c.now, 10)[0]

	require.Equal(t, first.ID, second.ID)
	require.Equal(t, 2, second.Receives)
	require.Equal(t, first.SentAt, second.SentAt)
	require.Equal(t, first.SentAt, second.FirstReceivedAt)
	require.Equal(t, map[string]string{"reason": "test"}, second.Attributes)
	require.False(t, q.Delete(c.now, first.Receipt), "the receipt of an earlier delivery deletes nothing")
	require.Equal(t, 1, q.Len())
	require.True(t, q.Delete(c.now, second.Receipt))
	require.False(t, q.Delete(c.now, second.Receipt))
	require.Zero(t, q.Len())
}

func TestALateDeleteWorksOnAStandardQueueOnly(t *testing.T) {
	for name, fifo := range map[string]bool{"standard": false, "fifo": true} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			q := memory.New(memory.Options{Now: c.Now, Visibility: time.Second, FIFO: fifo})
			m := queue.Message{Body: "a"}
			if fifo {
				m.Group, m.DeduplicationID = "g", "1"
			}
			send(t, q, m)
			got := q.Receive(c.now, 1)[0]
			c.advance(time.Second)
			require.Equal(t, !fifo, q.Delete(c.now, got.Receipt))
		})
	}
}

func TestTooManyReceivesLeadToTheDeadLetterQueue(t *testing.T) {
	c := newClock()
	dead := memory.New(memory.Options{Now: c.Now})
	q := memory.New(memory.Options{Now: c.Now, Visibility: time.Second, MaxReceives: 3, DeadLetter: dead})
	send(t, q, queue.Message{Body: "poison", Attributes: map[string]string{"k": "v"}})
	sent := q.Messages()[0]
	for range 3 {
		require.Equal(t, []string{"poison"}, bodies(q.Receive(c.now, 10)))
		c.advance(time.Second)
	}
	require.Zero(t, dead.Len(), "moved when it would be received once more, not before")
	require.Empty(t, q.Receive(c.now, 10))
	require.Zero(t, q.Len())

	moved := dead.Receive(c.now, 10)
	require.Equal(t, []string{"poison"}, bodies(moved))
	require.Equal(t, sent.ID, moved[0].ID)
	require.Equal(t, sent.SentAt, moved[0].SentAt)
	require.Equal(t, 1, moved[0].Receives)
	require.Equal(t, map[string]string{"k": "v"}, moved[0].Attributes)
}

func TestChangeVisibility(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now, Visibility: 10 * time.Second})
	send(t, q, queue.Message{Body: "a"})
	got := q.Receive(c.now, 1)[0]
	require.True(t, q.ChangeVisibility(c.now, got.Receipt, time.Minute))
	c.advance(59 * time.Second)
	require.Empty(t, q.Receive(c.now, 1), "extended")
	require.True(t, q.ChangeVisibility(c.now, got.Receipt, 0))
	require.False(t, q.ChangeVisibility(c.now, got.Receipt, time.Minute), "visible again: too late to extend")
	require.Len(t, q.Receive(c.now, 1), 1, "given back")
	require.False(t, q.ChangeVisibility(c.now, "unknown", 0))
}

func TestNextDue(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now, Visibility: 30 * time.Second})
	_, ok := q.NextDue(c.now)
	require.False(t, ok)

	start := c.now
	send(t, q, queue.Message{Body: "a", Delay: 20 * time.Second})
	due, ok := q.NextDue(c.now)
	require.True(t, ok)
	require.Equal(t, start.Add(20*time.Second), due)
	c.advance(25 * time.Second)
	due, _ = q.NextDue(c.now)
	require.Equal(t, c.now, due, "overdue means now")
	q.Receive(c.now, 1)
	due, _ = q.NextDue(c.now)
	require.Equal(t, c.now.Add(30*time.Second), due, "when it would be redelivered")
}

func TestAMessageMayBeDeliveredTwice(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now, Duplicate: func(m queue.Message) (time.Duration, bool) {
		return time.Minute, m.Body == "twice"
	}})
	send(t, q, queue.Message{Body: "once"}, queue.Message{Body: "twice"})
	for _, m := range q.Receive(c.now, 10) {
		require.True(t, q.Delete(c.now, m.Receipt))
	}
	require.Equal(t, 1, q.Len(), "the copy survives the deletion")
	c.advance(time.Minute)
	require.Equal(t, []string{"twice"}, bodies(q.Receive(c.now, 10)))
}

func TestAFIFOQueueHasOneMessageOfAGroupInFlightInOrder(t *testing.T) {
	c := newClock()
	dead := memory.New(memory.Options{Now: c.Now, FIFO: true})
	q := memory.New(memory.Options{Now: c.Now, Visibility: time.Second, FIFO: true, MaxReceives: 2, DeadLetter: dead})
	for _, body := range []string{"a1", "a2", "b1", "b2"} {
		send(t, q, queue.Message{Body: body, Group: body[:1], DeduplicationID: body})
	}
	batch := q.Receive(c.now, 10)
	require.Equal(t, []string{"a1", "b1"}, bodies(batch))
	require.Empty(t, q.Receive(c.now, 10), "both groups are blocked")
	require.True(t, q.Delete(c.now, batch[1].Receipt))
	require.Equal(t, []string{"b2"}, bodies(q.Receive(c.now, 10)))

	c.advance(time.Second)
	require.Equal(t, []string{"a1", "b2"}, bodies(q.Receive(c.now, 10)), "again, and still before a2")
	c.advance(time.Second)
	require.Equal(t, []string{"a2"}, bodies(q.Receive(c.now, 10)), "a dead letter lets its group go on")
	require.Equal(t, 2, dead.Len())
}

func TestAFIFOQueueForgetsADeduplicationIDAfterFiveMinutes(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now, FIFO: true})
	again := queue.Message{Body: "sweep", Group: "g", DeduplicationID: "d"}
	send(t, q, again, again)
	require.Equal(t, 1, q.Len())
	require.True(t, q.Delete(c.now, q.Receive(c.now, 1)[0].Receipt))
	c.advance(memory.DeduplicationInterval - 1)
	send(t, q, again)
	require.Zero(t, q.Len(), "still remembered, though the first is deleted")
	c.advance(1)
	send(t, q, again)
	require.Equal(t, 1, q.Len())
}

func TestSendRefusesTheWholeCall(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now})
	err := q.Send(context.Background(), []queue.Message{{Body: "good"}, {Body: ""}})
	require.ErrorContains(t, err, "message 2 of 2")
	require.Zero(t, q.Len())

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, q.Send(ctx, []queue.Message{{Body: "good"}}), context.Canceled)
	require.Zero(t, q.Len())
}

func TestTheSenderMayReuseItsAttributes(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now})
	attributes := map[string]string{"reason": "first"}
	send(t, q, queue.Message{Body: "a", Attributes: attributes})
	attributes["reason"] = "second"
	require.Equal(t, "first", q.Receive(c.now, 1)[0].Attributes["reason"])
}

func TestEventHasTheShapeOfLambda(t *testing.T) {
	c := newClock()
	q := memory.New(memory.Options{Now: c.Now})
	send(t, q, queue.Message{Body: "a", Attributes: map[string]string{"reason": "test"}})
	batch := q.Receive(c.now, 10)
	value := "test"
	require.Equal(t, events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: batch[0].ID, ReceiptHandle: batch[0].Receipt, Body: "a",
		Attributes: map[string]string{
			"ApproximateReceiveCount": "1", "SentTimestamp": "1772366400000", "ApproximateFirstReceiveTimestamp": "1772366400000",
		},
		MessageAttributes: map[string]events.SQSMessageAttribute{"reason": {DataType: "String", StringValue: &value}},
		EventSource:       "aws:sqs", EventSourceARN: "arn:aws:sqs:eu-west-1:123456789012:events", AWSRegion: "eu-west-1",
	}}}, memory.Event("arn:aws:sqs:eu-west-1:123456789012:events", batch))
}

func TestSettleDeletesWhatTheAnswerDoesNotName(t *testing.T) {
	failures := func(ids ...string) (answer events.SQSEventResponse) {
		for _, id := range ids {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
		return answer
	}
	for name, tc := range map[string]struct {
		answer func(batch []memory.Received) events.SQSEventResponse
		left   []string
	}{
		"all done":            {func([]memory.Received) events.SQSEventResponse { return failures() }, []string{}},
		"one failed":          {func(b []memory.Received) events.SQSEventResponse { return failures(b[1].ID) }, []string{"b"}},
		"an id nobody knows":  {func(b []memory.Received) events.SQSEventResponse { return failures(b[1].ID, "?") }, []string{"a", "b", "c"}},
		"an id that is empty": {func([]memory.Received) events.SQSEventResponse { return failures("") }, []string{"a", "b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			q := memory.New(memory.Options{Now: c.Now, Visibility: time.Second})
			send(t, q, queue.Message{Body: "a"}, queue.Message{Body: "b"}, queue.Message{Body: "c"})
			batch := q.Receive(c.now, 10)
			require.Equal(t, 3-len(tc.left), q.Settle(c.now, batch, tc.answer(batch)))
			require.Empty(t, q.Receive(c.now, 10), "failures wait for their visibility timeout")
			c.advance(time.Second)
			require.Equal(t, tc.left, bodies(q.Receive(c.now, 10)))
		})
	}
}

func TestNewRefusesHalfADeadLetterQueue(t *testing.T) {
	c := newClock()
	standard := memory.New(memory.Options{Now: c.Now})
	for name, o := range map[string]memory.Options{
		"no clock":             {},
		"no dead-letter queue": {Now: c.Now, MaxReceives: 1},
		"no limit":             {Now: c.Now, DeadLetter: standard},
		"of the other kind":    {Now: c.Now, DeadLetter: standard, MaxReceives: 1, FIFO: true},
	} {
		t.Run(name, func(t *testing.T) { require.Panics(t, func() { memory.New(o) }) })
	}
}

func TestAStandardQueueMayHaveNoOrder(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	last := func(n int) int { return n - 1 }
	for fifo, want := range map[bool][]string{false: {"c", "b", "a"}, true: {"a", "b", "c"}} {
		q := memory.New(memory.Options{Now: func() time.Time { return now }, FIFO: fifo, Choose: last})
		for _, body := range []string{"a", "b", "c"} {
			m := queue.Message{Body: body}
			if fifo {
				m.Group, m.DeduplicationID = body, body
			}
			require.NoError(t, q.Send(t.Context(), []queue.Message{m}))
		}
		var got []string
		for range 3 {
			for _, m := range q.Receive(now, 1) {
				got = append(got, m.Body)
			}
		}
		require.Equal(t, want, got)
		require.Empty(t, q.Receive(now, 1))
	}
}
