package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	function "github.com/blox/blox/functions/api"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/member"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

type invocation func(events.APIGatewayProxyRequest) events.APIGatewayProxyResponse

// newFunction is the function as Lambda calls it, with one task stored.
func newFunction(t *testing.T) (invoke invocation, task state.Observation) {
	invoke, store, _ := newStores(t)
	parsed, err := event.Parse(eventtest.Task())
	require.NoError(t, err)
	_, err = store.Put(t.Context(), *parsed.Observation, eventtest.DefaultTime)
	require.NoError(t, err)
	return invoke, *parsed.Observation
}

// newDaemonFunction is the function with its environments, of which there are none.
func newDaemonFunction(t *testing.T) (invocation, *table.Daemon) {
	invoke, _, daemons := newStores(t)
	return invoke, daemons
}

func newStores(t *testing.T) (invocation, *table.State, *table.Daemon) {
	now := func() time.Time { return eventtest.DefaultTime }
	db := memory.New(memory.WithClock(now))
	require.NoError(t, table.Create(t.Context(), db, "state", schema.State))
	require.NoError(t, table.Create(t.Context(), db, "daemon", schema.Daemon))
	store, daemons := table.NewState(db, "state", state.DefaultVisibleFor), table.NewDaemon(db, "daemon")
	handler := function.New(httpapi.Deps{
		State: store, Daemon: daemons, Feed: table.NewFeed(db, "state", now), Now: now,
		NewID: func() string { return "made-here" }, Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion,
		Wakeups: nowhere{}, Installation: "test", Logger: slog.New(slog.DiscardHandler),
	})
	entry := lambda.NewHandler(handler.Handle)
	return func(request events.APIGatewayProxyRequest) events.APIGatewayProxyResponse {
		payload, err := json.Marshal(request)
		require.NoError(t, err)
		raw, err := entry.Invoke(context.Background(), payload)
		require.NoError(t, err)
		var response events.APIGatewayProxyResponse
		require.NoError(t, json.Unmarshal(raw, &response))
		return response
	}, store, daemons
}

// nowhere takes wake-ups.
type nowhere struct{}

func (nowhere) Send(context.Context, []queue.Message) error { return nil }

func TestRequestsOfAPIGateway(t *testing.T) {
	invoke, task := newFunction(t)
	escaped := "arn%3Aaws%3Aecs%3A" + eventtest.DefaultRegion + "%3A" + eventtest.DefaultAccount + "%3Acluster%2Fedge"
	for about, test := range map[string]struct {
		path   string
		query  map[string][]string
		status int
	}{
		"a path":                   {path: "/v1/tasks/edge/" + task.ID, status: 200},
		"a long ARN":               {path: "/v1/tasks/edge/" + task.ARN, status: 200},
		"a cluster's ARN, escaped": {path: "/v1/tasks/" + escaped + "/" + task.ARN, status: 200},
		"the same, unescaped":      {path: "/v1/tasks/" + task.Cluster.ARN("") + "/" + task.ARN, status: 200},
		"a filter":                 {path: "/v1/tasks", query: map[string][]string{"cluster": {"edge"}, "startedBy": {"a b&c=d"}}, status: 200},
		"a filter twice":           {path: "/v1/tasks", query: map[string][]string{"cluster": {"edge", "core"}}, status: 400},
		"a poll":                   {path: "/v1/poll/tasks", status: 200},
		"a stream":                 {path: "/v1/stream/tasks", status: 421},
		"an unescaped path":        {path: "/v1/environments/100% sure?", status: 404},
		"an unknown path":          {path: "/v2", status: 404},
	} {
		t.Run(about, func(t *testing.T) {
			got := invoke(events.APIGatewayProxyRequest{
				HTTPMethod: http.MethodGet, Path: test.path, MultiValueQueryStringParameters: test.query,
				MultiValueHeaders: map[string][]string{"x-request-id": {"theirs"}},
				RequestContext:    events.APIGatewayProxyRequestContext{RequestID: "gateway-1"},
			})
			require.Equal(t, test.status, got.StatusCode, got.Body)
			require.Equal(t, []string{"gateway-1"}, got.MultiValueHeaders["X-Request-Id"], "API Gateway's own id, whatever the caller sent")
			require.False(t, got.IsBase64Encoded)
			require.True(t, json.Valid([]byte(got.Body)))
		})
	}
}

func TestABodyReachesTheAPI(t *testing.T) {
	invoke, _ := newFunction(t)
	for _, request := range []events.APIGatewayProxyRequest{
		{Body: `{"name": 1}`},
		{Body: "eyJuYW1lIjogMX0=", IsBase64Encoded: true, Headers: map[string]string{"Content-Type": "application/json"}},
	} {
		request.HTTPMethod, request.Path = http.MethodPost, "/v1/environments"
		got := invoke(request)
		require.Equal(t, 400, got.StatusCode)
		require.Contains(t, got.Body, "body.name: expected string")
		require.Equal(t, []string{"made-here"}, got.MultiValueHeaders["X-Request-Id"])
	}
}

// Who signed a request is kept with what it changes.
func TestTheCallerReachesTheAPI(t *testing.T) {
	invoke, daemons := newDaemonFunction(t)
	const arn = "arn:aws:sts::210987654321:assumed-role/operators/ada"
	env := daemon.Environment{ID: "e", Name: "log-agent", Status: daemon.EnvironmentActive, Revision: 1}
	require.NoError(t, daemons.CreateEnvironment(t.Context(), env, daemon.Revision{EnvironmentID: "e", Number: 1}))
	for _, caller := range []string{"", arn} {
		got := invoke(events.APIGatewayProxyRequest{
			HTTPMethod: http.MethodPost, Path: "/v1/environments/log-agent/freeze", Body: `{"reason": "audit"}`,
			RequestContext: events.APIGatewayProxyRequestContext{Identity: events.APIGatewayRequestIdentity{UserArn: caller}},
		})
		require.Equal(t, 200, got.StatusCode, got.Body)
		stored, err := daemons.Environment(t.Context(), "e")
		require.NoError(t, err)
		require.Equal(t, &daemon.Freeze{At: eventtest.DefaultTime, By: caller, Reason: "audit"}, stored.Frozen)
		got = invoke(events.APIGatewayProxyRequest{HTTPMethod: http.MethodPost, Path: "/v1/environments/log-agent/thaw"})
		require.Equal(t, 200, got.StatusCode, got.Body)
	}
}

func TestSettings(t *testing.T) {
	good := map[string]string{
		"BLOX_STATE_TABLE": "state", "BLOX_DAEMON_TABLE": "daemon", "BLOX_WAKEUP_QUEUE_URL": "https://queue", "BLOX_INSTALLATION": "main",
		"BLOX_ACCOUNT": "210987654321", "AWS_REGION": "eu-west-1", "BLOX_VERSION": "1.0.0", "BLOX_RETENTION_DAYS": "7",
		"BLOX_HANDLER": "api", "BLOX_MEMBERS": "none", "BLOX_EXTERNAL_ID": "none", "BLOX_RECONCILE_QUEUE_URL": "https://queue.fifo",
		"BLOX_RECONCILE_MINUTES": "5", "BLOX_ECS_READS_PER_SECOND": "10",
	}
	settings, err := function.SettingsFrom(func(name string) string { return good[name] })
	require.NoError(t, err)
	require.Equal(t, function.Settings{
		Handler: function.HandlerAPI, StateTable: "state", DaemonTable: "daemon", WakeupQueueURL: "https://queue",
		ReconcileQueueURL: "https://queue.fifo", Installation: "main",
		Settings: member.Settings{Home: member.Place{Account: "210987654321", Region: "eu-west-1"}, ExternalID: member.None},
		Version:  "1.0.0", VisibleFor: 7 * 24 * time.Hour, ReconcilePeriod: 5 * time.Minute, ReadsPerSecond: 10,
	}, settings)
	for name := range good {
		_, err := function.SettingsFrom(func(asked string) string {
			if asked == name {
				return ""
			}
			return good[asked]
		})
		require.ErrorContains(t, err, name)
	}
	for _, days := range []string{"0", "-1", "many", "3651"} {
		_, err := function.SettingsFrom(func(asked string) string {
			if asked == "BLOX_RETENTION_DAYS" {
				return days
			}
			return good[asked]
		})
		require.ErrorContains(t, err, "allowed are 1 to 3650 days")
	}
}

func TestTheStreamIsToldOnlyWhatItNeeds(t *testing.T) {
	good := map[string]string{
		"BLOX_HANDLER": "stream", "BLOX_STATE_TABLE": "state", "BLOX_INSTALLATION": "main", "BLOX_ACCOUNT": "210987654321",
		"AWS_REGION": "eu-west-1", "BLOX_VERSION": "1.0.0", "BLOX_RETENTION_DAYS": "7",
	}
	settings, err := function.SettingsFrom(func(name string) string { return good[name] })
	require.NoError(t, err)
	require.Equal(t, function.Settings{
		Handler: function.HandlerStream, StateTable: "state", Installation: "main", Version: "1.0.0", VisibleFor: 7 * 24 * time.Hour,
		Settings: member.Settings{Home: member.Place{Account: "210987654321", Region: "eu-west-1"}},
	}, settings)
	for name := range good {
		_, err := function.SettingsFrom(func(asked string) string {
			if asked == name {
				return ""
			}
			return good[asked]
		})
		require.ErrorContains(t, err, name)
	}
}
