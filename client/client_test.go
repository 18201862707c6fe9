package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
)

// fake is an API that answers what a test says, one answer after the other; the last one stays.
type fake struct {
	answers  []func(w http.ResponseWriter, r *http.Request)
	requests []string // METHOD URI BODY
	pauses   []time.Duration
}

func status(code int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if code >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		w.Header().Set("X-Request-Id", "r-1")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// start serves the fake, with a client that does not really wait.
func (f *fake) start(t *testing.T, options Options) *Client {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.requests = append(f.requests, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
		f.answers[min(len(f.requests), len(f.answers))-1](w, r)
	}))
	t.Cleanup(server.Close)
	if options.Endpoint == "" {
		options.Endpoint = server.URL
	}
	c, err := New(options)
	require.NoError(t, err)
	c.jitter = func() float64 { return 1 }
	c.pause = func(ctx context.Context, d time.Duration) error {
		f.pauses = append(f.pauses, d)
		return ctx.Err()
	}
	return c
}

func TestCallsSendWhatTheAPIExpects(t *testing.T) {
	yes := true
	base := 3
	arn := "arn:aws:ecs:eu-west-1:210987654321:task/edge/0f5d"
	for want, do := range map[string]func(*Client) error{
		"GET /v1/ping": func(c *Client) error { return c.Ping(t.Context()) },
		"GET /v1/tasks/edge/arn:aws:ecs:eu-west-1:210987654321:task%2Fedge%2F0f5d": func(c *Client) error {
			_, err := c.GetTask(t.Context(), "edge", arn)
			return err
		},
		"GET /v1/instances/arn:aws:ecs:eu-west-1:210987654321:cluster%2Fedge/3b9e": func(c *Client) error {
			_, err := c.GetInstance(t.Context(), "arn:aws:ecs:eu-west-1:210987654321:cluster/edge", "3b9e")
			return err
		},
		"GET /v1/tasks?cluster=edge&limit=5&nextToken=t&startedBy=a+b&status=running": func(c *Client) error {
			_, err := c.ListTasksPage(t.Context(), TaskFilter{Cluster: "edge", Status: "running", StartedBy: "a b"}, PageOptions{Limit: 5, NextToken: "t"})
			return err
		},
		"GET /v1/instances?status=active": func(c *Client) error {
			_, err := c.ListInstancesPage(t.Context(), InstanceFilter{Status: "active"}, PageOptions{})
			return err
		},
		"GET /v1/tasks?fields=lastStatus%2CstartedAt&limit=2&privateIp=10.0.0.1&q=x&sort=-createdAt&startedSince=2026-01-02T03%3A04%3A05.006Z": func(c *Client) error {
			_, err := c.AllTasks(t.Context(), TaskFilter{PrivateIP: "10.0.0.1", Search: "x", StartedSince: time.Date(2026, 1, 2, 4, 4, 5, 6_000_000, time.FixedZone("", 3600))},
				SortBy("-createdAt"), WithFields("lastStatus", "startedAt"), PageSize(2))
			return err
		},
		"GET /v1/instances?agentConnected=false&attribute=a&attribute=b%3Ac&limit=3&sort=registeredAt": func(c *Client) error {
			_, err := c.AllInstances(t.Context(), InstanceFilter{AgentConnected: new(false), Attributes: []string{"a", "b:c"}}, SortBy("registeredAt"), PageSize(3))
			return err
		},
		"GET /v1/version": func(c *Client) error {
			_, err := c.Version(t.Context())
			return err
		},
		"POST /v1/clusters/arn:aws:ecs:eu-west-1:210987654321:cluster%2Fedge/reconcile": func(c *Client) error {
			_, err := c.ReconcileCluster(t.Context(), "arn:aws:ecs:eu-west-1:210987654321:cluster/edge")
			return err
		},
		`POST /v1/environments {"name":"n","taskDefinition":"a:1"}`: func(c *Client) error {
			_, err := c.CreateEnvironment(t.Context(), EnvironmentDefinition{Name: "n", TaskDefinition: "a:1"})
			return err
		},
		`PUT /v1/environments/n {"taskDefinition":"a:1","baseRevision":3}`: func(c *Client) error {
			_, err := c.PutEnvironment(t.Context(), "n", EnvironmentDefinition{TaskDefinition: "a:1", BaseRevision: &base})
			return err
		},
		"GET /v1/environments/n%20m": func(c *Client) error {
			_, err := c.GetEnvironment(t.Context(), "n m")
			return err
		},
		"GET /v1/environments?cluster=edge": func(c *Client) error {
			_, err := c.ListEnvironmentsPage(t.Context(), "edge", PageOptions{})
			return err
		},
		"DELETE /v1/environments/n":                     func(c *Client) error { return c.DeleteEnvironment(t.Context(), "n", nil) },
		"DELETE /v1/environments/n?terminateTasks=true": func(c *Client) error { return c.DeleteEnvironment(t.Context(), "n", &yes) },
		"POST /v1/environments/n/deployments?deploymentToken=token": func(c *Client) error {
			_, err := c.CreateDeployment(t.Context(), "n", "token")
			return err
		},
		"GET /v1/environments/n/deployments/d": func(c *Client) error {
			_, err := c.GetDeployment(t.Context(), "n", "d")
			return err
		},
		"GET /v1/environments/n/deployments/d/timeline?limit=20": func(c *Client) error {
			_, err := c.ListTimeline(t.Context(), "n", "d", 20)
			return err
		},
		`PUT /v1/environments/n?force=true {"taskDefinition":"a:1","deploymentConfiguration":{"maxUnavailable":"10%"}}`: func(c *Client) error {
			_, err := c.PutEnvironment(t.Context(), "n", EnvironmentDefinition{
				TaskDefinition: "a:1", DeploymentConfiguration: &DeploymentConfiguration{MaxUnavailable: "10%"},
			}, WithForce())
			return err
		},
		"GET /v1/environments/n?deleted=true": func(c *Client) error {
			_, err := c.GetDeletedEnvironment(t.Context(), "n")
			return err
		},
		"GET /v1/environments/n/revisions?limit=3": func(c *Client) error {
			_, err := c.ListRevisionsPage(t.Context(), "n", PageOptions{Limit: 3})
			return err
		},
		"GET /v1/environments/n/revisions/7": func(c *Client) error {
			_, err := c.GetRevision(t.Context(), "n", 7)
			return err
		},
		"GET /v1/environments/n/diff?from=3": func(c *Client) error {
			_, err := c.DiffRevisions(t.Context(), "n", 3, 0)
			return err
		},
		`POST /v1/environments/n/pause {"reason":"x"}`: func(c *Client) error {
			_, err := c.PauseDeployment(t.Context(), "n", "x")
			return err
		},
		"POST /v1/environments/n/resume {}": func(c *Client) error {
			_, err := c.ResumeDeployment(t.Context(), "n", "")
			return err
		},
		"POST /v1/environments/n/promote {}": func(c *Client) error {
			_, err := c.PromoteDeployment(t.Context(), "n", "")
			return err
		},
		"POST /v1/environments/n/stop {}": func(c *Client) error {
			_, err := c.StopDeployment(t.Context(), "n", "")
			return err
		},
		"POST /v1/environments/n/restart": func(c *Client) error {
			_, err := c.RestartEnvironment(t.Context(), "n", "")
			return err
		},
		"POST /v1/environments/n/rollback?deploymentToken=token&to=2": func(c *Client) error {
			_, err := c.RollBackEnvironment(t.Context(), "n", 2, "token")
			return err
		},
		`POST /v1/environments/n/freeze {"reason":"audit"}`: func(c *Client) error {
			_, err := c.FreezeEnvironment(t.Context(), "n", "audit")
			return err
		},
		"POST /v1/environments/n/thaw {}": func(c *Client) error {
			_, err := c.ThawEnvironment(t.Context(), "n", "")
			return err
		},
		"GET /v1/environments/n/deployments?limit=1": func(c *Client) error {
			_, err := c.ListDeploymentsPage(t.Context(), "n", PageOptions{Limit: 1})
			return err
		},
	} {
		t.Run(want, func(t *testing.T) {
			f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(200, "{}")}}
			require.NoError(t, do(f.start(t, Options{})))
			require.Equal(t, []string{want}, f.requests)
		})
	}
}

func TestListsGoThroughAllPages(t *testing.T) {
	page := func(item, next string) func(http.ResponseWriter, *http.Request) {
		return status(200, fmt.Sprintf(`{"items": [%s], "nextToken": %q}`, item, next))
	}
	item := `{"name": "%[1]s", "id": "%[1]s", "entity": {"taskARN": "%[1]s", "containerInstanceARN": "%[1]s"}}`
	named := func(name string) string { return fmt.Sprintf(item, name) }
	for about, list := range map[string]func(*Client) []string{
		"tasks": func(c *Client) (names []string) {
			for task, err := range c.ListTasks(t.Context(), TaskFilter{}) {
				require.NoError(t, err)
				names = append(names, task.Entity.TaskARN)
			}
			return names
		},
		"instances": func(c *Client) (names []string) {
			for instance, err := range c.ListInstances(t.Context(), InstanceFilter{}) {
				require.NoError(t, err)
				names = append(names, instance.Entity.ContainerInstanceARN)
			}
			return names
		},
		"environments": func(c *Client) (names []string) {
			for env, err := range c.ListEnvironments(t.Context(), "") {
				require.NoError(t, err)
				names = append(names, env.Name)
			}
			return names
		},
		"deployments": func(c *Client) (names []string) {
			for dep, err := range c.ListDeployments(t.Context(), "n") {
				require.NoError(t, err)
				names = append(names, dep.ID)
			}
			return names
		},
	} {
		t.Run(about, func(t *testing.T) {
			f := &fake{answers: []func(http.ResponseWriter, *http.Request){
				page(named("a")+","+named("b"), "1"), page("", "2"), page(named("c"), ""), // a page may be empty and not the last
			}}
			require.Equal(t, []string{"a", "b", "c"}, list(f.start(t, Options{})))
			require.Len(t, f.requests, 3)
			require.Contains(t, f.requests[2], "nextToken=2")
		})
	}
}

func TestAListEndsWithItsReader(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(200, `{"items": [{}, {}], "nextToken": "1"}`)}}
	for _, err := range f.start(t, Options{}).ListTasks(t.Context(), TaskFilter{}) {
		require.NoError(t, err)
		break
	}
	require.Len(t, f.requests, 1)
}

func TestAListEndsAfterAnError(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(400, `{"detail": "bad"}`)}}
	var errs []error
	for _, err := range f.start(t, Options{}).ListTasks(t.Context(), TaskFilter{}) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 1)
	require.ErrorContains(t, errs[0], "bad")
}

func TestRetries(t *testing.T) {
	get := func(c *Client) error { return c.Ping(context.Background()) }
	deploy := func(c *Client) error {
		_, err := c.CreateDeployment(context.Background(), "n", "t")
		return err
	}
	create := func(c *Client) error {
		_, err := c.CreateEnvironment(context.Background(), EnvironmentDefinition{})
		return err
	}
	base := 1
	revise := func(c *Client) error {
		_, err := c.PutEnvironment(context.Background(), "n", EnvironmentDefinition{BaseRevision: &base})
		return err
	}
	for about, test := range map[string]struct {
		do    func(*Client) error
		first []func(http.ResponseWriter, *http.Request) // before success
		tries int
		fails bool
	}{
		"success at once":        {get, nil, 1, false},
		"too many requests":      {get, []func(http.ResponseWriter, *http.Request){status(429, ""), status(429, "")}, 3, false},
		"not ready":              {get, []func(http.ResponseWriter, *http.Request){status(502, ""), status(503, ""), status(504, "")}, 4, false},
		"cut off":                {get, []func(http.ResponseWriter, *http.Request){cut}, 2, false},
		"never ready":            {get, []func(http.ResponseWriter, *http.Request){status(503, ""), status(503, ""), status(503, ""), status(503, "")}, 4, true},
		"a crash":                {get, []func(http.ResponseWriter, *http.Request){status(500, "")}, 1, true},
		"a mistake":              {get, []func(http.ResponseWriter, *http.Request){status(400, "")}, 1, true},
		"a deployment's token":   {deploy, []func(http.ResponseWriter, *http.Request){status(504, "")}, 2, false},
		"a create may have done": {create, []func(http.ResponseWriter, *http.Request){status(504, "")}, 1, true},
		"a base is used up":      {revise, []func(http.ResponseWriter, *http.Request){status(504, "")}, 1, true},
	} {
		t.Run(about, func(t *testing.T) {
			f := &fake{answers: append(test.first, status(200, "{}"))}
			// A keep-alive connection that is cut would be retried by net/http itself.
			err := test.do(f.start(t, Options{HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}))
			require.Equal(t, test.fails, err != nil, err)
			require.Len(t, f.requests, test.tries)
			require.Len(t, f.pauses, test.tries-1)
		})
	}
}

func TestPausesGrowAndHeedTheAPI(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){
		status(503, ""), status(503, ""),
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			status(503, "")(w, r)
		},
		status(200, ""),
	}}
	require.NoError(t, f.start(t, Options{}).Ping(t.Context()))
	require.Equal(t, []time.Duration{400 * time.Millisecond, 800 * time.Millisecond, 7 * time.Second}, f.pauses)
}

func TestACanceledCallEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) {
		cancel()
		status(503, "")(w, r)
	}}}
	require.ErrorIs(t, f.start(t, Options{}).Ping(ctx), context.Canceled)
	require.Len(t, f.requests, 1)
}

func TestProblemsBecomeErrors(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(400,
		`{"status": 400, "title": "Bad Request", "detail": "query.limit: too large", "errors": [{"message": "too large", "location": "query.limit", "value": 7}]}`)}}
	_, err := f.start(t, Options{}).ListTasksPage(t.Context(), TaskFilter{}, PageOptions{})
	var answered *Error
	require.ErrorAs(t, err, &answered)
	require.Equal(t, &Error{
		Status: 400, Title: "Bad Request", Detail: "query.limit: too large", RequestID: "r-1",
		Errors: []Mistake{{Message: "too large", Location: "query.limit", Value: 7.0}},
	}, answered)
	require.EqualError(t, err, "GET /v1/tasks: query.limit: too large")
	require.Equal(t, 400, StatusOf(err))
	require.Equal(t, 0, StatusOf(errors.New("other")))
}

func TestAnswersThatAreNoProblems(t *testing.T) {
	for body, want := range map[string]string{
		"":                                   "Forbidden",
		`{"message": "no access"}`:           "no access",
		"<html>" + strings.Repeat("x", 1000): "<html>" + strings.Repeat("x", 294),
	} {
		f := &fake{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, body)
		}}}
		require.EqualError(t, f.start(t, Options{}).Ping(t.Context()), "GET /v1/ping: "+want)
	}
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(500, `{"detail": "see the log"}`)}}
	require.ErrorContains(t, f.start(t, Options{}).Ping(t.Context()), "see the log (request r-1)")
	f = &fake{answers: []func(http.ResponseWriter, *http.Request){status(200, "[]")}}
	_, err := f.start(t, Options{}).GetEnvironment(t.Context(), "n")
	require.ErrorContains(t, err, "GET /v1/environments/n: decoding the answer")
}

func TestAnswersOfSomethingElse(t *testing.T) {
	for _, test := range []struct {
		code       int
		body, want string
	}{
		{200, "<html>" + strings.Repeat("x", 100), `200 OK and "<html>` + strings.Repeat("x", 54) + `", which is not JSON`},
		{404, "404 page not found\n", `404 Not Found and "404 page not found", which is not JSON`},
		{404, "", "404 Not Found"},
		{405, "no", `405 Method Not Allowed and "no", which is not JSON`},
	} {
		f := &fake{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.code)
			_, _ = io.WriteString(w, test.body)
		}}}
		c := f.start(t, Options{})
		_, err := c.ListTasksPage(t.Context(), TaskFilter{Cluster: "edge"}, PageOptions{})
		var other *ForeignError
		require.ErrorAs(t, err, &other)
		require.EqualError(t, other, "this is no Blox API: "+c.Endpoint()+"/v1/tasks answered "+test.want)
		require.Equal(t, 0, StatusOf(err), "nobody may take it for the API's own 404")
		require.Len(t, f.requests, 1, "another try gets the same")
	}
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(502, "<html>"), status(200, "")}}
	require.NoError(t, f.start(t, Options{}).Ping(t.Context()), "a gateway whose API is away")
}

func TestATimelineIsAList(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(200,
		`{"items": [{"at": "2026-11-20T09:14:07Z", "kind": "stop", "host": "i-1", "taskARN": "t", "reason": "old"}]}`)}}
	got, err := f.start(t, Options{}).ListTimeline(t.Context(), "n", "d", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"GET /v1/environments/n/deployments/d/timeline"}, f.requests)
	require.Equal(t, []TimelineEntry{{
		At: time.Date(2026, 11, 20, 9, 14, 7, 0, time.UTC), Kind: "stop", Host: "i-1", TaskARN: "t", Reason: "old",
	}}, got)
}

func TestEndpoints(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:8080":     "http://127.0.0.1:8080",
		"http://127.0.0.1:8080/":    "http://127.0.0.1:8080",
		"https://x.test/prod/v1":    "https://x.test/prod",
		"https://x.test/prod/v1/":   "https://x.test/prod",
		"https://[::1]:8080/blox/a": "https://[::1]:8080/blox/a",
	} {
		c, err := New(Options{Endpoint: endpoint})
		require.NoError(t, err)
		require.Equal(t, want, c.Endpoint())
	}
	for _, endpoint := range []string{"", "localhost:8080", "ftp://x", "http://", "http://x?y", "http://u:secret@x", "http://x#y", "http://\x00"} {
		_, err := New(Options{Endpoint: endpoint})
		require.ErrorContains(t, err, "invalid endpoint", endpoint)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestRequestsAreSigned(t *testing.T) {
	var header http.Header
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		status(200, "{}")(w, r)
	}}}
	signer := NewSigner(credentials.NewStaticCredentialsProvider("AKID", "secret", "session"), "eu-west-1").(*sigV4)
	signer.now = func() time.Time { return time.Date(2026, 11, 20, 9, 14, 7, 0, time.UTC) }
	_, err := f.start(t, Options{Signer: signer}).PutEnvironment(t.Context(), "n", EnvironmentDefinition{TaskDefinition: "a:1"})
	require.NoError(t, err)
	require.Contains(t, header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKID/20261120/eu-west-1/execute-api/aws4_request")
	require.Equal(t, "session", header.Get("X-Amz-Security-Token"))

	f = &fake{answers: []func(http.ResponseWriter, *http.Request){status(200, "{}")}}
	none := NewSigner(credentials.NewStaticCredentialsProvider("", "", ""), "eu-west-1")
	require.ErrorContains(t, f.start(t, Options{Signer: none}).Ping(t.Context()), "getting AWS credentials")
	require.Empty(t, f.pauses, "another try would have no credentials either")
}

func TestEntitiesKeepWhatTheyDoNotKnow(t *testing.T) {
	for _, raw := range []string{
		`{"metadata":{"entityVersion":"v","version":1,"storedAt":"2026-11-20T09:14:07Z"},"entity":{"taskARN":"t","clusterARN":"c","future":9007199254740993}}`,
	} {
		var task Task
		require.NoError(t, json.Unmarshal([]byte(raw), &task))
		require.Equal(t, "t", task.Entity.TaskARN)
		out, err := json.Marshal(task)
		require.NoError(t, err)
		require.JSONEq(t, raw, string(out))
		require.Contains(t, string(out), "9007199254740993")
	}
	var instance ContainerInstance
	require.NoError(t, json.Unmarshal([]byte(`{"entity":{"EC2InstanceID":"i-1","future":[1]}}`), &instance))
	require.Equal(t, "i-1", instance.Entity.EC2InstanceID)
	require.JSONEq(t, `{"EC2InstanceID":"i-1","future":[1]}`, string(instance.Entity.Raw))
	require.Error(t, json.Unmarshal([]byte(`{"entity":{"taskARN":1}}`), &Task{}))
	require.Error(t, json.Unmarshal([]byte(`{"entity":{"status":1}}`), &ContainerInstance{}))
	built, err := json.Marshal(Task{Entity: TaskEntity{TaskARN: "made by hand"}})
	require.NoError(t, err)
	require.Contains(t, string(built), "made by hand")
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, pause(ctx, time.Hour), context.Canceled)
	require.NoError(t, pause(t.Context(), 0))
}
