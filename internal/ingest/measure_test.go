package ingest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/metrics"
)

func TestABatchIsMeasured(t *testing.T) {
	aged := func(id string, age time.Duration) []byte {
		return eventtest.Task(eventtest.ID(id), eventtest.Time(now.Add(-age)))
	}
	value := func(name metrics.Name, v int64) metrics.Value { return metrics.Value{Name: name, Value: v} }
	for about, c := range map[string]struct {
		bodies [][]byte
		want   []metrics.Value
	}{
		"the oldest event counts": {
			[][]byte{aged("a", time.Second), aged("b", 3*time.Second)},
			[]metrics.Value{value(metrics.EventLagMillis, 3000), value(metrics.EventsStored, 2)},
		},
		"a clock that is behind": {
			[][]byte{aged("a", -time.Second)}, []metrics.Value{value(metrics.EventLagMillis, 0), value(metrics.EventsStored, 1)},
		},
		"what is no event has no time": {[][]byte{[]byte("x"), []byte("y")}, []metrics.Value{value(metrics.EventsSetAside, 2)}},
		"both": {
			[][]byte{aged("a", 2*time.Second), []byte("x")},
			[]metrics.Value{value(metrics.EventLagMillis, 2000), value(metrics.EventsStored, 1), value(metrics.EventsSetAside, 1)},
		},
		"old news": {
			[][]byte{task("stored", 2), task("stored", 1), task("new", 2), task("new", 1), task("new", 1)},
			[]metrics.Value{
				value(metrics.EventLagMillis, 1000), value(metrics.EventsStored, 1),
				value(metrics.EventsDuplicate, 1), value(metrics.EventsStale, 3),
			},
		},
		"older than what is stored": {
			[][]byte{task("stored", 1)},
			[]metrics.Value{value(metrics.EventsStored, 0), value(metrics.EventsStale, 1)},
		},
		"a hint is not stored": {[][]byte{eventtest.ContainerInstanceHealth()}, nil},
		"nothing":              {nil, nil},
	} {
		t.Run(about, func(t *testing.T) {
			b := newBench(1)
			require.Empty(t, b.batch(t, task("stored", 2)))
			b.metrics = metrics.Memory{}
			require.Empty(t, b.batch(t, c.bodies...))
			if c.want == nil {
				require.Empty(t, b.metrics.Lines())
				return
			}
			require.Equal(t, []metrics.Line{{Values: c.want}}, b.metrics.Lines(), "one line a batch")
		})
	}
}

func TestWhatCouldNotBeSetAsideHasFailed(t *testing.T) {
	b := newBench(1)
	b.dead.err = errors.New("no such queue")
	require.Equal(t, []string{"0"}, b.batch(t, []byte("x")))
	require.Equal(t, []metrics.Line{{Values: []metrics.Value{{Name: metrics.IngestMessagesFailed, Value: 1}}}}, b.metrics.Lines())
}
