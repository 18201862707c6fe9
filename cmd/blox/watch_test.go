package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// items are the documents of a list.
func (t *session) items(path string) []json.RawMessage {
	response, err := http.Get(t.endpoint + path) //nolint:gosec // the test's own server
	require.NoError(t.t, err)
	defer func() { require.NoError(t.t, response.Body.Close()) }()
	var page struct{ Items []json.RawMessage }
	require.NoError(t.t, json.NewDecoder(response.Body).Decode(&page))
	return page.Items
}

// streams answers watches with the given lines, one answer after the other, each of which ends by an error.
func (t *session) streams(answers ...[]string) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("X-Query", r.URL.RawQuery)
		fmt.Fprintln(w, strings.Join(answers[asked], "\n"))
		asked++
	}))
	t.t.Cleanup(server.Close)
	t.env[endpointEnv] = server.URL
}

func TestWatch(t *testing.T) {
	edge := `"clusterARN":"arn:aws:ecs:eu-west-1:210987654321:cluster/edge","id":"0f5d3c7b9a1e4c6f8b2d4e6a8c0f1b3d"`
	event := func(kind, thing string, document json.RawMessage) string {
		return fmt.Sprintf(`{"type":%q,"entityVersion":"1-2-3-4",%s,%q:%s}`, kind, edge, thing, document)
	}
	const again = `{"type":"ERROR","error":{"status":410,"title":"Gone","detail":"list again"}}`
	const enough = `{"type":"ERROR","error":{"status":403,"title":"Forbidden","detail":"enough"}}`
	for name, line := range map[string]string{
		"watch-tasks": "get tasks --watch --cluster edge", "watch-tasks-json": "get tasks -w -o json",
	} {
		s := furnished(t)
		tasks := s.items("/v1/tasks?cluster=edge&desiredStatus=running")
		stopped := s.items("/v1/tasks?status=stopped")
		s.streams([]string{
			`{"type":"SNAPSHOT"}`, event("UPDATED", "task", tasks[0]), `{"type":"BOOKMARK","entityVersion":"1-2-3-4"}`,
			`{"type":"HEARTBEAT","entityVersion":"1-2-3-4"}`, event("DELETED", "task", stopped[0]), again,
		}, []string{
			`{"type":"SNAPSHOT"}`, event("UPDATED", "task", tasks[0]), event("UPDATED", "task", tasks[0]), `{"type":"BOOKMARK"}`,
			event("UPDATED", "task", tasks[0]), `{"type":"DELETED",` + edge + `}`, enough,
		})
		s.run(line).golden(name)
	}
	s := furnished(t)
	instances := s.items("/v1/instances")
	s.streams([]string{
		`{"type":"SNAPSHOT"}`, `{"type":"BOOKMARK"}`, event("UPDATED", "instance", instances[0]), `{"type":"DELETED",` + edge + `}`, enough,
	})
	s.run("get instances --watch").golden("watch-instances")
}

func TestWatchRefusesWhatMakesNoSense(t *testing.T) {
	s := newSession(t)
	s.run("get tasks --watch "+eventtest.DefaultTaskID).fails(exitUsage, "--watch with filters")
	s.run("get instances --watch --limit 5").fails(exitUsage, "--watch and --limit")
}

// An API that cannot stream is asked again and again.
func TestWatchWithoutStreams(t *testing.T) {
	s := furnished(t)
	ctx, cancel := context.WithCancel(t.Context())
	shown := &endsAt{text: eventtest.DefaultTaskID, end: cancel}
	root := newRootCommandIn(world{now: func() time.Time { return s.now }, getenv: func(name string) string { return s.env[name] }, pause: pause})
	root.SetOut(shown)
	require.Equal(t, exitOK, run(ctx, root, []string{"get", "tasks", "--watch", "--cluster", "edge"}, io.Discard))
	require.Contains(t, shown.String(), "CHANGE")
}

// endsAt is an output that ends something when a text was written.
type endsAt struct {
	bytes.Buffer
	text string
	end  func()
}

func (e *endsAt) Write(p []byte) (int, error) {
	n, err := e.Buffer.Write(p)
	if bytes.Contains(e.Bytes(), []byte(e.text)) {
		e.end()
	}
	return n, err
}

func TestClusters(t *testing.T) {
	s := furnished(t)
	synced := s.now.Add(-90_000_000_000)
	key := state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: "edge"}
	require.NoError(t, s.state.PutSync(t.Context(), table.Cluster{Key: key, SyncedAt: synced.UnixMilli(), Drift: table.Drift{Missed: 3}}))
	require.NoError(t, s.state.PutLag(t.Context(), key.Account, key.Region, table.Lag{Millis: 75_000, At: s.now.UnixMilli()}))
	s.run("get clusters").golden("get-clusters")
	s.run("get cluster edge -o json").golden("get-cluster-json")
	s.run("get cluster nope").fails(exitNotFound, "no cluster of the name nope is known", "blox get clusters")
}
