package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// The compressor of details makes what it waits for when it is first used. In a bubble that would be the bubble's, and no
// other could use it.
func init() {
	db := memory.New()
	err := table.Create(context.Background(), db, "state", schema.State)
	if err == nil {
		change := table.Change{Key: state.Key{Kind: state.KindTask, Cluster: home, ID: id(1)}, Version: 1, Reason: table.ReasonWritten}
		err = table.NewFeed(db, "state", time.Now).AppendAll(context.Background(), []table.Change{change})
	}
	if err != nil {
		panic(err) // of a table in memory
	}
}

// watched is a stream's answer. Within a synctest bubble it takes no time.
type watched struct {
	answer
	flushed bool
}

// watch asks for a stream; time passes as it does in the bubble. during is called in a goroutine of its own.
func (a *api) watch(ctx context.Context, db dynamo.API, path string, during func(), headers ...string) watched {
	streams := httpapi.NewStreams(httpapi.Deps{
		State: table.NewState(db, "state", state.DefaultVisibleFor), Feed: table.NewFeed(db, "state", time.Now), Now: time.Now, NewID: a.newID,
		StreamBytes: a.streamBytes,
		Account:     account, Region: region, Installation: "test", Version: "test", Logger: slog.New(slog.NewJSONHandler(a.log, nil)),
	})
	request := httptest.NewRequest(http.MethodGet, path, nil).WithContext(ctx)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	done := make(chan struct{})
	if during != nil {
		go func() { defer close(done); during() }()
	} else {
		close(done)
	}
	recorder := httptest.NewRecorder()
	streams.ServeHTTP(recorder, request)
	<-done
	return watched{answer{t: a.t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}, recorder.Flushed}
}

// lines are the documents of a stream, each on a line.
func (w watched) lines() []client.TaskWatchEvent {
	require.Equal(w.t, http.StatusOK, w.status, "%s", w.body)
	require.Equal(w.t, "application/x-ndjson", w.header.Get("Content-Type"))
	require.True(w.t, w.flushed)
	require.True(w.t, bytes.HasSuffix(w.body, []byte("\n")))
	var events []client.TaskWatchEvent
	for line := range bytes.Lines(w.body) {
		var event client.TaskWatchEvent
		require.NoError(w.t, json.Unmarshal(line, &event), "%s", line)
		events = append(events, event)
	}
	return events
}

func inShort(events []client.TaskWatchEvent) []string {
	var short []string
	for _, e := range events {
		text := string(e.Type)
		if e.Task != nil {
			text += " " + e.Task.Entity.LastStatus
		}
		short = append(short, text)
	}
	return short
}

// change stores what an event tells, and tells the feed.
func (a *api) change(options ...eventtest.Option) {
	seen := a.task(options...)
	require.NoError(a.t, a.feed.AppendAll(context.Background(), []table.Change{{Key: seen.Key, Version: seen.Version, Reason: table.ReasonWritten}}))
}

func TestAStreamOfTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.change(eventtest.Version(1))
		got := a.watch(t.Context(), a.db, "/v1/stream/tasks?status=running&cluster=edge&timeoutSeconds=40", func() {
			<-time.After(5 * time.Second)
			a.change(eventtest.Version(2), eventtest.LastStatus("STOPPED"))
		})
		events := got.lines()
		require.Equal(t, []string{"SNAPSHOT", "UPDATED RUNNING", "BOOKMARK", "DELETED STOPPED", "HEARTBEAT", "HEARTBEAT", "END"}, inShort(events))
		task := a.get("/v1/tasks/edge/" + eventtest.DefaultTaskID).object()
		require.Equal(t, eventtest.DefaultTaskID, events[3].ID)
		require.Equal(t, home.ARN(""), events[3].ClusterARN)
		var shown map[string]any
		raw, err := json.Marshal(events[3].Task)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &shown))
		require.Equal(t, task["entity"], shown["entity"], "the document is that of the lists")
		for i, e := range events {
			require.Equal(t, i < 2, e.EntityVersion == "", "%d", i)
			if e.Task != nil {
				require.Equal(t, events[2].EntityVersion, e.Task.Metadata.EntityVersion, "read before the item")
			}
		}

		a.change(eventtest.Version(3), eventtest.LastStatus("STOPPED"))
		again := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=1&entityVersion="+events[6].EntityVersion, nil)
		require.Equal(t, []string{"BOOKMARK", "UPDATED STOPPED", "END"}, inShort(again.lines()))
		only := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=1&snapshot=false", nil)
		require.Equal(t, []string{"BOOKMARK", "END"}, inShort(only.lines()))
	})
}

func TestAListSaysWhereToWatchFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		for n := range 3 {
			a.change(eventtest.ID(id(n)), eventtest.Version(1))
		}
		a.feed.position = "" // the real one
		var first, page client.TaskPage
		a.get("/v1/tasks?limit=1").into(&first)
		require.NotEmpty(t, first.EntityVersion)
		a.change(eventtest.ID(id(0)), eventtest.Version(2), eventtest.LastStatus("STOPPED"))
		a.now = a.now.Add(time.Minute)
		for page = first; page.NextToken != ""; {
			token := page.NextToken
			page = client.TaskPage{}
			a.get("/v1/tasks?limit=1&nextToken=" + token).into(&page)
			require.Equal(t, first.EntityVersion, page.EntityVersion, "all pages count from the first")
			for _, item := range page.Items {
				require.Equal(t, first.EntityVersion, item.Metadata.EntityVersion)
			}
		}
		got := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=1&entityVersion="+page.EntityVersion, nil)
		require.Equal(t, []string{"BOOKMARK", "UPDATED STOPPED", "END"}, inShort(got.lines()))

		page = client.TaskPage{}
		a.get("/v1/tasks?startedBy=ops").into(&page)
		require.Empty(t, page.EntityVersion, "an index may lag behind the feed")
	})
}

func TestAStreamOfInstancesAsServerSentEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.instance()
		got := a.watch(t.Context(), a.db, "/v1/stream/instances?status=active&timeoutSeconds=1", nil, "Accept", "text/event-stream")
		require.Equal(t, "text/event-stream", got.header.Get("Content-Type"))
		scanner := bufio.NewScanner(bytes.NewReader(got.body))
		var names []string
		var last string
		for scanner.Scan() {
			name, value, _ := strings.Cut(scanner.Text(), ": ")
			switch name {
			case "event":
				names = append(names, value)
			case "id":
				last = value
			case "data":
				var event client.InstanceWatchEvent
				require.NoError(t, json.Unmarshal([]byte(value), &event))
				require.Equal(t, names[len(names)-1], string(event.Type))
				require.Equal(t, last, event.EntityVersion)
				if event.Type == client.WatchUpdated {
					require.Equal(t, eventtest.DefaultInstanceID, event.ID)
					require.Equal(t, "ACTIVE", event.Instance.Entity.Status)
				}
			}
		}
		require.Equal(t, []string{"SNAPSHOT", "UPDATED", "BOOKMARK", "END"}, names)
		// What a browser sends when it connects again counts more than the address it was given once.
		again := a.watch(t.Context(), a.db, "/v1/stream/instances?timeoutSeconds=1&entityVersion="+position(1<<50), nil, "Last-Event-ID", last)
		require.Contains(t, string(again.body), `{"type":"BOOKMARK"`)
		require.NotContains(t, string(again.body), "SNAPSHOT")
	})
}

func TestWhichFormAStreamHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		for accept, want := range map[string]string{
			"": "application/x-ndjson", "*/*": "application/x-ndjson", "text/html, application/json": "application/x-ndjson",
			"text/event-stream": "text/event-stream", "text/html, text/event-stream;q=0.5": "text/event-stream",
			"text/event-stream;q=0.5, application/x-ndjson": "application/x-ndjson", "text/event-stream;q=0": "application/x-ndjson",
			";;, text/event-stream;q=x": "application/x-ndjson",
		} {
			got := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=1", nil, "Accept", accept)
			require.Equal(t, want, got.header.Get("Content-Type"), accept)
		}
	})
}

func TestStreamsThatCannotBeGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		for path, want := range map[string]string{
			"tasks?status=walking":                            "query.status",
			"tasks?status=walking&cluster=a/b":                "query.cluster",
			"tasks?entityVersion=1-":                          "query.entityVersion: invalid position",
			"tasks?entityVersion=" + strings.Repeat("1", 200): "query.entityVersion",
			"tasks?timeoutSeconds=0":                          "query.timeoutSeconds",
			"tasks?timeoutSeconds=301":                        "query.timeoutSeconds",
			"tasks?snapshot=maybe":                            "query.snapshot",
			"tasks?limit=5":                                   "query.limit: not supported here",
			"tasks?agentConnected=1":                          "query.agentConnected",
			"instances?status=RUNNING":                        "query.status",
			"instances?startedBy=ops":                         "query.startedBy: not supported here",
		} {
			detail := a.watch(t.Context(), a.db, "/v1/stream/"+path, nil).problem(400)
			require.Contains(t, detail, want, path)
			if !strings.Contains(path, "11") {
				require.Equal(t, 1, strings.Count(detail, want), "%s: said once: %s", path, detail)
			}
		}
		require.Contains(t, a.watch(t.Context(), a.db, "/v1/stream/tasks", nil, "Last-Event-ID", "*").problem(400), "header.Last-Event-ID")
		require.Contains(t, a.watch(t.Context(), a.db, "/v1/stream/tasks?entityVersion="+position(1<<50), nil).problem(410), "list again")
		require.Contains(t, a.get("/v1/stream/tasks").problem(421), "BLOX_HANDLER=stream")
		a.watch(t.Context(), a.db, "/v1/tasks", nil).problem(404)
		a.watch(t.Context(), a.db, "/v1/stream/clusters", nil).problem(404)
		for _, things := range []string{"tasks", "instances"} {
			require.Contains(t, a.watch(t.Context(), a.db, "/v1/stream/"+things+"?cluster=nobody", nil).problem(404), "give the ARN to wait for it")
		}
		require.Equal(t, 200, a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=1&cluster="+clusterARN("nobody"), nil).status)
		a.watch(t.Context(), &broken{API: a.db}, "/v1/stream/tasks?cluster=edge", nil).problem(500)
		require.Equal(t, 200, a.watch(t.Context(), a.db, "/v1/ping", nil).status)
	})
}

// breaking fails from a moment on.
type breaking struct {
	dynamo.API
	err    error
	broken atomic.Bool
}

func (b *breaking) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if b.broken.Load() {
		return nil, b.err
	}
	return b.API.BatchGetItem(ctx, in, opts...)
}

func TestAStreamThatFailsSaysSoInItsLastLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		for about, tc := range map[string]struct {
			err    error
			status int
			detail string
		}{
			"a fault of ours":         {errors.New("10.0.0.7"), 500, "something went wrong in Blox itself"},
			"a reader that was slow":  {table.ErrExpired, 410, "list again"},
			"a snapshot that is slow": {nil, 413, "one cluster only, add desiredStatus=RUNNING"},
		} {
			t.Log(about)
			db := &breaking{API: a.db, err: tc.err}
			path := "/v1/stream/tasks?timeoutSeconds=10"
			if tc.err == nil {
				for n := range 150 {
					a.task(eventtest.ID(id(n)))
				}
				path = "/v1/stream/tasks?timeoutSeconds=1"
				db.API = &slow{API: a.db}
			}
			got := a.watch(t.Context(), db, path, func() {
				<-time.After(3 * time.Second)
				db.broken.Store(tc.err != nil)
			})
			events := got.lines()
			last := events[len(events)-1]
			require.Equal(t, client.WatchError, last.Type)
			require.Equal(t, tc.status, last.Error.Status)
			require.Equal(t, http.StatusText(tc.status), last.Error.Title)
			require.Contains(t, last.Error.Detail, tc.detail)
			require.NotContains(t, string(got.body), "10.0.0.7")
		}
		require.Contains(t, a.log.String(), "10.0.0.7")
	})
}

// Lambda cuts an answer off that is too large, without a last line.
func TestAStreamEndsBeforeItIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.task()
		a.feed.position = ""
		a.streamBytes = 300 // less than a task
		snapshot := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=1", nil).lines()
		last := snapshot[len(snapshot)-1]
		require.Equal(t, []string{"SNAPSHOT", "UPDATED RUNNING", "BOOKMARK", "END"}, inShort(snapshot), "it was complete before it was full")
		began := time.Now()
		a.change(eventtest.Version(2))
		again := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=300&entityVersion="+last.EntityVersion, func() {
			<-time.After(3 * time.Second)
			a.change(eventtest.Version(3))
		})
		require.Equal(t, []string{"BOOKMARK", "UPDATED RUNNING", "END"}, inShort(again.lines()))
		require.Less(t, time.Since(began), 10*time.Second)

		for n := range 150 {
			a.task(eventtest.ID(id(n)))
		}
		tooLarge := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=300", nil).lines()
		last = tooLarge[len(tooLarge)-1]
		require.Equal(t, client.WatchError, last.Type)
		require.Equal(t, 413, last.Error.Status)
		require.Less(t, len(tooLarge), 150)
	})
}

func TestAStreamLastsAMinuteUnlessToldOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		began := time.Now()
		a.watch(t.Context(), a.db, "/v1/stream/tasks", nil).lines()
		require.Equal(t, time.Minute, time.Since(began))
	})
}

// slow takes a second for each query.
type slow struct{ dynamo.API }

func (s *slow) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	<-time.After(time.Second)
	return s.API.Query(ctx, in, opts...)
}

func TestAStreamEndsBeforeItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began := time.Now()
		got := a.watch(ctx, a.db, "/v1/stream/tasks", nil)
		require.Equal(t, 18*time.Second, time.Since(began))
		require.Equal(t, []string{"SNAPSHOT", "BOOKMARK", "HEARTBEAT", "END"}, inShort(got.lines()))
	})
}

func TestAStreamEndsWithItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		gone, leave := context.WithCancel(t.Context())
		began := time.Now()
		got := a.watch(gone, a.db, "/v1/stream/tasks", func() {
			<-time.After(7 * time.Second)
			leave()
		})
		require.Equal(t, 7*time.Second, time.Since(began))
		require.Equal(t, []string{"SNAPSHOT", "BOOKMARK"}, inShort(got.lines()), "and nobody is told anything")
		require.NotContains(t, a.log.String(), "request failed")
	})
}
