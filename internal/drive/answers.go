package drive

import (
	"sync"
	"time"
)

// answers remembers answers for the life of the process, so that looks at many environments, or at one many times, do
// not ask the same again. It is safe for concurrent use; two that ask at the same time may both be told that nothing
// is known.
type answers[K comparable, V any] struct {
	mu    sync.Mutex
	known map[K]remembered[V]
}

type remembered[V any] struct {
	value V
	at    time.Time
}

// maxRemembered bounds answers; what they hold is forgotten when there would be more.
const maxRemembered = 20000

// recall is what was remembered at or after a time.
func (m *answers[K, V]) recall(key K, since time.Time) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.known[key]
	if !ok || r.at.Before(since) {
		var none V
		return none, false
	}
	return r.value, true
}

func (m *answers[K, V]) remember(key K, value V, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxRemembered {
		m.known = map[K]remembered[V]{}
	}
	m.known[key] = remembered[V]{value, now}
}
