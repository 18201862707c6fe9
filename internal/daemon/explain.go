package daemon

import "time"

// HostState says in one word how a host is doing with its daemon.
type HostState string

// The states, the first that fits from the bottom up: that a host has left its cluster says more than what it had there.
const (
	// HostHealthy: its daemon has been healthy for minHealthySeconds. HostSettling: healthy, and not yet for so long.
	HostHealthy  HostState = "healthy"
	HostSettling HostState = "settling"
	// HostStarting: a task was asked for, or is not healthy yet. HostUnhealthy: it runs, and its health check fails.
	HostStarting  HostState = "starting"
	HostUnhealthy HostState = "unhealthy"
	HostStopping  HostState = "stopping"
	// HostWaiting: no task is on the host. HostFailing: the last ones stopped or were refused. HostBlocked: ECS found no room.
	HostWaiting HostState = "waiting"
	HostFailing HostState = "failing"
	HostBlocked HostState = "blocked"
	// HostHandingOver: the daemon there is still the one of the ECS service that the environment takes over from.
	HostHandingOver HostState = "handingOver"
	// HostReleased: nothing but daemons kept it alive, so its daemon was stopped.
	HostReleased HostState = "released"
	// HostAway: its agent is not connected.
	HostAway     HostState = "away"
	HostDraining HostState = "draining"
	// HostIneligible: the daemon does not belong there.
	HostIneligible HostState = "ineligible"
	HostGone       HostState = "gone"
	// HostUnknown: its cluster was never reconciled completely.
	HostUnknown HostState = "unknown"
)

// HostStatus is what an environment has on one host, what it does next there, and what it waits for.
type HostStatus struct {
	Host                 HostKey
	ContainerInstanceARN string
	State                HostState
	// Desired says that the daemon belongs on the host now, Healthy that a healthy one of any revision is there, Updated that
	// it has what the host should have now.
	Desired, Healthy, Updated bool
	TaskARN, FormerTaskARN    string
	// Revision is the task's, or the last one's; 0 is none of the environment's. Target is what the host should have; 0 is
	// nothing.
	Revision, Target int
	// Since is when the state began; nil where nobody saw it.
	Since *time.Time
	// Reason is why the host is in the state: ECS's own where it gave one.
	Reason string
	// Failures are attempts in a row that did not end healthy, RetryAt is when the next may start.
	Failures int
	RetryAt  *time.Time
	// Next is what Plan does on the host now, and NextReason why; empty is nothing. WaitsFor says then, as the end of a
	// sentence, why nothing is done.
	Next       Kind
	NextReason string
	WaitsFor   string
	// ReadinessAttribute is what the host is known to carry, AttributeError why it could not be set or deleted.
	ReadinessAttribute, AttributeError string
}

// Explain says of every host, slot and task of a full snapshot how it is doing and why, sorted by host. It is made from
// the very turns and actions of Plan, so that it cannot say anything else than what is done.
func Explain(s Snapshot, now time.Time) []HostStatus {
	p := newPlanner(s, now)
	p.plan()
	next := nextSteps(effective(s, p.actions()))
	hosts := make([]HostStatus, len(p.keys))
	for i, key := range p.keys {
		hosts[i] = p.explain(key, next[key])
	}
	return hosts
}

// nextSteps are the first actions of the hosts; an attribute is only one where nothing is done to a task.
func nextSteps(actions []Action) map[HostKey]Action {
	next := map[HostKey]Action{}
	for _, a := range actions {
		if first, ok := next[a.Host]; !ok || aboutAttribute(first.Kind) && !aboutAttribute(a.Kind) {
			next[a.Host] = a
		}
	}
	return next
}

func aboutAttribute(kind Kind) bool { return kind == SetAttribute || kind == DeleteAttribute }

// CountHosts counts the hosts of a full snapshot as they are now, for its deployment; all zero without one.
func CountHosts(s Snapshot, now time.Time) Counts {
	if s.Deployment == nil {
		return Counts{}
	}
	p := newPlanner(s, now)
	for _, key := range p.keys {
		if p.synced(key) {
			p.at(key).turn = p.turnOf(key)
		}
	}
	return p.tally()
}

// explain is one host's status. The slot is what is known before anything is done about it; what is done is in its turn.
func (p *planner) explain(key HostKey, next Action) HostStatus {
	found := p.turnOf(key)
	slot, host := found.slot, p.at(key).host
	st := HostStatus{
		Host: key, ContainerInstanceARN: host.ContainerInstanceARN,
		Desired: p.synced(key) && p.wanted(key) && !slot.Released, Healthy: slot.Serving(),
		TaskARN: slot.TaskARN, Revision: slot.Revision, Failures: slot.Failures, RetryAt: slot.RetryAt,
		Next: next.Kind, NextReason: next.Reason, AttributeError: slot.AttributeError,
	}
	if slot.AttributeAsked == nil {
		st.ReadinessAttribute = slot.Attribute
	}
	if slot.RetryAt != nil && !slot.RetryAt.After(p.now) {
		st.RetryAt = nil
	}
	if slot.Former != nil {
		st.FormerTaskARN = slot.Former.TaskARN
	}
	if p.Deployment != nil && st.Desired {
		st.Target, st.Updated = p.targetOf(slot)
	}
	st.State, st.Since, st.Reason = p.stateOf(key, slot)
	if st.Since != nil && st.Since.Equal(p.now) && !found.known {
		st.Since = nil // it was never looked at before
	}
	if st.Next != "" && !aboutAttribute(st.Next) {
		return st
	}
	if t := p.at(key).turn; t != nil {
		st.WaitsFor = t.waits
	}
	if st.WaitsFor == "" {
		st.WaitsFor = p.waitOf(st)
	}
	return st
}

// targetOf is the revision that a host is to have, and whether it has. That of a deployment which ended before its time is
// for those that have it already; the others keep what they have.
func (p *planner) targetOf(slot Slot) (number int, updated bool) {
	switch p.Deployment.Status {
	case DeploymentStopped, DeploymentFailed, DeploymentSuperseded:
		number = p.revisionFor(slot).Number
		return number, slot.Settled(p.minHealthy(), p.now) && slot.Revision == number
	case DeploymentPending, DeploymentRunning, DeploymentPaused, DeploymentBaking, DeploymentRollingBack, DeploymentCompleted, DeploymentRolledBack:
	}
	return p.Revision.Number, p.updated(slot)
}

// stateOf is the host's state, since when, and why.
func (p *planner) stateOf(key HostKey, slot Slot) (HostState, *time.Time, string) {
	host := p.at(key).host
	switch {
	case !p.synced(key):
		return HostUnknown, nil, "its cluster was never reconciled completely"
	case p.gone(key):
		return HostGone, nil, "the host is not in its cluster"
	case p.Environment.Status == EnvironmentDeleting || p.Deployment == nil:
		return p.stateOfSlot(slot)
	}
	eligible, why := p.eligible(*host)
	switch {
	case !eligible:
		return HostIneligible, nil, why
	case host.Status == StatusDraining:
		return HostDraining, slot.DrainingSince, ""
	case host.Status != StatusActive:
		return HostWaiting, slot.UnhealthySince, "the host is " + host.Status
	case slot.Released:
		return HostReleased, slot.IdleSince, "nothing but daemons kept the host alive"
	case !host.AgentConnected:
		return HostAway, slot.DisconnectedSince, "the host's agent is not connected"
	case slot.State == SlotIdle && host.Foreign != nil:
		return HostHandingOver, slot.UpdatingSince, ""
	}
	return p.stateOfSlot(slot)
}

// stateOfSlot is the state of a host that has nothing about it.
func (p *planner) stateOfSlot(slot Slot) (HostState, *time.Time, string) {
	switch slot.State {
	case SlotClaimed:
		return HostStarting, slot.ClaimedAt, slot.Reason
	case SlotPlaced:
		return p.stateOfTask(slot)
	case SlotStopping:
		return HostStopping, slot.StoppingAt, slot.StopReason
	case SlotIdle:
	}
	switch {
	case slot.Blocked:
		return HostBlocked, slot.UnhealthySince, slot.Reason
	case slot.Failures > 0:
		return HostFailing, slot.UnhealthySince, slot.Reason
	}
	return HostWaiting, slot.UnhealthySince, ""
}

func (p *planner) stateOfTask(slot Slot) (HostState, *time.Time, string) {
	task, seen := p.task(slot.TaskARN)
	switch {
	case slot.Settled(p.minHealthy(), p.now):
		return HostHealthy, slot.HealthySince, ""
	case slot.Healthy():
		return HostSettling, slot.HealthySince, ""
	case seen && !task.Live():
		return HostStopping, slot.UnhealthySince, deathReason(task)
	case seen && task.Health == healthUnhealthy:
		return HostUnhealthy, slot.UnhealthySince, "its health check fails"
	case seen:
		return HostStarting, slot.PlacedAt, "its task is " + task.LastStatus
	}
	return HostStarting, slot.PlacedAt, ""
}

// waitOf is what is waited for where the turn does not say it.
func (p *planner) waitOf(st HostStatus) string {
	switch st.State {
	case HostUnknown:
		return "waits for the first complete reconcile of its cluster"
	case HostAway:
		return "waits for the host's agent to connect"
	case HostStarting:
		return "waits for ECS to run the task"
	case HostStopping:
		return "waits for ECS to stop the task"
	case HostUnhealthy:
		return "waits for its health check to succeed, or the task to be replaced"
	case HostSettling:
		return "waits for its daemon to have been healthy for " + p.minHealthy().String()
	case HostWaiting, HostFailing, HostBlocked:
		return p.waitOfEmpty(st)
	case HostHealthy, HostHandingOver, HostReleased, HostDraining, HostIneligible, HostGone:
	}
	return ""
}

// waitOfEmpty is what a host without a task waits for.
func (p *planner) waitOfEmpty(st HostStatus) string {
	switch {
	case p.Environment.Status == EnvironmentDeleting:
		return ""
	case p.Deployment == nil:
		return "waits for the environment's first deployment"
	case p.Environment.Frozen != nil:
		return "waits for the environment to be thawed"
	case st.RetryAt != nil:
		return "waits for the next try at " + clock(*st.RetryAt)
	}
	return ""
}

// clock is a time for people.
func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
