package announce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/require"
)

// fakeEventBridge refuses events as the test says, and keeps the others.
type fakeEventBridge struct {
	refuse func(call int, reason string) bool // by the detail's reason
	err    error
	calls  []int // entries of each
	taken  []types.PutEventsRequestEntry
}

func (f *fakeEventBridge) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	f.calls = append(f.calls, len(in.Entries))
	if f.err != nil {
		return nil, f.err
	}
	out := &eventbridge.PutEventsOutput{}
	for _, entry := range in.Entries {
		if f.refuse != nil && f.refuse(len(f.calls), *entry.Detail) {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: aws.String("InternalFailure"), ErrorMessage: aws.String("sorry")})
			continue
		}
		f.taken = append(f.taken, entry)
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String("id")})
	}
	return out, nil
}

func events(n int) []Event {
	all := make([]Event, n)
	for i := range all {
		all[i] = Event{DetailType: DeploymentStateChange, At: at.Add(time.Duration(i) * time.Second), Detail: Detail{
			Reason: fmt.Sprint("event-", i), Clusters: []string{"arn:aws:ecs:eu-west-1:123456789012:cluster/edge"},
		}}
	}
	return all
}

func newBus(api EventBridgeAPI) (*EventBridge, *[]int) {
	var pauses []int
	bus := NewEventBridge(api, "blox-main")
	bus.pause = func(ctx context.Context, attempt int) error {
		pauses = append(pauses, attempt)
		return ctx.Err()
	}
	return bus, &pauses
}

func TestEventsArePutInBatches(t *testing.T) {
	api := &fakeEventBridge{}
	bus, pauses := newBus(api)
	require.NoError(t, bus.Put(t.Context(), events(23)))
	require.Equal(t, []int{10, 10, 3}, api.calls)
	require.Empty(t, *pauses)
	require.Len(t, api.taken, 23)
	first := api.taken[0]
	require.Equal(t, "blox-main", *first.EventBusName)
	require.Equal(t, "blox", *first.Source)
	require.Equal(t, "Blox Deployment State Change", *first.DetailType)
	require.Equal(t, at, *first.Time)
	require.Equal(t, []string{"arn:aws:ecs:eu-west-1:123456789012:cluster/edge"}, first.Resources)
	require.Contains(t, *first.Detail, `"reason":"event-0"`)

	require.NoError(t, bus.Put(t.Context(), nil))
	require.Len(t, api.calls, 3, "nothing to put is no call")
}

func TestOnlyWhatWasRefusedIsPutAgain(t *testing.T) {
	api := &fakeEventBridge{refuse: func(call int, detail string) bool {
		return call <= 2 && bytes.Contains([]byte(detail), []byte(`"event-1"`))
	}}
	bus, pauses := newBus(api)
	require.NoError(t, bus.Put(t.Context(), events(3)))
	require.Equal(t, []int{3, 1, 1}, api.calls)
	require.Equal(t, []int{1, 2}, *pauses)
	require.Len(t, api.taken, 3)
}

func TestPuttingEnds(t *testing.T) {
	api := &fakeEventBridge{refuse: func(int, string) bool { return true }}
	bus, _ := newBus(api)
	require.EqualError(t, bus.Put(t.Context(), events(2)),
		"putting 2 events on bus blox-main: 2 refused after 4 attempts: InternalFailure: sorry\nInternalFailure: sorry")
	require.Len(t, api.calls, attempts)

	api = &fakeEventBridge{err: errors.New("no such bus")}
	bus, _ = newBus(api)
	require.EqualError(t, bus.Put(t.Context(), events(11)), "putting 10 events on bus blox-main: no such bus")
	require.Len(t, api.calls, 1, "the SDK has tried again already")
}

func TestPuttingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	bus := NewEventBridge(&fakeEventBridge{refuse: func(int, string) bool { return true }}, "blox-main")
	require.ErrorIs(t, bus.Put(ctx, events(1)), context.Canceled)
}

func TestMemoryKeepsWhatItIsGiven(t *testing.T) {
	var bus Memory
	require.NoError(t, bus.Put(t.Context(), events(2)))
	bus.Fail(errors.New("away"))
	require.EqualError(t, bus.Put(t.Context(), events(1)), "away")
	bus.Fail(nil)
	require.NoError(t, bus.Put(t.Context(), events(1)))
	require.Len(t, bus.Events(), 3)
	require.Equal(t, "event-1", bus.Events()[1].Detail.Reason)
}

func TestTheLogWarnsOfWhatNeedsALook(t *testing.T) {
	var out bytes.Buffer
	log := Log{Logger: slog.New(slog.NewTextHandler(&out, nil))}
	change := events(1)
	require.NoError(t, log.Put(t.Context(), change))
	require.Empty(t, out.String())
	change[0].DetailType = DeploymentStuck
	require.NoError(t, log.Put(t.Context(), change))
	require.Contains(t, out.String(), `level=WARN msg="Blox Deployment Stuck"`)
}

func TestEntriesOfAnyShapeArePut(t *testing.T) {
	api := &fakeEventBridge{refuse: func(call int, detail string) bool { return call == 1 && detail == `{"n":2}` }}
	bus, _ := newBus(api)
	require.NoError(t, bus.PutEntries(t.Context(), []Entry{
		{DetailType: "Task State Change", At: at, Resources: []string{"arn"}, Detail: `{"n":1}`}, {DetailType: "Other", Detail: `{"n":2}`},
	}))
	require.Equal(t, []int{2, 1}, api.calls)
	require.Equal(t, types.PutEventsRequestEntry{
		EventBusName: aws.String("blox-main"), Source: aws.String("blox"), DetailType: aws.String("Task State Change"), Time: aws.Time(at),
		Resources: []string{"arn"}, Detail: aws.String(`{"n":1}`),
	}, api.taken[0])
	require.Nil(t, api.taken[1].Time, "EventBridge's own then")
}
