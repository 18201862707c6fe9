package state

import (
	"encoding/json"
	"fmt"
	"time"
)

// Source says how something became known.
type Source string

// What tells us about tasks and container instances.
const (
	SourceEvent     Source = "event"
	SourceDescribed Source = "described"
)

// Observation is what somebody saw of one task or container instance.
type Observation struct {
	Key
	ARN     string
	Version int64
	Source  Source
	// ObservedAt is the time of the event, or the moment before the Describe
	// call was sent: what a Describe answers can be that old.
	ObservedAt time.Time
	// Detail is complete: a JSON object with every field, known to Blox or not.
	Detail json.RawMessage
}

// SourceDetail is the newest that one source told.
type SourceDetail struct {
	Version int64
	At      time.Time // Observation.ObservedAt
	Detail  json.RawMessage
}

// TaskFields are the fields of a task that filters and indexes need; they stand
// beside the detail so that nobody has to unpack it for them.
type TaskFields struct {
	LastStatus          string
	DesiredStatus       string
	StartedBy           string
	Group               string
	Family              string
	ContainerInstanceID string
}

// InstanceFields are the fields of a container instance that filters and
// indexes need.
type InstanceFields struct {
	Status         string
	AgentConnected bool
	EC2InstanceID  string
}

// Record is what is stored about one task or container instance: the newest
// that each source told, so that what only one of them knows is not lost when
// the other one writes.
type Record struct {
	Key
	ARN string
	// Version is the highest of both sources.
	Version   int64
	Event     *SourceDetail
	Described *SourceDetail
	Task      TaskFields     // of a KindTask, else zero
	Instance  InstanceFields // of a KindContainerInstance, else zero
	Tombstone *Tombstone     // nil while the thing lives
	StoredAt  time.Time
}

// IsZero says whether nothing is stored.
func (r Record) IsZero() bool { return r.Version == 0 && r.Event == nil && r.Described == nil }

// TaskFieldsOf picks the index fields of a task.
func TaskFieldsOf(t Task) TaskFields {
	return TaskFields{
		LastStatus:          t.LastStatus,
		DesiredStatus:       t.DesiredStatus,
		StartedBy:           t.StartedBy,
		Group:               t.Group,
		Family:              t.Family(),
		ContainerInstanceID: t.ContainerInstanceID(),
	}
}

// InstanceFieldsOf picks the index fields of a container instance.
func InstanceFieldsOf(c ContainerInstance) InstanceFields {
	return InstanceFields{Status: c.Status, AgentConnected: c.AgentConnected, EC2InstanceID: c.EC2InstanceID}
}

// DecodeTask reads the detail of a task.
func DecodeTask(detail json.RawMessage) (Task, error) {
	var task Task
	if err := json.Unmarshal(detail, &task); err != nil {
		return Task{}, fmt.Errorf("decoding task detail: %w", err)
	}
	return task, nil
}

// DecodeContainerInstance reads the detail of a container instance.
func DecodeContainerInstance(detail json.RawMessage) (ContainerInstance, error) {
	var instance ContainerInstance
	if err := json.Unmarshal(detail, &instance); err != nil {
		return ContainerInstance{}, fmt.Errorf("decoding container instance detail: %w", err)
	}
	return instance, nil
}

// AsTask decodes the merged detail of a task record.
func (r Record) AsTask() (Task, error) {
	detail, err := r.Detail()
	if err != nil {
		return Task{}, err
	}
	return DecodeTask(detail)
}

// AsContainerInstance decodes the merged detail of a container instance record.
func (r Record) AsContainerInstance() (ContainerInstance, error) {
	detail, err := r.Detail()
	if err != nil {
		return ContainerInstance{}, err
	}
	return DecodeContainerInstance(detail)
}
