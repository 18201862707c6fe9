package daemon

// Taking over from an ECS DAEMON service, host by host. The service has the placement constraint
// not(attribute:blox.handover exists), so that ECS itself stops its task on a host that carries the attribute, and
// starts it there again when the attribute is gone. We never stop a service's task: ECS would only start it again.
//
// A host stays handed over, and keeps our daemon, when a later revision or a rollback names no service to take over from:
// the service has lost it for good. It gets the host back when the environment is deleted.

// HandOverAttribute is what a host carries that was taken over from an ECS service; its value is the environment's
// name.
const HandOverAttribute = "blox.handover"

func (p *planner) handOverAttribute() *Attribute {
	return &Attribute{Name: HandOverAttribute, Value: p.Environment.Name}
}

// foreignServes says that the host's daemon is still the service's, and works as far as can be told: of a host whose agent
// is away nothing is known, and it is not taken over now.
func foreignServes(h Host, slot Slot) bool {
	return h.Foreign != nil && h.AgentConnected && (slot.HandedOver == "" || serviceReturned(h, slot)) && h.Foreign.LastStatus == StatusRunning
}

// serviceReturned says that the service has a daemon again on a host that was taken over from it: the machine registered
// anew and lost its attribute, and our daemon with it. It is taken over like any other, then, which the budget pays for.
// A hand-over that was paid for and is not over is no such return.
func serviceReturned(h Host, slot Slot) bool {
	return slot.HandedOver != "" && h.Foreign != nil && h.Foreign.Live() && slot.State == SlotIdle && slot.Former == nil && !slot.Disrupted
}

// takenFirst says that an empty host is to be taken from the service before ours is started: the service would start its
// own daemon there as well.
func (p *planner) takenFirst(t *turn) bool {
	return p.Revision.MigrateFrom != "" && (t.slot.HandedOver == "" || handOverUnknown(t.slot)) && t.slot.Former == nil
}

// handOverUnknown says that a hand-over was begun, and that the host may not carry its attribute.
func handOverUnknown(slot Slot) bool { return slot.HandedOver != "" && slot.AttributeError != "" }

// learnHandOver notes that a machine which registered anew has lost its attributes, so that it is taken over again before
// anything is started there.
func (p *planner) learnHandOver(slot Slot, h Host) Slot {
	if slot.HandedOver != "" && p.Revision.MigrateFrom != "" && slot.ContainerInstanceARN != h.ContainerInstanceARN {
		slot.AttributeError, slot.AttributeRetryAt = "the host has registered anew and lost its attributes", nil
	}
	return slot
}

// handOverAsked is the error of a hand-over until ECS has answered.
const handOverAsked = "not known whether ECS has set " + HandOverAttribute

// takeFirst takes a host away from a service that has nothing to lose there. On an empty one ours is started no sooner
// than what the service started before can have been reported.
//
// Assumes: the host has no task of the service, or a settled daemon of ours beside it. So it takes no budget.
// Keeps: the slot says that the host is handed over from before ECS is asked, so that a deletion hands it back; and by
// AttributeError, until ECS has answered, that it may not be.
func (p *planner) takeFirst(t *turn) {
	if t.slot.State == SlotIdle {
		t.wait("the host is taken over from service %s first, which would start its own daemon there", p.Revision.MigrateFrom)
	}
	if !p.attributeDue(t) {
		return
	}
	retry := p.now.Add(p.Settings.EventGrace)
	if !p.fresh(t.key) {
		t.slot = t.slot.wakeBy(retry, p.now)
		t.wait("the host's hand-over waits for fresh knowledge of the cluster")
		return
	}
	asked, next := t.slot, t.slot
	asked.HandedOver, asked.AttributeError, asked.AttributeRetryAt = p.Revision.MigrateFrom, handOverAsked, &retry
	asked = asked.wakeBy(retry, p.now)
	next.HandedOver, next.AttributeError, next.AttributeRetryAt = p.Revision.MigrateFrom, "", nil
	if next.State == SlotIdle {
		next = next.retry(retry)
	}
	t.noted = true
	p.attributes = append(p.attributes, Action{
		Kind: SetAttribute, Host: t.key, Slot: &next, Attribute: p.handOverAttribute(), unchanged: &asked,
		Reason: "service " + p.Revision.MigrateFrom + " is to start no daemon on the host",
	})
}

// handOver takes the host away from the service. Ours is started when the service's task is gone.
//
// Assumes: the budget has room for the host, whose daemon this ends.
func (p *planner) handOver(t *turn) {
	if t.taken || p.holdsStill(t) {
		return
	}
	t.slot.HandedOver, t.slot.UpdatingSince = p.Revision.MigrateFrom, &p.now
	t.slot.Disrupted = t.slot.Disrupted || t.host.Foreign.Live()
	p.putHandOver(t, "taken over from service "+p.Revision.MigrateFrom)
}

// keepHandedOver sets the attribute again while the service still has a task on a host that was taken over: the first
// try may have failed, and a machine that registers anew has lost its attributes. A host on which ours works already, for
// the environment is older than its migration, is taken over, too.
func (p *planner) keepHandedOver(t *turn) {
	foreign := t.host.Foreign
	if !t.taken && p.takenFirst(t) && p.Environment.Status == EnvironmentActive && p.wanted(t.key) &&
		t.slot.Settled(p.minHealthy(), p.now) && t.host.AgentConnected {
		p.takeFirst(t)
		return
	}
	if t.taken || t.slot.HandedOver == "" || foreign == nil || !foreign.Live() || p.gone(t.key) || p.holdsStill(t) {
		return
	}
	switch {
	case !p.handOverDue(t):
	case !t.slot.Disrupted && !t.slot.Serving(): // the service's is the only daemon that works there
	default:
		p.putHandOver(t, "service "+t.slot.HandedOver+" has a task on the host that was taken over from it")
	}
}

// handOverDue says that the attribute may be set again: what the last time did shows by now.
func (p *planner) handOverDue(t *turn) bool { return p.attributeDue(t) && !p.early(t, p.now) }

func (p *planner) putHandOver(t *turn, reason string) {
	slot := t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now)
	slot.AttributeError, slot.AttributeRetryAt = "", nil
	t.slot, t.taken = slot, true
	p.stops = append(p.stops, Action{
		Kind: HandOver, Host: t.key, Slot: &slot, Attribute: p.handOverAttribute(), Reason: reason,
	})
}

// handBack gives the host back to the service when the environment goes. It says whether that is still to be done.
func (p *planner) handBack(t *turn) bool {
	if t.slot.HandedOver == "" || p.gone(t.key) || p.leftBehind(t) {
		return false
	}
	if !p.attributeDue(t) {
		return true
	}
	service := t.slot.HandedOver
	slot := t.slot
	slot.HandedOver = ""
	p.changeAttribute(t, DeleteAttribute, *p.handOverAttribute(), slot, "handed back to service "+service)
	return true
}
