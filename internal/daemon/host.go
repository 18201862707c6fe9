package daemon

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/state"
)

// HostKey names a host: one EC2 instance (i-…) or one ECS Anywhere machine (mi-…) of one cluster. It is not the
// container instance's ARN, because an agent that registers anew brings a new ARN for the same machine.
type HostKey struct {
	Cluster       state.ClusterKey
	EC2InstanceID string
}

// String is "account/region/cluster/i-…"; ParseHostKey reads it back.
func (k HostKey) String() string { return k.Cluster.String() + "/" + k.EC2InstanceID }

// ParseHostKey reads what String wrote.
func ParseHostKey(s string) (HostKey, error) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 || i == len(s)-1 {
		return HostKey{}, fmt.Errorf("host key %q: want account/region/cluster/instance", s)
	}
	cluster, err := state.ParseClusterKey(s[:i])
	if err != nil {
		return HostKey{}, fmt.Errorf("host key %q: %w", s, err)
	}
	return HostKey{Cluster: cluster, EC2InstanceID: s[i+1:]}, nil
}

// MarshalText and UnmarshalText let a host key be a JSON string and a table attribute.
func (k HostKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *HostKey) UnmarshalText(text []byte) error {
	parsed, err := ParseHostKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// CompareHosts orders hosts, so that runs repeat.
func CompareHosts(a, b HostKey) int {
	if a.Cluster != b.Cluster {
		return a.Cluster.Compare(b.Cluster)
	}
	return cmp.Compare(a.EC2InstanceID, b.EC2InstanceID)
}

// Host is a container instance as the scheduler sees it.
type Host struct {
	Key                  HostKey
	ContainerInstanceARN string
	// Status is ECS's: ACTIVE, DRAINING, INACTIVE and the passing ones around registration.
	Status         string
	AgentConnected bool
	RegisteredAt   time.Time
	// CapacityProvider is the name of the provider that the host came from, if any.
	CapacityProvider string
	// Managed is set for hosts of ECS Managed Instances: AWS's own daemons run there, and ours may not.
	Managed bool
	// External is set for ECS Anywhere hosts, which only take tasks of launch type EXTERNAL.
	External bool
	// OtherTasks counts live tasks that a drain must wait for: not Blox daemons, not tasks of DAEMON services, not
	// AWS's managed daemons. OtherTasksKnown says that they were counted: for DRAINING hosts, and for all if the revision
	// releases idle hosts.
	OtherTasks      int
	OtherTasksKnown bool
	// EarlierDaemons counts live Blox daemons of other environments on a DRAINING host whose DrainPriority is lower than
	// this environment's: they are stopped first.
	EarlierDaemons int
	// Query is what the cluster query language can ask about the host.
	Query clusterquery.Host
	// Foreign is the live task on the host of the service that the revision migrates from; nil is none.
	Foreign *Task
}

// Task is a daemon task of this environment, as stored.
type Task struct {
	ARN  string
	Host HostKey
	// ContainerInstanceARN is the registration that the task was placed on.
	ContainerInstanceARN string
	// LastStatus and DesiredStatus are ECS's.
	LastStatus, DesiredStatus string
	// Health is HEALTHY, UNHEALTHY, UNKNOWN or empty (no health check).
	Health    string
	StartedBy string
	// TaskDefinition is its ARN, with the revision.
	TaskDefinition string
	StopCode       string
	StoppedReason  string
}

// Stopped says that the task is dead for good: its ports and memory are free.
func (t Task) Stopped() bool { return t.LastStatus == StatusStopped }

// Live says that the task counts as the host's daemon: ECS means it to run.
func (t Task) Live() bool { return t.DesiredStatus == StatusRunning && !t.Stopped() }

// The words of ECS that decide.
const (
	StatusRunning  = "RUNNING"
	StatusStopped  = "STOPPED"
	StatusActive   = "ACTIVE"
	StatusDraining = "DRAINING"
	statusInactive = "INACTIVE"

	healthHealthy   = "HEALTHY"
	healthUnhealthy = "UNHEALTHY"
)
