package daemon

import "fmt"

// budget is how many hosts may still be disturbed in one plan.
type budget struct {
	// allowed hosts may be unavailable by our doing, taken are, those that were written off aside.
	allowed, taken int
	// surges hosts may have two tasks, surging have.
	surges, surging int
}

// budget counts what earlier plans, of whichever deployment, have taken.
//
// Keeps: a host past its deadline no longer takes room, or one stuck stop would end the rollout; but no more of them than
// the budget allows are left out, so that harm stays within twice the budget even where no circuit breaker bounds it.
func (p *planner) budget() budget {
	tally := p.tally()
	c := p.Revision.DeploymentConfiguration
	b := budget{
		allowed: c.AllowedUnavailable(tally.Desired - tally.Exempt),
		surges:  c.AllowedSurge(tally.Desired),
	}
	overdue := 0
	for _, key := range p.keys {
		slot := p.tended[key].slotOrIdle()
		if slot.Former != nil {
			b.surging++
		}
		if p.daemonBelongs(key, slot) && p.owed(slot) && p.overdue(slot) {
			overdue++
		}
	}
	b.taken = tally.Unavailable - min(overdue, max(1, b.allowed))
	return b
}

// take takes room for one host that is to be without a daemon for a while.
func (b *budget) take() bool {
	if b.taken >= b.allowed {
		return false
	}
	b.taken++
	return true
}

// surge takes room for one host that is to have two tasks. Nobody is to be without a daemon for it, but where more hosts
// are than may be, nothing is begun.
func (b *budget) surge() bool {
	if b.taken > b.allowed || b.surging >= b.surges {
		return false
	}
	b.surging++
	return true
}

func (b *budget) wait() string {
	return fmt.Sprintf("waits for the budget: %d of %d hosts that may be without a healthy daemon are", b.taken, b.allowed)
}

func (b *budget) surgeWait() string {
	if b.taken > b.allowed {
		return b.wait()
	}
	return fmt.Sprintf("waits for the budget: %d of %d hosts that may have two tasks have", b.surging, b.surges)
}

// tally counts the hosts.
func (p *planner) tally() Counts {
	c := Counts{Failed: p.Deployment.Counts.Failed}
	if !p.Deployment.Status.Ended() {
		c.Failed = p.Deployment.Lost
	}
	for _, key := range p.keys {
		slot := p.tended[key].slotOrIdle()
		if !p.daemonBelongs(key, slot) {
			continue
		}
		c.Desired++
		serving := p.serves(key, slot)
		if serving {
			c.Healthy++
		}
		if p.updated(slot) {
			c.Updated++
		}
		if !p.Deployment.Status.Ended() && p.failure(slot) != "" {
			c.Failed++
		}
		switch {
		case p.owed(slot):
			c.Unavailable++
		case !serving:
			c.Exempt++
		}
	}
	return c
}

// daemonBelongs says that the host is to have a daemon: it is wanted there, and was not released.
func (p *planner) daemonBelongs(key HostKey, slot Slot) bool { return p.wanted(key) && !slot.Released }

// serves says that the host has a working daemon, be it the one of the service that is being taken over from.
func (p *planner) serves(key HostKey, slot Slot) bool {
	return slot.Serving() || foreignServes(p.hosts[key], slot)
}

// owed says that the host is without a settled daemon by our doing: we stopped its daemon and it has not been well
// since, or the deployment in force put its task there. Hosts that were broken before are exempt, else a few dead
// hosts would keep a large fleet from ever being updated; hosts that ECS has no room on are blocked, not broken; and a
// host whose former daemon serves on lacks nothing.
func (p *planner) owed(slot Slot) bool {
	switch {
	case slot.Settled(p.minHealthy(), p.now) || slot.Former != nil && slot.Serving():
		return false
	case slot.Disrupted:
		return true
	case p.brokenBefore(slot):
		return false
	case slot.State == SlotStopping:
		return true
	}
	return !p.Deployment.Status.Ended() && slot.DeploymentID == p.Deployment.ID && !slot.Blocked
}
