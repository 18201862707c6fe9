package httpapi_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

// readUnits is what a request consumes.
func (a *api) readUnits(path string) float64 {
	db := a.db.(*memory.DB)
	db.ResetConsumed()
	require.Equal(a.t, http.StatusOK, a.get(path).status, path)
	var units float64
	for _, capacity := range db.Consumed().ByIndex {
		units += capacity.Read
	}
	return units
}

// A get is one consistent read. The first one of a copy of the API also reads which clusters there are and where the feed
// ends, and so does one in a while.
func TestAGetIsOneRead(t *testing.T) {
	a := newAPI(t)
	a.feed.position = ""
	task, instance := a.task(), a.instance()
	for n := range 20 { // others cost nothing
		a.task(eventtest.ID(id(n)))
		require.NoError(t, a.state.AddCluster(context.Background(), state.ClusterKey{Account: account, Region: region, Name: "c" + id(n)}))
	}
	require.Greater(t, a.readUnits("/v1/tasks/edge/"+task.ID), 1.0)
	for _, path := range []string{"/v1/tasks/edge/" + task.ID, "/v1/tasks/edge/" + task.ARN, "/v1/instances/edge/" + instance.ID} {
		require.LessOrEqual(t, a.readUnits(path), 1.0, path)
	}
	a.now = a.now.Add(time.Hour)
	require.Greater(t, a.readUnits("/v1/tasks/edge/"+task.ID), 1.0)
}

// What a copy of the API keeps is never wrong for long: a name that nobody knew is looked up anew, and one that has become
// ambiguous is refused within a minute.
func TestClustersThatBecomeKnown(t *testing.T) {
	a := newAPI(t)
	a.task()
	require.Equal(t, []int{}, numbersOf(t, a.get("/v1/tasks?cluster=edge&status=pending")))
	a.task(eventtest.ID(id(5)), eventtest.Region("us-east-1"), eventtest.Cluster("far"))
	require.Equal(t, []int{5}, numbersOf(t, a.get("/v1/tasks?cluster=far")))
	a.task(eventtest.ID(id(6)), eventtest.Region("us-east-1"))
	a.now = a.now.Add(time.Minute)
	a.get("/v1/tasks?cluster=edge").problem(400)
}

// A position may be old, but never newer than what was read.
func TestAGetsPositionIsOfAMomentAgo(t *testing.T) {
	a := newAPI(t)
	task := a.task()
	version := func() any {
		return a.get("/v1/tasks/edge/" + task.ID).object()["metadata"].(map[string]any)["entityVersion"]
	}
	require.Equal(t, position(7), version())
	a.feed.position = position(8)
	require.Equal(t, position(7), version())
	a.now = a.now.Add(5 * time.Second)
	require.Equal(t, position(8), version())
}
