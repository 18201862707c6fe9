package local

import (
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
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// behindGateway serves handler as the api function does: through the gateway, Lambda's codec and the adapter.
func behindGateway(handler http.Handler) *gateway {
	return &gateway{function: newFunction("api", testTimeout, httpadapter.New(handler).ProxyWithContext), now: time.Now, log: quiet}
}

func TestTheGatewayPassesARequestOn(t *testing.T) {
	type seen struct{ Method, Path, Query, Body, Header, Host string }
	g := behindGateway(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		w.Header().Add("X-Many", "1")
		w.Header().Add("X-Many", "2")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		assert.NoError(t, json.NewEncoder(w).Encode(seen{
			r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), strings.Join(r.Header.Values("X-Blox"), ","), r.Host,
		}))
	}))
	r := httptest.NewRequest(http.MethodPut, "http://127.0.0.1:8080/v1/tasks/demo/arn:aws:ecs:us-east-1:123456789012:task%2Fdemo%2F1?status=a%26b&status=c", strings.NewReader("héllo\x00"))
	r.Header.Add("X-Blox", "1")
	r.Header.Add("X-Blox", "2")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)

	require.Equal(t, http.StatusTeapot, w.Code)
	require.Equal(t, []string{"1", "2"}, w.Header().Values("X-Many"))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var got seen
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Equal(t, seen{
		http.MethodPut, "/v1/tasks/demo/arn:aws:ecs:us-east-1:123456789012:task%2Fdemo%2F1", "status=a%26b&status=c",
		"héllo\x00", "1,2", "127.0.0.1:8080",
	}, got)
}

func TestTheGatewayCarriesBytes(t *testing.T) {
	g := behindGateway(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		assert.NoError(t, err)
	}))
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("\xff\xfe\x00")))
	require.Equal(t, "\xff\xfe\x00", w.Body.String())
}

func TestWhatAPIGatewayAnswersItself(t *testing.T) {
	answering := func(answer events.APIGatewayProxyResponse, err error) *gateway {
		return &gateway{function: newFunction("api", testTimeout, func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
			return answer, err
		}), now: time.Now, log: quiet}
	}
	for name, tc := range map[string]struct {
		gateway *gateway
		body    string
		status  int
	}{
		"the function failed":      {answering(events.APIGatewayProxyResponse{}, errors.New("boom")), "", http.StatusBadGateway},
		"no status":                {answering(events.APIGatewayProxyResponse{}, nil), "", http.StatusBadGateway},
		"a body that is no base64": {answering(events.APIGatewayProxyResponse{StatusCode: 200, IsBase64Encoded: true, Body: "?"}, nil), "", http.StatusBadGateway},
		"a body that is too large": {answering(events.APIGatewayProxyResponse{StatusCode: 200}, nil), strings.Repeat("x", maxRequestBytes+1), http.StatusRequestEntityTooLarge},
		"a body that is not":       {answering(events.APIGatewayProxyResponse{StatusCode: 200}, nil), strings.Repeat("x", maxRequestBytes), http.StatusOK},
		"an answer without a body": {answering(events.APIGatewayProxyResponse{StatusCode: 204}, nil), "", http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tc.gateway.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/ping", strings.NewReader(tc.body)))
			require.Equal(t, tc.status, w.Code)
			if tc.status >= 300 {
				require.True(t, json.Valid(w.Body.Bytes()), w.Body.String())
			}
		})
	}
}

func TestTheRule(t *testing.T) {
	for event, want := range map[string]bool{
		`{"source":"aws.ecs","detail-type":"ECS Task State Change"}`:                true,
		`{"source":"aws.ecs","detail-type":"ECS Container Instance State Change"}`:  true,
		`{"source":"aws.ecs","detail-type":"ECS Container Instance Health Change"}`: true,
		`{"source":"aws.ecs","detail-type":"ECS Service Action"}`:                   false,
		`{"source":"aws.ec2","detail-type":"ECS Task State Change"}`:                false,
		`{"detail-type":"ECS Task State Change"}`:                                   false,
		`not json`: false,
	} {
		require.Equal(t, want, matches([]byte(event)), event)
		require.Equal(t, want, len(forwarded([][]byte{[]byte(event)})) == 1, event)
	}
}
