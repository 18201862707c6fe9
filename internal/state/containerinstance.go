package state

import "time"

// ContainerInstance is a host of a cluster as the `detail` of an "ECS Container
// Instance State Change" event describes it, with the fields that only
// DescribeContainerInstances knows. The JSON names are those of the event; nil
// means that ECS gave no value.
type ContainerInstance struct {
	ContainerInstanceARN string `json:"containerInstanceArn,omitempty"`
	ClusterARN           string `json:"clusterArn,omitempty"`
	EC2InstanceID        string `json:"ec2InstanceId,omitempty"` // i-... on EC2, mi-... outside
	Version              int64  `json:"version"`

	Status       string `json:"status,omitempty"`
	StatusReason string `json:"statusReason,omitempty"`
	// AgentConnected false means that the host takes no new tasks; those it
	// has keep running.
	AgentConnected    bool   `json:"agentConnected"`
	AgentUpdateStatus string `json:"agentUpdateStatus,omitempty"`
	AccountType       string `json:"accountType,omitempty"` // in events only

	PendingTasksCount *int32 `json:"pendingTasksCount,omitzero"`
	RunningTasksCount *int32 `json:"runningTasksCount,omitzero"`

	Attachments         []Attachment `json:"attachments,omitzero"`
	Attributes          []Attribute  `json:"attributes,omitzero"`
	RegisteredResources []Resource   `json:"registeredResources,omitzero"`
	RemainingResources  []Resource   `json:"remainingResources,omitzero"`
	VersionInfo         *VersionInfo `json:"versionInfo,omitzero"`

	RegisteredAt *time.Time `json:"registeredAt,omitzero"`
	UpdatedAt    *time.Time `json:"updatedAt,omitzero"` // in events only

	// The rest comes from DescribeContainerInstances only.
	CapacityProviderName string          `json:"capacityProviderName,omitempty"`
	HealthStatus         *InstanceHealth `json:"healthStatus,omitzero"`
	GPUDevices           []GPUDevice     `json:"gpuDevices,omitzero"`
	Tags                 []Tag           `json:"tags,omitzero"`
}

// Resource is an amount of something a host has: CPU units, MEMORY in MiB, PORTS
// that are taken, GPUs. Type says which of the values holds it: INTEGER, LONG,
// DOUBLE or STRINGSET.
type Resource struct {
	Name           string   `json:"name,omitempty"`
	Type           string   `json:"type,omitempty"`
	IntegerValue   *int64   `json:"integerValue,omitzero"`
	LongValue      *int64   `json:"longValue,omitzero"`
	DoubleValue    *float64 `json:"doubleValue,omitzero"`
	StringSetValue []string `json:"stringSetValue,omitzero"`
}

// VersionInfo tells the versions of the ECS agent and of Docker on a host.
type VersionInfo struct {
	AgentHash     string `json:"agentHash,omitempty"`
	AgentVersion  string `json:"agentVersion,omitempty"`
	DockerVersion string `json:"dockerVersion,omitempty"`
}

// InstanceHealth is what ECS's own checks say about a host: OK, IMPAIRED,
// INSUFFICIENT_DATA or INITIALIZING.
type InstanceHealth struct {
	OverallStatus string                `json:"overallStatus,omitempty"`
	Details       []InstanceHealthCheck `json:"details,omitzero"`
}

// InstanceHealthCheck is the result of one check: CONTAINER_RUNTIME,
// ACCELERATED_COMPUTE, DAEMON or AGENT_CONNECTIVITY.
type InstanceHealthCheck struct {
	Type             string     `json:"type,omitempty"`
	Status           string     `json:"status,omitempty"`
	StatusReason     string     `json:"statusReason,omitempty"`
	LastUpdated      *time.Time `json:"lastUpdated,omitzero"`
	LastStatusChange *time.Time `json:"lastStatusChange,omitzero"`
}

// GPUDevice is a GPU of a host that supports sharing it.
type GPUDevice struct {
	GPUID                string `json:"gpuId,omitempty"`
	SharingMode          string `json:"sharingMode,omitempty"`
	ContainerCount       *int32 `json:"containerCount,omitzero"`
	TotalMemoryInMiB     *int32 `json:"totalMemoryInMiB,omitzero"`
	RemainingMemoryInMiB *int32 `json:"remainingMemoryInMiB,omitzero"`
}

// Key identifies the container instance by its ARN and its cluster's ARN.
func (c ContainerInstance) Key() (Key, error) {
	return KeyOf(KindContainerInstance, c.ClusterARN, c.ContainerInstanceARN)
}

// Attribute finds an attribute by its name. An attribute without a value is
// found with an empty value.
func (c ContainerInstance) Attribute(name string) (value string, ok bool) {
	for _, attribute := range c.Attributes {
		if attribute.Name == name {
			return attribute.Value, true
		}
	}
	return "", false
}

// AvailabilityZone is the zone ECS recorded when the host registered, empty on
// hosts outside AWS.
func (c ContainerInstance) AvailabilityZone() string {
	zone, _ := c.Attribute("ecs.availability-zone")
	return zone
}

// InstanceType is the EC2 instance type ECS recorded when the host registered,
// empty on hosts outside AWS.
func (c ContainerInstance) InstanceType() string {
	instanceType, _ := c.Attribute("ecs.instance-type")
	return instanceType
}

// Gone says whether the host has left its cluster for good.
func (c ContainerInstance) Gone() bool { return c.Status == InstanceInactive }
