package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	function "github.com/blox/blox/functions/api"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// newStreams is the stream function on a table with a task. It has no more than it needs.
func newStreams(t *testing.T) *function.StreamHandler {
	db := memory.New()
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	store := table.NewState(db, "state", state.DefaultVisibleFor)
	parsed, err := event.Parse(eventtest.Task())
	require.NoError(t, err)
	require.NoError(t, store.AddCluster(t.Context(), parsed.Observation.Cluster))
	_, err = store.Put(t.Context(), *parsed.Observation, time.Now())
	require.NoError(t, err)
	return function.NewStream(httpapi.Deps{
		State: store, Feed: table.NewFeed(db, "state", time.Now), Now: time.Now, NewID: func() string { return "made-here" },
		Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Installation: "test", Logger: slog.New(slog.DiscardHandler),
	})
}

func streamRequest(path string, query map[string]string) events.APIGatewayProxyRequest {
	many := map[string][]string{}
	for name, value := range query {
		many[name] = []string{value}
	}
	return events.APIGatewayProxyRequest{
		HTTPMethod: http.MethodGet, Path: path, QueryStringParameters: query, MultiValueQueryStringParameters: many,
		RequestContext: events.APIGatewayProxyRequestContext{RequestID: "gateway-1"},
	}
}

func types(t *testing.T, body []byte) []string {
	var types []string
	for line := range bytes.Lines(body) {
		var event struct{ Type string }
		require.NoError(t, json.Unmarshal(line, &event), "%s", line)
		types = append(types, event.Type)
	}
	return types
}

// What Lambda's runtime sends to API Gateway: the status and headers as JSON, eight zero bytes, and the body.
func TestAStreamAsLambdaSendsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entry := lambda.NewHandler(newStreams(t).Handle)
		payload, err := json.Marshal(streamRequest("/v1/stream/tasks", map[string]string{"timeoutSeconds": "20", "cluster": "edge"}))
		require.NoError(t, err)
		began := time.Now()
		raw, err := entry.Invoke(t.Context(), payload)
		require.NoError(t, err)
		require.Equal(t, 20*time.Second, time.Since(began))
		head, body, found := bytes.Cut(raw, make([]byte, 8))
		require.True(t, found)
		var prelude struct {
			StatusCode        int
			MultiValueHeaders map[string][]string
		}
		require.NoError(t, json.Unmarshal(head, &prelude))
		require.Equal(t, 200, prelude.StatusCode)
		require.Equal(t, []string{"application/x-ndjson"}, prelude.MultiValueHeaders["Content-Type"])
		require.Equal(t, []string{"gateway-1"}, prelude.MultiValueHeaders["X-Request-Id"])
		require.Equal(t, []string{"SNAPSHOT", "UPDATED", "BOOKMARK", "HEARTBEAT", "END"}, types(t, body))
	})
}

func TestAStreamEndsBeforeLambdasDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		answer, err := newStreams(t).Handle(ctx, streamRequest("/v1/stream/tasks", nil))
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Close())
		require.NoError(t, ctx.Err())
		got := types(t, body)
		require.Equal(t, "END", got[len(got)-1])
	})
}

// The bubble fails if anything still runs when the test is over.
func TestAStreamStopsWhenItsReaderGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		answer, err := newStreams(t).Handle(t.Context(), streamRequest("/v1/stream/tasks", nil))
		require.NoError(t, err)
		line, err := bufio.NewReader(answer.Body).ReadString('\n')
		require.NoError(t, err)
		require.JSONEq(t, `{"type":"SNAPSHOT"}`, line)
		require.NoError(t, answer.Close())
		synctest.Wait()
		require.Less(t, time.Since(began), time.Minute)
	})
}

func TestAReaderThatTakesNothingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		answer, err := newStreams(t).Handle(ctx, streamRequest("/v1/stream/tasks", nil))
		require.NoError(t, err)
		<-time.After(29 * time.Second)
		synctest.Wait()
		require.NoError(t, ctx.Err(), "before the deadline")
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err, "an error would be one of the function")
		require.NotContains(t, string(body), "END")
		require.NoError(t, answer.Close())
	})
}

func TestErrorsOfTheStreamFunction(t *testing.T) {
	streams := newStreams(t)
	for path, status := range map[string]int{
		"/v1/stream/tasks?": 404, "/v1/tasks": 404, "/v1/stream": 404, "/v1/stream/tasks": 400, "/v1/stream/instances": 400,
	} {
		answer, err := streams.Handle(t.Context(), streamRequest(path, map[string]string{"timeoutSeconds": "soon"}))
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Close())
		require.Equal(t, status, answer.StatusCode, path)
		require.Equal(t, []string{"application/problem+json"}, answer.MultiValueHeaders["Content-Type"])
		require.True(t, json.Valid(body))
	}
	_, err := streams.Handle(t.Context(), events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/v1/stream/tasks", IsBase64Encoded: true, Body: "?"})
	require.Error(t, err)
	answer, err := streams.Handle(t.Context(), streamRequest("/v1/ping", nil))
	require.NoError(t, err)
	require.Equal(t, 200, answer.StatusCode)
	require.NoError(t, answer.Close())
	require.NotEmpty(t, strings.TrimSpace(answer.MultiValueHeaders["Content-Type"][0]))
}
