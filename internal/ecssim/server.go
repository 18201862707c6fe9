package ecssim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Server runs a Simulator in real time behind HTTP. It is an http.Handler; Run moves its clock.
type Server struct {
	mu      sync.Mutex
	sim     *Simulator
	clock   func() time.Time
	onEvent func([]Event)
	wake    chan struct{}
}

// NewServer wraps a simulator, which must not be touched any more but through Do. onEvents hears of deliveries in order,
// from Run's goroutine, outside the lock, and may be nil. clock is time.Now unless given.
func NewServer(sim *Simulator, clock func() time.Time, onEvents func([]Event)) *Server {
	if clock == nil {
		clock = time.Now
	}
	if onEvents == nil {
		onEvents = func([]Event) {}
	}
	return &Server{sim: sim, clock: clock, onEvent: onEvents, wake: make(chan struct{}, 1)}
}

// Do calls f with the simulator locked and the time it is, for hosts, faults and snapshots.
func (s *Server) Do(f func(sim *Simulator, now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.sim, s.clock())
	s.stir()
}

// stir tells Run that something new may be due.
func (s *Server) stir() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// idle is how long Run sleeps when nothing is due; any call wakes it.
const idle = time.Hour

// Run makes things happen when they are due, until the context ends; that is no error.
func (s *Server) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil
			}
			return fmt.Errorf("running the ECS simulator: %w", ctx.Err())
		case <-timer.C:
		case <-s.wake:
		}
		events, wait := s.advance()
		if len(events) > 0 {
			s.onEvent(events)
		}
		timer.Reset(wait)
	}
}

func (s *Server) advance() ([]Event, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	events := s.sim.Advance(now)
	due, ok := s.sim.NextDue()
	if !ok {
		return events, idle
	}
	// Timestamps are whole milliseconds, so what is due in this one waits for the next at most.
	return events, max(due.Sub(now), time.Millisecond)
}

// ServeHTTP answers the JSON 1.1 protocol; a GET tells people where they are.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "Amazon ECS simulator. Point an AWS SDK or CLI here: aws ecs list-clusters --endpoint-url http://"+r.Host+"\n") // the reader may be gone
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	if err != nil {
		status, answer := encodeError(invalid("reading the request: %v; at most %d bytes are allowed", err, MaxBodyBytes))
		s.answer(w, status, answer, "")
		return
	}
	status, answer, id := s.handle(r.Header.Get("X-Amz-Target"), body)
	if status == 0 {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection without an answer
	}
	s.answer(w, status, answer, id)
}

func (s *Server) handle(target string, body []byte) (status int, answer []byte, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, answer = s.sim.Handle(s.clock(), target, body)
	s.stir()
	return status, answer, requestID(s.sim)
}

func (s *Server) answer(w http.ResponseWriter, status int, body []byte, id string) {
	w.Header().Set("Content-Type", contentType)
	if id != "" {
		w.Header().Set("X-Amzn-Requestid", id)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}
