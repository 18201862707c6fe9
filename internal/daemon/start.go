package daemon

import (
	"fmt"
	"time"
)

// start claims the next attempt. The claim is stored before RunTask is called; whoever finds it can finish it. Beside a
// former task it is a surge, for distinctInstance would count that one.
func (p *planner) start(t *turn) {
	reason, kind := "host has no daemon", Start
	if t.slot.Reason != "" {
		reason = t.slot.Reason
	}
	if t.slot.Former != nil {
		kind = Surge
	}
	p.claim(t, p.revisionFor(t.slot), kind, reason)
}

// claim is the start of a revision's task. The attempts of another revision, or of another deployment, say nothing
// about this one.
func (p *planner) claim(t *turn, r Revision, kind Kind, reason string) {
	now, slot := p.now, t.slot
	if p.begins(slot, r) {
		slot.Failures, slot.Refusals = 0, 0
		if slot.UpdatingSince == nil || slot.UpdatingSince.Before(p.Deployment.CreatedAt) {
			slot.UpdatingSince = &now
		}
	}
	slot.State = SlotClaimed
	slot.Revision, slot.DeploymentID, slot.TaskHash, slot.HealthChecked = r.Number, p.Deployment.ID, p.hashOf(r), r.HealthChecked
	slot.Attempt = max(slot.Attempt, 1)
	slot.RunningTasks = t.host.Query.RunningTasksCount
	slot.Request = p.runRequest(slot, r)
	slot.ClaimedAt, slot.RetryAt = &now, nil // Blocked and Reason stay until the outcome is known
	t.slot, t.taken = slot, true
	p.starts = append(p.starts, Action{Kind: kind, Host: t.key, Slot: &slot, Reason: reason})
}

// begins says that a start of the revision would be the slot's first under the deployment. Two revisions that ask for the
// same task are one in this: what fails as the one fails as the other.
func (p *planner) begins(slot Slot, r Revision) bool {
	return slot.DeploymentID != p.Deployment.ID || slot.Revision != r.Number && slot.TaskHash != p.hashOf(r)
}

// hashOf is a revision's TaskHash, made once a plan for those that are in it.
func (p *planner) hashOf(r Revision) string {
	switch {
	case r.Number == p.Revision.Number:
		return p.targetHash
	case p.Base != nil && r.Number == p.Base.Number:
		return p.baseHash
	}
	return r.TaskHash()
}

// keepsEmpty says why the host is to have no daemon, or cannot have one now; empty if it can.
func (p *planner) keepsEmpty(t *turn) string {
	if p.Deployment == nil {
		return "the environment has no deployment yet"
	}
	eligible, why := p.eligible(t.host)
	switch {
	case !eligible:
		return why
	case t.host.Status != StatusActive:
		return "the host is " + t.host.Status
	case t.slot.Released:
		return "nothing but daemons kept the host alive: it gets one again when other work has come"
	case !t.host.AgentConnected:
		return "the host's agent is not connected"
	case t.host.Foreign != nil && t.slot.HandedOver == "":
		return "the host still has the task of service " + p.Revision.MigrateFrom + ", which is to be taken over from"
	case t.host.Foreign != nil:
		return "the task of service " + t.slot.HandedOver + " has not stopped yet"
	case p.frozen():
		return p.frozenReason()
	}
	r := p.revisionFor(t.slot)
	if fits, why := p.selects(r, t.host); !fits {
		return fmt.Sprintf("%s, and revision %d, which hosts get meanwhile, does not belong here: %s",
			p.heldOn(t.key), r.Number, why)
	}
	return p.inactive(t, r)
}

// inactive says that the revision cannot be started anywhere, and remembers that the host waits for that: ECS runs no
// task of a definition that was deregistered.
func (p *planner) inactive(t *turn, r Revision) string {
	why := p.unstartable(r)
	if why != "" {
		t.slot.Blocked, t.slot.Reason = true, why
	}
	return why
}

// backsOff says that the next attempt is not due. Failures of another revision or deployment are no reason to wait.
func (p *planner) backsOff(t *turn) bool {
	slot := t.slot
	if slot.RetryAt == nil || !p.now.Before(*slot.RetryAt) {
		return false
	}
	if slot.DeploymentID != "" && p.begins(slot, p.revisionFor(slot)) || roomMade(slot, t.host) {
		return false
	}
	t.slot = slot.wakeBy(*slot.RetryAt, p.now)
	t.wait("the next attempt is due at %s%s", slot.RetryAt.UTC().Format(time.RFC3339), lastAttempt(slot))
	return true
}

// lastAttempt says how the last one ended.
func lastAttempt(slot Slot) string {
	switch {
	case slot.Refusals > 0:
		return "; " + slot.shortage()
	case slot.Reason != "":
		return "; the last one: " + slot.Reason
	}
	return ""
}
