package dlq

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLookingChangesNothing(t *testing.T) {
	b := newBench(t)
	for i := range 25 {
		b.put(t, "not-json", fmt.Sprint(i))
	}
	before := bodies(b.dead)
	for _, c := range []struct{ limit, want int }{{10, 10}, {1, 1}, {25, 25}, {100, 25}, {1000, 25}} {
		letters, err := b.Look(t.Context(), b.queue, c.limit)
		require.NoError(t, err)
		require.Len(t, letters, c.want)
		seen := map[string]bool{}
		for _, l := range letters {
			seen[l.MessageID] = true
		}
		require.Len(t, seen, c.want, "each message once")
		require.Equal(t, before, bodies(b.dead))
		b.requireVisible(t)
	}
}

func TestLookingIsBounded(t *testing.T) {
	b := newBench(t)
	for i := range MaxShown + 5 {
		b.put(t, "not-json", fmt.Sprint(i))
	}
	letters, err := b.Look(t.Context(), b.queue, 100_000)
	require.NoError(t, err)
	require.Len(t, letters, MaxShown)
}

func TestALookThatFailsGivesBack(t *testing.T) {
	b := newBench(t)
	for i := range 15 {
		b.put(t, "not-json", fmt.Sprint(i))
	}
	b.failAt = 2 // the second receive
	_, err := b.Look(t.Context(), b.queue, 15)
	require.ErrorIs(t, err, errFault)
	require.ErrorContains(t, err, "receiving messages of events")
	b.requireVisible(t)

	b.calls, b.failAt = nil, 3 // giving back
	letters, err := b.Look(t.Context(), b.queue, 15)
	require.ErrorContains(t, err, "hidden for a few minutes")
	require.Len(t, letters, 15, "what was seen is shown all the same")
}

func TestASummary(t *testing.T) {
	b := newBench(t)
	empty, err := b.Summarize(t.Context(), b.queue)
	require.NoError(t, err)
	require.Equal(
		t,
		Summary{Queue: "events", Holds: "ECS events that could not be stored", URL: b.queue.URL, Reasons: []ReasonCount{}},
		empty,
	)
	require.Empty(t, b.calls, "an empty queue is not looked into")

	for _, reason := range []string{"panic", "not-json", "too-large", "not-json"} {
		b.put(t, reason, reason)
	}
	got, err := b.Summarize(t.Context(), b.queue)
	require.NoError(t, err)
	require.Equal(t, 4, got.Count)
	require.Equal(t, 4, got.Looked)
	require.Equal(t, start, *got.Oldest)
	require.Equal(t, []ReasonCount{{"not-json", 2}, {"panic", 1}, {"too-large", 1}}, got.Reasons)
	b.requireVisible(t)
}
