package daemon

import "time"

// ECS's managed scaling counts a host as used while any task runs there that is not of a DAEMON service, and so keeps
// hosts alive for nothing but our daemons.

const reasonReleased = "nothing but daemons keeps the host alive"

// learnIdle remembers since when nothing but daemons runs on the host, and ends a release when other work has come. A
// look that did not count the tasks changes nothing.
func (p *planner) learnIdle(slot Slot, h Host) Slot {
	switch {
	case !p.Revision.ReleaseIdleHosts:
		slot.IdleSince, slot.Released = nil, false
	case h.Status != StatusActive:
		slot.IdleSince = nil
	case h.OtherTasksKnown:
		slot.IdleSince = since(slot.IdleSince, h.OtherTasks == 0, p.now)
		if slot.Released && h.OtherTasks > 0 {
			slot.Released, slot.Reason = false, "other work has come to the host"
		}
	}
	return slot
}

// releases says that the daemon of an idle host is to be stopped: it is well, or its health check fails. One that is on
// its way to either is let come there.
func (p *planner) releases(t *turn) bool {
	return p.idleForLong(t) && (t.slot.Settled(p.minHealthy(), p.now) || t.slot.SickSince != nil)
}

// idleForLong says that the host has been idle for long enough, and that what we know of it is not from an earlier look.
func (p *planner) idleForLong(t *turn) bool {
	return t.slot.IdleSince != nil && t.host.OtherTasksKnown && t.host.OtherTasks == 0 && !p.now.Before(p.idleUntil(t.slot))
}

// idleUntil is when an idle host is released.
func (p *planner) idleUntil(slot Slot) time.Time { return slot.IdleSince.Add(p.Settings.IdleGrace) }

// release stops the daemon of an idle host, so that the host can be scaled in. It is not asked of the budget: nobody is
// there to miss the daemon.
func (p *planner) release(t *turn) {
	t.slot.Released = p.mayStop(t)
	p.stopAll(t, reasonReleased)
}
