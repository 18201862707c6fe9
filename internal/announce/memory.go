package announce

import (
	"context"
	"slices"
	"sync"
)

// Memory is a Bus that keeps what it is given, for tests.
type Memory struct {
	mu     sync.Mutex
	events []Event
	err    error
}

var _ Bus = (*Memory)(nil)

// Put keeps events, or fails as Fail said.
func (m *Memory) Put(_ context.Context, events []Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.events = append(m.events, events...)
	return nil
}

// Fail makes every Put fail from now on; with nil it works again.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Events gives what was put, in order.
func (m *Memory) Events() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.events)
}

// Discard is a Bus that forgets everything.
type Discard struct{}

// Put forgets.
func (Discard) Put(context.Context, []Event) error { return nil }
