package ecssim

import (
	"fmt"
	"time"
)

// newTask puts a task on a host: it holds its resources from now on, and its life begins.
func (c *cluster) newTask(h *host, start *start) *task {
	s := c.sim
	id := s.newID()
	t := &task{
		seq: s.nextSeq(), cluster: c, host: h, definition: start.definition, id: id, arn: s.arn("task", c.name+"/"+id),
		group: start.group, startedBy: start.startedBy, overrides: start.overrides, exec: start.exec, tags: start.tags,
		service: start.service, cpu: start.need.cpu, memory: start.need.memory, gpus: start.need.gpus, ports: start.need.ports,
		desired: desiredRunning, createdAt: s.now, visibleAt: s.now.Add(s.cfg.ConsistencyLag),
	}
	for i := range start.definition.containers {
		t.containers = append(t.containers, &container{
			definition: &start.definition.containers[i], last: lastPending, health: healthUnknown,
			arn: s.arn("container", c.name+"/"+id+"/"+s.newUUID()),
		})
	}
	first := lastPending
	if start.definition.networkMode == "awsvpc" {
		first = lastProvisioning
		n := s.ids.Uint32()
		t.eni = &eni{
			id: s.newUUID(), subnet: start.subnet, networkInterface: "eni-" + s.newID()[:17],
			address: fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, 1+n%254),
		}
	}
	h.hold(t)
	t.setLast(first)
	c.live.insert(t)
	c.taskByID[id] = t
	s.emitTask(t)
	s.emitHost(h)
	if first == lastProvisioning {
		t.then(s.cfg.Delays.Provision, t.provisioned)
	} else {
		t.then(s.cfg.Delays.Accept, t.accept)
	}
	return t
}

// then plans the task's next step and voids any other. A step is the agent's report of what happened on the host: as
// long as its agent is disconnected, ECS does not hear of it.
func (t *task) then(delay time.Duration, step func()) {
	s := t.cluster.sim
	t.generation++
	generation := t.generation
	t.waiting = nil
	s.after(s.jittered(delay), func() {
		if t.generation != generation || t.last == lastStopped {
			return
		}
		if !t.host.agentConnected {
			t.waiting = step
			return
		}
		step()
	})
}

// resume reports what the agent kept to itself while it was disconnected.
func (t *task) resume() {
	if step := t.waiting; step != nil {
		t.then(t.cluster.sim.cfg.Delays.Accept, step)
	}
}

func (t *task) provisioned() {
	t.setLast(lastPending)
	t.cluster.sim.emitTask(t)
	t.then(t.cluster.sim.cfg.Delays.Accept, t.accept)
}

func (t *task) accept() {
	s := t.cluster.sim
	t.connectivityAt, t.pullStartedAt = s.now, s.now
	s.emitTask(t)
	t.then(s.cfg.Delays.Pull, t.pulled)
}

func (t *task) pulled() {
	s := t.cluster.sim
	for _, c := range t.containers {
		if s.faults.images[c.definition.Image].FailPull {
			c.reason = fmt.Sprintf("CannotPullContainerError: Error response from daemon: pull access denied for %s, repository does not exist or may require 'docker login'", c.definition.Image)
			t.stopBy("TaskFailedToStart", "Task failed to start")
			t.end()
			return
		}
	}
	t.pullStoppedAt = s.now
	t.then(s.cfg.Delays.Start, t.started)
}

func (t *task) started() {
	s := t.cluster.sim
	t.startedAt = s.now
	t.setLast(lastRunning)
	t.setContainers(lastRunning)
	for _, c := range t.containers {
		c.runtimeID = s.newID() + s.newID()
		c.bindings = t.bind(c)
	}
	s.emitTask(t)
	t.afterStart()
	if t.service != nil {
		t.service.poke()
	}
}

// bind gives a container its host ports; awsvpc tasks have an address of their own and need none.
func (t *task) bind(c *container) []networkBinding {
	if mode := t.definition.networkMode; mode != "bridge" && mode != "host" {
		return nil
	}
	var bindings []networkBinding
	for _, p := range c.definition.PortMappings {
		number := p.HostPort
		if number == 0 {
			number = t.host.dynamicPort(p.Protocol == "udp")
		}
		bindings = append(bindings, networkBinding{BindIP: "0.0.0.0", ContainerPort: p.ContainerPort, HostPort: number, Protocol: p.Protocol})
	}
	return bindings
}

// afterStart plans the first of what a running task will do by itself: report its health, or crash.
func (t *task) afterStart() {
	s := t.cluster.sim
	health := s.cfg.Delays.Health
	checked := t.definitionHasHealthCheck()
	crasher, crash := t.crashing()
	switch {
	case crasher != nil && (!checked || crash <= health):
		t.then(crash, func() { t.crash(crasher) })
	case checked:
		t.then(health, func() {
			t.checkHealth()
			if t.desired == desiredRunning && crasher != nil {
				t.then(crash-health, func() { t.crash(crasher) })
			}
		})
	}
}

// crashing finds the container that will exit first by itself.
func (t *task) crashing() (*container, time.Duration) {
	var first *container
	var soonest time.Duration
	for _, c := range t.containers {
		after := t.cluster.sim.faults.images[c.definition.Image].CrashAfter
		if after > 0 && (first == nil || after < soonest) {
			first, soonest = c, after
		}
	}
	return first, soonest
}

func (t *task) checkHealth() {
	faults := t.cluster.sim.faults
	t.report(func(c *container) string {
		if faults.images[c.definition.Image].Unhealthy {
			return healthUnhealthy
		}
		return healthHealthy
	})
}

// crash ends a container. If it was essential, the task ends with it; another one leaves the task running.
func (t *task) crash(c *container) {
	s := t.cluster.sim
	code := s.faults.images[c.definition.Image].ExitCode
	c.exitCode, c.last = &code, lastStopped
	if !c.definition.essential() {
		s.emitTask(t)
		return
	}
	t.stopBy("EssentialContainerExited", "Essential container in task exited")
	t.executionStoppedAt = s.now
	t.end()
}

// stop is StopTask: the desired status flips at once; the containers follow when the agent has heard of it.
func (t *task) stop(code, reason string) {
	if t.desired == desiredStopped {
		return
	}
	s := t.cluster.sim
	t.stopBy(code, reason)
	s.emitTask(t)
	if t.eni != nil && t.last == lastRunning {
		t.then(s.cfg.Delays.Accept, t.deactivate)
	} else {
		t.then(s.cfg.Delays.Accept, t.stopContainers)
	}
}

// stopBy notes who wants the task stopped and why; the first one stays.
func (t *task) stopBy(code, reason string) {
	if t.desired == desiredStopped {
		return
	}
	t.desired, t.stopCode, t.stoppedReason, t.stoppingAt = desiredStopped, code, reason, t.cluster.sim.now
}

func (t *task) deactivate() {
	t.setLast(lastDeactivating)
	t.cluster.sim.emitTask(t)
	t.then(t.cluster.sim.cfg.Delays.Deactivate, t.stopContainers)
}

func (t *task) stopContainers() {
	s := t.cluster.sim
	t.setLast(lastStopping)
	s.emitTask(t)
	delay := s.cfg.Delays.Stop
	for _, c := range t.containers {
		if c.last == lastRunning && s.faults.images[c.definition.Image].IgnoreStop {
			delay = max(delay, c.killAfter(s.cfg.Delays.Kill))
		}
	}
	t.then(delay, t.containersStopped)
}

// killAfter is how long a container has between SIGTERM and SIGKILL.
func (c *container) killAfter(byDefault time.Duration) time.Duration {
	if c.definition.StopTimeout != nil {
		return time.Duration(*c.definition.StopTimeout) * time.Second
	}
	return byDefault
}

func (t *task) containersStopped() {
	s := t.cluster.sim
	for _, c := range t.containers {
		if c.last == lastRunning {
			code := 0
			if s.faults.images[c.definition.Image].IgnoreStop {
				code = 137 // 128 + SIGKILL
			}
			c.exitCode = &code
		}
	}
	if !t.startedAt.IsZero() {
		t.executionStoppedAt = s.now
	}
	t.setContainers(lastStopped)
	if t.eni == nil {
		t.end()
		return
	}
	t.setLast(lastDeprovisioning)
	s.emitTask(t)
	t.then(s.cfg.Delays.Deprovision, t.end)
}

// end is STOPPED: the host has its resources back, and an hour later ECS has forgotten the task.
func (t *task) end() {
	s := t.cluster.sim
	t.generation++
	t.waiting = nil
	t.setContainers(lastStopped)
	t.setLast(lastStopped)
	t.stoppedAt = s.now
	t.host.release(t)
	t.cluster.live.remove(t)
	t.cluster.stopped.insert(t)
	s.emitTask(t)
	if t.host.status != statusInactive {
		s.emitHost(t.host)
	}
	if t.service != nil {
		t.service.taskEnded(t)
	}
	s.after(s.cfg.Delays.StoppedTaskRetention, func() { t.cluster.forgetTask(t) })
}
