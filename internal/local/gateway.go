package local

import (
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

// maxRequestBytes is what Lambda takes as the payload of a synchronous invocation: 6 MB, event and body together.
const maxRequestBytes = 6 << 20

// gateway is API Gateway: a REST API with a Lambda proxy integration on every path, without authorization.
type gateway struct {
	function *function
	streams  *streamFunction // for paths below streamPaths; nil if there are none
	now      func() time.Time
	log      *slog.Logger
	// afterWrite, if set, is called after every request that may have changed something.
	afterWrite func()
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		gatewayError(w, http.StatusRequestEntityTooLarge, "Request Too Long")
		return
	} else if err != nil {
		gatewayError(w, http.StatusBadRequest, "Bad Request")
		return
	}
	if g.streams != nil && isStream(r.URL.Path) {
		g.stream(w, r, proxyRequest(r, body, g.now()))
		return
	}
	var answer events.APIGatewayProxyResponse
	if err := g.function.invoke(r.Context(), proxyRequest(r, body, g.now()), &answer); err != nil {
		g.log.Error("an API request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		gatewayError(w, http.StatusBadGateway, "Internal server error")
		return
	}
	if g.afterWrite != nil && r.Method != http.MethodGet {
		g.afterWrite()
	}
	if err := writeAnswer(w, answer); err != nil {
		g.log.Error("an API request got an answer that API Gateway would refuse", "path", r.URL.Path, "error", err)
	}
}

// proxyRequest is the request as API Gateway puts it: the path still percent-encoded, the query decoded.
func proxyRequest(r *http.Request, body []byte, now time.Time) events.APIGatewayProxyRequest {
	path := r.URL.EscapedPath()
	sourceIP, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		sourceIP = r.RemoteAddr
	}
	headers := maps.Clone(map[string][]string(r.Header))
	headers["Host"] = []string{r.Host}
	query := r.URL.Query()
	requestID := uuid.NewString()
	text, encoded := string(body), false
	if !utf8.Valid(body) {
		text, encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return events.APIGatewayProxyRequest{
		Resource:                        "/{proxy+}",
		Path:                            path,
		HTTPMethod:                      r.Method,
		Headers:                         lastValues(headers),
		MultiValueHeaders:               headers,
		QueryStringParameters:           lastValues(query),
		MultiValueQueryStringParameters: query,
		PathParameters:                  map[string]string{"proxy": strings.TrimPrefix(path, "/")},
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: account, APIID: "local", ResourceID: "local", Stage: "local", DomainName: r.Host,
			RequestID: requestID, ExtendedRequestID: requestID, Protocol: r.Proto, HTTPMethod: r.Method,
			ResourcePath: "/{proxy+}", Path: path,
			RequestTime: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), RequestTimeEpoch: now.UnixMilli(),
			Identity: events.APIGatewayRequestIdentity{SourceIP: sourceIP, UserAgent: r.UserAgent()},
		},
		Body:            text,
		IsBase64Encoded: encoded,
	}
}

// lastValues keeps one value of each name: API Gateway's single-value maps hold the last.
func lastValues[M ~map[string][]string](many M) map[string]string {
	single := make(map[string]string, len(many))
	for name, values := range many {
		if len(values) > 0 {
			single[name] = values[len(values)-1]
		}
	}
	return single
}

func writeAnswer(w http.ResponseWriter, answer events.APIGatewayProxyResponse) error {
	body := []byte(answer.Body)
	if answer.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(answer.Body)
		if err != nil {
			gatewayError(w, http.StatusBadGateway, "Internal server error")
			return err
		}
		body = decoded
	}
	if answer.StatusCode < 100 || answer.StatusCode > 599 {
		gatewayError(w, http.StatusBadGateway, "Internal server error")
		return errors.New("the status code is none: 100 to 599 are")
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	for _, name := range slices.Sorted(maps.Keys(answer.MultiValueHeaders)) {
		w.Header()[http.CanonicalHeaderKey(name)] = answer.MultiValueHeaders[name]
	}
	w.WriteHeader(answer.StatusCode)
	_, err := w.Write(body)
	if errors.Is(err, http.ErrBodyNotAllowed) {
		return nil // 204 and 304, and answers to HEAD
	}
	return err
}

// gatewayError is how API Gateway itself answers.
func gatewayError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"message": "`+message+`"}`+"\n") // the client is gone: nobody is left to tell
}
