package daemon

import (
	"fmt"
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
	// taken says that an action carries the slot, so that it need not be stored for itself; noted that an attribute's
	// does, which anything else that is decided for the host takes the place of.
	taken, noted bool
	// waits is why nothing is done for the host now.
	waits string
}

// wait says why nothing is done for the host now. The last word counts: it is of the rule that looked last.
func (t *turn) wait(format string, args ...any) { t.waits = fmt.Sprintf(format, args...) }

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
	p.tendFormer(t)
	p.keepHandedOver(t)
	p.stopStrays(t)
	p.readiness(t)
	p.close(t)
}

func (p *planner) turnOf(key HostKey) *turn {
	r := p.at(key)
	stored, known := r.stored()
	if !known {
		stored = Slot{EnvironmentID: p.Environment.ID, Host: key, State: SlotIdle, Attempt: 1}
	}
	return &turn{key: key, host: *r.host, stored: stored, slot: p.learn(key, stored), known: known}
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
	p.at(t.key).turn = t
	worth := t.known || t.slot.State != SlotIdle || t.slot.UnhealthySince != nil
	if t.taken || t.noted || !worth || reflect.DeepEqual(&t.stored, &t.slot) {
		return
	}
	slot := t.slot
	p.kept = append(p.kept, Action{Kind: Observe, Host: t.key, Slot: &slot, Reason: slot.Reason})
}

// gone says that the host has left its cluster. A partial snapshot holds every host that it was asked for, so a host
// that it does not hold is gone, too.
func (p *planner) gone(key HostKey) bool {
	r := p.at(key)
	return !r.listed || r.host.Status == statusInactive
}

// tendIdle: no task of ours is alive on the host, but maybe a surge's former one.
//
// Assumes: the last attempt, if there was one, is proven dead, so its token will not bring a live task again.
// Keeps: a start is claimed from the slot as it is stored, so of two drivers that plan the same start one wins. ECS
// places nothing on a host whose agent is away, so none is tried; the agent's return is an event.
func (p *planner) tendIdle(t *turn) {
	if p.idleForLong(t) {
		t.slot.Released = true // or a daemon that fails there would be tried for ever, and its former one would serve nobody
	}
	if p.returnsToFormer(t) {
		t.slot = t.slot.takeFormer(p.now)
		t.wait("the former task is the host's again")
		return
	}
	if p.gone(t.key) {
		if t.known {
			p.forget(t, "host has left the cluster")
		}
		return
	}
	if why := p.keepsEmpty(t); why != "" {
		t.wait("%s", why)
	} else if !p.backsOff(t) {
		if p.takenFirst(t) {
			p.takeFirst(t)
		} else {
			p.start(t)
		}
	}
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
	case p.holdsStill(t):
		t.slot = t.slot.wakeBy(t.slot.ClaimedAt.Add(p.Settings.ClaimMaxAge), p.now)
	case t.slot.RetryAt != nil && p.now.Before(*t.slot.RetryAt):
		t.slot = t.slot.wakeBy(*t.slot.RetryAt, p.now)
		t.wait("the outcome of the start is unknown, and it is replayed at %s", clock(*t.slot.RetryAt))
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
	task, seen := p.task(t.slot.TaskARN)
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
		t.wait("its task is being stopped, and was not reported STOPPED yet")
	case !eligible:
		p.stopAll(t, why)
	case t.host.Status == StatusDraining:
		p.tendDraining(t)
	default:
		p.tendLive(t, task)
	}
}

// tendLive looks after a daemon that is where it should be.
func (p *planner) tendLive(t *turn, task Task) {
	switch {
	case p.away(t.slot):
		t.wait("the host's agent is not connected, and nothing is known of its daemon")
	case p.releases(t):
		p.release(t)
	case t.slot.SickSince != nil:
		p.tendSick(t)
	case t.slot.Healthy() && p.settlesAt(t.slot).After(p.now):
		t.slot = t.slot.wakeBy(p.settlesAt(t.slot), p.now)
		t.wait("its daemon has not been healthy for %s yet", p.minHealthy())
	case !t.slot.Healthy():
		t.wait("its task is %s, and not healthy yet", task.LastStatus)
	case t.slot.IdleSince != nil && !p.idleUntil(t.slot).Before(p.now):
		t.slot = t.slot.wakeBy(p.idleUntil(t.slot), p.now)
	}
}

// tendStopping: StopTask was decided and paid for. It may not have been called, so it is called again while ECS still
// wants the task to run; stopping a task twice is harmless.
func (p *planner) tendStopping(t *turn) {
	task, seen := p.task(t.slot.TaskARN)
	due := t.slot.StoppingAt.Add(p.Settings.EventGrace)
	switch {
	case !seen || p.gone(t.key) || !task.Live():
		p.resolveAfter(t, due, "stored state does not show what became of the stopped task")
	case p.holdsStill(t), p.early(t, due):
		t.wait("its task is being stopped")
	default:
		t.slot, t.taken = t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now), true
		slot := t.slot
		p.stops = append(p.stops, Action{
			Kind: Restop, Host: t.key, Slot: &slot, TaskARN: slot.TaskARN, Reason: slot.StopReason,
		})
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

// mayStop says whether something on the host may be stopped now; if not, it will be looked at again. A turn that has
// its action already has no other.
func (p *planner) mayStop(t *turn) bool {
	switch {
	case t.taken || p.holdsStill(t):
		return false
	case !p.fresh(t.key):
		t.slot = t.slot.wakeBy(p.now.Add(p.Settings.EventGrace), p.now)
		t.wait("a stop waits for fresh knowledge of the cluster")
		return false
	}
	return true
}

// stop claims the stop of the slot's task, if the knowledge behind it is fresh.
func (p *planner) stop(t *turn, reason string) {
	if !p.mayStop(t) {
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
	if p.early(t, at) {
		t.wait("%s: ECS is asked at %s", reason, clock(*t.slot.WakeAt))
		return
	}
	p.resolve(t, reason)
}

func (p *planner) forget(t *turn, reason string) {
	t.taken = true
	slot := t.slot
	p.last = append(p.last, Action{Kind: Forget, Host: t.key, Slot: &slot, Reason: reason})
}

// stopStrays stops tasks of ours that no slot owns, one a host being enough: a task that an older claim brought late.
// A host with a claimed slot has none yet: its live task is the claim's, and is adopted.
func (p *planner) stopStrays(t *turn) {
	if t.slot.State == SlotClaimed || p.frozen() || !p.fresh(t.key) {
		return
	}
	for _, task := range p.strays(t) {
		p.stops = append(p.stops, Action{
			Kind: StopStray, Host: t.key, TaskARN: task.ARN, Reason: "a second task of the environment on the host",
		})
	}
}

// strays are the live tasks of ours on the host that no slot owns. One that another host's slot has was placed here by
// mistake, and is stopped there.
func (p *planner) strays(t *turn) []Task {
	var strays []Task
	for _, task := range p.at(t.key).tasks {
		if !task.Live() || t.slot.owns(task.ARN) || t.stored.owns(task.ARN) || !ours(task) {
			continue
		}
		if owner, ok := p.owner[task.ARN]; ok && owner != t.key {
			continue
		}
		strays = append(strays, task)
	}
	return strays
}

// owns says that the task is the slot's, or its former one.
func (s Slot) owns(taskARN string) bool {
	return taskARN == s.TaskARN || s.Former != nil && taskARN == s.Former.TaskARN
}

func (p *planner) minHealthy() time.Duration {
	return time.Duration(p.Revision.DeploymentConfiguration.MinHealthySeconds) * time.Second
}

func (p *planner) settlesAt(slot Slot) time.Time { return slot.HealthySince.Add(p.minHealthy()) }
