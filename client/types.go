package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Metadata is what Blox knows about a record, beside what ECS says.
type Metadata struct {
	EntityVersion string    `json:"entityVersion" doc:"Opaque position in the feed of changes, read before the item."`
	Version       int64     `json:"version" doc:"ECS's own counter of the task's or container instance's changes."`
	StoredAt      time.Time `json:"storedAt" doc:"When this version was stored."`
	Inferred      bool      `json:"inferred,omitempty" doc:"ECS never reported the end: it was concluded from a complete list that lacked it."`
	// VisibleUntil is set once the task has stopped or the container instance is gone.
	VisibleUntil *time.Time `json:"visibleUntil,omitempty" doc:"It has ended, and lists show it until then. Who keeps a copy drops it then: no change tells of it."`
}

// Task is an ECS task with its metadata.
type Task struct {
	Metadata Metadata   `json:"metadata"`
	Entity   TaskEntity `json:"entity"`
}

// ContainerInstance is an ECS container instance with its metadata.
type ContainerInstance struct {
	Metadata Metadata                `json:"metadata"`
	Entity   ContainerInstanceEntity `json:"entity"`
}

// TaskEntity holds the fields of a task that programs need most. Raw is the whole entity, with every field that ECS told.
type TaskEntity struct {
	_                    struct{}        `additionalProperties:"true"`
	ClusterARN           string          `json:"clusterARN"`
	ContainerInstanceARN string          `json:"containerInstanceARN,omitempty" doc:"Absent on Fargate and before placement."`
	Containers           []Container     `json:"containers,omitempty"`
	CreatedAt            *time.Time      `json:"createdAt,omitempty"`
	DesiredStatus        string          `json:"desiredStatus" doc:"RUNNING or STOPPED."`
	LastStatus           string          `json:"lastStatus" doc:"PROVISIONING to STOPPED."`
	Overrides            json.RawMessage `json:"overrides,omitempty" doc:"As given to RunTask."`
	StartedAt            *time.Time      `json:"startedAt,omitempty"`
	StartedBy            string          `json:"startedBy,omitempty"`
	StoppedAt            *time.Time      `json:"stoppedAt,omitempty"`
	StoppedReason        string          `json:"stoppedReason,omitempty"`
	TaskARN              string          `json:"taskARN"`
	TaskDefinitionARN    string          `json:"taskDefinitionARN"`
	Group                string          `json:"group,omitempty"`
	HealthStatus         string          `json:"healthStatus,omitempty"`
	LaunchType           string          `json:"launchType,omitempty"`
	StopCode             string          `json:"stopCode,omitempty"`
	Version              int64           `json:"version"`

	Raw json.RawMessage `json:"-"`
}

// Container is one container of a task.
type Container struct {
	_               struct{}         `additionalProperties:"true"`
	ContainerARN    string           `json:"containerARN"`
	ExitCode        *int64           `json:"exitCode,omitempty"`
	LastStatus      string           `json:"lastStatus"`
	Name            string           `json:"name"`
	NetworkBindings []NetworkBinding `json:"networkBindings,omitempty"`
	Reason          string           `json:"reason,omitempty"`
	Image           string           `json:"image,omitempty"`
	HealthStatus    string           `json:"healthStatus,omitempty"`
}

// NetworkBinding is a host port that leads to a container port.
type NetworkBinding struct {
	_             struct{} `additionalProperties:"true"`
	BindIP        string   `json:"bindIP"`
	ContainerPort int64    `json:"containerPort,omitempty"`
	HostPort      int64    `json:"hostPort,omitempty"`
	Protocol      string   `json:"protocol,omitempty"`
}

// ContainerInstanceEntity holds the fields of a container instance that programs need most. Raw is the whole entity, with
// every field that ECS told.
type ContainerInstanceEntity struct {
	_                    struct{}    `additionalProperties:"true"`
	AgentConnected       bool        `json:"agentConnected"`
	AgentUpdateStatus    string      `json:"agentUpdateStatus,omitempty"`
	Attributes           []Attribute `json:"attributes,omitempty"`
	ClusterARN           string      `json:"clusterARN"`
	ContainerInstanceARN string      `json:"containerInstanceARN"`
	EC2InstanceID        string      `json:"EC2InstanceID,omitempty" doc:"i-… on EC2, mi-… on machines outside of AWS."`
	RegisteredResources  []Resource  `json:"registeredResources,omitempty"`
	RemainingResources   []Resource  `json:"remainingResources,omitempty"`
	Status               string      `json:"status" doc:"ACTIVE, DRAINING, INACTIVE and the states around registration."`
	VersionInfo          VersionInfo `json:"versionInfo,omitzero"`
	PendingTasksCount    int32       `json:"pendingTasksCount,omitempty"`
	RunningTasksCount    int32       `json:"runningTasksCount,omitempty"`
	RegisteredAt         *time.Time  `json:"registeredAt,omitempty"`
	Version              int64       `json:"version"`

	Raw json.RawMessage `json:"-"`
}

// Attribute is a property of a container instance; many of ECS's own have an empty value.
type Attribute struct {
	_     struct{} `additionalProperties:"true"`
	Name  string   `json:"name"`
	Value string   `json:"value"`
}

// Resource is an amount of something that a host has. Value is a decimal number, or a comma-separated list of ports.
type Resource struct {
	_     struct{} `additionalProperties:"true"`
	Name  string   `json:"name"`
	Type  string   `json:"type" doc:"INTEGER, LONG, DOUBLE or STRINGSET; ECS's own integerValue and so on are there as well."`
	Value string   `json:"value"`
}

// VersionInfo tells the versions of the ECS agent and of Docker on a host.
type VersionInfo struct {
	_             struct{} `additionalProperties:"true"`
	AgentHash     string   `json:"agentHash,omitempty"`
	AgentVersion  string   `json:"agentVersion,omitempty"`
	DockerVersion string   `json:"dockerVersion,omitempty"`
}

// UnmarshalJSON keeps the whole entity in Raw.
func (e *TaskEntity) UnmarshalJSON(data []byte) error {
	type fields TaskEntity
	if err := json.Unmarshal(data, (*fields)(e)); err != nil {
		return fmt.Errorf("decoding a task: %w", err)
	}
	e.Raw = bytes.Clone(data)
	return nil
}

// MarshalJSON writes Raw if it is set.
func (e TaskEntity) MarshalJSON() ([]byte, error) {
	type fields TaskEntity
	if e.Raw != nil {
		return e.Raw, nil
	}
	return json.Marshal(fields(e))
}

// UnmarshalJSON keeps the whole entity in Raw.
func (e *ContainerInstanceEntity) UnmarshalJSON(data []byte) error {
	type fields ContainerInstanceEntity
	if err := json.Unmarshal(data, (*fields)(e)); err != nil {
		return fmt.Errorf("decoding a container instance: %w", err)
	}
	e.Raw = bytes.Clone(data)
	return nil
}

// MarshalJSON writes Raw if it is set.
func (e ContainerInstanceEntity) MarshalJSON() ([]byte, error) {
	type fields ContainerInstanceEntity
	if e.Raw != nil {
		return e.Raw, nil
	}
	return json.Marshal(fields(e))
}

// TaskPage is a page of tasks. NextToken is empty at the end; a page may be short and still have a next one.
type TaskPage struct {
	Items         []Task `json:"items" nullable:"false"`
	Examined      int    `json:"examined" doc:"How many records were looked at for this page: more than its items where no index has the filters."`
	NextToken     string `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page. A page may be short, or empty, and still have one."`
	EntityVersion string `json:"entityVersion,omitempty" doc:"Watch from here to hear of every change after this list; the same on all of its pages. Absent where an index was read, which may miss a change of the last moment: there a watch begins with its own snapshot."`
}

// ContainerInstancePage is a page of container instances, as TaskPage is of tasks.
type ContainerInstancePage struct {
	Items         []ContainerInstance `json:"items" nullable:"false"`
	Examined      int                 `json:"examined" doc:"How many records were looked at for this page: more than its items where no index has the filters."`
	NextToken     string              `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page. A page may be short, or empty, and still have one."`
	EntityVersion string              `json:"entityVersion,omitempty" doc:"Watch from here to hear of every change after this list; the same on all of its pages. Absent where an index was read, which may miss a change of the last moment: there a watch begins with its own snapshot."`
}
