package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/daemon"
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
	// seen is when a machine was last ACTIVE and connected; zero while it is.
	machines map[string]*machine

	environments map[string]*environment // by id
	deployments  map[string]string       // id to environment id
	slots        map[string]slot         // as stored, by key
	decided      map[string]decision     // by task ARN: stops of rollouts, as they were claimed
	tokens       map[string]int          // how often each was sent
}

func newTruth() truth {
	return truth{
		hosts: map[string]*host{}, tasks: map[string]*task{}, machines: map[string]*machine{},
		environments: map[string]*environment{}, deployments: map[string]string{}, slots: map[string]slot{},
		decided: map[string]decision{}, tokens: map[string]int{},
	}
}

type host struct {
	arn, machine, status string
	connected            bool
	version              int64
	changed              time.Time
}

// machine is an EC2 instance, whatever it is registered as.
type machine struct {
	fit    bool // a registration is ACTIVE, its agent connected
	unfit  time.Time
	joined time.Time
}

type task struct {
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
	id, name         string
	minimumHealthy   int
	deleting         bool
	keep             bool
	definition       string // of the deployment in force
	deployment       string
	disrupted        map[string]bool // machines whose daemon we stopped for another, and that have had none since
	deployedRevision int
}

type slot struct{ state, taskARN string }

// decision is a stop of a rollout as it was claimed: whether the daemon was working when its driver had asked ECS last.
// A daemon that is down already may be replaced at no cost, and may come up before the call is made.
type decision struct {
	environment string
	worked      bool
}

// learn follows what ECS tells.
func (w *world) learn(t told) {
	d := t.Detail
	if !t.isTask() {
		h := w.truth.hosts[d.InstanceARN]
		if h == nil {
			h = &host{arn: d.InstanceARN, machine: d.EC2InstanceID}
			w.truth.hosts[h.arn] = h
		}
		h.status, h.connected, h.version, h.changed = d.Status, d.Connected, d.Version, w.now
		w.learnMachine(h.machine)
		return
	}
	known := w.truth.tasks[d.TaskARN]
	if known == nil {
		known = &task{arn: d.TaskARN, group: d.Group, startedBy: d.StartedBy, definition: d.Definition, instance: d.InstanceARN}
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
	m := w.truth.machines[id]
	if m == nil {
		m = &machine{joined: w.now}
		w.truth.machines[id] = m
	}
	fit := false
	for _, h := range w.truth.hosts { // any order: it is an or
		fit = fit || h.machine == id && h.status == daemon.StatusActive && h.connected
	}
	if m.fit && !fit {
		m.unfit = w.now
		for _, env := range w.truth.environments { // any order: each on its own
			delete(env.disrupted, id)
		}
	}
	m.fit = fit
}

// checkOnePerHost is invariant 2.
func (w *world) checkOnePerHost(started *task) {
	for _, other := range w.truth.tasks { // any order: at most one is found, or the run is over
		if other != started && other.environment == started.environment && other.machine == started.machine && other.live() {
			first, second := other.arn, started.arn
			w.violate(2, "two live daemon tasks of environment %s on host %s: %s and %s", started.environment, started.machine, first, second)
			return
		}
	}
}

// remembered is for how long a host that has left may still be counted: until a reconcile has seen it missing for ten
// minutes, and stops have waited for that reconcile.
const remembered = 30 * time.Minute

// ended hears that a live task is meant to stop.
//
// Invariant 3, as it is checked: each stop of a rollout that strikes a working daemon on a fit host (ACTIVE, agent
// connected) is a disruption by us, until that host has a working daemon again or is not fit any more, which is not our
// doing. Right after each such stop the disrupted hosts must be no more than max(1, floor(N × (100 − min) / 100)), N being
// the hosts that are fit now or were lately: Blox may not know yet that some have left. Working is a daemon that worked
// when the driver that claimed the stop had asked ECS last, and still does; one that came up after it was found down may
// be stopped at no cost.
func (w *world) ended(t *task) {
	if t.environment == "" || w.cause == nil || w.cause.Task != t.arn || !strings.Contains(w.cause.Reason, replacedReason) {
		return
	}
	env, decided := w.truth.environments[t.environment], w.truth.decided[t.arn]
	h := w.truth.hosts[t.instance]
	if env == nil || env.deleting || !decided.worked || t.working.IsZero() || h == nil || !h.active() {
		return
	}
	env.disrupted[t.machine] = true
	hosts := 0
	for _, m := range w.truth.machines { // any order: it is a count
		if m.fit || w.now.Sub(m.unfit) < remembered {
			hosts++
		}
	}
	allowed := max(1, hosts*(100-env.minimumHealthy)/100)
	w.met("daemon stopped for a newer revision")
	if len(env.disrupted) > allowed {
		w.violate(3, "environment %s: %d daemons are down by our stops at once, %d are allowed of %d hosts at %d %%",
			env.name, len(env.disrupted), allowed, hosts, env.minimumHealthy)
	}
}

// replacedReason is what the scheduler gives as the reason of a rollout's stop.
const replacedReason = "replaced by a newer revision"

// checkVersions is invariant 1, on every change of the STATE table.
func (w *world) checkVersions(record events.DynamoDBEventRecord) {
	before, after := record.Change.OldImage, record.Change.NewImage
	oldVersion, known := before["version"]
	if !known {
		return
	}
	key := record.Change.Keys["pk"].String() + " " + record.Change.Keys["sk"].String()
	if len(after) == 0 {
		w.violate(1, "%s was deleted with its version", key)
		return
	}
	from, err := oldVersion.Integer()
	to, err2 := after["version"].Integer()
	if err != nil || err2 != nil {
		w.violate(1, "%s has a version that is no number", key)
		return
	}
	if to < from {
		w.violate(1, "the stored version of %s went from %d back to %d", key, from, to)
	}
	if _, over := before["tombstone"]; over {
		inferred := before["tombstone"].Map()["inferred"].Boolean()
		if _, still := after["tombstone"]; !still {
			w.met("record revived")
			if !inferred || to <= from {
				w.violate(1, "%s came back from its end: version %d, then %d, the end inferred: %t", key, from, to, inferred)
			}
		}
	}
}

// calling sees a call of Blox before ECS does. The start or the stop must name its deployment: invariant 4.
func (w *world) calling(action string, in request) {
	switch action {
	case "RunTask":
		w.truth.tokens[in.ClientToken]++
		if w.truth.tokens[in.ClientToken] > 1 {
			w.met("start replayed")
		}
		deployment, ok := strings.CutPrefix(in.StartedBy, daemon.StartedByPrefix)
		env := w.truth.deployments[deployment]
		if !ok || env == "" || in.Group != daemon.Group(installation, env) || in.ClientToken == "" {
			w.violate(4, "a start names no deployment: startedBy %q, group %q, clientToken %q", in.StartedBy, in.Group, in.ClientToken)
		}
	case "StopTask":
		t := w.truth.tasks[in.Task]
		if t == nil || t.environment == "" || !strings.HasPrefix(t.startedBy, daemon.StartedByPrefix) {
			w.violate(4, "a stop of a task that is not ours: %s", in.Task)
			return
		}
		env := w.truth.environments[t.environment]
		if env == nil || !strings.HasPrefix(in.Reason, "Blox environment "+env.name+": ") {
			w.violate(4, "a stop names neither environment nor reason: %q", in.Reason)
		}
		if !t.live() {
			w.met("stop repeated")
		}
	}
}

// called sees a call after ECS did.
func (w *world) called(action string, response *http.Response) {
	inv := w.current
	if action == "DescribeTasks" && inv != nil && response.StatusCode == http.StatusOK {
		inv.asked = w.now
	}
	if response.StatusCode == http.StatusOK && action != "RunTask" {
		return
	}
	body := peek(response)
	var answer struct {
		Type     string `json:"__type"`
		Failures []struct {
			Reason string `json:"reason"`
		} `json:"failures"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		panic(fmt.Sprintf("sim: %s answered %q", action, body))
	}
	kind := answer.Type
	for _, f := range answer.Failures {
		if kind == "" || strings.HasPrefix(kind, "MemberOf") {
			kind = f.Reason
		}
	}
	if kind == "" {
		return
	}
	w.met("ECS answered " + action + " with " + kind)
	w.trace(inv, action, kind)
	if strings.Contains(kind, "Throttling") {
		w.violate(4, "Blox made more calls than ECS allows: %s was throttled", action)
	}
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
	w.truth.decided[now.taskARN] = decision{
		environment: t.environment, worked: !t.working.IsZero() && !t.working.After(asked),
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
	env.deployment = text(i, "deploymentId")
}

// environmentNow reads an environment as it is stored, past the faults.
func (w *world) environmentNow(id string) (daemon.Environment, error) {
	return w.daemon.Environment(context.Background(), id)
}
