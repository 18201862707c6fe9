package sigv4

import (
	"encoding/json"
	"net/http"
)

// Exceptions of API Gateway, as its header x-amzn-ErrorType names them. Each is answered with status 403.
const (
	MissingAuthenticationToken = "MissingAuthenticationTokenException"
	IncompleteSignature        = "IncompleteSignatureException"
	InvalidSignature           = "InvalidSignatureException"
	UnrecognizedClient         = "UnrecognizedClientException"
	ExpiredToken               = "ExpiredTokenException"
	Forbidden                  = "ForbiddenException"
)

// Types of API Gateway's gateway responses, whose templates decide what a refusal looks like.
const (
	ResponseMissingAuthenticationToken = "MISSING_AUTHENTICATION_TOKEN"
	ResponseInvalidSignature           = "INVALID_SIGNATURE"
	ResponseExpiredToken               = "EXPIRED_TOKEN"
	ResponseDefault4XX                 = "DEFAULT_4XX"
)

// responses are the gateway responses of the exceptions. That of a key that is not known is not documented (verify).
var responses = map[string]string{
	MissingAuthenticationToken: ResponseMissingAuthenticationToken,
	IncompleteSignature:        ResponseInvalidSignature,
	InvalidSignature:           ResponseInvalidSignature,
	UnrecognizedClient:         ResponseDefault4XX,
	ExpiredToken:               ResponseExpiredToken,
	Forbidden:                  ResponseDefault4XX,
}

// Status is that of every refusal.
const Status = http.StatusForbidden

// ErrorTypeHeader names the exception in the answer.
const ErrorTypeHeader = "X-Amzn-Errortype"

// Error is why a request was refused; it may be shown to whoever sent it.
type Error struct {
	// Type is one of the exceptions.
	Type string
	// Detail is a sentence, API Gateway's own where that tells no secret.
	Detail string
}

// Error is the detail.
func (e *Error) Error() string { return e.Detail }

// ResponseType is the gateway response that the refusal becomes.
func (e *Error) ResponseType() string { return responses[e.Type] }

// problem is a problem document (RFC 9457), in the form that the deployed gateway responses have.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// WriteProblem answers with status 403 and a problem document.
func WriteProblem(w http.ResponseWriter, e *Error) {
	w.Header().Set(ErrorTypeHeader, e.Type)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(Status)
	// The client is gone if this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(problem{Type: "about:blank", Title: http.StatusText(Status), Status: Status, Detail: e.Detail})
}
