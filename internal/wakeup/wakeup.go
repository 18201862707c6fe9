// Package wakeup is the message that makes the scheduler look at an environment.
package wakeup

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
)

// Wakeup asks for a look at an environment: at some container instances, or at everything when there are none. Losing
// one costs time and nothing else, since the tick brings another.
type Wakeup struct {
	EnvironmentID string      `json:"environmentId"`
	Instances     []state.Key `json:"-"`
	// Names are the keys of Instances, as state.Key writes them.
	Names []string `json:"instances,omitempty"`
}

// MaxInstances bounds a message; who would name more asks for everything.
const MaxInstances = 200

// Send sends wake-ups, all delayed alike. SQS delays a message for at most 15 minutes; the rest is the tick's.
func Send(ctx context.Context, to queue.Sender, delay time.Duration, wakeups ...Wakeup) error {
	messages := make([]queue.Message, len(wakeups))
	for i, w := range wakeups {
		if len(w.Instances) > MaxInstances {
			w.Instances = nil
		}
		w.Names = make([]string, len(w.Instances))
		for j, key := range w.Instances {
			w.Names[j] = key.String()
		}
		body, err := json.Marshal(w)
		if err != nil {
			return fmt.Errorf("encoding a wake-up: %w", err)
		}
		messages[i] = queue.Message{Body: string(body), Delay: min(delay, queue.MaxDelay)}
	}
	if err := to.Send(ctx, messages); err != nil {
		return fmt.Errorf("sending %d wake-ups: %w", len(wakeups), err)
	}
	return nil
}

// Parse reads a message's body.
func Parse(body string) (Wakeup, error) {
	var w Wakeup
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		return w, fmt.Errorf("wake-up: %w", err)
	}
	if w.EnvironmentID == "" {
		return w, fmt.Errorf("wake-up: environmentId is missing")
	}
	for _, name := range w.Names {
		key, err := state.ParseKey(name)
		if err != nil {
			return w, fmt.Errorf("wake-up: %w", err)
		}
		w.Instances = append(w.Instances, key)
	}
	return w, nil
}
