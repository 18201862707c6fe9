package sim

import (
	"strings"
	"time"

	"github.com/blox/blox/internal/daemon"
)

// Invariant 8: what people hold stays as it is. Only what began after the word was stored is held to it: a driver that
// had read the environment before may be in the middle of its calls.

// deployment is what the checks know of one, as it was stored last.
type deployment struct {
	daemon.Deployment
	madeAt    time.Time // when it was first stored
	heldSince time.Time // zero if it replaces what it finds
}

// storedDeployment follows what becomes of a deployment.
func (w *world) storedDeployment(i item) {
	var dep daemon.Deployment
	decode(i, &dep)
	before := w.truth.deployments[dep.ID]
	now := &deployment{Deployment: dep, madeAt: w.now}
	if before != nil {
		now.heldSince, now.madeAt = before.heldSince, before.madeAt
	}
	switch dep.Status {
	case daemon.DeploymentPaused, daemon.DeploymentStopped, daemon.DeploymentFailed:
		if now.heldSince.IsZero() {
			now.heldSince = w.now
		}
	default:
		now.heldSince = time.Time{}
	}
	w.truth.deployments[dep.ID] = now
	if before == nil || before.Status == dep.Status && before.PausedFor == dep.PausedFor && before.RollbackTo == dep.RollbackTo {
		return
	}
	w.met("deployment " + string(before.Status) + " to " + string(dep.Status))
	if dep.PausedFor != "" {
		w.met("deployment paused for " + dep.PausedFor)
	}
	w.trace(w.current, "deployment", dep.ID+" of revision "+string(before.Status)+" to "+string(dep.Status)+": "+dep.Reason)
	w.checkRollback(before, dep)
	if dep.Status == daemon.DeploymentCompleted || dep.Status == daemon.DeploymentRolledBack {
		w.completed(dep)
	}
}

// completed remembers what may be rolled back to.
func (w *world) completed(dep daemon.Deployment) {
	if env := w.truth.environments[dep.EnvironmentID]; env != nil {
		env.good[dep.Target()] = true
	}
}

// checkRollback is the part of invariant 5 that what is rolled back to was good once, unless somebody named it.
func (w *world) checkRollback(before *deployment, dep daemon.Deployment) {
	env := w.truth.environments[dep.EnvironmentID]
	byPeople := w.current != nil && w.current.name == "api"
	switch {
	case dep.RollbackTo == before.RollbackTo || env == nil:
	case before.Status.Ended():
		w.violate(5, "deployment %s had ended as %s and rolls back", dep.ID, before.Status)
	case !byPeople && !env.good[dep.RollbackTo]:
		w.violate(5, "deployment %s rolls back to revision %d, which never was good", dep.ID, dep.RollbackTo)
	case !byPeople:
		w.met("deployment rolls back by itself")
	}
}

// bound says that the running invocation began after somebody's word was stored, and has to keep it.
func (w *world) bound(since time.Time) bool {
	return !since.IsZero() && w.current != nil && w.current.begun.After(since)
}

// checkHeld looks at what a driver claims for a host.
func (w *world) checkHeld(before, now daemon.Slot) {
	env := w.truth.environments[now.EnvironmentID]
	if env == nil || env.deleting {
		return
	}
	dep := w.truth.deployments[env.deployment]
	if dep == nil {
		return
	}
	replaces := now.State == daemon.SlotStopping && before.State != now.State && strings.HasPrefix(now.StopReason, replacedReason)
	surges := now.Former != nil && before.Former == nil && now.State == daemon.SlotClaimed
	claims := now.State == daemon.SlotClaimed && before.State != now.State && now.Revision == dep.Target() && before.Revision != now.Revision
	base := w.truth.revisions[revisionKey{env.id, dep.BasedOn}]
	based := dep.BasedOn != 0 && dep.BasedOn != dep.Target() && !w.ops.inactive[base.TaskDefinition]
	method := w.truth.revisions[revisionKey{env.id, dep.Target()}].DeploymentConfiguration.Method
	switch {
	case (replaces || surges) && w.bound(dep.heldSince):
		w.violate(8, "deployment %s is %s since %s, and replaces the daemon of %s", dep.ID, dep.Status, dep.heldSince.Format(time.TimeOnly), now.Host)
	case (replaces || surges) && method == daemon.OnDelete && dep.RollbackTo == 0 && w.bound(dep.madeAt):
		w.violate(8, "deployment %s of method onDelete replaces the daemon of %s", dep.ID, now.Host)
	case claims && based && w.bound(dep.heldSince):
		w.violate(8, "deployment %s is %s since %s, and brings revision %d to %s, which had revision %d",
			dep.ID, dep.Status, dep.heldSince.Format(time.TimeOnly), now.Revision, now.Host, before.Revision)
	case claims && based && w.bound(dep.madeAt):
		w.checkCanaries(env, dep)
	}
}

// checkCanaries is the part of invariant 8 that no more hosts than the canaries get a revision before it is promoted,
// those that came to it by no doing of the deployment aside. One that has completed brought it to every host that there
// was, all of them canaries: there is nothing left to promote.
func (w *world) checkCanaries(env *environment, dep *deployment) {
	canary := w.truth.revisions[revisionKey{env.id, dep.Revision}].DeploymentConfiguration.Canary
	if canary == nil || canary.Hosts == "" || dep.PromotedAt != nil || dep.RollbackTo != 0 || dep.Status == daemon.DeploymentCompleted {
		return
	}
	base, target := w.truth.revisions[revisionKey{env.id, dep.BasedOn}], w.truth.revisions[revisionKey{env.id, dep.Revision}]
	if base.TaskHash() == target.TaskHash() {
		return // who gets the base's task has the revision's
	}
	reached := 0
	for _, s := range w.truth.slots { // any order: they are counted
		if s.EnvironmentID == env.id && s.DeploymentID == dep.ID && s.Revision == dep.Revision && !s.Blocked &&
			(s.State == daemon.SlotClaimed || s.State == daemon.SlotPlaced) && w.truth.fit[s.Host.EC2InstanceID] {
			reached++
		}
	}
	if most := max(1, canary.Hosts.RoundedUp(w.mostHosts())); reached > most {
		w.violate(8, "%d hosts got revision %d of environment %s before it was promoted, %d are canaries", reached, dep.Revision, env.name, most)
	}
	w.met("canary reached")
}

// checkFrozen looks at a call that starts or stops something of an environment.
func (w *world) checkFrozen(action, environment string) {
	env := w.truth.environments[environment]
	if env == nil || env.deleting || !w.bound(env.frozenSince) {
		return
	}
	w.violate(8, "environment %s is frozen since %s, and %s is called for it", env.name, env.frozenSince.Format(time.TimeOnly), action)
}
