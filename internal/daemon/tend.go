package daemon

import (
	"fmt"
	"reflect"
	"time"
)

// tend decides the next step of one host of a living environment.
func (p *planner) tend(key HostKey) {
	slot, known := p.slots[key]
	if !known {
		slot = Slot{EnvironmentID: p.Environment.ID, Host: key, State: SlotIdle, Attempt: 1}
	}
	learned := p.learn(key, slot)
	p.tended[key] = learned

	switch learned.State {
	case SlotIdle:
		p.tendIdle(key, slot, learned, known)
	case SlotClaimed:
		p.keepIfChanged(key, slot, learned)
		p.tendClaimed(key, learned)
	case SlotPlaced:
		p.keepIfChanged(key, slot, learned)
		p.tendPlaced(key, learned)
	case SlotStopping:
		p.keepIfChanged(key, slot, learned)
		p.tendStopping(key, learned)
	}
	p.stopStrays(key, learned)
}

// keepIfChanged stores what was learned, if it is worth a write.
func (p *planner) keepIfChanged(key HostKey, before, after Slot) {
	if !reflect.DeepEqual(before, after) {
		p.observe(key, after, after.Reason)
	}
}

// eligible says whether the daemon belongs on the host at all, and if not, why.
func (p *planner) eligible(h Host) (bool, string) {
	switch {
	case h.Managed:
		return false, "host of an ECS Managed Instances provider"
	case h.External && p.Revision.LaunchType != LaunchTypeExternal:
		return false, "external host, and the launch type is EC2"
	case !h.External && p.Revision.LaunchType == LaunchTypeExternal:
		return false, "EC2 host, and the launch type is EXTERNAL"
	}
	return true, ""
}

// wanted says whether a daemon may be started on the host now. Whether a running one may stay is another question: it
// stays on a host that drains or whose agent is away.
func (p *planner) wanted(key HostKey) bool {
	h, ok := p.hosts[key]
	if !ok || p.Deployment == nil || h.Status != StatusActive {
		return false
	}
	eligible, _ := p.eligible(h)
	return eligible
}

// gone says that the host has left its cluster. A partial snapshot holds every host that it was asked for, so a host
// that it does not hold is gone, too.
func (p *planner) gone(key HostKey) bool {
	h, ok := p.hosts[key]
	return !ok || h.Status == statusInactive
}

// tendIdle: no task of ours is alive on the host.
//
// Assumes: the last attempt, if there was one, is proven dead, so its token will not bring a live task again.
// Keeps: a start is claimed from the slot as it is stored, so of two drivers that plan the same start one wins.
func (p *planner) tendIdle(key HostKey, stored, slot Slot, known bool) {
	h := p.hosts[key]
	switch {
	case p.gone(key):
		if known {
			p.last = append(p.last, Action{Kind: Forget, Host: key, Slot: &slot, Reason: "host has left the cluster"})
		}
	case !p.wanted(key):
		if known {
			p.keepIfChanged(key, stored, slot)
		}
	case !h.AgentConnected:
		// ECS places nothing on a host whose agent is away; its return is an event.
		if known {
			p.keepIfChanged(key, stored, slot)
		}
	case slot.RetryAt != nil && p.now.Before(*slot.RetryAt):
		if known {
			p.keepIfChanged(key, stored, slot)
		}
		p.wake(key, *slot.RetryAt, "back-off ends")
	default:
		p.starts = append(p.starts, p.start(key, slot))
	}
}

// start claims the next attempt. The claim is stored before RunTask is called; whoever finds it can finish it.
func (p *planner) start(key HostKey, slot Slot) Action {
	reason := "host has no daemon"
	if slot.Reason != "" {
		reason = slot.Reason
	}
	now := p.now
	slot.State = SlotClaimed
	slot.Revision, slot.DeploymentID = p.Revision.Number, p.Deployment.ID
	slot.Attempt = max(slot.Attempt, 1)
	slot.Request = p.runRequest(key, slot.Attempt)
	slot.ClaimedAt, slot.RetryAt, slot.Blocked, slot.Reason = &now, nil, false, ""
	p.tended[key] = slot
	return Action{Kind: Start, Host: key, Slot: &slot, Reason: reason}
}

// tendClaimed: RunTask may have been called, or not; its answer may have been lost.
//
// Assumes: ECS keeps a token for less than 24 hours, and a claim is much younger when it is replayed.
// Keeps: the request goes out exactly as stored, so ECS answers with the task it started, or starts it now. On a host
// that can take no task any more the replay fails, which proves that there is none.
func (p *planner) tendClaimed(key HostKey, slot Slot) {
	switch {
	case p.now.Sub(*slot.ClaimedAt) >= p.Settings.ClaimMaxAge:
		p.resolve(key, slot, "claim is too old to be replayed")
	case slot.RetryAt != nil && p.now.Before(*slot.RetryAt):
		p.wake(key, *slot.RetryAt, "replay of a claim")
	default:
		p.starts = append(p.starts, Action{Kind: Replay, Host: key, Slot: &slot, Reason: "outcome of the start is unknown"})
	}
}

// tendPlaced: the slot names the host's daemon, and it was not proven dead.
//
// Keeps: nothing is started while the task may live. Whatever stops a healthy daemon here is not a rollout: the host
// drains, or the daemon does not belong on it. Rollouts are in replaceOutdated, where the budget is.
func (p *planner) tendPlaced(key HostKey, slot Slot) {
	task, seen := p.byARN[slot.TaskARN]
	if !seen || (p.gone(key) && !task.Stopped()) {
		// The start's event is late or lost, or the host left without a word about its tasks: after a grace, ask.
		since := *slot.PlacedAt
		if ask := since.Add(p.Settings.EventGrace); p.now.Before(ask) {
			p.wake(key, ask, "event of the started task is due")
		} else {
			p.resolve(key, slot, "stored state does not show what became of the task")
		}
		return
	}
	h := p.hosts[key]
	eligible, why := p.eligible(h)
	switch {
	case task.Host != key:
		p.stop(key, slot, "task was placed on another host: "+task.Host.EC2InstanceID)
	case !task.Live():
		// Somebody else stops it; STOPPED will come as an event.
		p.wake(key, p.now.Add(p.Settings.EventGrace), "task is stopping")
	case !eligible:
		p.stop(key, slot, why)
	case h.Status == StatusDraining:
		p.tendDraining(key, slot, h)
	case slot.Healthy() && p.settlesAt(slot).After(p.now):
		p.wake(key, p.settlesAt(slot), "daemon has been healthy for long enough")
	}
}

// tendDraining keeps the daemon until the last other task has left, then stops it: ECS leaves tasks that were started
// by RunTask alone on a DRAINING host, so that without this the drain would wait for the daemon for ever.
func (p *planner) tendDraining(key HostKey, slot Slot, h Host) {
	deadline := slot.DrainingSince.Add(p.Settings.DrainDeadline)
	switch {
	case h.OtherTasks == 0:
		p.stop(key, slot, "host is draining and its last other task has left")
	case !p.now.Before(deadline):
		p.stop(key, slot, "host has been draining past the deadline")
	default:
		p.wake(key, p.now.Add(p.Settings.EventGrace), fmt.Sprintf("host is draining; %d other tasks", h.OtherTasks))
	}
}

// tendStopping: StopTask was decided and paid for. It may not have been called, so it is called again while ECS still
// wants the task to run; stopping a task twice is harmless.
func (p *planner) tendStopping(key HostKey, slot Slot) {
	task, seen := p.byARN[slot.TaskARN]
	grace := slot.StoppingAt.Add(p.Settings.EventGrace)
	switch {
	case (!seen || p.gone(key) || !task.Live()) && !p.now.Before(grace):
		p.resolve(key, slot, "stored state does not show what became of the stopped task")
	case seen && task.Live():
		p.stops = append(p.stops, Action{Kind: Restop, Host: key, Slot: &slot, TaskARN: slot.TaskARN, Reason: slot.StopReason})
	default:
		p.wake(key, grace, "task is stopping")
	}
}

// stop claims the stop of the slot's task, if the knowledge behind it is fresh.
func (p *planner) stop(key HostKey, slot Slot, reason string) bool {
	if !p.fresh(key) {
		p.wake(key, p.now.Add(p.Settings.EventGrace), "stop waits for fresh knowledge of the cluster: "+reason)
		return false
	}
	now := p.now
	slot.State, slot.StoppingAt, slot.StopReason = SlotStopping, &now, reason
	slot.HealthySince = nil
	p.tended[key] = slot
	p.stops = append(p.stops, Action{Kind: Stop, Host: key, Slot: &slot, TaskARN: slot.TaskARN, Reason: reason})
	return true
}

// resolve asks ECS; the answer comes back through Resolved.
func (p *planner) resolve(key HostKey, slot Slot, reason string) {
	p.asks = append(p.asks, Action{Kind: Resolve, Host: key, Slot: &slot, Reason: reason})
}

// stopStrays stops tasks of ours that no slot owns, one a host being enough: a task that an older claim brought late.
// A host with an idle or claimed slot has none: its live task was adopted.
func (p *planner) stopStrays(key HostKey, slot Slot) {
	for _, t := range p.tasks[key] {
		if !t.Live() || t.ARN == slot.TaskARN || slot.State == SlotClaimed || !ours(t) || !p.fresh(key) {
			continue
		}
		if owner, ok := p.ownerOf(t.ARN); ok && owner != key {
			continue // the slot of another host has it: it was placed here by mistake, and is stopped there
		}
		p.stops = append(p.stops, Action{
			Kind: StopStray, Host: key, TaskARN: t.ARN,
			Reason: "a second task of the environment on the host",
		})
	}
}

func (p *planner) ownerOf(taskARN string) (HostKey, bool) {
	for _, s := range p.Slots {
		if s.TaskARN == taskARN {
			return s.Host, true
		}
	}
	return HostKey{}, false
}

func (p *planner) minHealthy() time.Duration {
	return time.Duration(p.Revision.DeploymentConfiguration.MinHealthySeconds) * time.Second
}

func (p *planner) settlesAt(slot Slot) time.Time { return slot.HealthySince.Add(p.minHealthy()) }
