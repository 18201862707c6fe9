package ecssim

import (
	"maps"
	"slices"
)

// capabilities are attributes every agent of today reports.
var capabilities = []string{
	"com.amazonaws.ecs.capability.docker-remote-api.1.44",
	"com.amazonaws.ecs.capability.ecr-auth",
	"com.amazonaws.ecs.capability.logging-driver.awslogs",
	"com.amazonaws.ecs.capability.logging-driver.json-file",
	"com.amazonaws.ecs.capability.logging-driver.syslog",
	"com.amazonaws.ecs.capability.privileged-container",
	"com.amazonaws.ecs.capability.task-iam-role",
	"ecs.capability.container-health-check",
	"ecs.capability.execution-role-awslogs",
	"ecs.capability.task-eni",
}

// wellKnownPorts are SSH's, Docker's and the agent's.
var wellKnownPorts = []port{{22, false}, {2375, false}, {2376, false}, {51678, false}, {51679, false}}

const (
	defaultCPU          = 2048
	defaultMemory       = 7800
	defaultInterfaces   = 2 // an m7i.large has three, one of which is its own
	defaultAgentVersion = "1.103.0"
	defaultInstanceType = "m7i.large"
)

// newHost registers a container instance; no event yet, for the caller decides whether its agent is connected.
func (c *cluster) newHost(spec HostSpec, reserved []port) *host {
	s := c.sim
	id := s.newID()
	h := &host{
		seq: s.nextSeq(), cluster: c, id: id, arn: s.arn("container-instance", c.name+"/"+id), external: spec.External,
		ec2InstanceID: spec.EC2InstanceID, status: statusActive, registeredAt: s.now, tags: tagsOf(spec.Tags),
		cpu: spec.CPU, memory: spec.Memory, gpus: spec.GPUs, interfaces: spec.NetworkInterfaces, reserved: reserved, usedPorts: map[port]bool{}, dynamicPorts: map[port]bool{},
		attributes:  map[string]string{},
		versionInfo: versionInfo{AgentHash: "5d3f6b1a", AgentVersion: spec.AgentVersion, DockerVersion: "DockerVersion: 27.5.1"},
	}
	if h.ec2InstanceID == "" {
		prefix := "i-"
		if h.external {
			prefix = "mi-"
		}
		h.ec2InstanceID = prefix + s.newID()[:17]
	}
	for _, name := range capabilities {
		h.attributes[name] = ""
	}
	h.attributes["ecs.os-type"] = "linux"
	h.attributes["ecs.cpu-architecture"] = "x86_64"
	if h.external {
		h.attributes["ecs.capability.external"] = ""
		delete(h.attributes, "ecs.capability.task-eni") // awsvpc needs a VPC
	} else {
		h.attributes["ecs.ami-id"] = "ami-0c0ffee0c0ffee000"
		h.attributes["ecs.instance-type"] = defaultInstanceType
		h.attributes["ecs.availability-zone"] = s.cfg.Region + string(rune('a'+len(c.hosts)%3))
	}
	maps.Copy(h.attributes, spec.Attributes)
	h.configured = h.attributes
	c.hosts.insert(h)
	c.hostByID[id] = h
	return h
}

// setConnected is the agent's connection coming or going. What its tasks did in between is reported on its return.
func (h *host) setConnected(connected bool) {
	if h.agentConnected == connected || h.status == statusInactive {
		return
	}
	s := h.cluster.sim
	h.agentConnected = connected
	s.emitHost(h)
	if connected {
		for _, t := range slices.Clone(h.tasks) {
			t.resume()
		}
		h.cluster.pokeServices()
	}
}

// deactivate takes the host out of the cluster: its tasks, which nobody can hear of any more, count as stopped at once.
func (h *host) deactivate(code, reason string) {
	s := h.cluster.sim
	h.status, h.agentConnected = statusInactive, false
	for _, t := range slices.Clone(h.tasks) {
		t.stopBy(code, reason)
		t.end()
	}
	s.emitHost(h)
	h.cluster.pokeServices()
	s.after(s.cfg.Delays.InactiveInstanceRetention, func() {
		h.cluster.hosts.remove(h)
		delete(h.cluster.hostByID, h.id)
	})
}

// HostSpec describes a machine to add. Zero values mean the defaults.
type HostSpec struct {
	EC2InstanceID string // generated if empty: i-…, or mi-… for an external host
	CPU           int    // CPU units, 2048 if 0
	Memory        int    // MiB, 7800 if 0
	GPUs          int    // 0 if 0
	// NetworkInterfaces are those that tasks of network mode awsvpc can have, one each: 2 if 0.
	NetworkInterfaces int
	Attributes        map[string]string // over the built-in ones (ecs.availability-zone, ecs.instance-type, …)
	AgentVersion      string            // 1.103.0 if empty
	External          bool              // ECS Anywhere: launch type EXTERNAL
	Tags              map[string]string
}

func (h HostSpec) withDefaults() HostSpec {
	if h.CPU == 0 {
		h.CPU = defaultCPU
	}
	if h.Memory == 0 {
		h.Memory = defaultMemory
	}
	if h.NetworkInterfaces == 0 {
		h.NetworkInterfaces = defaultInterfaces
	}
	if h.AgentVersion == "" {
		h.AgentVersion = defaultAgentVersion
	}
	return h
}
