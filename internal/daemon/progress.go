package daemon

import "slices"

// advance moves the deployment on: pending, running, completed. The counts of a completed one are kept true, for it is
// what people look at until the next. It is stored only when something about it changed.
//
// Keeps: completed means that every host which should have the daemon, and is not exempt, has the revision and has had
// it healthy for minHealthySeconds; no host is waiting for its first, but those without room for it; and the revision
// runs somewhere, if there are hosts.
func (p *planner) advance() {
	before := *p.Deployment
	if before.Status.Ended() && before.Status != DeploymentCompleted {
		return
	}
	after, reason, now := before, "progress", p.now
	after.Counts = p.tally()
	after.FailedInstances = p.failedInstances()
	after.Progress = after.Progress.block(p.blocked(), p.Settings, now)
	if before.Status == DeploymentPending {
		after.Status, after.StartedAt = DeploymentRunning, &now
	}
	if !before.Status.Ended() && p.complete(after.Counts) {
		after.Status, after.EndedAt = DeploymentCompleted, &now
		reason = "every host has the revision"
	}
	if !after.Status.Ended() {
		after.Progress = after.Progress.comeForward(after.Counts, now)
		after = after.stall(p.Settings, now)
	}
	if after.Stuck() && !before.Stuck() {
		reason = after.StuckReason()
	}
	// Of what is over, people are told again when it is back.
	after.ToldStuck = after.ToldStuck && after.Stuck()
	after.ToldBlocked = after.ToldBlocked && after.Progress.BlockedSince != nil
	if before.Status == after.Status && before.Counts == after.Counts && before.Progress == after.Progress &&
		slices.Equal(before.FailedInstances, after.FailedInstances) {
		return
	}
	p.last = append(p.last, Action{Kind: Advance, Deployment: &after, Reason: reason})
}

// await looks after a deployment none of whose clusters was ever reconciled: nothing can be done but to say that it
// takes long.
func (p *planner) await() {
	after := p.Deployment.stall(p.Settings, p.now)
	if after.Stuck() && !p.Deployment.Stuck() {
		p.last = append(p.last, Action{Kind: Advance, Deployment: &after, Reason: after.StuckReason()})
	}
}

// blocked counts the hosts that ECS found no room on, or that are not fit for the task.
func (p *planner) blocked() int {
	n := 0
	for _, key := range p.keys {
		if p.wanted(key) && p.tended[key].slotOrIdle().Blocked {
			n++
		}
	}
	return n
}

func (p *planner) complete(c Counts) bool {
	if c.Updated < c.Desired-c.Exempt {
		return false
	}
	if c.Desired > 0 && c.Updated == 0 {
		return false // nothing shows that the revision is any good
	}
	for _, key := range p.keys {
		// A host that has no daemon for a reason of its own does not hold up the rest, one that is about to get its
		// first daemon does.
		slot := p.tended[key].slotOrIdle()
		if p.outdated(key, slot) {
			return false // broken before, or not, it is to be replaced: the stop waits for its turn or for fresh knowledge
		}
		if p.wanted(key) && p.hosts[key].AgentConnected && slot.State != SlotPlaced && !slot.Blocked {
			return false
		}
	}
	for _, f := range p.Clusters {
		if f.SyncedAt.IsZero() {
			return false // its hosts may not all be known yet
		}
	}
	return true
}

// failedInstances are the hosts on which this deployment's task failed or found no room.
func (p *planner) failedInstances() []FailedInstance {
	var failed []FailedInstance
	for _, key := range p.keys {
		slot := p.tended[key].slotOrIdle()
		if slot.DeploymentID != p.Deployment.ID || slot.Reason == "" || (slot.Failures == 0 && !slot.Blocked) {
			continue
		}
		if len(failed) == MaxFailedInstances {
			break
		}
		failed = append(failed, FailedInstance{Host: key, Reason: slot.Reason})
	}
	return failed
}
