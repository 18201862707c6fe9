package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// Violation is a broken invariant, by its number in the design. 0 is a handler that panicked.
type Violation struct {
	Invariant int
	At        time.Time
	What      string
}

func (w *world) violate(invariant int, format string, args ...any) {
	if w.violation != nil {
		return
	}
	w.violation = &Violation{Invariant: invariant, At: w.now, What: fmt.Sprintf(format, args...)}
	w.note("VIOLATION of invariant %d: %s", invariant, w.violation.What)
}

// truth is what ECS holds, as it tells it, and what Blox has stored, as it writes it.
type truth struct {
	hosts map[string]*host // by container instance ARN
	tasks map[string]*task
	// fit machines: a registration is ACTIVE and its agent connected.
	fit map[string]bool

	environments map[string]*environment // by id
	heirs        map[string]string       // by the id of an environment whose tasks were left running, the one that has them now
	revisions    map[revisionKey]daemon.Revision
	deployments  map[string]*deployment // by id
	slots        map[string]daemon.Slot // as stored, by key
	decided      map[string]decision    // by task ARN: stops of rollouts, as they were claimed
	tokens       map[string]int         // how often each was sent
	known        map[string]time.Time   // since when STATE has a task of the first cluster, by its id
	active       map[string]string      // the machine of each container instance that is stored as ACTIVE
	fleets       []fleet                // the newest last
	// surged is when the last surge of a host began, placed when tasks were, of the deployment in force.
	surged map[environmentHost]time.Time
	placed map[placing][]time.Time
}

// environmentHost is a machine, as an environment has it.
type environmentHost struct{ environment, machine string }

func newTruth() truth {
	return truth{
		hosts: map[string]*host{}, tasks: map[string]*task{}, fit: map[string]bool{}, active: map[string]string{},
		known: map[string]time.Time{}, heirs: map[string]string{},
		environments: map[string]*environment{}, deployments: map[string]*deployment{}, revisions: map[revisionKey]daemon.Revision{}, slots: map[string]daemon.Slot{},
		decided: map[string]decision{}, tokens: map[string]int{}, surged: map[environmentHost]time.Time{}, placed: map[placing][]time.Time{},
	}
}

type host struct {
	cluster              state.ClusterKey
	arn, machine, status string
	connected            bool
	version              int64
	changed              time.Time
}

type task struct {
	cluster                           state.ClusterKey
	arn, group, startedBy, definition string
	environment                       string // id, empty if it is no daemon
	machine, instance                 string
	desired, last, health             string
	version                           int64
	changed                           time.Time
	// inherited from an environment of the same name that was deleted without its tasks.
	inherited bool
	created   time.Time
	// working is since when it runs, is meant to, and does not fail its health checks; zero if it does not.
	working time.Time
}

func (t *task) live() bool {
	return t.desired == daemon.StatusRunning && t.last != daemon.StatusStopped
}

// environment is what the checks know of one.
type environment struct {
	id, name       string
	deployment     string // in force
	deleting, keep bool
	// everKept says that the tasks were to be kept at some time: hosts are let go of then, whatever is said later.
	everKept    bool
	frozenSince time.Time            // zero if it is not
	good        map[int]bool         // revisions that a deployment has brought to every host
	disrupted   map[string]time.Time // machines whose daemon we stopped, and that have had none since
}

// revisionKey names one revision of an environment.
type revisionKey struct {
	environment string
	number      int
}

// decision is a stop as it was claimed: when, and whether the daemon was working when its driver had asked ECS last. A
// daemon that is down already may be replaced at no cost, and may come up before the call is made.
type decision struct {
	at     time.Time
	worked bool
	// spare says that another daemon of the host worked then.
	spare bool
}

// learn follows what ECS tells.
func (w *world) learn(t told) {
	d := t.Detail
	if !t.isTask() {
		h := w.truth.hosts[d.InstanceARN]
		if h == nil {
			h = &host{cluster: t.key().Cluster, arn: d.InstanceARN, machine: d.EC2InstanceID}
			w.truth.hosts[h.arn] = h
		}
		h.status, h.connected, h.version, h.changed = d.Status, d.Connected, d.Version, w.now
		w.learnMachine(h.machine)
		return
	}
	known := w.truth.tasks[d.TaskARN]
	if known == nil {
		known = &task{
			cluster: t.key().Cluster, arn: d.TaskARN, group: d.Group, startedBy: d.StartedBy, definition: d.Definition, instance: d.InstanceARN, created: w.now,
		}
		if h := w.truth.hosts[d.InstanceARN]; h != nil {
			known.machine = h.machine
		}
		known.environment, _ = strings.CutPrefix(d.Group, daemon.Group(installation, ""))
		if known.environment == d.Group {
			known.environment = ""
		}
		known.environment = either(w.truth.heirs[known.environment], known.environment)
		w.truth.tasks[d.TaskARN] = known
	}
	wasLive := known.live()
	known.desired, known.last, known.health, known.version, known.changed = d.Desired, d.Last, d.Health, d.Version, w.now
	works := known.live() && known.last == daemon.StatusRunning && known.health != "UNHEALTHY" &&
		(known.health == "HEALTHY" || !healthChecked(known.definition))
	switch {
	case !works:
		if wasLive && !known.live() {
			w.ended(known)
		}
		known.working = time.Time{}
	case known.working.IsZero():
		known.working = w.now
		if env := w.truth.environments[known.environment]; env != nil {
			delete(env.disrupted, known.machine)
		}
	}
	if known.environment != "" && known.live() && !wasLive {
		w.checkOnePerHost(known)
		w.checkBackoff(known)
	}
}

func (w *world) learnMachine(id string) {
	fit := false
	for _, h := range w.truth.hosts { // any order: it is an or
		fit = fit || h.machine == id && h.status == daemon.StatusActive && h.connected
	}
	if w.truth.fit[id] && !fit {
		for _, env := range w.truth.environments { // any order: each on its own
			delete(env.disrupted, id)
		}
	}
	w.truth.fit[id] = fit
}

// stored sees what Blox writes to the DAEMON table, after it was written.
func (w *world) stored(i item) {
	switch kindOfKey(keyOf(i)) {
	case "slot":
		w.storedSlot(i)
	case "deployment":
		w.storedDeployment(i)
	case "revision":
		var rev daemon.Revision
		decode(i, &rev)
		w.truth.revisions[revisionKey{rev.EnvironmentID, rev.Number}] = rev
	case "environment":
		w.storedEnvironment(i)
	case "timeline":
		w.met("action " + text(i, "kind"))
	case "cluster":
		w.heldBack(i)
		w.rest.swept(w, i)
	}
}

// kindOfKey is what an item of either table is.
func kindOfKey(key string) string {
	pk, sk, _ := strings.Cut(key, " ")
	switch {
	case strings.HasPrefix(pk, "environment/"):
		kind, _, _ := strings.Cut(sk, "/")
		kind, _, _ = strings.Cut(kind, ",") // of several
		return kind
	case pk == "clusters":
		return "cluster"
	case strings.HasPrefix(pk, "feed/"):
		return "feed"
	case strings.HasPrefix(pk, "budget/"):
		return "budget"
	case strings.Contains(pk, "/task/"):
		return "task"
	case strings.Contains(pk, "/instance/"):
		return "instance"
	}
	return pk
}

func (w *world) storedSlot(i item) {
	var now daemon.Slot
	decode(i, &now)
	key := keyOf(i)
	before := w.truth.slots[key]
	w.truth.slots[key] = now
	w.metSlot(before, now)
	if before.State != now.State {
		w.met(fmt.Sprintf("slot %s to %s", either(string(before.State), "none"), now.State))
		w.trace(w.current, "slot", fmt.Sprintf("%s: %s to %s, revision %d, attempt %d, %s%s", now.Host, either(string(before.State), "none"),
			now.State, now.Revision, now.Attempt, now.Reason, now.StopReason))
	}
	w.mended(now)
	w.checkHeld(before, now)
	if now.State == daemon.SlotStopping && before.State != now.State {
		w.decide(now.TaskARN, now)
	}
	if now.Former != nil && before.Former == nil {
		w.truth.surged[environmentHost{now.EnvironmentID, now.Host.EC2InstanceID}] = w.now
	}
	if f := now.Former; f != nil && f.StoppingAt != nil && (before.Former == nil || before.Former.StoppingAt == nil) {
		w.decide(f.TaskARN, now)
	}
}

// decide hears that the stop of a task was claimed.
func (w *world) decide(arn string, slot daemon.Slot) {
	t := w.truth.tasks[arn]
	if t == nil || w.current == nil {
		return
	}
	asked := w.current.asked
	if asked.IsZero() {
		asked = w.current.begun
	}
	d := decision{at: w.updatingSince(slot), worked: w.workedAt(t, asked)}
	for _, other := range w.truth.tasks { // any order: it is an or
		if other != t && other.environment == t.environment && other.machine == t.machine {
			d.spare = d.spare || w.workedAt(other, asked)
		}
	}
	w.truth.decided[arn] = d
}

// workedAt says that a task works now, and that ECS would have said so at the time: of a young one it knows nothing.
func (w *world) workedAt(t *task, at time.Time) bool {
	return !t.working.IsZero() && !t.working.After(at) && !at.Before(t.created.Add(w.p.consistencyLag))
}

// updatingSince is since when a host is on its way to a revision by what its slot says: a driver that was paused stores later
// what it decided before, and deadlines run from then.
func (w *world) updatingSince(slot daemon.Slot) time.Time {
	if at := slot.UpdatingSince; at != nil && at.Before(w.now) {
		return *at
	}
	return w.now
}

// metSlot counts what rarely becomes of a host.
func (w *world) metSlot(before, now daemon.Slot) {
	for what, met := range map[string]bool{ // any order: each on its own
		"attempt failed three times in a row": now.Failures >= 3 && before.Failures < 3,
		"host released":                       now.Released && !before.Released,
		"released host needed again":          before.Released && !now.Released,
		"surge begun":                         now.Former != nil && before.Former == nil,
		"surge over":                          now.Former == nil && before.Former != nil,
		"surge whose new daemon died":         now.Former != nil && before.State != daemon.SlotIdle && now.State == daemon.SlotIdle,
		"surge turned back":                   now.Former != nil && before.Former != nil && now.TaskARN == before.Former.TaskARN,
		"attribute of a full host":            now.AttributeError != "" && before.AttributeError == "",
		"readiness attribute set":             now.Attribute != "" && before.Attribute == "",
		"readiness attribute deleted":         now.Attribute == "" && before.Attribute != "",
		"host handed back":                    now.HandedOver == "" && before.HandedOver != "",
	} {
		if met {
			w.met(what)
		}
	}
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (w *world) deleted(key item) {
	switch kindOfKey(keyOf(key)) {
	case "slot":
		w.met("slot deleted")
		delete(w.truth.slots, keyOf(key))
	case "environment":
		w.met("environment removed")
	}
}

// storedEnvironment follows an environment's definition. What it deploys is read from the table when it is needed.
func (w *world) storedEnvironment(i item) {
	var now daemon.Environment
	decode(i, &now)
	env := w.truth.environments[now.ID]
	if env == nil {
		env = &environment{id: now.ID, name: now.Name, disrupted: map[string]time.Time{}, good: map[int]bool{}}
		w.truth.environments[now.ID] = env
		w.inherit(now)
	}
	env.deployment, env.keep = now.DeploymentID, now.KeepTasks
	env.everKept = env.everKept || env.keep
	if now.LastGoodRevision != 0 {
		env.good[now.LastGoodRevision] = true
	}
	switch {
	case now.Frozen == nil:
		env.frozenSince = time.Time{}
	case env.frozenSince.IsZero():
		env.frozenSince = w.now
	}
	if now.Status == daemon.EnvironmentDeleting {
		env.deleting = true
		clear(env.disrupted)
	}
}

// inherit follows an environment that takes over the tasks which those of its name before it left running: they are its own.
func (w *world) inherit(env daemon.Environment) {
	for _, id := range env.FormerIDs {
		w.met("environment takes over what was left")
		w.truth.heirs[id] = env.ID
		for _, t := range w.truth.tasks { // any order: each on its own
			if t.environment == id {
				t.environment, t.inherited = env.ID, true
			}
		}
	}
}

// environmentNamed is the one of that name which is not being deleted, or else any; nil if there never was one.
func (w *world) environmentNamed(name string) *environment {
	var found *environment
	for _, id := range slices.Sorted(maps.Keys(w.truth.environments)) {
		if env := w.truth.environments[id]; env.name == name && (found == nil || found.deleting) {
			found = env
		}
	}
	return found
}

// environmentNow reads an environment as it is stored, past the faults.
func (w *world) environmentNow(id string) (daemon.Environment, error) {
	return w.daemon.Environment(context.Background(), id)
}
