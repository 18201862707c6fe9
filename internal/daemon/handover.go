package daemon

// Taking over from an ECS DAEMON service, host by host. The service has the placement constraint
// not(attribute:blox.handover exists), so that ECS itself stops its task on a host that carries the attribute, and
// starts it there again when the attribute is gone. We never stop a service's task: ECS would only start it again.

// HandOverAttribute is what a host carries that was taken over from an ECS service; its value is the environment's
// name.
const HandOverAttribute = "blox.handover"

func (p *planner) handOverAttribute() *Attribute {
	return &Attribute{Name: HandOverAttribute, Value: p.Environment.Name}
}

// foreignServes says that the host's daemon is still the service's, and works.
func foreignServes(h Host, slot Slot) bool {
	return h.Foreign != nil && slot.HandedOver == "" && h.Foreign.LastStatus == StatusRunning
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
// try may have failed, and a machine that registers anew has lost its attributes.
func (p *planner) keepHandedOver(t *turn) {
	foreign := t.host.Foreign
	if t.taken || t.slot.HandedOver == "" || foreign == nil || !foreign.Live() || p.gone(t.key) || p.holdsStill(t) {
		return
	}
	if !p.early(t, p.now) {
		p.putHandOver(t, "service "+t.slot.HandedOver+" has a task on the host that was taken over from it")
	}
}

func (p *planner) putHandOver(t *turn, reason string) {
	slot := t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now)
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
