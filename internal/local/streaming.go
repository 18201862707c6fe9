package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// streamPaths begin the paths whose integrations stream.
const streamPaths = "/v1/stream/"

// streamFunction is the Lambda function behind the streaming integrations.
type streamFunction struct {
	timeout time.Duration
	handle  func(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error)
	// ending ends when the gateway is to stop: streams would hold it up for minutes.
	ending context.Context
}

// writeLimit is how long one write to a reader may take.
const writeLimit = time.Minute

// stream answers a request by the stream function, each part of the answer as it comes.
func (g *gateway) stream(w http.ResponseWriter, r *http.Request, request events.APIGatewayProxyRequest) {
	ctx, cancel := context.WithTimeout(r.Context(), g.streams.timeout)
	defer cancel()
	defer context.AfterFunc(g.streams.ending, cancel)() //nolint:contextcheck // ends the request beside its own context
	answer, err := g.streams.invoke(ctx, request)
	if err != nil {
		g.log.Error("an API request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		gatewayError(w, http.StatusBadGateway, "Internal server error")
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	for _, name := range slices.Sorted(maps.Keys(answer.MultiValueHeaders)) {
		w.Header()[http.CanonicalHeaderKey(name)] = answer.MultiValueHeaders[name]
	}
	w.WriteHeader(answer.StatusCode)
	// Ends a read of a function that has nothing to say when nobody listens any more.
	defer context.AfterFunc(ctx, func() { _ = answer.Close() })()
	err = errors.Join(copyFlushed(w, answer.Body), answer.Close())
	if err != nil && ctx.Err() == nil {
		g.log.Warn("a stream was cut off", "path", r.URL.Path, "error", err)
	}
}

// invoke calls the function with the request as JSON.
func (f *streamFunction) invoke(ctx context.Context, request events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
	payload, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	var received events.APIGatewayProxyRequest
	if err := json.Unmarshal(payload, &received); err != nil {
		return nil, fmt.Errorf("decoding the request: %w", err)
	}
	return f.handle(ctx, received)
}

// copyFlushed passes on what there is at once, the headers first.
func copyFlushed(w http.ResponseWriter, from io.Reader) error {
	control := http.NewResponseController(w)
	if err := control.Flush(); err != nil {
		return err
	}
	part := make([]byte, 64<<10)
	for {
		n, err := from.Read(part)
		if n > 0 {
			// Not every ResponseWriter has deadlines; those of servers do.
			_ = control.SetWriteDeadline(time.Now().Add(writeLimit))
			if _, err := w.Write(part[:n]); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// isStream says whether a stream answers the request.
func isStream(path string) bool { return strings.HasPrefix(path, streamPaths) }
