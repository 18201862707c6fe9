package daemon

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/blox/blox/internal/clusterquery"
)

// canaryStage says that only canaries get the revision now. A rollback is not tried out on canaries first: it is on its
// way to what was good.
func (p *planner) canaryStage() bool {
	switch p.Deployment.Status {
	case DeploymentPending, DeploymentRunning, DeploymentPaused, DeploymentBaking:
		return p.Revision.DeploymentConfiguration.Canary != nil && p.Deployment.PromotedAt == nil
	case DeploymentRollingBack, DeploymentCompleted, DeploymentRolledBack, DeploymentFailed, DeploymentStopped,
		DeploymentSuperseded:
	}
	return false
}

// canary says that the host is one of the canaries.
func (p *planner) canary(key HostKey) bool {
	if p.canaries == nil {
		p.canaries = p.chooseCanaries()
	}
	return p.canaries[key]
}

// chooseCanaries is by number or by expression.
func (p *planner) chooseCanaries() map[HostKey]bool {
	c := p.Revision.DeploymentConfiguration.Canary
	if c.Expression != "" {
		return p.canariesBy(c.Expression)
	}
	return p.canariesOf(c.Hosts)
}

// canariesBy are the hosts that the expression selects. One that cannot be evaluated for a host does not select it.
func (p *planner) canariesBy(expression string) map[HostKey]bool {
	chosen := map[HostKey]bool{}
	query, err := clusterquery.Parse(expression)
	if err != nil {
		return chosen // was parsed when the revision was made; nobody is a canary, and the deployment waits
	}
	for _, key := range p.keys {
		if !p.mayBeCanary(key) {
			continue
		}
		if matches, err := query.Matches(p.at(key).host.Query); err == nil && matches {
			chosen[key] = true
		}
	}
	return chosen
}

// canariesOf are as many hosts as the amount.
//
// Assumes: what was begun is in the slots: a host that has the revision, or is on its way to it, shows it there.
// Keeps: those are the first to be canaries, so that the choice stays the same from plan to plan; no other is begun while
// they are as many as the amount. Then come hosts whose daemon is healthy, for one that was broken before shows nothing.
// A partial snapshot does not know how many there are, and adds none.
func (p *planner) canariesOf(amount Amount) map[HostKey]bool {
	type candidate struct {
		key  HostKey
		rank int
	}
	var candidates []candidate
	desired := 0
	for _, key := range p.keys {
		if !p.mayBeCanary(key) {
			continue
		}
		desired++
		if rank, ok := p.canaryRank(key); ok {
			candidates = append(candidates, candidate{key, rank})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.rank, b.rank) })
	chosen := map[HostKey]bool{}
	for _, c := range candidates {
		if c.rank > canaryReached && (!p.Full || len(chosen) >= max(1, amount.RoundedUp(desired))) {
			break
		}
		chosen[c.key] = true
	}
	return chosen
}

// mayBeCanary says that the revision belongs on the host: one that has its daemon for the base's sake never gets it.
func (p *planner) mayBeCanary(key HostKey) bool {
	if !p.wanted(key) {
		return false
	}
	fits, _ := p.selects(p.Revision, *p.at(key).host)
	return fits
}

const (
	canaryReached = iota // has the revision, or a start of it was claimed
	canaryTouched        // lost its daemon to a deployment, and waits for the next
	canaryHealthy
	canaryOther
)

// canaryRank is how well the host does as a canary, lowest first; not ok is one that cannot show anything now.
func (p *planner) canaryRank(key HostKey) (rank int, ok bool) {
	slot, _ := p.at(key).stored()
	reached := slot.State != "" && slot.Revision == p.Revision.Number
	switch {
	case slot.Blocked && !reached && !slot.Disrupted:
		return 0, false // one that lost its daemon as a canary stays one: the next would lose its own in vain
	case reached && !(p.Deployment.Restart && slot.DeploymentID != p.Deployment.ID):
		return canaryReached, true
	case !p.at(key).host.AgentConnected || slot.Released:
		return 0, false
	case slot.UpdatingSince != nil || slot.Disrupted:
		return canaryTouched, true
	case slot.Healthy() || p.at(key).host.Foreign != nil:
		return canaryHealthy, true
	}
	return canaryOther, true
}

// reviewCanaries pauses a deployment whose canaries are all well, promotes it if it is to promote itself, and sets it going
// again if the canaries are not what they were.
//
// Keeps: what people paused stays so. Nothing promotes itself while the environment is frozen, or while an alarm has gone
// off or is not known.
func (p *planner) reviewCanaries(d Deployment) (Deployment, string) {
	waits := d.Status == DeploymentPaused && d.PausedFor == PausedByCanary
	c := p.Revision.DeploymentConfiguration.Canary
	if c == nil || d.PromotedAt != nil || p.frozen() || d.Status != DeploymentRunning && !waits {
		return d, ""
	}
	well, unreached := p.countCanaries()
	switch {
	case well == 0 || unreached > 0:
		d.CanariesSince = nil
		if waits && p.unreachedOutdated() {
			// Others became canaries: one left, or more match. They cannot be reached by a deployment that is paused.
			d = d.goOn(p.now) // the wait for people was no lack of progress
			return d, "there are canaries without the revision"
		}
		return d, ""
	case d.CanariesSince == nil:
		d.CanariesSince = &p.now
	}
	reason := ""
	if !waits {
		d.Status, d.PausedFor = DeploymentPaused, PausedByCanary
		d.Reason = fmt.Sprintf("%d canaries have revision %d and wait to be promoted", well, d.Target())
		reason = d.Reason
	}
	if c.PromoteAfterSeconds == 0 {
		return d, reason
	}
	due := d.CanariesSince.Add(time.Duration(c.PromoteAfterSeconds) * time.Second)
	if p.now.Before(due) {
		p.wakeAll(due, "the canaries are to be promoted")
		return d, reason
	}
	if !p.alarmsKnown() || len(p.firing()) > 0 {
		return d, reason
	}
	if promoted, err := d.Promote(p.now); err == nil {
		return promoted, fmt.Sprintf("%d canaries were well for %d seconds", well, c.PromoteAfterSeconds)
	}
	return d, reason
}

// countCanaries counts the canaries that have the revision and are well, and those that are to be waited for. A canary
// without room, with its agent away before it was touched, or that was broken before and still is shows nothing.
func (p *planner) countCanaries() (well, unreached int) {
	for _, key := range p.keys {
		if !p.canary(key) {
			continue
		}
		switch slot := p.at(key).turn.slotOrIdle(); {
		case !p.daemonBelongs(key, slot):
		case p.updated(slot):
			well++
		case p.owed(slot):
			unreached++
		case slot.Blocked, !p.at(key).host.AgentConnected, p.brokenBefore(slot) && p.gaveUp(slot):
		default:
			unreached++
		}
	}
	return well, unreached
}

// unreachedOutdated says that there are canaries whose daemon is to be replaced.
func (p *planner) unreachedOutdated() bool {
	for _, key := range p.keys {
		if t := p.at(key).turn; t != nil && p.canary(key) && p.candidate(t) != leaveIt {
			return true
		}
	}
	return false
}
