package local

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/ecssim"
)

// Who watches from the first moment ends with what a list shows at last, and hears of it without asking.
func TestAWatchSeesTheDemoComeUp(t *testing.T) {
	s := start(t, StoreMemory, 3)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	has := map[string]string{}
	for event, err := range s.Client().WatchTasks(ctx, client.TaskFilter{DesiredStatus: "running"}, client.WatchOptions{}) {
		require.NoError(t, err)
		switch event.Type {
		case client.WatchUpdated:
			has[event.ID] = event.Task.Entity.LastStatus
		case client.WatchDeleted:
			delete(has, event.ID)
		}
		if running := countOf(has, "RUNNING"); running == len(has) && everyHostHasOne(3)(worldOf(s.watch)) {
			break
		}
	}
	require.NoError(t, ctx.Err())
	listed := map[string]string{}
	for task, err := range s.Client().ListTasks(ctx, client.TaskFilter{DesiredStatus: "running"}) {
		require.NoError(t, err)
		listed[task.Entity.TaskARN[strings.LastIndexByte(task.Entity.TaskARN, '/')+1:]] = task.Entity.LastStatus
	}
	require.Equal(t, listed, has)
}

func worldOf(w *watch) ecssim.World {
	world, _ := w.look()
	return world
}

func countOf(has map[string]string, status string) (n int) {
	for _, is := range has {
		if is == status {
			n++
		}
	}
	return n
}

func TestAnOpenStreamDoesNotHoldUpTheStop(t *testing.T) {
	s, err := Start(t.Context(), Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, Log: quiet})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+"/v1/stream/tasks", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	lines := bufio.NewScanner(response.Body)
	require.True(t, lines.Scan(), "a line comes before the stream ends")
	require.JSONEq(t, `{"type":"SNAPSHOT"}`, lines.Text())
	began := time.Now()
	require.NoError(t, s.Stop(t.Context()))
	require.Less(t, time.Since(began), stopGrace, "nobody had to be cut off")
}

func streamingGateway(handle func(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error)) *gateway {
	return &gateway{streams: &streamFunction{timeout: testTimeout, handle: handle, ending: context.Background()}, now: time.Now, log: quiet}
}

func TestTheGatewayStreamsWhatComes(t *testing.T) {
	from, to := io.Pipe()
	var got events.APIGatewayProxyRequest
	g := streamingGateway(func(_ context.Context, r events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
		got = r
		return &events.APIGatewayProxyStreamingResponse{
			StatusCode: 201, Headers: map[string]string{"X-One": "1"}, MultiValueHeaders: map[string][]string{"x-many": {"a", "b"}}, Body: from,
		}, nil
	})
	server := httptest.NewServer(g)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/stream/tasks?status=running", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.Equal(t, 201, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("X-One"))
	require.Equal(t, []string{"a", "b"}, response.Header.Values("X-Many"))
	require.Equal(t, []string{"running"}, got.MultiValueQueryStringParameters["status"])
	answer := bufio.NewReader(response.Body)
	for _, line := range []string{"one\n", "two\n"} {
		_, err := io.WriteString(to, line)
		require.NoError(t, err)
		read, err := answer.ReadString('\n') // the next is written after this one was read
		require.NoError(t, err)
		require.Equal(t, line, read)
	}
	require.NoError(t, response.Body.Close())
	// The reader is gone: writing to it fails sooner or later, and then nobody reads any more.
	for err == nil {
		_, err = io.WriteString(to, "three\n")
	}
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestAStreamFunctionThatFails(t *testing.T) {
	g := streamingGateway(func(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
		return nil, errors.New("boom")
	})
	recorder := httptest.NewRecorder()
	g.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/v1/stream/tasks", nil))
	require.Equal(t, http.StatusBadGateway, recorder.Code)
	require.True(t, json.Valid(recorder.Body.Bytes()))
}
