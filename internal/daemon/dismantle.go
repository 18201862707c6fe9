package daemon

import "time"

// dismantle takes one host's daemon away, because its environment is being deleted.
//
// Keeps: a slot is forgotten only when its task is proven dead, or is to be kept running.
func (p *planner) dismantle(key HostKey) {
	t := p.turnOf(key)
	switch {
	case p.Environment.KeepTasks && t.slot.State == SlotClaimed:
		p.awaitCall(t) // what it brings belongs to the next environment of the name, which is not made before
		p.close(t)
		return
	case p.Environment.KeepTasks:
		if t.known && !p.attributeLeft(t) {
			p.forget(t, "environment deleted, tasks kept")
		}
		p.readiness(t)
		p.close(t)
		return
	case t.slot.State == SlotIdle && t.slot.Former != nil:
		t.slot = t.slot.takeFormer(p.now)
	case t.slot.State == SlotIdle:
		if t.known && !p.attributeLeft(t) && !p.handBack(t) {
			p.forget(t, "environment deleted")
		}
	case t.slot.State == SlotClaimed:
		p.awaitCall(t)
	case t.slot.State == SlotPlaced && p.gone(key):
		p.tendPlaced(t)
	case t.slot.State == SlotPlaced:
		p.stopAll(t, "environment deleted")
	case t.slot.State == SlotStopping:
		p.tendStopping(t)
	}
	p.tendFormer(t)
	p.stopStrays(t)
	p.readiness(t)
	p.close(t)
}

// awaitCall finds out what a claim brought. Its task may exist, or be about to: whoever made the claim may have been held
// up on its way to ECS. A replay that ECS refuses says nothing about that call, and once the environment is gone nobody
// looks for what it brings. So nothing is sent; when no call can be on its way any more, ECS is asked what is there. A
// replay may have been sent until the environment was deleted.
func (p *planner) awaitCall(t *turn) {
	sent := *t.slot.ClaimedAt
	if p.Environment.UpdatedAt.After(sent) {
		sent = p.Environment.UpdatedAt
	}
	p.resolveAfter(t, sent.Add(callSettles), "environment deleted, outcome of the start is unknown")
}

// attributeLeft says that the host still carries the readiness attribute, and that it is still tried to delete it.
func (p *planner) attributeLeft(t *turn) bool {
	return t.slot.Attribute != "" && !p.gone(t.key) && !p.leftBehind(t)
}

// callSettles is how long after an intent was stored its call may reach ECS: more than twice the time that Lambda gives
// a driver.
const callSettles = 3 * time.Minute

// inheritedWithin is how long a deletion waits to hear of tasks that were inherited: twelve reconciles. A cluster that is
// not read for that long must not keep a name from being used again; what is still found there later is an orphan.
const inheritedWithin = time.Hour

// inheritedUnknown says that there may be tasks which former environments of the name left running, and which are not
// stored: an event may be lost, and no slot names them. A reconcile tells that began when none could come any more.
func (p *planner) inheritedUnknown() bool {
	env := p.Environment
	if env.KeepTasks || len(env.FormerIDs) == 0 || p.now.Sub(env.UpdatedAt) >= inheritedWithin {
		return false
	}
	complete := env.CreatedAt.Add(callSettles)
	for _, f := range p.Clusters {
		if !f.Gone && !f.SyncedAt.After(complete) {
			return true
		}
	}
	return false
}

// finish ends the environment once nothing of it is left.
func (p *planner) finish() {
	if len(p.Slots) > 0 {
		return
	}
	for _, t := range p.Tasks {
		if !p.Environment.KeepTasks && !t.Stopped() && ours(t) {
			return
		}
	}
	if p.inheritedUnknown() {
		return // a look at everything comes every minute as long as the environment is there
	}
	p.last = append(p.last, Action{Kind: Finish, Reason: "environment deleted"})
}
