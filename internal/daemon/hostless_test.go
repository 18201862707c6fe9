package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hostlessFor gives a deployment that had a host, and has had none for so long.
func hostlessFor(d time.Duration) Snapshot {
	return changed(basedOn1(fixture()), func(c *DeploymentConfiguration, dep *Deployment) {
		c.ProgressDeadlineSeconds = 600
		dep.CreatedAt, dep.Progress.At, dep.HostlessSince = t0.Add(-d), ago(d), ago(d)
		dep.ClocksFrom = ago(d)
	})
}

// mistyped has the deployment's instance group select none of the hosts that its base's selects.
func mistyped(s Snapshot) Snapshot {
	s = s.with(1, in("a"))
	s.Revision.Selector.Expression = "attribute:zoen == a"
	return s
}

func TestADeploymentWhoseLastHostLeftHasShownNothing(t *testing.T) {
	had := changed(basedOn1(fixture()), func(_ *DeploymentConfiguration, d *Deployment) { d.Counts.Desired = 1 })
	after := advanced(had, t0)
	require.Equal(t, DeploymentRunning, after.Status, "what crashed on its only host is not the last good revision")
	require.Equal(t, t0, *after.HostlessSince)
	require.Contains(t, after.Reason, "waits for hosts: those that it is for have left")
	require.Equal(t, DeploymentCompleted, advanced(basedOn1(fixture()), t0).Status, "there never was a host: none may come")
	back := changed(hostlessFor(time.Hour), func(_ *DeploymentConfiguration, d *Deployment) {
		d.Status, d.RollbackTo = DeploymentRollingBack, 1
	})
	back.Revision.Number, back.Base = 1, nil
	require.Equal(t, DeploymentRolledBack, advanced(back, t0).Status, "a rollback has nothing to show")
}

func TestHostsThatLeaveAreNotHeldAgainstADeployment(t *testing.T) {
	for name, s := range map[string]Snapshot{
		"they are being drained": hostlessFor(2*time.Hour).with(1, running(1), status(StatusDraining)),
		"they have left":         hostlessFor(2 * time.Hour),
	} {
		after := advanced(s, t0)
		require.Equal(t, DeploymentRunning, after.Status, name)
		require.False(t, after.Stuck(), name)
		require.Contains(t, after.Reason, "waits for hosts", name)
	}
}

func TestAnInstanceGroupThatMissesItsHostsIsHeldAgainstADeployment(t *testing.T) {
	late := mistyped(hostlessFor(2 * time.Hour))
	require.Equal(t, DeploymentRollingBack, advanced(late, t0).Status)
	unbounded := changed(late, func(c *DeploymentConfiguration, _ *Deployment) { c.ProgressDeadlineSeconds = 0 })
	after := advanced(unbounded, t0)
	require.True(t, after.Stuck())
	require.Contains(t, after.Reason, "selects none of those that the last good revision's selects")
}

func TestTimeWithoutHostsIsNoLackOfProgress(t *testing.T) {
	s := changed(hostlessFor(2*time.Hour).with(1), func(_ *DeploymentConfiguration, d *Deployment) {
		d.ClocksFrom, d.Progress.At, d.Reason = ago(2*time.Hour+5*time.Minute), ago(2*time.Hour+5*time.Minute), "waits for hosts: …"
	})
	after := advanced(s, t0)
	require.Equal(t, DeploymentRunning, after.Status)
	require.Nil(t, after.HostlessSince)
	require.Empty(t, after.Reason)
	require.Equal(t, t0.Add(-5*time.Minute), *after.ClocksFrom, "what it had used up before stays used up")
	began := t0.Add(-time.Minute)
	s.Deployment.ClocksFrom = &began
	require.Equal(t, t0, *advanced(s, t0).ClocksFrom, "thawed meanwhile: it had no host to use that time for")
}
