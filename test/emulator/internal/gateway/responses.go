package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/blox/blox/internal/sigv4"
	"github.com/blox/blox/test/emulator/internal/stack"
)

const requestTooLarge = "REQUEST_TOO_LARGE"

// Responses are the gateway responses: what API Gateway itself answers, by the occasion.
type Responses map[string]Response

// Response is one of them. Status 0 is API Gateway's own.
type Response struct {
	Status  int
	Headers map[string]string
	JSON    string // template of application/json
}

// standard are the statuses that API Gateway answers with where a response sets none.
var standard = map[string]int{
	requestTooLarge: http.StatusRequestEntityTooLarge, sigv4.ResponseMissingAuthenticationToken: http.StatusForbidden,
	sigv4.ResponseInvalidSignature: http.StatusForbidden, sigv4.ResponseExpiredToken: http.StatusForbidden, "ACCESS_DENIED": http.StatusForbidden,
	"THROTTLED": http.StatusTooManyRequests, "INTEGRATION_FAILURE": http.StatusGatewayTimeout, "INTEGRATION_TIMEOUT": http.StatusGatewayTimeout,
	"API_CONFIGURATION_ERROR": http.StatusInternalServerError, "DEFAULT_5XX": http.StatusInternalServerError, "DEFAULT_4XX": http.StatusForbidden,
}

// FromTemplate reads the gateway responses of the stack's template.
func FromTemplate(t *stack.Template) (Responses, error) {
	responses := Responses{}
	for _, r := range t.OfType("AWS::ApiGateway::GatewayResponse") {
		properties := struct {
			ResponseType, StatusCode string
			ResponseParameters       map[string]string
			ResponseTemplates        map[string]string
		}{}
		if err := t.Resolved(r, &properties); err != nil {
			return nil, err
		}
		response := Response{Headers: map[string]string{}, JSON: properties.ResponseTemplates["application/json"]}
		if properties.StatusCode != "" {
			status, err := strconv.Atoi(properties.StatusCode)
			if err != nil {
				return nil, fmt.Errorf("gateway response %s: the status %q is no number", r.LogicalID, properties.StatusCode)
			}
			response.Status = status
		}
		for name, value := range properties.ResponseParameters {
			if header, ok := strings.CutPrefix(name, "gatewayresponse.header."); ok {
				response.Headers[header] = strings.Trim(value, "'")
			}
		}
		responses[properties.ResponseType] = response
	}
	return responses, nil
}

// write answers for an occasion. errorType is what the header x-amzn-ErrorType says, if anything.
func (r Responses) write(w http.ResponseWriter, occasion, message, errorType, requestID string) {
	status := standard[occasion]
	fallback := "DEFAULT_4XX"
	if status >= http.StatusInternalServerError {
		fallback = "DEFAULT_5XX"
	}
	response, ok := r[occasion]
	if !ok {
		response, ok = r[fallback]
	}
	if !ok {
		response = Response{JSON: `{"message":$context.error.messageString}`}
	}
	if response.Status != 0 {
		status = response.Status
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	if errorType != "" {
		w.Header().Set(sigv4.ErrorTypeHeader, errorType)
	}
	w.WriteHeader(status)
	quoted, _ := json.Marshal(message) // a text always encodes
	_, _ = strings.NewReplacer(
		"$context.error.messageString", string(quoted), "$context.error.message", message, "$context.requestId", requestID,
		"$context.error.responseType", occasion,
	).WriteString(w, response.JSON) // the caller is gone: nobody is left to tell
}
