package gateway

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/sigv4"
	"github.com/blox/blox/test/emulator/internal/policy"
	"github.com/blox/blox/test/emulator/internal/runtimeapi"
	"github.com/blox/blox/test/emulator/internal/stack"
)

var routes = []Route{
	{Method: "GET", Resource: "/v1/tasks", IAM: true, Function: "plain"},
	{Method: "GET", Resource: "/v1/tasks/{arn+}", IAM: true, Function: "plain"},
	{Method: "GET", Resource: "/v1/environments/{name}", IAM: true, Function: "plain"},
	{Method: "GET", Resource: "/v1/environments/{name}/deployments/{id}", IAM: true, Function: "plain"},
	{Method: "GET", Resource: "/v1/environments/all", IAM: true, Function: "plain"},
	{Method: "PUT", Resource: "/v1/environments/{name}", IAM: true, Function: "plain"},
	{Method: "GET", Resource: "/v1/stream/tasks", IAM: true, Function: "streaming", Streaming: true},
	{Method: "GET", Resource: "/open", Function: "broken"},
	{Method: "GET", Resource: "/busy", Function: "busy"},
}

func TestRouting(t *testing.T) {
	for path, want := range map[string]string{
		"v1/tasks":                          "/v1/tasks ",
		"v1/tasks/arn:a/b%2Fc/d":            "/v1/tasks/{arn+} arn:a/b%2Fc/d",
		"v1/environments/all":               "/v1/environments/all ",
		"v1/environments/edge":              "/v1/environments/{name} edge",
		"v1/environments/e/deployments/d-1": "/v1/environments/{name}/deployments/{id} e d-1",
		"v1/environments/e/deployments":     "none",
		"v1/environments":                   "none",
		"v1/tasks/":                         "/v1/tasks ",
		"v2/tasks":                          "none",
	} {
		route, parameters := match(routes, "GET", path)
		got := "none"
		if route != nil {
			var values []string
			for _, name := range []string{"arn", "name", "id"} {
				if v, ok := parameters[name]; ok {
					values = append(values, v)
				}
			}
			got = route.Resource + " " + strings.Join(values, " ")
		}
		require.Equal(t, want, got, path)
	}
	route, _ := match(routes, "DELETE", "v1/tasks")
	require.Nil(t, route)
}

func TestIntegrations(t *testing.T) {
	const function = "arn:aws:lambda:us-east-1:123456789012:function:x"
	for text, want := range map[string]bool{
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + function + "/invocations":                    false,
		"arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/" + function + "/response-streaming-invocations": true,
	} {
		got, streaming, err := integration(text)
		require.NoError(t, err)
		require.Equal(t, function, got)
		require.Equal(t, want, streaming)
	}
	_, _, err := integration("https://example.com")
	require.Error(t, err)
}

const apiARN = "arn:aws:execute-api:us-east-1:123456789012:api1"

// serve is a gateway with one operator, who may read only tasks and streams.
func serve(t *testing.T, functions map[string]Invoke) *httptest.Server {
	t.Helper()
	allowed, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":["` + apiARN + `/blox/GET/v1/tasks*","` + apiARN + `/blox/GET/v1/stream/*"]}}`))
	require.NoError(t, err)
	server := httptest.NewServer(New(Gateway{
		APIID: "api1", Stage: "blox", Account: "123456789012", ARN: apiARN, Routes: routes, Functions: functions,
		Responses: Responses{
			"INTEGRATION_FAILURE": {Status: 429, Headers: map[string]string{"Retry-After": "5"}, JSON: `{"detail":"busy"}`},
			"DEFAULT_4XX":         {JSON: `{"detail":$context.error.messageString}`},
		},
		Verifier: &sigv4.Verifier{
			Credentials: map[string]aws.Credentials{"AKIAOPERATOR": {AccessKeyID: "AKIAOPERATOR", SecretAccessKey: "secret"}},
			Region:      "us-east-1", Service: "execute-api", Now: time.Now,
		},
		Principals: map[string]Principal{"AKIAOPERATOR": {ARN: "arn:aws:iam::123456789012:user/operator", Policies: []policy.Document{allowed}}},
		Now:        time.Now, Log: slog.New(slog.DiscardHandler),
	}, func() string { return "request-1" }))
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url, secret string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if secret != "" {
		sum := sha256.Sum256(nil)
		require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "AKIAOPERATOR", SecretAccessKey: secret}, request,
			hex.EncodeToString(sum[:]), "execute-api", "us-east-1", time.Now()))
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func answering(answer any) Invoke {
	return func(context.Context, []byte) (io.ReadCloser, error) {
		data, err := json.Marshal(answer)
		return io.NopCloser(strings.NewReader(string(data))), err
	}
}

func TestASignedRequestReachesTheFunction(t *testing.T) {
	var got events.APIGatewayProxyRequest
	server := serve(t, map[string]Invoke{"plain": func(ctx context.Context, payload []byte) (io.ReadCloser, error) {
		require.NoError(t, json.Unmarshal(payload, &got))
		return answering(events.APIGatewayProxyResponse{StatusCode: 207, Headers: map[string]string{"X-A": "b"}, Body: "aGk=", IsBase64Encoded: true})(ctx, payload)
	}})
	response := get(t, server.URL+"/blox/v1/tasks/arn:x/y?a=1&a=2", "secret")
	require.Equal(t, 207, response.StatusCode)
	require.Equal(t, "b", response.Header.Get("X-A"))
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "hi", string(body))
	require.Equal(t, "/v1/tasks/arn:x/y", got.Path)
	require.Equal(t, "/blox/v1/tasks/arn:x/y", got.RequestContext.Path)
	require.Equal(t, map[string]string{"arn": "arn:x/y"}, got.PathParameters)
	require.Equal(t, []string{"1", "2"}, got.MultiValueQueryStringParameters["a"])
	require.Equal(t, "arn:aws:iam::123456789012:user/operator", got.RequestContext.Identity.UserArn)
}

func TestRefusals(t *testing.T) {
	server := serve(t, map[string]Invoke{
		"plain":  func(context.Context, []byte) (io.ReadCloser, error) { panic("it must not be called") },
		"broken": answering("no answer of a proxy integration"),
		"busy":   func(context.Context, []byte) (io.ReadCloser, error) { return nil, runtimeapi.ErrThrottled },
	})
	for _, c := range []struct {
		name, path, secret string
		status             int
		text               string
	}{
		{"unsigned", "/blox/v1/tasks", "", 403, "Missing Authentication Token"},
		{"wrongly signed", "/blox/v1/tasks", "wrong", 403, "signature"},
		{"not allowed by a policy", "/blox/v1/environments/edge", "secret", 403, "is not authorized to perform"},
		{"not deployed", "/blox/v1/nothing", "secret", 403, "Missing Authentication Token"},
		{"another stage", "/prod/v1/tasks", "secret", 403, "Missing Authentication Token"},
		{"throttled", "/blox/busy", "", 429, "busy"},
		{"an answer that is none", "/blox/open", "", 500, "Internal server error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			response := get(t, server.URL+c.path, c.secret)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, c.status, response.StatusCode, string(body))
			require.Contains(t, string(body), c.text)
		})
	}
}

func TestAStreamIsHandedOnAsItComes(t *testing.T) {
	reader, writer := io.Pipe()
	server := serve(t, map[string]Invoke{"streaming": func(context.Context, []byte) (io.ReadCloser, error) { return reader, nil }})
	go func() {
		_, _ = io.WriteString(writer, `{"statusCode":200,"headers":{"Content-Type":"application/x-ndjson"}}`+"\x00\x00\x00\x00\x00\x00\x00\x00one\n")
	}()
	response := get(t, server.URL+"/blox/v1/stream/tasks", "secret")
	require.Equal(t, "application/x-ndjson", response.Header.Get("Content-Type"))
	lines := bufio.NewReader(response.Body)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "one\n", line, "the function is still at work")
	go func() {
		_, _ = io.WriteString(writer, "two\n")
		_ = writer.CloseWithError(errors.New("the function died"))
	}()
	line, err = lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "two\n", line)
	_, err = lines.ReadString('\n')
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "what was cut off does not look complete")
}

func TestResponsesOfTheTemplate(t *testing.T) {
	responses, err := FromTemplate(&stack.Template{Resources: map[string]stack.Resource{"A": {LogicalID: "A", Type: "AWS::ApiGateway::GatewayResponse", Properties: map[string]any{
		"ResponseType": "ACCESS_DENIED", "StatusCode": "403",
		"ResponseParameters": map[string]any{"gatewayresponse.header.Content-Type": "'application/problem+json'"},
		"ResponseTemplates":  map[string]any{"application/json": `{"detail":$context.error.messageString}`},
	}}}})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	responses.write(w, "ACCESS_DENIED", `it says "no"`, "", "1")
	require.Equal(t, http.StatusForbidden, w.Code)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"detail":"it says \"no\""}`, w.Body.String())
}
