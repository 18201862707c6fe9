package daemon

import (
	"reflect"
	"time"
)

// turn is one host's turn in a plan.
type turn struct {
	key  HostKey
	host Host
	// stored is the slot as it was read; slot is what it becomes. A host without a slot has an idle one that is not
	// stored unless something is learned.
	stored, slot Slot
	known        bool
	// taken says that an action carries the slot, so that it need not be stored for itself.
	taken bool
}

// tend decides the next step of one host of a living environment.
func (p *planner) tend(key HostKey) {
	t := p.turnOf(key)
	switch t.slot.State {
	case SlotIdle:
		p.tendIdle(t)
	case SlotClaimed:
		p.tendClaimed(t)
	case SlotPlaced:
		p.tendPlaced(t)
	case SlotStopping:
		p.tendStopping(t)
	}
	p.stopStrays(t.key, t.slot)
	p.close(t)
}

func (p *planner) turnOf(key HostKey) *turn {
	stored, known := p.slots[key]
	if !known {
		stored = Slot{EnvironmentID: p.Environment.ID, Host: key, State: SlotIdle, Attempt: 1}
	}
	return &turn{key: key, host: p.hosts[key], stored: stored, slot: p.learn(key, stored), known: known}
}

// slotOrIdle is the slot after the turn; a host whose cluster was never synced had no turn.
func (t *turn) slotOrIdle() Slot {
	if t == nil {
		return Slot{State: SlotIdle}
	}
	return t.slot
}

// close ends a turn: what was learned is stored, if no action stores it and it is worth a write.
func (p *planner) close(t *turn) {
	p.tended[t.key] = t
	worth := t.known || t.slot.State != SlotIdle || t.slot.UnhealthySince != nil
	if t.taken || !worth || reflect.DeepEqual(t.stored, t.slot) {
		return
	}
	slot := t.slot
	p.kept = append(p.kept, Action{Kind: Observe, Host: t.key, Slot: &slot, Reason: slot.Reason})
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
// Keeps: a start is claimed from the slot as it is stored, so of two drivers that plan the same start one wins. ECS
// places nothing on a host whose agent is away, so none is tried; the agent's return is an event.
func (p *planner) tendIdle(t *turn) {
	switch {
	case p.gone(t.key):
		if t.known {
			p.forget(t, "host has left the cluster")
		}
	case !p.wanted(t.key), !t.host.AgentConnected:
		// Nothing to do until the host changes.
	case t.slot.RetryAt != nil && p.now.Before(*t.slot.RetryAt):
		t.slot = t.slot.wakeBy(*t.slot.RetryAt, p.now)
	default:
		p.start(t)
	}
}

// start claims the next attempt. The claim is stored before RunTask is called; whoever finds it can finish it.
func (p *planner) start(t *turn) {
	reason := "host has no daemon"
	if t.slot.Reason != "" {
		reason = t.slot.Reason
	}
	now, slot := p.now, t.slot
	slot.State = SlotClaimed
	slot.Revision, slot.DeploymentID = p.Revision.Number, p.Deployment.ID
	slot.Attempt = max(slot.Attempt, 1)
	slot.Request = p.runRequest(slot)
	slot.ClaimedAt, slot.RetryAt = &now, nil // Blocked and Reason stay until the outcome is known
	t.slot, t.taken = slot, true
	p.starts = append(p.starts, Action{Kind: Start, Host: t.key, Slot: &slot, Reason: reason})
}

// tendClaimed: RunTask may have been called, or not; its answer may have been lost.
//
// Assumes: ECS keeps a token for less than 24 hours, and a claim is much younger when it is replayed.
// Keeps: the request goes out exactly as stored, so ECS answers with the task it started, or starts it now. On a host
// that can take no task any more the replay fails, which proves that there is none.
func (p *planner) tendClaimed(t *turn) {
	switch {
	case !p.now.Before(t.slot.ClaimedAt.Add(p.Settings.ClaimMaxAge)):
		p.resolve(t, "claim is too old to be replayed")
	case t.slot.RetryAt != nil && p.now.Before(*t.slot.RetryAt):
		t.slot = t.slot.wakeBy(*t.slot.RetryAt, p.now)
	default:
		t.taken = true
		slot := t.slot
		p.starts = append(p.starts, Action{Kind: Replay, Host: t.key, Slot: &slot, Reason: "outcome of the start is unknown"})
	}
}

// tendPlaced: the slot names the host's daemon, and it was not proven dead.
//
// Keeps: nothing is started while the task may live. Whatever stops a healthy daemon here is not a rollout: the host
// drains, or the daemon does not belong on it. Rollouts are in replaceOutdated, where the budget is.
func (p *planner) tendPlaced(t *turn) {
	task, seen := p.byARN[t.slot.TaskARN]
	if !seen || p.gone(t.key) {
		// The start's event is late or lost, or the host left without a word about its tasks: after a grace, ask.
		p.resolveAfter(t, t.slot.PlacedAt.Add(p.Settings.EventGrace), "stored state does not show what became of the task")
		return
	}
	eligible, why := p.eligible(t.host)
	switch {
	case task.Host != t.key:
		p.stop(t, "task was placed on another host: "+task.Host.EC2InstanceID)
	case task.Live() && p.superseded[task.ContainerInstanceARN]:
		p.stop(t, "agent has registered anew, and does not know the task")
	case !task.Live():
		// Somebody else stops it; STOPPED will come as an event.
		t.slot = t.slot.wakeBy(p.now.Add(p.Settings.RecheckPeriod), p.now)
	case !eligible:
		p.stop(t, why)
	case t.host.Status == StatusDraining:
		p.tendDraining(t)
	case t.slot.Healthy() && p.settlesAt(t.slot).After(p.now):
		t.slot = t.slot.wakeBy(p.settlesAt(t.slot), p.now)
	}
}

// tendDraining keeps the daemon until the last other task has left, then stops it: ECS leaves tasks that were started
// by RunTask alone on a DRAINING host, so that without this the drain would wait for the daemon for ever. Each other
// task's end is an event; the look in between is for those that are lost.
func (p *planner) tendDraining(t *turn) {
	known := t.slot.DrainingSince.Add(p.Settings.EventGrace)
	switch {
	case t.host.OtherTasks == 0 && !p.now.Before(known):
		p.stop(t, "host is draining and its last other task has left")
	case t.host.OtherTasks == 0:
		// A task that was placed a moment before the drain may not be stored yet. The wake-up of a look at which another
		// task was still there lies further ahead, and is no reason to wait for it.
		t.slot = t.slot.wakeBy(known, p.now)
	case !p.now.Before(t.slot.DrainingSince.Add(p.Settings.DrainDeadline)):
		p.stop(t, "host has been draining past the deadline")
	default:
		t.slot = t.slot.wakeBy(p.now.Add(p.Settings.RecheckPeriod), p.now)
	}
}

// tendStopping: StopTask was decided and paid for. It may not have been called, so it is called again while ECS still
// wants the task to run; stopping a task twice is harmless.
func (p *planner) tendStopping(t *turn) {
	task, seen := p.byARN[t.slot.TaskARN]
	due := t.slot.StoppingAt.Add(p.Settings.EventGrace)
	switch {
	case !seen || p.gone(t.key) || !task.Live():
		p.resolveAfter(t, due, "stored state does not show what became of the stopped task")
	case p.early(t, due):
	default:
		t.slot, t.taken = t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now), true
		slot := t.slot
		p.stops = append(p.stops, Action{Kind: Restop, Host: t.key, Slot: &slot, TaskARN: slot.TaskARN, Reason: slot.StopReason})
	}
}

// early says that something is not due yet, neither by its own time nor by the slot's wake-up, and sees to it that the
// host is looked at when it is.
func (p *planner) early(t *turn, at time.Time) bool {
	if t.slot.WakeAt != nil && t.slot.WakeAt.After(at) {
		at = *t.slot.WakeAt
	}
	if !p.now.Before(at) {
		return false
	}
	t.slot = t.slot.wakeBy(at, p.now)
	return true
}

// stop claims the stop of the slot's task, if the knowledge behind it is fresh; if not, it will be looked at again.
func (p *planner) stop(t *turn, reason string) {
	if !p.fresh(t.key) {
		t.slot = t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now)
		return
	}
	now, slot := p.now, t.slot.unwell(p.now)
	slot.State, slot.StoppingAt, slot.StopReason = SlotStopping, &now, reason
	slot.HealthySince = nil
	slot = slot.wakeBy(now.Add(p.Settings.EventGrace), now)
	t.slot, t.taken = slot, true
	p.stops = append(p.stops, Action{Kind: Stop, Host: t.key, Slot: &slot, TaskARN: slot.TaskARN, Reason: reason})
}

// resolve asks ECS; the answer comes back through Resolved.
func (p *planner) resolve(t *turn, reason string) {
	t.taken = true
	slot := t.slot
	p.asks = append(p.asks, Action{Kind: Resolve, Host: t.key, Slot: &slot, Reason: reason})
}

// resolveAfter gives events until at to say it first, and asks again no sooner than the slot's own wake-up.
func (p *planner) resolveAfter(t *turn, at time.Time, reason string) {
	if !p.early(t, at) {
		p.resolve(t, reason)
	}
}

func (p *planner) forget(t *turn, reason string) {
	t.taken = true
	slot := t.slot
	p.last = append(p.last, Action{Kind: Forget, Host: t.key, Slot: &slot, Reason: reason})
}

// stopStrays stops tasks of ours that no slot owns, one a host being enough: a task that an older claim brought late.
// A host with a claimed slot has none yet: its live task is the claim's, and is adopted.
func (p *planner) stopStrays(key HostKey, slot Slot) {
	for _, t := range p.tasks[key] {
		if !t.Live() || t.ARN == slot.TaskARN || slot.State == SlotClaimed || !ours(t) || !p.fresh(key) {
			continue
		}
		if owner, ok := p.owner[t.ARN]; ok && owner != key {
			continue // it is another host's, placed here by mistake, and is stopped there
		}
		p.stops = append(p.stops, Action{
			Kind: StopStray, Host: key, TaskARN: t.ARN, Reason: "a second task of the environment on the host",
		})
	}
}

func (p *planner) minHealthy() time.Duration {
	return time.Duration(p.Revision.DeploymentConfiguration.MinHealthySeconds) * time.Second
}

func (p *planner) settlesAt(slot Slot) time.Time { return slot.HealthySince.Add(p.minHealthy()) }
