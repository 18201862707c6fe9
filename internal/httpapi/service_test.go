package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/httpapi"
)

func TestUnknownPathsAndMethods(t *testing.T) {
	a := newAPI(t)
	for _, path := range []string{"/", "/v1", "/v2/tasks", "/v1/tasks/", "/v1/tasks/edge", "/v1/stream", "/v1/environments/", "/v1/environments/a/b"} {
		require.Contains(t, a.get(path).problem(404), "GET /v1/openapi.yaml", path)
	}
	for path, methods := range map[string]string{
		"/v1/tasks": "POST", "/v1/environments": "DELETE", "/v1/environments/x": "PATCH", "/v1/environments/x/deployments": "PUT",
	} {
		got := a.do(methods, path, "")
		require.Contains(t, got.problem(405), methods+" is not possible")
		require.Contains(t, got.header.Get("Allow"), "GET")
	}
	require.Less(t, len(a.get("/"+strings.Repeat("x", 10_000)).problem(404)), 1000)
}

// broken is a DynamoDB that fails, or crashes.
type broken struct {
	dynamo.API
	crash bool
}

func (b *broken) Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if b.crash {
		panic("index out of range at 10.0.0.7")
	}
	return nil, errBroken
}

func TestFaultsOfOursAreHiddenAndLogged(t *testing.T) {
	for _, crash := range []bool{false, true} {
		a := newAPIOn(t, func(db dynamo.API) dynamo.API { return &broken{API: db, crash: crash} })
		got := a.get("/v1/tasks")
		require.NotContains(t, got.problem(500), "10.0.0.7")
		require.NotContains(t, string(got.body), "10.0.0.7")
		id := got.header.Get("X-Request-Id")
		require.NotEmpty(t, id)
		var found bool
		for _, entry := range logged(t, a) {
			if entry["level"] == "ERROR" {
				found = true
				require.Equal(t, id, entry["requestId"])
				require.Contains(t, entry, map[bool]string{true: "stack", false: "error"}[crash])
			}
		}
		require.True(t, found)
	}
}

func TestABodyThatBreaksOffTellsNothingInternal(t *testing.T) {
	a := newAPI(t)
	request := httptest.NewRequest(http.MethodPost, "/v1/environments", iotest.ErrReader(errBroken))
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request)
	got := answer{t: t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
	got.problem(500)
	require.NotContains(t, string(got.body), "10.0.0.7")
}

func TestABrokenFeedFailsTheRead(t *testing.T) {
	a := newAPI(t)
	seen := a.task()
	a.feed.err = errBroken // without a position nobody could go on watching
	a.get("/v1/tasks").problem(500)
	a.get("/v1/tasks/edge/" + seen.ID).problem(500)
}

func logged(t *testing.T, a *api) []map[string]any {
	var entries []map[string]any
	decoder := json.NewDecoder(strings.NewReader(a.log.String()))
	for decoder.More() {
		var entry map[string]any
		require.NoError(t, decoder.Decode(&entry))
		entries = append(entries, entry)
	}
	return entries
}

func TestRequestsAreLoggedWithTheirID(t *testing.T) {
	a := newAPI(t)
	for sent, kept := range map[string]bool{"trace-1_a.b=": true, "": false, "new\nline": false, strings.Repeat("x", 200): false} {
		a.log.Reset()
		request := httptest.NewRequest(http.MethodGet, "/v1/ping?", nil)
		request.Header.Set("X-Request-Id", sent)
		recorder := httptest.NewRecorder()
		a.handler.ServeHTTP(recorder, request)
		answered := recorder.Header().Get("X-Request-Id")
		require.Equal(t, kept, answered == sent, sent)
		entry := logged(t, a)[0]
		require.Equal(t, answered, entry["requestId"])
		require.Equal(t, "/v1/ping", entry["path"])
		require.InDelta(t, 200, entry["status"], 0)
	}
}

func TestACanceledRequestIsNoFaultOfOurs(t *testing.T) {
	a := newAPIOn(t, func(db dynamo.API) dynamo.API { return &broken{API: db} })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/v1/tasks", nil).WithContext(ctx))
	require.Equal(t, http.StatusServiceUnavailable, recorder.Code)
	require.NotContains(t, a.log.String(), "ERROR")
}

func TestTheCheckedInDocumentIsTheCodes(t *testing.T) {
	want, err := httpapi.OpenAPI(httpapi.DocumentVersion)
	require.NoError(t, err)
	got, err := os.ReadFile("../../api/openapi.yaml")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "the API has changed: write its document anew with `make openapi`, and commit it")
}

func TestTheDocumentIsServed(t *testing.T) {
	a := newAPI(t)
	got := a.get("/v1/openapi.yaml")
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, string(got.body), "openapi: 3.1.0")
	require.Contains(t, string(got.body), "/v1/tasks/{cluster}/{arn}:")
	require.NotContains(t, string(got.body), "422")
	require.Equal(t, http.StatusOK, a.get("/v1/openapi-3.0.yaml").status, "API Gateway imports that version")
}

func TestABodyIsJSON(t *testing.T) {
	a := newAPI(t)
	send := func(contentType string) answer {
		request := httptest.NewRequest(http.MethodPut, "/v1/environments/log-agent", strings.NewReader(logAgent))
		request.Header.Set("Content-Type", contentType)
		recorder := httptest.NewRecorder()
		a.handler.ServeHTTP(recorder, request)
		return answer{t: t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
	}
	for _, refused := range []string{"application/x-www-form-urlencoded", "text/plain; charset=utf-8", "application/yaml", "json", ";", "Application/JSON"} {
		require.Equal(t, "the body is declared as "+refused+": send it with the header Content-Type: application/json", send(refused).problem(415),
			"and nothing about what is in it")
	}
	for _, taken := range []string{"", "application/json", "application/json; charset=utf-8", "application/merge-patch+json"} {
		send(taken).object()
	}
	// curl -d "" says so of no body at all.
	request := httptest.NewRequest(http.MethodPost, "/v1/environments/nope/deployments?deploymentToken=00000000-0000-7000-8000-000000000000", nil)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request)
	require.Equal(t, http.StatusNotFound, recorder.Code)
}
