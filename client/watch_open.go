package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// open asks for an answer. A stream that begins with a snapshot and is cut off before its bookmark has no position, so
// that the next one begins with a snapshot again; polls go on with their token.
func (w *watching[E]) open(ctx context.Context) (body io.ReadCloser, wait time.Duration, err error) {
	kind, mode := "application/x-ndjson", "stream"
	if w.options.LongPoll {
		kind, mode = "application/json", "poll"
	}
	request, err := w.client.request(ctx, call{
		method: http.MethodGet, path: []string{mode, w.things}, query: w.query(), accept: kind + ", application/problem+json",
	}, nil)
	if err != nil {
		return nil, 0, err
	}
	// The client's time limit is for answers that are not waited for; this one has its own.
	unlimited := *w.client.http
	unlimited.Timeout = 0
	response, err := unlimited.Do(request)
	if err != nil {
		return nil, 0, err
	}
	if response.StatusCode == http.StatusOK && mediaType(response) == kind {
		return response.Body, 0, nil
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return nil, 0, fmt.Errorf("reading the answer: %w", err)
	}
	if response.StatusCode/100 == 2 || isForeign(response, answer) {
		return nil, 0, foreign(response, answer)
	}
	return nil, retryAfter(response.Header), errorOf(response, answer)
}

// query is the filter and where the answer goes on.
func (w *watching[E]) query() url.Values {
	values := maps.Clone(w.filter)
	switch {
	case w.token != "":
		values.Set("nextToken", w.token)
	case w.position != "":
		values.Set("entityVersion", w.position)
	case w.options.NoSnapshot:
		values.Set("snapshot", "false")
	}
	if w.options.TimeoutSeconds != 0 && !w.options.LongPoll {
		values.Set("timeoutSeconds", strconv.Itoa(w.options.TimeoutSeconds))
	}
	return values
}
