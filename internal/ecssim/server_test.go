package ecssim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

const prefix = "AmazonEC2ContainerServiceV20141113."

func post(h http.Handler, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

func TestServerLetsTimePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := ecssim.New(ecssim.Config{}, time.Now())
		var mu sync.Mutex
		var events []ecssim.Event
		server := ecssim.NewServer(sim, nil, func(more []ecssim.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, more...)
		})
		seen := func() []ecssim.Event {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return events
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- server.Run(ctx) }()
		server.Do(func(sim *ecssim.Simulator, now time.Time) { sim.AddHost(now, "c", ecssim.HostSpec{}) })
		synctest.Wait() // nothing is due now; only a call wakes it
		require.Equal(t, 200, post(server, prefix+"RegisterTaskDefinition", `{"family":"app","containerDefinitions":[{"name":"m","image":"i","memory":64}]}`).Code)
		rec := post(server, prefix+"RunTask", `{"cluster":"c","taskDefinition":"app"}`)
		require.Equal(t, 200, rec.Code)
		require.Equal(t, "application/x-amz-json-1.1", rec.Header().Get("Content-Type"))
		require.NotEmpty(t, rec.Header().Get("X-Amzn-Requestid"))
		require.Len(t, seen(), 3, "host, task, host: at once")
		<-time.After(2 * time.Second) // of the bubble's clock
		require.Len(t, seen(), 5)
		require.Contains(t, string(seen()[4].JSON), `"lastStatus":"RUNNING"`)
		cancel()
		require.NoError(t, <-done)
	})
}

func TestErrorsOnTheWire(t *testing.T) {
	server := ecssim.NewServer(ecssim.New(ecssim.Config{}, epoch), nil, nil)
	for _, c := range []struct {
		target, body, kind, says string
	}{
		{prefix + "FlyToTheMoon", "{}", "UnknownOperationException", "RunTask, StartTask"},
		{"DynamoDB_20120810.ListTables", "{}", "UnknownOperationException", "DynamoDB_20120810.ListTables"},
		{"", "", "UnknownOperationException", prefix + "ACTION"},
		{prefix + "ListTasks", "{", "SerializationException", "not a JSON object"},
		{prefix + "ListTasks", "[]", "SerializationException", "not a JSON object"},
		{prefix + "RunTask", `{"count":"two"}`, "SerializationException", "count"},
		{prefix + "ListTasks", "", "ClusterNotFoundException", "Cluster not found."},
		{prefix + "RunTask", "{\"cluster\":\"" + strings.Repeat("x", ecssim.MaxBodyBytes) + "\"}", "InvalidParameterException", "at most 1048576 bytes"},
	} {
		rec := post(server, c.target, c.body)
		require.Equal(t, 400, rec.Code)
		var answer struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &answer))
		require.Equal(t, c.kind, answer.Type)
		require.Contains(t, answer.Message, c.says)
	}
	require.Equal(t, 200, post(server, prefix+"ListClusters", `{"memberOfTomorrow":1}`).Code, "unknown members are ignored")

	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8081/", nil))
	require.Contains(t, rec.Body.String(), "--endpoint-url http://127.0.0.1:8081")
}

// Over a real socket, an answer that is lost is a connection that breaks.
func TestTheServerSpeaksToTheSDK(t *testing.T) {
	server := ecssim.NewServer(ecssim.New(ecssim.Config{}, time.Now()), nil, nil)
	web := httptest.NewServer(server)
	defer web.Close()
	client := ecs.New(ecs.Options{Region: "us-east-1", BaseEndpoint: &web.URL, Retryer: aws.NopRetryer{}, Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", "")})
	_, err := client.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("c")})
	require.NoError(t, err)
	server.Do(func(sim *ecssim.Simulator, _ time.Time) { sim.Faults().SetAnswers(ecssim.AnswerFaults{Lost: 1}) })
	for range 10 {
		_, err = client.ListClusters(t.Context(), &ecs.ListClustersInput{})
		require.Error(t, err)
	}
	server.Do(func(sim *ecssim.Simulator, _ time.Time) { sim.Faults().Clear() })
	out, err := client.ListClusters(t.Context(), &ecs.ListClustersInput{})
	require.NoError(t, err)
	require.Len(t, out.ClusterArns, 1)
}
