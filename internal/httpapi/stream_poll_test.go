package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// ordinary is the ordinary function, which answers no streams, on the bubble's clock.
func (a *api) ordinary(db dynamo.API) http.Handler {
	return httpapi.New(httpapi.Deps{
		State: table.NewState(db, "state", state.DefaultVisibleFor), Daemon: a.daemon, ECS: a.ecsOf, Wakeups: a.wakeups, Reconciles: a.reconciles,
		Feed: table.NewFeed(db, "state", time.Now), Now: time.Now, NewID: a.newID, StreamBytes: a.streamBytes,
		Account: account, Region: region, Installation: "test", Version: "test", Logger: slog.New(slog.NewJSONHandler(a.log, nil)),
	})
}

// poll asks for one answer.
func (a *api) poll(ctx context.Context, path string) answer {
	recorder := httptest.NewRecorder()
	a.ordinary(a.db).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil).WithContext(ctx))
	return answer{t: a.t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
}

// tasks is one answer to a poll of tasks.
func (a *api) tasks(query string) client.TaskPoll {
	var poll client.TaskPoll
	a.poll(context.Background(), "/v1/poll/tasks?"+query).into(&poll)
	require.NotNil(a.t, poll.Items)
	require.NotEqual(a.t, poll.EntityVersion == "", poll.NextToken == "", "one of the two")
	return poll
}

func TestAPollOfTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.change(eventtest.Version(1))
		began := time.Now()
		first := a.tasks("status=running&cluster=edge")
		require.Equal(t, []string{"SNAPSHOT", "UPDATED RUNNING", "BOOKMARK"}, inShort(first.Items))
		require.Equal(t, first.EntityVersion, first.Items[1].Task.Metadata.EntityVersion, "read before the item")
		require.Equal(t, time.Now(), began, "at once")

		go func() {
			<-time.After(3 * time.Second)
			a.change(eventtest.Version(2), eventtest.LastStatus("STOPPED"))
		}()
		second := a.tasks("status=running&cluster=edge&entityVersion=" + first.EntityVersion)
		require.Equal(t, []string{"DELETED STOPPED"}, inShort(second.Items))
		require.Equal(t, eventtest.DefaultTaskID, second.Items[0].ID)
		require.Equal(t, home.ARN(""), second.Items[0].ClusterARN)
		require.Less(t, time.Since(began), 5*time.Second, "as soon as it is known")

		began = time.Now()
		third := a.tasks("status=running&cluster=edge&entityVersion=" + second.EntityVersion)
		require.Empty(t, third.Items)
		require.Equal(t, second.EntityVersion, third.EntityVersion)
		require.Equal(t, 20*time.Second, time.Since(began))
		a.tasks("wait=3&entityVersion=" + second.EntityVersion)
		require.Equal(t, 23*time.Second, time.Since(began))

		require.Equal(t, client.TaskPoll{Items: []client.TaskWatchEvent{}, PollEnd: client.PollEnd{EntityVersion: second.EntityVersion}},
			a.tasks("snapshot=false"))
		require.Equal(t, 23*time.Second, time.Since(began))
	})
}

// A list, a stream and a poll go on from each other's entityVersion.
func TestAPollGoesOnFromAListAndAStreamFromAPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.change(eventtest.Version(1))
		a.feed.position = ""
		var page client.TaskPage
		a.get("/v1/tasks").into(&page)
		a.change(eventtest.Version(2), eventtest.LastStatus("STOPPED"))
		poll := a.tasks("entityVersion=" + page.EntityVersion)
		require.Equal(t, []string{"UPDATED STOPPED"}, inShort(poll.Items))
		a.change(eventtest.Version(3), eventtest.LastStatus("STOPPED"))
		got := a.watch(t.Context(), a.db, "/v1/stream/tasks?timeoutSeconds=1&entityVersion="+poll.EntityVersion, nil)
		require.Equal(t, []string{"BOOKMARK", "UPDATED STOPPED", "END"}, inShort(got.lines()))
	})
}

func TestAPollOfInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.instance()
		a.task()
		var poll client.InstancePoll
		a.poll(t.Context(), "/v1/poll/instances?status=active&attribute=ecs.os-type:linux").into(&poll)
		require.Len(t, poll.Items, 3)
		require.Equal(t, "ACTIVE", poll.Items[1].Instance.Entity.Status)
	})
}

// A snapshot takes as many answers as it needs; what changes meanwhile is told from its entityVersion on.
func TestASnapshotInSeveralAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		const n = 1100
		for i := range n {
			a.task(eventtest.ID(id(i)))
		}
		poll := a.tasks("")
		has := map[string]string{}
		answers := 1
		for ; poll.NextToken != ""; answers++ {
			for _, event := range poll.Items {
				has[event.ID] = string(event.Type)
			}
			a.change(eventtest.ID(id(0)), eventtest.Version(int64(1+answers)), eventtest.LastStatus("STOPPED"))
			a.poll(t.Context(), "/v1/poll/tasks?status=running&nextToken="+poll.NextToken).problem(400)
			poll = a.tasks("nextToken=" + url.QueryEscape(poll.NextToken))
		}
		for _, event := range poll.Items {
			has[event.ID] = string(event.Type)
		}
		require.Greater(t, answers, 1)
		require.Len(t, has, n+1, "and the bookmark, which has no id")
		require.Equal(t, "BOOKMARK", inShort(poll.Items)[len(poll.Items)-1])
		require.Equal(t, []string{"UPDATED STOPPED"}, inShort(a.tasks("entityVersion="+poll.EntityVersion).Items))
	})
}

func TestAnAnswerToAPollEndsBeforeItIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.streamBytes = 1
		poll := a.tasks("snapshot=false")
		for n := range 3 {
			a.change(eventtest.ID(id(n)))
		}
		<-time.After(time.Second)
		from := poll.EntityVersion
		var all []string
		for range 3 {
			query := "entityVersion=" + poll.EntityVersion
			if poll.NextToken != "" {
				query = "nextToken=" + poll.NextToken
			}
			poll = a.tasks(query)
			require.Len(t, poll.Items, 1)
			require.Equal(t, from, poll.Items[0].EntityVersion)
			all = append(all, poll.Items[0].ID)
		}
		require.ElementsMatch(t, []string{id(0), id(1), id(2)}, all)
		require.Empty(t, poll.NextToken)
	})
}

func TestAPollEndsBeforeItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		from := a.tasks("snapshot=false").EntityVersion
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		var poll client.TaskPoll
		a.poll(ctx, "/v1/poll/tasks?entityVersion="+from).into(&poll)
		require.Equal(t, 8*time.Second, time.Since(began))
	})
}

func TestPollsThatCannotBeAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.task()
		for path, want := range map[string]string{
			"tasks?status=walking":                            "query.status",
			"tasks?entityVersion=1-":                          "query.entityVersion: invalid position",
			"tasks?entityVersion=" + strings.Repeat("1", 200): "query.entityVersion",
			"tasks?wait=0":                                    "query.wait",
			"tasks?wait=26":                                   "query.wait",
			"tasks?timeoutSeconds=5":                          "query.timeoutSeconds: not supported here",
			"tasks?nextToken=x":                               "query.nextToken: not a token that this API gave",
			"tasks?nextToken=x&entityVersion=" + position(1):  "query.nextToken: both entityVersion and nextToken",
			"instances?status=RUNNING":                        "query.status",
		} {
			require.Contains(t, a.poll(t.Context(), "/v1/poll/"+path).problem(400), want, path)
		}
		require.Contains(t, a.poll(t.Context(), "/v1/poll/tasks?entityVersion="+position(1<<50)).problem(410), "list again")
		require.Contains(t, a.poll(t.Context(), "/v1/poll/tasks?cluster=nobody").problem(404), "give the ARN to wait for it")
		a.watch(t.Context(), a.db, "/v1/poll/tasks", nil).problem(404)
		require.Contains(t, a.get("/v1/stream/tasks").problem(421), "/v1/poll/tasks")
	})
}

// handled calls a handler as if it were a server elsewhere.
type handled struct{ http.Handler }

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// The client watches an API that does not stream all the same.
func TestTheClientWatchesWithoutStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.change(eventtest.Version(1))
		c, err := client.New(client.Options{Endpoint: "http://blox", HTTPClient: &http.Client{Transport: handled{a.ordinary(a.db)}}})
		require.NoError(t, err)
		go func() {
			for n := range 3 {
				<-time.After(30 * time.Second)
				a.change(eventtest.ID(id(n)))
			}
		}()
		var told []string
		for event, err := range c.WatchTasks(t.Context(), client.TaskFilter{}, client.WatchOptions{}) {
			require.NoError(t, err)
			if event.Type == client.WatchHeartbeat {
				continue
			}
			if told = append(told, fmt.Sprint(event.Type)); len(told) == 6 {
				break
			}
		}
		require.Equal(t, []string{"SNAPSHOT", "UPDATED", "BOOKMARK", "UPDATED", "UPDATED", "UPDATED"}, told)
	})
}
