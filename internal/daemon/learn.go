package daemon

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// stableAfter is how long a daemon must have been healthy for its earlier failures to be forgotten. Shorter, and a task
// that crashes every few minutes would be restarted without any back-off.
const stableAfter = 10 * time.Minute

// learn is the slot with what the stored hosts and tasks say about it. It never makes a task appear dead that may live:
// only STOPPED does, which ECS never takes back.
func (p *planner) learn(key HostKey, slot Slot) Slot {
	slot = p.learnFormer(p.learnHost(key, slot))
	if task, ok := p.task(slot.TaskARN); ok {
		switch slot.State {
		case SlotPlaced:
			slot = p.learnTask(slot, task)
		case SlotStopping:
			if task.Stopped() || p.unreported(task) {
				slot = slot.stopped(p.now)
			}
		case SlotIdle, SlotClaimed: // have no task
		}
	}
	if slot.State == SlotIdle || slot.State == SlotClaimed {
		slot = p.adopt(key, slot)
	}
	return p.learnLack(key, slot)
}

// learnLack remembers since when the host is without a healthy daemon. Of a host that ought to have none nothing is
// remembered: its grace begins anew when it ought to have one again.
func (p *planner) learnLack(key HostKey, slot Slot) Slot {
	r := p.at(key)
	if !r.listed || p.Environment.Status != EnvironmentActive {
		return slot
	}
	if !p.wanted(key) || slot.Released {
		slot.UnhealthySince = nil
	} else if !slot.Serving() && !foreignServes(*r.host, slot) {
		slot.UnhealthySince = since(slot.UnhealthySince, true, p.now)
	}
	return slot
}

// unreported says that a task will never be reported STOPPED: it was told to stop, and the agent that would have to do
// it has registered anew and does not know it. ECS does not start it again, so the host counts as empty.
func (p *planner) unreported(task Task) bool {
	return !task.Live() && p.superseded[task.ContainerInstanceARN]
}

// learnHost remembers which registration the host has, so that a later partial snapshot can hold it, and since when its
// agent is away and the host drains, which ECS does not say.
func (p *planner) learnHost(key HostKey, slot Slot) Slot {
	r := p.at(key)
	h, ok := *r.host, r.listed
	if ok {
		slot = p.learnHandOver(slot, h)
		slot.ContainerInstanceARN = h.ContainerInstanceARN
		slot = p.learnIdle(slot, h)
	}
	slot.DisconnectedSince = since(slot.DisconnectedSince, ok && !h.AgentConnected, p.now)
	slot.DrainingSince = since(slot.DrainingSince, ok && h.Status == StatusDraining, p.now)
	return slot
}

// since is the memory of a debounce: when a thing became true, nil while it is not.
func since(known *time.Time, is bool, now time.Time) *time.Time {
	switch {
	case !is:
		return nil
	case known == nil:
		return &now
	default:
		return known
	}
}

// adopt takes a live task of ours that is on the host already: the answer to the claim, come by event, or a task whose
// slot was lost. An idle slot's earlier attempts are proven dead and a claim's only task is its own, so there is at
// most one, short of strays; of those, one that the agent knows and that runs what is wanted is kept.
func (p *planner) adopt(key HostKey, slot Slot) Slot {
	if !p.at(key).listed || p.Environment.Status == EnvironmentDeleting && p.Environment.KeepTasks {
		return slot // what is left running has no owner any more
	}
	candidates := slices.DeleteFunc(slices.Clone(p.at(key).tasks), func(t Task) bool {
		return !t.Live() || !ours(t) || slot.owns(t.ARN)
	})
	if len(candidates) == 0 {
		return slot
	}
	t := slices.MinFunc(candidates, func(a, b Task) int {
		return cmp.Or(
			last(p.superseded[a.ContainerInstanceARN], p.superseded[b.ContainerInstanceARN]),
			last(a.TaskDefinition != p.Revision.TaskDefinition, b.TaskDefinition != p.Revision.TaskDefinition),
			cmp.Compare(a.ARN, b.ARN),
		)
	})
	if slot.State == SlotIdle {
		slot.Revision, slot.TaskHash, slot.HealthChecked, slot.DeploymentID = 0, "", false, strings.TrimPrefix(t.StartedBy, StartedByPrefix)
	}
	return p.learnTask(slot.place(t.ARN, p.now), t)
}

// last orders what is true behind what is not.
func last(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// ours says that Blox started the task. Its group is the environment's, or the snapshot would not hold it.
func ours(t Task) bool { return strings.HasPrefix(t.StartedBy, StartedByPrefix) }

// revisionShown is the revision that a slot's task shows by its task definition and by what it was asked to be. One
// that asks for the same is the same, so that a revision which only changes how to roll out restarts nothing. Another
// definition is not, whatever the slot says: a claim may have been answered with an older task. 0 is always outdated.
func (p *planner) revisionShown(slot Slot, task Task) int {
	switch {
	case p.Deployment == nil:
		return slot.Revision
	case shows(p.Revision, p.targetHash, slot.TaskHash, task):
		return p.Revision.Number
	case p.Base != nil && shows(*p.Base, p.baseHash, slot.TaskHash, task):
		return p.Base.Number
	case slot.Revision == p.Revision.Number || p.Base != nil && slot.Revision == p.Base.Number:
		return 0
	default:
		return slot.Revision
	}
}

// shows says that a task is what the revision asks for. Of a task without a hash only the definition is known.
func shows(r Revision, revisionHash, taskHash string, task Task) bool {
	return task.TaskDefinition == r.TaskDefinition && (taskHash == "" || taskHash == revisionHash)
}

// healthy says that a task does its work now. A task definition with a health check makes its tasks UNKNOWN until the
// first verdict, which for one with a start period is minutes away; without one they are UNKNOWN for ever. checked is
// what the claim of the task knew of its definition.
//
// Keeps: deployments that overtake each other do not take each other's starting daemons for working ones, or each would
// spend the budget anew.
func (p *planner) healthy(task Task, checked bool) bool {
	if !task.Live() || task.LastStatus != StatusRunning {
		return false
	}
	if p.healthChecked(task.TaskDefinition, checked) {
		return task.Health == healthHealthy
	}
	return task.Health != healthUnhealthy
}

// healthChecked says that a task definition has a container health check. Of one that no revision in the snapshot has,
// only the claim can tell; tasks that were adopted are believed until they are UNHEALTHY.
func (p *planner) healthChecked(definition string, claimSays bool) bool {
	for _, r := range []*Revision{&p.Revision, p.Base, p.From} {
		if r != nil && r.TaskDefinition == definition {
			return r.HealthChecked
		}
	}
	return claimSays
}

// place is the slot once ECS has said which task the claim brought.
func (s Slot) place(taskARN string, now time.Time) Slot {
	s.State, s.TaskARN, s.PlacedAt = SlotPlaced, taskARN, &now
	s.Request, s.ClaimedAt, s.RetryAt = nil, nil, nil
	s.HealthySince, s.SickSince, s.Blocked, s.Reason, s.Refusals = nil, nil, false, "", 0
	return s
}

// learnTask keeps the slot's health, and empties the slot when its task is dead.
func (p *planner) learnTask(slot Slot, task Task) Slot {
	if task.Stopped() || p.unreported(task) {
		return p.bury(slot, task)
	}
	if slot.TaskHash == p.targetHash && task.TaskDefinition != p.Revision.TaskDefinition {
		slot.TaskHash, slot.HealthChecked = "", false // the claim was answered with an older task
	}
	slot.Revision = p.revisionShown(slot, task)
	healthy := p.healthy(task, slot.HealthChecked) && !p.away(slot)
	if !healthy {
		slot = p.settle(slot).unwell(p.now)
	}
	slot.HealthySince = since(slot.HealthySince, healthy, p.now)
	slot.SickSince = since(slot.SickSince, task.Live() && task.Health == healthUnhealthy && !p.away(slot), p.now)
	if slot.Settled(p.minHealthy(), p.now) {
		// The debt ends when the daemon is seen to have been well for long enough, and not when it is found dead after as
		// long: when it died is not known. What befalls the host from here on is not our doing, unless the deployment in
		// force put it there.
		slot.UpdatingSince, slot.Disrupted, slot.Restarted = nil, false, false
	}
	return slot
}

// away says that the host's agent has been away for longer than agents are in normal life, so that nothing is known of
// the host's tasks any more.
func (p *planner) away(slot Slot) bool {
	return slot.DisconnectedSince != nil && p.now.Sub(*slot.DisconnectedSince) >= p.Settings.DisconnectedGrace
}

// settle forgets the failures before a daemon that was healthy for long enough.
func (p *planner) settle(slot Slot) Slot {
	if slot.Settled(stableAfter, p.now) {
		slot.Failures = 0
	}
	return slot
}

// bury empties the slot of a task that died by itself.
func (p *planner) bury(slot Slot, task Task) Slot {
	return p.settle(slot).vacate(true, deathReason(task), p.now)
}

func deathReason(task Task) string {
	reason := "daemon stopped"
	if task.StopCode != "" {
		reason += ": " + task.StopCode
	}
	if task.StoppedReason != "" {
		reason += ": " + task.StoppedReason
	}
	return reason
}
