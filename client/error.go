package client

import (
	"encoding/json"
	"errors"
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
}

// Mistake is one thing that is wrong in a request.
type Mistake struct {
	Message string `json:"message"`
	// Location is such as query.limit or body.name.
	Location string `json:"location"`
	Value    any    `json:"value"`
}

// Error is the detail, or else the title.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if e.Status >= http.StatusInternalServerError && e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
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

func errorOf(response *http.Response, body []byte) *Error {
	e := &Error{}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if kind != "application/problem+json" || json.Unmarshal(body, e) != nil {
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
