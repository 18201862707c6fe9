package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDaemonsOfOneHostLeaveInTheOrderOfTheirPriority(t *testing.T) {
	draining := func(since time.Duration, others, earlier int) Snapshot {
		return completed(fixture()).with(1, running(2), hostChange(func(h *Host) {
			h.Status, h.OtherTasks, h.EarlierDaemons = StatusDraining, others, earlier
		}), slotChange(func(s *Slot) { s.DrainingSince = ago(since) }))
	}
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     string
		waits    string
	}{
		"other tasks go before all daemons":             {draining(time.Hour, 2, 1), "observe i-001", "until its 2 other tasks have left"},
		"daemons of a lower priority go first":          {draining(time.Hour, 0, 1), "observe i-001", "1 daemons of a lower drain priority are stopped first"},
		"then this one":                                 {draining(time.Hour, 0, 0), "stop i-001", ""},
		"none waits for ever for another daemon":        {draining(48*time.Hour, 0, 1), "stop i-001", ""},
		"none waits for ever for another task":          {draining(48*time.Hour, 1, 0), "stop i-001", ""},
		"a drain that has just begun is not known well": {draining(time.Second, 0, 0), "observe i-001", "just begun to drain"},
	} {
		t.Run(name, func(t *testing.T) {
			actions, waits := waitsOf(c.snapshot)
			require.Equal(t, []string{c.want}, actions)
			require.Contains(t, waits, c.waits)
		})
	}
}

func TestTwoEnvironmentsDoNotWaitForEachOthersDrain(t *testing.T) {
	// A daemon of another environment with the same priority is neither another task nor an earlier daemon.
	s := completed(fixture()).with(1, running(2), status(StatusDraining), slotChange(func(s *Slot) { s.DrainingSince = ago(time.Minute) }))
	require.Equal(t, []string{"stop i-001"}, ofHosts(Plan(s, t0)))
}
