package daemon

import (
	"fmt"
	"time"
)

// settleDeployment moves a deployment on that has reached every host it can reach, and says why.
//
// Keeps: nothing ends well unobserved: while the alarms are not known, or one has gone off, a deployment that is watched
// by alarms stays what it is. A rollback is not watched: there is nothing better to go to.
func (p *planner) settleDeployment(d Deployment) (Deployment, string) {
	done := p.complete(d.Counts)
	watched := p.alarmsKnown() && p.alarmed(d) == ""
	switch d.Status {
	case DeploymentRollingBack:
		if done {
			d.Status, d.EndedAt = DeploymentRolledBack, &p.now
			return d, fmt.Sprintf("every host has revision %d again", d.Target())
		}
	case DeploymentRunning:
		if done && watched {
			return p.bake(d)
		}
	case DeploymentPaused:
		// The hosts that were not canaries may have left.
		if done && watched && d.PausedFor == PausedByCanary {
			d.PausedFor, d.Reason = "", ""
			return p.bake(d)
		}
	case DeploymentBaking:
		ends := d.BakingSince.Add(p.bakeTime())
		if p.now.Before(ends) {
			p.wakeAll(ends, "the deployment has baked")
		} else if done && watched {
			return p.completeNow(d)
		}
	case DeploymentPending, DeploymentCompleted, DeploymentRolledBack, DeploymentFailed, DeploymentStopped, DeploymentSuperseded:
	}
	return d, ""
}

func (p *planner) bakeTime() time.Duration {
	return time.Duration(p.Revision.DeploymentConfiguration.BakeSeconds) * time.Second
}

// bake begins the bake time, if there is one. A deployment that was paused while it baked bakes anew: nobody watched it.
func (p *planner) bake(d Deployment) (Deployment, string) {
	if p.bakeTime() == 0 {
		return p.completeNow(d)
	}
	if p.canaryStage() {
		d.PromotedAt = &p.now // every host was a canary: one that joins meanwhile gets what all have
	}
	d.Status, d.BakingSince = DeploymentBaking, &p.now
	p.wakeAll(p.now.Add(p.bakeTime()), "the deployment has baked")
	return d, fmt.Sprintf("every host has the revision, and is watched for %s", p.bakeTime())
}

func (p *planner) completeNow(d Deployment) (Deployment, string) {
	d.Status, d.EndedAt = DeploymentCompleted, &p.now
	if p.method() == OnDelete {
		return d, "every host has a daemon; hosts get the revision when their daemons end"
	}
	return d, "every host has the revision"
}
