package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clockAt is a clock that goes on from another time than it is.
func clockAt(t time.Time) func() time.Time {
	offset := time.Until(t)
	return func() time.Time { return time.Now().Add(offset) }
}

// spelled are the names that Blox v0.3.0 gave to fields of ECS.
var spelled = map[string]string{
	"clusterArn": "clusterARN", "containerInstanceArn": "containerInstanceARN", "taskArn": "taskARN",
	"taskDefinitionArn": "taskDefinitionARN", "containerArn": "containerARN", "ec2InstanceId": "EC2InstanceID",
}

// Events of every kind go in at the bus and come out of the API complete: every field, known to Blox or not, every
// number as ECS wrote it.
func TestEventsComeOutOfTheAPIComplete(t *testing.T) {
	golden := stateChanges(t)
	require.Greater(t, len(golden), 60)
	s, err := Start(t.Context(), Config{
		Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, Log: quiet,
		Now: clockAt(time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)), // the events' own time: long stopped tasks are not shown
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(t.Context())) })
	for _, name := range slices.Sorted(maps.Keys(golden)) {
		require.NoError(t, s.events.Send(t.Context(), forwarded([][]byte{golden[name].event})))
	}
	for name, g := range golden {
		var entity json.RawMessage
		eventually(t, name, func(c *assert.CollectT) {
			var err error
			if g.task != "" {
				task, getErr := s.Client().GetTask(t.Context(), g.cluster, g.task)
				entity, err = task.Entity.Raw, getErr
			} else {
				instance, getErr := s.Client().GetInstance(t.Context(), g.cluster, g.instance)
				entity, err = instance.Entity.Raw, getErr
			}
			require.NoError(c, err)
		})
		within(t, name, decode(t, g.detail), decode(t, entity))
	}
	require.Zero(t, s.events.dead.Len(), "no good event is set aside")
}

type goldenEvent struct {
	event, detail           json.RawMessage
	cluster, task, instance string // ARNs
}

// stateChanges are the golden payloads of package event that hold the state of a task or container instance.
func stateChanges(t *testing.T) map[string]goldenEvent {
	t.Helper()
	files, err := filepath.Glob("../event/testdata/*.json")
	require.NoError(t, err)
	golden := map[string]goldenEvent{}
	for _, file := range files {
		if strings.HasSuffix(file, ".parsed.json") {
			continue
		}
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var event struct{ Detail json.RawMessage }
		var detail struct {
			Version                                   int64
			ClusterArn, TaskArn, ContainerInstanceArn string
		}
		require.NoError(t, json.Unmarshal(raw, &event), file)
		require.NoError(t, json.Unmarshal(event.Detail, &detail), file)
		if matches(raw) && detail.Version > 0 {
			golden[filepath.Base(file)] = goldenEvent{raw, event.Detail, detail.ClusterArn, detail.TaskArn, detail.ContainerInstanceArn}
		}
	}
	return golden
}

func decode(t *testing.T, raw []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&value), string(raw))
	return value
}

// within requires that got has all that want has.
func within(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		require.True(t, ok, "%s is no object but %v", path, got)
		for name, value := range want {
			other, ok := object[name]
			if !ok {
				other, ok = object[spelled[name]]
			}
			require.True(t, ok, "%s has no %s", path, name)
			within(t, path+"."+name, value, other)
		}
	case []any:
		list, ok := got.([]any)
		require.True(t, ok && len(list) == len(want), "%s has other elements: %v", path, got)
		for i, value := range want {
			within(t, fmt.Sprintf("%s[%d]", path, i), value, list[i])
		}
	default:
		require.Equal(t, want, got, path)
	}
}
