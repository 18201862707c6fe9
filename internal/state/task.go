package state

import "time"

// Task is an ECS task as the `detail` of an "ECS Task State Change" event
// describes it, with the fields that only DescribeTasks knows. The JSON names
// are those of the event.
//
// A pointer is nil and a slice is nil where ECS gave no value: "no exit code
// yet" and "exit code 0" are different things, and so are "no attachments" and
// "attachments not told".
type Task struct {
	TaskARN              string `json:"taskArn,omitempty"`
	ClusterARN           string `json:"clusterArn,omitempty"`
	ContainerInstanceARN string `json:"containerInstanceArn,omitempty"` // empty on Fargate
	TaskDefinitionARN    string `json:"taskDefinitionArn,omitempty"`
	Version              int64  `json:"version"`

	LastStatus    string `json:"lastStatus,omitempty"`
	DesiredStatus string `json:"desiredStatus,omitempty"` // RUNNING or STOPPED
	HealthStatus  string `json:"healthStatus,omitempty"`  // HEALTHY, UNHEALTHY or UNKNOWN
	StopCode      string `json:"stopCode,omitempty"`
	StoppedReason string `json:"stoppedReason,omitempty"`

	Group                string `json:"group,omitempty"`
	StartedBy            string `json:"startedBy,omitempty"`
	LaunchType           string `json:"launchType,omitempty"`
	CapacityProviderName string `json:"capacityProviderName,omitempty"`
	PlatformVersion      string `json:"platformVersion,omitempty"`
	PlatformFamily       string `json:"platformFamily,omitempty"`
	AvailabilityZone     string `json:"availabilityZone,omitempty"`
	EnableExecuteCommand *bool  `json:"enableExecuteCommand,omitzero"`

	// CPU is in CPU units and Memory in MiB, as strings because ECS sends
	// strings.
	CPU              string            `json:"cpu,omitempty"`
	Memory           string            `json:"memory,omitempty"`
	EphemeralStorage *EphemeralStorage `json:"ephemeralStorage,omitzero"`

	Connectivity   string     `json:"connectivity,omitempty"` // CONNECTED or DISCONNECTED
	ConnectivityAt *time.Time `json:"connectivityAt,omitzero"`

	CreatedAt          *time.Time `json:"createdAt,omitzero"`
	PullStartedAt      *time.Time `json:"pullStartedAt,omitzero"`
	PullStoppedAt      *time.Time `json:"pullStoppedAt,omitzero"`
	StartedAt          *time.Time `json:"startedAt,omitzero"`
	StoppingAt         *time.Time `json:"stoppingAt,omitzero"`
	ExecutionStoppedAt *time.Time `json:"executionStoppedAt,omitzero"`
	StoppedAt          *time.Time `json:"stoppedAt,omitzero"`
	// UpdatedAt is in events only.
	UpdatedAt *time.Time `json:"updatedAt,omitzero"`

	Attachments []Attachment   `json:"attachments,omitzero"`
	Attributes  []Attribute    `json:"attributes,omitzero"`
	Containers  []Container    `json:"containers,omitzero"`
	Overrides   *TaskOverrides `json:"overrides,omitzero"`

	// Tags, FargateEphemeralStorage and InferenceAccelerators come from
	// DescribeTasks only.
	Tags                    []Tag                    `json:"tags,omitzero"`
	FargateEphemeralStorage *FargateEphemeralStorage `json:"fargateEphemeralStorage,omitzero"`
	InferenceAccelerators   []InferenceAccelerator   `json:"inferenceAccelerators,omitzero"`
}

// Container is one container of a task. CPU, Memory and MemoryReservation are
// strings because ECS sends strings; memory is in MiB.
type Container struct {
	ContainerARN       string             `json:"containerArn,omitempty"`
	TaskARN            string             `json:"taskArn,omitempty"`
	Name               string             `json:"name,omitempty"`
	Image              string             `json:"image,omitempty"`
	ImageDigest        string             `json:"imageDigest,omitempty"`
	RuntimeID          string             `json:"runtimeId,omitempty"`
	LastStatus         string             `json:"lastStatus,omitempty"`
	HealthStatus       string             `json:"healthStatus,omitempty"`
	ExitCode           *int64             `json:"exitCode,omitzero"`
	Reason             string             `json:"reason,omitempty"`
	CPU                string             `json:"cpu,omitempty"`
	Memory             string             `json:"memory,omitempty"`
	MemoryReservation  string             `json:"memoryReservation,omitempty"`
	NetworkBindings    []NetworkBinding   `json:"networkBindings,omitzero"`
	NetworkInterfaces  []NetworkInterface `json:"networkInterfaces,omitzero"`
	ManagedAgents      []ManagedAgent     `json:"managedAgents,omitzero"`
	GPUIDs             []string           `json:"gpuIds,omitzero"`
	GPUSharingStrategy *SharingStrategy   `json:"gpuSharingStrategy,omitempty"`
	NeuronDeviceIDs    []string           `json:"neuronDeviceIds,omitzero"`
}

// NetworkBinding is a host port that leads to a container port, or a range of
// them ("8000-8100").
type NetworkBinding struct {
	BindIP             string `json:"bindIP,omitempty"`
	ContainerPort      *int32 `json:"containerPort,omitzero"`
	HostPort           *int32 `json:"hostPort,omitzero"`
	ContainerPortRange string `json:"containerPortRange,omitempty"`
	HostPortRange      string `json:"hostPortRange,omitempty"`
	Protocol           string `json:"protocol,omitempty"` // tcp or udp
}

// NetworkInterface is the elastic network interface of a task with awsvpc
// networking, as one of its containers sees it.
type NetworkInterface struct {
	AttachmentID       string `json:"attachmentId,omitempty"`
	PrivateIPv4Address string `json:"privateIpv4Address,omitempty"`
	IPv6Address        string `json:"ipv6Address,omitempty"`
}

// ManagedAgent is a helper that ECS runs in a container, such as
// ExecuteCommandAgent. DescribeTasks and some events call its state lastStatus,
// other events call it status.
type ManagedAgent struct {
	Name          string     `json:"name,omitempty"`
	LastStatus    string     `json:"lastStatus,omitempty"`
	Status        string     `json:"status,omitempty"`
	LastStartedAt *time.Time `json:"lastStartedAt,omitzero"`
	Reason        string     `json:"reason,omitempty"`
}

// Attachment is something bound to a task or a container instance: an elastic
// network interface, a volume, a Service Connect proxy.
type Attachment struct {
	ID      string         `json:"id,omitempty"`
	Type    string         `json:"type,omitempty"`
	Status  string         `json:"status,omitempty"`
	Details []KeyValuePair `json:"details,omitzero"`
}

// KeyValuePair is a named value.
type KeyValuePair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attribute is a property of a task or container instance. Most of ECS's own
// capability attributes have a name and no value.
type Attribute struct {
	Name       string `json:"name"`
	Value      string `json:"value,omitempty"`
	TargetType string `json:"targetType,omitempty"`
	TargetID   string `json:"targetId,omitempty"`
}

// Tag is a tag of a resource; only Describe calls with include=TAGS tell it.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// EphemeralStorage is the task storage on Fargate.
type EphemeralStorage struct {
	SizeInGiB int32 `json:"sizeInGiB"`
}

// FargateEphemeralStorage is the task storage on Fargate with the key that
// encrypts it.
type FargateEphemeralStorage struct {
	SizeInGiB int32  `json:"sizeInGiB"`
	KMSKeyID  string `json:"kmsKeyId,omitempty"`
}

// InferenceAccelerator is an Elastic Inference device of a task.
type InferenceAccelerator struct {
	DeviceName string `json:"deviceName,omitempty"`
	DeviceType string `json:"deviceType,omitempty"`
}

// TaskOverrides is what the starter of a task changed of its task definition.
type TaskOverrides struct {
	ContainerOverrides            []ContainerOverride    `json:"containerOverrides,omitzero"`
	InferenceAcceleratorOverrides []InferenceAccelerator `json:"inferenceAcceleratorOverrides,omitzero"`
	CPU                           string                 `json:"cpu,omitempty"`
	Memory                        string                 `json:"memory,omitempty"`
	EphemeralStorage              *EphemeralStorage      `json:"ephemeralStorage,omitzero"`
	ExecutionRoleARN              string                 `json:"executionRoleArn,omitempty"`
	TaskRoleARN                   string                 `json:"taskRoleArn,omitempty"`
}

// ContainerOverride is what the starter of a task changed of one container.
// CPU is in CPU units, Memory and MemoryReservation in MiB.
type ContainerOverride struct {
	Name                 string                `json:"name,omitempty"`
	Command              []string              `json:"command,omitzero"`
	Environment          []KeyValuePair        `json:"environment,omitzero"`
	EnvironmentFiles     []EnvironmentFile     `json:"environmentFiles,omitzero"`
	CPU                  *int32                `json:"cpu,omitzero"`
	Memory               *int32                `json:"memory,omitzero"`
	MemoryReservation    *int32                `json:"memoryReservation,omitzero"`
	ResourceRequirements []ResourceRequirement `json:"resourceRequirements,omitzero"`
}

// EnvironmentFile is a file of environment variables in S3.
type EnvironmentFile struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value,omitempty"`
}

// ResourceRequirement asks for GPUs or other devices.
type ResourceRequirement struct {
	Type            string           `json:"type,omitempty"`
	Value           string           `json:"value,omitempty"`
	SharingStrategy *SharingStrategy `json:"sharingStrategy,omitempty"`
}

// SharingStrategy says how containers share a GPU. It is a union with one member so far.
type SharingStrategy struct {
	NvidiaMPS *NvidiaMPSAllocation `json:"nvidiaMps,omitempty"`
}

// NvidiaMPSAllocation is a share of a GPU by NVIDIA's Multi-Process Service.
type NvidiaMPSAllocation struct {
	Memory            *int64 `json:"memory,omitempty"` // MiB
	MaxComputePercent *int64 `json:"maxComputePercent,omitempty"`
}
