package announce

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// EventBridgeAPI is the one call of [eventbridge.Client] that putting needs.
type EventBridgeAPI interface {
	PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, opts ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

var _ EventBridgeAPI = (*eventbridge.Client)(nil)

const (
	// maxBatch is how many events PutEvents takes.
	maxBatch = 10
	// attempts is how often an event is put at most. The SDK retries calls that fail as a whole; EventBridge also refuses
	// single events of a call that succeeds, and those the SDK does not see.
	attempts = 4
	// putTimeout bounds one Put: the caller has other work to do, and puts the events again some time.
	putTimeout = 5 * time.Second
)

// EventBridge is the Bus of an event bus of Amazon EventBridge.
type EventBridge struct {
	api   EventBridgeAPI
	bus   string
	pause func(ctx context.Context, attempt int) error
}

var _ Bus = (*EventBridge)(nil)

// NewEventBridge makes the Bus of the named bus.
func NewEventBridge(api EventBridgeAPI, bus string) *EventBridge {
	return &EventBridge{api: api, bus: bus, pause: backOff}
}

// Entry is any event as EventBridge takes it; its source is Source.
type Entry struct {
	DetailType string
	At         time.Time // zero is the time of the call
	Resources  []string  // ARNs
	Detail     string    // a JSON object
}

// Put puts events in batches, in order. Those that EventBridge refuses are put again, a bounded number of times.
func (b *EventBridge) Put(ctx context.Context, events []Event) error {
	entries := make([]Entry, len(events))
	for i, e := range events {
		detail, err := e.json()
		if err != nil {
			return err
		}
		entries[i] = Entry{DetailType: e.DetailType, At: e.At, Resources: e.resources(), Detail: detail}
	}
	return b.PutEntries(ctx, entries)
}

// PutEntries puts events of any shape, as Put does. The entries of a batch of ten must be less than 256 KB together.
func (b *EventBridge) PutEntries(ctx context.Context, all []Entry) error {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	for batch := range slices.Chunk(all, maxBatch) {
		entries := make([]types.PutEventsRequestEntry, len(batch))
		for i, e := range batch {
			entries[i] = types.PutEventsRequestEntry{
				EventBusName: &b.bus, Source: aws.String(Source), DetailType: aws.String(e.DetailType),
				Detail: aws.String(e.Detail), Resources: e.Resources,
			}
			if !e.At.IsZero() {
				entries[i].Time = aws.Time(e.At)
			}
		}
		if err := b.put(ctx, entries); err != nil {
			return fmt.Errorf("putting %d events on bus %s: %w", len(batch), b.bus, err)
		}
	}
	return nil
}

func (b *EventBridge) put(ctx context.Context, entries []types.PutEventsRequestEntry) error {
	for attempt := 1; ; attempt++ {
		out, err := b.api.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if err != nil {
			return err
		}
		left, refused := refusals(entries, out.Entries)
		if len(left) == 0 {
			return nil
		}
		if attempt == attempts {
			return fmt.Errorf("%d refused after %d attempts: %w", len(left), attempt, refused)
		}
		entries = left
		if err := b.pause(ctx, attempt); err != nil {
			return errors.Join(err, refused)
		}
	}
}

// refusals are the entries that were not taken: results come in the order of the entries.
func refusals(entries []types.PutEventsRequestEntry, results []types.PutEventsResultEntry) (left []types.PutEventsRequestEntry, all error) {
	for i, result := range results[:min(len(results), len(entries))] {
		if code := aws.ToString(result.ErrorCode); code != "" {
			all = errors.Join(all, fmt.Errorf("%s: %s", code, aws.ToString(result.ErrorMessage)))
			left = append(left, entries[i])
		}
	}
	return left, all
}

// The first pause before events are put again; each further one is twice as long, and all are shortened by chance.
const firstPause = 100 * time.Millisecond

func backOff(ctx context.Context, attempt int) error {
	most := firstPause << (attempt - 1)
	timer := time.NewTimer(most/2 + rand.N(most/2)) //nolint:gosec // no secret depends on it
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
