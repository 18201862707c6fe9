package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is an answer of the API other than success: a problem document (RFC 9457).
type Error struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	// Detail says what was wrong and what is allowed.
	Detail string `json:"detail"`
	// Errors are the single mistakes, if there are several places to point at.
	Errors []Mistake `json:"errors"`
	// RequestID finds the request in the API's log.
	RequestID string `json:"-"`
	// Refusal is why the API's gateway refused the call, as far as it tells, and empty for an answer of any other kind.
	Refusal Refusal `json:"-"`
	// ClockSkew is how far the time of a refused call's signature is ahead of the API's clock; negative is behind.
	ClockSkew time.Duration `json:"-"`
}

// Mistake is one thing that is wrong in a request.
type Mistake struct {
	Message string `json:"message"`
	// Location is such as query.limit or body.name.
	Location string `json:"location"`
	Value    any    `json:"value"`
}

// Error is the detail, or else the title; of a refused call also what the refusal means.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if e.Status >= http.StatusInternalServerError && e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	if meaning := e.meaning(); meaning != "" {
		text = strings.TrimSuffix(text, ".") + ": " + meaning
	}
	return text
}

// ForeignError is an answer that no Blox API gives: the endpoint is something else, such as a web page.
type ForeignError struct {
	// URL is what was called, without the query.
	URL string
	// Status is such as "200 OK".
	Status string
	// Excerpt is the beginning of the answer's body.
	Excerpt string
}

func (e *ForeignError) Error() string {
	text := fmt.Sprintf("this is no Blox API: %s answered %s", e.URL, e.Status)
	if e.Excerpt != "" {
		text += fmt.Sprintf(" and %q, which is not JSON", e.Excerpt)
	}
	return text
}

// maxForeignLength bounds what an error repeats of an answer of something else.
const maxForeignLength = 60

func foreign(response *http.Response, body []byte) *ForeignError {
	address := *response.Request.URL
	address.RawQuery = ""
	text := strings.TrimSpace(strings.ToValidUTF8(string(body[:min(len(body), maxForeignLength)]), ""))
	return &ForeignError{URL: address.Redacted(), Status: response.Status, Excerpt: text}
}

// isForeign says whether no Blox API gave this answer. A gateway or proxy before the API may refuse a call, or be without
// the API for a while, in words of its own: that is left to its status.
func isForeign(response *http.Response, body []byte) bool {
	switch {
	case json.Valid(body):
		return false
	case response.StatusCode/100 == 2:
		return len(body) > 0
	case response.StatusCode/100 == 3:
		return true
	default:
		return response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusMethodNotAllowed ||
			response.StatusCode == http.StatusBadRequest
	}
}

// StatusOf is the HTTP status of an error that the API answered with, and 0 for any other.
func StatusOf(err error) int {
	var answered *Error
	if errors.As(err, &answered) {
		return answered.Status
	}
	return 0
}

// maxQuotedLength bounds what an error repeats of an answer that is no problem document.
const maxQuotedLength = 300

// mediaType is what an answer says it is, without parameters.
func mediaType(response *http.Response) string {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return kind
}

func errorOf(response *http.Response, body []byte) *Error {
	e := &Error{}
	if mediaType(response) != "application/problem+json" || json.Unmarshal(body, e) != nil {
		// API Gateway itself answers {"message": "…"}, as it does to a wrong signature.
		var gateway struct {
			Message string `json:"message"`
		}
		e.Detail = strings.ToValidUTF8(string(body[:min(len(body), maxQuotedLength)]), "")
		if json.Unmarshal(body, &gateway) == nil && gateway.Message != "" {
			e.Detail = gateway.Message
		}
	}
	e.Status = response.StatusCode
	if e.Title == "" {
		e.Title = http.StatusText(e.Status)
	}
	e.RequestID = response.Header.Get("X-Request-Id")
	if e.RequestID == "" {
		e.RequestID = response.Header.Get("X-Amzn-Requestid") // API Gateway's own answers
	}
	if e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized {
		e.refused(response)
	}
	return e
}

// retryAfter reads the header of that name, which may also be a date; a client of its own clock has no use for that.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 3600))*time.Second, 4*maxPause)
}
