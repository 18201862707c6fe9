// Package functionlog is how Lambda functions log: JSON lines, each with the id of the request that it belongs to,
// by which CloudWatch finds the other lines of it and the platform's own report.
//
// The library's own logger (lambdacontext.NewLogger) writes JSON only where the function's log format says so.
package functionlog

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// RequestIDKey is the field of the request's id.
const RequestIDKey = "requestId"

// New returns a logger of JSON lines to out, which is standard output in Lambda.
func New(out io.Writer) *slog.Logger { return slog.New(handler{slog.NewJSONHandler(out, nil)}) }

// handler adds the request's id to the lines that are logged with the context of an invocation.
type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, line slog.Record) error {
	if invocation, ok := lambdacontext.FromContext(ctx); ok && invocation.AwsRequestID != "" {
		line = line.Clone()
		line.AddAttrs(slog.String(RequestIDKey, invocation.AwsRequestID))
	}
	return h.Handler.Handle(ctx, line)
}

func (h handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attributes)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
