package ecssim

import (
	"fmt"
	"slices"
	"time"
)

// service is a REPLICA or a DAEMON service with rolling updates: enough for a cluster that lives, with tasks that come
// back when they die or their host drains.
type service struct {
	cluster *cluster
	name    string
	arn     string
	status  string // ACTIVE, DRAINING, INACTIVE
	daemon  bool   // a task on each host, and not desired anywhere
	desired int
	spec    serviceSpec
	created time.Time
	tags    tags

	tasks       sequence[*task] // not STOPPED
	deployments []*deployment   // the primary first
	events      []serviceEvent  // newest first

	poked     bool // a look is planned, retrying: one for when notBefore is over
	retrying  bool
	steady    bool
	fails     int // starts that failed in a row
	notBefore time.Time
}

// serviceSpec is what a deployment starts tasks with.
type serviceSpec struct {
	start       start
	constraints []placementConstraint
	network     *networkConfiguration
	minPercent  int
	maxPercent  int
}

type deployment struct {
	id         string // also the startedBy of its tasks
	definition *taskDefinition
	createdAt  time.Time
	updatedAt  time.Time
	failed     int
	completed  bool
}

type serviceEvent struct {
	ID        string `json:"id"`
	CreatedAt *stamp `json:"createdAt"`
	Message   string `json:"message"`
}

const maxServiceEvents = 100

func (c *cluster) pokeServices() {
	for _, sv := range c.sortedServices() {
		sv.poke()
	}
}

// poke makes the service scheduler look at the service soon; many pokes are one look.
func (sv *service) poke() { sv.lookAfter(0, &sv.poked) }

// retry makes it look when tasks may be started again. What is to be stopped does not wait for that.
func (sv *service) retry() { sv.lookAfter(sv.notBefore.Sub(sv.cluster.sim.now), &sv.retrying) }

func (sv *service) lookAfter(least time.Duration, planned *bool) {
	if *planned || sv.status == statusInactive {
		return
	}
	*planned = true
	s := sv.cluster.sim
	s.after(max(s.jittered(s.cfg.Delays.ServiceStep), least), func() {
		*planned = false
		if sv.daemon {
			sv.stepDaemon()
		} else {
			sv.step()
		}
	})
}

// deploy makes a new primary deployment; the tasks of the old one are replaced by step.
func (sv *service) deploy(d *taskDefinition) {
	s := sv.cluster.sim
	id := fmt.Sprintf("ecs-svc/%019d", s.ids.Uint64()%1e19)
	sv.deployments = slices.Insert(sv.deployments, 0, &deployment{id: id, definition: d, createdAt: s.now, updatedAt: s.now})
	sv.spec.start.definition, sv.spec.start.startedBy = d, id
	sv.steady, sv.fails, sv.notBefore = false, 0, time.Time{}
	sv.poke()
}

func (sv *service) primary() *deployment { return sv.deployments[0] }

// step moves the service towards what it should be: start what is missing within maximumPercent, then stop what is too
// many, outdated or on a DRAINING host as far as minimumHealthyPercent allows.
func (sv *service) step() {
	good, outdated := sv.split()
	missing := sv.desired - len(good)
	room := max(sv.desired, sv.desired*sv.spec.maxPercent/100) - len(good) - len(outdated)
	if sv.status == statusActive {
		sv.startTasks(min(missing, room))
	}
	for i := len(good) - 1; i >= max(sv.desired, 0); i-- { // the newest go first
		good[i].stop("ServiceSchedulerInitiated", sv.scaling())
	}
	sv.stopOutdated(outdated)
	sv.forgetDeployments()
	sv.settle()
}

// forgetDeployments drops those that have no task any more.
func (sv *service) forgetDeployments() {
	sv.deployments = slices.DeleteFunc(sv.deployments, func(d *deployment) bool {
		return d != sv.primary() && !slices.ContainsFunc(sv.tasks, func(t *task) bool { return t.startedBy == d.id })
	})
}

// split sorts the tasks that should run into those to keep and those to replace.
func (sv *service) split() (good, outdated []*task) {
	for _, t := range sv.tasks {
		switch {
		case t.desired != desiredRunning:
		case t.host.status == statusActive && t.startedBy == sv.primary().id:
			good = append(good, t)
		default:
			outdated = append(outdated, t)
		}
	}
	return good, outdated
}

func (sv *service) startTasks(count int) {
	s := sv.cluster.sim
	if count <= 0 {
		return
	}
	if s.now.Before(sv.notBefore) {
		sv.retry()
		return
	}
	for range count {
		st := sv.spec.start
		h, failures, err := sv.cluster.place(st.need)
		if h == nil {
			sv.notBefore = s.now.Add(s.cfg.Delays.ServiceBackoff)
			sv.say(placementMessage(sv.name, failures, err))
			sv.retry()
			return
		}
		sv.tasks.insert(sv.cluster.newTask(h, &st))
		sv.steady = false
	}
}

func placementMessage(name string, failures []failure, err error) string {
	if err != nil || len(failures) == 0 {
		return fmt.Sprintf("(service %s) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.", name)
	}
	return fmt.Sprintf("(service %s) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance %s) encountered error %q.",
		name, failures[0].Arn[len(failures[0].Arn)-32:], failures[0].Reason)
}

func (sv *service) stopOutdated(outdated []*task) {
	healthy := 0
	for _, t := range sv.tasks {
		if t.healthy() {
			healthy++
		}
	}
	floor := (sv.desired*sv.spec.minPercent + 99) / 100
	for _, t := range outdated {
		if t.healthy() {
			if healthy <= floor {
				continue
			}
			healthy--
		}
		t.stop("ServiceSchedulerInitiated", sv.scaling())
	}
}

func (t *task) healthy() bool {
	return t.desired == desiredRunning && t.last == lastRunning && (!t.definitionHasHealthCheck() || t.health() == healthHealthy)
}

func (sv *service) scaling() string {
	return fmt.Sprintf("Scaling activity initiated by (deployment %s)", sv.primary().id)
}

// settle notices the ends of things: a deployment that is complete, a deleted service without tasks.
func (sv *service) settle() {
	s := sv.cluster.sim
	if sv.status == statusDraining && len(sv.tasks) == 0 {
		sv.status = statusInactive
		return
	}
	good, outdated := sv.split()
	if sv.steady || len(outdated) > 0 || len(good) != sv.desired || slices.ContainsFunc(good, func(t *task) bool { return !t.healthy() }) {
		return
	}
	sv.steady = true
	if p := sv.primary(); !p.completed {
		p.completed, p.updatedAt = true, s.now
	}
	sv.say(fmt.Sprintf("(service %s) has reached a steady state.", sv.name))
}

// taskEnded hears of every STOPPED task of the service. A task that failed to start slows the next ones down, more each
// time, as ECS's throttling of failing services does; one that ran resets that.
func (sv *service) taskEnded(t *task) {
	sv.tasks.remove(t)
	s := sv.cluster.sim
	if t.startedAt.IsZero() && t.stopCode == "TaskFailedToStart" {
		sv.fails++
		sv.notBefore = s.now.Add(s.cfg.Delays.ServiceBackoff * time.Duration(1<<min(sv.fails-1, 6)))
		for _, d := range sv.deployments {
			if d.id == t.startedBy {
				d.failed++
			}
		}
	} else if !t.startedAt.IsZero() {
		sv.fails = 0
	}
	sv.steady = false
	sv.poke()
	if t.host.status == statusDraining {
		sv.cluster.pokeServices() // daemons wait for the last of the others
	}
}

func (sv *service) say(message string) {
	s := sv.cluster.sim
	sv.events = slices.Insert(sv.events, 0, serviceEvent{ID: s.newUUID(), CreatedAt: forAPI.stamp(s.now), Message: message})
	sv.events = sv.events[:min(len(sv.events), maxServiceEvents)]
}
