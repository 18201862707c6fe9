package dlq

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/queue/memory"
	"github.com/blox/blox/internal/queue/sqssim"
)

var start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// bench is an Office over a dead-letter queue and the queue it belongs to, in memory. Pauses take the clock's time
// only.
type bench struct {
	*Office
	*faulty
	now        time.Time
	dead, live *memory.Queue
	queue      Queue
	paused     time.Duration
	service    *sqssim.Service
	// anyOrder, if set, lets the dead-letter queue hand out its messages in any order.
	anyOrder *rand.Rand
}

func (b *bench) choose(n int) int {
	if b.anyOrder == nil {
		return 0
	}
	return b.anyOrder.IntN(n)
}

func newBench(_ testing.TB) *bench {
	b := &bench{now: start}
	clock := func() time.Time { return b.now }
	b.dead, b.live = memory.New(memory.Options{Now: clock, Choose: b.choose}), memory.New(memory.Options{Now: clock})
	b.service = sqssim.New("123456789012", "eu-west-1", clock)
	b.service.Add("dead", b.dead, nil)
	b.service.Add("live", b.live, nil)
	b.faulty = &faulty{API: b.service}
	b.Office = &Office{API: b.faulty, Now: clock, Pause: func(ctx context.Context, d time.Duration) error {
		b.now, b.paused = b.now.Add(d), b.paused+d
		return ctx.Err()
	}}
	b.queue = Queues(map[string]string{"EventsDeadLettersUrl": "https://sqs.test/1/dead", "EventsQueueUrl": "https://sqs.test/1/live"})[0]
	return b
}

// put puts a message into the dead-letter queue as ingest does, and a second later than the one before.
func (b *bench) put(t testing.TB, reason, body string) {
	t.Helper()
	attributes := map[string]string{"reason": reason, "error": "because of " + reason}
	require.NoError(t, b.dead.Send(t.Context(), []queue.Message{{Body: body, Attributes: attributes}}))
	b.now = b.now.Add(time.Second)
}

func bodies(q *memory.Queue) []string {
	all := []string{}
	for _, m := range q.Messages() {
		all = append(all, m.Body)
	}
	slices.Sort(all)
	return all
}

// requireVisible checks that everything in the dead-letter queue can be received at once.
func (b *bench) requireVisible(t testing.TB) {
	t.Helper()
	for _, m := range b.dead.Messages() {
		require.False(t, m.VisibleAt.After(b.now), "%s is hidden until %s", m.Body, m.VisibleAt)
	}
}

var errFault = errors.New("the network is down")

// faulty counts the calls, and fails one of them: before it is carried out, or after.
type faulty struct {
	API
	calls     []string
	failAt    int // 1 is the first call; 0 is none
	afterward bool
	onCall    func(name string)
}

func call[Out any](f *faulty, name string, do func() (*Out, error)) (*Out, error) {
	f.calls = append(f.calls, name)
	if f.onCall != nil {
		f.onCall(name)
	}
	if len(f.calls) != f.failAt {
		return do()
	}
	if f.afterward {
		if _, err := do(); err != nil {
			return nil, err
		}
	}
	return nil, errFault
}

func (f *faulty) ReceiveMessage(
	ctx context.Context,
	in *sqs.ReceiveMessageInput,
	_ ...func(*sqs.Options),
) (*sqs.ReceiveMessageOutput, error) {
	return call(f, "receive", func() (*sqs.ReceiveMessageOutput, error) { return f.API.ReceiveMessage(ctx, in) })
}

func (f *faulty) SendMessageBatch(
	ctx context.Context,
	in *sqs.SendMessageBatchInput,
	_ ...func(*sqs.Options),
) (*sqs.SendMessageBatchOutput, error) {
	return call(f, "send", func() (*sqs.SendMessageBatchOutput, error) { return f.API.SendMessageBatch(ctx, in) })
}

func (f *faulty) DeleteMessageBatch(
	ctx context.Context,
	in *sqs.DeleteMessageBatchInput,
	_ ...func(*sqs.Options),
) (*sqs.DeleteMessageBatchOutput, error) {
	return call(f, "delete", func() (*sqs.DeleteMessageBatchOutput, error) { return f.API.DeleteMessageBatch(ctx, in) })
}

func (f *faulty) ChangeMessageVisibilityBatch(
	ctx context.Context,
	in *sqs.ChangeMessageVisibilityBatchInput,
	_ ...func(*sqs.Options),
) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	return call(f, "give back", func() (*sqs.ChangeMessageVisibilityBatchOutput, error) {
		return f.API.ChangeMessageVisibilityBatch(ctx, in)
	})
}

// mover answers for a move that takes its time.
type mover struct {
	API
	now      func() time.Time
	earlier  []types.ListMessageMoveTasksResultEntry // moves of others, listed first
	startAt  time.Time
	started  *sqs.StartMessageMoveTaskInput
	steps    []types.ListMessageMoveTasksResultEntry // the last one stays
	cancels  int
	cancelOK bool
}

func (m *mover) StartMessageMoveTask(
	_ context.Context,
	in *sqs.StartMessageMoveTaskInput,
	_ ...func(*sqs.Options),
) (*sqs.StartMessageMoveTaskOutput, error) {
	m.started, m.startAt = in, m.now()
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: aws.String("handle")}, nil
}

func (m *mover) ListMessageMoveTasks(
	context.Context,
	*sqs.ListMessageMoveTasksInput,
	...func(*sqs.Options),
) (*sqs.ListMessageMoveTasksOutput, error) {
	step := m.steps[0]
	if len(m.steps) > 1 {
		m.steps = m.steps[1:]
	}
	// As SQS does, it tells the handle of what runs, and of the rest when it began.
	step.StartedTimestamp = m.startAt.UnixMilli()
	if aws.ToString(step.Status) == "RUNNING" {
		step.TaskHandle = aws.String("handle")
	}
	return &sqs.ListMessageMoveTasksOutput{Results: append(slices.Clone(m.earlier), step)}, nil
}

func (m *mover) CancelMessageMoveTask(
	_ context.Context,
	in *sqs.CancelMessageMoveTaskInput,
	_ ...func(*sqs.Options),
) (*sqs.CancelMessageMoveTaskOutput, error) {
	m.cancels++
	if aws.ToString(in.TaskHandle) != "handle" || !m.cancelOK {
		return nil, errFault
	}
	return &sqs.CancelMessageMoveTaskOutput{}, nil
}

func step(status string, moved int64) types.ListMessageMoveTasksResultEntry {
	return types.ListMessageMoveTasksResultEntry{Status: &status, ApproximateNumberOfMessagesMoved: moved}
}
