package sim

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blox/blox/internal/ecssim"
)

// operators are the people and machines around Blox: they come with hosts, leave with them, and change their minds.
type operators struct {
	machines int // named so far
	jobs     []string
	// revision of the daemon that each environment name was given last; 0 is none.
	wants map[string]int
	// broken are the images that do not work now, inactive the task definitions that were deregistered.
	broken, inactive map[string]bool
	// replacing are deployments of inactive ones that got a successor at the end.
	replacing map[string]bool
}

// revisions of each daemon's task definition, each with an image of its own. Two of three have a container health check,
// one is heavier. The family is named as the environment.
const revisions = 8

// firstPort is that of the first environment's daemons.
const firstPort = 9000

func image(revision int) string { return fmt.Sprintf("agent:%d", revision) }

func (w *world) prepare() {
	w.ops = operators{wants: map[string]int{}, broken: map[string]bool{}, inactive: map[string]bool{}, replacing: map[string]bool{}}
	w.must("CreateCluster", map[string]any{"clusterName": cluster})
	for i, name := range names {
		for r := 1; r <= revisions; r++ {
			w.registerDaemon(name, r, firstPort+i)
		}
	}
	for _, family := range []string{"job", "web"} {
		w.must("RegisterTaskDefinition", map[string]any{"family": family, "networkMode": "bridge", "containerDefinitions": []any{
			map[string]any{"name": family, "image": family, "cpu": 50, "memory": map[string]int{"job": 1400, "web": 300}[family], "essential": true},
		}})
	}
	if w.f.crowd == 0 { // which registers as many as ECS lets it
		w.must("RegisterTaskDefinition", map[string]any{"family": squatter, "networkMode": "bridge", "containerDefinitions": []any{map[string]any{
			"name": squatter, "image": "job", "cpu": 10, "memory": 100, "essential": true,
			"portMappings": []any{map[string]any{"containerPort": 80, "hostPort": firstPort}},
		}}})
	}
	if w.s.migrate {
		w.prepareMigration()
	}
	for range w.p.hosts {
		w.addHost()
	}
	w.alarms.Set(watchedAlarm, "OK")
	w.must("CreateService", map[string]any{"cluster": cluster, "serviceName": "web", "taskDefinition": "web", "desiredCount": 1 + w.plan.IntN(4)})
	if w.f.crowd > 0 {
		w.prepareCrowd()
	}
}

func (w *world) registerDaemon(name string, revision, port int) {
	container := map[string]any{
		"name": "agent", "image": image(revision), "cpu": 10, "memory": 200, "essential": true,
	}
	if !w.s.portless() { // a port that only one task of a host can have, as daemons often want
		container["portMappings"] = []any{map[string]any{"containerPort": 9000, "hostPort": port}}
	}
	if healthCheckedRevision(revision) {
		container["healthCheck"] = map[string]any{"command": []string{"CMD", "true"}}
	}
	if revision == 4 {
		container["memory"] = 900
	}
	w.must("RegisterTaskDefinition", map[string]any{"family": name, "networkMode": "bridge", "containerDefinitions": []any{container}})
}

func healthCheckedRevision(revision int) bool { return revision%3 != 1 }

// healthChecked says that the task definition is a daemon's with a health check.
func healthChecked(definitionARN string) bool {
	family, number, _ := strings.Cut(path.Base(definitionARN), ":")
	revision, err := strconv.Atoi(number)
	return err == nil && slices.Contains(names, family) && healthCheckedRevision(revision)
}

func (w *world) must(action string, in any) { w.mustAt(w.places[0], action, in) }

func (w *world) mustAt(p *place, action string, in any) {
	out, ok := w.operatorAt(p, action, in)
	if !ok {
		panic(fmt.Sprintf("sim: %s: %v", action, out))
	}
}

// names of the environments.
var names = []string{"log-agent", "scanner"}

// operate begins the operators' work, and the readers'.
func (w *world) operate() {
	if w.member != nil {
		w.operateMember()
	}
	w.read()
	for i, name := range names[:w.p.environments] {
		w.after(time.Duration(3+i*20+w.plan.IntN(10))*time.Second, func() { w.deploy(name, 1+w.plan.IntN(2)) })
	}
	var next func()
	next = func() {
		w.act()
		w.after(time.Duration(w.plan.ExpFloat64()*float64(w.p.pace)), next)
	}
	w.after(40*time.Second, next)
}

// act is one step of an operator.
func (w *world) act() {
	if w.rest.calm {
		return
	}
	if w.chance.Float64() < w.p.outages {
		w.outage()
	}
	if w.chance.Float64() < w.p.malformed {
		w.spoil()
	}
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	x := w.plan.IntN(total)
	for _, s := range steps {
		if x < s.weight {
			s.do(w)
			return
		}
		x -= s.weight
	}
}

// steps are what operators do, by how often.
var steps = []struct {
	weight int
	do     func(*world)
}{
	{10, func(w *world) { w.met("operator: host joins"); w.addHost() }},
	{2, func(w *world) {
		w.met("operator: hosts join in a burst")
		for range 3 + w.plan.IntN(4) {
			w.addHost()
		}
	}},
	{8, (*world).removeHost},
	{5, (*world).restartHost},
	{7, (*world).drainHost},
	{10, (*world).disconnect},
	{4, (*world).reregister},
	{14, func(w *world) { w.deploy(w.someName(), 1+w.plan.IntN(revisions)) }},
	{6, func(w *world) { // one deployment overtakes another
		w.met("operator: deployment overtaken")
		name := w.someName()
		w.deploy(name, 1+w.plan.IntN(revisions))
		w.after(time.Duration(2+w.plan.IntN(60))*time.Second, func() { w.deploy(name, 1+w.plan.IntN(revisions)) })
	}},
	{7, (*world).deleteAndRecreate},
	{6, (*world).runJob},
	{4, (*world).stopJob},
	{5, (*world).stopDaemon},
	{5, (*world).breakImage},
	{3, (*world).answerNothing},
	{12, (*world).rule},
	{4, (*world).freezeSome},
	{3, (*world).threeBadUpdates},
	{3, (*world).badUpdate},
	{6, (*world).moveRing},
	{3, (*world).fillAttributes},
	{6, (*world).sicken},
	{3, (*world).sickenAll},
	{4, (*world).deregisterDefinition},
	{5, (*world).raise},
}

func (w *world) someName() string { return names[w.plan.IntN(w.p.environments)] }

// squatter is an ordinary task with the port of the first environment's daemons, which finds its place where none is.
const squatter = "squatter"

func (w *world) runJob() { w.runOne("job") }

func (w *world) runOne(family string) {
	out, _ := w.operator("RunTask", map[string]any{"cluster": cluster, "taskDefinition": family, "startedBy": "cron", "count": 1}) // no host may be there
	tasks, _ := out["tasks"].([]any)
	for _, t := range tasks {
		w.met("operator: ordinary task")
		w.ops.jobs = append(w.ops.jobs, t.(map[string]any)["taskArn"].(string))
	}
	w.note("operator: %d ordinary tasks", len(tasks))
}

func (w *world) stopJob() {
	if len(w.ops.jobs) == 0 {
		return
	}
	i := w.plan.IntN(len(w.ops.jobs))
	arn := w.ops.jobs[i]
	w.ops.jobs = slices.Delete(w.ops.jobs, i, i+1)
	w.note("operator: stops the ordinary task %s", arn)
	w.operator("StopTask", map[string]any{"cluster": cluster, "task": arn, "reason": "no longer needed"}) // it may be over
}

// stopDaemon is somebody who stops a task of ours.
func (w *world) stopDaemon() {
	var arns []string
	for _, arn := range slices.Sorted(maps.Keys(w.truth.tasks)) {
		if t := w.truth.tasks[arn]; t.environment != "" && t.live() {
			arns = append(arns, arn)
		}
	}
	if len(arns) == 0 {
		return
	}
	arn := arns[w.plan.IntN(len(arns))]
	w.met("operator: daemon stopped by hand")
	w.note("operator: stops the daemon %s", arn)
	w.operator("StopTask", map[string]any{"cluster": cluster, "task": arn, "reason": "by hand"})
}

func (w *world) breakImage() {
	r := 1 + w.plan.IntN(revisions)
	if w.ops.broken[image(r)] {
		w.heal(r)
		return
	}
	w.breakImageOf(r)
}

func (w *world) breakImageOf(r int) {
	fault := ecssim.ImageFault{}
	switch w.plan.IntN(4) {
	case 0:
		fault.FailPull = true
	case 1:
		fault.CrashAfter, fault.ExitCode = time.Duration(1+w.plan.IntN(90))*time.Second, 1
	case 2:
		fault.Unhealthy = true
	default:
		fault.IgnoreStop = true
	}
	w.met("operator: image breaks")
	w.note("operator: image %s breaks: %+v", image(r), fault)
	w.ops.broken[image(r)] = true
	w.ecs.Faults().SetImage(image(r), fault)
}

func (w *world) heal(r int) {
	w.note("operator: image %s works again", image(r))
	delete(w.ops.broken, image(r))
	w.ecs.Faults().ClearImage(image(r))
}

func (w *world) answerNothing() {
	w.met("operator: ECS lists nothing")
	w.note("ECS: the next lists are empty")
	w.ecs.Faults().EmptyLists(1 + w.plan.IntN(2))
}

// outage takes the bus down.
func (w *world) outage() {
	w.bus.downUntil = w.now.Add(time.Duration(20+w.plan.IntN(200)) * time.Second)
	w.bus.holds = w.plan.IntN(2) == 0
	w.met("bus down")
	w.note("the bus is down until %s, events wait: %t", w.bus.downUntil.Format(time.TimeOnly), w.bus.holds)
}
