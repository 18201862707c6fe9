package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestNewestPerKey(t *testing.T) {
	event := func(id string, version int64) state.Observation {
		return see(taskKey(id), state.SourceEvent, version, 0, `{}`)
	}
	described := func(id string, version int64, second int) state.Observation {
		return see(taskKey(id), state.SourceDescribed, version, second, `{}`)
	}
	otherKind := see(instanceKey("a"), state.SourceEvent, 1, 0, `{}`)
	otherCluster := event("a", 1)
	otherCluster.Cluster.Region = "us-east-1"

	tests := map[string]struct {
		batch, newest, superseded []state.Observation
	}{
		"empty": {},
		"one":   {batch: []state.Observation{event("a", 1)}, newest: []state.Observation{event("a", 1)}},
		"versions in order": {
			batch:      []state.Observation{event("a", 1), event("a", 2), event("a", 3)},
			newest:     []state.Observation{event("a", 3)},
			superseded: []state.Observation{event("a", 1), event("a", 2)},
		},
		"versions out of order, two tasks": {
			batch:      []state.Observation{event("a", 2), event("b", 7), event("a", 1), event("b", 9)},
			newest:     []state.Observation{event("a", 2), event("b", 9)},
			superseded: []state.Observation{event("b", 7), event("a", 1)},
		},
		"duplicates": {
			batch:      []state.Observation{event("a", 2), event("a", 2)},
			newest:     []state.Observation{event("a", 2)},
			superseded: []state.Observation{event("a", 2)},
		},
		"same id elsewhere": {
			batch:  []state.Observation{event("a", 2), otherKind, otherCluster},
			newest: []state.Observation{event("a", 2), otherKind, otherCluster},
		},
		"a Describe beats an event of its version": {
			batch:      []state.Observation{described("a", 2, 0), event("a", 2), event("b", 2), described("b", 2, 0)},
			newest:     []state.Observation{described("a", 2, 0), described("b", 2, 0)},
			superseded: []state.Observation{event("a", 2), event("b", 2)},
		},
		"a later Describe beats an earlier one": {
			batch:      []state.Observation{described("a", 2, 5), described("a", 2, 9), described("a", 2, 7)},
			newest:     []state.Observation{described("a", 2, 9)},
			superseded: []state.Observation{described("a", 2, 5), described("a", 2, 7)},
		},
		"a version beats a Describe": {
			batch:      []state.Observation{event("a", 3), described("a", 2, 9)},
			newest:     []state.Observation{event("a", 3)},
			superseded: []state.Observation{described("a", 2, 9)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			newest, superseded := state.NewestPerKey(test.batch)
			require.Equal(t, test.newest, newest)
			require.Equal(t, test.superseded, superseded)
		})
	}
}

func TestOfEqualEventsTheFirstStays(t *testing.T) {
	first := see(taskKey("a"), state.SourceEvent, 2, 1, `{"first":1}`)
	second := see(taskKey("a"), state.SourceEvent, 2, 2, `{"second":1}`)
	newest, _ := state.NewestPerKey([]state.Observation{first, second})
	require.Equal(t, []state.Observation{first}, newest)
}
