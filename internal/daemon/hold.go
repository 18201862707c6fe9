package daemon

// What a host gets, and what may be replaced, while a deployment is held.

// held says why the deployment replaces nothing now, on any host; empty is not held.
func (p *planner) held() string {
	switch d := p.Deployment; d.Status {
	case DeploymentPaused:
		if d.PausedFor == PausedByCanary {
			return "the canaries have not been promoted"
		}
		return "the deployment is " + wordOr(d.Reason, "paused")
	case DeploymentStopped:
		return "the deployment was " + wordOr(d.Reason, "stopped")
	case DeploymentFailed:
		return "the deployment has failed"
	case DeploymentSuperseded:
		return "the deployment was superseded"
	case DeploymentPending, DeploymentRunning, DeploymentBaking, DeploymentRollingBack, DeploymentCompleted, DeploymentRolledBack:
	}
	return ""
}

func wordOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// heldOn is held for one host: a deployment whose canaries were not promoted is held on all others.
func (p *planner) heldOn(key HostKey) string {
	if why := p.held(); why != "" {
		return why
	}
	if p.canaryStage() && !p.canary(key) {
		if len(p.canaries) == 0 {
			return "no host is a canary, and the deployment waits to be promoted"
		}
		return "the canaries have not been promoted"
	}
	return ""
}

// revisionFor is the revision that a host gets which needs a daemon now.
//
// Assumes: there is a deployment.
// Keeps: a deployment that is held reaches no host that it had not reached before, as long as there is another revision
// to run; one that has failed reaches none at all. A host never stays empty because of a hold: without a good revision
// that can be started the target is still more than nothing. A surge's former task needs no start, and serves on.
func (p *planner) revisionFor(slot Slot) Revision {
	if p.Base == nil || p.heldOn(slot.Host) == "" || slot.Former == nil && p.unstartable(*p.Base) != "" {
		return p.Revision
	}
	if slot.Revision == p.Revision.Number && p.Deployment.Status != DeploymentFailed && !p.onlyBaseSelects(slot.Host) {
		return p.Revision
	}
	return *p.Base
}

// onlyBaseSelects says that the host is in the base's instance group and not in the target's: while the deployment is held
// the daemon belongs there all the same, and it is the base's. The slot may say the target's, where both ask for one task.
func (p *planner) onlyBaseSelects(key HostKey) bool {
	r := p.at(key)
	if !r.listed {
		return false
	}
	target, _ := p.selects(p.Revision, *r.host)
	base, _ := p.selects(*p.Base, *r.host)
	return base && !target
}

// unstartable says why a revision cannot be run now; empty if it can. Nothing gives way to it then, and starts of it are
// not tried: ECS would refuse every one.
func (p *planner) unstartable(r Revision) string {
	if p.Inactive[r.TaskDefinition] {
		return "task definition " + r.TaskDefinition + " is INACTIVE"
	}
	return ""
}

// frozenReason says who froze the environment, and why.
func (p *planner) frozenReason() string {
	f := p.Environment.Frozen
	return Operator{By: f.By, Reason: f.Reason}.saying("environment is frozen")
}
