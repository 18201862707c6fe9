package ecssim

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

const (
	desiredRunning = "RUNNING"
	desiredStopped = "STOPPED"

	lastProvisioning   = "PROVISIONING"
	lastPending        = "PENDING"
	lastRunning        = "RUNNING"
	lastDeactivating   = "DEACTIVATING"
	lastStopping       = "STOPPING"
	lastDeprovisioning = "DEPROVISIONING"
	lastStopped        = "STOPPED"

	healthUnknown   = "UNKNOWN"
	healthHealthy   = "HEALTHY"
	healthUnhealthy = "UNHEALTHY"
)

type task struct {
	seq        uint64
	cluster    *cluster
	host       *host
	definition *taskDefinition
	service    *service
	launch     *launch // the RunTask call it came from, if that had a token
	id, arn    string
	group      string
	startedBy  string
	overrides  *taskOverride
	exec       bool
	eni        *eni
	tags       tags

	cpu, memory, gpus int
	ports             []port
	containers        []*container

	desired, last string
	version       int64
	stopCode      string
	stoppedReason string
	visibleAt     time.Time // List and Describe know it from then on
	createdAt, connectivityAt, pullStartedAt, pullStoppedAt, startedAt,
	stoppingAt, executionStoppedAt, stoppedAt, updatedAt time.Time

	generation uint64 // a new plan for the task makes the steps of the old one void
	waiting    func() // the step the agent could not report yet
}

func (t *task) order() uint64 { return t.seq }

type container struct {
	definition *containerDefinition
	arn        string
	runtimeID  string
	last       string
	health     string
	exitCode   *int
	reason     string
	bindings   []networkBinding
}

type eni struct {
	id, subnet, networkInterface, address string
}

type networkBinding struct {
	BindIP        string `json:"bindIP"`
	ContainerPort int    `json:"containerPort"`
	HostPort      int    `json:"hostPort"`
	Protocol      string `json:"protocol"`
}

type attachmentDocument struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Status  string         `json:"status"`
	Details []keyValuePair `json:"details"`
}

type keyValuePair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type networkInterfaceDocument struct {
	AttachmentID       string `json:"attachmentId"`
	PrivateIpv4Address string `json:"privateIpv4Address"`
}

type managedAgentDocument struct {
	Name          string `json:"name"`
	LastStatus    string `json:"lastStatus"`
	LastStartedAt *stamp `json:"lastStartedAt,omitempty"`
}

type containerDocument struct {
	ContainerArn      string                     `json:"containerArn"`
	TaskArn           string                     `json:"taskArn"`
	Name              string                     `json:"name"`
	Image             string                     `json:"image"`
	ImageDigest       string                     `json:"imageDigest,omitempty"`
	RuntimeID         string                     `json:"runtimeId,omitempty"`
	LastStatus        string                     `json:"lastStatus"`
	ExitCode          *int                       `json:"exitCode,omitempty"`
	Reason            string                     `json:"reason,omitempty"`
	NetworkBindings   []networkBinding           `json:"networkBindings"`
	NetworkInterfaces []networkInterfaceDocument `json:"networkInterfaces"`
	HealthStatus      string                     `json:"healthStatus"`
	ManagedAgents     []managedAgentDocument     `json:"managedAgents,omitempty"`
	CPU               string                     `json:"cpu"`
	Memory            string                     `json:"memory,omitempty"`
	MemoryReservation string                     `json:"memoryReservation,omitempty"`
}

type taskDocument struct {
	Attachments          []attachmentDocument `json:"attachments"`
	Attributes           []attributeDocument  `json:"attributes"`
	AvailabilityZone     string               `json:"availabilityZone,omitempty"`
	ClusterArn           string               `json:"clusterArn"`
	Connectivity         string               `json:"connectivity,omitempty"`
	ConnectivityAt       *stamp               `json:"connectivityAt,omitempty"`
	ContainerInstanceArn string               `json:"containerInstanceArn"`
	Containers           []containerDocument  `json:"containers"`
	CPU                  string               `json:"cpu"`
	CreatedAt            *stamp               `json:"createdAt"`
	DesiredStatus        string               `json:"desiredStatus"`
	EnableExecuteCommand bool                 `json:"enableExecuteCommand"`
	ExecutionStoppedAt   *stamp               `json:"executionStoppedAt,omitempty"`
	Group                string               `json:"group"`
	HealthStatus         string               `json:"healthStatus"`
	LastStatus           string               `json:"lastStatus"`
	LaunchType           string               `json:"launchType"`
	Memory               string               `json:"memory"`
	Overrides            *taskOverride        `json:"overrides"`
	PullStartedAt        *stamp               `json:"pullStartedAt,omitempty"`
	PullStoppedAt        *stamp               `json:"pullStoppedAt,omitempty"`
	StartedAt            *stamp               `json:"startedAt,omitempty"`
	StartedBy            string               `json:"startedBy,omitempty"`
	StopCode             string               `json:"stopCode,omitempty"`
	StoppedAt            *stamp               `json:"stoppedAt,omitempty"`
	StoppedReason        string               `json:"stoppedReason,omitempty"`
	StoppingAt           *stamp               `json:"stoppingAt,omitempty"`
	Tags                 tags                 `json:"tags,omitempty"`
	TaskArn              string               `json:"taskArn"`
	TaskDefinitionArn    string               `json:"taskDefinitionArn"`
	UpdatedAt            *stamp               `json:"updatedAt,omitempty"`
	Version              int64                `json:"version"`
}

func (t *task) document(m mode) *taskDocument {
	d := &taskDocument{
		Attachments: t.attachments(m), Attributes: []attributeDocument{{Name: "ecs.cpu-architecture", Value: t.host.attributes["ecs.cpu-architecture"]}},
		AvailabilityZone: t.host.zone(), ClusterArn: t.cluster.arn, ContainerInstanceArn: t.host.arn,
		CPU: strconv.Itoa(t.cpu), Memory: strconv.Itoa(t.memory), DesiredStatus: t.desired, LastStatus: t.last,
		EnableExecuteCommand: t.exec, Group: t.group, HealthStatus: t.health(), LaunchType: t.host.launchType(),
		Overrides: t.overrides, StartedBy: t.startedBy, StopCode: t.stopCode, StoppedReason: t.stoppedReason,
		TaskArn: t.arn, TaskDefinitionArn: t.definition.arn, Version: t.version,
		ConnectivityAt: m.stamp(t.connectivityAt), CreatedAt: m.stamp(t.createdAt), PullStartedAt: m.stamp(t.pullStartedAt),
		PullStoppedAt: m.stamp(t.pullStoppedAt), StartedAt: m.stamp(t.startedAt), StoppingAt: m.stamp(t.stoppingAt),
		ExecutionStoppedAt: m.stamp(t.executionStoppedAt), StoppedAt: m.stamp(t.stoppedAt),
	}
	if !t.connectivityAt.IsZero() {
		d.Connectivity = "CONNECTED"
	}
	if m == forEvent {
		d.UpdatedAt = m.stamp(t.updatedAt)
	}
	for _, c := range t.containers {
		d.Containers = append(d.Containers, t.containerDocument(c, m))
	}
	return d
}

func (t *task) containerDocument(c *container, m mode) containerDocument {
	d := containerDocument{
		ContainerArn: c.arn, TaskArn: t.arn, Name: c.definition.Name, Image: c.definition.Image, RuntimeID: c.runtimeID,
		LastStatus: c.last, ExitCode: c.exitCode, Reason: c.reason, NetworkBindings: c.bindings,
		NetworkInterfaces: []networkInterfaceDocument{}, HealthStatus: c.health,
	}
	cpu, memory, reservation := t.overrides.limits(c.definition)
	d.CPU = strconv.Itoa(cpu)
	if memory != nil {
		d.Memory = strconv.Itoa(*memory)
	}
	if reservation != nil {
		d.MemoryReservation = strconv.Itoa(*reservation)
	}
	if d.NetworkBindings == nil {
		d.NetworkBindings = []networkBinding{}
	}
	if c.runtimeID != "" {
		d.ImageDigest = "sha256:" + digest(c.definition.Image)
	}
	if t.eni != nil && t.last != lastProvisioning {
		d.NetworkInterfaces = append(d.NetworkInterfaces, networkInterfaceDocument{t.eni.id, t.eni.address})
	}
	if t.exec {
		agent := managedAgentDocument{Name: "ExecuteCommandAgent", LastStatus: c.last}
		if c.last == lastRunning {
			agent.LastStartedAt = m.stamp(t.startedAt)
		}
		d.ManagedAgents = []managedAgentDocument{agent}
	}
	return d
}

// attachments: the API and the events give the same interface different type names.
func (t *task) attachments(m mode) []attachmentDocument {
	if t.eni == nil {
		return []attachmentDocument{}
	}
	a := attachmentDocument{ID: t.eni.id, Type: "ElasticNetworkInterface", Status: "ATTACHED"}
	if m == forEvent {
		a.Type = "eni"
	}
	switch t.last {
	case lastProvisioning:
		a.Status = "PRECREATED"
	case lastStopped:
		a.Status = "DELETED"
	}
	a.Details = []keyValuePair{{"subnetId", t.eni.subnet}}
	if t.last != lastProvisioning {
		a.Details = append(a.Details, keyValuePair{"networkInterfaceId", t.eni.networkInterface}, keyValuePair{"privateIPv4Address", t.eni.address})
	}
	return []attachmentDocument{a}
}

// health is the task's: only essential containers with a health check count.
func (t *task) health() string {
	health := healthUnknown
	for _, c := range t.containers {
		if !c.definition.essential() || c.definition.HealthCheck == nil {
			continue
		}
		switch {
		case c.health == healthUnhealthy:
			return healthUnhealthy
		case c.health == healthUnknown:
			return healthUnknown
		}
		health = c.health
	}
	return health
}

// setLast keeps the host's counts, which the API shows although no event tells of them.
func (t *task) setLast(status string) {
	count := func(status string, by int) {
		switch status {
		case lastProvisioning, lastPending:
			t.host.pending += by
		case lastRunning:
			t.host.running += by
		}
	}
	count(t.last, -1)
	t.last = status
	count(status, 1)
}

func (t *task) setContainers(status string) {
	for _, c := range t.containers {
		if c.last != lastStopped {
			c.last = status
		}
	}
}

// digest makes a stable image digest out of an image's name (FNV-1a, stretched).
func digest(image string) string {
	hash := uint64(14695981039346656037)
	out := ""
	for range 4 {
		for _, b := range []byte(image) {
			hash = (hash ^ uint64(b)) * 1099511628211
		}
		out += fmt.Sprintf("%016x", hash)
	}
	return out
}

func (t *task) definitionHasHealthCheck() bool {
	return slices.ContainsFunc(t.containers, func(c *container) bool { return c.definition.HealthCheck != nil })
}
