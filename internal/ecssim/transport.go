package ecssim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Transport gives an AWS SDK client the simulator in place of a network: set it as the client's HTTP client,
//
//	ecs.New(ecs.Options{HTTPClient: &http.Client{Transport: &ecssim.Transport{Sim: sim, Now: clock}}, …})
//
// It adds no goroutine and no delay; calls happen at Now(). The SDK's own retries wait in real time, so a simulation on
// virtual time should set aws.NopRetryer and let the code under test decide about retries.
type Transport struct {
	Sim *Simulator
	Now func() time.Time
	// Observe, if set, hears of each call after it: the action, and the HTTP status or 0 for an answer that was lost.
	Observe func(action string, status int)
}

// RoundTrip implements http.RoundTripper. A lost answer is a network error, as a client would see it.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(io.LimitReader(req.Body, MaxBodyBytes+1))
		closeErr := req.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("reading the request: %w", err)
		}
		if closeErr != nil {
			return nil, fmt.Errorf("closing the request: %w", closeErr)
		}
	}
	target := req.Header.Get("X-Amz-Target")
	status, answer := t.Sim.Handle(t.Now(), target, body)
	if t.Observe != nil {
		t.Observe(strings.TrimPrefix(target, targetPrefix), status)
	}
	if status == 0 {
		return nil, fmt.Errorf("ecssim: the answer was lost: %w", io.ErrUnexpectedEOF)
	}
	header := http.Header{"Content-Type": {contentType}, "X-Amzn-Requestid": {requestID(t.Sim)}}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)), Request: req,
	}, nil
}

const contentType = "application/x-amz-json-1.1"

// requestID is unique to a call and repeats with the run.
func requestID(s *Simulator) string {
	n := s.nextSeq()
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", s.cfg.Seed&0xffffffff, n)
}
