package event_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/state"
)

var update = flag.Bool("update", false, "write the .parsed.json files of testdata from what Parse answers")

// payloads are the names of the files in testdata, without .json.
func payloads(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if !strings.HasSuffix(name, ".parsed") {
			names = append(names, name)
		}
	}
	require.Greater(t, len(names), 80, "the payloads of testdata are missing")
	return names
}

func payload(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	return raw
}

// detailOf is the detail as it stands in the payload, read without Parse.
func detailOf(t testing.TB, raw []byte) json.RawMessage {
	t.Helper()
	var envelope struct {
		Detail json.RawMessage `json:"detail"`
	}
	require.NoError(t, json.Unmarshal(raw, &envelope))
	return envelope.Detail
}

// parsed is the form of a parsed event in the .parsed.json files: all of it but
// the raw detail, and the fields that the record takes from it.
type parsed struct {
	Event    event.Event
	Ignored  bool
	Task     *state.TaskFields     `json:",omitempty"`
	Instance *state.InstanceFields `json:",omitempty"`
}

func parsedForm(t *testing.T, got event.Event) []byte {
	t.Helper()
	form := parsed{Event: got, Ignored: got.Ignored()}
	if got.Observation != nil {
		observation := *got.Observation
		switch observation.Kind {
		case state.KindTask:
			task, err := state.DecodeTask(observation.Detail)
			require.NoError(t, err)
			fields := state.TaskFieldsOf(task)
			form.Task = &fields
		case state.KindContainerInstance:
			instance, err := state.DecodeContainerInstance(observation.Detail)
			require.NoError(t, err)
			fields := state.InstanceFieldsOf(instance)
			form.Instance = &fields
		}
		observation.Detail = nil
		form.Event.Observation = &observation
	}
	out, err := json.MarshalIndent(form, "", "  ")
	require.NoError(t, err)
	return append(out, '\n')
}

func TestEveryPayloadParsesAsRecorded(t *testing.T) {
	for _, name := range payloads(t) {
		t.Run(name, func(t *testing.T) {
			got, err := event.Parse(payload(t, name))
			require.NoError(t, err)
			file := filepath.Join("testdata", name+".parsed.json")
			if *update {
				require.NoError(t, os.WriteFile(file, parsedForm(t, got), 0o644))
				return
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "run the test with -update to write the file, then read it")
			require.Equal(t, string(want), string(parsedForm(t, got)))
		})
	}
}

func TestDetailOfAnObservationIsComplete(t *testing.T) {
	for _, name := range payloads(t) {
		raw := payload(t, name)
		got, err := event.Parse(raw)
		require.NoError(t, err, name)
		if got.Observation == nil {
			continue
		}
		require.JSONEq(t, string(detailOf(t, raw)), string(got.Observation.Detail), name)
		require.NotContains(t, string(got.Observation.Detail), "\n", "%s: the detail is compact", name)
	}
}

// A field of the payload that no Go type has would be missing after the round
// trip, so this shows that the types are complete.
func TestTypesHoldEveryFieldOfEveryPayload(t *testing.T) {
	for _, name := range payloads(t) {
		if strings.HasSuffix(name, "-unknown-fields") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			raw := payload(t, name)
			got, err := event.Parse(raw)
			require.NoError(t, err)
			if got.Observation == nil {
				return
			}
			require.JSONEq(t, string(detailOf(t, raw)), string(roundTrip(t, *got.Observation)))
		})
	}
}

func roundTrip(t *testing.T, observation state.Observation) []byte {
	t.Helper()
	var typed any
	var err error
	if observation.Kind == state.KindTask {
		typed, err = state.DecodeTask(observation.Detail)
	} else {
		typed, err = state.DecodeContainerInstance(observation.Detail)
	}
	require.NoError(t, err)
	out, err := json.Marshal(typed)
	require.NoError(t, err)
	return out
}

func TestUnknownFieldsSurvive(t *testing.T) {
	task, err := event.Parse(payload(t, "task-unknown-fields"))
	require.NoError(t, err)
	require.Contains(t, string(task.Observation.Detail), `"placementScore":{"value":0.75,"zones":["eu-west-1b"]}`)
	require.Contains(t, string(task.Observation.Detail), `"checkpointId":"cp-19"`)

	instance, err := event.Parse(payload(t, "instance-unknown-fields"))
	require.NoError(t, err)
	require.Contains(t, string(instance.Observation.Detail), `"bootMode":"uefi"`)
	require.Contains(t, string(instance.Observation.Detail), `"kernelVersion":"6.12.9"`)
}

func TestPayloadsCoverWhatECSCanSend(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range payloads(t) {
		got, err := event.Parse(payload(t, name))
		require.NoError(t, err, name)
		seen["type "+got.DetailType] = true
		if got.Observation == nil {
			continue
		}
		arn, err := state.ParseARN(got.Observation.ARN)
		require.NoError(t, err, name)
		seen[string(arn.Kind)+" in "+arn.Partition] = true
		if got.Observation.Kind == state.KindContainerInstance {
			instance, err := state.DecodeContainerInstance(got.Observation.Detail)
			require.NoError(t, err, name)
			seen["instance "+instance.Status] = true
			for _, resource := range instance.RegisteredResources {
				seen["resource "+resource.Type] = true
			}
			continue
		}
		task, err := state.DecodeTask(got.Observation.Detail)
		require.NoError(t, err, name)
		seen["task "+task.LastStatus] = true
		seen["launch "+task.LaunchType] = true
		seen["stop "+task.StopCode] = true
		seen["health "+task.HealthStatus] = true
	}
	var want []string
	for _, partition := range state.Partitions() {
		want = append(want, "task in "+partition, "container-instance in "+partition)
	}
	for _, status := range state.TaskStatuses() {
		if status != state.TaskDeleted { // too short a moment to cause an event
			want = append(want, "task "+status)
		}
	}
	for _, status := range state.InstanceStatuses() {
		want = append(want, "instance "+status)
	}
	want = append(want,
		"resource INTEGER", "resource LONG", "resource DOUBLE", "resource STRINGSET",
		"launch EC2", "launch FARGATE", "launch EXTERNAL", "launch MANAGED_INSTANCES",
		"health HEALTHY", "health UNHEALTHY", "health UNKNOWN",
		"stop TaskFailedToStart", "stop EssentialContainerExited", "stop UserInitiated", "stop ServiceSchedulerInitiated",
		"stop SpotInterruption", "stop TerminationNotice", "stop InfrastructureHealth",
		"type ECS Container Instance Health Change", "type ECS Service Action", "type ECS Deployment State Change",
		"type ECS Hook State Change", "type ECS Daemon Deployment State Change", "type ECS Daemon Service Action",
	)
	for _, what := range want {
		require.True(t, seen[what], "no payload shows: %s", what)
	}
}

func TestParseKeepsNothingOfItsInput(t *testing.T) {
	raw := payload(t, "task-bridge-running")
	got, err := event.Parse(raw)
	require.NoError(t, err)
	before := bytes.Clone(got.Observation.Detail)
	for i := range raw {
		raw[i] = 'x'
	}
	require.Equal(t, string(before), string(got.Observation.Detail))
}
