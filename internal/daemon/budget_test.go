package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// surgesIn counts the hosts of a plan that are to have two tasks.
func surgesIn(actions []Action) (hosts []string) {
	for _, a := range actions {
		if a.Kind == Surge {
			hosts = append(hosts, a.Host.EC2InstanceID)
		}
	}
	return hosts
}

func TestASurgeKeepsItsOwnBudget(t *testing.T) {
	surge := func(minimum int, most Amount) Snapshot {
		return changed(basedOn1(fixture()), func(c *DeploymentConfiguration, _ *Deployment) {
			c.Method, c.MinimumHealthyPercent, c.MaxSurge = ReplaceThenTerminate, minimum, most
		})
	}
	surging := func(s *Snapshot, h *Host) {
		running(1)(s, h)
		slotChange(func(slot *Slot) {
			slot.Former = &Former{TaskARN: slot.TaskARN, Revision: 1, DeploymentID: "d-1", HealthySince: slot.HealthySince, PlacedAt: slot.PlacedAt}
			slot.State, slot.TaskARN, slot.PlacedAt, slot.HealthySince = SlotIdle, "", nil, nil
			slot.Revision, slot.DeploymentID, slot.RetryAt = 2, "d-2", ago(-time.Hour)
		})(s, h)
	}
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"a quarter, rounded up":          {many(surge(100, ""), 1, 5, running(1)), []string{"i-001", "i-002"}},
		"a count":                        {many(surge(100, "1"), 1, 5, running(1)), []string{"i-001"}},
		"one that surges already counts": {many(surge(100, "2"), 1, 5, running(1)).with(9, surging), []string{"i-001"}},
		"not while more are down than may be": {
			many(surge(100, "2"), 1, 5, running(1)).with(9, placed(2, StatusRunning, "PENDING")), nil,
		},
		"as many as may be down are no reason": {
			many(surge(75, "2"), 1, 5, running(1)).with(9, placed(2, StatusRunning, "PENDING")), []string{"i-001", "i-002"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			actions := Plan(c.snapshot, t0)
			require.Equal(t, c.want, surgesIn(actions))
			require.Empty(t, stopsIn(actions), "nothing is stopped for a surge")
		})
	}
}

// Both revisions of a rollback say how many hosts may be down. Going back is no reason to take more.
func TestARollbackKeepsTheStricterBudget(t *testing.T) {
	back := func(s Snapshot, target, from func(*DeploymentConfiguration)) []Action {
		s.Base = nil
		s = changed(s, func(c *DeploymentConfiguration, d *Deployment) {
			d.Status, d.Revision, d.RollbackTo = DeploymentRollingBack, 3, 2
			target(c)
		})
		rev := s.Revision
		rev.Number = 3
		from(&rev.DeploymentConfiguration)
		s.From = &rev
		return Plan(s, t0)
	}
	least := func(percent int) func(*DeploymentConfiguration) {
		return func(c *DeploymentConfiguration) { c.MinimumHealthyPercent = percent }
	}
	most := func(amount Amount) func(*DeploymentConfiguration) {
		return func(c *DeploymentConfiguration) { c.Method, c.MaxSurge = ReplaceThenTerminate, amount }
	}
	ten := many(basedOn1(fixture()), 1, 10, running(3))
	require.Len(t, stopsIn(back(ten, least(50), least(80))), 2, "the newer one is stricter")
	require.Len(t, stopsIn(back(ten, least(80), least(50))), 2, "the older one is stricter")
	require.Len(t, stopsIn(back(ten, least(80), func(c *DeploymentConfiguration) {
		c.Method, c.MaxUnavailable = ReplaceThenTerminate, "0"
	})), 1, "what a surge can do without does not hold up what is no surge")
	require.Len(t, surgesIn(back(ten, most("5"), most("1"))), 1)
	require.Len(t, surgesIn(back(ten, most("1"), most("5"))), 1)
}

func TestADaemonThatIsDownIsReplacedAndNotSurged(t *testing.T) {
	s := changed(basedOn1(fixture()), func(c *DeploymentConfiguration, _ *Deployment) { c.Method = ReplaceThenTerminate })
	actions := Plan(s.with(1, placed(1, StatusRunning, "PENDING")), t0)
	require.Equal(t, []string{"i-001"}, stopsIn(actions))
	require.Empty(t, surgesIn(actions))
}

// One stuck stop does not block the rest; but hosts that a deployment could not bring back are left out of the budget only
// as far as the budget goes once more.
func TestHostsPastTheirDeadlineNoLongerTakeRoom(t *testing.T) {
	stuck := func(d time.Duration) func(*Snapshot, *Host) {
		return func(s *Snapshot, h *Host) {
			placed(1, StatusStopped, "DEACTIVATING")(s, h)
			stopping(d)(s, h)
			slotChange(func(slot *Slot) { slot.Disrupted, slot.UpdatingSince = true, ago(d) })(s, h)
		}
	}
	fleet := func(stuckHosts int, since time.Duration) Snapshot {
		s := many(minimum(basedOn1(fixture()), 80), 1, 10-stuckHosts, running(1))
		s.Revision.DeploymentConfiguration.CircuitBreaker.Disabled = true
		return many(s, 20, 19+stuckHosts, stuck(since))
	}
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"two of ten may be down":                  {fleet(0, 0), []string{"i-001", "i-002"}},
		"two are":                                 {fleet(2, 10*time.Minute-1), nil},
		"two are, past their deadline":            {fleet(2, 10*time.Minute), []string{"i-001", "i-002"}},
		"three are, and two can be left out":      {fleet(3, 10*time.Minute), []string{"i-001"}},
		"four are: that is twice the budget":      {fleet(4, 10*time.Minute), nil},
		"a deployment answers for its own time":   {changed(fleet(2, time.Hour), func(_ *DeploymentConfiguration, d *Deployment) { d.ClocksFrom = ago(time.Minute) }), nil},
		"one that was frozen has its time again":  {changed(fleet(2, time.Hour), func(_ *DeploymentConfiguration, d *Deployment) { d.FrozenSince = ago(time.Minute) }), nil},
		"one that has not begun has had no time":  {changed(fleet(2, time.Hour), func(_ *DeploymentConfiguration, d *Deployment) { d.Status = DeploymentPending }), nil},
		"a paused one replaces nothing all along": {changed(fleet(2, time.Hour), pausedFor(PausedByPeople)), nil},
		"a rollback replaces within the budget":   {changed(fleet(0, 0), func(_ *DeploymentConfiguration, d *Deployment) { d.Status, d.RollbackTo = DeploymentRollingBack, 2 }), []string{"i-001", "i-002"}},
		"on delete nothing is":                    {changed(fleet(0, 0), func(c *DeploymentConfiguration, _ *Deployment) { c.Method = OnDelete }), nil},
		"a rollback takes what on delete leaves": {changed(fleet(0, 0), func(c *DeploymentConfiguration, d *Deployment) {
			c.Method, d.Status, d.RollbackTo = OnDelete, DeploymentRollingBack, 2
		}), []string{"i-001", "i-002"}},
		"maxUnavailable takes the minimum's place": {changed(fleet(0, 0), func(c *DeploymentConfiguration, _ *Deployment) { c.MaxUnavailable = "30%" }), []string{"i-001", "i-002", "i-003"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, stopsIn(Plan(c.snapshot, t0)))
		})
	}
}

// NVSentinel #1764: 25 of 288 nodes are down anyway, and the rollout never starts.
func TestHostsThatAreDownAnywayDoNotHoldUpARollout(t *testing.T) {
	s := many(minimum(basedOn1(fixture()), 90), 1, 40, running(1))
	broken := func(s *Snapshot, h *Host) {
		placed(2, StatusRunning, "PENDING")(s, h)
		slotChange(func(slot *Slot) { slot.UnhealthySince = ago(time.Hour) })(s, h)
	}
	s = many(s, 50, 60, broken) // and the deployment has put its task there by now
	require.Len(t, stopsIn(Plan(s, t0)), 4)
	require.Equal(t, 11, advanced(s, t0).Counts.Exempt)
}

func TestATaskDefinitionThatIsInactiveHoldsEverythingUp(t *testing.T) {
	s := many(basedOn1(fixture()), 1, 4, running(1)).with(9)
	s.Inactive = map[string]bool{taskDefinition(2): true}
	actions := Plan(s, t0)
	require.Empty(t, stopsIn(actions), "nothing gives way to what cannot be run")
	for _, a := range actions {
		require.NotEqual(t, Start, a.Kind)
	}
	require.Equal(t, 5, advanced(s, t0).Progress.Blocked)
}

func TestWhatAnotherRevisionReplaces(t *testing.T) {
	hash := func(h string) func(*Snapshot, *Host) { return slotChange(func(s *Slot) { s.TaskHash = h }) }
	same := fixture().Revision.TaskHash()
	restart := changed(fixture(), func(_ *DeploymentConfiguration, d *Deployment) { d.Restart = true })
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"another task definition":                 {fixture().with(1, running(1)), []string{"i-001"}},
		"the same, asked for with the same words": {fixture().with(1, running(2), hash(same)), nil},
		"the same, asked for with other words":    {fixture().with(1, running(2), hash("other")), []string{"i-001"}},
		"the same, adopted without its words":     {fixture().with(1, running(2), hash("")), nil},
		"a restart of what another started":       {restart.with(1, running(2), slotChange(func(s *Slot) { s.DeploymentID = "d-1" })), []string{"i-001"}},
		"a restart of what it started itself":     {restart.with(1, running(2)), nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, stopsIn(Plan(c.snapshot, t0))) })
	}
}
