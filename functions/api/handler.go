// Package api is the Lambda function behind API Gateway: a REST API with a proxy integration on every path.
package api

import (
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/blox/blox/internal/httpapi"
)

// Handler answers requests of API Gateway.
type Handler struct {
	adapter *httpadapter.HandlerAdapter
}

// New makes a Handler.
func New(deps httpapi.Deps) *Handler {
	return &Handler{adapter: httpadapter.New(httpapi.New(deps))}
}

// Handle answers one request. The error is nil unless the event is none of API Gateway's.
func (h *Handler) Handle(ctx context.Context, request events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	// Who signed the request, as API Gateway's IAM authorizer found; empty where nobody has to sign.
	ctx = httpapi.WithCaller(ctx, request.RequestContext.Identity.UserArn)
	return h.adapter.ProxyWithContext(ctx, prepared(request))
}

// prepared is the request with what API Gateway puts elsewhere.
func prepared(request events.APIGatewayProxyRequest) events.APIGatewayProxyRequest {
	request.Path = escapedPath(request.Path)
	if id := request.RequestContext.RequestID; id != "" {
		// One id for a request in API Gateway's log and in ours.
		request.Headers, request.MultiValueHeaders = withHeader(request, httpapi.RequestIDHeader, id)
	}
	return request
}

// escapedPath makes a path that can stand in a URL. API Gateway hands on the path as it was sent in most cases, and
// unescaped in some; a bare ? or % in it would then change what it means, or break the URL.
func escapedPath(path string) string {
	if _, err := url.PathUnescape(path); err == nil && !strings.ContainsAny(path, "?#") {
		return path
	}
	return (&url.URL{Path: path}).EscapedPath()
}

func withHeader(request events.APIGatewayProxyRequest, name, value string) (map[string]string, map[string][]string) {
	single := make(map[string]string, len(request.Headers)+1)
	for k, v := range request.Headers {
		if !strings.EqualFold(k, name) {
			single[k] = v
		}
	}
	single[name] = value
	if request.MultiValueHeaders == nil {
		return single, nil
	}
	multi := make(map[string][]string, len(request.MultiValueHeaders)+1)
	for k, v := range request.MultiValueHeaders {
		if !strings.EqualFold(k, name) {
			multi[k] = v
		}
	}
	multi[name] = []string{value}
	return single, multi
}
