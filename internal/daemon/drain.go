package daemon

// tendDraining keeps the daemon until the last other task has left, then stops it: ECS leaves tasks that were started
// by RunTask alone on a DRAINING host, so that without this the drain would wait for the daemon for ever. Each other
// task's end is an event; the look in between is for those that are lost.
//
// Keeps: of Blox daemons on the host those of a lower priority go first; those of the same do not wait for each other,
// and none waits longer than the deadline.
func (p *planner) tendDraining(t *turn) {
	known := t.slot.DrainingSince.Add(p.Settings.EventGrace)
	overdue := !p.now.Before(t.slot.DrainingSince.Add(p.Settings.DrainDeadline))
	recheck := p.now.Add(p.Settings.RecheckPeriod)
	switch {
	case overdue && t.host.OtherTasks+t.host.EarlierDaemons > 0:
		p.stopAll(t, "host has been draining past the deadline")
	case t.host.OtherTasks > 0:
		t.slot = t.slot.wakeBy(recheck, p.now)
		t.wait("the host is draining, and the daemon stays until its %d other tasks have left", t.host.OtherTasks)
	case t.host.EarlierDaemons > 0:
		t.slot = t.slot.wakeBy(recheck, p.now)
		t.wait("the host is draining, and %d daemons of a lower drain priority are stopped first", t.host.EarlierDaemons)
	case p.now.Before(known):
		// A task that was placed a moment before the drain may not be stored yet. The wake-up of a look at which another
		// task was still there lies further ahead, and is no reason to wait for it.
		t.slot = t.slot.wakeBy(known, p.now)
		t.wait("the host has just begun to drain, and its other tasks may not all be known")
	default:
		p.stopAll(t, "host is draining and its last other task has left")
	}
}
