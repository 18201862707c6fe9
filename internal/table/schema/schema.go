// Package schema is the one definition of Blox's two DynamoDB tables. The stores, the tests, local mode and the
// deployment all read it from here, so that an index or a TTL attribute cannot exist in one place and be missing in
// another. It imports nothing of AWS, so that the deployment can use it without the product's clients.
package schema

// Key attributes that every item of both tables has, and every index builds on.
const (
	PartitionKey = "pk"
	SortKey      = "sk"
	// TTL is when DynamoDB may delete an item: seconds since 1970, as DynamoDB's TTL wants it.
	TTL = "ttl"
)

// Index is a global secondary index. All attributes of its keys are strings. Every index projects keys only: a list
// reads the items it returns in batches, and a change of a task that leaves the keys alone costs no index write.
type Index struct {
	Name         string
	PartitionKey string
	SortKey      string
}

// Table is one DynamoDB table: partition and sort key are the strings PartitionKey and SortKey, TTL is on, billing
// is on demand.
type Table struct {
	// LogicalName names the table in local mode and in the deployment: "state" or "daemon".
	LogicalName string
	Indexes     []Index
	// Stream says whether changes are read from DynamoDB Streams with new and old images.
	Stream bool
}

// Names of the STATE table's indexes and of the attributes that only an index needs.
const (
	ByStatus    = "byStatus"
	ByInstance  = "byInstance"
	ByStartedBy = "byStartedBy"
	ByGroup     = "byGroup"
	// Phase is "live/ID" or "stopped/ID".
	Phase = "phase"
)

// State holds tasks, container instances, clusters and the feed.
//
// An item of a task or container instance lives in one of Shards partitions of its cluster and kind, under its id, so
// that a cluster is read by a few consistent queries and no partition takes more than its share of a busy cluster's
// writes. ByStatus re-sorts the same partitions by status. The other three are of tasks alone:
//
//   - ByInstance holds live tasks only: a host that has run a thousand jobs is still read at the cost of what runs there
//     now. Two index writes in a task's life.
//   - ByGroup holds all tasks, live and stopped apart: the scheduler reads the live ones of its group, people the
//     stopped ones of a service. Three index writes in a task's life.
//   - ByStartedBy holds all tasks. One index write in a task's life.
//
// There is no index on family: the one by group serves services (service:NAME), tasks run without a group
// (family:NAME) and the scheduler's own groups, at the price of one.
var State = Table{
	LogicalName: "state",
	Indexes: []Index{
		{Name: ByStatus, PartitionKey: PartitionKey, SortKey: ByStatus},
		{Name: ByInstance, PartitionKey: ByInstance, SortKey: SortKey},
		{Name: ByStartedBy, PartitionKey: ByStartedBy, SortKey: SortKey},
		{Name: ByGroup, PartitionKey: ByGroup, SortKey: Phase},
	},
	Stream: true,
}

// Daemon holds environments, revisions, deployments, timeline entries, slots, leases and call budgets. All of an
// environment lives in one partition; everything is read by key, so there is no index.
var Daemon = Table{LogicalName: "daemon"}

// Shards is the number of partitions of one cluster and kind in the STATE table. A DynamoDB partition takes 1,000
// write units a second; four carry ten times what the ECS call limits let a 5,000-host cluster change.
const Shards = 4

// FeedShards is the number of independent sequences of the feed.
const FeedShards = 4
