package daemon

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/blox/blox/internal/state"
)

// EnvironmentStatus is where an environment is in its own life.
type EnvironmentStatus string

// An environment is ACTIVE until it is deleted; DELETING while its tasks are being stopped.
const (
	EnvironmentActive   EnvironmentStatus = "ACTIVE"
	EnvironmentDeleting EnvironmentStatus = "DELETING"
)

// Environment is a named daemon on one or several clusters.
type Environment struct {
	// ID is a UUID that slots, tokens and groups carry: a name used again is a new environment.
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Status EnvironmentStatus `json:"status"`
	// KeepTasks is set with DELETING when the tasks are to be left running, without an owner.
	KeepTasks bool `json:"keepTasks,omitempty"`
	// Clusters hold the hosts; Partition is theirs ("aws", "aws-cn", …).
	Clusters  []state.ClusterKey `json:"clusters"`
	Partition string             `json:"partition"`
	// Revision is the newest revision's number; DeploymentToken belongs to it.
	Revision        int    `json:"revision"`
	DeploymentToken string `json:"deploymentToken"`
	// DeploymentID is the deployment in force: running, or the last one that completed. Empty before the first.
	DeploymentID string `json:"deploymentId,omitempty"`
	// LastGoodRevision is the last one whose deployment completed; 0 before that.
	LastGoodRevision int       `json:"lastGoodRevision,omitempty"`
	CreatedAt        time.Time `json:"createdAt"`
	UpdatedAt        time.Time `json:"updatedAt"`
	// RecordVersion rises with every write of the definition; updates are conditional on it.
	RecordVersion int64 `json:"recordVersion"`
}

// Revision is what an environment runs, never changed after it was made.
type Revision struct {
	EnvironmentID string `json:"environmentId"`
	Number        int    `json:"number"`
	// TaskDefinition is an ARN with its revision: a family alone was resolved when the revision was made.
	TaskDefinition string     `json:"taskDefinition"`
	LaunchType     LaunchType `json:"launchType"`
	// HealthChecked says that the task definition has a container health check.
	HealthChecked bool `json:"healthChecked,omitempty"`
	// DeploymentConfiguration is how this revision may replace another.
	DeploymentConfiguration DeploymentConfiguration `json:"deploymentConfiguration"`
	CreatedAt               time.Time               `json:"createdAt"`
}

// LaunchType is ECS's. It is always sent, for without it the cluster's default capacity provider strategy decides.
type LaunchType string

// The launch types that have hosts.
const (
	LaunchTypeEC2      LaunchType = "EC2"
	LaunchTypeExternal LaunchType = "EXTERNAL"
)

// DeploymentConfiguration bounds a rollout.
type DeploymentConfiguration struct {
	// MinimumHealthyPercent of the hosts keep a healthy daemon during a rollout: 0 to 100. At least one host may
	// always be replaced, or nothing could ever move.
	MinimumHealthyPercent int `json:"minimumHealthyPercent"`
	// MinHealthySeconds is how long a daemon must have been healthy before it counts: 0 to 3600.
	MinHealthySeconds int `json:"minHealthySeconds"`
}

// Defaults: half of the hosts keep their daemon (the ECS console's default for DAEMON services), and ten seconds of
// health are asked for, so that a task which crashes at start is not taken for a success.
const (
	DefaultMinimumHealthyPercent = 50
	DefaultMinHealthySeconds     = 10
	maxMinHealthySeconds         = 3600
)

// DefaultDeploymentConfiguration is what an environment gets that says nothing.
func DefaultDeploymentConfiguration() DeploymentConfiguration {
	return DeploymentConfiguration{
		MinimumHealthyPercent: DefaultMinimumHealthyPercent,
		MinHealthySeconds:     DefaultMinHealthySeconds,
	}
}

// environmentName is the original's pattern, kept so that its clients' names stay valid.
var environmentName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,30}$`)

// ValidateName says what is wrong with a name, and what is allowed.
func ValidateName(name string) error {
	if !environmentName.MatchString(name) {
		return fmt.Errorf("environment name %q: want 1 to 30 letters, digits, hyphens or underscores", name)
	}
	return nil
}

// Validate says everything that is wrong with the configuration, and what is allowed.
func (c DeploymentConfiguration) Validate() error {
	var errs []error
	if c.MinimumHealthyPercent < 0 || c.MinimumHealthyPercent > 100 {
		errs = append(errs, fmt.Errorf("minimumHealthyPercent %d: want 0 to 100", c.MinimumHealthyPercent))
	}
	if c.MinHealthySeconds < 0 || c.MinHealthySeconds > maxMinHealthySeconds {
		errs = append(errs, fmt.Errorf("minHealthySeconds %d: want 0 to %d", c.MinHealthySeconds, maxMinHealthySeconds))
	}
	return errors.Join(errs...)
}

// AllowedUnavailable is how many of n hosts may be without a healthy daemon by our own doing. At least one, or a
// rollout could never move; with room for a fraction of a host, none (rounded down).
func (c DeploymentConfiguration) AllowedUnavailable(n int) int {
	return max(1, n*(100-c.MinimumHealthyPercent)/100)
}
