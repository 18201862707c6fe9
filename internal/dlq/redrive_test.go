package dlq

import (
	"context"
	"fmt"
	"testing"
	"time"

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
