package stream

import (
	"encoding/json"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Kind says what a change is about.
type Kind string

// The things that changes are about.
const (
	KindTask              = Kind(state.KindTask)
	KindContainerInstance = Kind(state.KindContainerInstance)
)

// Reason says what became of a task or container instance.
type Reason string

// The reasons of changes.
const (
	// Written: it is new, or there is something new about it.
	Written = Reason(table.ReasonWritten)
	// Stopped: ECS said that the task has stopped.
	Stopped = Reason(table.ReasonStopped)
	// Gone: the container instance left its cluster, or ECS does not know the task or container instance any more, or
	// its item was deleted by hand.
	Gone = Reason(table.ReasonGone)
	// Expired: its item was deleted by DynamoDB, long after its end.
	Expired = Reason(table.ReasonExpired)
)

// What ECS tells, with its own field names and types; nil means that ECS gave no value.
type (
	// Task is an ECS task.
	Task = state.Task
	// Container is one container of a task.
	Container = state.Container
	// ContainerInstance is a host of a cluster.
	ContainerInstance = state.ContainerInstance
	// Attachment is something bound to a task or container instance, such as a network interface.
	Attachment = state.Attachment
	// Attribute is a property of a task or container instance.
	Attribute = state.Attribute
	// KeyValuePair is a named value.
	KeyValuePair = state.KeyValuePair
	// ManagedAgent is a helper that ECS runs in a container.
	ManagedAgent = state.ManagedAgent
	// NetworkBinding is a host port that leads to a container port.
	NetworkBinding = state.NetworkBinding
	// NetworkInterface is the network interface of a task as one of its containers sees it.
	NetworkInterface = state.NetworkInterface
	// Resource is an amount of something that a host has.
	Resource = state.Resource
	// Tag is a tag.
	Tag = state.Tag
	// TaskOverrides is what the starter of a task changed of its task definition.
	TaskOverrides = state.TaskOverrides
	// ContainerOverride is what the starter of a task changed of one container.
	ContainerOverride = state.ContainerOverride
	// InstanceHealth is what ECS's own checks say about a host.
	InstanceHealth = state.InstanceHealth
	// InstanceHealthCheck is the result of one such check.
	InstanceHealthCheck = state.InstanceHealthCheck
	// VersionInfo tells the versions of the ECS agent and of Docker on a host.
	VersionInfo = state.VersionInfo
)

// Change is one write of the item of a task or container instance.
type Change struct {
	Kind    Kind
	Cluster Cluster
	// ID is the last part of ARN: unique in the cluster and kind.
	ID     string
	ARN    string
	Reason Reason
	// Old is what was known before the write, nil if nothing was. New is what is known since, nil if the item was
	// deleted. They are never both nil.
	Old, New *Entity
	// SequenceNumber is DynamoDB's own of the write: as a number it rises within an item's changes.
	SequenceNumber string
	// At is when the item was written, to the second.
	At time.Time
}

// Cluster names a cluster. The same name in another account or region is another cluster.
type Cluster struct {
	Account string // 12 digits
	Region  string
	Name    string
}

// ARN is the cluster's ARN.
func (c Cluster) ARN() string { return state.ClusterKey(c).ARN("") }

// Entity is all that is known of a task or container instance.
type Entity struct {
	// Version is ECS's own counter of the changes of the thing.
	Version  int64
	StoredAt time.Time
	// Task is set on changes of KindTask, Instance on those of KindContainerInstance.
	Task     *Task
	Instance *ContainerInstance
	// Detail is Task or Instance as ECS wrote it, fields that were unknown when this package was built included.
	Detail json.RawMessage
	// End is nil while the thing lives.
	End *End
}

// End is the end of a task or container instance.
type End struct {
	// At is when the task stopped or the container instance was seen to be gone.
	At time.Time
	// Gone: ECS does not know it any more, or soon will not.
	Gone bool
	// Inferred: ECS never said so. It was missing from ECS's complete lists, and Describe did not know it.
	Inferred bool
}

// Began says that nothing was known of the thing before.
func (c Change) Began() bool { return c.Old == nil }

// Ended says that the thing lived before the write, as far as was known, and does not since. What was first heard of
// when it was over has ended as well.
func (c Change) Ended() bool {
	return c.New != nil && c.New.End != nil && (c.Old == nil || c.Old.End == nil)
}

// Revived says that the thing lives after all: its end had been inferred.
func (c Change) Revived() bool {
	return c.New != nil && c.New.End == nil && c.Old != nil && c.Old.End != nil
}
