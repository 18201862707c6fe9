package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryRefusalOfTheOriginal has a row for each text that Blox v0.3.0's cluster state service refused a request with,
// and for each endpoint that could. Its bodies were the plain text; ours are problem documents that say where the mistake
// is and what is allowed.
func TestEveryRefusalOfTheOriginal(t *testing.T) {
	a := newAPI(t)
	a.task()
	outOfRange := position(1 << 40) // far beyond what the feed has
	for _, row := range []struct {
		original string // status and text
		path     string
		status   int
		detail   []string
	}{
		{"400 Invalid status", "/v1/tasks?status=invalid", 400, []string{"query.status: invalid task status", "RUNNING"}},
		{"400 Invalid status", "/v1/instances?status=invalid", 400, []string{"query.status: invalid container instance status", "DRAINING"}},
		{"400 At least one of the filters provided is unsupported", "/v1/tasks?unsupported=x", 400, []string{"query.unsupported: not supported here", "startedBy"}},
		{"400 At least one of the filters provided is unsupported", "/v1/instances?startedBy=x", 400, []string{"query.startedBy: not supported here", "cluster"}},
		{
			"400 At least one of the filters provided is specified multiple times", "/v1/tasks?status=running&status=stopped", 400,
			[]string{"query.status: given 2 times, allowed is once"},
		},
		{
			"400 At least one of the filters provided is specified multiple times", "/v1/tasks?cluster=edge&cluster=edge", 400,
			[]string{"query.cluster: given 2 times"},
		},
		{
			"400 At least one of the filters provided is specified multiple times", "/v1/instances?status=active&status=active", 400,
			[]string{"query.status: given 2 times"},
		},
		{"400 Invalid cluster ARN or name", "/v1/tasks?cluster=no%20cluster", 400, []string{"query.cluster: invalid cluster ARN or name"}},
		{"400 Invalid cluster ARN or name", "/v1/instances?cluster=arn:aws:ecs:us-east-1:1:cluster/x", 400, []string{"query.cluster: invalid cluster ARN or name"}},
		{"400 Invalid entity version", "/v1/stream/tasks?entityVersion=-1", 400, []string{"query.entityVersion: invalid position"}},
		{"400 Invalid entity version", "/v1/stream/instances?entityVersion=a%20b", 400, []string{"query.entityVersion: invalid position"}},
		// A position of a feed that is no more, or of another one: the reader has to begin anew.
		{"400 Entity version is out of range", "/v1/stream/tasks?entityVersion=" + outOfRange, 410, []string{"list again"}},
		{"400 Entity version is out of range", "/v1/stream/instances?entityVersion=" + outOfRange, 410, []string{"list again"}},
		{"404 Task not found", "/v1/tasks/edge/" + id(99), 404, []string{"Task not found", clusterARN("edge")}},
		{"404 Instance not found", "/v1/instances/edge/" + id(99), 404, []string{"Instance not found", clusterARN("edge")}},
		{"404 page not found", "/v1/tasks/no%20cluster/" + id(1), 400, []string{"path.cluster: invalid cluster ARN or name"}},
		{"404 page not found", "/v1/tasks/edge/no%2Ftask", 400, []string{"path.arn: invalid task"}},
		{"404 page not found", "/v1/nothing", 404, []string{"there is no path /v1/nothing"}},
	} {
		t.Run(row.original+" "+row.path, func(t *testing.T) {
			handler := a.handler
			if strings.HasPrefix(row.path, "/v1/stream/") {
				handler = a.streams
			}
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, row.path, nil))
			got := answer{t: t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
			detail := got.problem(row.status)
			for _, part := range row.detail {
				require.Contains(t, detail, part)
			}
		})
	}
}

// TestWhatTheOriginalRefusedAndIsTakenNow are requests that v0.3.0 had texts against, too.
func TestWhatTheOriginalRefusedAndIsTakenNow(t *testing.T) {
	a := newAPI(t)
	a.task()
	for original, path := range map[string]string{
		"400 Invalid status": "/v1/instances?status=draining",
		// It had this text and no combination that brought it.
		"400 The combination of filters provided are not supported": "/v1/tasks?status=running&cluster=edge&startedBy=ops",
		"404 page not found": "/v1/tasks/x/" + "arn:aws:ecs:" + region + ":" + account + ":task/x/" + id(1),
	} {
		got := a.get(path)
		if got.status != http.StatusNotFound {
			require.Equal(t, http.StatusOK, got.status, original)
			continue
		}
		require.Contains(t, got.problem(404), "Task not found", original)
	}
}
