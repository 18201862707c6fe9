package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// StreamOptions are what every stream takes beside its filters.
type StreamOptions struct {
	EntityVersion  string `query:"entityVersion" maxLength:"128" doc:"Go on from here: the entityVersion of a list, or of the last line of a stream that had one. Without it the stream begins with a snapshot."`
	Snapshot       bool   `query:"snapshot" default:"true" doc:"false leaves the snapshot out: only changes from now on."`
	TimeoutSeconds int    `query:"timeoutSeconds" minimum:"1" maximum:"300" default:"60" doc:"How long the stream lasts. It ends with a line END, whose entityVersion is where to go on. On AWS, who goes away early holds a place among those that may watch at once until then; a snapshot must be complete by then."`
	LastEventID    string `header:"Last-Event-ID" maxLength:"128" doc:"What readers of server-sent events send when they connect again; counts instead of entityVersion."`
	Accept         string `header:"Accept" maxLength:"1024" hidden:"true"` // OpenAPI has it in the types of the answer
}

// Resolve decides where the stream begins, and checks that place.
func (in *StreamOptions) Resolve(huma.Context) []error {
	location := "query.entityVersion"
	if in.LastEventID != "" {
		in.EntityVersion, location = in.LastEventID, "header.Last-Event-ID"
	}
	if in.EntityVersion == "" {
		return nil
	}
	in.Snapshot = false
	if _, err := table.ParseFeedPosition(in.EntityVersion); err != nil {
		return []error{wrong(location, shorten(in.EntityVersion), "%s", err)}
	}
	return nil
}

type streamTasksInput struct {
	TaskFilters
	StreamOptions
}

type streamInstancesInput struct {
	InstanceFilters
	StreamOptions
}

func (s *server) streamTasks(ctx context.Context, in *streamTasksInput) (*huma.StreamResponse, error) {
	filter := in.filter()
	return s.stream(ctx, in.Cluster, in.StreamOptions, smallerTasks, func(cluster state.ClusterKey) watch.Selection {
		filter.Cluster = cluster
		return watch.Tasks(filter)
	})
}

func (s *server) streamInstances(ctx context.Context, in *streamInstancesInput) (*huma.StreamResponse, error) {
	filter := in.filter()
	return s.stream(ctx, in.Cluster, in.StreamOptions, smallerInstances, func(cluster state.ClusterKey) watch.Selection {
		filter.Cluster = cluster
		return watch.Instances(filter)
	})
}

// What makes a snapshot smaller. It is read by no index that lags, and so reads all that the cluster, statuses and times
// leave, whatever else is filtered by; lists that read less give no position to watch from.
const (
	smallerTasks = "watch one cluster only, add desiredStatus=RUNNING, which leaves out what has stopped and is still shown, " +
		"or a narrower filter, raise timeoutSeconds, or poll /v1/poll/tasks, which tells a snapshot in parts"
	smallerInstances = "watch one cluster only, add status=ACTIVE or a narrower filter, raise timeoutSeconds, " +
		"or poll /v1/poll/instances, which tells a snapshot in parts"
)

// maxStreamBytes is below the 200 MB that a Lambda function may stream in one answer, by more than what is told at once.
const maxStreamBytes = 190_000_000

// lastWords is how long before its request's deadline a stream ends, so that its last line gets out.
const lastWords = 2 * time.Second

// stream opens a stream, as long as an error can still be an answer, and then tells it as the answer's body.
func (s *server) stream(
	ctx context.Context, cluster string, in StreamOptions, smaller string, selection func(state.ClusterKey) watch.Selection,
) (*huma.StreamResponse, error) {
	if !s.streaming {
		return nil, huma.NewError(http.StatusMisdirectedRequest, "this function does not answer streams: "+
			"poll /v1/poll/tasks or /v1/poll/instances instead, or route paths below /v1/stream/ to the stream function, which is the "+
			"same program with BLOX_HANDLER=stream")
	}
	key, err := s.streamCluster(ctx, cluster)
	if err != nil {
		return nil, err
	}
	var written int64
	request := watch.Request{
		Selection: selection(key), Snapshot: in.Snapshot,
		Until: s.until(ctx, time.Duration(in.TimeoutSeconds)*time.Second),
		Full:  func() bool { return written >= s.StreamBytes },
	}
	if in.EntityVersion != "" {
		from, err := table.ParseFeedPosition(in.EntityVersion)
		if err != nil {
			return nil, badRequest(wrong("query.entityVersion", shorten(in.EntityVersion), "%s", err))
		}
		request.From = &from
	}
	watcher := &watch.Watcher{State: s.State, Feed: s.Feed, Now: s.Now, Wait: wait}
	stream, err := watcher.Open(ctx, request)
	if err != nil {
		return nil, streamError(err, smaller)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) { //nolint:contextcheck // huma's holds the request's
		s.tell(ctx, stream, formOf(in.Accept), smaller, &written)
	}}, nil
}

// streamCluster is the cluster that is watched, zero for all.
func (s *server) streamCluster(ctx context.Context, given string) (state.ClusterKey, error) {
	if given == "" {
		return state.ClusterKey{}, nil
	}
	return s.watchedCluster(ctx, given)
}

// streamError tells the reader what it can do about an error; others are ours. smaller says what makes a snapshot smaller.
func streamError(err error, smaller string) error {
	switch {
	case errors.Is(err, table.ErrExpired):
		return huma.NewError(http.StatusGone, "this position is not in the feed any more, which goes back 48 hours: "+
			"list again, or watch without entityVersion to get a snapshot first")
	case errors.Is(err, watch.ErrSnapshotTooLarge):
		return huma.NewError(http.StatusRequestEntityTooLarge, "the snapshot does not fit into one answer, by its time or by its size: "+smaller)
	default:
		return err
	}
}

// errReader marks that the reader is gone.
var errReader = errors.New("writing to the reader")

// tell writes a stream's lines, and counts their bytes in written.
func (s *server) tell(ctx huma.Context, stream *watch.Stream, form form, smaller string, written *int64) {
	ctx.SetHeader("Content-Type", form.contentType)
	// Proxies that buffer would keep lines until there are many.
	ctx.SetHeader("Cache-Control", "no-store")
	ctx.SetHeader("X-Accel-Buffering", "no")
	ctx.SetStatus(http.StatusOK)
	out := ctx.BodyWriter()
	err := stream.Run(ctx.Context(), func(lines []watch.Line) error {
		var text bytes.Buffer
		for _, line := range lines {
			event, err := eventOf(line)
			if err == nil {
				err = form.write(&text, line.Type, line.Position, event)
			}
			if err != nil {
				return err
			}
		}
		*written += int64(text.Len())
		return flushed(out, text.Bytes())
	})
	if err == nil || errors.Is(err, errReader) || ctx.Context().Err() != nil {
		return
	}
	if problem := streamError(err, smaller); isProblem(problem) {
		err = problem
	} else {
		err = s.internal(ctx.Context(), err)
	}
	var last bytes.Buffer
	if err := form.write(&last, watch.Type(client.WatchError), "", errorEvent(err)); err == nil {
		// It is the last line; if the reader is gone there is nobody to tell.
		_ = flushed(out, last.Bytes())
	}
}

// flushed writes all of a text on its way.
func flushed(out io.Writer, text []byte) error {
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("%w: %w", errReader, err)
	}
	if w, ok := out.(http.ResponseWriter); ok {
		if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return fmt.Errorf("%w: %w", errReader, err)
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
