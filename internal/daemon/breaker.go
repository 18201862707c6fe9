package daemon

import (
	"fmt"
	"slices"
)

// maxAttempts is how often in a row a revision may fail on a host before the host counts as failed.
const maxAttempts = 3

// failure says why the deployment has failed on the host; empty if it has not.
//
// Assumes: Failures counts the attempts of this deployment only: a host starts over with each.
// Keeps: only what this deployment did to a host is held against it. A host that was without a daemon before is exempt,
// one without room is blocked; either fails only if the deployment had taken its daemon away.
func (p *planner) failure(slot Slot) string {
	if slot.Settled(p.minHealthy(), p.now) || slot.Released || p.brokenBefore(slot) {
		return ""
	}
	reached := p.reached(slot)
	switch {
	case p.goneUnder(slot):
		return "agent has been away since the daemon was started, and before it was well"
	case reached && slot.Failures >= maxAttempts && !slot.Blocked:
		return fmt.Sprintf("failed %d times in a row: %s", slot.Failures, wordOr(slot.Reason, "not known why"))
	case (slot.Disrupted || reached && !slot.Blocked) && p.overdue(slot):
		return fmt.Sprintf("no healthy daemon within %s: %s",
			p.Revision.DeploymentConfiguration.HostDeadline(), wordOr(slot.Reason, "it neither fails nor becomes well"))
	}
	return ""
}

// reached says that the deployment has put its target on the host, or tried to.
func (p *planner) reached(slot Slot) bool {
	return slot.DeploymentID == p.Deployment.ID && slot.Revision == p.Revision.Number
}

// goneUnder says that the host's agent went away after the daemon was put there, before that was well, and stayed away:
// what a new daemon breaks may be the host, which then cannot say so.
func (p *planner) goneUnder(slot Slot) bool {
	return p.reached(slot) && slot.State == SlotPlaced && slot.UpdatingSince != nil && slot.DisconnectedSince != nil &&
		p.now.Sub(*slot.DisconnectedSince) >= p.Settings.DisconnectedGrace
}

// brokenBefore says that the host has been without a healthy daemon since before the deployment was made, and not by a
// stop of ours, unless that restarted a daemon which did not work: it is exempt, or a few dead hosts would keep a large fleet from ever being updated.
func (p *planner) brokenBefore(slot Slot) bool {
	return (!slot.Disrupted || slot.Restarted) && slot.UnhealthySince != nil && slot.UnhealthySince.Before(p.Deployment.CreatedAt)
}

// gaveUp says that the deployment need not wait for an exempt host: what it tried there has failed, too.
func (p *planner) gaveUp(slot Slot) bool {
	return p.reached(slot) && (slot.Failures >= maxAttempts || p.overdue(slot))
}

// tripped says why the circuit breaker ends the deployment; empty if it does not.
func (p *planner) tripped(d Deployment) string {
	threshold := p.Revision.DeploymentConfiguration.CircuitBreaker.FailedHosts(d.Counts.Desired + d.Lost)
	if p.Revision.DeploymentConfiguration.CircuitBreaker.Disabled || d.Counts.Failed < threshold {
		return ""
	}
	why := fmt.Sprintf("circuit breaker: %d of %d hosts failed", d.Counts.Failed, d.Counts.Desired+d.Lost)
	if len(d.FailedInstances) > 0 {
		first := d.FailedInstances[0]
		why += fmt.Sprintf("; on %s: %s", first.Host.EC2InstanceID, first.Reason)
	}
	return why
}

// lostHosts are the hosts that left their cluster after the deployment had put its task there, before it was well, and that
// are not in the deployment yet. One that was draining left on purpose.
func (p *planner) lostHosts() []HostKey {
	if p.Deployment.Status.Ended() {
		return nil
	}
	var lost []HostKey
	for _, key := range p.keys {
		slot, known := p.at(key).stored()
		if known && p.gone(key) && p.synced(key) && p.reached(slot) && slot.UpdatingSince != nil &&
			slot.DrainingSince == nil && !slices.Contains(p.Deployment.LostHosts, key) {
			lost = append(lost, key)
		}
	}
	return lost
}

// remember keeps the slots of lost hosts until the deployment that lost them is stored with them, for a slot that is
// forgotten first would leave no trace. Where no more names fit into the deployment, numbers have to do.
func (p *planner) remember(lost []HostKey) {
	if len(lost) == 0 || len(p.Deployment.LostHosts) >= MaxFailedInstances {
		return
	}
	p.last = slices.DeleteFunc(p.last, func(a Action) bool { return a.Kind == Forget && slices.Contains(lost, a.Host) })
	p.wakeAll(p.now.Add(p.Settings.EventGrace), "hosts were lost")
}

// lose is the deployment with the hosts that it lost.
func (d Deployment) lose(hosts []HostKey) Deployment {
	d.Lost += len(hosts)
	room := max(0, MaxFailedInstances-len(d.LostHosts))
	d.LostHosts = slices.Concat(d.LostHosts, hosts[:min(room, len(hosts))])
	return d
}

// giveUp ends a deployment that does harm or does not get on: it rolls back, or fails where there is nothing good to go
// back to, or it was not to.
//
// Keeps: nothing is taken away for a revision that cannot be started: hosts would stay empty.
func (p *planner) giveUp(d Deployment, why string) Deployment {
	if p.Base != nil && p.unstartable(*p.Base) != "" {
		why += "; it is not rolled back: " + p.unstartable(*p.Base)
	} else if !p.Revision.DeploymentConfiguration.CircuitBreaker.KeepRevision {
		if back, err := d.RollBack(0, why, p.now); err == nil {
			return back
		}
	}
	d.Status, d.Reason, d.PausedFor, d.EndedAt = DeploymentFailed, why, "", &p.now
	return d
}
