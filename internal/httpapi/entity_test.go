package httpapi_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/state"
)

// decode reads JSON with its numbers as they are written.
func decode(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var object map[string]any
	require.NoError(t, decoder.Decode(&object))
	return object
}

// respell writes a detail as the API is to show it, by rules written down here once more.
func respell(kind state.Kind, detail map[string]any) map[string]any {
	move := func(object map[string]any, from, to string) {
		if value, ok := object[from]; ok {
			delete(object, from)
			object[to] = value
		}
	}
	move(detail, "clusterArn", "clusterARN")
	move(detail, "containerInstanceArn", "containerInstanceARN")
	if kind == state.KindTask {
		move(detail, "taskArn", "taskARN")
		move(detail, "taskDefinitionArn", "taskDefinitionARN")
		containers, _ := detail["containers"].([]any)
		for _, container := range containers {
			move(container.(map[string]any), "containerArn", "containerARN")
		}
		return detail
	}
	move(detail, "ec2InstanceId", "EC2InstanceID")
	return detail
}

// dropAdded takes away what the API adds for clients of v0.3.0.
func dropAdded(entity, detail map[string]any) {
	for _, list := range []string{"registeredResources", "remainingResources", "attributes"} {
		added, _ := entity[list].([]any)
		original, _ := detail[list].([]any)
		for i := range added {
			if _, ok := original[i].(map[string]any)["value"]; !ok {
				delete(added[i].(map[string]any), "value")
			}
		}
	}
}

// TestEveryRecordedEventComesOutComplete stores each golden event and expects every field of its detail back, with the
// numbers as ECS wrote them.
func TestEveryRecordedEventComesOutComplete(t *testing.T) {
	files, err := filepath.Glob("../event/testdata/*.json")
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, ".parsed.json") {
			continue
		}
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed, err := event.Parse(raw)
		require.NoError(t, err)
		if parsed.Observation == nil {
			continue
		}
		seen++
		t.Run(filepath.Base(file), func(t *testing.T) {
			a := newAPI(t)
			a.now = parsed.Time // some were recorded years ago: what they tell is current then
			key := a.store(raw)
			collection := "/v1/tasks/"
			if key.Kind == state.KindContainerInstance {
				collection = "/v1/instances/"
			}
			var got struct{ Entity json.RawMessage }
			a.get(collection + strings.ReplaceAll(key.Cluster.ARN(""), "/", "%2F") + "/" + key.ID).into(&got)
			entity := decode(t, got.Entity)
			var envelope struct{ Detail json.RawMessage }
			require.NoError(t, json.Unmarshal(raw, &envelope))
			want := respell(key.Kind, decode(t, envelope.Detail))
			dropAdded(entity, want)
			require.Equal(t, want, entity)
		})
	}
	require.Greater(t, seen, 50, "the golden events are where they were")
}

func TestAnInferredEndShows(t *testing.T) {
	a := newAPI(t)
	seen := a.task()
	record, err := a.state.Get(t.Context(), seen.Key, a.now)
	require.NoError(t, err)
	require.NoError(t, a.state.MarkAbsent(t.Context(), record, a.now))
	body := a.get("/v1/tasks/edge/" + seen.ID).object()
	require.Equal(t, true, body["metadata"].(map[string]any)["inferred"])
	require.Equal(t, "STOPPED", body["entity"].(map[string]any)["lastStatus"])
}
