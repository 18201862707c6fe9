package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
	deployments  map[string]string       // id to environment id
	slots        map[string]slot         // as stored, by key
	decided      map[string]decision     // by task ARN: stops of rollouts, as they were claimed
	tokens       map[string]int          // how often each was sent
	active       map[string]string       // the machine of each container instance that is stored as ACTIVE
	fleets       []fleet                 // the newest last
}

func newTruth() truth {
	return truth{
		hosts: map[string]*host{}, tasks: map[string]*task{}, fit: map[string]bool{}, active: map[string]string{},
		environments: map[string]*environment{}, deployments: map[string]string{}, slots: map[string]slot{},
		decided: map[string]decision{}, tokens: map[string]int{},
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
	// working is since when it runs, is meant to, and does not fail its health checks; zero if it does not.
	working time.Time
}

func (t *task) live() bool {
	return t.desired == daemon.StatusRunning && t.last != daemon.StatusStopped
}

// environment is what the checks know of one.
type environment struct {
	id, name       string
	minimumHealthy int
	deleting, keep bool
	disrupted      map[string]bool // machines whose daemon we stopped for another, and that have had none since
}

type slot struct{ state, taskARN string }

// decision is a stop of a rollout as it was claimed: whether the daemon was working when its driver had asked ECS last.
// A daemon that is down already may be replaced at no cost, and may come up before the call is made.
type decision struct{ worked bool }

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
			cluster: t.key().Cluster, arn: d.TaskARN, group: d.Group, startedBy: d.StartedBy, definition: d.Definition, instance: d.InstanceARN,
		}
		if h := w.truth.hosts[d.InstanceARN]; h != nil {
			known.machine = h.machine
		}
		known.environment, _ = strings.CutPrefix(d.Group, daemon.Group(installation, ""))
		if known.environment == d.Group {
			known.environment = ""
		}
		w.truth.tasks[d.TaskARN] = known
	}
	wasLive := known.live()
	known.desired, known.last, known.health, known.version, known.changed = d.Desired, d.Last, d.Health, d.Version, w.now
	works := known.live() && known.last == daemon.StatusRunning && known.health != "UNHEALTHY"
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
		w.truth.deployments[text(i, "id")] = text(i, "environmentId")
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
	key, now := keyOf(i), slot{state: text(i, "state"), taskARN: text(i, "taskArn")}
	before := w.truth.slots[key]
	w.truth.slots[key] = now
	if before.state != now.state {
		w.met(fmt.Sprintf("slot %s to %s", either(before.state, "none"), now.state))
		w.trace(w.current, "slot", fmt.Sprintf("%s: %s to %s, revision %s, attempt %s, %s%s", text(i, "host"), either(before.state, "none"),
			now.state, text(i, "revision"), text(i, "attempt"), text(i, "reason"), text(i, "stopReason")))
	}
	if now.state != string(daemon.SlotStopping) || before.state == now.state || text(i, "stopReason") != replacedReason {
		return
	}
	t := w.truth.tasks[now.taskARN]
	if t == nil || w.current == nil {
		return
	}
	asked := w.current.asked
	if asked.IsZero() {
		asked = w.current.begun
	}
	w.truth.decided[now.taskARN] = decision{worked: !t.working.IsZero() && !t.working.After(asked)}
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
	id := text(i, "id")
	env := w.truth.environments[id]
	if env == nil {
		env = &environment{id: id, name: text(i, "name"), disrupted: map[string]bool{}, minimumHealthy: w.p.minimumHealthyPercent}
		w.truth.environments[id] = env
	}
	if text(i, "status") == string(daemon.EnvironmentDeleting) {
		env.deleting = true
		clear(env.disrupted)
	}
	if keep, ok := i["keepTasks"].(*types.AttributeValueMemberBOOL); ok {
		env.keep = keep.Value
	}
}

// environmentNow reads an environment as it is stored, past the faults.
func (w *world) environmentNow(id string) (daemon.Environment, error) {
	return w.daemon.Environment(context.Background(), id)
}
