package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/table"
)

// directory are the environments that there are.
func (w *world) directory() []table.DirectoryEntry {
	directory, err := w.daemon.Directory(context.Background())
	if err != nil {
		panic(err)
	}
	return directory
}

// deploymentOf is the deployment in force, nil before the first.
func (w *world) deploymentOf(env daemon.Environment) *daemon.Deployment {
	dep, err := w.daemon.Deployment(context.Background(), env.ID, env.DeploymentID)
	if errors.Is(err, table.ErrNotFound) {
		return nil
	}
	if err != nil {
		panic(err)
	}
	return &dep
}

func (w *world) revisionOf(env daemon.Environment, number int) daemon.Revision {
	rev, err := w.daemon.Revision(context.Background(), env.ID, number)
	if err != nil {
		panic(err)
	}
	return rev
}

// broken says that tasks of the definition do not work, or cannot be started.
func (w *world) broken(taskDefinition string) bool {
	for r := 1; r <= revisions; r++ {
		if w.ops.broken[image(r)] && strings.HasSuffix(taskDefinition, fmt.Sprintf(":%d", r)) {
			return true
		}
	}
	return w.ops.inactive[taskDefinition]
}

// expectation is what the hosts of an environment are to have at rest.
type expectation struct {
	world    *world
	env      daemon.Environment
	dep      daemon.Deployment
	revision daemon.Revision
	// broken: what hosts would get does not work, so that they may have nothing. exact: they have the revision and no other.
	broken, exact bool
	selectors     []daemon.Selector  // one of which has to match: while a deployment is held, its base's counts, too
	daemons       map[string][]*task // by machine
	others        map[string]int
	foreign       map[string]bool // has the task of the service that the environment takes over from
	machines      map[string]ecssim.HostInfo
}

func (w *world) expect(env daemon.Environment, dep daemon.Deployment) *expectation {
	e := &expectation{
		world: w, env: env, dep: dep, revision: w.revisionOf(env, dep.Target()),
		daemons: map[string][]*task{}, others: map[string]int{}, foreign: map[string]bool{}, machines: map[string]ecssim.HostInfo{},
	}
	e.broken = w.broken(e.revision.TaskDefinition)
	if dep.BasedOn != 0 && dep.Status != daemon.DeploymentCompleted {
		e.broken = e.broken || w.broken(w.revisionOf(env, dep.BasedOn).TaskDefinition)
	}
	e.exact = (dep.Status == daemon.DeploymentCompleted || dep.Status == daemon.DeploymentRolledBack) &&
		e.revision.DeploymentConfiguration.Method != daemon.OnDelete
	e.selectors = []daemon.Selector{e.revision.Selector}
	held := dep.Status == daemon.DeploymentFailed || dep.Status == daemon.DeploymentStopped
	if held && dep.BasedOn != 0 && dep.BasedOn != dep.Target() {
		e.selectors = append(e.selectors, w.revisionOf(env, dep.BasedOn).Selector)
	}
	for _, arn := range slices.Sorted(maps.Keys(w.truth.tasks)) {
		t := w.truth.tasks[arn]
		switch {
		case t.environment == env.ID && t.live():
			e.daemons[t.machine] = append(e.daemons[t.machine], t)
		case t.environment != "" || t.last == daemon.StatusStopped:
		case t.group == "service:"+legacy:
			e.foreign[t.machine] = true
		default:
			e.others[t.machine]++
		}
	}
	for _, h := range w.ecs.Snapshot().Hosts {
		if h.Status == daemon.StatusActive && h.AgentConnected {
			e.machines[h.EC2InstanceID] = h
		}
	}
	return e
}

// belongs says that the host is to have the daemon.
func (e *expectation) belongs(machine string) bool {
	if e.revision.ReleaseIdleHosts && e.others[machine] == 0 {
		return false
	}
	return slices.ContainsFunc(e.selectors, func(s daemon.Selector) bool { return selects(s, e.machines[machine]) })
}

// between says that the host is of the revision's instance group and not of its base's: while the deployment is held it is to
// get the base, which does not belong there.
func (e *expectation) between(machine string) bool {
	return len(e.selectors) > 1 && !selects(e.selectors[1], e.machines[machine])
}

func selects(s daemon.Selector, h ecssim.HostInfo) bool {
	if slices.Contains(s.Exclude, h.EC2InstanceID) {
		return false
	}
	if s.Expression == "" {
		return true
	}
	query, err := clusterquery.Parse(s.Expression)
	if err != nil {
		panic(err)
	}
	matches, err := query.Matches(clusterquery.Host{
		AgentConnected: h.AgentConnected, EC2InstanceID: h.EC2InstanceID, Attributes: h.Attributes, RegisteredAt: h.RegisteredAt,
	})
	return err == nil && matches
}

// misplaced says which host has not exactly the daemon that it should have.
func (e *expectation) misplaced() string {
	for _, h := range e.world.registered() {
		on := e.daemons[h.machine]
		what := ""
		switch {
		case len(on) > 1:
			what = fmt.Sprintf("has %d daemons", len(on))
		case h.status == daemon.StatusDraining && e.others[h.machine] == 0 && len(on) > 0:
			what = "drains, and only the daemon keeps it from ending"
		case !h.active():
		case !e.belongs(h.machine) && len(on) > 0:
			what = "has a daemon, and should have none"
		case !e.belongs(h.machine):
		case len(on) == 0 && !e.exact && e.foreign[h.machine]: // and stays with the service until somebody deploys again
		case len(on) == 0 && !e.broken && e.fits(h.machine) && !e.between(h.machine):
			what = "has no daemon"
		case len(on) == 0:
		case e.exact && !e.broken && on[0].definition != e.revision.TaskDefinition:
			what = fmt.Sprintf("has %s and not %s", on[0].definition, e.revision.TaskDefinition)
		case e.exact && !e.broken && e.dep.Restart && on[0].startedBy != daemon.StartedBy(e.dep.ID):
			what = "has a task from before the restart"
		case on[0].working.IsZero() && !e.world.broken(on[0].definition):
			what = fmt.Sprintf("has a daemon that does not work: %s %s", on[0].last, on[0].health)
		}
		if what == "" {
			what = e.attributed(h.machine, on)
		}
		if what != "" {
			return fmt.Sprintf("host %s %s", h.machine, what)
		}
	}
	return ""
}

// fits says that the host has room: where ordinary tasks are left at the end, a heavy daemon may find none.
func (e *expectation) fits(machine string) bool {
	const heaviest = 900
	return e.machines[machine].RemainingMemory >= heaviest
}

// attributed says what is wrong with the readiness attribute of a host.
func (e *expectation) attributed(machine string, on []*task) string {
	h, ok := e.machines[machine]
	if !ok {
		return ""
	}
	name := e.revision.ReadinessAttribute
	if !e.exact && len(on) > 0 {
		return "" // it is named by the revision that the host has
	}
	for _, other := range []string{readinessOf(e.env.Name, false), readinessOf(e.env.Name, true)} {
		if _, has := h.Attributes[other]; has && other != name {
			return "has the attribute " + other + ", which the revision does not name"
		}
	}
	if name == "" {
		return ""
	}
	value, has := h.Attributes[name]
	ready := len(on) == 1 && !on[0].working.IsZero()
	switch {
	case len(on) == 1 && e.world.broken(on[0].definition), custom(h) >= maxCustom && !has:
		return ""
	case has && !ready && !e.world.slotOf(e.env.ID, machine).Released: // a released host keeps it, so that work can come
		return "has the attribute " + name + ", and no daemon that works"
	case ready && value != daemon.ReadinessReady:
		return fmt.Sprintf("has a daemon that works, and the attribute %s %q", name, value)
	}
	return ""
}

// maxCustom is how many attributes of their own people may give a host.
const maxCustom = 10

func custom(h ecssim.HostInfo) int {
	n := 0
	for name := range h.Attributes { // any order: they are counted
		if !strings.HasPrefix(name, "ecs.") && !strings.HasPrefix(name, "com.amazonaws.ecs.") {
			n++
		}
	}
	return n
}

// leftBehind are attributes of environments that are no more.
func (w *world) leftBehind(exists map[string]bool) string {
	for _, h := range w.ecs.Snapshot().Hosts {
		if h.Status != daemon.StatusActive || !h.AgentConnected {
			continue
		}
		for _, name := range names {
			for _, attribute := range []string{readinessOf(name, false), readinessOf(name, true)} {
				if _, has := h.Attributes[attribute]; has && !exists[name] {
					return fmt.Sprintf("host %s has the attribute %s of environment %s, which is no more", h.EC2InstanceID, attribute, name)
				}
			}
		}
		// Where tasks were left running, the service is to stay away.
		if owner, has := h.Attributes[handoverAttribute]; has && !exists[owner] && !w.kept(owner) {
			return fmt.Sprintf("host %s was handed over to environment %s, which is no more", h.EC2InstanceID, owner)
		}
	}
	return ""
}

// kept says that an environment of that name was deleted and its tasks left running.
func (w *world) kept(name string) bool {
	for _, env := range w.truth.environments { // any order: it is an or
		if env.name == name && env.everKept {
			return true
		}
	}
	return false
}

// drainWithin bounds how long the daemons of a host without other tasks may keep it from ending its drain, however many
// environments have one there: none waits for another for longer than that takes to stop. A recheck and a stop that is
// killed for each, and a reconcile.
const drainWithin = 16 * time.Minute

// checkDrains is the part of invariant 5 that environments do not wait for each other on a draining host.
func (w *world) checkDrains() {
	others, ours := map[string]bool{}, map[string]bool{}
	for _, t := range w.truth.tasks { // any order: they are sets
		switch {
		case t.last == daemon.StatusStopped:
		case t.environment != "":
			ours[t.instance] = true
		case t.group != "service:"+legacy:
			others[t.instance] = true
		}
	}
	for _, h := range w.registered() {
		if h.status != daemon.StatusDraining || !h.connected || others[h.arn] || !ours[h.arn] {
			delete(w.rest.draining, h.arn)
			continue
		}
		if since, ok := w.rest.draining[h.arn]; !ok {
			w.rest.draining[h.arn] = w.now
		} else if w.now.Sub(since) > drainWithin {
			w.violate(5, "host %s drains, and for %s nothing but daemons has kept it from ending", h.machine, w.now.Sub(since))
		}
	}
}
