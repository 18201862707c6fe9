package table_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// taskLife is the order of a task's states. A life may end before the last.
var taskLife = []string{"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"}

// drawLife is what is seen of a task: events of some versions, of the last one surely, and Describes, each with a tag of
// its own. (A Describe that shows what is known already is not stored, so it cannot refuse one that was called before it
// and comes later. The next Describe puts that right.)
func drawLife(t *rapid.T, taskID string) []state.Observation {
	length := rapid.IntRange(1, len(taskLife)).Draw(t, "length")
	var seen []state.Observation
	for i, status := range taskLife[:length] {
		e := task(t, int64(i+1), status, eventtest.ID(taskID), eventtest.Time(after(10*i)))
		if rapid.Bool().Draw(t, "event") || i == length-1 {
			seen = append(seen, e)
		}
		for range rapid.IntRange(0, 2).Draw(t, "describes") {
			at := after(10*i + rapid.IntRange(0, 9).Draw(t, "at"))
			seen = append(seen, described(t, e, at, strconv.Itoa(len(seen))))
		}
	}
	return seen
}

// newestOf is the highest version, and of the Describes of that version the one called last.
func newestOf(seen []state.Observation) (version int64, describe *state.Observation) {
	for _, o := range seen {
		version = max(version, o.Version)
	}
	for i, o := range seen {
		if o.Source == state.SourceDescribed && o.Version == version &&
			(describe == nil || o.ObservedAt.After(describe.ObservedAt)) {
			describe = &seen[i]
		}
	}
	return version, describe
}

func TestEveryOrderEndsAtTheNewest(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, run := newState(db, name), 0
		rapid.Check(t, func(t *rapid.T) {
			if run++; run > runs(db) {
				return
			}
			life := drawLife(t, id(run))
			sent := rapid.Permutation(append(life, rapid.SliceOfN(rapid.SampledFrom(life), 0, 4).Draw(t, "again")...)).Draw(t, "order")
			var model state.Record
			for i, seen := range sent {
				next, outcome, err := state.Apply(model, seen, after(1000+i), visibleFor)
				require.NoError(t, err)
				got, err := s.Put(context.Background(), seen, after(1000+i))
				require.NoError(t, err)
				require.Equal(t, outcome.String(), got.String())
				model = next
			}
			record := stored(t, s, taskKey(id(run)))
			require.Equal(t, model, record)

			version, describe := newestOf(life)
			require.Equal(t, version, record.Version)
			require.Equal(t, taskLife[version-1], record.Task.LastStatus)
			require.Equal(t, version == int64(len(taskLife)), record.Tombstone != nil)
			merged, err := record.AsTask()
			require.NoError(t, err)
			require.Equal(t, taskLife[version-1], merged.LastStatus)
			// Describes called in the same second may tell different tags: then either is right.
			if describe != nil && onlyOne(life, *describe) {
				require.Equal(t, tag(t, state.Record{Key: describe.Key, Described: &state.SourceDetail{Detail: describe.Detail}}), tag(t, record))
			}
		})
	})
}

func onlyOne(life []state.Observation, describe state.Observation) bool {
	n := 0
	for _, o := range life {
		if o.Source == state.SourceDescribed && o.Version == describe.Version && o.ObservedAt.Equal(describe.ObservedAt) {
			n++
		}
	}
	return n == 1
}

// Whatever ECS and reconcile say, in whatever order: the table does what the pure rule does.
func TestTheTableDoesWhatTheRuleSays(t *testing.T) {
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s, run := newState(db, name), 0
		rapid.Check(t, func(t *rapid.T) {
			if run++; run > runs(db) {
				return
			}
			var model state.Record
			for i := range rapid.IntRange(1, 8).Draw(t, "steps") {
				now := after(1000 * (i + 1))
				if !model.IsZero() && rapid.IntRange(0, 4).Draw(t, "step") == 0 {
					err := s.MarkAbsent(context.Background(), model, now)
					require.Equal(t, model.Tombstone == nil, err == nil)
					model = state.InferGone(model, now, visibleFor)
					continue
				}
				seen := drawObservation(t, id(1000+run), now)
				next, outcome, err := state.Apply(model, seen, now, visibleFor)
				require.NoError(t, err)
				got, err := s.Put(context.Background(), seen, now)
				require.NoError(t, err)
				require.Equal(t, outcome.String(), got.String())
				model = next
			}
			require.Equal(t, model, stored(t, s, model.Key))
		})
	})
}

func drawObservation(t *rapid.T, taskID string, now time.Time) state.Observation {
	seen := task(t, rapid.Int64Range(1, 5).Draw(t, "version"),
		rapid.SampledFrom([]string{"PENDING", "RUNNING", "STOPPED"}).Draw(t, "status"),
		eventtest.ID(taskID), eventtest.Time(now))
	if rapid.Bool().Draw(t, "described") {
		at := now.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(t, "age")) * time.Second)
		return described(t, seen, at, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tag"))
	}
	return seen
}

func TestAllOrdersOfAShortLife(t *testing.T) {
	stopped := task(t, 3, "STOPPED", eventtest.Time(after(20)))
	life := []state.Observation{
		task(t, 1, "PENDING"), task(t, 2, "RUNNING"), stopped, described(t, stopped, after(25), "a"),
	}
	onBoth(t, schema.State, func(t *testing.T, db dynamo.API, name string) {
		s := newState(db, name)
		for i, order := range permutations(len(life)) {
			for _, n := range append(order, order...) {
				seen := life[n]
				seen.ID = id(i)
				_, err := s.Put(t.Context(), seen, after(100))
				require.NoError(t, err)
			}
			record := stored(t, s, taskKey(id(i)))
			require.Equal(t, int64(3), record.Version, "order %v", order)
			require.Equal(t, "STOPPED", record.Task.LastStatus)
			require.NotNil(t, record.Tombstone)
			require.Equal(t, "a", tag(t, record))
		}
	})
}

// permutations are all orders of the numbers below n.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for place := range n {
			order := slices.Insert(slices.Clone(shorter), place, n-1)
			all = append(all, order)
		}
	}
	return all
}
