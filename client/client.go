package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say where the API is and how it is called.
type Options struct {
	// Endpoint is the API's address without /v1, such as http://127.0.0.1:8080 or
	// https://ID.execute-api.REGION.amazonaws.com/STAGE.
	Endpoint string
	// Signer signs requests for an API behind AWS_IAM; nil sends them unsigned.
	Signer Signer
	// HTTPClient makes the calls; nil is one that gives up a call after 30 seconds.
	HTTPClient *http.Client
	// UserAgent is put before the client's own.
	UserAgent string
}

const (
	callTimeout = 30 * time.Second
	// maxAttempts bounds the tries of one call, firstPause and maxPause the time between two.
	maxAttempts = 4
	firstPause  = 200 * time.Millisecond
	maxPause    = 5 * time.Second
	// maxAnswerBytes is more than a Lambda function can answer.
	maxAnswerBytes = 16 << 20
	userAgent      = "blox-go-client"
)

// Client calls the Blox API. It may be used by several goroutines at once.
type Client struct {
	base      string
	signer    Signer
	http      *http.Client
	userAgent string
	// pause waits between two tries, jitter draws from [0, 1).
	pause  func(ctx context.Context, d time.Duration) error
	jitter func() float64
}

// New makes a Client. The error says what is wrong with the endpoint.
func New(options Options) (*Client, error) {
	endpoint, err := url.Parse(options.Endpoint)
	if err != nil || (endpoint.Scheme != "http" && endpoint.Scheme != "https") || endpoint.Host == "" {
		return nil, fmt.Errorf("invalid endpoint %q: allowed is http://HOST[:PORT][/PATH] or https://…", options.Endpoint)
	}
	if endpoint.RawQuery != "" || endpoint.Fragment != "" || endpoint.User != nil {
		return nil, fmt.Errorf("invalid endpoint %q: a user, a query or a fragment is not allowed", endpoint.Redacted())
	}
	base := strings.TrimSuffix(strings.TrimSuffix(options.Endpoint, "/"), "/v1")
	c := &Client{
		base: base, signer: options.Signer, http: options.HTTPClient,
		userAgent: strings.TrimSpace(options.UserAgent + " " + userAgent),
		pause:     pause, jitter: rand.Float64,
	}
	if c.http == nil {
		c.http = &http.Client{Timeout: callTimeout}
	}
	return c, nil
}

// Endpoint is the address that the client calls, without /v1.
func (c *Client) Endpoint() string { return c.base }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// call is one request of the API.
type call struct {
	method string
	// path are the parts after /v1, unescaped.
	path  []string
	query url.Values
	body  any // nil for none
	// accept is what answers are asked for; empty is JSON.
	accept string
	// once forbids a second try: the API could have done the first one's work without our knowing.
	once bool
}

// do makes a call and decodes its answer into out, unless that is nil.
func (c *Client) do(ctx context.Context, call call, out any) error {
	doing := call.method + " /v1/" + strings.Join(call.path, "/")
	var body []byte
	if call.body != nil {
		var err error
		if body, err = json.Marshal(call.body); err != nil {
			return fmt.Errorf("%s: encoding the request: %w", doing, err)
		}
	}
	for attempt := 1; ; attempt++ {
		answer, wait, err := c.try(ctx, call, body)
		if err == nil {
			if out == nil {
				return nil
			}
			if err := json.Unmarshal(answer, out); err != nil {
				return fmt.Errorf("%s: decoding the answer: %w", doing, err)
			}
			return nil
		}
		if attempt == maxAttempts || call.once || !passes(ctx, err) {
			return fmt.Errorf("%s: %w", doing, err)
		}
		if err := c.pause(ctx, max(wait, c.backoff(attempt))); err != nil {
			return fmt.Errorf("%s: waiting for another try: %w", doing, err)
		}
	}
}

// backoff draws a pause that on average doubles with each attempt.
func (c *Client) backoff(attempt int) time.Duration {
	most := min(firstPause<<attempt, maxPause)
	return time.Duration(float64(most) * (0.5 + 0.5*c.jitter()))
}

// passes says whether a fault may be gone at the next try.
func passes(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var answered *Error
	if !errors.As(err, &answered) {
		var unmade *requestError
		var other *ForeignError
		return !errors.As(err, &unmade) && !errors.As(err, &other) // not reached, or cut off
	}
	switch answered.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// try sends a request once. wait is how long the API asked to be left alone.
func (c *Client) try(ctx context.Context, call call, body []byte) (answer []byte, wait time.Duration, err error) {
	request, err := c.request(ctx, call, body)
	if err != nil {
		return nil, 0, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	if err != nil {
		return nil, 0, fmt.Errorf("reading the answer: %w", err)
	}
	if len(answer) > maxAnswerBytes {
		return nil, 0, fmt.Errorf("the answer has more than %d bytes", maxAnswerBytes)
	}
	if isForeign(response, answer) {
		return nil, 0, foreign(response, answer)
	}
	if response.StatusCode/100 != 2 {
		return nil, retryAfter(response.Header), errorOf(response, answer)
	}
	return answer, 0, nil
}

func (c *Client) request(ctx context.Context, call call, body []byte) (*http.Request, error) {
	address := c.base + "/v1"
	for _, part := range call.path {
		address += "/" + url.PathEscape(part)
	}
	if len(call.query) > 0 {
		address += "?" + call.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, call.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, &requestError{err}
	}
	request.Header.Set("Accept", cmp.Or(call.accept, "application/json, application/problem+json"))
	request.Header.Set("User-Agent", c.userAgent)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.signer != nil {
		if err := c.signer.Sign(ctx, request, body); err != nil {
			return nil, &requestError{fmt.Errorf("signing the request: %w", err)}
		}
	}
	return request, nil
}

// requestError is a fault in making the request: another try makes the same one.
type requestError struct{ err error }

func (e *requestError) Error() string { return e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }
