package ingest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
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
	step := func(age, then time.Duration) {
		t.Helper()
		b.at(t, age)
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
	step(2*time.Second, time.Second)
	require.Equal(t, []lagReport{{here, 60_000}, {here, 80_000}, {here, 2_000}}, b.store.lags, "back to normal, said once")
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
	b.at(t, 2*time.Minute)
	b.store.lagErr = nil
	b.at(t, 2*time.Minute)
	require.Len(t, b.store.lags, 1)
}

func TestTheMemoryOfLagsIsBounded(t *testing.T) {
	var l lags
	for i := range maxLagRegions + 1 {
		l.report(place{fmt.Sprint(i), "eu-west-1"}, lateAfter, now)
	}
	require.LessOrEqual(t, len(l.reported), maxLagRegions)
}
