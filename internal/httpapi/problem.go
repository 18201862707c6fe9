package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

func init() {
	// huma builds every error of its own, such as of a body that does not fit its schema, through this variable. It has
	// no other way to be told that a request that is not valid is a 400 here, as in Blox v0.3.0, and not a 422.
	huma.NewError = newProblem
	// A field whose name differs in case is a field that nobody knows.
	huma.ValidateStrictCasing = true
}

// maxEchoedLength bounds what an error repeats of a request.
const maxEchoedLength = 300

// newProblem makes a problem document that says in its detail everything that is wrong.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	problem := &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: message}
	if status >= http.StatusInternalServerError {
		return problem // what went wrong inside is for the log
	}
	for _, err := range errs {
		if err != nil {
			problem.Add(err)
		}
	}
	slices.SortStableFunc(problem.Errors, func(a, b *huma.ErrorDetail) int { return strings.Compare(a.Location, b.Location) })
	texts := make([]string, 0, len(problem.Errors))
	for i, e := range problem.Errors {
		kept := *e
		if tooLong(kept.Value) {
			kept.Value = nil
		}
		problem.Errors[i] = &kept
		texts = append(texts, strings.TrimPrefix(kept.Location+": ", ": ")+kept.Message)
	}
	if len(texts) > 0 {
		problem.Detail = strings.Join(texts, "; ")
	}
	return problem
}

func tooLong(value any) bool {
	switch value := value.(type) {
	case string:
		return len(value) > maxEchoedLength
	case nil, bool, float64, int:
		return false
	default:
		return true // objects and lists are the request's own text once more
	}
}

func badRequest(errs ...error) error {
	return huma.NewError(http.StatusBadRequest, "the request is not valid", errs...)
}

// wrong is one mistake in a request, and where it is: "query.limit".
func wrong(location string, value any, format string, args ...any) error {
	return &huma.ErrorDetail{Location: location, Message: fmt.Sprintf(format, args...), Value: value}
}

func notFound(format string, args ...any) error {
	return huma.NewError(http.StatusNotFound, fmt.Sprintf(format, args...))
}

func conflicted(format string, args ...any) error {
	return huma.NewError(http.StatusConflict, fmt.Sprintf(format, args...))
}

// isProblem says whether the error is meant for the one who asked.
func isProblem(err error) bool {
	var problem huma.StatusError
	return errors.As(err, &problem)
}

func isNotFound(err error) bool {
	var problem huma.StatusError
	return errors.As(err, &problem) && problem.GetStatus() == http.StatusNotFound
}

// internal hides an error that is ours from the one who asked, and logs it with the request's id.
func (s *server) internal(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return huma.NewError(http.StatusServiceUnavailable, "the request took too long or was given up")
	}
	s.Logger.ErrorContext(ctx, "request failed", "error", err, "requestId", requestIDOf(ctx))
	return huma.NewError(http.StatusInternalServerError, serverFault)
}

const serverFault = "something went wrong in Blox itself; the log has it under this request's X-Request-Id"

// writeProblem writes a problem document where huma is not in charge.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	// The client is gone if this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(newProblem(status, detail))
}
