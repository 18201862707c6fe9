package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// rest is the end of a run: no faults, no operators, and everything has to come to rest.
type rest struct {
	calm  bool
	began time.Time
	// sweeps that began after the faults had stopped, and ended, of each cluster.
	sweeps map[state.ClusterKey]int
	since  time.Time // of being at rest; zero if it is not
	why    string    // it is not
	// draining is since when nothing but daemons keeps a registration from ending its drain.
	draining map[string]time.Time
}

const (
	// restWithin bounds how long it may take. Claims are replayed for 30 minutes, failures in a row are 15 apart.
	restWithin = 50 * time.Minute
	// restFor is how long it has to last: nothing may come back.
	restFor = 3 * time.Minute
)

// settle ends the faults.
func (w *world) settle() {
	w.note("the faults stop")
	w.rest.calm, w.rest.began, w.rest.sweeps, w.rest.draining = true, w.now, map[state.ClusterKey]int{}, map[string]time.Time{}
	w.p = w.p.calm()
	w.bus.downUntil = time.Time{}
	w.f.feedDeath, w.f.twins = 0, 0
	w.ecs.Faults().EmptyLists(0)
	if w.f.crowd > 0 {
		w.see()
	}
	if w.member != nil {
		w.member.awayUntil = time.Time{}
		if w.f.memberStaysAway {
			w.leave(2 * restWithin)
		}
	}
	for r := 1; r <= revisions; r++ {
		if w.ops.broken[image(r)] && w.plan.Float64() < 0.7 {
			w.heal(r)
		}
	}
	for _, h := range w.registered() {
		switch {
		case h.connected:
		case w.replaced(h):
			w.deregister(h)
		default:
			w.reconnect(h)
		}
	}
	for len(w.ops.jobs) > 0 {
		w.stopJob()
	}
	left := 0
	if w.s.release {
		left = 1 // so that one host is not idle
	}
	w.must("UpdateService", map[string]any{"cluster": cluster, "service": "web", "desiredCount": left})
	w.alarms.Set(watchedAlarm, "OK")
	for _, h := range w.registered() {
		w.emptyAttributes(h)
	}
	var look func()
	look = func() {
		w.look()
		w.after(time.Minute, look)
	}
	w.after(time.Minute, look)
}

// swept hears of a complete pass over a cluster.
func (r *rest) swept(w *world, i item) {
	w.met("sweep completed")
	cluster, err := state.ParseClusterKey(text(i, "sk"))
	if err != nil {
		panic(err)
	}
	began, err := time.ParseDuration(text(i, "syncedAt") + "ms")
	if err != nil || !r.calm || time.UnixMilli(0).Add(began).Before(r.began) {
		return
	}
	r.sweeps[cluster]++
	if r.sweeps[cluster] == 2 {
		at := time.UnixMilli(0).Add(began)
		w.after(0, func() {
			if what := w.differs(cluster, at.Add(-10*time.Second)); what != "" {
				w.violate(5, "two reconciles after the faults stopped, STATE is not ECS: %s", what)
			}
		})
	}
}

// stopKept stops, by hand, the tasks that environments left behind at their owners' wish: they hold the ports that the
// daemons of the next environment need.
func (w *world) stopKept() {
	for _, arn := range slices.Sorted(maps.Keys(w.truth.tasks)) {
		t := w.truth.tasks[arn]
		env := w.truth.environments[t.environment]
		if env == nil || !env.keep || !t.live() {
			continue
		}
		if _, err := w.environmentNow(env.id); errors.Is(err, table.ErrNotFound) {
			w.note("operator: stops %s, which has no owner", arn)
			w.operator("StopTask", map[string]any{"cluster": cluster, "task": arn, "reason": "has no owner"})
		}
	}
}

// look sees whether the world is at rest.
func (w *world) look() {
	w.stopKept()
	w.overrule()
	w.checkDrains()
	for _, cluster := range w.clusters() {
		if n := w.rest.sweeps[cluster]; n < 2 {
			w.rest.why = fmt.Sprintf("only %d passes over cluster %s were completed", n, cluster)
			return
		}
	}
	if w.rest.why = w.restless(); w.rest.why != "" {
		w.rest.since = time.Time{}
		return
	}
	if w.rest.since.IsZero() {
		w.rest.since = w.now
	}
}

// rested says that it was at rest for long enough, and that no event of days ago came just now.
func (w *world) rested() bool {
	return !w.rest.since.IsZero() && w.now.Sub(w.rest.since) >= restFor && w.events.Len() == 0
}

// restless says what is not as invariant 5 wants it.
func (w *world) restless() string {
	if n := w.events.Len(); n > 0 {
		return fmt.Sprintf("%d events are in the queue", n)
	}
	for _, s := range w.shards {
		if len(s.records) > 0 {
			return "changes are in the stream"
		}
	}
	for _, cluster := range w.clusters() {
		if what := w.differs(cluster, w.now); what != "" {
			return "STATE is not ECS: " + what
		}
	}
	if what := w.ghosts(); what != "" {
		return what
	}
	exists := map[string]bool{}
	for _, entry := range w.directory() {
		exists[entry.ID], exists[entry.Name] = true, true
		if what := w.unfinished(entry); what != "" {
			return "environment " + entry.Name + ": " + what
		}
	}
	if what := w.leftBehind(exists); what != "" {
		return what
	}
	for _, arn := range slices.Sorted(maps.Keys(w.truth.tasks)) {
		t := w.truth.tasks[arn]
		if t.environment == "" || !t.live() || exists[t.environment] {
			continue
		}
		if env := w.truth.environments[t.environment]; env == nil || !env.keep {
			return fmt.Sprintf("orphan: task %s on host %s is of environment %s, which is no more", arn, t.machine, t.environment)
		}
	}
	return ""
}

// unfinished says what an environment still wants.
func (w *world) unfinished(entry table.DirectoryEntry) string {
	ctx := context.Background()
	env, err := w.environmentNow(entry.ID)
	if err != nil {
		return err.Error()
	}
	if env.Status != daemon.EnvironmentActive {
		return "it is still being deleted"
	}
	slots, err := w.daemon.Slots(ctx, env.ID)
	if err != nil {
		panic(err)
	}
	present := map[string]bool{}
	for _, h := range w.registered() {
		present[h.machine] = true
	}
	for _, s := range slots {
		if !present[s.Host.EC2InstanceID] {
			return fmt.Sprintf("it has a slot of host %s, which has left", s.Host.EC2InstanceID)
		}
	}
	dep := w.deploymentOf(env)
	if dep == nil {
		return ""
	}
	e := w.expect(env, *dep)
	// One without a host it could reach waits while there are hosts, which are being drained or in no group.
	waits := dep.Counts.Desired == 0 && len(w.registered()) > 0
	if !dep.Status.Ended() && !e.broken && !waits {
		return fmt.Sprintf("deployment %s of revision %d is %s: %+v %v", dep.ID, dep.Revision, dep.Status, dep.Counts, dep.FailedInstances)
	}
	if what := w.untold(*dep); what != "" {
		return what
	}
	if what := w.unended(env); what != "" {
		return what
	}
	return e.misplaced()
}

// unended are deployments that neither are in force nor have ended.
func (w *world) unended(env daemon.Environment) string {
	for _, id := range slices.Sorted(maps.Keys(w.truth.deployments)) {
		if w.truth.deployments[id].EnvironmentID != env.ID || id == env.DeploymentID {
			continue
		}
		dep, err := w.daemon.Deployment(context.Background(), env.ID, id)
		if errors.Is(err, table.ErrNotFound) {
			continue
		}
		if err != nil {
			panic(err)
		}
		if !dep.Status.Ended() {
			return fmt.Sprintf("deployment %s is not in force and is %s", id, dep.Status)
		}
		if what := w.untold(dep); what != "" {
			return what
		}
	}
	return ""
}

// checkEvents is invariant 6: every event that reached the queue is stored, or older than what is stored, or among the
// dead letters with its reason.
func (w *world) checkEvents() {
	if n := w.events.Len(); n > 0 {
		w.violate(6, "%d events are still in the queue: first %v", n, w.events.Messages()[0])
		return
	}
	letters := map[string]string{}
	for _, m := range w.deadLetters.Messages() {
		letters[m.Body] = m.Attributes["reason"]
	}
	for _, body := range w.bus.bad {
		if letters[body] == "" {
			w.violate(6, "a malformed event is not among the dead letters with a reason: %s", body)
			return
		}
	}
	stored := map[state.Key]int64{}
	for _, r := range w.records() {
		stored[r.Key] = r.Version
	}
	for _, key := range slices.SortedFunc(maps.Keys(w.bus.delivered), state.Key.Compare) {
		if _, over := w.mirror.expired[key]; !over && stored[key] < w.bus.delivered[key] && w.present(key.Cluster) {
			w.violate(6, "version %d of %s reached the queue, stored is %d", w.bus.delivered[key], key, stored[key])
			return
		}
	}
	if len(letters) > len(w.bus.bad) {
		w.violate(6, "%d dead letters, and only %d malformed events", len(letters), len(w.bus.bad))
	}
}
