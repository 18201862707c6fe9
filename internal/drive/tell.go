package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/table"
)

// maxOvertaken bounds the deployments that one new deployment is found to have overtaken.
const maxOvertaken = 25

// maxAge is how long ago a deployment may have ended that people are told of. What is older is no news: it ended before
// anything was announced, or while the bus was away for long.
const maxAge = 24 * time.Hour

// tell announces what became of the deployment in force and was not announced yet, and remembers that it was. The change
// itself is stored before: whoever hears of it and asks the API sees it. If the driver dies in between, the next look at
// the whole environment announces it again; if the bus does not take it, too. Scheduling waits for neither. ok is false
// if the bus did not take it.
func (d *Driver) tell(ctx context.Context, env daemon.Environment, dep daemon.Deployment) (ok bool) {
	events, told := d.news(env, dep)
	if len(events) == 0 {
		return true
	}
	var overtaken []daemon.Deployment
	var err error
	if dep.Announced == "" {
		// The deployments before it come first: once it is announced, nobody looks for them.
		var before []announce.Event
		before, overtaken, err = d.newsOfOvertaken(ctx, env, dep)
		events = append(before, events...)
	}
	if err == nil {
		err = d.put(ctx, env, events, append(overtaken, told))
	}
	if err != nil {
		d.Log.Warn("people are told later", "environment", env.Name, "deploymentId", dep.ID, "error", err)
	}
	return err == nil
}

// news is what is to be announced of a deployment, and the deployment with that done.
func (d *Driver) news(env daemon.Environment, dep daemon.Deployment) (events []announce.Event, told daemon.Deployment) {
	say := func(detailType, reason string) {
		events = append(events, announce.Of(detailType, d.Installation, env, dep, reason, d.Now()))
	}
	told = dep
	if dep.Announced != dep.Status {
		if !d.endedLongAgo(dep) {
			say(announce.DeploymentStateChange, stateReason(dep))
		}
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

func (d *Driver) endedLongAgo(dep daemon.Deployment) bool {
	return dep.Status.Ended() && dep.EndedAt != nil && d.Now().Sub(*dep.EndedAt) > maxAge
}

// put puts events, all at once, and stores of the deployments that it was done.
func (d *Driver) put(ctx context.Context, env daemon.Environment, events []announce.Event, told []daemon.Deployment) error {
	if err := d.Announce.Put(ctx, events); err != nil {
		return err
	}
	for _, dep := range told {
		err := d.Daemon.AdvanceDeployment(ctx, dep)
		if errors.Is(err, table.ErrConflict) {
			continue // it was superseded this moment, and will be announced as that
		}
		if err != nil {
			return err
		}
		if dep.Status == daemon.DeploymentSuperseded {
			d.countEnded(env, dep)
		}
	}
	return nil
}

// newsOfOvertaken is what is to be announced of the deployments that were superseded by this one, or by others before it
// that nobody looked at: the API ends them, which has no bus. It also is the end of one that the bus did not take before
// this one came.
func (d *Driver) newsOfOvertaken(ctx context.Context, env daemon.Environment, dep daemon.Deployment) (events []announce.Event, told []daemon.Deployment, err error) {
	latest, err := d.Daemon.LatestDeployments(ctx, env.ID, maxOvertaken)
	if err != nil {
		return nil, nil, err
	}
	for _, old := range latest {
		// Two that were made at the same time may have been put in force in the other order, so none ends the search.
		if old.ID == dep.ID || old.Announced == old.Status || !old.Status.Ended() || d.endedLongAgo(old) {
			continue
		}
		more, done := d.news(env, old)
		events, told = append(events, more...), append(told, done)
	}
	return events, told, nil
}

// stopped is the deployment of a deleted environment as it ends with it, stored before people are told; nil if the
// environment has none. One that had ended before stays as it is.
func (r *run) stopped(ctx context.Context) (*daemon.Deployment, error) {
	if r.snapshot.Deployment == nil || r.snapshot.Deployment.Status.Ended() {
		return r.snapshot.Deployment, nil
	}
	now, dep := r.Now(), *r.snapshot.Deployment
	dep.Status, dep.EndedAt = daemon.DeploymentStopped, &now
	return &dep, r.Daemon.AdvanceDeployment(ctx, dep)
}

// countEnded counts a deployment that ended. None ends as failed: one that does not get on is stuck until a newer one
// takes its place.
func (d *Driver) countEnded(env daemon.Environment, dep daemon.Deployment) {
	d.Metrics.Put([]metrics.Value{{Name: metrics.DeploymentsEnded, Value: 1}},
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
