package daemon

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// imagination is a snapshot that actions are applied to, as a perfect ECS would carry them out.
type imagination struct {
	base     Snapshot
	slots    map[HostKey]Slot
	tasks    map[string]Task
	hosts    map[HostKey][]Host
	imagined int
	finished bool
	// carriedOn says that what ECS was at when it began has come to its end.
	carriedOn bool
}

func newImagination(s Snapshot) *imagination {
	w := &imagination{base: s, slots: map[HostKey]Slot{}, tasks: map[string]Task{}, hosts: map[HostKey][]Host{}}
	for _, slot := range s.Slots {
		w.slots[slot.Host] = slot
	}
	for _, task := range s.Tasks {
		w.tasks[task.ARN] = task
	}
	for _, host := range s.Hosts {
		w.hosts[host.Key] = append(w.hosts[host.Key], host)
	}
	return w
}

// snapshot is what would be read. Plan sorts what it is given.
func (w *imagination) snapshot() Snapshot {
	s := w.base
	s.Slots = slices.Collect(maps.Values(w.slots))
	s.Tasks = slices.Collect(maps.Values(w.tasks))
	s.Hosts = slices.Concat(slices.Collect(maps.Values(w.hosts))...)
	return s
}

// apply carries the actions out. It says whether anything came of them that a look at the same moment can see.
func (w *imagination) apply(actions []Action, now time.Time) (changed bool) {
	changed = w.carryOn()
	w.bury()
	for _, a := range actions {
		if a.Slot != nil {
			w.store(*a.Slot)
		}
		switch a.Kind {
		case Start, Replay, Surge:
			w.start(*a.Slot, now)
		case Stop, Restop, StopFormer, StopStray:
			w.stop(a.TaskARN)
		case HandOver:
			w.handOver(a.Host)
		case Resolve:
			w.resolve(a, now)
		case Forget:
			delete(w.slots, a.Host)
		case Advance:
			changed = w.advance(*a.Deployment) || changed
		case Finish:
			w.finished = true
		case SetAttribute, DeleteAttribute, Observe, Wake: // the slot says it all
		}
		switch a.Kind {
		case Observe, Resolve, Advance, Wake: // what the slot says then is what was just planned with
		default:
			changed = true
		}
	}
	return changed
}

// carryOn has the starts and stops that were under way when the forecast began come to their end, once. Hosts whose agent
// cannot be reached do nothing.
func (w *imagination) carryOn() (changed bool) {
	if w.carriedOn {
		return false
	}
	w.carriedOn = true
	stopping := map[string]bool{}
	for _, slot := range w.slots {
		stopping[slot.TaskARN] = slot.State == SlotStopping
		if former := slot.Former; former != nil {
			stopping[former.TaskARN] = former.StoppingAt != nil
		}
	}
	for arn, task := range w.tasks {
		if task.Stopped() || !slices.ContainsFunc(w.hosts[task.Host], func(h Host) bool { return h.AgentConnected }) {
			continue
		}
		switch {
		case stopping[arn] || !task.Live():
			task.LastStatus, task.DesiredStatus = StatusStopped, StatusStopped
		case task.LastStatus != StatusRunning:
			task.LastStatus, task.Health = StatusRunning, healthHealthy
		default:
			continue
		}
		w.tasks[arn], changed = task, true
	}
	return changed
}

func (w *imagination) store(slot Slot) {
	slot.RecordVersion++
	w.slots[slot.Host] = slot
}

// start has the claim answered with a task that runs and is healthy.
func (w *imagination) start(slot Slot, now time.Time) {
	w.imagined++
	arn := imaginedTask + strconv.Itoa(w.imagined)
	w.store(Started(slot, StartResult{TaskARN: arn}, w.base.Settings, now))
	rev := w.revision(slot.Revision)
	w.tasks[arn] = Task{
		ARN: arn, Host: slot.Host, ContainerInstanceARN: slot.ContainerInstanceARN, LastStatus: StatusRunning, DesiredStatus: StatusRunning,
		Health: healthHealthy, StartedBy: StartedBy(slot.DeploymentID), TaskDefinition: rev.TaskDefinition,
	}
}

func (w *imagination) revision(number int) Revision {
	if w.base.Base != nil && w.base.Base.Number == number {
		return *w.base.Base
	}
	return w.base.Revision
}

func (w *imagination) stop(arn string) {
	if task, ok := w.tasks[arn]; ok {
		task.LastStatus, task.DesiredStatus = StatusStopped, StatusStopped
		w.tasks[arn] = task
	}
}

// handOver has the ECS service stop its task on the host.
func (w *imagination) handOver(key HostKey) {
	hosts := slices.Clone(w.hosts[key])
	for i := range hosts {
		hosts[i].Foreign = nil
	}
	w.hosts[key] = hosts
}

// resolve answers for ECS: it knows nothing of a claim's task, or of one that is not stored.
func (w *imagination) resolve(a Action, now time.Time) {
	slot, arn := *a.Slot, a.TaskARN
	if arn == "" {
		arn = slot.TaskARN
	}
	var found *Task
	if task, ok := w.tasks[arn]; ok {
		found = &task
	}
	if slot.Former != nil && arn == slot.Former.TaskARN {
		w.store(ResolvedFormer(slot, found, now))
		return
	}
	w.store(Resolved(slot, found, w.base.Settings, now))
}

// advance stores the deployment, and says whether its status changed. One that is rolled back brings what was its base; the
// environment remembers what completed.
func (w *imagination) advance(dep Deployment) (changed bool) {
	s := &w.base
	changed = s.Deployment.Status != dep.Status
	dep.RecordVersion++
	s.Deployment = &dep
	if dep.Target() != s.Revision.Number && s.Base != nil && s.Base.Number == dep.Target() {
		from := s.Revision
		s.Revision, s.Base, s.From = *s.Base, nil, &from
	}
	if dep.Status == DeploymentCompleted || dep.Status == DeploymentRolledBack {
		s.Environment.LastGoodRevision = dep.Target()
	}
	return changed
}

// bury drops the tasks that are dead and that no slot has any more: a rollout would drag ever more of them along.
func (w *imagination) bury() {
	kept := map[string]bool{}
	for _, slot := range w.slots {
		kept[slot.TaskARN] = true
		if slot.Former != nil {
			kept[slot.Former.TaskARN] = true
		}
	}
	maps.DeleteFunc(w.tasks, func(arn string, t Task) bool { return t.Stopped() && !kept[arn] })
}

// reconciled has everything known again that could be: the alarms are not in ALARM if they were not read.
func (w *imagination) reconciled(now time.Time) {
	s := &w.base
	clusters := maps.Clone(s.Clusters)
	for key, f := range clusters {
		if !f.SyncedAt.IsZero() {
			clusters[key] = Freshness{SyncedAt: now}
		}
	}
	s.Clusters = clusters
	if names := s.Revision.DeploymentConfiguration.Alarms; s.Alarms == nil && len(names) > 0 {
		s.Alarms = map[string]string{}
		for _, name := range names {
			s.Alarms[name] = "OK"
		}
	}
}

// waitsForPeople says that only people can bring the deployment on. The first quiet look may still have learned something.
func (w *imagination) waitsForPeople(quiet int) bool {
	dep := w.base.Deployment
	if quiet < 2 || dep == nil {
		return false
	}
	canary := w.base.Revision.DeploymentConfiguration.Canary
	promoted := dep.PausedFor == PausedByCanary && canary != nil && canary.PromoteAfterSeconds > 0
	return dep.Status == DeploymentPaused && !promoted
}

// due is when there may be something to do next: what the plan and the slots say, and the deployment's own times. Where
// they say nothing, an environment in motion is looked at every now and then; one at rest is not.
func (w *imagination) due(actions []Action, now time.Time) (time.Time, bool) {
	var next time.Time
	at := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, a := range actions {
		if a.Kind == Wake {
			at(a.At)
		}
	}
	for _, slot := range w.slots {
		if slot.WakeAt != nil {
			at(*slot.WakeAt)
		}
		if slot.RetryAt != nil {
			at(*slot.RetryAt)
		}
	}
	if dep := w.base.Deployment; dep != nil && !dep.Status.Ended() {
		c := w.base.Revision.DeploymentConfiguration
		if dep.BakingSince != nil {
			at(dep.BakingSince.Add(time.Duration(c.BakeSeconds) * time.Second))
		}
		if dep.CanariesSince != nil && c.Canary != nil {
			at(dep.CanariesSince.Add(time.Duration(c.Canary.PromoteAfterSeconds) * time.Second))
		}
		if next.IsZero() {
			at(now.Add(lookPeriod))
		}
	}
	return next, !next.IsZero()
}
