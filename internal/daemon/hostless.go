package daemon

import (
	"slices"
	"time"
)

// A deployment that has no host to bring its revision to.

// hostless says why a deployment that has no host waits for some; empty if it has any, or need not wait.
//
// Keeps: a deployment that had hosts does not end well without them: what crashed on the last one would be the last
// good revision. One of an environment that never had any completes, for nobody may ever come. A rollback has nothing
// to show, it waits only for hosts that are there.
func (p *planner) hostless(c Counts) string {
	d := p.Deployment
	had := d.Status != DeploymentRollingBack && (d.HostlessSince != nil || d.Counts.Desired > 0)
	switch {
	case c.Desired > 0:
		return ""
	case p.misses():
		return "waits for hosts: its instance group selects none of those that the last good revision's selects"
	case had || p.anySelected():
		return "waits for hosts: those that it is for have left, are being drained, or are not to have the daemon now"
	}
	return ""
}

// anySelected says that there are hosts that the daemon is for, though it belongs on none of them just now: they are
// being drained, or only the revision before selects them.
func (p *planner) anySelected() bool {
	return p.selectsAny(p.Revision) || p.Base != nil && p.selectsAny(*p.Base)
}

// misses says that the last good revision's instance group selects hosts, and the deployment's own none: that is
// mistyped most of the time, and no host that comes back puts it right.
func (p *planner) misses() bool {
	return p.Base != nil && !p.selectsAny(p.Revision) && p.selectsAny(*p.Base)
}

func (p *planner) selectsAny(revision Revision) bool {
	return slices.ContainsFunc(p.keys, func(key HostKey) bool {
		r := p.at(key)
		if !r.listed || r.host.Status != StatusActive && r.host.Status != StatusDraining || r.turn.slotOrIdle().Released {
			return false
		}
		selected, _ := p.selects(revision, *r.host)
		return selected
	})
}

// noteHosts keeps since when the deployment, which had that many hosts before, has none. The time without any is no
// lack of progress: the clocks stood still meanwhile. They do not begin anew, or a single host that comes and goes would
// hide that nothing ever works on it.
func (d Deployment) noteHosts(before int, now time.Time) Deployment {
	switch {
	case d.Counts.Desired == 0 && before > 0:
		d.HostlessSince = &now
	case d.Counts.Desired > 0 && d.HostlessSince != nil:
		from := d.notBefore(d.CameForwardAt())
		if from.Before(*d.HostlessSince) {
			from = from.Add(now.Sub(*d.HostlessSince))
		} else {
			from = now // begun, resumed or thawed meanwhile
		}
		d.ClocksFrom, d.HostlessSince = &from, nil
	}
	return d
}
