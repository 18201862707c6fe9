package ecssim

import (
	"cmp"
	"slices"
)

const (
	strategyReplica = "REPLICA"
	strategyDaemon  = "DAEMON"
)

// stepDaemon moves a DAEMON service towards one task on each ACTIVE host that meets its constraints: tasks whose host no
// longer meets them are stopped, whatever the minimum says; outdated ones within it, and their successors start when
// they are STOPPED, for a DAEMON service's maximumPercent is always 100.
func (sv *service) stepDaemon() {
	outdated := sv.leaveHosts()
	if sv.status == statusActive {
		sv.enterHosts()
	}
	sv.stopOutdated(outdated)
	sv.forgetDeployments()
	sv.settle()
}

// leaveHosts stops the tasks that are not to be where they are, and gives those to replace.
func (sv *service) leaveHosts() (outdated []*task) {
	for _, t := range slices.Clone(sv.tasks) {
		switch {
		case t.desired != desiredRunning:
		case sv.status != statusActive, t.host.status == statusActive && !sv.meets(t.host),
			t.host.status == statusDraining && t.host.drained():
			t.stop("ServiceSchedulerInitiated", sv.scaling())
		case t.startedBy != sv.primary().id:
			outdated = append(outdated, t)
		}
	}
	return outdated
}

// meets says that the host's attributes and whatever else the constraints ask for are as the service wants them. It is
// asked anew at every step: ECS stops the task of a host that has ceased to meet them.
func (sv *service) meets(h *host) bool {
	for _, e := range sv.spec.start.need.constraints.expressions {
		if matches, err := e.Matches(h.query()); err != nil || !matches {
			return false
		}
	}
	return h.launchType() == sv.spec.start.need.launchType
}

// drained says that the tasks of the REPLICA services have left: daemons go last. That tasks of no service are not waited
// for is our reading; AWS says only that draining leaves them alone.
func (h *host) drained() bool {
	return !slices.ContainsFunc(h.tasks, func(t *task) bool { return t.service != nil && !t.service.daemon })
}

// enterHosts starts the tasks that are missing, and sets what the service desires: a task on each host that could have one.
func (sv *service) enterHosts() {
	s := sv.cluster.sim
	sv.desired = 0
	var refused []failure
	for _, h := range slices.Clone(sv.cluster.hosts) {
		if h.status != statusActive || !sv.meets(h) {
			continue
		}
		sv.desired++
		if slices.ContainsFunc(h.tasks, func(t *task) bool { return t.service == sv }) {
			continue // that a task which is stopping is waited for is what maximumPercent 100 means
		}
		if s.now.Before(sv.notBefore) {
			sv.retry()
			continue
		}
		reason, err := h.refusal(sv.spec.start.need, false)
		if err != nil || reason != "" {
			refused = append(refused, failure{Arn: h.arn, Reason: cmp.Or(reason, reasonMemberOf)})
			continue
		}
		st := sv.spec.start
		sv.tasks.insert(sv.cluster.newTask(h, &st))
		sv.steady = false
	}
	if len(refused) > 0 {
		sv.notBefore = s.now.Add(s.cfg.Delays.ServiceBackoff)
		sv.say(placementMessage(sv.name, refused, nil))
		sv.retry()
	}
}
