package event_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"testing"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
)

// Reasons become an attribute of a message and a dimension of a metric: whatever
// comes in, they stay short and of few characters.
var reasonPattern = regexp.MustCompile(`^[a-zA-Z-]+(:[A-Za-z0-9.-]+)?$`)

// FuzzParse feeds Parse with anything. It must never panic, and what it accepts
// must be fit to be stored, decoded and merged.
func FuzzParse(f *testing.F) {
	for _, name := range payloads(f) {
		f.Add(payload(f, name))
	}
	f.Add([]byte(nil))
	f.Add([]byte("{}"))
	f.Add([]byte("[]"))
	f.Add(eventtest.Task(eventtest.Field("version", "4")))
	f.Add(eventtest.Task(eventtest.Field("createdAt", "yesterday")))
	f.Add(eventtest.Task(eventtest.Field("taskArn", "arn:aws:ecs:::task/")))
	f.Add(eventtest.ContainerInstance(eventtest.EnvelopeField("account", "")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := event.Parse(raw)
		if err != nil {
			var invalid *event.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("error of another type: %v", err)
			}
			if len(invalid.Reason) > 100 || !reasonPattern.MatchString(invalid.Reason) {
				t.Fatalf("reason %q is not stable", invalid.Reason)
			}
			return
		}
		if got.Observation != nil && got.Hint != nil {
			t.Fatal("an event is an observation or a hint, not both")
		}
		if got.Hint != nil && len(got.Hint.IDs) == 0 {
			t.Fatal("a hint that names nothing")
		}
		if got.Observation != nil {
			checkStorable(t, *got.Observation)
		}
	})
}

func checkStorable(t *testing.T, observation state.Observation) {
	t.Helper()
	if observation.Version < 1 || observation.ID == "" || observation.ObservedAt.IsZero() {
		t.Fatalf("incomplete observation: %+v", observation)
	}
	if !json.Valid(observation.Detail) {
		t.Fatalf("detail is not JSON: %s", observation.Detail)
	}
	key, err := state.ParseClusterKey(observation.Cluster.String())
	if err != nil || key != observation.Cluster {
		t.Fatalf("cluster key %q: %v", observation.Cluster, err)
	}
	arn, err := state.ParseARN(observation.ARN)
	if err != nil || arn.String() != observation.ARN || arn.ID != observation.ID {
		t.Fatalf("ARN %q: %v", observation.ARN, err)
	}
	record, outcome, err := state.Apply(state.Record{}, observation, observation.ObservedAt, state.DefaultVisibleFor)
	if err != nil || outcome != state.New {
		t.Fatalf("applying: %s, %v", outcome, err)
	}
	if _, err := record.Detail(); err != nil {
		t.Fatal(err)
	}
	if state.Compare(record, observation) != state.Duplicate {
		t.Fatal("the same observation again is a duplicate")
	}
}
