package local

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"
)

func record(n int) events.DynamoDBEventRecord {
	return events.DynamoDBEventRecord{
		EventName: "MODIFY",
		Change: events.DynamoDBStreamRecord{
			SequenceNumber: strconv.Itoa(n),
			NewImage:       map[string]events.DynamoDBAttributeValue{"pk": events.NewStringAttribute("p"), "v": events.NewNumberAttribute(strconv.Itoa(n))},
		},
	}
}

// consumer is a function that reads a stream; fail decides what it answers to its n-th invocation.
type consumer struct {
	mu      sync.Mutex
	batches [][]string
	fail    func(invocation int, batch []string) (firstFailed string, err error)
}

func (c *consumer) handle(_ context.Context, event events.DynamoDBEvent) (answer events.DynamoDBEventResponse, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch []string
	for _, r := range event.Records {
		batch = append(batch, r.Change.NewImage["v"].Number())
	}
	c.batches = append(c.batches, batch)
	if c.fail == nil {
		return answer, nil
	}
	failed, err := c.fail(len(c.batches), batch)
	if failed != "" {
		answer.BatchItemFailures = []events.DynamoDBBatchItemFailure{{ItemIdentifier: failed}}
	}
	return answer, err
}

func (c *consumer) got() [][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.batches)
}

func streaming(t *testing.T, c *consumer, records int) *stream {
	s := newStream(quiet)
	s.function = newFunction("test", testTimeout, c.handle)
	for i := range records {
		s.emit(record(i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { s.run(ctx, t.Context()) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return s
}

func TestAStreamDeliversInOrderInBatchesOfHundred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &consumer{}
		s := streaming(t, c, 150)
		synctest.Wait()
		s.emit(record(150))
		synctest.Wait()
		require.Len(t, c.got(), 3)
		n := 0
		for _, batch := range c.got() {
			for _, v := range batch {
				require.Equal(t, strconv.Itoa(n), v)
				n++
			}
		}
		require.Equal(t, 151, n)
	})
}

func TestAFailedStreamBatchIsTriedAgainBeforeAnythingLater(t *testing.T) {
	boom := errors.New("boom")
	for name, tc := range map[string]struct {
		fail    func(int, []string) (string, error)
		batches [][]string
	}{
		"from the record reported": {
			func(n int, _ []string) (string, error) { return map[int]string{1: "1"}[n], nil },
			[][]string{{"0", "1", "2"}, {"1", "2"}},
		},
		"as a whole": {
			func(n int, _ []string) (string, error) { return "", map[int]error{1: boom}[n] },
			[][]string{{"0", "1", "2"}, {"0", "1", "2"}},
		},
		"as a whole for a record nobody knows": {
			func(n int, _ []string) (string, error) { return map[int]string{1: "?"}[n], nil },
			[][]string{{"0", "1", "2"}, {"0", "1", "2"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &consumer{fail: tc.fail}
				streaming(t, c, 3)
				elapse(time.Minute)
				require.Equal(t, tc.batches, c.got())
			})
		})
	}
}

func TestAPoisonousRecordIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &consumer{fail: func(_ int, batch []string) (string, error) {
			if batch[0] == "1" || len(batch) > 1 && batch[1] == "1" {
				return "1", nil
			}
			return "", nil
		}}
		streaming(t, c, 3)
		elapse(time.Minute)
		require.Len(t, c.got(), streamAttempts+1)
		require.Equal(t, []string{"2"}, c.got()[streamAttempts], "what comes after it is delivered")
	})
}

func TestAScheduleInvokesAtOnceAndThenInEveryPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var at []time.Duration
		s := &schedule{
			function: newFunction("test", testTimeout, func(_ context.Context, payload map[string]string) error {
				require.Equal(t, map[string]string{"source": "test"}, payload)
				at = append(at, time.Since(started))
				return errors.New("a failure waits for the next time")
			}),
			payload: []byte(`{"source":"test"}`), period: time.Minute, log: quiet,
		}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		s.run(ctx, t.Context())
		require.Equal(t, []time.Duration{0, time.Minute, 2 * time.Minute}, at)
	})
}
