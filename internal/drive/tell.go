package drive

import (
	"context"
	"errors"
	"fmt"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/table"
)

// maxOvertaken bounds the deployments that one new deployment is found to have overtaken.
const maxOvertaken = 25

// tell announces what became of the deployment in force and was not announced yet, and remembers that it was. The change
// itself is stored before: whoever hears of it and asks the API sees it. If the driver dies in between, the next look at
// the whole environment announces it again; if the bus does not take it, too. Scheduling waits for neither.
func (d *Driver) tell(ctx context.Context, env daemon.Environment, dep daemon.Deployment) {
	events, told := d.news(env, dep)
	if len(events) == 0 {
		return
	}
	var err error
	if dep.Announced == "" {
		// The deployments before it come first: once it is announced, nobody looks for them.
		err = d.tellOvertaken(ctx, env, dep)
	}
	if err == nil {
		err = d.put(ctx, events, told)
	}
	if err != nil {
		d.Log.Warn("people are told later", "environment", env.Name, "deploymentId", dep.ID, "error", err)
	}
}

// news is what is to be announced of a deployment, and the deployment with that done.
func (d *Driver) news(env daemon.Environment, dep daemon.Deployment) (events []announce.Event, told daemon.Deployment) {
	say := func(detailType, reason string) {
		events = append(events, announce.Of(detailType, d.Installation, env, dep, reason, d.Now()))
	}
	told = dep
	if dep.Announced != dep.Status {
		say(announce.DeploymentStateChange, stateReason(dep))
		told.Announced = dep.Status
	}
	if dep.Stuck() && !dep.ToldStuck {
		say(announce.DeploymentStuck, dep.StuckReason())
		told.ToldStuck = true
	}
	inForce := !dep.Status.Ended() || dep.Status == daemon.DeploymentCompleted
	if inForce && dep.Progress.Blocked > 0 && !dep.ToldBlocked {
		say(announce.EnvironmentBlocked, fmt.Sprintf("Amazon ECS finds no room for the daemon on %d of %d hosts, or takes them for unfit",
			dep.Progress.Blocked, dep.Counts.Desired))
		told.ToldBlocked = true
	}
	return events, told
}

func stateReason(dep daemon.Deployment) string {
	switch dep.Status {
	case daemon.DeploymentPending:
		return "the deployment waits for a first look at its clusters"
	case daemon.DeploymentRunning:
		return fmt.Sprintf("the deployment of revision %d to %d hosts has begun", dep.Revision, dep.Counts.Desired)
	case daemon.DeploymentCompleted:
		return fmt.Sprintf("%d of %d hosts have revision %d", dep.Counts.Updated, dep.Counts.Desired, dep.Revision)
	case daemon.DeploymentSuperseded:
		return "a newer deployment has taken its place"
	case daemon.DeploymentStopped:
		return "the environment was deleted"
	}
	return "the deployment is " + string(dep.Status)
}

// put puts events and stores that it was done.
func (d *Driver) put(ctx context.Context, events []announce.Event, told daemon.Deployment) error {
	if err := d.Announce.Put(ctx, events); err != nil {
		return err
	}
	err := d.Daemon.AdvanceDeployment(ctx, told)
	if errors.Is(err, table.ErrConflict) {
		return nil // it was superseded this moment, and will be announced as that
	}
	return err
}

// tellOvertaken announces the deployments that were superseded by this one, or by others before it that nobody looked at:
// the API ends them, which has no bus. It also announces the end of one that the bus did not take before this one came.
func (d *Driver) tellOvertaken(ctx context.Context, env daemon.Environment, dep daemon.Deployment) error {
	latest, err := d.Daemon.LatestDeployments(ctx, env.ID, maxOvertaken)
	if err != nil {
		return err
	}
	for _, old := range latest {
		// Two that were made at the same time may have been put in force in the other order, so none ends the search.
		if old.ID == dep.ID || old.Announced == old.Status || !old.Status.Ended() {
			continue
		}
		events, told := d.news(env, old)
		if err := d.put(ctx, events, told); err != nil {
			return err
		}
		if old.Status == daemon.DeploymentSuperseded {
			d.countEnded(env, old)
		}
	}
	return nil
}

// tellStopped announces that the environment's deployment ends with it. Nothing of it is left to remember that it was to
// be announced, so it is now or never: a deletion does not wait for the bus.
func (d *Driver) tellStopped(ctx context.Context, s daemon.Snapshot) {
	if s.Deployment == nil || s.Deployment.Status.Ended() {
		return
	}
	now, dep := d.Now(), *s.Deployment
	dep.Status, dep.EndedAt = daemon.DeploymentStopped, &now
	event := announce.Of(announce.DeploymentStateChange, d.Installation, s.Environment, dep, stateReason(dep), now)
	if err := d.Announce.Put(ctx, []announce.Event{event}); err != nil {
		d.Log.Warn("people are not told of the end of a deployment", "environment", s.Environment.Name, "deploymentId", dep.ID, "error", err)
	}
	d.countEnded(s.Environment, dep)
}

// countEnded counts a deployment that ended. None ends as failed: one that does not get on is stuck until a newer one
// takes its place.
func (d *Driver) countEnded(env daemon.Environment, dep daemon.Deployment) {
	d.Metrics.Put([]metrics.Value{{Name: metrics.DeploymentsEnded, Value: 1}, {Name: metrics.DeploymentsFailed, Value: 0}},
		append(about(env), metrics.Property{Key: "deploymentId", Value: dep.ID}, metrics.Property{Key: "status", Value: string(dep.Status)})...)
}

// measure gives the numbers of a look at the whole of an environment. Of one that is being deleted, or that has nothing
// deployed, there are none: an alarm ends when the numbers do.
func (d *Driver) measure(s daemon.Snapshot) {
	hosts, ok := daemon.HostsWithoutHealthyDaemon(s, d.Now())
	if !ok {
		return
	}
	stuck := int64(0)
	if s.Deployment.Stuck() {
		stuck = 1
	}
	d.Metrics.Put([]metrics.Value{
		{Name: metrics.HostsWithoutHealthyDaemon, Value: int64(hosts)}, {Name: metrics.DeploymentsStuck, Value: stuck},
	}, about(s.Environment)...)
}

func about(env daemon.Environment) []metrics.Property {
	return []metrics.Property{{Key: "environment", Value: env.Name}, {Key: "environmentId", Value: env.ID}}
}
