package state_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

// history is the life of one task or container instance as ECS knows it: what
// holds at each version, and when. What both sources tell depends on the version
// alone; tags depend on the time; updatedAt is in events only.
type history struct {
	key    state.Key
	shared []map[string]any // of version 1, 2, ...
}

func (h history) last() int64 { return int64(len(h.shared)) }

func drawHistory(t *rapid.T) history {
	h := history{key: taskKey("1")}
	live, end := []string{"PENDING", "RUNNING", "STOPPING"}, "STOPPED"
	statusField := "lastStatus"
	if rapid.Bool().Draw(t, "instance") {
		h.key = instanceKey("1")
		live, end, statusField = []string{"ACTIVE", "DRAINING"}, "INACTIVE", "status"
	}
	versions := rapid.IntRange(1, 6).Draw(t, "versions")
	ends := rapid.Bool().Draw(t, "ends")
	for i := range versions {
		shared := map[string]any{"version": i + 1, statusField: rapid.SampledFrom(live).Draw(t, "status")}
		if ends && i == versions-1 {
			shared[statusField] = end
		}
		// These come and go with the version, one known to Blox and one not.
		if rapid.Bool().Draw(t, "reason") {
			shared["stoppedReason"] = fmt.Sprint("reason ", i)
		}
		if rapid.Bool().Draw(t, "future") {
			shared["futureField"] = i
		}
		h.shared = append(h.shared, shared)
	}
	return h
}

// seen is what one source tells of a version at a second.
func (h history) seen(t *rapid.T, source state.Source, version int64, second int) state.Observation {
	detail := maps.Clone(h.shared[version-1])
	if source == state.SourceEvent {
		detail["updatedAt"] = noon.Add(time.Duration(version) * time.Second).Format(time.RFC3339)
	} else if second%3 > 0 {
		detail["tags"] = []any{map[string]any{"key": "second", "value": fmt.Sprint(second / 5)}}
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		t.Fatal(err)
	}
	return see(h.key, source, version, second, string(raw))
}

// drawDeliveries draws what arrives, in any order and with any repetition; the
// highest version is among it.
func (h history) drawDeliveries(t *rapid.T) []state.Observation {
	one := rapid.Custom(func(t *rapid.T) state.Observation {
		source := rapid.SampledFrom([]state.Source{state.SourceEvent, state.SourceDescribed}).Draw(t, "source")
		version := rapid.Int64Range(1, h.last()).Draw(t, "version")
		return h.seen(t, source, version, rapid.IntRange(0, 60).Draw(t, "second"))
	})
	deliveries := rapid.SliceOfN(one, 0, 12).Draw(t, "deliveries")
	source := rapid.SampledFrom([]state.Source{state.SourceEvent, state.SourceDescribed}).Draw(t, "source of the last version")
	deliveries = append(deliveries, h.seen(t, source, h.last(), rapid.IntRange(0, 60).Draw(t, "second of the last version")))
	repeated := rapid.SliceOfN(rapid.SampledFrom(deliveries), 0, 6).Draw(t, "repeated")
	return rapid.Permutation(append(deliveries, repeated...)).Draw(t, "order")
}

func store(t *rapid.T, record state.Record, deliveries ...state.Observation) state.Record {
	for _, seen := range deliveries {
		next, outcome, err := state.Apply(record, seen, noon, visibleFor)
		if err != nil {
			t.Fatal(err)
		}
		if next.Version < record.Version {
			t.Fatalf("version %d after %d", next.Version, record.Version)
		}
		if again := state.Compare(next, seen); again.Written() {
			t.Fatalf("%s, and the same once more is %s", outcome, again)
		}
		record = next
	}
	return record
}

func fieldsOf(t *rapid.T, record state.Record) map[string]any {
	detail, err := record.Detail()
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(detail, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// sharedFields is a detail without what only one source tells.
func sharedFields(t *rapid.T, record state.Record) string {
	fields := fieldsOf(t, record)
	delete(fields, "updatedAt")
	delete(fields, "tags")
	return asJSON(t, fields)
}

func asJSON(t *rapid.T, value any) string {
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAnyOrderAndRepetitionEndsAtTheHighestVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		record := store(t, state.Record{}, h.drawDeliveries(t)...)
		if record.Version != h.last() {
			t.Fatalf("version %d, want %d", record.Version, h.last())
		}
		if got, want := sharedFields(t, record), asJSON(t, h.shared[h.last()-1]); got != want {
			t.Fatalf("detail %s, want that of the last version %s", got, want)
		}
	})
}

func TestOrderOfArrivalLeavesNoTraceAfterADescribe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		deliveries := h.drawDeliveries(t)
		describe := h.seen(t, state.SourceDescribed, h.last(), 99)
		one := fieldsOf(t, store(t, state.Record{}, append(deliveries, describe)...))
		other := fieldsOf(t, store(t, state.Record{}, append(rapid.Permutation(deliveries).Draw(t, "other order"), describe)...))
		// When the last event was overtaken by a Describe of its version, its
		// time is not stored.
		delete(one, "updatedAt")
		delete(other, "updatedAt")
		if asJSON(t, one) != asJSON(t, other) {
			t.Fatalf("%s and %s", asJSON(t, one), asJSON(t, other))
		}
	})
}

// Describes arrive in the order of their calls here, as those of one reconcile
// pass after the other do. Compare says what happens otherwise.
func TestStoringTwiceIsStoringOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		deliveries := h.drawDeliveries(t)
		slices.SortStableFunc(deliveries, func(a, b state.Observation) int { return a.ObservedAt.Compare(b.ObservedAt) })
		once := store(t, state.Record{}, deliveries...)
		twice := store(t, once, deliveries...)
		if asJSON(t, once) != asJSON(t, twice) {
			t.Fatalf("%s and %s", asJSON(t, once), asJSON(t, twice))
		}
	})
}

func TestIndexFieldsSayWhatTheDetailSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		record := store(t, state.Record{}, h.drawDeliveries(t)...)
		if rapid.Bool().Draw(t, "missing") {
			record = state.InferGone(record, noon, visibleFor)
		}
		task, err := record.AsTask()
		if err != nil {
			t.Fatal(err)
		}
		instance, err := record.AsContainerInstance()
		if err != nil {
			t.Fatal(err)
		}
		if h.key.Kind == state.KindTask && record.Task != state.TaskFieldsOf(task) {
			t.Fatalf("%+v, but the detail says %+v", record.Task, state.TaskFieldsOf(task))
		}
		if h.key.Kind == state.KindContainerInstance && record.Instance != state.InstanceFieldsOf(instance) {
			t.Fatalf("%+v, but the detail says %+v", record.Instance, state.InstanceFieldsOf(instance))
		}
	})
}

// Whatever arrives, also what ECS would never send: no event of a version at or
// below a tombstone's revives, no older Describe, and what ECS itself called dead
// stays dead.
func TestNothingOldResurrects(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		record := store(t, state.Record{}, h.drawDeliveries(t)...)
		if rapid.Bool().Draw(t, "missing") {
			record = state.InferGone(record, noon, visibleFor)
		}
		if record.Tombstone == nil {
			t.Skip("it lives")
		}
		dead := *record.Tombstone
		version := rapid.Int64Range(0, h.last()+3).Draw(t, "version")
		detail := rapid.SampledFrom([]string{
			`{"lastStatus":"RUNNING","status":"ACTIVE"}`, `{"lastStatus":"STOPPED","status":"INACTIVE"}`,
		}).Draw(t, "detail")
		source := rapid.SampledFrom([]state.Source{state.SourceEvent, state.SourceDescribed}).Draw(t, "source")
		seen := see(h.key, source, version, rapid.IntRange(-9, 999).Draw(t, "second"), detail)
		next := store(t, record, seen)
		proven := version > record.Version || version == record.Version &&
			source == state.SourceDescribed && seen.ObservedAt.After(dead.StoppedAt)
		if next.Tombstone == nil && !(dead.Inferred && proven) {
			t.Fatalf("version %d revives version %d (%+v)", version, record.Version, dead)
		}
		if next.Version < record.Version {
			t.Fatalf("version %d after %d", next.Version, record.Version)
		}
	})
}

func TestWritingOnlyTheNewestOfABatchLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		before := store(t, state.Record{}, h.drawDeliveries(t)...)
		batch := h.drawDeliveries(t)
		newest, superseded := state.NewestPerKey(batch)
		if len(newest) != 1 || len(newest)+len(superseded) != len(batch) {
			t.Fatalf("%d newest and %d superseded of %d", len(newest), len(superseded), len(batch))
		}
		all := store(t, before, batch...)
		only := store(t, before, newest...)
		if all.Version != only.Version || sharedFields(t, all) != sharedFields(t, only) {
			t.Fatalf("%s and %s", sharedFields(t, all), sharedFields(t, only))
		}
	})
}
