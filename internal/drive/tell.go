package drive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/table"
)

// maxOvertaken bounds the deployments that one new deployment is found to have overtaken, fewOvertaken is how many are
// looked at first: more than that is a pipeline that deploys every minute while nobody drives.
const (
	fewOvertaken = 25
	maxOvertaken = 400
)

// maxAge is how long ago a deployment may have ended that people are told of. What is older is no news: it ended before
// anything was announced, or while the bus was away for long.
const maxAge = 24 * time.Hour

// tell announces what became of the deployment in force and was not announced yet, and remembers that it was. The
// change itself is stored before: whoever hears of it and asks the API sees it. If the driver dies in between, the
// next look at the whole environment announces it again; if the bus does not take it, too. Scheduling waits for
// neither. ok is false if the bus did not take it.
func (d *Driver) tell(ctx context.Context, s daemon.Snapshot) (ok bool) {
	env, dep := s.Environment, *s.Deployment
	unhealthy, _ := daemon.HostsWithoutHealthyDaemon(s, d.Now())
	events, told := d.news(env, dep, unstartableOf(s), unhealthy)
	if len(events) == 0 {
		return true
	}
	var overtaken []telling
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

// telling is a deployment with what people were told of it. endedByPeople says that its end is among that, and was
// none of the scheduler's doing, which counts its own.
type telling struct {
	daemon.Deployment
	endedByPeople bool
}

// reasonDeleted is the reason of a deployment that was stopped with its environment.
const reasonDeleted = "the environment was deleted"

func endedByPeople(dep daemon.Deployment) bool {
	return dep.Status == daemon.DeploymentSuperseded || dep.Status == daemon.DeploymentStopped && dep.Reason != reasonDeleted
}

// news is what is to be announced of a deployment, and the deployment with that done.
func (d *Driver) news(
	env daemon.Environment, dep daemon.Deployment, inactive unstartable, unhealthy int,
) (events []announce.Event, told telling) {
	say := func(detailType, reason string) {
		events = append(events, announce.Of(detailType, d.Installation, env, dep, reason, d.Now()))
	}
	told.Deployment = dep
	if dep.Announced != dep.Status {
		told.endedByPeople = endedByPeople(dep)
		if !d.endedLongAgo(dep) {
			say(announce.DeploymentStateChange, stateReason(dep, d.Now()))
		}
		told.Announced = dep.Status
	}
	if dep.Stuck() && !dep.ToldStuck {
		say(announce.DeploymentStuck, dep.StuckReason())
		told.ToldStuck = true
	}
	inForce := dep.Status != daemon.DeploymentSuperseded && env.Status == daemon.EnvironmentActive
	if inForce && inactive.names != "" && dep.ToldInactive != inactive.names {
		say(announce.EnvironmentBlocked, "no task can be run any more from the task definition "+inactive.names+
			", which is INACTIVE: deploy another, or let the environment have its own copy")
		told.ToldInactive = inactive.names
	}
	// Hosts that wait for a definition which is INACTIVE are no other news.
	if inForce && dep.Progress.Blocked > 0 && !dep.ToldBlocked && !inactive.target {
		say(announce.EnvironmentBlocked, fmt.Sprintf("%d of %d hosts wait for a daemon that cannot be started there%s",
			dep.Progress.Blocked, dep.Counts.Desired, example(dep)))
		told.ToldBlocked = true
	}
	// Of a deployment under way, what it waits for and that it is stuck are the news: it takes daemons away itself. Hosts
	// that are blocked lack a daemon, too, and people were told of those.
	if inForce && dep.Status.Ended() && unhealthy > dep.Progress.Blocked && !dep.ToldUnhealthy {
		say(announce.EnvironmentUnhealthy, fmt.Sprintf("%d of %d hosts have had no healthy daemon for %s or longer%s",
			unhealthy, dep.Counts.Desired, d.Settings.HealthGrace, onFirst(dep)))
		told.ToldUnhealthy = true
	}
	return events, told
}

// example is what one host waits for; empty if none says.
func example(dep daemon.Deployment) string {
	if len(dep.FailedInstances) == 0 {
		return ": Amazon ECS finds no room for it, or takes the host for unfit"
	}
	return onFirst(dep)
}

// onFirst is what is wrong with one host; empty if none says.
func onFirst(dep daemon.Deployment) string {
	if len(dep.FailedInstances) == 0 {
		return ""
	}
	first := dep.FailedInstances[0]
	return fmt.Sprintf("; on %s: %s", first.Host.EC2InstanceID, first.Reason)
}

// unstartable are the task definitions of the target, and of the revision that it would be rolled back to, that
// cannot be run any more; names is empty if there is none. target says that the target's is one.
type unstartable struct {
	names  string
	target bool
}

func unstartableOf(s daemon.Snapshot) unstartable {
	return unstartable{strings.Join(slices.Sorted(maps.Keys(s.Inactive)), " and "), s.Inactive[s.Revision.TaskDefinition]}
}

func stateReason(dep daemon.Deployment, now time.Time) string {
	hosts := fmt.Sprintf("%d of %d hosts", dep.Counts.Updated, dep.Counts.Desired)
	of := fmt.Sprintf("the deployment of revision %d", dep.Revision)
	switch dep.Status {
	case daemon.DeploymentPending:
		return "the deployment waits for a first look at its clusters"
	case daemon.DeploymentRunning:
		if dep.StartedAt != nil && dep.StartedAt.Before(now) {
			return of + " goes on, " + hosts + " have it"
		}
		return fmt.Sprintf("%s to %d hosts has begun", of, dep.Counts.Desired)
	case daemon.DeploymentPaused:
		if dep.PausedFor == daemon.PausedByCanary {
			return because(fmt.Sprintf("the canaries have revision %d, and wait to be promoted", dep.Revision), dep.Reason)
		}
		return because("people paused "+of+", "+hosts+" have it", dep.Reason)
	case daemon.DeploymentBaking:
		return fmt.Sprintf("%s have revision %d, which is watched for a while", hosts, dep.Revision)
	case daemon.DeploymentRollingBack:
		return because(fmt.Sprintf("hosts get revision %d again instead of revision %d", dep.RollbackTo, dep.Revision), dep.Reason)
	case daemon.DeploymentCompleted:
		return fmt.Sprintf("%s have revision %d", hosts, dep.Revision)
	case daemon.DeploymentRolledBack:
		return because(fmt.Sprintf("%s have revision %d again", hosts, dep.RollbackTo), dep.Reason)
	case daemon.DeploymentFailed:
		return because(of+" has failed, "+hosts+" have it", dep.Reason)
	case daemon.DeploymentSuperseded:
		return "a newer deployment has taken its place"
	case daemon.DeploymentStopped:
		return because(of+" was stopped, "+hosts+" have it", dep.Reason)
	}
	return "the deployment is " + string(dep.Status)
}

func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

func (d *Driver) endedLongAgo(dep daemon.Deployment) bool {
	return dep.Status.Ended() && dep.EndedAt != nil && d.Now().Sub(*dep.EndedAt) > maxAge
}

// put puts events, all at once, and stores of the deployments that it was done.
func (d *Driver) put(ctx context.Context, env daemon.Environment, events []announce.Event, told []telling) error {
	if err := d.Announce.Put(ctx, events); err != nil {
		return err
	}
	for _, t := range told {
		_, err := d.Daemon.AdvanceDeployment(ctx, t.Deployment)
		if errors.Is(err, table.ErrConflict) {
			continue // it was changed this moment, by people or a newer deployment, and will be announced as that
		}
		if err != nil {
			return err
		}
		if t.endedByPeople {
			d.countEnded(env, t.Deployment)
		}
	}
	return nil
}

// newsOfOvertaken is what is to be announced of the deployments that were superseded by this one, or by others before
// it that nobody looked at: the API ends them, which has no bus. It also is the end of one that the bus did not take
// before this one came.
func (d *Driver) newsOfOvertaken(ctx context.Context, env daemon.Environment, dep daemon.Deployment) (events []announce.Event, told []telling, err error) {
	latest, err := d.latest(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	for _, old := range latest {
		// Two that were made at the same time may have been put in force in the other order, so none ends the search.
		if old.ID == dep.ID || old.Announced == old.Status || !old.Status.Ended() || d.endedLongAgo(old) {
			continue
		}
		more, done := d.news(env, old, unstartable{}, 0)
		events, told = append(events, more...), append(told, done)
	}
	return events, told, nil
}

// latest are the newest deployments of an environment, as far back as nothing was announced of them.
func (d *Driver) latest(ctx context.Context, env daemon.Environment) ([]daemon.Deployment, error) {
	for limit := fewOvertaken; ; limit *= 4 {
		latest, err := d.Daemon.LatestDeployments(ctx, env.ID, limit)
		if err != nil || len(latest) < limit || limit >= maxOvertaken || latest[limit-1].Announced != "" {
			return latest, err
		}
	}
}

// stopped is the deployment of a deleted environment as it ends with it, stored before people are told; nil if the
// environment has none. One that had ended before stays as it is.
func (r *run) stopped(ctx context.Context) (*daemon.Deployment, error) {
	if r.snapshot.Deployment == nil || r.snapshot.Deployment.Status.Ended() {
		return r.snapshot.Deployment, nil
	}
	now, dep := r.Now(), *r.snapshot.Deployment
	dep.Status, dep.EndedAt, dep.Reason = daemon.DeploymentStopped, &now, reasonDeleted
	dep, err := r.Daemon.AdvanceDeployment(ctx, dep)
	return &dep, err
}

// countEnded counts a deployment that ended.
func (d *Driver) countEnded(env daemon.Environment, dep daemon.Deployment) {
	d.Metrics.Put([]metrics.Value{{Name: metrics.DeploymentsEnded, Value: 1}}, aboutDeployment(env, dep)...)
}

func aboutDeployment(env daemon.Environment, dep daemon.Deployment) []metrics.Property {
	return append(about(env),
		metrics.Property{Key: "deploymentId", Value: dep.ID}, metrics.Property{Key: "status", Value: string(dep.Status)})
}

// measure gives the numbers of a look at the whole of an environment. Of one that is being deleted, or that has nothing
// deployed, there are none: an alarm ends when the numbers do.
func (d *Driver) measure(s daemon.Snapshot) {
	hosts, ok := daemon.HostsWithoutHealthyDaemon(s, d.Now())
	if !ok {
		return
	}
	d.Metrics.Put([]metrics.Value{
		{Name: metrics.HostsWithoutHealthyDaemon, Value: int64(hosts)},
		{Name: metrics.DeploymentsStuck, Value: one(s.Deployment.Stuck())},
		{Name: metrics.EnvironmentsBlocked, Value: one(s.Inactive[s.Revision.TaskDefinition])},
	}, about(s.Environment)...)
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

func about(env daemon.Environment) []metrics.Property {
	return []metrics.Property{{Key: "environment", Value: env.Name}, {Key: "environmentId", Value: env.ID}}
}
