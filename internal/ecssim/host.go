package ecssim

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/blox/blox/internal/clusterquery"
)

const (
	statusActive   = "ACTIVE"
	statusDraining = "DRAINING"
	statusInactive = "INACTIVE"
)

// host is a container instance: what ECS knows of one registration of one machine.
type host struct {
	seq            uint64
	cluster        *cluster
	id             string
	arn            string
	ec2InstanceID  string
	external       bool
	status         string
	agentConnected bool
	version        int64
	registeredAt   time.Time
	updatedAt      time.Time
	versionInfo    versionInfo
	attributes     map[string]string // never changed in place: snapshots share it
	configured     map[string]string // those that its agent brings along, whenever it registers
	tags           tags

	cpu, memory         int // what the host has
	gpus                int
	usedCPU, usedMemory int // what tasks that are not STOPPED hold
	usedGPUs            int
	interfaces          int // for tasks of network mode awsvpc, one each
	usedInterfaces      int
	reserved            []port // ports taken before any task: SSH, Docker, the agent
	usedPorts           map[port]bool
	dynamicPorts        map[port]bool // Docker's choice; ECS does not count them among the ports taken
	nextDynamicPort     int

	tasks   sequence[*task] // not STOPPED
	running int
	pending int
}

func (h *host) order() uint64 { return h.seq }

type versionInfo struct {
	AgentHash     string `json:"agentHash,omitempty"`
	AgentVersion  string `json:"agentVersion,omitempty"`
	DockerVersion string `json:"dockerVersion,omitempty"`
}

type port struct {
	number int
	udp    bool
}

func (h *host) launchType() string {
	if h.external {
		return launchExternal
	}
	return launchEC2
}

func (h *host) zone() string { return h.attributes["ecs.availability-zone"] }

// query is the host as the cluster query language sees it.
func (h *host) query() clusterquery.Host {
	groups := make([]string, len(h.tasks))
	for i, t := range h.tasks {
		groups[i] = t.group
	}
	return clusterquery.Host{
		AgentConnected: h.agentConnected, AgentVersion: h.versionInfo.AgentVersion, EC2InstanceID: h.ec2InstanceID,
		Attributes: h.attributes, RegisteredAt: h.registeredAt, RunningTasksCount: h.running, TaskGroups: groups,
	}
}

// setAttributes changes a copy of the attributes and puts it in their place.
func (h *host) setAttributes(change func(map[string]string)) {
	changed := maps.Clone(h.attributes)
	change(changed)
	h.attributes = changed
}

// hold takes the resources of a task, release gives them back; ECS holds them until the task is STOPPED.
func (h *host) hold(t *task) {
	h.tasks.insert(t)
	h.usedCPU += t.cpu
	h.usedMemory += t.memory
	h.usedGPUs += t.gpus
	if t.eni != nil {
		h.usedInterfaces++
	}
	for _, p := range t.ports {
		h.usedPorts[p] = true
	}
}

func (h *host) release(t *task) {
	h.tasks.remove(t)
	h.usedCPU -= t.cpu
	h.usedMemory -= t.memory
	h.usedGPUs -= t.gpus
	if t.eni != nil {
		h.usedInterfaces--
	}
	for _, p := range t.ports {
		delete(h.usedPorts, p)
	}
	for _, c := range t.containers {
		for _, b := range c.bindings {
			delete(h.dynamicPorts, port{b.HostPort, b.Protocol == "udp"})
		}
	}
}

func (h *host) portTaken(p port) bool {
	return h.usedPorts[p] || h.dynamicPorts[p] || slices.Contains(h.reserved, p)
}

// Docker's range for host port 0.
const firstDynamicPort, lastDynamicPort = 32768, 60999

// dynamicPort finds a free host port; a host has far more of them than tasks can use, so it always ends.
func (h *host) dynamicPort(udp bool) int {
	for range lastDynamicPort - firstDynamicPort + 1 {
		if h.nextDynamicPort < firstDynamicPort || h.nextDynamicPort > lastDynamicPort {
			h.nextDynamicPort = firstDynamicPort
		}
		p := port{h.nextDynamicPort, udp}
		h.nextDynamicPort++
		if !h.portTaken(p) {
			h.dynamicPorts[p] = true
			return p.number
		}
	}
	return 0
}

type attributeDocument struct {
	Name       string `json:"name"`
	Value      string `json:"value,omitempty"`
	TargetType string `json:"targetType,omitempty"`
	TargetID   string `json:"targetId,omitempty"`
}

type resourceDocument struct {
	Name           string    `json:"name"`
	Type           string    `json:"type"`
	DoubleValue    *float64  `json:"doubleValue,omitempty"`
	LongValue      *int64    `json:"longValue,omitempty"`
	IntegerValue   *int      `json:"integerValue,omitempty"`
	StringSetValue *[]string `json:"stringSetValue,omitempty"`
}

type hostDocument struct {
	AccountType          string              `json:"accountType,omitempty"`
	AgentConnected       bool                `json:"agentConnected"`
	Attachments          []struct{}          `json:"attachments"`
	Attributes           []attributeDocument `json:"attributes"`
	ClusterArn           string              `json:"clusterArn,omitempty"`
	ContainerInstanceArn string              `json:"containerInstanceArn"`
	Ec2InstanceID        string              `json:"ec2InstanceId"`
	HealthStatus         *hostHealth         `json:"healthStatus,omitempty"`
	PendingTasksCount    int                 `json:"pendingTasksCount"`
	RegisteredAt         *stamp              `json:"registeredAt"`
	RegisteredResources  []resourceDocument  `json:"registeredResources"`
	RemainingResources   []resourceDocument  `json:"remainingResources"`
	RunningTasksCount    int                 `json:"runningTasksCount"`
	Status               string              `json:"status"`
	Tags                 tags                `json:"tags,omitempty"`
	UpdatedAt            *stamp              `json:"updatedAt,omitempty"`
	Version              int64               `json:"version"`
	VersionInfo          versionInfo         `json:"versionInfo"`
}

type hostHealth struct {
	OverallStatus string             `json:"overallStatus"`
	Details       []hostHealthDetail `json:"details"`
}

type hostHealthDetail struct {
	Type             string `json:"type"`
	Status           string `json:"status"`
	LastUpdated      *stamp `json:"lastUpdated"`
	LastStatusChange *stamp `json:"lastStatusChange"`
}

func (h *host) document(m mode) *hostDocument {
	d := &hostDocument{
		AgentConnected: h.agentConnected, Attachments: []struct{}{}, Attributes: h.attributeDocuments(),
		ContainerInstanceArn: h.arn, Ec2InstanceID: h.ec2InstanceID, PendingTasksCount: h.pending,
		RegisteredAt: m.stamp(h.registeredAt), RunningTasksCount: h.running, Status: h.status, Version: h.version,
		VersionInfo: h.versionInfo,
	}
	d.RegisteredResources = resources(m, h.cpu, h.memory, h.gpus, h.reserved)
	taken := slices.AppendSeq(slices.Clone(h.reserved), maps.Keys(h.usedPorts)) // sorted below
	d.RemainingResources = resources(m, h.cpu-h.usedCPU, h.memory-h.usedMemory, h.gpus-h.usedGPUs, taken)
	if m == forEvent {
		d.AccountType, d.ClusterArn, d.UpdatedAt = "standard", h.cluster.arn, m.stamp(h.updatedAt)
	}
	return d
}

func (h *host) attributeDocuments() []attributeDocument {
	docs := make([]attributeDocument, 0, len(h.attributes))
	for _, name := range slices.Sorted(maps.Keys(h.attributes)) {
		docs = append(docs, attributeDocument{Name: name, Value: h.attributes[name]})
	}
	return docs
}

// resources spells resources as ECS does: the API names every kind of value, with zeros, an event only the one that counts.
func resources(m mode, cpu, memory, gpus int, ports []port) []resourceDocument {
	docs := []resourceDocument{integerResource(m, "CPU", cpu), integerResource(m, "MEMORY", memory), portResource(m, "PORTS", ports, false), portResource(m, "PORTS_UDP", ports, true)}
	if gpus > 0 {
		docs = append(docs, integerResource(m, "GPU", gpus))
	}
	return docs
}

func integerResource(m mode, name string, value int) resourceDocument {
	return withZeros(m, resourceDocument{Name: name, Type: "INTEGER", IntegerValue: &value})
}

func portResource(m mode, name string, ports []port, udp bool) resourceDocument {
	var numbers []int
	for _, p := range ports {
		if p.udp == udp {
			numbers = append(numbers, p.number)
		}
	}
	slices.Sort(numbers)
	texts := make([]string, 0, len(numbers))
	for _, n := range slices.Compact(numbers) {
		texts = append(texts, strconv.Itoa(n))
	}
	return withZeros(m, resourceDocument{Name: name, Type: "STRINGSET", StringSetValue: &texts})
}

func withZeros(m mode, d resourceDocument) resourceDocument {
	if m == forAPI {
		d.DoubleValue, d.LongValue = new(float64), new(int64)
		if d.IntegerValue == nil {
			d.IntegerValue = new(int)
		}
	}
	return d
}
