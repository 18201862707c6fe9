package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// poll answers a poll; end is such as `"entityVersion":"p1"`.
func poll(end string, items ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		status(200, fmt.Sprintf(`{"items":[%s],%s}`, strings.Join(items, ","), end))(w, r)
	}
}

func answers(all ...func(http.ResponseWriter, *http.Request)) *fake { return &fake{answers: all} }

func TestAWatchPollsWhereStreamsAreNotAnswered(t *testing.T) {
	f := answers(
		status(421, `{"status":421}`),
		poll(`"nextToken":"t1"`, line("SNAPSHOT", ""), updated),
		status(502, `{"status":502}`), // a snapshot in parts goes on where it was
		poll(`"entityVersion":"p1"`, updated, line("BOOKMARK", "p1")),
		poll(`"nextToken":"t2"`, updated),
		poll(`"entityVersion":"p2"`, updated),
		poll(`"entityVersion":"p2"`),
		status(503, `{"status":503}`),
		poll(`"entityVersion":"p3"`, line("NOVELTY", "")),
	)
	types, last, err := watchTasks(f.start(t, Options{}), WatchOptions{TimeoutSeconds: 60}, 9)
	require.NoError(t, err)
	require.Equal(t, []string{
		"SNAPSHOT", "UPDATED", "UPDATED", "BOOKMARK", "UPDATED", "UPDATED", "HEARTBEAT", "HEARTBEAT", "HEARTBEAT",
	}, types)
	require.Equal(t, "p3", last.EntityVersion, "a heartbeat tells where to go on")
	const filter = "cluster=edge&"
	require.Equal(t, []string{
		"GET /v1/stream/tasks?" + filter + "status=running&timeoutSeconds=60",
		"GET /v1/poll/tasks?" + filter + "status=running",
		"GET /v1/poll/tasks?" + filter + "nextToken=t1&status=running",
		"GET /v1/poll/tasks?" + filter + "nextToken=t1&status=running",
		"GET /v1/poll/tasks?" + filter + "entityVersion=p1&status=running",
		"GET /v1/poll/tasks?" + filter + "nextToken=t2&status=running",
		"GET /v1/poll/tasks?" + filter + "entityVersion=p2&status=running",
		"GET /v1/poll/tasks?" + filter + "entityVersion=p2&status=running",
		"GET /v1/poll/tasks?" + filter + "entityVersion=p2&status=running",
	}, f.requests)
	require.Len(t, f.pauses, 5, "after what failed, and after answers that came at once and were whole")
}

func TestAPollThatIsAskedFor(t *testing.T) {
	f := answers(poll(`"entityVersion":"p1"`, `{"type":"DELETED","id":"3b9e","instance":{"entity":{"status":"DRAINING"}}}`))
	for event, err := range f.start(t, Options{}).WatchInstances(t.Context(), InstanceFilter{}, WatchOptions{LongPoll: true, NoSnapshot: true}) {
		require.NoError(t, err)
		require.Equal(t, "DRAINING", event.Instance.Entity.Status)
		break
	}
	require.Equal(t, []string{"GET /v1/poll/instances?snapshot=false"}, f.requests)
}

func TestAnswersToPollsThatAreNone(t *testing.T) {
	for body, want := range map[string]string{
		`{"items":[]}`: "does not say where to go on",
		`{"items":[],"entityVersion":"p","nextToken":"t"}`: "does not say where to go on",
		`{"items":{},"entityVersion":"p"}`:                 "decoding the answer",
		`{"items":[`:                                       "decoding the answer",
	} {
		f := answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			status(200, body)(w, r)
		})
		types, _, err := watchTasks(f.start(t, Options{}), WatchOptions{LongPoll: true}, 1)
		require.ErrorContains(t, err, want, body)
		require.Empty(t, types)
	}
	f := answers(poll(`"entityVersion":"p1"`, `{"type":"ERROR","error":{"status":500}}`))
	_, _, err := watchTasks(f.start(t, Options{}), WatchOptions{LongPoll: true, GiveUpAfter: time.Nanosecond}, 1)
	require.Equal(t, 500, StatusOf(err))
	f = answers(stream(line("BOOKMARK", "p")))
	_, _, err = watchTasks(f.start(t, Options{}), WatchOptions{LongPoll: true}, 1)
	var other *ForeignError
	require.ErrorAs(t, err, &other)
}

func TestAWatchMayListAgainByItself(t *testing.T) {
	gone := status(410, `{"status":410}`)
	for about, first := range map[string]func(http.ResponseWriter, *http.Request){
		"from the start": gone,
		"later":          stream(line("BOOKMARK", "p0"), `{"type":"ERROR","error":{"status":410}}`),
	} {
		f := answers(first, stream(line("SNAPSHOT", ""), updated, line("BOOKMARK", "p1"), line("END", "p1")))
		var types []string
		for event, err := range f.start(t, Options{}).WatchTasks(t.Context(), TaskFilter{}, WatchOptions{
			EntityVersion: "p0", NoSnapshot: true, ListAgain: true,
		}) {
			require.NoError(t, err)
			if types = append(types, string(event.Type)); event.EntityVersion == "p1" {
				break
			}
		}
		require.Equal(t, []string{"SNAPSHOT", "UPDATED", "BOOKMARK"}, types[len(types)-3:], about)
		require.Equal(t, []string{"GET /v1/stream/tasks?entityVersion=p0", "GET /v1/stream/tasks"}, f.requests,
			"with a snapshot: what was missed is not known otherwise")
		require.Len(t, f.pauses, 1, "or a position that is never right would make a storm")
	}
}

// What fails now and then, each time soon after the watch began again, is not added up over months.
func TestAWatchThatOftenListsAgainDoesNotEnd(t *testing.T) {
	var all []func(http.ResponseWriter, *http.Request)
	for range 2 * maxAttempts {
		all = append(all,
			stream(line("SNAPSHOT", ""), line("BOOKMARK", "p1"), `{"type":"ERROR","error":{"status":410}}`), status(503, `{"status":503}`))
	}
	f := answers(append(all, stream(line("SNAPSHOT", ""), line("BOOKMARK", "p2")))...)
	types, last, err := watchTasks(f.start(t, Options{}), WatchOptions{ListAgain: true}, 4*maxAttempts+2)
	require.NoError(t, err)
	require.Len(t, types, 4*maxAttempts+2)
	require.Equal(t, "p2", last.EntityVersion)

	f = answers(all[0], status(503, `{"status":503}`))
	_, _, err = watchTasks(f.start(t, Options{}), WatchOptions{ListAgain: true}, 100)
	require.Equal(t, 503, StatusOf(err), "but a snapshot is not begun again for ever")
	require.Len(t, f.requests, 1+maxAttempts)
}

// A token may outlive the release that gave it.
func TestATokenThatIsRefused(t *testing.T) {
	refused := status(400, `{"status":400}`)
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){
		poll(`"nextToken":"t1"`, line("SNAPSHOT", ""), updated), refused, // within a snapshot: another one
		poll(`"nextToken":"t2"`, line("SNAPSHOT", ""), updated), poll(`"entityVersion":"p1"`, updated, line("BOOKMARK", "p1")),
		poll(`"nextToken":"t3"`, updated), refused, // within changes: from the position
		poll(`"entityVersion":"p2"`, updated),
		poll(`"nextToken":"t4"`, updated), refused, poll(`"nextToken":"t5"`, updated), refused, // again at once
	}}
	types, _, err := watchTasks(f.start(t, Options{}), WatchOptions{LongPoll: true}, 100)
	require.Equal(t, 400, StatusOf(err))
	require.Equal(t, []string{
		"SNAPSHOT", "UPDATED", "SNAPSHOT", "UPDATED", "UPDATED", "BOOKMARK", "UPDATED", "UPDATED", "HEARTBEAT", "UPDATED", "UPDATED",
	}, types)
	const path, filter = "GET /v1/poll/tasks?cluster=edge&", "status=running"
	require.Equal(t, []string{
		path + filter, path + "nextToken=t1&" + filter,
		path + filter, path + "nextToken=t2&" + filter,
		path + "entityVersion=p1&" + filter, path + "nextToken=t3&" + filter,
		path + "entityVersion=p1&" + filter,
		path + "entityVersion=p2&" + filter, path + "nextToken=t4&" + filter,
		path + "entityVersion=p2&" + filter, path + "nextToken=t5&" + filter,
	}, f.requests)
	require.Len(t, f.pauses, 3+2, "after each refusal but the last, and after answers that came at once and were whole")

	f = answers(refused)
	_, _, err = watchTasks(f.start(t, Options{}), WatchOptions{LongPoll: true, EntityVersion: "p"}, 1)
	require.Equal(t, 400, StatusOf(err), "it was no token's fault")
	require.Len(t, f.requests, 1)
}

// failing refuses everything but its first answer.
type failing struct{ asked []time.Time }

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	f.asked = append(f.asked, time.Now())
	if len(f.asked) > 1 {
		return nil, errors.New("no route to host")
	}
	return (&scripted{lines: []string{line("BOOKMARK", "p1"), line("END", "p1")}}).RoundTrip(r)
}

func TestAWatchGivesUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &failing{}
		c, err := New(Options{Endpoint: "http://blox", HTTPClient: &http.Client{Transport: server}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		var last error
		for _, err := range c.WatchTasks(ctx, TaskFilter{}, WatchOptions{GiveUpAfter: 2 * time.Minute}) {
			last = err
		}
		require.ErrorContains(t, last, "giving up after ")
		require.ErrorContains(t, last, "no route to host")
		require.Less(t, time.Since(began), 2*time.Minute)
		require.Greater(t, time.Since(began), 110*time.Second)
		require.Less(t, len(server.asked), 60)
	})
}
