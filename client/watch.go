package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// WatchOptions say where a watch begins.
type WatchOptions struct {
	// EntityVersion is the position to go on from: of a list's page, or of the last event that had one. Without it the
	// watch begins with a snapshot.
	EntityVersion string
	// NoSnapshot leaves the snapshot out: only what changes from now on.
	NoSnapshot bool
	// TimeoutSeconds is how long one streamed answer lasts, 1 to 300, before the watch goes on in another; 0 is the API's
	// default of 60. A snapshot must fit into one answer.
	TimeoutSeconds int
	// LongPoll asks for one answer after the other instead of a stream, as it suits proxies that keep an answer back until
	// it is over. An API that does not stream is polled in any case.
	LongPoll bool
	// ListAgain goes on with a new snapshot where the watch would end with ErrListAgain.
	ListAgain bool
	// GiveUpAfter ends a watch with the last error after so long without getting further; 0 tries until ctx ends.
	GiveUpAfter time.Duration
}

// ErrListAgain says that a watch cannot go on without a gap: its position is older than what the feed of changes keeps.
// List again, or watch anew without a position.
var ErrListAgain = errors.New("the watch cannot go on: list again")

const (
	// silenceLimit is how long a stream may be silent before it counts as cut off: it gives a sign of life every 15
	// seconds, and a slow first page is given time as well.
	silenceLimit = 50 * time.Second
	// maxLineBytes is more than any task: ECS's own answers for one are bounded by far less.
	maxLineBytes = 8 << 20
	// shortAnswer is how long an answer lasts at least that is followed by the next one at once: ends that come faster
	// would make a storm of requests.
	shortAnswer = time.Second
)

// WatchTasks tells what happens to the tasks that the filter picks, until ctx ends, which is no error. It goes on by
// itself when the connection or an answer ends; while it gets no further it tries again, ever less often. It gives up like
// other calls before the first event, and while it has no position: a snapshot is not begun again and again. A snapshot
// that is too large for one answer is an error of status 413.
//
// Keep what is UPDATED, drop what is DELETED, and at a BOOKMARK drop what was not told since the last SNAPSHOT. What has
// ended is dropped at its Metadata.VisibleUntil, of which nothing else tells. An event may come twice, versions may be left
// out. Remember the last EntityVersion to go on later; an error ends the watch. errors.Is(err, ErrListAgain): see there.
func (c *Client) WatchTasks(ctx context.Context, filter TaskFilter, options WatchOptions) iter.Seq2[TaskWatchEvent, error] {
	return watch(ctx, c, "tasks", query(PageOptions{}, filter.values()), options, func(e *TaskWatchEvent) *WatchEvent { return &e.WatchEvent })
}

// WatchInstances tells what happens to the container instances that the filter picks, as WatchTasks does of tasks.
func (c *Client) WatchInstances(ctx context.Context, filter InstanceFilter, options WatchOptions) iter.Seq2[InstanceWatchEvent, error] {
	return watch(ctx, c, "instances", query(PageOptions{}, filter.values()), options, func(e *InstanceWatchEvent) *WatchEvent { return &e.WatchEvent })
}

// watching is one watch over all its answers.
type watching[E any] struct {
	client  *Client
	things  string
	filter  url.Values
	options WatchOptions
	// position is where the next answer goes on; token, if there is one, goes on in the middle of what polls tell.
	position, token string
	tokens          int // followed one upon the other
	// dropped says that a token was refused since a poll was last told to its end.
	dropped bool
	common  func(*E) *WatchEvent
	yield   func(E, error) bool
	// heard says that there was an event. progress says that there was one in this answer that a repeating fault does not
	// bring: what an answer begins with comes each time.
	heard, progress bool
}

// errStopped says that whoever iterates wants no more.
var errStopped = errors.New("no more events are wanted")

func watch[E any](
	ctx context.Context, c *Client, things string, filter url.Values, options WatchOptions, common func(*E) *WatchEvent,
) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		w := &watching[E]{client: c, things: things, filter: filter, options: options, position: options.EntityVersion, common: common, yield: yield}
		err := w.run(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, errStopped) {
			var none E
			yield(none, fmt.Errorf("watching %s: %w", things, err))
		}
	}
}

// run reads one answer after the other.
func (w *watching[E]) run(ctx context.Context) error {
	// vain counts the answers that failed while the watch had not begun for good.
	vain, failures, since := 0, 0, time.Now()
	for {
		w.progress = false
		asked := time.Now()
		wait, err := w.answer(ctx)
		if w.progress || err == nil {
			failures, since = 0, time.Now()
		}
		if w.begun() {
			vain = 0
		}
		switch {
		case err == nil:
			if time.Since(asked) < shortAnswer && w.token == "" {
				if err := w.client.pause(ctx, shortAnswer); err != nil {
					return err
				}
			}
			continue
		case ctx.Err() != nil || errors.Is(err, errStopped):
			return err
		case StatusOf(err) == http.StatusMisdirectedRequest && !w.options.LongPoll:
			w.options.LongPoll = true
			continue
		case StatusOf(err) == http.StatusGone && w.options.ListAgain:
			w.options.NoSnapshot, w.position, w.token = false, "", ""
		case StatusOf(err) == http.StatusGone:
			return fmt.Errorf("%w: %w", ErrListAgain, err)
		case StatusOf(err) == http.StatusBadRequest && w.token != "" && !w.dropped:
			// A newer or older API may not know its tokens. From the position, or in a new snapshot, all of it is told again.
			w.token, w.tokens, w.dropped = "", 0, true
		case !w.mayPass(ctx, err):
			return err
		case !w.begun():
			if vain++; vain == maxAttempts {
				return err
			}
		}
		failures++
		pause := max(wait, w.client.backoff(min(failures, 10)))
		if limit := w.options.GiveUpAfter; limit > 0 && time.Since(since)+pause > limit {
			return fmt.Errorf("giving up after %s: %w", time.Since(since).Round(time.Millisecond), err)
		}
		if err := w.client.pause(ctx, pause); err != nil {
			return err
		}
	}
}

// begun says that the API was heard, and where to go on: a watch that is cut off then loses nothing, however often.
func (w *watching[E]) begun() bool { return w.heard && (w.position != "" || w.token != "") }

// mayPass is passes, and for a stream under way every fault of the API itself: its next answer comes from elsewhere.
func (w *watching[E]) mayPass(ctx context.Context, err error) bool {
	return passes(ctx, err) || w.heard && StatusOf(err) >= http.StatusInternalServerError
}

// answer reads one answer to its end; nil means that the next is to be asked for at once.
func (w *watching[E]) answer(ctx context.Context) (wait time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(silenceLimit, func() { cancel(fmt.Errorf("nothing was heard for %s", silenceLimit)) })
	defer silence.Stop()
	body, wait, err := w.open(ctx)
	if err != nil {
		return wait, causeOf(ctx, err)
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if w.options.LongPoll {
		err = w.readPoll(body, silence)
	} else {
		err = w.readStream(body, silence)
	}
	return 0, causeOf(ctx, err)
}

// readStream reads lines until one says that it is the last. The time of silence runs only while the API is to speak:
// whoever iterates may take its time.
func (w *watching[E]) readStream(body io.Reader, silence *time.Timer) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), maxLineBytes)
	for lines.Scan() {
		silence.Stop()
		ended, err := w.line(lines.Bytes())
		if ended || err != nil {
			return err
		}
		silence.Reset(silenceLimit)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the stream: %w", err)
	}
	return io.ErrUnexpectedEOF // an answer ends with a line that says so
}

// causeOf is why the context ended, where that is what is behind an error.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// line takes one line; ended says that it was the last.
func (w *watching[E]) line(text []byte) (ended bool, err error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return false, nil
	}
	var event E
	if err := json.Unmarshal(text, &event); err != nil {
		return false, fmt.Errorf("decoding a line: %w", err)
	}
	return w.take(event)
}

// take takes one event; ended says that it was the answer's last.
func (w *watching[E]) take(event E) (ended bool, err error) {
	common := w.common(&event)
	w.heard = true
	if common.EntityVersion != "" {
		w.progress = w.progress || common.EntityVersion != w.position
		w.position = common.EntityVersion
	}
	if common.Type == WatchEnd || common.Type == WatchHeartbeat {
		w.progress = true
	}
	switch common.Type {
	case WatchEnd:
		return true, nil
	case WatchError:
		problem := common.Error
		if problem == nil {
			problem = &WatchProblem{Status: http.StatusInternalServerError}
		}
		return true, &Error{Status: problem.Status, Title: problem.Title, Detail: problem.Detail}
	case WatchSnapshot, WatchUpdated, WatchDeleted, WatchBookmark, WatchHeartbeat:
		if !w.yield(event, nil) {
			return true, errStopped
		}
	}
	return false, nil // of a type that is unknown here
}
