package daemon

import (
	"fmt"
	"time"
)

// overdue says that the host has been without a settled daemon for longer than it may be, while the deployment was free
// to do something about it.
//
// Assumes: UpdatingSince is set while the host is on its way to a revision; a daemon that was well and is not any more
// has no such time, and is overdue by when it ceased to be well.
// Keeps: a deployment answers only for its own time: what an overtaken one, a pause or a freeze took is not counted.
func (p *planner) overdue(slot Slot) bool {
	from := slot.UpdatingSince
	if from == nil {
		from = slot.UnhealthySince
	}
	d := p.Deployment
	held := d.Status == DeploymentPending || d.FrozenSince != nil || p.frozen() // its clocks start when it has begun, or begun again
	if from == nil || held || slot.Settled(p.minHealthy(), p.now) {
		return false
	}
	return p.now.Sub(d.notBefore(*from)) >= p.Revision.DeploymentConfiguration.HostDeadline()
}

// notBefore is a time from which a deadline runs: none runs from before the deployment could last do something about it.
func (d Deployment) notBefore(at time.Time) time.Time {
	if d.ClocksFrom != nil && d.ClocksFrom.After(at) {
		return *d.ClocksFrom
	}
	return at
}

// noteFreeze starts the deadlines anew when the environment is thawed. What the freeze took is no lack of progress.
func (p *planner) noteFreeze(d Deployment) Deployment {
	switch frozen := p.frozen(); {
	case frozen && d.FrozenSince == nil:
		d.FrozenSince, d.Progress.StuckSince = &p.now, nil
	case !frozen && d.FrozenSince != nil:
		d.FrozenSince = nil
		d = d.restartClocks(p.now)
	}
	return d
}

// restartClocks is the deployment with its deadlines beginning now.
func (d Deployment) restartClocks(now time.Time) Deployment {
	d.ClocksFrom, d.Progress.At, d.Progress.StuckSince = &now, &now, nil
	return d
}

// late says that the deployment did not come forward for as long as it may not; empty if it may still.
func (p *planner) late(d Deployment) string {
	seconds := p.Revision.DeploymentConfiguration.ProgressDeadlineSeconds
	if seconds == 0 || d.Status != DeploymentRunning || p.hostless(d.Counts) != "" && !p.misses() {
		return "" // no host is not the revision's fault, but a group that selects none of those there is
	}
	from := d.notBefore(d.CameForwardAt())
	deadline := from.Add(time.Duration(seconds) * time.Second)
	if p.now.Before(deadline) {
		p.wakeAll(deadline, "the deployment's progress deadline")
		return ""
	}
	return fmt.Sprintf("no host was updated for %d seconds, %d of %d are left", seconds, d.Counts.Desired-d.Counts.Updated, d.Counts.Desired)
}
