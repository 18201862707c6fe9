package daemon

import "fmt"

// replaceOutdated replaces daemons of older revisions, as many as the budget allows. Under TerminateThenReplace their hosts
// get the new one when the old one is STOPPED: its ports and memory are held until then. Under ReplaceThenTerminate the old
// one stays until the new one is well.
//
// Assumes: the snapshot is full, and the slots were read consistently under the lease, whose epoch each stop's
// transaction checks again. So every stop that any driver has paid for is in the slots.
// Keeps: a deployment that is given up in this plan replaces nothing more: what it would stop works, and the next plan, which
// turns it back, would have to count it. Hosts that are unavailable by our doing, whichever deployment did it, never exceed the budget through a stop; and
// of hosts that a deployment could not bring back in time no more than the budget once again are written off.
func (p *planner) replaceOutdated() {
	b := p.budget()
	if p.givesUp == "" {
		p.restartUnhealthy(&b)
	}
	still := p.standsStill()
	for _, serving := range []bool{false, true} {
		// Daemons that are down already come first and cost nothing: their host is exempt, or paid for.
		for _, key := range p.keys {
			t := p.at(key).turn
			if t == nil {
				continue
			}
			what := p.candidate(t)
			if what == leaveIt || endsService(t, what) != serving {
				continue
			}
			switch why := wordOr(still, p.heldOn(key)); {
			case why != "":
				t.wait("%s", why)
			case t.taken:
				p.wakeAll(p.now, "a host's replacement waits for what is done there first")
			case !p.fresh(key):
				t.wait("waits for fresh knowledge of the cluster")
				p.wakeAll(p.now.Add(p.Settings.EventGrace), "replacements wait for fresh knowledge of a cluster")
			default:
				p.update(t, what, serving, &b)
			}
		}
	}
}

// candidacy is what a host may be updated by.
type candidacy int

const (
	leaveIt    candidacy = iota
	replaceIt            // stop the old daemon, then start the new one
	surgeIt              // start the new daemon, then stop the old one
	takeItOver           // have the ECS service leave the host to us
)

// candidate says what may be done to bring the host the revision. Under surge a daemon that is down is simply replaced:
// there is nothing to keep up.
//
// Keeps: a host with two tasks is not begun anew. Its own turn sees it through once the new one works; one that does not
// work and is not wanted any more goes, while the former one serves on.
func (p *planner) candidate(t *turn) candidacy {
	switch {
	case p.foreign(t):
		return takeItOver
	case !p.outdated(t.key, t.slot), t.slot.Released:
		return leaveIt
	case t.slot.Former != nil && t.slot.Healthy():
		return leaveIt
	case p.method() == ReplaceThenTerminate && t.slot.Healthy():
		return surgeIt
	}
	return replaceIt
}

// endsService says that the host has a working daemon which the candidate's update would end, now or later. A task of another
// service counts from its start: nobody asks ECS about it before it is taken away, and its last event may be late.
func endsService(t *turn, what candidacy) bool {
	if what == takeItOver {
		return t.host.Foreign.Live()
	}
	return t.slot.Healthy()
}

// foreign says that the host still has the task of the service that the environment takes over from.
func (p *planner) foreign(t *turn) bool {
	return t.host.Foreign != nil && (t.slot.HandedOver == "" || serviceReturned(t.host, t.slot)) && t.slot.State == SlotIdle &&
		p.wanted(t.key) && t.host.AgentConnected
}

// update brings one host the revision, if the budget has room for it.
func (p *planner) update(t *turn, what candidacy, serving bool, b *budget) {
	switch {
	case what == takeItOver && serviceReturned(t.host, t.slot) && !p.handOverDue(t):
		return
	case what == surgeIt && len(p.strays(t)) > 0: // left by an environment that was deleted in the middle of a surge, say
		t.wait("a second task of the environment on the host is stopped before a new one is started beside the first")
		return
	case what == surgeIt && !b.surge():
		t.wait("%s", b.surgeWait())
		return
	case what == takeItOver && serving && !p.roomFor(t, b), what == replaceIt && serving && !b.take(t.key):
		t.wait("%s", b.wait())
		return
	}
	p.retaken[t.key] = true
	switch what {
	case takeItOver:
		p.handOver(t)
	case surgeIt:
		p.surge(t)
	case replaceIt:
		p.replace(t, serving)
	case leaveIt:
	}
}

// standsStill says why no host at all is updated now; empty if some may be.
func (p *planner) standsStill() string {
	switch {
	case p.frozen():
		return p.frozenReason()
	case p.givesUp != "":
		return "the deployment is given up: " + p.givesUp
	case !p.alarmsKnown():
		return "the states of the deployment's alarms are not known"
	case p.method() == OnDelete:
		return "the method is onDelete: the host gets the revision when its daemon ends"
	}
	return p.unstartable(p.Revision)
}

// method is how hosts get the target. A rollback replaces also what OnDelete would leave alone: it is there to take a
// revision away that does harm, and a host where that does none yet would keep it for who knows how long.
func (p *planner) method() Method {
	m := p.Revision.DeploymentConfiguration.Method
	if m == OnDelete && p.Deployment.RollbackTo != 0 {
		return TerminateThenReplace
	}
	return m
}

// reasonReplaced is the reason of the stops that the budget pays for.
const reasonReplaced = "replaced by a newer revision"

// replace stops the host's daemon and owes it a new one, if it was worth anything. What was to be stored of the slot goes
// with the stop.
func (p *planner) replace(t *turn, serving bool) {
	t.slot.Disrupted = t.slot.Disrupted || serving
	t.slot.UpdatingSince = &p.now
	reason := reasonReplaced
	switch {
	case p.Deployment.RollbackTo != 0:
		reason = fmt.Sprintf("replaced by revision %d, to which the deployment rolls back", p.Deployment.RollbackTo)
	case p.Deployment.Restart:
		reason = "restarted"
	}
	p.stop(t, reason)
}

// outdated says that the host's daemon is to be replaced. A host whose agent is away cannot stop a task, so it waits.
func (p *planner) outdated(key HostKey, slot Slot) bool {
	task, seen := p.task(slot.TaskARN)
	return slot.State == SlotPlaced && seen && task.Live() && task.Host == key && p.differs(slot, task) &&
		p.wanted(key) && p.at(key).host.AgentConnected && p.synced(key)
}

// differs says that a task is not what the deployment brings: asked for with other words, or under a restart started by
// an earlier deployment. The task definition counts in any case: a claim may have been answered with an older task.
func (p *planner) differs(slot Slot, task Task) bool {
	switch {
	case task.TaskDefinition != p.Revision.TaskDefinition:
		return true
	case slot.TaskHash != "" && slot.TaskHash != p.targetHash:
		return true
	}
	return p.restarting() && slot.DeploymentID != p.Deployment.ID
}

// restarting says that the deployment replaces also what runs its revision already. Going back is no restart.
func (p *planner) restarting() bool { return p.Deployment.Restart && p.Deployment.RollbackTo == 0 }

// updated says that the host has what the deployment brings, well for long enough.
func (p *planner) updated(slot Slot) bool {
	return slot.State == SlotPlaced && slot.Revision == p.Revision.Number && slot.Settled(p.minHealthy(), p.now) &&
		(slot.TaskHash == "" || slot.TaskHash == p.targetHash) &&
		!(p.restarting() && slot.DeploymentID != p.Deployment.ID)
}
