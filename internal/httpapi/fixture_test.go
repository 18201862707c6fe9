package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/member"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
	"github.com/blox/blox/internal/wakeup"
)

var update = flag.Bool("update", false, "write the golden files of testdata from what the API answers")

const (
	account = eventtest.DefaultAccount
	region  = eventtest.DefaultRegion
)

// start is a little after what eventtest's events tell of.
var start = eventtest.DefaultTime.Add(time.Minute)

// home is the cluster of the events that eventtest builds.
var home = state.ClusterKey{Account: account, Region: region, Name: eventtest.DefaultCluster}

// id makes an id of ECS's form that can be told apart.
func id(n int) string { return fmt.Sprintf("%032x", n) }

// A member of the installation, with an ECS of its own.
const memberAccount, memberRegion = "333333333333", "eu-central-1"

// api is the API on stores in memory.
type api struct {
	t       testing.TB
	handler http.Handler
	streams http.Handler
	db      dynamo.API
	state   *table.State
	daemon  *table.Daemon
	ecs     *fakeECS
	member  *fakeECS
	feed    *fakeFeed
	wakeups *fakeQueue
	// scheduler is what is known of hosts.
	scheduler *fakeScheduler
	// reconciles is what was asked of reconcile.
	reconciles *fakeRequests
	log        *bytes.Buffer
	now        time.Time
	ids        int
	// streamBytes is how much a stream may be; 0 is what it is on Lambda.
	streamBytes int64
}

func newAPI(t testing.TB) *api { return newAPIOn(t, nil) }

// newAPIOn puts a layer between the API and the tables, if it is not nil.
func newAPIOn(t testing.TB, wrap func(dynamo.API) dynamo.API) *api {
	a := &api{
		t: t, ecs: newFakeECS(), member: &fakeECS{clusters: map[string]string{}, taskDefinitions: map[string]types.TaskDefinition{}},
		feed: &fakeFeed{position: position(7)}, wakeups: &fakeQueue{}, reconciles: &fakeRequests{}, log: &bytes.Buffer{}, now: start,
	}
	var db dynamo.API = memory.New(memory.WithClock(func() time.Time { return a.now }))
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
	if wrap != nil {
		db = wrap(db)
	}
	a.state, a.daemon = table.NewState(db, "state", state.DefaultVisibleFor), table.NewDaemon(db, "daemon")
	a.db = db
	a.feed.Feed = table.NewFeed(db, "state", func() time.Time { return a.now })
	deps := httpapi.Deps{
		State: a.state, Daemon: a.daemon, ECS: a.ecsOf, Feed: a.feed, Wakeups: a.wakeups, Reconciles: a.reconciles,
		Members: []member.Place{{Account: memberAccount, Region: memberRegion}}, VisibleFor: state.DefaultVisibleFor,
		Now: func() time.Time { return a.now }, NewID: a.newID,
		Account: account, Region: region, Installation: "test", Version: "test",
		Logger: slog.New(slog.NewJSONHandler(a.log, nil)),
	}
	a.scheduler = &fakeScheduler{api: a}
	deps.Scheduler = a.scheduler
	a.handler = httpapi.New(deps)
	deps.Daemon, deps.ECS, deps.Scheduler, deps.Wakeups, deps.Reconciles = nil, nil, nil, nil, nil
	a.streams = httpapi.NewStreams(deps)
	return a
}

func (a *api) ecsOf(wantAccount, wantRegion string) (httpapi.ECS, error) {
	switch {
	case wantAccount == account && wantRegion == region:
		return a.ecs, nil
	case wantAccount == memberAccount && wantRegion == memberRegion:
		return a.member, nil
	}
	return nil, fmt.Errorf("account %s in region %s is no member: allowed are %s/%s", wantAccount, wantRegion, account, region)
}

// position is a position in the feed.
func position(row int64) string {
	var p table.FeedPosition
	p[len(p)-1] = row
	return p.String()
}

// newID makes UUIDs that sort by the order they were made in.
func (a *api) newID() string {
	a.ids++
	return fmt.Sprintf("0000000a-bcde-7000-8000-%012d", a.ids)
}

// store stores what an event tells.
func (a *api) store(raw []byte) state.Observation {
	e, err := event.Parse(raw)
	require.NoError(a.t, err)
	require.NotNil(a.t, e.Observation)
	_, err = a.state.Put(context.Background(), *e.Observation, a.now)
	require.NoError(a.t, err)
	require.NoError(a.t, a.state.AddCluster(context.Background(), e.Observation.Cluster))
	return *e.Observation
}

func (a *api) task(options ...eventtest.Option) state.Observation {
	return a.store(eventtest.Task(options...))
}

func (a *api) instance(options ...eventtest.Option) state.Observation {
	return a.store(eventtest.ContainerInstance(options...))
}

// answer is what the API said.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

func (a *api) do(method, path, body string) answer {
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	request := httptest.NewRequest(method, path, in)
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request)
	return answer{t: a.t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
}

func (a *api) get(path string) answer { return a.do(http.MethodGet, path, "") }

// into decodes a success.
func (r answer) into(v any) {
	require.Equal(r.t, http.StatusOK, r.status, "%s", r.body)
	require.Contains(r.t, r.header.Get("Content-Type"), "application/json")
	require.NoError(r.t, json.Unmarshal(r.body, v))
}

// object decodes a success as any JSON object.
func (r answer) object() map[string]any {
	var object map[string]any
	r.into(&object)
	return object
}

// problem checks that the answer is a problem document, and gives its detail.
func (r answer) problem(status int) string {
	require.Equal(r.t, status, r.status, "%s", r.body)
	require.Equal(r.t, "application/problem+json", r.header.Get("Content-Type"))
	var problem struct {
		Status        int
		Title, Detail string
	}
	require.NoError(r.t, json.Unmarshal(r.body, &problem))
	require.Equal(r.t, status, problem.Status)
	require.Equal(r.t, http.StatusText(status), problem.Title)
	require.NotEmpty(r.t, problem.Detail)
	return problem.Detail
}

// golden compares a success body with a file of testdata.
func (r answer) golden(name string) {
	require.Equal(r.t, http.StatusOK, r.status, "%s", r.body)
	var pretty bytes.Buffer
	// How a position is written is the feed's to say.
	body := bytes.ReplaceAll(r.body, []byte(`"`+position(7)+`"`), []byte(`"POSITION 7"`))
	require.NoError(r.t, json.Indent(&pretty, body, "", "  "))
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(r.t, os.MkdirAll("testdata", 0o755))
		require.NoError(r.t, os.WriteFile(path, pretty.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(r.t, err, "run the test with -update to write the file, then read it")
	require.Equal(r.t, string(want), pretty.String())
}

// fakeFeed is the feed, with the position that a test says unless that is empty.
type fakeFeed struct {
	*table.Feed
	position string
	err      error
}

func (f *fakeFeed) Position(ctx context.Context) (string, error) {
	if f.position == "" && f.err == nil {
		return f.Feed.Position(ctx)
	}
	return f.position, f.err
}

// fakeQueue keeps what is sent.
type fakeQueue struct {
	sent []wakeup.Wakeup
	err  error
}

func (q *fakeQueue) Send(_ context.Context, messages []queue.Message) error {
	if q.err != nil {
		return q.err
	}
	for _, message := range messages {
		w, err := wakeup.Parse(message.Body)
		if err != nil {
			return err
		}
		q.sent = append(q.sent, w)
	}
	return nil
}

// fakeRequests keeps what is asked of reconcile.
type fakeRequests struct {
	sent []request.Request
	err  error
}

func (q *fakeRequests) Send(_ context.Context, messages []queue.Message) error {
	if q.err != nil {
		return q.err
	}
	for _, message := range messages {
		r, err := request.Parse(message.Body)
		if err != nil {
			return err
		}
		q.sent = append(q.sent, r)
	}
	return nil
}

var errBroken = errors.New("disk on fire at 10.0.0.7")
