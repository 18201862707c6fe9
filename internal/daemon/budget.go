package daemon

import (
	"fmt"
	"strings"
)

// budget is how many hosts may still be disturbed in one plan.
type budget struct {
	// allowed hosts may be unavailable by our doing, taken are, those that were written off aside.
	allowed, taken int
	// struck are those of the unavailable that had a daemon which we stopped. The others never had one that worked.
	struck int
	// surges hosts may have two tasks, surging have.
	surges, surging int
	// down are the first of those that are unavailable, for people.
	down []string
	// said is what wait says until the budget changes: in the middle of a rollout most of a fleet waits for it.
	said string
}

// maxNamedHosts bounds how many hosts one sentence names.
const maxNamedHosts = 3

// budget counts what earlier plans, of whichever deployment, have taken.
//
// Keeps: a host past its deadline no longer takes room, or one stuck stop would end the rollout; but no more of them than
// the budget allows are left out, so that harm stays within twice the budget even where no circuit breaker bounds it.
func (p *planner) budget() budget {
	tally := p.tally()
	b := p.allowance(tally)
	overdue, struckOverdue := 0, 0
	for _, key := range p.keys {
		slot := p.at(key).turn.slotOrIdle()
		if slot.Former != nil {
			b.surging++
		}
		if p.daemonBelongs(key, slot) && p.owed(slot) {
			b.name(key)
			late := p.overdue(slot)
			if late {
				overdue++
			}
			if slot.Disrupted {
				b.struck++
			}
			if slot.Disrupted && late {
				struckOverdue++
			}
		}
	}
	b.taken = tally.Unavailable - min(overdue, max(1, b.allowed))
	b.struck -= min(struckOverdue, max(1, b.allowed))
	return b
}

// allowance is a budget of which nothing is taken. Of a rollback it is the stricter one of both its revisions: who asks for
// more care with the newer one asks for it all the more when that turns out to be bad, and who asks for less must not have
// the older one's hosts taken away faster than it allows.
func (p *planner) allowance(tally Counts) budget {
	c := p.Revision.DeploymentConfiguration
	n := tally.Desired - tally.Exempt
	b := budget{allowed: c.AllowedUnavailable(n), surges: c.AllowedSurge(tally.Desired)}
	if p.From != nil {
		from := p.From.DeploymentConfiguration
		from.Method = c.Method // the way is the target's: only a surge can do with none unavailable
		b.allowed = min(b.allowed, from.AllowedUnavailable(n))
		b.surges = min(b.surges, from.AllowedSurge(tally.Desired))
	}
	return b
}

// take takes room for one host that is to be without a daemon for a while.
func (b *budget) take(key HostKey) bool {
	if b.taken >= b.allowed {
		return false
	}
	b.taken++
	b.struck++
	b.name(key)
	return true
}

// takeOne is take for what a surge cannot do: where none may be unavailable one is, or it could never be done.
func (b *budget) takeOne(key HostKey) bool {
	if b.allowed == 0 && b.taken <= 0 {
		b.taken++
		b.struck++
		b.name(key)
		return true
	}
	return b.take(key)
}

// strike takes room for the restart of a daemon that never worked. Its host is counted as unavailable already, as all
// are in an environment's first deployment, so what bounds such restarts is how many are under way.
func (b *budget) strike() bool {
	if b.struck >= max(1, b.allowed) {
		return false
	}
	b.struck++
	return true
}

// name remembers a host that is unavailable, if not enough are.
func (b *budget) name(key HostKey) {
	b.said = ""
	if len(b.down) < maxNamedHosts {
		b.down = append(b.down, key.EC2InstanceID)
	}
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
	if b.said == "" {
		b.said = b.sentence()
	}
	return b.said
}

func (b *budget) sentence() string {
	text := fmt.Sprintf("waits for the budget: %d of %d hosts that may be without a healthy daemon are", b.taken, b.allowed)
	if len(b.down) == 0 {
		return text
	}
	text += ": " + strings.Join(b.down, ", ")
	if b.taken > len(b.down) {
		text += ", …"
	}
	return text
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
		slot := p.at(key).turn.slotOrIdle()
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
	return slot.Serving() || foreignServes(*p.at(key).host, slot)
}

// owed says that the host is without a settled daemon by our doing: we stopped its daemon and it has not been well
// since, or the deployment in force put its task there. Hosts that were broken before are exempt, else a few dead
// hosts would keep a large fleet from ever being updated; hosts that ECS has no room on are blocked, not broken; and a
// host whose former daemon serves on lacks nothing.
func (p *planner) owed(slot Slot) bool {
	switch {
	case slot.Former != nil && slot.Serving():
		return false
	case slot.Restarted && p.brokenBefore(slot):
		return slot.State == SlotStopping || slot.State == SlotClaimed // the restart takes room, what it does not mend takes none
	case slot.Disrupted:
		return true // until a settled daemon was seen: a task that is not in the stored state may be dead
	case slot.Settled(p.minHealthy(), p.now), p.brokenBefore(slot):
		return false
	case slot.State == SlotStopping:
		return true
	}
	return !p.Deployment.Status.Ended() && slot.DeploymentID == p.Deployment.ID && !slot.Blocked
}
