package ecssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const targetPrefix = "AmazonEC2ContainerServiceV20141113."

// MaxBodyBytes is the largest request ECS's front end takes.
const MaxBodyBytes = 1 << 20

// apiError is an error answer of ECS: {"__type": …, "message": …} and, for ConflictException, resourceIds.
type apiError struct {
	Type        string   `json:"__type"`
	Message     string   `json:"message"`
	ResourceIDs []string `json:"resourceIds,omitempty"`
	status      int
}

func (e *apiError) Error() string { return e.Type + ": " + e.Message }

func invalid(format string, args ...any) error {
	return &apiError{Type: "InvalidParameterException", Message: fmt.Sprintf(format, args...)}
}

func clientError(format string, args ...any) error {
	return &apiError{Type: "ClientException", Message: fmt.Sprintf(format, args...)}
}

func serverError(message string) error {
	return &apiError{Type: "ServerException", Message: message, status: http.StatusInternalServerError}
}

// operation is one action of the API.
type operation struct {
	category category
	run      func(s *Simulator, body []byte) (any, error)
}

// typed makes an operation of a handler with a typed request.
func typed[In any, Out any](c category, handle func(*Simulator, *In) (Out, error)) operation {
	return operation{category: c, run: func(s *Simulator, body []byte) (any, error) {
		in := new(In)
		if err := decode(body, in); err != nil {
			return nil, err
		}
		return handle(s, in)
	}}
}

// decode reads a request. Unknown members are ignored, as AWS's JSON protocols ask, so that newer SDKs keep working.
func decode(body []byte, in any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	err := json.Unmarshal(body, in)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return &apiError{Type: "SerializationException", Message: fmt.Sprintf("%s: a JSON %s cannot be read as %s", wrongType.Field, wrongType.Value, wrongType.Type)}
	case err != nil:
		return &apiError{Type: "SerializationException", Message: "the request body is not a JSON object: " + err.Error()}
	}
	return nil
}

// Handle answers one API call: target is the X-Amz-Target header, body the request's JSON. Status 0 means that no answer
// reaches the caller although the work may be done (see Faults.SetAnswers).
func (s *Simulator) Handle(now time.Time, target string, body []byte) (status int, respBody []byte) {
	s.runDue(now)
	out, err := s.call(target, body)
	if errors.Is(err, errNoAnswer) {
		return 0, nil
	}
	if err != nil {
		return encodeError(err)
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return encodeError(serverError("encoding the answer: " + err.Error()))
	}
	return http.StatusOK, encoded
}

var errNoAnswer = errors.New("no answer")

func (s *Simulator) call(target string, body []byte) (any, error) {
	action, found := strings.CutPrefix(target, targetPrefix)
	op, known := operations[action]
	if !found || !known {
		return nil, unknownAction(target)
	}
	if len(body) > MaxBodyBytes {
		return nil, invalid("the request has %d bytes, at most %d are allowed", len(body), MaxBodyBytes)
	}
	if err := s.admit(action, op.category); err != nil {
		return nil, err
	}
	if s.faults.hits(s.faults.lost.Refused, action, s.chance) {
		return nil, serverError("Service Unavailable. Please try again later.")
	}
	out, err := op.run(s, body)
	if err == nil && s.faults.hits(s.faults.lost.Lost, action, s.chance) {
		if s.chance.Float64() < 0.5 {
			return nil, errNoAnswer
		}
		return nil, serverError("Service Unavailable. Please try again later.")
	}
	return out, err
}

func unknownAction(target string) error {
	allowed := slices.Sorted(maps.Keys(operations))
	return &apiError{Type: "UnknownOperationException", Message: fmt.Sprintf(
		"X-Amz-Target %q is not simulated; expected %sACTION with ACTION one of %s", target, targetPrefix, strings.Join(allowed, ", "))}
}

func encodeError(err error) (int, []byte) {
	var api *apiError
	if !errors.As(err, &api) {
		api = &apiError{Type: "ServerException", Message: err.Error(), status: http.StatusInternalServerError}
	}
	status := api.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	body, err := json.Marshal(api)
	if err != nil {
		panic("ecssim: an error cannot be encoded: " + err.Error()) // strings only
	}
	return status, body
}

// stamp is a time on the wire: epoch seconds with a fraction in API answers, ISO 8601 in events.
type stamp struct {
	at   time.Time
	mode mode
}

// mode says whom a document is for. Events and API answers share their fields but for times, updatedAt, and the names of
// attachment types.
type mode bool

const (
	forEvent mode = true
	forAPI   mode = false
)

func (m mode) stamp(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	return &stamp{at: t, mode: m}
}

// MarshalJSON implements json.Marshaler.
func (s *stamp) MarshalJSON() ([]byte, error) {
	if s.mode == forEvent {
		return []byte(`"` + s.at.Format("2006-01-02T15:04:05.999Z") + `"`), nil
	}
	ms := s.at.UnixMilli()
	return fmt.Appendf(nil, "%d.%03d", ms/1000, ms%1000), nil
}
