package watch_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/watch"
)

// What a reader costs for each second in which nothing happens.
func BenchmarkIdle(b *testing.B) {
	selection := watch.Tasks(state.TaskFilter{})
	idle := func(b *testing.B, watch func(w *world, p *poller)) {
		w := newWorld(b)
		w.task(id(1), "RUNNING")
		w.dispatchAll()
		p := newPoller(w)
		p.began, p.position = "", feedEnd(b, w)
		began := w.now
		w.db.ResetConsumed()
		for b.Loop() {
			watch(w, p)
		}
		b.ReportMetric(units(w)/w.now.Sub(began).Seconds(), "RCU/s")
	}
	b.Run("stream of a minute", func(b *testing.B) {
		idle(b, func(w *world, p *poller) {
			take := func(line watch.Line) error { p.take(line); return nil }
			require.NoError(b, p.watch(w.watcher(func() {}), selection, time.Minute, take))
		})
	})
	b.Run("poll of 20 seconds", func(b *testing.B) {
		idle(b, func(w *world, p *poller) {
			require.NoError(b, p.poll(w.watcher(func() {}), selection, 20*time.Second, 0, false))
		})
	})
}

func feedEnd(tb testing.TB, w *world) string {
	text, err := w.feed.Position(context.Background())
	require.NoError(tb, err)
	return text
}

// A snapshot of 1,000 tasks beside 20,000 that have stopped.
func BenchmarkSnapshot(b *testing.B) {
	const live, stopped = 1000, 20_000
	for name, tc := range map[string]struct {
		ago    time.Duration
		filter state.TaskFilter
	}{
		"all, the stopped out of sight": {visibleFor + time.Hour, state.TaskFilter{}},
		"running, the stopped in sight": {0, state.TaskFilter{LastStatus: "RUNNING"}},
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			for n := range stopped {
				w.task(id(n), "STOPPED", eventtest.Time(w.now.Add(-tc.ago)))
			}
			for n := range live {
				w.task(id(stopped+n), "RUNNING")
			}
			w.stream = nil
			w.db.ResetConsumed()
			told := 0
			for b.Loop() {
				told = 0
				r := newReader(w)
				require.NoError(b, r.watch(w.watcher(func() {}), watch.Tasks(tc.filter), time.Second, func(line watch.Line) error {
					if line.Type == watch.Updated {
						told++
					}
					return nil
				}))
			}
			b.ReportMetric(units(w)/float64(b.N), "RCU/snapshot")
			b.ReportMetric(float64(told), "tasks")
		})
	}
}

// What a change costs that is told to all readers; each of them would have looked at that time anyway.
func BenchmarkDelivery(b *testing.B) {
	for _, watchers := range []int{1, 50} {
		b.Run(fmt.Sprintf("watchers=%d", watchers), func(b *testing.B) {
			w := newWorld(b)
			w.task(id(1), "RUNNING")
			w.dispatchAll()
			pollers := make([]*poller, watchers)
			for i := range pollers {
				pollers[i] = newPoller(w)
				pollers[i].position = feedEnd(b, w)
			}
			watcher, selection := w.watcher(func() {}), watch.Tasks(state.TaskFilter{})
			var consumed float64
			for b.Loop() {
				w.task(id(1), "RUNNING")
				w.stream = w.stream[len(w.stream)-1:]
				w.dispatchAll()
				w.db.ResetConsumed()
				for _, p := range pollers {
					p.lines = p.lines[:0]
					require.NoError(b, p.poll(watcher, selection, time.Second, 0, false))
					require.Len(b, p.lines, 1)
				}
				consumed += units(w)
			}
			b.ReportMetric(consumed/float64(b.N), "RCU/change")
			b.ReportMetric(consumed/float64(b.N)/float64(watchers), "RCU/change/watcher")
		})
	}
}
