package event

import (
	"time"

	"github.com/blox/blox/internal/state"
)

// Event is one event of ECS. At most one of Observation and Hint is set; with
// neither, the event tells nothing that Blox stores.
type Event struct {
	ID         string
	DetailType string
	Account    string
	Region     string
	// Time is when ECS sent the event, in whole seconds. EventBridge may deliver
	// it up to 24 hours later.
	Time      time.Time
	Resources []string
	// Observation is the new state of a task or container instance.
	Observation *state.Observation
	// Hint names what should be described, because the event says that
	// something changed but gives no version to order it by.
	Hint *Hint
}

// Hint asks for a Describe of tasks or container instances of one cluster.
type Hint struct {
	Cluster state.ClusterKey
	Kind    state.Kind
	IDs     []string
}

// Ignored says whether the event is of a known type that tells nothing about
// tasks or container instances.
func (e Event) Ignored() bool { return e.Observation == nil && e.Hint == nil }

// MaxBytes is the size of the largest event that can reach us: an SQS message
// holds at most 1 MiB.
const MaxBytes = 1 << 20
