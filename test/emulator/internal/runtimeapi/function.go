// Package runtimeapi runs a Lambda function's bootstrap as Lambda does: as a process of its own that asks the Lambda
// Runtime API for its next invocation and posts the answer there. It enforces the function's timeout, gives a process
// one invocation at a time, and throttles beyond the function's concurrency.
package runtimeapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// Spec says what runs, and how.
type Spec struct {
	Name      string // what messages call it
	Deployed  string // its name in the account
	ARN       string
	Directory string // holds bootstrap
	Region    string
	// Environment is the function's own; what Lambda adds is added here. Extra is added last: keys, endpoint.
	Environment, Extra map[string]string
	Timeout            time.Duration
	MemoryMB           int
	// Processes bounds the invocations at one time. If Throttle is set, one more is refused, as reserved concurrency
	// does; else it waits, as if the account's concurrency were never reached.
	Processes int
	Throttle  bool
}

// ErrThrottled is Lambda's TooManyRequestsException.
var ErrThrottled = errors.New("the function is throttled: its reserved concurrency is used up")

// FunctionError is an invocation that the function itself failed: an error returned, a panic, a timeout, an exit.
type FunctionError struct {
	Function string
	Type     string
	Message  string
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("function %s failed: %s: %s", e.Function, e.Type, e.Message)
}

// Function runs invocations. It may be used by several goroutines.
type Function struct {
	Spec
	logs  *logs
	slots chan struct{}

	mu     sync.Mutex
	idle   []*process
	all    map[*process]struct{}
	starts []Start
	closed bool
}

// Start is how long a process took.
type Start struct {
	Ready  time.Duration // from exec to its first question for an invocation
	Answer time.Duration // from exec to the end of its first answer
}

// New returns a function whose processes start when there is something to do. onLine, if not nil, hears of every line
// the function writes; that is what CloudWatch Logs would take.
func New(spec Spec, onLine func(line string)) *Function {
	return &Function{Spec: spec, logs: newLogs(onLine), slots: make(chan struct{}, max(1, spec.Processes)), all: map[*process]struct{}{}}
}

// Close ends all processes. Invocations under way fail.
func (f *Function) Close() {
	f.mu.Lock()
	f.closed, f.idle = true, nil
	running := f.all
	f.all = map[*process]struct{}{}
	f.mu.Unlock()
	for p := range running {
		p.stop()
	}
}

// Logs are the last lines that the function wrote.
func (f *Function) Logs() []string { return f.logs.tail() }

// Starts tells of every process so far that has answered.
func (f *Function) Starts() []Start {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Start(nil), f.starts...)
}

// Invoke calls the function and waits for the whole answer.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	stream, err := f.Stream(ctx, payload)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // it was only read
	return io.ReadAll(stream)
}

// Stream calls the function and returns as soon as its answer begins. Reading ends with io.EOF when the answer is
// complete, and with a *FunctionError when the function failed in the middle of it.
func (f *Function) Stream(ctx context.Context, payload []byte) (*Stream, error) {
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	if p := f.reused(); p != nil {
		stream, err := f.run(ctx, p, payload)
		if !errors.Is(err, errGone) {
			return stream, err
		}
	}
	p, err := f.start(ctx)
	if err != nil {
		f.leave(nil)
		return nil, err
	}
	return f.run(ctx, p, payload)
}

// errGone is a process that ended while it was idle, as one does after a panic that it has reported.
var errGone = errors.New("the process has ended")

// Fresh calls the function on a process that is started for it and ended after it, and says how long that took.
func (f *Function) Fresh(ctx context.Context, payload []byte) (Start, error) {
	if err := f.enter(ctx); err != nil {
		return Start{}, err
	}
	p, err := f.start(ctx)
	if err != nil {
		f.leave(nil)
		return Start{}, err
	}
	stream, err := f.run(ctx, p, payload)
	if err != nil {
		return Start{}, err
	}
	_, err = io.Copy(io.Discard, stream)
	f.discard(p)
	return p.began.start(), err
}

func (f *Function) enter(ctx context.Context) error {
	if f.Throttle {
		select {
		case f.slots <- struct{}{}:
			return nil
		default:
			return ErrThrottled
		}
	}
	select {
	case f.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for a free process of function %s: %w", f.Name, ctx.Err())
	}
}

// leave gives the slot back, and the process if it can be used again.
func (f *Function) leave(p *process) {
	if p != nil && p.usable() {
		f.mu.Lock()
		if !f.closed {
			f.idle = append(f.idle, p)
		}
		f.mu.Unlock()
	}
	<-f.slots
}

// discard ends a process that is idle, if it is.
func (f *Function) discard(p *process) {
	f.mu.Lock()
	for i, idle := range f.idle {
		if idle == p {
			f.idle = append(f.idle[:i], f.idle[i+1:]...)
			break
		}
	}
	delete(f.all, p)
	f.mu.Unlock()
	p.stop()
}

// reused gives an idle process, if there is one.
func (f *Function) reused() *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		p := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if p.usable() {
			return p
		}
	}
	return nil
}

func (f *Function) start(ctx context.Context) (*process, error) {
	p, err := startProcess(ctx, &f.Spec, f.logs)
	if err != nil {
		return nil, fmt.Errorf("starting function %s: %w", f.Name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		go p.stop()
		return nil, fmt.Errorf("starting function %s: the host stops", f.Name)
	}
	f.all[p] = struct{}{}
	return p, nil
}

func (f *Function) run(ctx context.Context, p *process, payload []byte) (*Stream, error) {
	call := &invocation{id: rand.Text(), payload: payload, deadline: time.Now().Add(f.Timeout), answer: make(chan *Stream, 1), failed: make(chan error, 1)}
	ended := func(stream *Stream) {
		if first, ok := p.firstAnswer(); ok && stream != nil {
			f.mu.Lock()
			f.starts = append(f.starts, first)
			f.mu.Unlock()
		}
		if !p.usable() {
			f.mu.Lock()
			delete(f.all, p)
			f.mu.Unlock()
		}
		f.leave(p)
	}
	timer := time.NewTimer(f.Timeout)
	defer timer.Stop()
	fail := func(kind, message string) error {
		p.stop()
		ended(nil)
		return &FunctionError{Function: f.Name, Type: kind, Message: message}
	}
	select {
	case p.calls <- call:
	case <-p.exited:
		if p.worked() {
			return nil, errGone // and the caller's slot stays taken, for the process in its place
		}
		return nil, fail("Runtime.ExitError", "the process ended before it asked for an invocation: "+p.exitReason())
	case <-timer.C:
		return nil, fail("Sandbox.Timedout", "the process did not ask for an invocation within "+f.Timeout.String())
	case <-ctx.Done():
		return nil, fail("Host.Cancelled", ctx.Err().Error())
	}
	select {
	case stream := <-call.answer:
		stream.onEnd(func() { ended(stream) })
		return stream, nil
	case err := <-call.failed:
		ended(nil)
		return nil, err
	case <-p.exited:
		select { // what it posted last counts
		case err := <-call.failed:
			ended(nil)
			return nil, err
		default:
		}
		return nil, fail("Runtime.ExitError", "the process ended without an answer: "+p.exitReason())
	case <-timer.C:
		return nil, fail("Sandbox.Timedout", "task timed out after "+strconv.FormatFloat(f.Timeout.Seconds(), 'f', 2, 64)+" seconds")
	case <-ctx.Done():
		return nil, fail("Host.Cancelled", ctx.Err().Error())
	}
}
