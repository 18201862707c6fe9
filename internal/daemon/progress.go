package daemon

import (
	"maps"
	"reflect"
	"slices"
	"time"
)

// advance moves the deployment on. It is stored only when something about it changed. The counts of one that has ended are
// kept true as long as it is in force, for it is what people look at until the next.
//
// Keeps: completed, and rolledBack, mean that every host which should have the daemon, and is not exempt, has the revision
// and has had it healthy for minHealthySeconds; no host is waiting for its first, but those without room for it; and the
// revision runs somewhere, if there are hosts. What people decided stands: nothing ends or fails by itself while they have
// paused it.
func (p *planner) advance(lost []HostKey) {
	before := *p.Deployment
	if before.Status == DeploymentSuperseded {
		return
	}
	after, reason := p.recount(lost), "progress"
	after.Progress = after.Progress.block(p.blocked(), p.Settings, p.now)
	if !after.Status.Ended() {
		next, why := p.next(after)
		after = next
		if why != "" {
			reason = why
		}
	}
	if !after.Status.Ended() {
		after = p.measure(after)
	}
	if after.Stuck() && !before.Stuck() && reason == "progress" {
		reason = after.StuckReason()
	}
	// Of what is over, people are told again when it is back.
	after.ToldStuck = after.ToldStuck && after.Stuck()
	after.ToldBlocked = after.ToldBlocked && after.Progress.BlockedSince != nil
	after.ToldUnhealthy = after.ToldUnhealthy && slices.ContainsFunc(p.keys, func(key HostKey) bool { return p.lacks(key, p.at(key).turn.slotOrIdle()) })
	if reflect.DeepEqual(before, after) {
		return
	}
	p.last = append(p.last, Action{Kind: Advance, Deployment: &after, Reason: reason})
	if leadsOn(before.Status, after.Status) {
		p.wakeAll(p.now, "the deployment is "+string(after.Status)+" now")
	}
}

// leadsOn says that a change of status is to be looked at again at once: hosts may get something else than by the plan that
// made the change, and nothing else would have anybody look before the next tick. One that has just begun was worked on
// by that plan already, and one that has reached every host leaves nothing to do.
func leadsOn(before, after DeploymentStatus) bool {
	switch {
	case before == after, before == DeploymentPending && after == DeploymentRunning:
		return false
	}
	return after != DeploymentCompleted && after != DeploymentRolledBack
}

// recount is the deployment with the hosts as they are now, and without those that it lost.
func (p *planner) recount(lost []HostKey) Deployment {
	d := *p.Deployment
	if !d.Status.Ended() {
		d = d.lose(lost)
	}
	d.Counts = p.tally()
	if !d.Status.Ended() {
		d = d.noteHosts(p.Deployment.Counts.Desired, p.now)
	}
	d.Counts.Failed += d.Lost - p.Deployment.Lost
	d.FailedInstances = p.failedInstances(d)
	return d
}

// givenUp says why the deployment is given up now; empty if it is not. What is replaced after that changes nothing about
// it: no host fails by what begins this moment.
func (p *planner) givenUp(lost []HostKey) string {
	if p.Deployment.Status.Ended() {
		return ""
	}
	d, begun := p.begin(p.recount(lost))
	if !begun {
		return ""
	}
	return p.failing(d)
}

// begin is the deployment as it goes into a plan: what goes on without its doing is noted, and one that waits is begun,
// unless it is not known yet which alarms had gone off before.
func (p *planner) begin(d Deployment) (begun Deployment, ok bool) {
	d = p.noteAlarms(p.noteFreeze(d))
	if d.Status == DeploymentPending {
		if !p.alarmsKnown() {
			return d, false
		}
		d.Status, d.StartedAt, d.ClocksFrom = DeploymentRunning, &p.now, &p.now
	}
	// Nothing is replaced while the alarms are not known, and nobody is blamed for that. Noted each minute: each is a write.
	if d.Status == DeploymentRunning && !p.alarmsKnown() && (d.ClocksFrom == nil || p.now.Sub(*d.ClocksFrom) >= time.Minute) {
		d.ClocksFrom = &p.now
	}
	return d, true
}

// next is the deployment's next step, and why; at most one but for its beginning.
func (p *planner) next(d Deployment) (Deployment, string) {
	d, ok := p.begin(d)
	if !ok {
		return d, ""
	}
	if d.Status == DeploymentRunning {
		d.Reason = p.hostless(d.Counts)
	}
	if why := p.failing(d); why != "" {
		return p.giveUp(d, why), why
	}
	if settled, why := p.settleDeployment(d); why != "" {
		return settled, why
	}
	return p.reviewCanaries(d)
}

// failing says why the deployment is to be given up; empty if it is not. Neither a rollback, which is on its way to what
// was good, nor a deployment that people paused is ever given up by itself, and nobody is blamed for a freeze.
func (p *planner) failing(d Deployment) string {
	switch d.Status {
	case DeploymentRunning, DeploymentBaking:
	case DeploymentPaused:
		if d.PausedFor != PausedByCanary {
			return ""
		}
	case DeploymentPending, DeploymentRollingBack, DeploymentCompleted, DeploymentRolledBack, DeploymentFailed,
		DeploymentStopped, DeploymentSuperseded:
		return ""
	}
	if p.frozen() {
		return ""
	}
	if why := p.tripped(d); why != "" {
		return why
	}
	if why := p.alarmed(d); why != "" {
		return why
	}
	if p.complete(d.Counts) {
		return ""
	}
	return p.late(d)
}

// measure notes whether the deployment comes forward. One that rolls back from now on is counted from the next look on,
// which knows its hosts by the other revision.
func (p *planner) measure(d Deployment) Deployment {
	if d.Target() == p.Revision.Number {
		d.Progress = d.Progress.comeForward(d.Counts, p.now)
	}
	waits := d.Status != DeploymentPending && d.Status != DeploymentPaused && p.hostless(d.Counts) != ""
	if p.frozen() || waits && !p.misses() {
		return d // nobody can do anything about it but wait
	}
	return d.stall(p.Settings, p.patience(d), p.now)
}

// await looks after a deployment none of whose clusters was ever reconciled: nothing can be done but to say that it
// takes long.
func (p *planner) await() {
	after := p.Deployment.stall(p.Settings, p.Deployment.CameForwardAt(), p.now)
	if after.Stuck() && !p.Deployment.Stuck() {
		p.last = append(p.last, Action{Kind: Advance, Deployment: &after, Reason: after.StuckReason()})
	}
}

// blocked counts the hosts that ECS found no room on, that are not fit for the task, or that wait for a task definition
// which cannot be run any more.
func (p *planner) blocked() int {
	n := 0
	for _, key := range p.keys {
		t := p.at(key).turn
		slot := t.slotOrIdle()
		if !p.daemonBelongs(key, slot) {
			continue
		}
		waits := slot.State == SlotIdle || t != nil && p.candidate(t) != leaveIt
		if slot.Blocked || waits && p.unstartable(p.revisionFor(slot)) != "" {
			n++
		}
	}
	return n
}

// complete says that every host has the revision which can have it.
func (p *planner) complete(c Counts) bool {
	onDelete := p.method() == OnDelete
	tried := false
	// As many failed hosts as do not trip the breaker do not hold up the rest, nor keep the revision from being the last
	// good one: else the next rollback would take every host to an older one.
	few := c.Failed < p.Revision.DeploymentConfiguration.CircuitBreaker.FailedHosts(c.Desired+p.Deployment.Lost)
	for _, key := range p.keys {
		slot := p.at(key).turn.slotOrIdle()
		if !p.daemonBelongs(key, slot) {
			continue
		}
		failed := few && p.reached(slot) && p.failure(slot) != ""
		if !failed && !p.done(key, slot, onDelete) || p.awaitsPromotion(key, slot) {
			return false
		}
		tried = tried || p.reached(slot)
	}
	if c.Desired > 0 && c.Updated == 0 && (tried || !onDelete) {
		return false // nothing shows that the revision is any good
	}
	if p.hostless(c) != "" {
		return false // it may show that when the hosts are back, or when their group is put right
	}
	for _, f := range p.Clusters {
		if f.SyncedAt.IsZero() && !f.Gone {
			return false // its hosts may not all be known yet
		}
	}
	return true
}

// awaitsPromotion says that the host is to get the revision only when the canaries are promoted. A deployment that ended
// before, because the host is down or has no room just now, would bring it there unpromoted when it is back.
func (p *planner) awaitsPromotion(key HostKey, slot Slot) bool {
	return p.canaryStage() && !p.canary(key) && !p.updated(slot)
}

// done says that the deployment need not wait for the host. A host that has no daemon for a reason of its own does not
// hold up the rest; one that is about to get its first daemon does.
func (p *planner) done(key HostKey, slot Slot, onDelete bool) bool {
	switch {
	case p.updated(slot):
		return true
	case onDelete && p.serves(key, slot) && !p.reached(slot):
		return true // it gets the revision when its daemon ends, which nobody waits for
	case p.owed(slot), p.serves(key, slot):
		return false
	case p.outdated(key, slot):
		return onDelete // else it is to be replaced, broken or not: the stop waits for its turn, or for fresh knowledge
	case slot.Blocked, !p.at(key).host.AgentConnected:
		return true
	}
	return p.gaveUp(slot)
}

// failedInstances are the hosts on which this deployment's task failed or found no room, and those that it lost. Of a
// deployment that has been given up those that it was given up for stay, whatever became of them since.
func (p *planner) failedInstances(d Deployment) []FailedInstance {
	if d.Status == DeploymentFailed {
		return d.FailedInstances
	}
	failed := map[HostKey]string{}
	if d.RollbackTo != 0 {
		for _, f := range d.FailedInstances {
			failed[f.Host] = f.Reason
		}
	}
	for _, key := range d.LostHosts {
		failed[key] = "left the cluster after the daemon was started, and before it was well"
	}
	for _, key := range p.keys {
		slot := p.at(key).turn.slotOrIdle()
		if _, ok := failed[key]; ok || slot.DeploymentID != d.ID {
			continue
		}
		if why := p.failure(slot); why != "" && slot.State != SlotIdle {
			failed[key] = why
		} else if slot.Reason != "" && (slot.Failures > 0 || slot.Blocked) {
			failed[key] = slot.Reason
		}
	}
	if len(failed) == 0 {
		return nil
	}
	var list []FailedInstance
	for _, key := range slices.SortedFunc(maps.Keys(failed), CompareHosts) {
		if len(list) == MaxFailedInstances {
			break
		}
		list = append(list, FailedInstance{Host: key, Reason: failed[key]})
	}
	return list
}
