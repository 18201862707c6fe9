package memory_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
)

// run drives a queue at random and keeps what it was told: bodies are unique, so that each message can be followed.
type run struct {
	clock    *clock
	q, dead  *memory.Queue
	fifo     bool
	sent     []string
	deleted  map[string]bool
	inFlight map[string]memory.Received // by receipt
	hidden   map[string]time.Time       // until when, by body
	history  []string
}

func newRun(fifo bool) *run {
	c := newClock()
	dead := memory.New(memory.Options{Now: c.Now, FIFO: fifo})
	return &run{
		clock: c, fifo: fifo, dead: dead,
		q:       memory.New(memory.Options{Now: c.Now, Visibility: 10 * time.Second, MaxReceives: 4, DeadLetter: dead, FIFO: fifo}),
		deleted: map[string]bool{}, inFlight: map[string]memory.Received{}, hidden: map[string]time.Time{},
	}
}

func (r *run) step(t *rapid.T) {
	switch rapid.IntRange(0, 4).Draw(t, "step") {
	case 0:
		m := queue.Message{Body: strconv.Itoa(len(r.sent))}
		if r.fifo {
			m.Group = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
			m.DeduplicationID = m.Body
		} else {
			m.Delay = time.Duration(rapid.IntRange(0, 20).Draw(t, "delay")) * time.Second
			r.hidden[m.Body] = r.clock.now.Add(m.Delay)
		}
		require.NoError(t, r.q.Send(context.Background(), []queue.Message{m}))
		r.sent = append(r.sent, m.Body)
	case 1:
		r.clock.advance(time.Duration(rapid.IntRange(0, 15).Draw(t, "seconds")) * time.Second)
	case 2:
		due, ok := r.q.NextDue(r.clock.now)
		batch := r.q.Receive(r.clock.now, rapid.IntRange(1, 12).Draw(t, "max"))
		if len(batch) > 0 {
			require.True(t, ok && due.Equal(r.clock.now), "NextDue said %v, yet something came", due)
		}
		for _, m := range batch {
			require.False(t, r.clock.now.Before(r.hidden[m.Body]), "%s was delivered while hidden", m.Body)
			require.LessOrEqual(t, m.Receives, 4)
			r.hidden[m.Body] = r.clock.now.Add(10 * time.Second)
			r.inFlight[m.Receipt] = m
			r.history = append(r.history, fmt.Sprint(m.ID, m.Receipt, m.Body))
		}
	case 3:
		if m, ok := r.anyInFlight(t); ok && r.q.Delete(r.clock.now, m.Receipt) {
			require.False(t, r.deleted[m.Body], "%s was deleted twice", m.Body)
			r.deleted[m.Body] = true
		}
	case 4:
		timeout := time.Duration(rapid.IntRange(0, 30).Draw(t, "timeout")) * time.Second
		if m, ok := r.anyInFlight(t); ok && r.q.ChangeVisibility(r.clock.now, m.Receipt, timeout) {
			r.hidden[m.Body] = r.clock.now.Add(timeout)
		}
	}
}

func (r *run) anyInFlight(t *rapid.T) (memory.Received, bool) {
	if len(r.inFlight) == 0 {
		return memory.Received{}, false
	}
	receipts := make([]string, 0, len(r.inFlight))
	for receipt := range r.inFlight {
		receipts = append(receipts, receipt)
	}
	slices.Sort(receipts)
	return r.inFlight[rapid.SampledFrom(receipts).Draw(t, "receipt")], true
}

// places says how often each message is somewhere: once, if none is lost and none is doubled.
func (r *run) places() map[string]int {
	places := map[string]int{}
	for body := range r.deleted {
		places[body]++
	}
	for _, q := range []*memory.Queue{r.q, r.dead} {
		for _, m := range q.Messages() {
			places[m.Body]++
		}
	}
	return places
}

func TestNoMessageIsLostOrDoubled(t *testing.T) {
	for name, fifo := range map[string]bool{"standard": false, "fifo": true} {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			r := newRun(fifo)
			for range rapid.IntRange(1, 150).Draw(t, "steps") {
				r.step(t)
				places := r.places()
				for _, body := range r.sent {
					require.Equal(t, 1, places[body], "message %s", body)
				}
				require.Equal(t, len(r.sent), len(r.deleted)+r.q.Len()+r.dead.Len())
			}
		}))
	}
}

func TestAFIFOGroupStaysInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(true)
		newest := map[string]int{}
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			before := len(r.history)
			r.step(t)
			hidden := map[string]int{}
			for _, m := range r.q.Messages() {
				if m.VisibleAt.After(r.clock.now) {
					hidden[m.Group]++
				}
			}
			for group, n := range hidden {
				require.LessOrEqual(t, n, 1, "messages of group %s in flight", group)
			}
			if len(r.history) > before {
				for _, m := range r.q.Messages() {
					n, _ := strconv.Atoi(m.Body)
					if m.VisibleAt.After(r.clock.now) {
						require.GreaterOrEqual(t, n, newest[m.Group], "an earlier message of group %s after a later one", m.Group)
						newest[m.Group] = n
					}
				}
			}
		}
	})
}

func TestEverythingIsDeliveredInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(rapid.Bool().Draw(t, "fifo"))
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r.step(t)
		}
		for range 1000 {
			due, ok := r.q.NextDue(r.clock.now)
			if !ok {
				break
			}
			r.clock.now = due
			for _, m := range r.q.Receive(r.clock.now, 10) {
				require.True(t, r.q.Delete(r.clock.now, m.Receipt))
			}
		}
		require.Zero(t, r.q.Len(), "following NextDue empties the queue")
	})
}

func TestTheSameCallsGiveTheSameAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fifo := rapid.Bool().Draw(t, "fifo")
		seed := rapid.Int().Draw(t, "seed")
		steps := rapid.Custom(func(t *rapid.T) []string {
			r := newRun(fifo)
			for range 80 {
				r.step(t)
			}
			return r.history
		})
		first := steps.Example(seed)
		require.Equal(t, first, steps.Example(seed))
	})
}
