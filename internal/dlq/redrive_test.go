package dlq

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
)

func TestOnlyWhatIsPickedIsSentBack(t *testing.T) {
	b := newBench(t)
	for i := range 30 {
		b.put(t, []string{"not-json", "panic", "too-large"}[i%3], fmt.Sprintf(`{"id":"e-%02d"}`, i))
	}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Looked: 30, Picked: 10, Sent: 10}, outcome)
	require.Len(t, bodies(b.live), 10)
	require.Len(t, bodies(b.dead), 20)
	require.NotContains(t, bodies(b.dead), `{"id":"e-01"}`)
	b.requireVisible(t)
	for _, m := range b.live.Messages() {
		require.Empty(t, m.Attributes, "why it was set aside is over")
	}

	outcome, err = b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{IDs: []string{"e-02", "nobody"}}})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Looked: 20, Picked: 1, Sent: 1}, outcome)
	require.Contains(t, bodies(b.live), `{"id":"e-02"}`)
}

func TestADryRunSendsNothing(t *testing.T) {
	for _, r := range []Redrive{{DryRun: true}, {DryRun: true, Selection: Selection{Reasons: []string{"panic"}}}} {
		b := newBench(t)
		b.put(t, "panic", "a")
		outcome, err := b.Redrive(t.Context(), b.queue, r)
		require.NoError(t, err)
		require.Equal(t, 1, outcome.Picked)
		require.Zero(t, outcome.Sent)
		require.Equal(t, []string{"a"}, bodies(b.dead))
		require.Empty(t, bodies(b.live))
		b.requireVisible(t)
	}
}

// Whichever call fails, before or after it was carried out, each message is in one of the queues at least.
func TestNothingIsLost(t *testing.T) {
	for _, afterward := range []bool{false, true} {
		for failAt := 1; ; failAt++ {
			b := newBench(t)
			b.failAt, b.afterward = failAt, afterward
			want := map[string]bool{}
			for i := range 25 {
				body := fmt.Sprint(i)
				b.put(t, "panic", body)
				want[body] = true
			}
			_, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}})
			for _, body := range append(bodies(b.dead), bodies(b.live)...) {
				delete(want, body)
			}
			require.Empty(t, want, "call %d, afterward %t", failAt, afterward)
			if len(b.calls) < failAt {
				require.NoError(t, err)
				require.Equal(t, []string{
					"receive", "send", "delete", "receive", "send", "delete", "receive", "send", "delete", "receive",
				}, b.calls, "sent before it is deleted")
				break
			}
			require.ErrorIs(t, err, errFault, "call %d", failAt)
		}
	}
}

func TestWhatCannotBeDeletedIsCounted(t *testing.T) {
	b := newBench(t)
	b.put(t, "panic", "a")
	// The receipt is out of date when somebody else received the message.
	b.onCall = func(name string) {
		if name == "send" {
			b.now = b.now.Add(time.Hour)
			require.Len(t, b.dead.Receive(b.now, 10), 1)
		}
	}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}})
	require.NoError(t, err)
	require.Equal(t, 1, outcome.Doubled)
	require.Equal(t, []string{"a"}, bodies(b.dead))
	require.Equal(t, []string{"a"}, bodies(b.live))
}

// Ingest is quick: what is still bad is back before the end of the queue is reached.
func TestWhatComesBackIsNotSentAgain(t *testing.T) {
	b := newBench(t)
	for i := range 20 {
		b.put(t, "panic", fmt.Sprint(i))
	}
	b.onCall = func(name string) {
		if name != "delete" {
			return
		}
		for _, m := range b.live.Receive(b.now, 10) {
			b.put(t, "panic", m.Body)
			require.True(t, b.live.Delete(b.now, m.Receipt))
		}
	}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Looked: 40, Picked: 20, Sent: 20, CameBack: 20}, outcome)
	require.Len(t, bodies(b.dead), 20)
}

func TestTheRateIsKept(t *testing.T) {
	b := newBench(t)
	for i := range 25 {
		b.put(t, "panic", fmt.Sprint(i))
	}
	_, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}, PerSecond: 5})
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, b.paused)

	ctx, cancel := context.WithCancel(t.Context())
	b.put(t, "panic", "again")
	cancel()
	_, err = b.Redrive(ctx, b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}, PerSecond: 5})
	require.ErrorIs(t, err, context.Canceled)
	b.requireVisible(t)
}

func TestEventsOfTheRuleGoToTheEventsQueue(t *testing.T) {
	b := newBench(t)
	q, err := Find(
		Queues(
			map[string]string{"RuleDeadLettersUrl": "https://sqs.test/1/dead", "EventsQueueUrl": "https://sqs.test/1/live"},
		),
		"rule",
	)
	require.NoError(t, err)
	require.NoError(
		t,
		b.dead.Send(t.Context(), []queue.Message{{Body: "a", Attributes: map[string]string{"ERROR_CODE": "NO_PERMISSIONS"}}}),
	)
	outcome, err := b.Redrive(t.Context(), q, Redrive{})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "rule", Looked: 1, Picked: 1, Sent: 1}, outcome)
	require.Equal(t, []string{"a"}, bodies(b.live))
}

func TestWhatCannotBeRedrivenIsRefused(t *testing.T) {
	all := Queues(everyOutput())
	some := Selection{Reasons: []string{"panic"}}
	for _, c := range []struct {
		queue   string
		redrive Redrive
		says    string
	}{
		{"stream", Redrive{}, "messages of stream cannot be sent back: they are places in a stream"},
		{"schedules", Redrive{}, "the next invocation does the same"},
		{"reconcile", Redrive{Selection: some}, "only all together: it is a FIFO queue"},
		{"events", Redrive{PerSecond: 501}, "501 messages a second: allowed are 1 to 500"},
	} {
		q, err := Find(all, c.queue)
		require.NoError(t, err)
		b := newBench(t)
		_, err = b.Redrive(t.Context(), q, c.redrive)
		var refused *RefusedError
		require.ErrorAs(t, err, &refused)
		require.ErrorContains(t, err, c.says)
		require.Empty(t, b.calls)
	}
	reconcile, err := Find(all, "reconcile")
	require.NoError(t, err)
	require.NoError(t, Redrive{}.Check(reconcile))
}

// A redrive that takes longer than messages stay hidden, of a queue without order: what was looked at must not come
// forward again in place of what was not.
func TestASlowRedriveLooksAtEverything(t *testing.T) {
	b := newBench(t)
	b.anyOrder = rand.New(rand.NewPCG(1, 2))
	const letters, picked = 2000, 400
	for i := range letters {
		b.put(t, []string{"panic", "not-json", "not-json", "too-large", "not-json"}[i%5], fmt.Sprint(i))
	}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}, PerSecond: 1})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Looked: letters, Picked: picked, Sent: picked}, outcome)
	require.Len(t, bodies(b.live), picked)
	require.Equal(t, picked*time.Second, b.paused)
	require.Greater(t, b.paused, pickSeconds*time.Second)
	receives := 0
	for _, name := range b.calls {
		if name == "receive" {
			receives++
		}
	}
	require.Equal(t, letters/10+1, receives, "each letter came once")
	b.requireVisible(t)
}

// What is in somebody else's hands is there, and was not looked at.
func TestWhatOthersHoldMakesItPartly(t *testing.T) {
	b := newBench(t)
	for i := range 3 {
		b.put(t, "panic", fmt.Sprint(i))
	}
	require.Len(t, b.dead.Receive(b.now, 1), 1)
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Looked: 2, Picked: 2, Sent: 2, Partly: true}, outcome)
}

// A long poll may find nothing once, and SQS may deliver a message twice: neither is the end.
func TestAReceiveWithoutNewsIsNotTheEnd(t *testing.T) {
	b := newBench(t)
	for i := range 15 {
		b.put(t, "panic", fmt.Sprint(i))
	}
	b.Office.API = &forgetful{faulty: b.faulty, empty: map[int]bool{2: true, 3: true}}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}})
	require.NoError(t, err)
	require.Equal(t, Outcome{Queue: "events", Looked: 15, Picked: 15, Sent: 15}, outcome)
}

// forgetful receives nothing at some of its calls.
type forgetful struct {
	*faulty
	empty map[int]bool
	calls int
}

func (f *forgetful) ReceiveMessage(
	ctx context.Context, in *sqs.ReceiveMessageInput, opts ...func(*sqs.Options),
) (*sqs.ReceiveMessageOutput, error) {
	if f.calls++; f.empty[f.calls] {
		return &sqs.ReceiveMessageOutput{}, nil
	}
	return f.faulty.ReceiveMessage(ctx, in, opts...)
}

// One event may have been set aside twice; each of the two letters is picked.
func TestEqualLettersAreTwo(t *testing.T) {
	for _, dry := range []bool{true, false} {
		b := newBench(t)
		for i := range 12 {
			b.put(t, "panic", "same")
			b.now = b.now.Add(time.Duration(i) * time.Second)
		}
		b.now = b.now.Add(time.Minute)
		outcome, err := b.Redrive(t.Context(), b.queue, Redrive{DryRun: dry, Selection: Selection{Reasons: []string{"panic"}}})
		require.NoError(t, err)
		require.Equal(t, 12, outcome.Picked)
		require.Zero(t, outcome.CameBack)
	}
}

// What SQS took of a batch is deleted, and what it refused stays and is named.
func TestARefusedLetterStaysAlone(t *testing.T) {
	b := newBench(t)
	for i := range 10 {
		b.put(t, "panic", fmt.Sprint(i))
	}
	b.Office.API = &refusing{faulty: b.faulty, body: "7"}
	outcome, err := b.Redrive(t.Context(), b.queue, Redrive{Selection: Selection{Reasons: []string{"panic"}}})
	require.ErrorContains(t, err, "1 of 10 were not sent and are still there")
	left := b.dead.Messages()
	require.Len(t, left, 1)
	require.Equal(t, "7", left[0].Body)
	require.Equal(t, Outcome{Queue: "events", Looked: 10, Picked: 10, Sent: 9, Unsent: []string{left[0].ID}}, outcome)
	require.Len(t, bodies(b.live), 9)
	b.requireVisible(t)
}

// refusing takes no message with a body.
type refusing struct {
	*faulty
	body string
}

func (r *refusing) SendMessageBatch(
	ctx context.Context, in *sqs.SendMessageBatchInput, opts ...func(*sqs.Options),
) (*sqs.SendMessageBatchOutput, error) {
	var failed []types.BatchResultErrorEntry
	in.Entries = slices.DeleteFunc(slices.Clone(in.Entries), func(e types.SendMessageBatchRequestEntry) bool {
		refused := *e.MessageBody == r.body
		if refused {
			failed = append(failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("Refused"), SenderFault: true})
		}
		return refused
	})
	out, err := r.faulty.SendMessageBatch(ctx, in, opts...)
	if err == nil {
		out.Failed = append(out.Failed, failed...)
	}
	return out, err
}
