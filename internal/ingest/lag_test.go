package ingest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
)

// at sends one event that is this old.
func (b *bench) at(t *testing.T, age time.Duration, options ...eventtest.Option) {
	t.Helper()
	options = append([]eventtest.Option{eventtest.Time(b.now.Add(-age))}, options...)
	require.Empty(t, b.batch(t, eventtest.Task(options...)))
}

func TestLagIsReportedWhileItLastsAndOnceAfterwards(t *testing.T) {
	b := newBench(1)
	b.now = eventtest.DefaultTime
	events := 0
	step := func(age, then time.Duration) {
		t.Helper()
		events++
		b.at(t, age, eventtest.ID(fmt.Sprint(events)))
		b.now = b.now.Add(then)
	}
	const here = "210987654321/eu-west-1"

	step(59*time.Second, time.Second)
	require.Empty(t, b.store.lags, "nothing is late")
	step(60*time.Second, 9*time.Second)
	step(70*time.Second, time.Second)
	require.Equal(t, []lagReport{{here, 60_000}}, b.store.lags, "at most every ten seconds")
	step(80*time.Second, time.Second)
	require.Equal(t, []lagReport{{here, 60_000}, {here, 80_000}}, b.store.lags)
	step(2*time.Second, time.Second)
	step(61*time.Second, 119*time.Second)
	step(2*time.Second, time.Second)
	require.Len(t, b.store.lags, 2, "a fresh event in the midst of a backlog is no end of it")
	step(3*time.Second, time.Second)
	step(2*time.Second, time.Second)
	require.Equal(t, []lagReport{{here, 60_000}, {here, 80_000}, {here, 3_000}}, b.store.lags, "back to normal, said once")
}

// A redrive of old letters brings days-old events, whose state was long stored.
func TestOnlyNewsTellsTheLag(t *testing.T) {
	old := eventtest.Time(now.Add(-23 * time.Hour))
	for about, c := range map[string]struct {
		body []byte
		put  func(state.Observation) error
		late bool
	}{
		"something new":    {body: task("other", 1, old), late: true},
		"a newer version":  {body: task("a", 9, old), late: true},
		"a duplicate":      {body: task("a", 5, old)},
		"an older version": {body: task("a", 4, old)},
		"a hint":           {body: eventtest.ContainerInstanceHealth(old)},
		"a dead letter":    {body: task("a", -1, old)},
		"of no concern":    {body: task("a", 9, old, eventtest.EnvelopeField("detail-type", "ECS Service Action"))},
		"one that comes back": {
			body: task("a", 9, old), put: func(state.Observation) error { return errors.New("throttled") }, late: true,
		},
	} {
		t.Run(about, func(t *testing.T) {
			b := newBench(1)
			require.Empty(t, b.batch(t, task("a", 5)))
			b.store.put, b.metrics = c.put, metrics.Memory{}
			b.batch(t, c.body)
			lag := int64(0)
			if c.late {
				lag = (23 * time.Hour).Milliseconds()
				require.Len(t, b.store.lags, 1)
			} else {
				require.Empty(t, b.store.lags)
			}
			require.EqualValues(t, lag, b.lastLine(t)["lagMillis"])
		})
	}
}

func TestLagIsReportedByAccountAndRegion(t *testing.T) {
	b := newBench(1)
	late := b.now.Add(-2 * time.Minute)
	require.Empty(t, b.batch(t,
		eventtest.Task(eventtest.Time(late), eventtest.Region("us-east-1")),
		eventtest.Task(eventtest.Time(b.now)),
		eventtest.Task(eventtest.Time(late.Add(-time.Minute)), eventtest.Account("123456789012")),
	))
	require.Equal(t, []lagReport{{"123456789012/eu-west-1", 180_000}, {"210987654321/us-east-1", 120_000}}, b.store.lags)
	require.EqualValues(t, 180_000, b.lastLine(t)["lagMillis"])
}

func TestALagThatCannotBeReportedIsReportedByTheNextBatch(t *testing.T) {
	b := newBench(1)
	b.store.lagErr = errors.New("throttled")
	b.at(t, 2*time.Minute, eventtest.ID("a"))
	b.store.lagErr = nil
	b.at(t, 2*time.Minute, eventtest.ID("b"))
	require.Len(t, b.store.lags, 1)
}

func TestTheMemoryOfLagsIsBounded(t *testing.T) {
	var l lags
	for i := range maxLagRegions + 1 {
		l.report(place{fmt.Sprint(i), "eu-west-1"}, lateAfter, now)
	}
	require.LessOrEqual(t, len(l.late), maxLagRegions)
}
