package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/sigv4"
	"github.com/blox/blox/test/emulator/internal/policy"
	"github.com/blox/blox/test/emulator/internal/runtimeapi"
)

// maxRequestBytes is what API Gateway takes.
const maxRequestBytes = 10 << 20

// Principal is somebody who calls the API.
type Principal struct {
	ARN      string
	Policies []policy.Document
}

// Invoke calls a function; the answer may be read while the function still writes it.
type Invoke func(ctx context.Context, payload []byte) (io.ReadCloser, error)

// Gateway is an http.Handler. Paths begin with the stage, as at execute-api.
type Gateway struct {
	APIID, Stage, Account string
	// ARN is that of the API at execute-api, arn:aws:execute-api:REGION:ACCOUNT:API.
	ARN       string
	Routes    []Route
	Responses Responses
	Functions map[string]Invoke // by ARN
	Verifier  *sigv4.Verifier
	// Principals are by access key id.
	Principals map[string]Principal
	Now        func() time.Time
	Log        *slog.Logger
	requestID  func() string
}

// New completes a gateway.
func New(g Gateway, requestID func() string) *Gateway {
	g.requestID = requestID
	return &g
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := g.requestID()
	w.Header().Set("X-Amzn-Requestid", id)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		g.Responses.write(w, requestTooLarge, "Request Too Long", "", id)
		return
	}
	path, inStage := strings.CutPrefix(r.URL.EscapedPath(), "/"+g.Stage+"/")
	var route *Route
	var parameters map[string]string
	if inStage {
		route, parameters = match(g.Routes, r.Method, path)
	}
	if route == nil {
		// API Gateway does not say that there is no such path: it asks for the token that such a path cannot have.
		g.Responses.write(w, sigv4.ResponseMissingAuthenticationToken, "Missing Authentication Token", sigv4.MissingAuthenticationToken, id)
		return
	}
	caller, ok := g.authorize(w, r, body, path, route, id)
	if !ok {
		return
	}
	payload, err := json.Marshal(g.event(r, body, "/"+path, route, parameters, caller, id))
	if err != nil {
		g.Responses.write(w, "DEFAULT_5XX", "Internal server error", "", id)
		return
	}
	g.call(w, r, route, payload, id)
}

type caller struct{ accessKeyID, arn string }

// authorize checks the signature, then that one of the caller's policies allows the method. It has answered if not.
func (g *Gateway) authorize(w http.ResponseWriter, r *http.Request, body []byte, path string, route *Route, id string) (caller, bool) {
	if !route.IAM {
		return caller{}, true
	}
	if err := g.Verifier.Verify(r, body); err != nil {
		var refused *sigv4.Error
		if !errors.As(err, &refused) {
			g.Responses.write(w, "DEFAULT_5XX", "Internal server error", "", id)
			return caller{}, false
		}
		g.Responses.write(w, refused.ResponseType(), refused.Detail, refused.Type, id)
		return caller{}, false
	}
	claimed, err := sigv4.ParseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		g.Responses.write(w, "DEFAULT_5XX", "Internal server error", "", id)
		return caller{}, false
	}
	principal := g.Principals[claimed.AccessKeyID]
	resource := fmt.Sprintf("%s/%s/%s/%s", g.ARN, g.Stage, r.Method, path)
	decision, err := policy.Decide(principal.Policies, policy.Request{Action: "execute-api:Invoke", Resource: resource})
	if err != nil || !decision.Allowed {
		g.Responses.write(w, "ACCESS_DENIED", fmt.Sprintf("User: %s is not authorized to perform: execute-api:Invoke on resource: %s", principal.ARN, resource), "AccessDeniedException", id)
		return caller{}, false
	}
	return caller{claimed.AccessKeyID, principal.ARN}, true
}

// call invokes the route's function and hands on what it answers. A caller who goes away does not end the invocation.
func (g *Gateway) call(w http.ResponseWriter, r *http.Request, route *Route, payload []byte, id string) {
	invoke, known := g.Functions[route.Function]
	if !known {
		g.Responses.write(w, "API_CONFIGURATION_ERROR", "Internal server error", "", id)
		return
	}
	stream, err := invoke(context.WithoutCancel(r.Context()), payload)
	if errors.Is(err, runtimeapi.ErrThrottled) {
		g.Responses.write(w, "INTEGRATION_FAILURE", "Internal server error", "", id)
		return
	}
	if err != nil {
		g.Log.Error("a function failed at an API request", "method", r.Method, "resource", route.Resource, "error", err)
		g.Responses.write(w, "INTEGRATION_FAILURE", "Internal server error", "", id)
		return
	}
	defer func() { _ = stream.Close() }() // it was only read
	if route.Streaming {
		err = g.pipe(w, r, stream)
	} else {
		err = g.whole(w, stream)
	}
	var ours *answerError
	if errors.As(err, &ours) {
		g.Log.Error("a function's answer is none that API Gateway takes", "resource", route.Resource, "error", err)
		g.Responses.write(w, "DEFAULT_5XX", "Internal server error", "", id)
	}
}

// answerError is an answer that cannot be handed on; nothing has been written then.
type answerError struct{ err error }

func (e *answerError) Error() string { return e.err.Error() }

func (g *Gateway) whole(w http.ResponseWriter, from io.Reader) error {
	data, err := io.ReadAll(from)
	if err != nil {
		return &answerError{err}
	}
	var answer events.APIGatewayProxyResponse
	if err := json.Unmarshal(data, &answer); err != nil {
		return &answerError{err}
	}
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(answer.Body); err != nil {
			return &answerError{err}
		}
	}
	if err := writeHead(w, answer.StatusCode, answer.Headers, answer.MultiValueHeaders); err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

// separator stands between the prelude of a streamed answer and its body.
var separator = make([]byte, 8)

// maxPreludeBytes bounds the search for it.
const maxPreludeBytes = 64 << 10

// pipe hands a streamed answer on as it comes, chunk by chunk.
func (g *Gateway) pipe(w http.ResponseWriter, r *http.Request, from io.Reader) error {
	var head []byte
	buffer := make([]byte, 16<<10)
	for !bytes.Contains(head, separator) {
		n, err := from.Read(buffer)
		head = append(head, buffer[:n]...)
		if bytes.Contains(head, separator) {
			break
		}
		if err != nil || len(head) > maxPreludeBytes {
			return &answerError{fmt.Errorf("no prelude in the first %d bytes: %w", len(head), err)}
		}
	}
	prelude, body, _ := bytes.Cut(head, separator)
	var answer struct {
		StatusCode        int                 `json:"statusCode"`
		Headers           map[string]string   `json:"headers"`
		MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	}
	if err := json.Unmarshal(prelude, &answer); err != nil {
		return &answerError{fmt.Errorf("the prelude: %w", err)}
	}
	if err := writeHead(w, answer.StatusCode, answer.Headers, answer.MultiValueHeaders); err != nil {
		return err
	}
	control := http.NewResponseController(w)
	for {
		if len(body) > 0 {
			if _, err := w.Write(body); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
		if r.Context().Err() != nil {
			return r.Context().Err()
		}
		n, err := from.Read(buffer)
		body = buffer[:n]
		if err == nil {
			continue
		}
		if _, writeErr := w.Write(body); writeErr != nil {
			return writeErr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		panic(http.ErrAbortHandler) // the caller must not take what was cut off for the end
	}
}

func writeHead(w http.ResponseWriter, status int, single map[string]string, many map[string][]string) error {
	if status < 100 || status > 599 {
		return &answerError{fmt.Errorf("the status code %d is none", status)}
	}
	for name, value := range single {
		w.Header().Set(name, value)
	}
	for name, values := range many {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.WriteHeader(status)
	return nil
}

var parameterName = regexp.MustCompile(`\{([^}+]+)\+?\}`)

// event is the request as API Gateway hands it to a proxy integration.
func (g *Gateway) event(r *http.Request, body []byte, path string, route *Route, parameters map[string]string, by caller, id string) events.APIGatewayProxyRequest {
	sourceIP, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		sourceIP = r.RemoteAddr
	}
	headers := map[string][]string(r.Header.Clone())
	headers["Host"] = []string{r.Host}
	query := map[string][]string(r.URL.Query())
	if len(parameters) == 0 || !parameterName.MatchString(route.Resource) {
		parameters = nil
	}
	now := g.Now()
	return events.APIGatewayProxyRequest{
		Resource: route.Resource, Path: path, HTTPMethod: r.Method,
		Headers: last(headers), MultiValueHeaders: headers,
		QueryStringParameters: last(query), MultiValueQueryStringParameters: query,
		PathParameters: parameters, Body: string(body),
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: g.Account, APIID: g.APIID, ResourceID: route.ResourceID, Stage: g.Stage, DomainName: r.Host,
			RequestID: id, ExtendedRequestID: id, Protocol: r.Proto, HTTPMethod: r.Method,
			ResourcePath: route.Resource, Path: "/" + g.Stage + path,
			RequestTime: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), RequestTimeEpoch: now.UnixMilli(),
			Identity: events.APIGatewayRequestIdentity{
				SourceIP: sourceIP, UserAgent: r.UserAgent(), AccountID: g.Account, AccessKey: by.accessKeyID, UserArn: by.arn, Caller: by.arn,
			},
		},
	}
}

// last keeps one value of each name, the last, as API Gateway does.
func last(many map[string][]string) map[string]string {
	single := make(map[string]string, len(many))
	for name, values := range many {
		if len(values) > 0 {
			single[name] = values[len(values)-1]
		}
	}
	return single
}
