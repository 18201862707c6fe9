package state

import (
	"fmt"
	"slices"
	"strings"
)

// The lifecycle of a task, in order. DELETED is a short moment after STOPPED.
const (
	TaskProvisioning   = "PROVISIONING"
	TaskPending        = "PENDING"
	TaskActivating     = "ACTIVATING"
	TaskRunning        = "RUNNING"
	TaskDeactivating   = "DEACTIVATING"
	TaskStopping       = "STOPPING"
	TaskDeprovisioning = "DEPROVISIONING"
	TaskStopped        = "STOPPED"
	TaskDeleted        = "DELETED"
)

// The states of a container instance. REGISTERING, DEREGISTERING and
// REGISTRATION_FAILED appear with the account setting awsvpcTrunking.
const (
	InstanceRegistering        = "REGISTERING"
	InstanceRegistrationFailed = "REGISTRATION_FAILED"
	InstanceActive             = "ACTIVE"
	InstanceDraining           = "DRAINING"
	InstanceDeregistering      = "DEREGISTERING"
	InstanceInactive           = "INACTIVE"
)

var (
	taskStatuses = []string{
		TaskActivating, TaskDeactivating, TaskDeleted, TaskDeprovisioning, TaskPending,
		TaskProvisioning, TaskRunning, TaskStopped, TaskStopping,
	}
	// A task is only ever wanted running or stopped.
	desiredStatuses  = []string{TaskRunning, TaskStopped}
	instanceStatuses = []string{
		InstanceActive, InstanceDeregistering, InstanceDraining, InstanceInactive,
		InstanceRegistering, InstanceRegistrationFailed,
	}
)

// TaskStatuses lists what lastStatus of a task can be, sorted by name.
func TaskStatuses() []string { return slices.Clone(taskStatuses) }

// DesiredStatuses lists what desiredStatus of a task can be, sorted by name.
func DesiredStatuses() []string { return slices.Clone(desiredStatuses) }

// InstanceStatuses lists what status of a container instance can be, sorted by
// name.
func InstanceStatuses() []string { return slices.Clone(instanceStatuses) }

// ParseTaskStatus reads the lastStatus of a task in any case and gives it as
// ECS writes it; the error lists the allowed values.
func ParseTaskStatus(s string) (string, error) { return parseStatus("task status", s, taskStatuses) }

// ParseDesiredStatus reads the desiredStatus of a task in any case and gives it
// as ECS writes it; the error lists the allowed values.
func ParseDesiredStatus(s string) (string, error) {
	return parseStatus("desired status", s, desiredStatuses)
}

// ParseInstanceStatus reads the status of a container instance in any case and
// gives it as ECS writes it; the error lists the allowed values.
func ParseInstanceStatus(s string) (string, error) {
	return parseStatus("container instance status", s, instanceStatuses)
}

func parseStatus(what, s string, allowed []string) (string, error) {
	for _, status := range allowed {
		if strings.EqualFold(status, s) {
			return status, nil
		}
	}
	return "", fmt.Errorf("invalid %s %q: allowed are %s", what, shorten(s), strings.Join(allowed, ", "))
}
