package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// invocation is one call on its way through a process.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	answer   chan *Stream // of capacity one, as is failed
	failed   chan error
}

const (
	apiVersion     = "/2018-06-01"
	maxAnswerBytes = 200 << 20 // of a streamed answer; a buffered one may have 6 MB
	maxErrorBytes  = 1 << 18
	streamingMode  = "streaming"
	// httpIntegration is the content type of an answer with a prelude: status and headers, eight NUL bytes, the body.
	httpIntegration = "application/vnd.awslambda.http-integration-response"
)

// routes is the Runtime API of one process.
func (p *process) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiVersion+"/runtime/invocation/next", p.next)
	mux.HandleFunc("POST "+apiVersion+"/runtime/invocation/{id}/response", p.response)
	mux.HandleFunc("POST "+apiVersion+"/runtime/invocation/{id}/error", p.invocationError)
	mux.HandleFunc("POST "+apiVersion+"/runtime/init/error", p.initError)
	return mux
}

// next blocks until there is an invocation.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.began.isReady()
	var call *invocation
	select {
	case call = <-p.calls:
	case <-r.Context().Done():
		return
	}
	p.mu.Lock()
	p.current, p.took = call, true
	p.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", call.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", p.spec.ARN)
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
	_, _ = w.Write(call.payload) // a process that has gone is noticed by its exit
}

// take gives the invocation that an answer is for, once.
func (p *process) take(w http.ResponseWriter, r *http.Request) *invocation {
	p.mu.Lock()
	call := p.current
	if call != nil && call.id == r.PathValue("id") {
		p.current = nil
	} else {
		call = nil
	}
	p.mu.Unlock()
	if call == nil {
		writeStatus(w, http.StatusBadRequest, "InvalidRequestID")
	}
	return call
}

func (p *process) response(w http.ResponseWriter, r *http.Request) {
	call := p.take(w, r)
	if call == nil {
		return
	}
	contentType := r.Header.Get("Content-Type")
	// The header is what the Runtime API documents, the content type all that Go's runtime client sends.
	streaming := r.Header.Get("Lambda-Runtime-Function-Response-Mode") == streamingMode || contentType == httpIntegration
	stream := newStream(streaming, contentType)
	timer := time.AfterFunc(time.Until(call.deadline), func() {
		stream.fail(&FunctionError{Function: p.spec.Name, Type: "Sandbox.Timedout", Message: "the answer was not complete when the function's time was up"})
		go p.stop()
	})
	defer timer.Stop()
	call.answer <- stream
	err := stream.copy(http.MaxBytesReader(w, r.Body, maxAnswerBytes))
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		err = &FunctionError{Function: p.spec.Name, Type: kind, Message: trailerMessage(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))}
	}
	p.began.hasAnswered()
	writeStatus(w, http.StatusAccepted, "OK")
	stream.end(err)
}

// trailerMessage reads the error of an answer that failed in its middle: base64 of JSON.
func trailerMessage(text string) string {
	var posted struct{ ErrorMessage string }
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(decoded, &posted) != nil {
		return text
	}
	return posted.ErrorMessage
}

func (p *process) invocationError(w http.ResponseWriter, r *http.Request) {
	call := p.take(w, r)
	if call == nil {
		return
	}
	call.failed <- p.functionError(r)
	writeStatus(w, http.StatusAccepted, "OK")
}

func (p *process) initError(w http.ResponseWriter, r *http.Request) {
	err := p.functionError(r)
	p.mu.Lock()
	p.failure = err.Error()
	p.mu.Unlock()
	writeStatus(w, http.StatusAccepted, "OK")
}

func (p *process) functionError(r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxErrorBytes))
	var posted struct{ ErrorMessage, ErrorType string }
	if jsonErr := json.Unmarshal(body, &posted); err != nil || jsonErr != nil {
		return &FunctionError{Function: p.spec.Name, Type: "Runtime.Unknown", Message: errors.Join(err, jsonErr).Error()}
	}
	return &FunctionError{Function: p.spec.Name, Type: posted.ErrorType, Message: posted.ErrorMessage}
}

func writeStatus(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"status":"`+text+`"}`) // a process that has gone is noticed by its exit
}
