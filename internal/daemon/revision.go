package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/blox/blox/internal/state"
)

// Revision is what an environment runs, where and how it may be rolled out; never changed after it was made.
type Revision struct {
	EnvironmentID string `json:"environmentId"`
	Number        int    `json:"number"`
	// Clusters are those that the daemon belongs on. Empty in revisions of an environment whose clusters never changed:
	// then the environment's.
	Clusters []state.ClusterKey `json:"clusters,omitempty"`
	// ClusterPattern names clusters of the environment's place with * and ?; Clusters are those that matched when the
	// revision was made, and the scheduler adds those that come later to the environment's.
	ClusterPattern string `json:"clusterPattern,omitempty"`
	// Selector narrows the hosts of the clusters.
	Selector Selector `json:"selector,omitzero"`
	// TaskDefinition is an ARN with its revision: a family alone was resolved when the revision was made.
	// SourceTaskDefinition is the one that TaskDefinition is a private copy of, if it is one.
	TaskDefinition       string     `json:"taskDefinition"`
	SourceTaskDefinition string     `json:"sourceTaskDefinition,omitempty"`
	LaunchType           LaunchType `json:"launchType"`
	// HealthChecked says that the task definition has a container health check.
	HealthChecked bool `json:"healthChecked,omitempty"`
	// Template is what RunTask is given besides the task definition.
	Template TaskTemplate `json:"template,omitzero"`
	// DeploymentConfiguration is how this revision may replace another.
	DeploymentConfiguration DeploymentConfiguration `json:"deploymentConfiguration"`
	// ReadinessAttribute is a custom attribute that a host carries with the value ReadinessReady while its daemon is
	// healthy, so that services can wait for it by a placement constraint. Empty is none.
	ReadinessAttribute string `json:"readinessAttribute,omitempty"`
	// DrainPriority orders the Blox daemons of a draining host among themselves: the lowest is stopped first.
	DrainPriority int `json:"drainPriority,omitempty"`
	// ReleaseIdleHosts stops the daemon on hosts that nothing but daemons keep alive, so that they can be scaled in.
	ReleaseIdleHosts bool `json:"releaseIdleHosts,omitempty"`
	// MigrateFrom is the name of the ECS DAEMON service that the daemon takes over from, host by host. Empty is none.
	MigrateFrom string    `json:"migrateFrom,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
}

// ReadinessReady is the value of a readiness attribute. An attribute that is not there says that the host is not ready.
const ReadinessReady = "ready"

// Selector narrows the hosts that the daemon belongs on.
type Selector struct {
	// Expression is in ECS's cluster query language; empty matches every host.
	Expression string `json:"expression,omitempty"`
	// Exclude are EC2 instance ids (i-…, mi-…) that get no daemon.
	Exclude []string `json:"exclude,omitempty"`
}

// TaskTemplate is what RunTask is given besides the task definition and the place, in ECS's own words and shapes. Nothing
// in it may change from one host to the next but by what the hosts are.
type TaskTemplate struct {
	// NetworkConfiguration is needed by task definitions of network mode awsvpc, and refused by ECS for others.
	NetworkConfiguration *NetworkConfiguration `json:"networkConfiguration,omitempty"`
	// Overrides is ECS's taskOverride, as given.
	Overrides            json.RawMessage `json:"overrides,omitempty"`
	EnableExecuteCommand bool            `json:"enableExecuteCommand,omitempty"`
	EnableECSManagedTags bool            `json:"enableECSManagedTags,omitempty"`
	// PropagateTags is empty or TASK_DEFINITION, the only source that RunTask has.
	PropagateTags string `json:"propagateTags,omitempty"`
	// Tags are sorted by key.
	Tags []Tag `json:"tags,omitempty"`
}

// NetworkConfiguration is ECS's awsvpcConfiguration. Tasks on EC2 hosts have no public address of their own.
type NetworkConfiguration struct {
	Subnets        []string `json:"subnets"`
	SecurityGroups []string `json:"securityGroups,omitempty"`
}

// Tag is one of a task.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// TaskHash tells tasks apart by what they were asked to be: two revisions of the same hash differ only in how they are
// rolled out, and neither replaces the other's tasks. 16 hex digits.
func (r Revision) TaskHash() string {
	raw, err := json.Marshal(struct {
		TaskDefinition string
		LaunchType     LaunchType
		Template       TaskTemplate
	}{r.TaskDefinition, r.LaunchType, r.Template})
	if err != nil {
		panic(err) // strings and JSON that was read before always marshal
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// LaunchType is ECS's. It is always sent, for without it the cluster's default capacity provider strategy decides.
type LaunchType string

// The launch types that have hosts.
const (
	LaunchTypeEC2      LaunchType = "EC2"
	LaunchTypeExternal LaunchType = "EXTERNAL"
)
