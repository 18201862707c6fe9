package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// stream answers with lines.
func stream(lines ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n")
	}
}

// broken is a stream whose connection is cut off after its lines.
func broken(lines ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100000")
		stream(lines...)(w, r)
	}
}

func line(kind, position string) string {
	return fmt.Sprintf(`{"type":%q,"entityVersion":%q}`, kind, position)
}

const updated = `{"type":"UPDATED","clusterARN":"arn:aws:ecs:eu-west-1:210987654321:cluster/edge","id":"0f5d","task":{"metadata":{"version":3},"entity":{"lastStatus":"RUNNING","other":[1]}}}`

// watchTasks gives the types of the first n events, and how the watch ended if it did before.
func watchTasks(c *Client, options WatchOptions, n int) (types []string, last TaskWatchEvent, err error) {
	for event, err := range c.WatchTasks(context.Background(), TaskFilter{Cluster: "edge", Status: "running"}, options) {
		if err != nil {
			return types, last, err
		}
		types, last = append(types, string(event.Type)), event
		if len(types) == n {
			break
		}
	}
	return types, last, nil
}

func TestAWatchGoesOnByItself(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){
		broken(line("SNAPSHOT", ""), updated), // cut off: only a new snapshot is complete
		stream(line("SNAPSHOT", ""), updated, line("BOOKMARK", "p1"), line("END", "p2")),
		status(503, `{"status":503}`),
		status(503, `{"status":503}`),
		broken(line("BOOKMARK", "p2"), line("HEARTBEAT", "p3")),
		stream(line("BOOKMARK", "p3"), `{"type":"ERROR","error":{"status":500,"title":"Internal Server Error","detail":"oops"}}`),
		stream(line("BOOKMARK", "p3"), line("NOVELTY", "p4"), "", updated, line("HEARTBEAT", "p5"), line("END", "p6")),
	}}
	c := f.start(t, Options{})
	types, last, err := watchTasks(c, WatchOptions{TimeoutSeconds: 60}, 11)
	require.NoError(t, err)
	require.Equal(t, []string{
		"SNAPSHOT", "UPDATED", "SNAPSHOT", "UPDATED", "BOOKMARK", "BOOKMARK", "HEARTBEAT", "BOOKMARK", "BOOKMARK", "UPDATED", "HEARTBEAT",
	}, types)
	require.Equal(t, "p5", last.EntityVersion)
	const path = "GET /v1/stream/tasks?cluster=edge"
	require.Equal(t, []string{
		path + "&status=running&timeoutSeconds=60", path + "&status=running&timeoutSeconds=60",
		path + "&entityVersion=p2&status=running&timeoutSeconds=60", path + "&entityVersion=p2&status=running&timeoutSeconds=60",
		path + "&entityVersion=p2&status=running&timeoutSeconds=60", path + "&entityVersion=p3&status=running&timeoutSeconds=60",
		path + "&entityVersion=p3&status=running&timeoutSeconds=60",
	}, f.requests)
	require.Len(t, f.pauses, 6)
	require.Equal(t, shortAnswer, f.pauses[1], "after an end in order that came at once")
	require.Less(t, f.pauses[2], f.pauses[3], "ever longer while there is nothing")
	require.Equal(t, f.pauses[2], f.pauses[4], "and anew after progress")
	require.Less(t, f.pauses[4], f.pauses[5], "what an answer begins with is none")
}

func TestAnEventOfAWatch(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){stream(updated)}}
	_, event, err := watchTasks(f.start(t, Options{}), WatchOptions{NoSnapshot: true}, 1)
	require.NoError(t, err)
	require.Equal(t, "0f5d", event.ID)
	require.Equal(t, "RUNNING", event.Task.Entity.LastStatus)
	require.JSONEq(t, `{"lastStatus":"RUNNING","other":[1]}`, string(event.Task.Entity.Raw))
	require.Contains(t, f.requests[0], "&snapshot=false")

	f = &fake{answers: []func(http.ResponseWriter, *http.Request){stream(`{"type":"DELETED","id":"3b9e","instance":{"entity":{"status":"DRAINING"}}}`)}}
	for event, err := range f.start(t, Options{}).WatchInstances(t.Context(), InstanceFilter{Status: "active"}, WatchOptions{EntityVersion: "p"}) {
		require.NoError(t, err)
		require.Equal(t, "DRAINING", event.Instance.Entity.Status)
		break
	}
	require.Equal(t, []string{"GET /v1/stream/instances?entityVersion=p&status=active"}, f.requests)
}

func TestWhatEndsAWatch(t *testing.T) {
	expired := `{"type":"ERROR","error":{"status":410,"title":"Gone","detail":"list again"}}`
	for about, tc := range map[string]struct {
		answers  []func(http.ResponseWriter, *http.Request)
		status   int
		again    bool
		requests int
	}{
		"an old position":             {[]func(http.ResponseWriter, *http.Request){status(410, `{"status":410,"detail":"list again"}`)}, 410, true, 1},
		"a position that becomes old": {[]func(http.ResponseWriter, *http.Request){stream(line("BOOKMARK", "p1"), expired)}, 410, true, 1},
		"a wrong filter":              {[]func(http.ResponseWriter, *http.Request){status(400, `{"status":400}`)}, 400, false, 1},
		"no permission":               {[]func(http.ResponseWriter, *http.Request){status(403, `{"message":"no"}`)}, 403, false, 1},
		"neither streams nor polls":   {[]func(http.ResponseWriter, *http.Request){status(421, `{"status":421}`)}, 421, false, 2},
		"no answer from the start":    {[]func(http.ResponseWriter, *http.Request){status(503, `{"status":503}`)}, 503, false, maxAttempts},
		"too many watchers":           {[]func(http.ResponseWriter, *http.Request){status(429, `{"status":429}`)}, 429, false, maxAttempts},
		"a snapshot that is too large": {[]func(http.ResponseWriter, *http.Request){
			stream(line("BOOKMARK", "p1"), `{"type":"ERROR","error":{"status":413,"title":"Request Entity Too Large","detail":"one cluster"}}`),
		}, 413, false, 1},
		"something else": {[]func(http.ResponseWriter, *http.Request){status(200, "<html>")}, 0, false, 1},
		"a wrong one, later": {[]func(http.ResponseWriter, *http.Request){
			broken(line("BOOKMARK", "p1")), status(403, `{"message":"no"}`),
		}, 403, false, 2},
	} {
		t.Run(about, func(t *testing.T) {
			f := &fake{answers: tc.answers}
			_, _, err := watchTasks(f.start(t, Options{}), WatchOptions{EntityVersion: "p0"}, 100)
			require.ErrorContains(t, err, "watching tasks: ")
			require.Equal(t, tc.status, StatusOf(err))
			require.Equal(t, tc.again, errors.Is(err, ErrListAgain))
			require.Len(t, f.requests, tc.requests)
		})
	}
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) {
		stream(line("BOOKMARK", "p1"))(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}}}
	n := 0
	for _, err := range f.start(t, Options{HTTPClient: &http.Client{Timeout: time.Nanosecond}}).WatchTasks(ctx, TaskFilter{}, WatchOptions{}) {
		require.NoError(t, err, "the end that was asked for is no error, and a client's time limit is not for streams")
		n++
		cancel()
	}
	require.Equal(t, 1, n)
}

// silent is a server that says one line and then nothing.
type silent struct{ asked []string }

func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, r.URL.RawQuery)
	from, to := io.Pipe()
	go func() {
		_, _ = io.WriteString(to, line("BOOKMARK", "p1")+"\n")
		<-r.Context().Done()
		_ = to.CloseWithError(r.Context().Err())
	}()
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/x-ndjson")
	answer := recorder.Result()
	answer.Body, answer.Request = from, r
	return answer, nil
}

func TestASilentStreamCountsAsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &silent{}
		c, err := New(Options{Endpoint: "http://blox", HTTPClient: &http.Client{Transport: server}})
		require.NoError(t, err)
		began := time.Now()
		types, _, err := watchTasks(c, WatchOptions{}, 2)
		require.NoError(t, err)
		require.Equal(t, []string{"BOOKMARK", "BOOKMARK"}, types)
		require.GreaterOrEqual(t, time.Since(began), silenceLimit)
		require.Less(t, time.Since(began), silenceLimit+time.Second)
		require.Equal(t, "cluster=edge&entityVersion=p1&status=running", server.asked[1])
	})
}

// A fault that repeats brings the beginning of an answer each time.
func TestARepeatingFaultIsAskedForEverLessOften(t *testing.T) {
	fault := broken(line("BOOKMARK", "p1"))
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){fault, fault, fault, fault, fault, fault, fault, fault, fault, stream(line("BOOKMARK", "p1"), line("HEARTBEAT", "p1"))}}
	types, _, err := watchTasks(f.start(t, Options{}), WatchOptions{EntityVersion: "p1"}, 11)
	require.NoError(t, err)
	require.Equal(t, "HEARTBEAT", types[10])
	require.Len(t, f.pauses, 9)
	require.IsNonDecreasing(t, f.pauses)
	require.Equal(t, maxPause, f.pauses[8])
}

// A snapshot that is cut off has to begin again, at the price of all of it.
func TestASnapshotIsNotBegunAgainForEver(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){broken(line("SNAPSHOT", ""), updated, line("HEARTBEAT", ""))}}
	types, _, err := watchTasks(f.start(t, Options{}), WatchOptions{}, 100)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Len(t, f.requests, maxAttempts)
	require.Len(t, types, 3*maxAttempts)
}

// scripted writes its lines as they are read, and then nothing.
type scripted struct {
	lines []string
	asked int
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	from, to := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = to.CloseWithError(r.Context().Err()) })
	go func() {
		for _, text := range s.lines {
			if _, err := io.WriteString(to, text+"\n"); err != nil {
				return
			}
		}
	}()
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/x-ndjson")
	answer := recorder.Result()
	answer.Body, answer.Request = from, r
	return answer, nil
}

func TestWhoIteratesMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scripted{lines: []string{line("BOOKMARK", "p1"), line("HEARTBEAT", "p2"), line("HEARTBEAT", "p3")}}
		c, err := New(Options{Endpoint: "http://blox", HTTPClient: &http.Client{Transport: server}})
		require.NoError(t, err)
		var positions []string
		for event, err := range c.WatchTasks(t.Context(), TaskFilter{}, WatchOptions{}) {
			require.NoError(t, err)
			if positions = append(positions, event.EntityVersion); len(positions) == 3 {
				break
			}
			<-time.After(3 * silenceLimit)
		}
		require.Equal(t, []string{"p1", "p2", "p3"}, positions)
		require.Equal(t, 1, server.asked, "the stream was not silent meanwhile")
	})
}
