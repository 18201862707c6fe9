package local

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
)

// testTimeout is the functions' timeout and the queues' visibility timeout.
const testTimeout = 20 * time.Second

var quiet = slog.New(slog.DiscardHandler)

// worker is a function that consumes a queue; fail decides what its n-th invocation does about a message.
type worker struct {
	mu      sync.Mutex
	batches [][]string
	fail    func(invocation int, body string) (report bool, err error)
}

func (w *worker) handle(_ context.Context, event events.SQSEvent) (answer events.SQSEventResponse, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var batch []string
	for _, m := range event.Records {
		batch = append(batch, m.Body)
	}
	w.batches = append(w.batches, batch)
	for _, m := range event.Records {
		if w.fail == nil {
			break
		}
		report, failure := w.fail(len(w.batches), m.Body)
		if report {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
		err = errors.Join(err, failure)
	}
	return answer, err
}

// got is what the worker was handed so far, batch by batch.
func (w *worker) got() [][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.batches)
}

// elapse lets the bubble's time pass, and everything that is due then happen.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// running starts a mapping with as many executions in a synctest bubble, and ends it with the test.
func running(t *testing.T, executions int, o memory.Options, w *worker) *mapping {
	o.Now = time.Now
	if o.Visibility == 0 {
		o.Visibility = testTimeout
	}
	m := newMapping("test", memory.New(o), nil, time.Now, quiet)
	m.function = newFunction("test", testTimeout, w.handle)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	for range executions {
		done.Go(func() { m.run(ctx, t.Context()) })
	}
	t.Cleanup(func() { cancel(); done.Wait() })
	return m
}

func TestAMappingHandsOverBatchesOfTen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &worker{}
		m := running(t, 1, memory.Options{}, w)
		var messages []queue.Message
		for i := range 23 {
			messages = append(messages, queue.Message{Body: strconv.Itoa(i)})
		}
		require.NoError(t, m.Send(t.Context(), messages))
		synctest.Wait()
		var sizes []int
		for _, batch := range w.got() {
			sizes = append(sizes, len(batch))
		}
		require.Equal(t, []int{10, 10, 3}, sizes)
		require.Zero(t, m.queue.Len())
	})
}

func TestAMappingWaitsForDelayedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &worker{}
		m := running(t, 2, memory.Options{}, w)
		require.NoError(t, m.Send(t.Context(), []queue.Message{{Body: "later", Delay: time.Minute}}))
		elapse(time.Minute - 1)
		require.Empty(t, w.got())
		elapse(1)
		require.Equal(t, [][]string{{"later"}}, w.got())
	})
}

func TestWhatAFunctionReportsComesAgain(t *testing.T) {
	whole := [][]string{{"a", "b"}, {"a", "b"}}
	for name, tc := range map[string]struct {
		fail    func(int, string) (bool, error)
		batches [][]string
	}{
		"one message reported": {
			func(n int, body string) (bool, error) { return body == "b" && n < 3, nil },
			[][]string{{"a", "b"}, {"b"}, {"b"}},
		},
		"the invocation failed": {func(n int, _ string) (bool, error) {
			if n == 1 {
				return false, errors.New("boom")
			}
			return false, nil
		}, whole},
		"the function panicked": {func(n int, _ string) (bool, error) {
			if n == 1 {
				panic("boom")
			}
			return false, nil
		}, whole},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &worker{fail: tc.fail}
				m := running(t, 1, memory.Options{}, w)
				require.NoError(t, m.Send(t.Context(), []queue.Message{{Body: "a"}, {Body: "b"}}))
				elapse(3 * testTimeout)
				require.Equal(t, tc.batches, w.got())
				require.Zero(t, m.queue.Len())
			})
		})
	}
}

func TestAFIFOGroupIsWorkedOnInOrderByManyExecutions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &worker{}
		m := running(t, 4, memory.Options{FIFO: true}, w)
		for i := range 20 {
			body := strconv.Itoa(i)
			require.NoError(t, m.Send(t.Context(), []queue.Message{{Body: body, Group: "g", DeduplicationID: body}}))
		}
		synctest.Wait()
		var order []string
		for _, batch := range w.got() {
			order = append(order, batch...)
		}
		for i := range 20 {
			require.Equal(t, strconv.Itoa(i), order[i])
		}
		require.Zero(t, m.queue.Len())
	})
}

func TestAFunctionThatHangsIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction("slow", testTimeout, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		started := time.Now()
		err := f.invoke(t.Context(), struct{}{}, new(any))
		require.ErrorContains(t, err, "invoking slow: context deadline exceeded")
		require.Equal(t, testTimeout, time.Since(started))
	})
}
