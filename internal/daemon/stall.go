package daemon

import (
	"fmt"
	"time"
)

// Progress is how far a deployment came, and when.
type Progress struct {
	// At is when the deployment last came forward: when fewer of its hosts than ever before were left without the
	// revision. A host that loses its daemon and gets it back again and again is no progress, and neither are hosts that
	// come and go.
	At *time.Time `json:"at,omitempty"`
	// Desired is the last count of hosts, and Remaining the fewest of them that were left without the revision so far.
	Desired   int `json:"desired,omitempty"`
	Remaining int `json:"remaining,omitempty"`
	// Departed are hosts that had the revision and left, and that no other has taken the place of yet.
	Departed int `json:"departed,omitempty"`
	// StuckSince is when it was found that the deployment did not come forward for StuckAfter; nil while it does.
	StuckSince *time.Time `json:"stuckSince,omitempty"`
	// Blocked are hosts that ECS found no room on, or that are not fit for the task.
	Blocked int `json:"blocked,omitempty"`
	// BlockedSince is when hosts were first found blocked, and UnblockedSince since when none is; both are nil once none
	// was for HealthGrace.
	BlockedSince   *time.Time `json:"blockedSince,omitempty"`
	UnblockedSince *time.Time `json:"unblockedSince,omitempty"`
}

// CameForwardAt is when the deployment last came forward; at first, when it was made.
func (d Deployment) CameForwardAt() time.Time {
	if d.Progress.At != nil {
		return *d.Progress.At
	}
	return d.CreatedAt
}

// Stuck says that the deployment has not ended, and was found not to come forward.
func (d Deployment) Stuck() bool { return !d.Status.Ended() && d.Progress.StuckSince != nil }

// comeForward is the progress with what is counted now.
func (p Progress) comeForward(c Counts, now time.Time) Progress {
	p = p.recount(c)
	if remaining := c.Desired - c.Updated; p.At == nil || remaining < p.Remaining {
		p.At, p.Remaining, p.StuckSince = &now, remaining, nil
	}
	return p
}

// recount is the progress for the hosts that there are now, so that those who came or left are no progress. Only numbers
// are known. What fewer hosts have the revision than ever is put down to those that left, as far as it goes; the rest of
// them left without. Hosts that come take the place of those that had the revision: that they get it, too, brings the
// deployment no further than it was. In a fleet of which a part is replaced all the time, anything else would hide for
// ever that the others get nothing. What comes beyond that is left to be done, and is progress when it is.
func (p Progress) recount(c Counts) Progress {
	switch change := c.Desired - p.Desired; {
	case change > 0:
		replacing := min(change, p.Departed)
		p.Departed -= replacing
		p.Remaining += change - replacing
	case change < 0:
		updatedAtBest := p.Desired - p.Remaining
		updatedLeft := min(-change, max(0, updatedAtBest-c.Updated))
		p.Departed += updatedLeft
		p.Remaining -= -change - updatedLeft
	}
	p.Desired = c.Desired
	return p
}

// block is the progress with the hosts that are blocked now. One that is tried again may look free for a moment, or be:
// only what was over for a while is news when it is back.
func (p Progress) block(hosts int, s Settings, now time.Time) Progress {
	p.Blocked = hosts
	switch {
	case hosts > 0:
		p.UnblockedSince = nil
		if p.BlockedSince == nil {
			p.BlockedSince = &now
		}
	case p.BlockedSince == nil:
	case p.UnblockedSince == nil:
		p.UnblockedSince = &now
	case now.Sub(*p.UnblockedSince) >= s.HealthGrace:
		p.BlockedSince, p.UnblockedSince = nil, nil
	}
	return p
}

// patience is the time from which a deployment is waited for: when it last came forward, and when what it waits for by its
// own configuration is over. One that waits for people is waited for from when it did: they may have forgotten it.
func (p *planner) patience(d Deployment) time.Time {
	from, c := d.notBefore(d.CameForwardAt()), p.Revision.DeploymentConfiguration
	var until time.Time
	switch {
	case d.Status == DeploymentBaking && d.BakingSince != nil:
		until = d.BakingSince.Add(p.bakeTime())
	case d.PausedFor == PausedByCanary && d.CanariesSince != nil && c.Canary != nil:
		until = d.CanariesSince.Add(time.Duration(c.Canary.PromoteAfterSeconds) * time.Second)
	}
	if until.After(from) {
		return until
	}
	return from
}

// stall is the deployment, found stuck if it has not come forward since that time. Its time goes on while its clusters
// wait for their first reconcile: nothing comes of it then, either.
func (d Deployment) stall(s Settings, from, now time.Time) Deployment {
	if !d.Status.Ended() && d.Progress.StuckSince == nil && now.Sub(from) >= s.StuckAfter {
		d.Progress.StuckSince = &now
	}
	return d
}

// StuckReason says for people what a stuck deployment waits for.
func (d Deployment) StuckReason() string {
	since, left := d.CameForwardAt().UTC().Format(time.RFC3339), d.Counts.Desired-d.Counts.Updated
	switch {
	case d.Status == DeploymentPending:
		return "not begun since " + since + ": no cluster of the environment was reconciled yet, or its alarms could not be read"
	case d.Status == DeploymentPaused && d.PausedFor == PausedByCanary:
		return fmt.Sprintf("waits for its canaries to be promoted: %s; %d of %d hosts are left", d.Reason, left, d.Counts.Desired)
	case d.Status == DeploymentPaused:
		return fmt.Sprintf("waits to be resumed: %s; %d of %d hosts are left", wordOr(d.Reason, "paused"), left, d.Counts.Desired)
	case d.Status == DeploymentBaking:
		return fmt.Sprintf("its bake time is over, and %d of %d hosts are not well, or its alarms could not be read", left, d.Counts.Desired)
	}
	if d.Counts.Desired == 0 {
		return "no host is there for it since " + since + ": they are being drained, or its instance group matches none"
	}
	text := fmt.Sprintf("no host was updated since %s, %d of %d are left", since, left, d.Counts.Desired)
	if d.Status == DeploymentRollingBack {
		text = fmt.Sprintf("rolling back to revision %d: %s", d.RollbackTo, text)
	}
	if len(d.FailedInstances) > 0 {
		first := d.FailedInstances[0]
		text += fmt.Sprintf("; on %s: %s", first.Host.EC2InstanceID, first.Reason)
	}
	return text
}

// HostsWithoutHealthyDaemon counts the hosts that ought to have a healthy daemon and have been without one for at least
// HealthGrace, and says whether the snapshot can tell: it must be full, of an environment that is to run, with a
// deployment. Hosts of a cluster that was never reconciled are counted by what is stored of them, which is nothing.
//
// A host ought to have one if the deployment's daemon belongs on it and it is ACTIVE, also when its agent is away, when
// ECS has no room on it, or when a deployment replaces its daemon: why it has none does not matter to who waits for it.
func HostsWithoutHealthyDaemon(s Snapshot, now time.Time) (hosts int, ok bool) {
	if !s.Full || s.Environment.Status != EnvironmentActive || s.Deployment == nil {
		return 0, false
	}
	p := newPlanner(s, now)
	for _, key := range p.keys {
		if p.lacks(key, p.turnOf(key).slot) {
			hosts++
		}
	}
	return hosts, true
}

// lacks says that the host ought to have a healthy daemon, and has had none for longer than a start takes.
func (p *planner) lacks(key HostKey, slot Slot) bool {
	return p.synced(key) && p.wanted(key) && !slot.Serving() && slot.UnhealthySince != nil &&
		p.now.Sub(*slot.UnhealthySince) >= p.Settings.HealthGrace
}
