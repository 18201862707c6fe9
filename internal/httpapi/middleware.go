package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"runtime/debug"
	"strings"
)

// RequestIDHeader carries the request's id, both ways.
const RequestIDHeader = "X-Request-Id"

type requestIDKey struct{}

func requestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// acceptedRequestID keeps out of logs and headers what does not belong there.
var acceptedRequestID = regexp.MustCompile(`^[A-Za-z0-9._=-]{1,128}$`)

// observed gives every request an id, the caller's own if it sent one, and logs it when it is answered.
func (s *server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		id := r.Header.Get(RequestIDHeader)
		if !acceptedRequestID.MatchString(id) {
			id = s.NewID()
		}
		w.Header().Set(RequestIDHeader, id)
		recorder := &statusRecorder{ResponseWriter: w}
		ctx := context.WithValue(r.Context(), requestIDKey{}, id)
		next.ServeHTTP(recorder, r.WithContext(ctx))
		s.Logger.InfoContext(ctx, "request", "method", r.Method, "path", r.URL.Path, "query", r.URL.RawQuery,
			"status", recorder.statusOrOK(), "bytes", recorder.bytes,
			"durationMillis", s.Now().Sub(began).Milliseconds(), "requestId", id, "caller", callerOf(ctx))
	})
}

// recovered answers 500 where a handler crashed.
func (s *server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.answerCrash(w, r)
		next.ServeHTTP(w, r)
	})
}

// answerCrash is to be deferred: it ends a panic.
func (s *server) answerCrash(w http.ResponseWriter, r *http.Request) {
	crash := recover()
	if crash == nil {
		return
	}
	s.Logger.ErrorContext(r.Context(), "request crashed", "panic", fmt.Sprint(crash),
		"stack", string(debug.Stack()), "requestId", requestIDOf(r.Context()))
	// Half an answer cannot be taken back.
	if recorder, ok := w.(*statusRecorder); !ok || recorder.status == 0 {
		writeProblem(w, http.StatusInternalServerError, serverFault)
	}
}

// routed answers unknown paths and methods with problem documents; the mux alone would answer in plain text.
func (s *server) routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would redirect, which no client of an API expects, and behind a prefix it would redirect astray.
		if clean := path.Clean(r.URL.Path); clean != r.URL.Path && clean+"/" != r.URL.Path {
			writeProblem(w, http.StatusNotFound, fmt.Sprintf("there is no path %s: allowed are paths without empty parts, . and ..", shorten(r.URL.Path)))
			return
		}
		fallback, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &headerRecorder{header: http.Header{}}
		fallback.ServeHTTP(probe, r)
		if probe.status == http.StatusMethodNotAllowed {
			allowed := probe.header.Get("Allow")
			w.Header().Set("Allow", allowed)
			writeProblem(w, http.StatusMethodNotAllowed,
				fmt.Sprintf("%s is not possible for %s: allowed are %s", r.Method, shorten(r.URL.Path), allowed))
			return
		}
		writeProblem(w, http.StatusNotFound, fmt.Sprintf("there is no path %s: GET /v1/openapi.yaml lists those there are", shorten(r.URL.Path)))
	})
}

func shorten(s string) string {
	if len(s) <= maxEchoedLength {
		return s
	}
	return strings.ToValidUTF8(s[:maxEchoedLength], "") + "..."
}

// statusRecorder remembers what was answered.
type statusRecorder struct {
	http.ResponseWriter
	status, bytes int
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(p []byte) (int, error) {
	r.status = r.statusOrOK()
	n, err := r.ResponseWriter.Write(p)
	r.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection, for deadlines.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *statusRecorder) statusOrOK() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// headerRecorder takes an answer's status and headers and drops the body.
type headerRecorder struct {
	header http.Header
	status int
}

func (r *headerRecorder) Header() http.Header         { return r.header }
func (r *headerRecorder) WriteHeader(status int)      { r.status = status }
func (r *headerRecorder) Write(p []byte) (int, error) { return len(p), nil }
