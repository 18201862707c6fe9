package daemon

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/state"
)

// attributed gives the host an attribute that expressions can ask for.
func attributed(name, value string) func(*Snapshot, *Host) {
	return hostChange(func(h *Host) {
		h.Query = clusterquery.Host{EC2InstanceID: h.Key.EC2InstanceID, Attributes: map[string]string{name: value}}
	})
}

func selecting(s Snapshot, selector Selector) Snapshot {
	s.Revision.Selector = selector
	return s
}

func TestWhereADaemonBelongs(t *testing.T) {
	prod := Selector{Expression: "attribute:stack == prod"}
	elsewhere := completed(fixture())
	elsewhere.Revision.Clusters = []state.ClusterKey{{Account: cluster.Account, Region: cluster.Region, Name: "other"}}
	pattern := elsewhere
	pattern.Revision.ClusterPattern = "ed?e*"
	external := completed(fixture())
	external.Revision.LaunchType = LaunchTypeExternal

	for name, c := range map[string]struct {
		snapshot Snapshot
		why      string
	}{
		"on every host of the clusters":                       {completed(fixture()).with(1), ""},
		"on hosts that match the expression":                  {selecting(completed(fixture()), prod).with(1, attributed("stack", "prod")), ""},
		"on clusters that came later and match the pattern":   {pattern.with(1), ""},
		"on external hosts under launch type EXTERNAL":        {external.with(1, hostChange(func(h *Host) { h.External = true })), ""},
		"not on those that do not match":                      {selecting(completed(fixture()), prod).with(1, attributed("stack", "test")), "does not match the instance group's expression attribute:stack == prod"},
		"not on those that the expression cannot be read for": {selecting(completed(fixture()), Selector{Expression: "agentVersion >= 1.50"}).with(1, hostChange(func(h *Host) { h.Query.AgentVersion = "x.y" })), "cannot be evaluated"},
		"not by an expression that cannot be read":            {selecting(completed(fixture()), Selector{Expression: "stack =="}).with(1), "cannot be read"},
		"not on those that are excluded":                      {selecting(completed(fixture()), Selector{Exclude: []string{"i-001"}}).with(1), "excluded by its instance id"},
		"not on other clusters":                               {elsewhere.with(1), "cluster edge is not among those of revision 2"},
		"not on hosts of Managed Instances":                   {completed(fixture()).with(1, hostChange(func(h *Host) { h.Managed = true })), "Managed Instances"},
		"not on external hosts under launch type EC2":         {completed(fixture()).with(1, hostChange(func(h *Host) { h.External = true })), "launch type is EC2"},
		"not on EC2 hosts under launch type EXTERNAL":         {external.with(1), "launch type is EXTERNAL"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlanner(c.snapshot, t0)
			ok, why := p.eligible(*p.at(hostKey(1)).host)
			require.Equal(t, c.why == "", ok)
			require.Contains(t, why, c.why)
			_, wait := waitsOf(c.snapshot)
			require.Contains(t, wait, c.why, "the turn says why nothing is started")
		})
	}
}

// waitsOf is what is planned for host 1, and what it waits for.
func waitsOf(s Snapshot) (actions []string, waits string) {
	p := newPlanner(s, t0)
	p.plan()
	if t := p.at(hostKey(1)).turn; t != nil {
		waits = t.waits
	}
	return ofHosts(p.actions()), waits
}

func TestAHostThatLeavesTheInstanceGroupLosesItsDaemon(t *testing.T) {
	prod := Selector{Expression: "attribute:stack == prod"}
	left := selecting(completed(fixture()), prod).with(1, running(2), attributed("stack", "test"))
	actions := Plan(left, t0)
	require.Equal(t, []string{"stop i-001"}, brief(actions))
	require.Contains(t, actions[0].Reason, "does not match")

	require.Equal(t, []string{}, brief(Plan(stale(left), t0))[1:], "by fresh knowledge only")

	back := selecting(completed(fixture()), prod).with(1, slotted(func(*Slot) {}), attributed("stack", "prod"))
	require.Equal(t, []string{"start i-001"}, brief(Plan(back, t0)), "and gets it again when it comes back")
}

func TestAHeldDeploymentTakesNoHostOutOfTheInstanceGroup(t *testing.T) {
	s := fixture()
	base := s.Revision
	base.Number, base.TaskDefinition = 1, taskDefinition(1)
	s.Base = &base
	s = selecting(s, Selector{Exclude: []string{"i-001"}}).with(1, running(1))

	require.Equal(t, []string{}, ofHosts(Plan(paused(s), t0)))
	require.Equal(t, []string{"stop i-001"}, ofHosts(Plan(s, t0)), "once it goes on, it does")
}

func TestAHostThatOnlyTheHeldRevisionSelectsWaits(t *testing.T) {
	s := fixture()
	base := s.Revision
	base.Number, base.TaskDefinition, base.Selector = 1, taskDefinition(1), Selector{Exclude: []string{"i-001"}}
	s.Base = &base
	actions, waits := waitsOf(paused(s).with(1))
	require.Equal(t, []string{"observe i-001"}, actions)
	require.Contains(t, waits, "the deployment is paused, and revision 1, which hosts get meanwhile, does not belong here")
}
