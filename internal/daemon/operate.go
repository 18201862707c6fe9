package daemon

import (
	"fmt"
	"time"
)

// What people may do to a deployment. Each function gives the deployment as it becomes, or says why it cannot be, and
// what can. None of them does anything to a host: the scheduler does, when it finds the deployment changed.

// Operator says who does something to a deployment, and what for; both may be empty.
type Operator struct {
	By     string
	Reason string
}

func (o Operator) saying(what string) string {
	if o.By != "" {
		what += " by " + o.By
	}
	if o.Reason != "" {
		what += ": " + o.Reason
	}
	return what
}

// NotPossibleError says why something cannot be done to a deployment as it is, and what can.
type NotPossibleError struct {
	Verb   string
	Status DeploymentStatus
	Allows string
}

func (e *NotPossibleError) Error() string {
	return fmt.Sprintf("cannot %s a deployment that is %s: %s", e.Verb, e.Status, e.Allows)
}

// Pause holds a deployment that has not ended. Pausing a paused one changes nothing, but that one waiting for its
// canaries' promotion then waits to be resumed.
func (d Deployment) Pause(o Operator) (Deployment, error) {
	switch d.Status {
	case DeploymentPending, DeploymentRunning, DeploymentBaking, DeploymentPaused:
		if d.PausedFor == PausedByPeople && o.Reason == "" {
			return d, nil // who repeats it takes no word back
		}
		d.Status, d.PausedFor, d.Reason = DeploymentPaused, PausedByPeople, o.saying("paused")
		d.CanariesSince = nil // what becomes of them meanwhile is not watched
		return d, nil
	case DeploymentRollingBack:
		return d, &NotPossibleError{"pause", d.Status, "freeze the environment to hold everything"}
	case DeploymentCompleted, DeploymentRolledBack, DeploymentFailed, DeploymentStopped, DeploymentSuperseded:
	}
	return d, &NotPossibleError{"pause", d.Status, "allowed is one that has not ended"}
}

// Resume lets a deployment that people paused go on. One whose canaries were not promoted waits for that again.
func (d Deployment) Resume(now time.Time) (Deployment, error) {
	switch {
	case d.Status != DeploymentPaused:
		return d, &NotPossibleError{"resume", d.Status, "allowed is one that is paused"}
	case d.PausedFor == PausedByCanary:
		return d, &NotPossibleError{"resume", d.Status, "its canaries wait to be promoted"}
	}
	d = d.goOn(now)
	if d.StartedAt == nil {
		d.Status = DeploymentPending // it is still to begin, which notes the alarms that had gone off before
	}
	return d, nil
}

// Promote lets a deployment out of its canaries to all hosts, whether they are well or not.
func (d Deployment) Promote(now time.Time) (Deployment, error) {
	switch {
	case d.Status.Ended() || d.Status == DeploymentRollingBack:
		return d, &NotPossibleError{"promote", d.Status, "allowed is one that has not ended"}
	case d.PromotedAt != nil:
		return d, nil
	}
	d.PromotedAt = &now
	if d.Status == DeploymentPaused && d.PausedFor == PausedByCanary {
		d = d.goOn(now)
	}
	return d, nil
}

// goOn is a paused deployment that runs again. The time that it was paused is no lack of progress.
func (d Deployment) goOn(now time.Time) Deployment {
	d.Status, d.PausedFor, d.Reason, d.BakingSince = DeploymentRunning, "", "", nil
	return d.restartClocks(now)
}

// Stop ends a deployment where it is: what was updated stays so, and the rest keeps what it has.
func (d Deployment) Stop(o Operator, now time.Time) (Deployment, error) {
	if d.Status == DeploymentStopped {
		return d, nil
	}
	if d.Status.Ended() {
		return d, &NotPossibleError{"stop", d.Status, "allowed is one that has not ended"}
	}
	d.Status, d.Reason, d.PausedFor, d.EndedAt = DeploymentStopped, o.saying("stopped"), "", &now
	return d, nil
}

// RollBack turns a deployment that has not ended back, to its last good revision if to is 0. One that has ended is not
// turned back: a new deployment of the older revision is made.
func (d Deployment) RollBack(to int, why string, now time.Time) (Deployment, error) {
	if to == 0 {
		to = d.BasedOn
	}
	switch {
	case d.Status.Ended():
		return d, &NotPossibleError{"roll back", d.Status, "deploy the older revision"}
	case to == 0:
		return d, &NotPossibleError{"roll back", d.Status, "no deployment of the environment has completed before: stop it, or name a revision"}
	case to == d.Target():
		if d.Status == DeploymentRollingBack {
			return d, nil
		}
		return d, &NotPossibleError{"roll back", d.Status, fmt.Sprintf("revision %d is the one that it brings", to)}
	}
	d.Status, d.RollbackTo, d.Reason, d.PausedFor = DeploymentRollingBack, to, why, ""
	d.BakingSince, d.CanariesSince = nil, nil
	if d.StartedAt == nil {
		d.StartedAt = &now // before it had begun: going back is the first thing that it does
	}
	d.Progress.Desired, d.Progress.Remaining, d.Progress.Departed = 0, 0, 0 // counted anew, for another revision
	return d.restartClocks(now), nil
}
