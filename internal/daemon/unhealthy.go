package daemon

import "time"

// Daemons that run and do not work. ECS stops a service's task whose health check fails; a task of RunTask it leaves
// UNHEALTHY for ever.

// reasonUnhealthy is the reason of the stops that restart an unhealthy daemon. The attempt counts as failed.
const reasonUnhealthy = "its health check fails"

// sickUntil is when a daemon whose health check fails is to be restarted, if it does not recover.
func (p *planner) sickUntil(slot Slot) time.Time {
	return slot.SickSince.Add(p.Settings.UnhealthyGrace)
}

// tendSick waits until the daemon is to be restarted. The restart takes budget, which only a look at everything can
// count.
func (p *planner) tendSick(t *turn) {
	due := p.sickUntil(t.slot)
	switch {
	case p.holdsStill(t):
	case p.now.Before(due):
		t.slot = t.slot.wakeBy(due, p.now)
		t.wait("its health check fails, and the daemon is restarted at %s unless it recovers", clock(due))
	default:
		t.wait("its health check fails, and the daemon is restarted when the budget has room")
		if !p.Full {
			p.wakeAll(p.now, "a daemon whose health check fails is to be restarted")
		}
	}
}

// unhealthyTurns are the hosts whose daemon is to be restarted, in their order.
func (p *planner) unhealthyTurns() []*turn {
	var turns []*turn
	if p.frozen() {
		return nil
	}
	for _, key := range p.keys {
		t := p.at(key).turn
		if t == nil || t.taken || t.slot.State != SlotPlaced || t.slot.SickSince == nil || p.now.Before(p.sickUntil(t.slot)) {
			continue
		}
		if p.wanted(key) && t.host.AgentConnected && p.fresh(key) {
			turns = append(turns, t)
		}
	}
	return turns
}

// restartUnhealthy stops daemons that run and do not work, within the budget: a check that fails everywhere at once has
// a reason outside of the hosts, and stopping everything for it would make that worse.
func (p *planner) restartUnhealthy(b *budget) {
	for _, t := range p.unhealthyTurns() {
		if !t.slot.Serving() && !p.roomFor(t, b) {
			t.wait("%s", b.wait())
			continue
		}
		p.retaken[t.key] = true
		t.slot.Disrupted, t.slot.Restarted = true, t.slot.Restarted || !t.slot.Disrupted
		if t.slot.UpdatingSince == nil {
			t.slot.UpdatingSince = &p.now // or the host would be written off at once, by when it ceased to be well
		}
		p.stop(t, reasonUnhealthy)
	}
}

// roomFor takes room for a host that has nothing of ours which works, and is to lose what it has. One that was paid for
// and is still owed needs none; a restart that did not mend a host which was broken before is no longer owed, and the
// next one is paid for anew.
func (p *planner) roomFor(t *turn, b *budget) bool {
	switch owed := p.owed(t.slot); {
	case owed && t.slot.Disrupted:
		return true
	case owed:
		return b.strike()
	}
	return b.takeOne(t.key)
}
