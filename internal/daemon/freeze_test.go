package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAFrozenEnvironmentIsLeftAsItIs(t *testing.T) {
	idle := slotted(func(s *Slot) { s.DeploymentID, s.Revision = "d-2", 2 })
	drained := func(s *Snapshot, h *Host) {
		h.Status = StatusDraining
		slotChange(func(s *Slot) { s.DrainingSince = ago(time.Minute) })(s, h)
	}
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"nothing is started":                       {frozen(fixture()).with(1, idle), []string{"observe i-001"}},
		"nothing is replayed":                      {frozen(fixture()).with(1, claimed(time.Minute)), []string{"observe i-001"}},
		"nothing is replaced":                      {frozen(fixture()).with(1, running(1)), []string{}},
		"nothing is surged":                        {frozen(surgeMethod(fixture())).with(1, running(1)), []string{}},
		"no surge is ended":                        {frozen(surgeMethod(fixture())).with(1, running(2), beside(1, StatusRunning, StatusRunning)), []string{}},
		"nothing is stopped on a drained host":     {frozen(fixture()).with(1, running(2), drained), []string{}},
		"nothing is stopped where it has no place": {frozen(fixture()).with(1, running(2), hostChange(func(h *Host) { h.Managed = true })), []string{}},
		"no stop is called again":                  {frozen(fixture()).with(1, running(2), stopping(time.Minute)), []string{"observe i-001"}},
		"no stop of a former task is called again": {
			frozen(surgeMethod(fixture())).with(1, running(2), beside(1, StatusRunning, StatusRunning), formerStopping(time.Minute)), []string{},
		},
		"no second task is stopped":               {frozen(fixture()).with(1, running(2), stray("x")), []string{}},
		"no unhealthy daemon is restarted":        {frozen(fixture()).with(1, running(2), sick(), sickFor(time.Hour)), []string{}},
		"no idle host is released":                {frozen(releasing(fixture())).with(1, running(2), idleFor(time.Hour)), []string{}},
		"no host is taken over":                   {frozen(migrating(fixture())).with(1, served(StatusRunning)), []string{}},
		"no attribute is put again":               {frozen(migrating(fixture())).with(1, served(StatusRunning), handedOver()), []string{"observe i-001"}},
		"what a claim brought is still asked for": {frozen(fixture()).with(1, claimed(time.Hour)), []string{"resolve i-001"}},
		"what became of a stop, too":              {frozen(fixture()).with(1, placed(2, StatusStopped, "DEACTIVATING"), stopping(time.Hour)), []string{"resolve i-001"}},
		"what is learned is kept":                 {frozen(fixture()).with(1, placed(2, StatusStopped, StatusStopped)), []string{"observe i-001"}},
		"a host that left is forgotten":           {frozen(fixture()).with(1, idle, status("INACTIVE")), []string{"forget i-001"}},
		"a deletion thaws":                        {deleting(frozen(fixture()), false).with(1, running(2)), []string{"stop i-001"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, ofHosts(Plan(c.snapshot, t0)))
		})
	}
	_, waits := waitsOf(frozen(fixture()).with(1))
	require.Equal(t, "environment is frozen by ada: sale", waits)
}
