// Package metrics gives numbers to CloudWatch: one JSON line of its embedded metric format on standard output, which
// Lambda hands on to CloudWatch Logs, so that no call is made and none can fail.
//
// All metrics are in one namespace and have one dimension, the installation: CloudWatch takes money for each combination
// of name and dimensions. Which environment, cluster or place a number is about is a property of the line, found by
// searching the log, and no dimension. Alarms that ask for the worst of them use the statistic Maximum.
package metrics

// Namespace is that of every metric.
const Namespace = "Blox"

// DimensionInstallation is the only dimension.
const DimensionInstallation = "Installation"

// Name is a metric's name.
type Name string

// The metrics. Each line says when it is given and what the number is.
const (
	// EventLagMillis: of each batch of events that ingest handled, the age of the oldest, in milliseconds. Events have
	// whole seconds.
	EventLagMillis Name = "EventLagMillis"
	// EventsSetAside: events that ingest itself sent to the dead-letter queue, of each batch that had any.
	EventsSetAside Name = "EventsSetAside"
	// ClustersUnsynced: after each sweep, 0 too: clusters of the account and region whose last complete reconcile began
	// more than two periods ago, or that had none. No daemon is stopped by the knowledge of such a cluster. A place whose
	// clusters cannot be listed, and of which none is stored, counts as one.
	ClustersUnsynced Name = "ClustersUnsynced"
	// HeldAbsent: after each sweep, 0 too: records that ECS does not have and that were not believed to be gone, because
	// there were too many at once.
	HeldAbsent Name = "HeldAbsent"
	// DriftRepaired: after each sweep, 0 too: records of clusters reconciled before that differed from ECS and were
	// repaired.
	DriftRepaired Name = "DriftRepaired"
	// HostsWithoutHealthyDaemon: of one environment, after each look at the whole of it, 0 too: hosts that ought to have
	// a healthy daemon, and have been without one for longer than a grace.
	HostsWithoutHealthyDaemon Name = "HostsWithoutHealthyDaemon"
	// DeploymentsStuck: of one environment, with the one before: 1 if its deployment has not ended and nothing came of it
	// for too long, else 0.
	DeploymentsStuck Name = "DeploymentsStuck"
	// DeploymentsEnded: 1 for each deployment that ended; the property status says how.
	DeploymentsEnded Name = "DeploymentsEnded"
	// IngestMessagesFailed, ReconcileMessagesFailed, DriveMessagesFailed: messages that the function gave back to its queue
	// because it could not do what they ask, of each batch that had any. Lambda's own count of errors has none of them.
	IngestMessagesFailed    Name = "IngestMessagesFailed"
	ReconcileMessagesFailed Name = "ReconcileMessagesFailed"
	DriveMessagesFailed     Name = "DriveMessagesFailed"
)

// Value is one number.
type Value struct {
	Name  Name
	Value int64
}

// Property says what a number is about.
type Property struct{ Key, Value string }

// Sink takes the numbers of one moment, which have the properties in common. Implementations are safe for concurrent
// use; they do not fail: a number that is lost must not stop the work that it is about.
type Sink interface {
	Put(values []Value, properties ...Property)
}

// Discard forgets everything.
type Discard struct{}

// Put forgets.
func (Discard) Put([]Value, ...Property) {}
