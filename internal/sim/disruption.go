package sim

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/daemon"
)

// What invariant 3 is checked by: daemons that are down by what we did.
//
// Each stop that strikes a working daemon on a fit host (ACTIVE, its agent connected under the registration that the task
// is on) is a disruption by us, until that host has a working daemon again or is not fit any more, which is not our doing.
// So is the restart of a daemon whose health check fails, and the hand-over of a host by another scheduler's daemon that
// worked, if STATE knew of it: whose knowledge is fresh takes hosts over by what is stored, and ECS is not asked which tasks
// of others it has not told of yet. No disruption is a stop that leaves another working daemon of the environment on the host, and what is not done
// for a rollout: the end of a drain, of an environment, of a host's membership, of its only reason to be there.
//
// Right after each disruption the disrupted hosts must be no more than the configuration allows of N, N being the most
// hosts that STATE had as ACTIVE in the last minutes: no driver can have counted more. Hosts that have been disrupted for
// longer than their deadline are written off, and may be as many again.
//
// Working is a daemon that worked when the driver that claimed the stop had asked ECS last, and still does; one that came
// up after it was found down may be stopped at no cost. The other one on the host is one that worked at either moment.

// paidStops are the reasons of the stops that a budget pays for, as they begin.
var paidStops = []string{
	replacedReason, "restarted", sickReason,
	// Of a surge, in which another daemon serves on.
	"its successor is well", "the task before it is what the host should have", "overtaken by a newer revision",
}

const (
	replacedReason = "replaced by "
	sickReason     = "its health check fails"
)

// ended hears that a live task is meant to stop.
func (w *world) ended(t *task) {
	if t.environment == "" || w.cause == nil || w.cause.Task != t.arn {
		return
	}
	env, decided := w.truth.environments[t.environment], w.truth.decided[t.arn]
	h := w.truth.hosts[t.instance]
	if env == nil || env.deleting || h == nil || !h.active() {
		return
	}
	_, why, _ := strings.Cut(w.cause.Reason, ": ") // after "Blox environment NAME@REVISION"
	if !slices.ContainsFunc(paidStops, func(paid string) bool { return strings.HasPrefix(why, paid) }) {
		return
	}
	worked := decided.worked && !t.working.IsZero() || why == sickReason && t.health == "UNHEALTHY"
	w.met("daemon stopped by us: " + why[:min(len(why), 11)])
	if !worked || decided.spare || w.serves(env.id, t.machine, t) {
		return
	}
	least := 1
	if w.s.onlySurges() && why != sickReason {
		least = 0 // the new daemon is there before the old one goes
	}
	w.disrupt(env, t.machine, decided.at, least)
}

// serves says that the environment has a working daemon on the machine besides that one.
func (w *world) serves(environment, machine string, besides *task) bool {
	for _, other := range w.truth.tasks { // any order: it is an or
		if other != besides && other.environment == environment && other.machine == machine && !other.working.IsZero() {
			return true
		}
	}
	return false
}

// disrupt counts a host that is down by our doing, and checks that we could afford it; least may be down in any case.
func (w *world) disrupt(env *environment, machine string, since time.Time, least int) {
	env.disrupted[machine] = since
	w.forgive(env)
	hosts := w.mostHosts()
	allowed := max(least, w.allowed(hosts))
	young := 0
	for _, since := range env.disrupted { // any order: they are counted
		if w.now.Sub(since) < w.hostDeadline() {
			young++
		}
	}
	if young > allowed || len(env.disrupted) > 2*allowed {
		w.violate(3, "environment %s: %d daemons are down by our doing at once, %d of them for less than their deadline, %d are allowed of %d hosts: %v",
			env.name, len(env.disrupted), young, allowed, hosts, slices.Sorted(maps.Keys(env.disrupted)))
	}
	if len(env.disrupted) > allowed {
		w.met("hosts written off after their deadline")
	}
}

// mended drops a host whose sick daemon was restarted, when that is over: what a restart does not mend is not of our doing.
func (w *world) mended(slot daemon.Slot) {
	if env := w.truth.environments[slot.EnvironmentID]; env != nil && slot.Restarted &&
		slot.State != daemon.SlotStopping && slot.State != daemon.SlotClaimed {
		delete(env.disrupted, slot.Host.EC2InstanceID)
	}
}

// forgive drops hosts that are to have no daemon any more: they left the instance group, or were released.
func (w *world) forgive(env *environment) {
	dep := w.truth.deployments[env.deployment]
	if dep == nil || len(env.disrupted) < 2 {
		return
	}
	selector := w.truth.revisions[revisionKey{env.id, dep.Target()}].Selector
	for _, h := range w.ecs.Snapshot().Hosts {
		if _, down := env.disrupted[h.EC2InstanceID]; down && h.Status == daemon.StatusActive && h.AgentConnected &&
			(!selects(selector, h) || w.slotOf(env.id, h.EC2InstanceID).Released) {
			delete(env.disrupted, h.EC2InstanceID)
		}
	}
}

// allowed is how many of n hosts may be down.
func (w *world) allowed(n int) int {
	allowed := n * (100 - w.p.minimumHealthyPercent) / 100
	if w.s.maxUnavailable != "" {
		allowed = daemon.Amount(w.s.maxUnavailable).RoundedDown(n)
	}
	return allowed
}

func (w *world) hostDeadline() time.Duration {
	if w.s.hostDeadlineSeconds == 0 {
		return daemon.DefaultHostDeadlineSeconds * time.Second
	}
	return time.Duration(w.s.hostDeadlineSeconds) * time.Second
}

// handedOver hears that a host is taken away from the service that it had its daemon from.
func (w *world) handedOver(name, target string) {
	h := w.truth.hosts[target]
	env := w.environmentNamed(name)
	if h == nil || env == nil {
		w.violate(4, "host %s was handed over to %q, which is no environment", target, name)
		return
	}
	w.met("host handed over")
	for _, t := range w.truth.tasks { // any order: there is one at most
		if t.group == "service:"+legacy && t.instance == h.arn && !t.working.IsZero() && h.active() && !w.serves(env.id, h.machine, nil) {
			if !w.known(t) {
				w.met("host taken over from a daemon that nobody knew of")
				continue
			}
			w.disrupt(env, h.machine, w.updatingSince(w.slotOf(env.id, h.machine)), 1)
		}
	}
}

// known says that STATE had the task before the running invocation began.
func (w *world) known(t *task) bool {
	since, ok := w.truth.known[path.Base(t.arn)]
	return ok && (w.current == nil || since.Before(w.current.begun))
}

// slotOf is the slot of a host as it is stored.
func (w *world) slotOf(environment, machine string) daemon.Slot {
	for _, s := range w.truth.slots { // any order: there is one at most
		if s.EnvironmentID == environment && s.Host.EC2InstanceID == machine {
			return s
		}
	}
	return daemon.Slot{}
}

// checkOnePerHost is invariant 2: at most one live daemon a host, or two of which one is on its way out of a surge.
func (w *world) checkOnePerHost(started *task) {
	var others []*task
	for _, other := range w.truth.tasks { // any order: they are counted
		if other != started && other.environment == started.environment && other.machine == started.machine && other.live() {
			others = append(others, other)
		}
	}
	if len(others) == 0 {
		return
	}
	other := others[0]
	if len(others) > 1 || !w.s.portless() || w.cause == nil || w.cause.distinct() ||
		other.definition == started.definition && other.startedBy == started.startedBy {
		w.violate(2, "%d live daemon tasks of environment %s on host %s: %s and %s",
			len(others)+1, started.environment, started.machine, other.arn, started.arn)
		return
	}
	w.met("two daemons on a host")
	if w.now.Sub(w.truth.surged[environmentHost{started.environment, started.machine}]) <= remembered {
		w.checkSurge(started.environment) // one that began before may go on, however many hosts there are by now
	}
}

// checkSurge is the part of invariant 2 that not too many hosts have two daemons at once.
func (w *world) checkSurge(environment string) {
	live, inherited, two := map[string]int{}, map[string]bool{}, 0
	for _, t := range w.truth.tasks { // any order: they are counted
		if t.environment == environment && t.live() && !(t.inherited && inherited[t.machine]) {
			inherited[t.machine] = inherited[t.machine] || t.inherited // a second one is left from another's surge
			if live[t.machine]++; live[t.machine] == 2 {
				two++
			}
		}
	}
	most := daemon.DefaultMaxSurge
	if w.s.maxSurge != "" {
		most = daemon.Amount(w.s.maxSurge)
	}
	if n := w.mostHosts(); two > max(1, most.RoundedUp(n)) {
		w.violate(2, "%d hosts have two daemons of environment %s at once, %s of %d are allowed", two, environment, most, n)
	}
}
