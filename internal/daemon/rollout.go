package daemon

import "slices"

// replaceOutdated stops daemons of older revisions, as many as the budget allows. Their hosts get the new one when the
// old one is STOPPED: its ports and memory are held until then.
//
// Assumes: the snapshot is full, and the slots were read consistently under the lease, whose epoch each stop's
// transaction checks again. So every stop that any driver has paid for is in the slots.
// Keeps: hosts that are unavailable by our doing, whichever deployment did it, never exceed the budget through a stop.
func (p *planner) replaceOutdated() {
	tally := p.tally()
	room := p.Revision.DeploymentConfiguration.AllowedUnavailable(tally.Desired-tally.Exempt) - tally.Unavailable
	for _, paid := range []bool{false, true} {
		// Daemons that are down already come first and cost nothing: their host is exempt, or paid for.
		for _, key := range p.keys {
			t := p.tended[key]
			if t == nil || !p.outdated(key, t.slot) || t.slot.Healthy() != paid {
				continue
			}
			if !p.fresh(key) {
				p.stale = true
				continue
			}
			if paid && room <= 0 {
				return
			}
			p.replace(t)
			if paid {
				room--
			}
		}
	}
}

// reasonReplaced is the reason of the stops that the budget pays for.
const reasonReplaced = "replaced by a newer revision"

// replace stops the host's daemon and owes it a new one. What was to be stored of the slot goes with the stop.
func (p *planner) replace(t *turn) {
	p.kept = slices.DeleteFunc(p.kept, func(a Action) bool { return a.Host == t.key })
	t.slot.Disrupted = true
	p.stop(t, reasonReplaced)
}

// outdated says that the host's daemon is to be replaced. A host whose agent is away cannot stop a task, so it waits.
func (p *planner) outdated(key HostKey, slot Slot) bool {
	task, seen := p.byARN[slot.TaskARN]
	return slot.State == SlotPlaced && seen && task.Live() && task.Host == key &&
		slot.Revision != p.Revision.Number &&
		p.wanted(key) && p.hosts[key].AgentConnected && p.synced(key)
}

// tally counts the hosts.
func (p *planner) tally() Counts {
	var c Counts
	for _, key := range p.keys {
		if !p.wanted(key) {
			continue
		}
		slot := p.tended[key].slotOrIdle()
		c.Desired++
		if slot.Healthy() {
			c.Healthy++
		}
		if p.updated(slot) {
			c.Updated++
		}
		switch {
		case p.owed(slot):
			c.Unavailable++
		case !slot.Healthy():
			c.Exempt++
		}
	}
	return c
}

func (p *planner) updated(slot Slot) bool {
	return slot.State == SlotPlaced && slot.Revision == p.Revision.Number && slot.Settled(p.minHealthy(), p.now)
}

// owed says that the host is without a settled daemon by our doing: we stopped its daemon and it has not been well
// since, or the deployment in force put its task there. Hosts that were broken before are exempt, else a few dead
// hosts would keep a large fleet from ever being updated; hosts that ECS has no room on are blocked, not broken.
func (p *planner) owed(slot Slot) bool {
	if slot.Settled(p.minHealthy(), p.now) {
		return false
	}
	if slot.Disrupted || slot.State == SlotStopping {
		return true
	}
	rolling := !p.Deployment.Status.Ended()
	return rolling && slot.DeploymentID == p.Deployment.ID && !slot.Blocked
}
