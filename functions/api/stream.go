package api

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/blox/blox/internal/httpapi"
)

// StreamHandler answers requests of API Gateway for streams: proxy integrations whose response transfer mode is STREAM.
type StreamHandler struct {
	api http.Handler
	core.RequestAccessor
}

// NewStream makes a StreamHandler. It does not need the Daemon, ECS and Wakeups of deps.
func NewStream(deps httpapi.Deps) *StreamHandler {
	return &StreamHandler{api: httpapi.NewStreams(deps)}
}

// closeBefore is how long before an invocation's deadline a stream is cut off. A stream ends by itself before that; this
// is for a reader who does not take what it is told.
const closeBefore = time.Second

// Handle answers one request: it returns when status and headers are known, and the body follows as it is read. The
// error is nil unless the event is none of API Gateway's.
//
// Lambda does not stop a function whose reader went away: it reads on and drops what it read, so that such a stream goes on,
// and counts among the function's concurrent executions, until its END. Other gateways may close the body. A body that is not
// read blocks the API's writes, so that nothing piles up.
func (h *StreamHandler) Handle(ctx context.Context, request events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
	var cancel context.CancelFunc
	if deadline, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-closeBefore))
	} else {
		ctx, cancel = context.WithCancel(ctx)
	}
	made, err := h.EventToRequestWithContext(ctx, prepared(request))
	if err != nil {
		cancel()
		return nil, err
	}
	reader, writer := io.Pipe()
	answer := &streamWriter{header: http.Header{}, body: writer, begun: make(chan struct{})}
	// Ends a write that nobody reads. The answer just ends, for an error would count as one of the function; that it lacks
	// its last line says enough.
	stop := context.AfterFunc(ctx, func() { _ = writer.Close() }) // never fails
	go func() {
		defer cancel()
		defer stop()
		h.api.ServeHTTP(answer, made)
		answer.WriteHeader(http.StatusOK) // of an answer without a body
		_ = writer.Close()                // never fails
	}()
	<-answer.begun
	return &events.APIGatewayProxyStreamingResponse{
		StatusCode: answer.status, MultiValueHeaders: answer.sent, Body: &streamBody{reader, cancel},
	}, nil
}

// streamBody ends the request when whoever reads the answer closes it.
type streamBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

// Close ends the request.
func (b *streamBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// streamWriter is the http.ResponseWriter of a stream.
type streamWriter struct {
	header, sent http.Header
	status       int
	body         *io.PipeWriter
	once         sync.Once
	begun        chan struct{} // closed when status and sent are set
}

func (w *streamWriter) Header() http.Header { return w.header }

func (w *streamWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

func (w *streamWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush does nothing: a write of a pipe returns when it was read.
func (w *streamWriter) Flush() {}
