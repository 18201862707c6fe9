package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/jsii-runtime-go"
)

// gatewayProblem is what API Gateway itself answers in place of a function, as a problem document of the same shape as
// the functions' (internal/httpapi/problem.go).
type gatewayProblem struct {
	responseType string // API Gateway's name for the occasion
	status       int    // 0 leaves API Gateway's own status, which a template cannot know
	detail       string
	// retryAfterSeconds, if not 0, is sent as Retry-After.
	retryAfterSeconds int
}

// What a template may insert. There is no VTL in a gateway response and so nothing that would escape a value.
const (
	// errorMessage is API Gateway's message; this variable brings its own quotes.
	errorMessage = "$context.error.messageString"
	// validationError lists what does not fit the model, as in [object has missing required properties (["x"])]. Whether
	// quotes in it come escaped is not documented; public templates have it in quotes, as here (verify).
	validationError = "$context.error.validationErrorString"
)

// gatewayProblems are the answers to all that API Gateway refuses or fails at. Nothing of a request that was not
// authenticated is repeated: the standard answer to a wrong signature holds the whole canonical request.
func gatewayProblems(watchers int) []gatewayProblem {
	const (
		tooOften = "more requests than this API takes: try again in a moment"
		fault    = "something went wrong between API Gateway and Blox; the API's access log has it under this request's x-amzn-RequestId"
	)
	return []gatewayProblem{
		{responseType: "BAD_REQUEST_BODY", status: http.StatusBadRequest, detail: "the body is not valid: " + validationError},
		{responseType: "BAD_REQUEST_PARAMETERS", status: http.StatusBadRequest, detail: errorMessage},
		{responseType: "UNSUPPORTED_MEDIA_TYPE", status: http.StatusUnsupportedMediaType, detail: "send the body with the header Content-Type: " + jsonType},
		{responseType: "REQUEST_TOO_LARGE", status: http.StatusRequestEntityTooLarge, detail: "the request is larger than API Gateway takes"},

		// API Gateway does not tell an unknown path from a request without a signature.
		{responseType: "MISSING_AUTHENTICATION_TOKEN", status: http.StatusForbidden, detail: "the request is not signed, or this path and method do not exist: " +
			"sign with SigV4 for the service execute-api, and compare the path with the API's OpenAPI document"},
		{responseType: "INVALID_SIGNATURE", status: http.StatusForbidden, detail: "the signature is not valid: compare secret key, region, host and path " +
			"with what was signed; the service is execute-api, and the clock may be off by five minutes at most"},
		{responseType: "EXPIRED_TOKEN", status: http.StatusForbidden, detail: "the credentials that signed this request have expired: get new ones"},
		// Tells authenticated callers who they are and which permission they lack on which ARN, as every AWS service does.
		{responseType: "ACCESS_DENIED", status: http.StatusForbidden, detail: errorMessage},
		{responseType: "UNAUTHORIZED", status: http.StatusUnauthorized, detail: "the request is not authorized"},
		{responseType: "INVALID_API_KEY", status: http.StatusForbidden, detail: "the request is not authorized"},
		{responseType: "WAF_FILTERED", status: http.StatusForbidden, detail: "a web firewall of this account refused the request"},
		{responseType: "RESOURCE_NOT_FOUND", status: http.StatusNotFound, detail: "there is no such path: compare it with the API's OpenAPI document"},

		{responseType: "THROTTLED", status: http.StatusTooManyRequests, detail: tooOften, retryAfterSeconds: 1},
		{responseType: "QUOTA_EXCEEDED", status: http.StatusTooManyRequests, detail: tooOften, retryAfterSeconds: 1},
		integrationFailure(watchers),
		{responseType: "INTEGRATION_TIMEOUT", status: http.StatusGatewayTimeout, detail: "Blox did not answer in time: try again"},
		{responseType: "API_CONFIGURATION_ERROR", status: http.StatusInternalServerError, detail: fault},
		{responseType: "AUTHORIZER_CONFIGURATION_ERROR", status: http.StatusInternalServerError, detail: fault},
		{responseType: "AUTHORIZER_FAILURE", status: http.StatusInternalServerError, detail: fault},

		// Occasions that are not listed. A status here would become that of all of them, and a message may be about a request
		// that nobody has authenticated: that of a malformed Authorization header repeats it.
		{responseType: "DEFAULT_4XX", detail: "API Gateway refused the request; the header x-amzn-ErrorType says why"},
		{responseType: "DEFAULT_5XX", detail: fault},
	}
}

// integrationFailure answers 429, because the usual reason is that a function's reserved concurrency is used up: that is
// the cap on watchers.
//
// Documented is only that API Gateway answers 500 when Lambda rejects a call, throttling included, and 502 when the
// function fails. That a rejected call counts as INTEGRATION_FAILURE is what AWS's staff has said, and the only place
// where it can become a 429 (verify). A gateway response is for the whole API and all integration errors alike, so a
// function that cannot be called for another reason, such as a permission that was taken away, answers 429 too. A client
// cannot tell, so the answer names both. Nor do API Gateway's metric 5XXError and the functions' own metrics count it:
// the operators are told by failedCalls.
func integrationFailure(watchers int) gatewayProblem {
	used := "all requests share the account's Lambda concurrency"
	if watchers > 0 {
		used = fmt.Sprintf("at most %d streams are served at the same time, and %s", watchers, used)
	}
	return gatewayProblem{
		responseType: "INTEGRATION_FAILURE", status: http.StatusTooManyRequests, retryAfterSeconds: 5,
		detail: "no function took the request: either none was free (" + used + "), then try again later; " +
			"or API Gateway may not call it, then that is for the operators of this installation, and an alarm tells them",
	}
}

// template is the problem document. Members are in the order of RFC 9457.
func (p gatewayProblem) template() string {
	title := http.StatusText(p.status)
	var status string
	if p.status == 0 {
		title = "Refused"
		if strings.HasSuffix(p.responseType, "5XX") {
			title = "Failed"
		}
	} else {
		status = fmt.Sprintf(`"status":%d,`, p.status)
	}
	detail := quoted(p.detail)
	if p.detail == errorMessage {
		detail = errorMessage
	}
	return fmt.Sprintf(`{"type":"about:blank","title":%s,%s"detail":%s}`, quoted(title), status, detail)
}

func addGatewayResponses(rest awsapigateway.RestApi, watchers int) {
	for _, p := range gatewayProblems(watchers) {
		headers := map[string]*string{"Content-Type": jsii.String("'application/problem+json'")}
		if p.retryAfterSeconds > 0 {
			headers["Retry-After"] = jsii.String("'" + strconv.Itoa(p.retryAfterSeconds) + "'")
		}
		options := &awsapigateway.GatewayResponseOptions{
			Type:            awsapigateway.ResponseType_Of(jsii.String(p.responseType)),
			ResponseHeaders: &headers,
			// This type is the one that API Gateway takes whatever the request accepts; the header says what it really is.
			Templates: &map[string]*string{jsonType: jsii.String(p.template())},
		}
		if p.status != 0 {
			options.StatusCode = jsii.String(strconv.Itoa(p.status))
		}
		rest.AddGatewayResponse(jsii.String("Answer"+p.responseType), options)
	}
}
