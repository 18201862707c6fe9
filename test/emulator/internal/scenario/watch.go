package scenario

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/blox/blox/client"
	"github.com/blox/blox/test/emulator/internal/host"
)

// watch reads a stream, line by line, as any program could: one signed GET.
type watch struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	events []client.TaskWatchEvent
	failed error
}

// maxLineBytes bounds a line of a stream.
const maxLineBytes = 1 << 20

// openWatch opens a stream, which lives until close.
func (s *Scenario) openWatch(ctx context.Context, path string) (*watch, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	response, err := s.get(ctx, "stream/"+path) //nolint:bodyclose // the goroutine below closes it
	if err != nil {
		cancel()
		return nil, err
	}
	w := &watch{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, maxLineBytes)
		for lines.Scan() {
			var event client.TaskWatchEvent
			if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
				w.fail(fmt.Errorf("the line %q: %w", lines.Text(), err))
				return
			}
			w.mu.Lock()
			w.events = append(w.events, event)
			w.mu.Unlock()
		}
		if err := lines.Err(); err != nil && ctx.Err() == nil {
			w.fail(err)
		}
	}()
	return w, nil
}

// get makes a signed request of a reader. The answer is a good one; whoever asked closes it.
func (s *Scenario) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.host.APIURL+"/v1/"+path, nil)
	if err != nil {
		return nil, err
	}
	empty := sha256.Sum256(nil)
	if err := v4.NewSigner().SignHTTP(ctx, s.host.Principals[host.Reader], request, hex.EncodeToString(empty[:]), "execute-api", s.host.Template.Region, time.Now()); err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("asking for %s: status %s", path, response.Status), response.Body.Close())
	}
	return response, nil
}

// ask makes one poll of tasks.
func (s *Scenario) ask(ctx context.Context, path string) (answer client.TaskPoll, err error) {
	response, err := s.get(ctx, "poll/"+path)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	err = json.NewDecoder(response.Body).Decode(&answer)
	return answer, err
}

func (w *watch) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = err
}

func (w *watch) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// seen counts the events of a type so far that are as wanted.
func (w *watch) seen(kind client.WatchEventType, wanted func(client.TaskWatchEvent) bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, event := range w.events {
		if event.Type == kind && (wanted == nil || wanted(event)) {
			n++
		}
	}
	return n
}

func (w *watch) close() {
	w.cancel()
	<-w.done
}
