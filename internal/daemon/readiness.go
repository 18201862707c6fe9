package daemon

import "time"

// The readiness attribute: services wait for a host's daemon by the placement constraint
// memberOf(attribute:NAME == ready), which is the only way to have ECS start the daemon first.

// readiness sets the attribute once the daemon has been healthy for long enough, and deletes it when it is not any
// more.
//
// Keeps: it is set only while the daemon has settled on an ACTIVE host; in between, while a young daemon becomes well,
// what is there stays. The slot says what was set, for the stored attributes of a host are as old as the last
// reconcile; a change whose outcome is not known is made again.
func (p *planner) readiness(t *turn) {
	if t.slot.Attribute != "" && t.slot.AttributeOn != t.host.ContainerInstanceARN && t.host.ContainerInstanceARN != "" {
		t.slot.Attribute, t.slot.AttributeOn, t.slot.AttributeAsked = "", "", nil // a new registration has lost it
	}
	name := p.attributeFor(t)
	switch {
	case name == t.slot.Attribute && t.slot.AttributeAsked == nil:
		if t.slot.HandedOver == "" {
			t.slot.AttributeError, t.slot.AttributeRetryAt = "", nil
		}
	case t.taken || t.noted || p.gone(t.key):
	case p.Environment.Status == EnvironmentDeleting && p.leftBehind(t):
	case !p.attributeDue(t):
	case t.slot.Attribute != "" && t.slot.Attribute != name:
		slot := t.slot
		slot.Attribute, slot.AttributeOn = "", ""
		p.changeAttribute(t, DeleteAttribute, Attribute{Name: t.slot.Attribute}, slot, "host is not ready any more")
	default:
		slot := t.slot
		slot.Attribute, slot.AttributeOn = name, t.host.ContainerInstanceARN
		p.changeAttribute(t, SetAttribute, Attribute{Name: name, Value: ReadinessReady}, slot, "daemon is healthy")
	}
}

// attributeFor is the attribute that the host is to carry now; empty is none.
func (p *planner) attributeFor(t *turn) string {
	if p.Environment.Status == EnvironmentDeleting {
		return ""
	}
	if p.Deployment == nil {
		return t.slot.Attribute
	}
	name, now := p.readinessName(t.slot), p.now
	eligible, _ := p.eligible(t.host)
	former := t.slot.Former
	settled := t.slot.Settled(p.minHealthy(), now) ||
		former != nil && t.slot.Serving() && former.HealthySince != nil && now.Sub(*former.HealthySince) >= p.minHealthy()
	switch {
	case eligible && t.slot.Released && t.slot.Attribute != "" && t.host.Status == StatusActive:
		return name // what waits for it could never come otherwise, and bring the daemon back
	case !eligible || !t.slot.Serving():
		return ""
	case settled && t.host.Status == StatusActive:
		return name
	case t.slot.Attribute == name && t.slot.AttributeAsked == nil:
		return name
	}
	return ""
}

// readinessName is the attribute's name in the revision that the host has.
func (p *planner) readinessName(slot Slot) string {
	if p.Base != nil && slot.Revision == p.Base.Number {
		return p.Base.ReadinessAttribute
	}
	return p.Revision.ReadinessAttribute
}

// attributeDue says that an attribute of the host may be changed now. A call whose outcome is not known may still be on
// its way, and must not come after the next.
func (p *planner) attributeDue(t *turn) bool {
	if p.holdsStill(t) {
		return false
	}
	if asked := t.slot.AttributeAsked; asked != nil && p.now.Before(asked.Add(callSettles)) {
		t.slot = t.slot.wakeBy(asked.Add(callSettles), p.now)
		t.wait("whether ECS has changed its attribute %s is not known, and it is asked again at %s",
			t.slot.Attribute, clock(asked.Add(callSettles)))
		return false
	}
	if retry := t.slot.AttributeRetryAt; retry != nil && p.now.Before(*retry) {
		t.slot = t.slot.wakeBy(*retry, p.now)
		t.wait("its attributes could not be changed (%s), which is tried again at %s", t.slot.AttributeError, clock(*retry))
		return false
	}
	return true
}

// changeAttribute asks for one change; slot is as it is once that was made. The action is dropped if something of more
// worth is decided for the host in the same plan, so the turn's own slot knows nothing of it.
func (p *planner) changeAttribute(t *turn, kind Kind, attribute Attribute, slot Slot, reason string) {
	slot.AttributeAsked, slot.AttributeError, slot.AttributeRetryAt = nil, "", nil
	unchanged := t.slot
	t.noted = true
	p.attributes = append(p.attributes, Action{
		Kind: kind, Host: t.key, Slot: &slot, Attribute: &attribute, Reason: reason, unchanged: &unchanged,
	})
}

// attributePatience is how long a deletion tries to take back what it left on hosts: attributes are no reason to keep
// an environment for ever.
const attributePatience = time.Hour

// leftBehind says that an attribute could not be taken back, and that nobody tries any longer.
func (p *planner) leftBehind(t *turn) bool {
	return t.slot.AttributeError != "" && p.now.Sub(p.Environment.UpdatedAt) >= attributePatience
}

// AttributeIntent is the slot to store before an attribute is changed: whoever finds it knows that ECS may have been
// asked. The hand-over's attribute needs none: the slot says that the host is handed over until it is deleted.
func (a Action) AttributeIntent(now time.Time) Slot {
	slot := *a.unchanged
	if a.Attribute.Name == HandOverAttribute {
		return slot
	}
	slot.Attribute, slot.AttributeOn, slot.AttributeAsked = a.Attribute.Name, slot.ContainerInstanceARN, &now
	return slot
}

// AttributeFailed is the slot to store instead of the action's when the call failed: why, and when to try again. intent
// is the slot as it was stored before the call. refused says that ECS itself said that the host does not carry it, for
// it has ten others, say; after any other failure the change may have been made.
func (a Action) AttributeFailed(intent Slot, why string, refused bool, s Settings, now time.Time) Slot {
	slot := intent
	if refused && a.Attribute.Name != HandOverAttribute {
		slot.Attribute, slot.AttributeOn, slot.AttributeAsked = "", "", nil
	}
	retry := now.Add(s.AttributeRetry)
	slot.AttributeError, slot.AttributeRetryAt = why, &retry
	return slot.wakeBy(retry, now)
}
