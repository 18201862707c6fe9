package drive

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An environment that cannot be worked on is a message a tick, each received five times, unless the tick leaves it alone.
func TestAnEnvironmentThatCannotBeWorkedOnIsLeftAloneByTheTick(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	db := w.brittle()
	db.queries = func(pk string) bool { return pk == "environment/env" } // its slots cannot be read
	var woken []int
	for minute := range 60 {
		w.now = t0.Add(time.Duration(minute) * time.Minute)
		w.sent = nil
		require.NoError(t, w.driver.Tick(t.Context()))
		if len(w.sent) > 0 {
			woken = append(woken, minute)
			require.ErrorIs(t, w.driver.Drive(t.Context(), "env", nil), errTable, "the queue brings it again, and people hear of it")
		}
	}
	require.Equal(t, []int{0, 5, 15, 35, 55}, woken)

	// Whatever wakes it when it is well makes all as it was.
	db.queries = nil
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	w.sent = nil
	w.now = w.now.Add(activePeriod)
	require.NoError(t, w.driver.Tick(t.Context()))
	require.Len(t, w.sent, 1, "it is in motion")
	db.queries = func(string) bool { return true }
	require.ErrorIs(t, w.driver.Drive(t.Context(), "env", nil), errTable)
	require.Equal(t, 2*firstPutOff, w.driver.patience.spend("env"), "the failures before are forgotten")
}

func TestPatienceHasABound(t *testing.T) {
	var p patience
	for n := range 3 * maxBroken {
		require.Equal(t, firstPutOff, p.spend(fmt.Sprint(n)))
		require.LessOrEqual(t, len(p.failures), maxBroken)
	}
}
