package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event"
	"github.com/blox/blox/internal/event/eventtest"
)

// Whoever finds a dead letter looks for its event in the log, and the other way round.
func TestADeadLettersLineHasItsEventsID(t *testing.T) {
	b := newBench(1)
	require.Empty(t, b.batch(t, task("a", -1, eventtest.EnvelopeField("id", "e-1")), []byte("nonsense")))
	line := b.lastLine(t)
	require.Equal(t, []any{
		map[string]any{"messageId": "0", "eventId": "e-1", "reason": event.ReasonInvalidVersion},
		map[string]any{"messageId": "1", "reason": event.ReasonNotJSON},
	}, line["deadMessages"])
	require.Equal(t, []any{"e-1"}, line["eventIds"])
}
