package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// errExited is a server that ended by itself before it answered.
var errExited = errors.New("DynamoDB Local ended before it answered")

// process is the running engine.
type process struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed when the process is gone
	output *tail
}

// startProcess starts java. The process ends with ctx or by process.end.
func startProcess(ctx context.Context, java string, args []string) (*process, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &process{cancel: cancel, ended: make(chan struct{}), output: &tail{}}
	cmd := exec.CommandContext(ctx, java, args...)
	cmd.Env = append(os.Environ(), "DDB_LOCAL_TELEMETRY=0")
	cmd.Stdout, cmd.Stderr = p.output, p.output
	cmd.Cancel = func() error { return terminate(cmd) }
	cmd.WaitDelay = stopTimeout
	endWithParent(cmd)

	started := make(chan error, 1)
	go func() {
		// Linux ends the child when the thread that started it ends: keep that
		// thread until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // however it ends, it has ended
		}
	}()
	if err := <-started; err != nil {
		cancel()
		return nil, fmt.Errorf("starting DynamoDB Local with %s: %w", java, err)
	}
	return p, nil
}

// end stops the process and waits until it is gone.
func (p *process) end() {
	p.cancel()
	<-p.ended
}

// waitReady waits until the server answers a request, with anything.
func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !s.answers(ctx) {
		select {
		case <-s.process.ended:
			return fmt.Errorf("%w; its last words: %s", errExited, s.process.output)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("DynamoDB Local did not answer at %s within %s; its last words: %s", s.Endpoint, startTimeout, s.process.output)
			}
			return fmt.Errorf("waiting for DynamoDB Local: %w", ctx.Err())
		case <-tick.C:
		}
	}
	// Something answers: make sure it is our process and not another program
	// that got the port first.
	select {
	case <-s.process.ended:
		return fmt.Errorf("%w; its last words: %s", errExited, s.process.output)
	default:
		return nil
	}
}

func (s *Server) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // the body does not matter
	return true
}

// tail keeps the end of what a process writes.
type tail struct {
	mu   sync.Mutex
	last []byte
}

const tailBytes = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if over := len(t.last) - tailBytes; over > 0 {
		t.last = bytes.Clone(t.last[over:])
	}
	return len(p), nil
}

// String returns the text on one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := strings.Join(strings.Fields(string(t.last)), " "); text != "" {
		return text
	}
	return "(none)"
}
