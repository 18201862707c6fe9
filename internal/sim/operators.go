package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecssim"
)

// operators are the people and machines around Blox: they come with hosts, leave with them, and change their minds.
type operators struct {
	machines int // named so far
	jobs     []string
	// revision of the daemon that each environment name was given last; 0 is none.
	wants map[string]int
	// broken are the images that do not work now.
	broken map[string]bool
}

// revisions of each daemon's task definition, each with an image of its own. Every third has a container health check,
// one is heavier. The family is named as the environment.
const revisions = 8

func image(revision int) string { return fmt.Sprintf("agent:%d", revision) }

func (w *world) prepare() {
	w.ops = operators{wants: map[string]int{}, broken: map[string]bool{}}
	w.must("CreateCluster", map[string]any{"clusterName": cluster})
	for i, name := range names {
		for r := 1; r <= revisions; r++ {
			w.registerDaemon(name, r, 9000+i)
		}
	}
	for _, family := range []string{"job", "web"} {
		w.must("RegisterTaskDefinition", map[string]any{"family": family, "networkMode": "bridge", "containerDefinitions": []any{
			map[string]any{"name": family, "image": family, "cpu": 50, "memory": map[string]int{"job": 1400, "web": 300}[family], "essential": true},
		}})
	}
	for range w.p.hosts {
		w.addHost()
	}
	w.must("CreateService", map[string]any{"cluster": cluster, "serviceName": "web", "taskDefinition": "web", "desiredCount": 1 + w.plan.IntN(4)})
}

func (w *world) registerDaemon(name string, revision, port int) {
	container := map[string]any{
		"name": "agent", "image": image(revision), "cpu": 10, "memory": 200, "essential": true,
		// A port that only one task of a host can have, as daemons often want.
		"portMappings": []any{map[string]any{"containerPort": 9000, "hostPort": port}},
	}
	if revision%3 == 0 {
		container["healthCheck"] = map[string]any{"command": []string{"CMD", "true"}}
	}
	if revision == 4 {
		container["memory"] = 900
	}
	w.must("RegisterTaskDefinition", map[string]any{"family": name, "networkMode": "bridge", "containerDefinitions": []any{container}})
}

func (w *world) must(action string, in any) map[string]any {
	out, ok := w.operator(action, in)
	if !ok {
		panic(fmt.Sprintf("sim: %s: %v", action, out))
	}
	return out
}

// names of the environments.
var names = []string{"log-agent", "scanner"}

// operate begins the operators' work.
func (w *world) operate() {
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
	{5, (*world).deleteAndRecreate},
	{6, (*world).runJob},
	{4, (*world).stopJob},
	{5, (*world).stopDaemon},
	{5, (*world).breakImage},
	{3, (*world).answerNothing},
}

func (w *world) someName() string { return names[w.plan.IntN(w.p.environments)] }

func (w *world) addHost() {
	if len(w.registered()) >= w.p.mostHosts {
		return
	}
	w.ops.machines++
	// In no order of their coming: what sorts first must not always be what is oldest.
	id := fmt.Sprintf("i-%04x%013x", w.plan.IntN(1<<16), w.ops.machines)
	w.ecs.AddHost(w.now, cluster, hostSpec(id))
	w.note("operator: host %s joins", id)
	w.hear()
}

// registered are the container instances that are not INACTIVE, sorted by machine and registration.
func (w *world) registered() []*host {
	var hosts []*host
	for _, arn := range slices.Sorted(maps.Keys(w.truth.hosts)) {
		if h := w.truth.hosts[arn]; h.status != "INACTIVE" {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

func (w *world) someHost(fits func(*host) bool) *host {
	hosts := slices.DeleteFunc(w.registered(), func(h *host) bool { return !fits(h) })
	if len(hosts) == 0 {
		return nil
	}
	return hosts[w.plan.IntN(len(hosts))]
}

func (h *host) active() bool { return h.status == daemon.StatusActive && h.connected }

func (w *world) removeHost() {
	h := w.someHost(func(*host) bool { return true })
	if h == nil || len(w.registered()) < 4 {
		return
	}
	w.met("operator: host leaves")
	w.note("operator: host %s leaves", h.machine)
	if err := w.ecs.RemoveHost(w.now, cluster, h.machine); err != nil {
		panic(err)
	}
	w.hear()
}

// restartHost is a machine that is stopped and started again: it leaves, and comes back under its old EC2 instance id.
func (w *world) restartHost() {
	h := w.someHost((*host).active)
	if h == nil || len(w.registered()) < 4 {
		return
	}
	w.met("operator: host stops and comes back")
	w.note("operator: host %s stops", h.machine)
	if err := w.ecs.RemoveHost(w.now, cluster, h.machine); err != nil {
		panic(err)
	}
	w.hear()
	w.after(time.Duration(10+w.plan.IntN(240))*time.Second, func() {
		w.note("operator: host %s comes back", h.machine)
		w.ecs.AddHost(w.now, cluster, hostSpec(h.machine))
		w.hear()
	})
}

// hostSpec is a machine with room for two daemons and an ordinary task, and not for many of them.
func hostSpec(id string) ecssim.HostSpec {
	return ecssim.HostSpec{EC2InstanceID: id, Memory: 2500, CPU: 1024}
}

func (w *world) drainHost() {
	h := w.someHost((*host).active)
	if h == nil {
		return
	}
	w.met("operator: host drains")
	w.setStatus(h, daemon.StatusDraining)
	if w.plan.IntN(2) == 0 {
		w.after(time.Duration(5+w.plan.IntN(240))*time.Second, func() {
			if h.status == daemon.StatusDraining {
				w.met("operator: host drains no more")
				w.setStatus(h, daemon.StatusActive)
			}
		})
	}
}

func (w *world) setStatus(h *host, status string) {
	w.note("operator: host %s to %s", h.machine, status)
	w.must("UpdateContainerInstancesState", map[string]any{"cluster": cluster, "containerInstances": []string{h.arn}, "status": status})
}

func (w *world) disconnect() {
	h := w.someHost(func(h *host) bool { return h.connected })
	if h == nil {
		return
	}
	w.met("operator: agent away")
	w.note("operator: the agent of host %s is away", h.machine)
	if err := w.ecs.DisconnectAgent(w.now, cluster, h.arn); err != nil {
		panic(err)
	}
	w.hear()
	away := time.Duration(1+w.plan.IntN(60)) * time.Second
	if w.plan.IntN(3) == 0 {
		away = time.Duration(1+w.plan.IntN(6)) * time.Minute
	}
	w.after(away, func() { w.reconnect(h) })
}

func (w *world) reconnect(h *host) {
	if h.status == "INACTIVE" || h.connected || w.replaced(h) {
		return
	}
	w.note("operator: the agent of host %s is back", h.machine)
	if err := w.ecs.ReconnectAgent(w.now, cluster, h.arn); err != nil {
		panic(err)
	}
	w.hear()
}

// replaced says that the machine's agent has registered anew since.
func (w *world) replaced(h *host) bool {
	for _, other := range w.registered() {
		if other != h && other.machine == h.machine && other.connected {
			return true
		}
	}
	return false
}

// reregister is an agent that lost its state. Somebody takes its old registration away a while later.
func (w *world) reregister() {
	h := w.someHost((*host).active)
	if h == nil {
		return
	}
	w.met("operator: agent registers anew")
	arn, err := w.ecs.ReregisterAgent(w.now, cluster, h.arn)
	if err != nil {
		panic(err)
	}
	w.note("operator: host %s registers anew as %s", h.machine, arn)
	w.hear()
	w.after(time.Duration(10+w.plan.IntN(200))*time.Second, func() { w.deregister(h) })
}

func (w *world) deregister(h *host) {
	if h.status == "INACTIVE" {
		return
	}
	w.note("operator: the registration %s of host %s is taken away", h.arn, h.machine)
	w.must("DeregisterContainerInstance", map[string]any{"cluster": cluster, "containerInstance": h.arn, "force": true})
}

func (w *world) runJob() {
	out, _ := w.operator("RunTask", map[string]any{"cluster": cluster, "taskDefinition": "job", "startedBy": "cron", "count": 1}) // no host may be there
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

// apiTries bounds how often a caller repeats a request that failed for a passing reason.
const apiTries = 12

// call sends a request to the API, as a client that tries again does. then hears the last answer.
func (w *world) call(method, path string, in any, tries int, then func(status int, body []byte)) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			panic(err)
		}
	}
	p := w.api.take()
	answer := httptest.NewRecorder()
	w.start("api", func(ctx context.Context) {
		req := httptest.NewRequest(method, path, bytes.NewReader(body)).WithContext(ctx)
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		p.api.ServeHTTP(answer, req)
	}, func(crashed bool) {
		status := answer.Code
		if crashed {
			status = http.StatusBadGateway
		} else {
			w.api.giveBack(p)
		}
		w.note("%s %s: %d", method, path, status)
		if (status >= 500 || status == http.StatusTooManyRequests) && tries > 1 {
			w.after(time.Duration(500+w.plan.IntN(4000))*time.Millisecond, func() { w.call(method, path, in, tries-1, then) })
			return
		}
		raw, err := io.ReadAll(answer.Body)
		if err != nil {
			panic(err)
		}
		then(status, raw)
	})
}

// deploy gives an environment a revision, making it if there is none, and deploys it.
func (w *world) deploy(name string, revision int) {
	if w.rest.calm {
		return
	}
	w.met("operator: deployment")
	w.ops.wants[name] = revision
	definition := client.EnvironmentDefinition{
		Name: name, InstanceGroup: &client.InstanceGroup{Cluster: cluster}, TaskDefinition: fmt.Sprintf("%s:%d", name, revision), LaunchType: "EC2",
		DeploymentConfiguration: &client.DeploymentConfiguration{
			MinimumHealthyPercent: &w.p.minimumHealthyPercent, MinHealthySeconds: &w.p.minHealthySeconds,
		},
	}
	w.call(http.MethodPut, "/v1/environments/"+name, definition, apiTries, func(status int, body []byte) {
		var env client.Environment
		if status >= 300 || json.Unmarshal(body, &env) != nil {
			w.met(fmt.Sprintf("api answered PUT with %d", status))
			return // somebody deletes it, or was faster
		}
		w.call(http.MethodPost, "/v1/environments/"+name+"/deployments?deploymentToken="+env.DeploymentToken, nil, apiTries, func(status int, body []byte) {
			if status >= 300 {
				w.met(fmt.Sprintf("api answered POST with %d", status))
				w.note("api: %s", body)
			}
		})
	})
}

// deleteAndRecreate deletes an environment, often while it is busy, and makes one of the same name.
func (w *world) deleteAndRecreate() {
	name, terminate := w.someName(), w.plan.IntN(4) > 0
	w.met("operator: environment deleted")
	remove := func() {
		w.call(http.MethodDelete, fmt.Sprintf("/v1/environments/%s?terminateTasks=%t", name, terminate), nil, apiTries, func(int, []byte) {})
	}
	if w.plan.IntN(2) == 0 { // somebody deploys and thinks again
		w.deploy(name, 1+w.plan.IntN(revisions))
		w.after(time.Duration(200+w.plan.IntN(15_000))*time.Millisecond, remove)
	} else {
		remove()
	}
	if w.plan.IntN(4) > 0 {
		revision := 1 + w.plan.IntN(revisions)
		w.after(time.Duration(5+w.plan.IntN(150))*time.Second, func() { w.deploy(name, revision) })
	}
}

func peek(response *http.Response) []byte {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return body
}
