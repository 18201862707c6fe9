package daemon

import (
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
	// FormerIDs are environments of the same name whose tasks were left running when they were deleted, newest first, at most
	// MaxFormerIDs. Live tasks of their groups are this one's as well: it adopts them, where a second daemon beside each
	// would be what the first Blox did.
	FormerIDs []string `json:"formerIds,omitempty"`
	// Clusters hold the hosts: those of the revision in force, and those that an earlier one left tasks on. Partition is
	// theirs ("aws", "aws-cn", …).
	Clusters  []state.ClusterKey `json:"clusters"`
	Partition string             `json:"partition"`
	// Revision is the newest revision's number; DeploymentToken belongs to it.
	Revision        int    `json:"revision"`
	DeploymentToken string `json:"deploymentToken"`
	// DeploymentID is the deployment in force: running, or the last one that completed. Empty before the first.
	DeploymentID string `json:"deploymentId,omitempty"`
	// LastGoodRevision is the last one whose deployment completed; 0 before that.
	LastGoodRevision int `json:"lastGoodRevision,omitempty"`
	// Frozen is set while the scheduler keeps its hands off: nothing of the environment is started or stopped.
	Frozen    *Freeze   `json:"frozen,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// RecordVersion rises with every write of the definition; updates are conditional on it.
	RecordVersion int64 `json:"recordVersion"`
}

// MaxFormerIDs bounds FormerIDs: each costs a query of every cluster.
const MaxFormerIDs = 3

// Groups are the task groups of the environment: its own, and those of the environments whose tasks it took over.
func (e Environment) Groups(installation string) []string {
	groups := []string{Group(installation, e.ID)}
	for _, id := range e.FormerIDs {
		groups = append(groups, Group(installation, id))
	}
	return groups
}

// Freeze says who froze an environment, when and why.
type Freeze struct {
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
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
