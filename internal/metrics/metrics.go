// Package metrics gives numbers to CloudWatch: one JSON line of its embedded metric format on standard output, which
// Lambda hands on to CloudWatch Logs, so that no call is made and none can fail.
//
// All metrics are in one namespace and have one dimension, the installation: CloudWatch takes money for each combination
// of name and dimensions. Which environment, cluster or place a number is about is a property of the line, found by
// searching the log, and no dimension. Alarms that ask for the worst of them use the statistic Maximum. What a scaling
// policy goes by is the exception: it has the cluster as a second dimension, for a policy is of one cluster.
package metrics

// Namespace is that of every metric.
const Namespace = "Blox"

// The dimensions. DimensionInstallation is that of every metric; a property with the key DimensionCluster, its value
// ACCOUNT/REGION/NAME, makes that one a dimension of its line.
const (
	DimensionInstallation = "Installation"
	DimensionCluster      = "Cluster"
)

// Name is a metric's name.
type Name string

// The metrics. Each line says when it is given and what the number is.
const (
	// EventLagMillis: of each batch of events that ingest handled, the age of the oldest, in milliseconds. Events have
	// whole seconds.
	EventLagMillis Name = "EventLagMillis"
	// EventsStored: of each batch that had events of tasks or container instances, 0 too: those that were written.
	EventsStored Name = "EventsStored"
	// EventsDuplicate, EventsStale: of each batch that had any: events whose version was stored already, and those older
	// than what was stored or than another of the batch.
	EventsDuplicate Name = "EventsDuplicate"
	EventsStale     Name = "EventsStale"
	// EventsSetAside: events that ingest itself sent to the dead-letter queue, of each batch that had any.
	EventsSetAside Name = "EventsSetAside"
	// ClustersUnsynced: with each sweep, 0 too: clusters of the account and region whose last complete reconcile began
	// more than two periods ago, or that had none for so long since they were seen. No daemon is stopped by the knowledge
	// of such a cluster. A place whose clusters cannot be listed, and of which none is stored, counts as one.
	ClustersUnsynced Name = "ClustersUnsynced"
	// HeldAbsent: of one cluster, after each complete reconcile, 0 too: records that ECS does not have and that were not
	// believed to be gone, because there were too many at once.
	HeldAbsent Name = "HeldAbsent"
	// DriftRepaired: of one cluster, after each reconcile, 0 too: records that differed from ECS, though an event should
	// have told, and were repaired. What the first one stores is none, and neither are tags, attributes and health, which
	// change without an event.
	DriftRepaired Name = "DriftRepaired"
	// RecordsMissed, RecordsStale, RecordsAbsent, RecordsResurrected: with the one before, its parts: what ECS had and
	// nothing was stored of; what was stored at a lower version; what ECS has no more; what an earlier reconcile took for
	// gone and is alive.
	RecordsMissed      Name = "RecordsMissed"
	RecordsStale       Name = "RecordsStale"
	RecordsAbsent      Name = "RecordsAbsent"
	RecordsResurrected Name = "RecordsResurrected"
	// RecordsUnstorable: of one cluster, after each reconcile that had any: records that ECS failed to describe, or that
	// can never be stored. They stay as they were.
	RecordsUnstorable Name = "RecordsUnstorable"
	// ReconcilePassesFailed: 1 for each reconcile of one cluster that failed. One that only ran out of time is delivered
	// again, and counts in ReconcileMessagesFailed.
	ReconcilePassesFailed Name = "ReconcilePassesFailed"
	// HostsWithOnlyDaemons: of one cluster that has Blox daemons, by the dimension of the cluster, after each complete
	// reconcile, 0 too: ACTIVE container instances that run at least one Blox daemon and nothing else. ECS's own scaling
	// takes them for used.
	HostsWithOnlyDaemons Name = "HostsWithOnlyDaemons"
	// HostsWithoutHealthyDaemon: of one environment, after each look at the whole of it, 0 too: hosts that ought to have
	// a healthy daemon, and have been without one for longer than a grace.
	HostsWithoutHealthyDaemon Name = "HostsWithoutHealthyDaemon"
	// DeploymentsStuck: of one environment, with the one before: 1 if its deployment has not ended and nothing came of it
	// for too long, else 0.
	DeploymentsStuck Name = "DeploymentsStuck"
	// DeploymentsFailed: 1 for each deployment that did harm or did not get on, when that is decided: it then rolls back, or
	// ends as failed.
	DeploymentsFailed Name = "DeploymentsFailed"
	// EnvironmentsBlocked: of one environment, after each look at the whole of it, 0 too: 1 if its task definition is
	// INACTIVE, so that no host can get it, else 0.
	EnvironmentsBlocked Name = "EnvironmentsBlocked"
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
