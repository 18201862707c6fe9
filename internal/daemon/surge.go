package daemon

import "time"

// Replace then terminate: the new task starts beside the old one, the slot's Former, which serves until the new one is
// well.

// surge claims the new task of a host that keeps its old one meanwhile.
//
// Assumes: the budget of surges has room for the host, and its daemon is live.
// Keeps: no host has more than two tasks: one that has a Former is left to its own turn.
func (p *planner) surge(t *turn) {
	if t.taken || t.slot.Former != nil || p.holdsStill(t) {
		return
	}
	slot := t.slot
	slot.Former = &Former{
		TaskARN: slot.TaskARN, TaskHash: slot.TaskHash, Revision: slot.Revision, DeploymentID: slot.DeploymentID,
		HealthChecked: slot.HealthChecked, HealthySince: slot.HealthySince, PlacedAt: slot.PlacedAt,
	}
	slot = slot.unwell(p.now) // what the new task lacks it lacks from now on: the host was not broken before
	slot.Attempt++            // the token of the last attempt is the living task's
	slot.TaskARN, slot.PlacedAt, slot.HealthySince, slot.SickSince = "", nil, nil, nil
	t.slot = slot
	p.claim(t, p.revisionFor(t.slot), Surge, "started beside the daemon that it replaces")
}

// tendFormer sees a surge through, when the host's own task has had its turn.
func (p *planner) tendFormer(t *turn) {
	former := t.slot.Former
	if former == nil || t.taken || p.gone(t.key) {
		return
	}
	task, seen := p.task(former.TaskARN)
	switch {
	case !seen || !task.Live():
		p.awaitFormer(t)
	case former.StoppingAt != nil:
		p.restopFormer(t)
	case t.slot.State == SlotPlaced && p.Environment.Status == EnvironmentActive && p.Deployment != nil:
		p.chooseOne(t)
	}
}

// awaitFormer gives events time to say that the former task has stopped, then asks ECS.
func (p *planner) awaitFormer(t *turn) {
	at := p.now
	if stopping := t.slot.Former.StoppingAt; stopping != nil {
		at = stopping.Add(p.Settings.EventGrace)
	}
	if p.early(t, at) {
		t.wait("the former task has not stopped yet")
		return
	}
	t.taken = true
	slot := t.slot
	p.asks = append(p.asks, Action{
		Kind: Resolve, Host: t.key, Slot: &slot, TaskARN: slot.Former.TaskARN,
		Reason: "stored state does not show what became of the former task",
	})
}

// restopFormer calls ECS again for a stop that was decided: it may not have been called.
func (p *planner) restopFormer(t *turn) {
	if p.holdsStill(t) || p.early(t, t.slot.Former.StoppingAt.Add(p.Settings.EventGrace)) {
		t.wait("the former task has not stopped yet")
		return
	}
	slot := t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now)
	t.slot, t.taken = slot, true
	p.stops = append(p.stops, Action{
		Kind: Restop, Host: t.key, Slot: &slot, TaskARN: slot.Former.TaskARN, Reason: "its successor is well",
	})
}

// chooseOne ends a surge: the former task is stopped when the new one is well. If the former is what the host should
// have again, it becomes the host's task and the new one is stopped; if neither is, the new one goes while the former
// serves.
//
// Keeps: none of these stops leaves the host without a healthy daemon that it has.
func (p *planner) chooseOne(t *turn) {
	task, seen := p.task(t.slot.TaskARN)
	if !seen || !task.Live() {
		return
	}
	serves := t.slot.Former.HealthySince != nil
	outdated := p.differs(t.slot, task) && p.heldOn(t.key) == ""
	switch {
	case p.formerFits(t.slot) && !p.fits(t.slot, task) && (serves || !t.slot.Healthy()):
		p.swapBack(t)
	case t.slot.Settled(p.minHealthy(), p.now):
		if p.mayStop(t) {
			p.stopFormer(t, "its successor is well")
		}
	case outdated && serves:
		p.stop(t, "overtaken by a newer revision before it was well")
	default:
		t.wait("the former task serves until its successor has been healthy for %s", p.minHealthy())
	}
}

// fits says that the slot's own task is what the host should have now.
func (p *planner) fits(slot Slot, task Task) bool {
	r := p.revisionFor(slot)
	return shows(r, p.hashOf(r), slot.TaskHash, task)
}

// formerFits says that the former task is what the host should have now: the deployment is rolled back, say.
func (p *planner) formerFits(slot Slot) bool {
	former := slot.Former
	task, seen := p.task(former.TaskARN)
	if !seen || !task.Live() || former.StoppingAt != nil || p.Deployment == nil {
		return false
	}
	if p.restarting() && former.DeploymentID != p.Deployment.ID {
		return false
	}
	r := p.revisionFor(slot)
	return shows(r, p.hashOf(r), former.TaskHash, task)
}

// swapBack makes the former task the host's again, and the new one the one that is stopped.
func (p *planner) swapBack(t *turn) {
	if !p.mayStop(t) {
		return
	}
	next := Former{
		TaskARN: t.slot.TaskARN, TaskHash: t.slot.TaskHash, Revision: t.slot.Revision, DeploymentID: t.slot.DeploymentID,
		HealthChecked: t.slot.HealthChecked, HealthySince: t.slot.HealthySince, PlacedAt: t.slot.PlacedAt,
	}
	t.slot = t.slot.takeFormer(p.now)
	t.slot.Former = &next
	p.stopFormer(t, "the task before it is what the host should have")
}

// takeFormer is the slot with its former task for its own. What failed was the other one.
func (s Slot) takeFormer(now time.Time) Slot {
	former := s.Former
	s.State, s.TaskARN, s.TaskHash, s.HealthChecked = SlotPlaced, former.TaskARN, former.TaskHash, former.HealthChecked
	s.Revision, s.DeploymentID = former.Revision, former.DeploymentID
	s.PlacedAt, s.HealthySince, s.SickSince = former.PlacedAt, former.HealthySince, nil
	s.Request, s.ClaimedAt, s.RetryAt = nil, nil, nil
	s.Failures, s.Refusals, s.Blocked, s.Reason = 0, 0, false, ""
	if s.PlacedAt == nil {
		s.PlacedAt = &now
	}
	if former.StoppingAt != nil {
		s.State, s.StoppingAt, s.StopReason, s.HealthySince = SlotStopping, former.StoppingAt, "its successor was well", nil
	}
	s.Former = nil
	return s
}

// stopFormer claims the stop of the slot's Former.
func (p *planner) stopFormer(t *turn, reason string) {
	slot := t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now)
	slot.Former = slot.Former.stopping(p.now)
	t.slot, t.taken = slot, true
	p.stops = append(p.stops, Action{
		Kind: StopFormer, Host: t.key, Slot: &slot, TaskARN: slot.Former.TaskARN, Reason: reason,
	})
}

// stopping is the former task with its stop decided.
func (f *Former) stopping(now time.Time) *Former {
	next := *f
	if next.StoppingAt == nil {
		next.StoppingAt = &now
	}
	return &next
}

// stopAll stops the host's daemon and, in the middle of a surge, the former one with it. One write says both; what it
// says of the former is called again if the call fails.
func (p *planner) stopAll(t *turn, reason string) {
	if !p.mayStop(t) {
		return
	}
	former := t.slot.Former
	if former != nil {
		t.slot.Former = former.stopping(p.now)
	}
	p.stop(t, reason)
	if former != nil && former.StoppingAt == nil {
		p.stops = append(p.stops, Action{Kind: StopStray, Host: t.key, TaskARN: former.TaskARN, Reason: reason})
	}
}

// returnsToFormer says that an empty slot's former task becomes the host's again: it is what the host should have, or
// nothing can be started beside it.
func (p *planner) returnsToFormer(t *turn) bool {
	return t.slot.Former != nil && (p.formerFits(t.slot) || !p.wanted(t.key) || p.gone(t.key) || t.slot.Released)
}

// learnFormer keeps the health of the former task, and forgets it when it is dead.
func (p *planner) learnFormer(slot Slot) Slot {
	former := slot.Former
	if former == nil {
		return slot
	}
	task, seen := p.task(former.TaskARN)
	switch {
	case !seen:
		return slot
	case task.Stopped() || p.unreported(task):
		return slot.buryFormer(p.now)
	}
	next := *former
	if !task.Live() {
		next = *next.stopping(p.now) // somebody else stops it
	}
	next.HealthySince = since(next.HealthySince, p.healthy(task, next.HealthChecked) && !p.away(slot), p.now)
	slot.Former = &next
	return slot
}

// buryFormer is the slot without its former task, which is dead.
func (s Slot) buryFormer(now time.Time) Slot {
	served := s.Former.HealthySince
	if !s.Healthy() && served != nil && now.Sub(*served) >= steadyAfter {
		s.UnhealthySince = &now
	}
	s.Former = nil
	return s
}

// ResolvedFormer is the slot after ECS was asked about its former task; nil says that ECS does not know it. An answer
// that proves nothing leaves the slot as it is, to be asked about again.
func ResolvedFormer(slot Slot, found *Task, now time.Time) Slot {
	former := slot.Former
	switch {
	case former == nil:
		return slot
	case found != nil && !found.Stopped():
		return slot.wakeBy(now.Add(missingProof), now)
	case found == nil && former.PlacedAt != nil && now.Before(former.PlacedAt.Add(missingProof)):
		return slot.wakeBy(former.PlacedAt.Add(missingProof), now)
	}
	return slot.buryFormer(now)
}
