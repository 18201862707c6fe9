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

// Index is a secondary index. All attributes of its keys are strings. Every index projects keys only: see State.
type Index struct {
	Name         string
	PartitionKey string
	SortKey      string
}

// Local says whether the index re-sorts the table's own partitions: then it can be read consistently, and DynamoDB
// makes it with the table or never.
func (i Index) Local() bool { return i.PartitionKey == PartitionKey }

// Table is one DynamoDB table: partition and sort key are the strings PartitionKey and SortKey, TTL is on, billing
// is on demand.
type Table struct {
	// LogicalName names the table in local mode and in the deployment: "state" or "daemon".
	LogicalName string
	Indexes     []Index
	// Stream says whether changes are read from DynamoDB Streams with new and old images.
	Stream bool
}

// Names of the STATE table's indexes, which are those of their own key attributes, and of the sort key that all
// global ones have.
const (
	ByPhase     = "byPhase"
	ByInstance  = "byInstance"
	ByStartedBy = "byStartedBy"
	ByGroup     = "byGroup"
	// Life is live/BEGAN/ID or stopped/ENDED/ID: times in milliseconds, 13 digits.
	Life = "life"
)

// State holds tasks, container instances, clusters and the feed.
//
// An item of a task or container instance lives in one of its cluster's partitions of its kind, by a hash of its id, so
// that no partition takes more than its share of a busy cluster's writes.
//
//   - ByPhase (local) sorts these partitions by how far a task is in its life and by time: PHASE/MILLIS/ID. It is read
//     consistently, so that lists and snapshots by it miss nothing. One index write for a new record, two for each
//     phase that it enters later: five in a task's life, seven if it is seen stopping.
//   - ByInstance has tasks by container instance, and container instances by EC2 instance id.
//   - ByGroup has tasks that have a group, ByStartedBy those that name who started them.
//
// The three global indexes are sorted by Life, live and stopped things apart and each by time: a host or a group that has
// run a thousand jobs is read at the cost of what runs there now, or of what stopped in the time that is asked for. Three
// index writes each in a task's life: its beginning, and its end as a deletion and a new entry.
//
// There is no index on family: the one by group serves services (service:NAME), tasks run without a group
// (family:NAME) and the scheduler's own groups, at the price of one.
//
// All of them project keys only. What is written: an index entry is about 200 bytes and one write unit, and only a
// change of its keys writes it; with details projected, every change would write every index, at one unit a kilobyte.
// What is read: an index shows 20 to 30 keys a read unit, and each record that a list then looks at costs one
// read unit by BatchGetItem, which rounds each item up to 4 KB. With details projected a list of a hundred would cost
// 25 to 50 instead of about 105, and a task's life 12 to 15 write units more, at five times the price of a read unit.
var State = Table{
	LogicalName: "state",
	Indexes: []Index{
		{Name: ByPhase, PartitionKey: PartitionKey, SortKey: ByPhase},
		{Name: ByInstance, PartitionKey: ByInstance, SortKey: Life},
		{Name: ByStartedBy, PartitionKey: ByStartedBy, SortKey: Life},
		{Name: ByGroup, PartitionKey: ByGroup, SortKey: Life},
	},
	Stream: true,
}

// Daemon holds environments, revisions, deployments, timeline entries, slots, leases and call budgets. All of an
// environment lives in one partition; everything is read by key, so there is no index.
var Daemon = Table{LogicalName: "daemon"}

// TaskShards and InstanceShards are the numbers of partitions of a cluster's tasks and container instances in the STATE
// table. With a local index a partition's items end at 10 GB and at 1,000 write units a second: eight hold
// about 24 new tasks a second of one cluster, sustained for the 30 days for which stopped ones are kept, at some 1.3 KB
// each. Container instances are a
// hundred times fewer, and every list of them asks each partition.
const (
	TaskShards     = 8
	InstanceShards = 2
)

// FeedShards is the number of independent sequences of the feed. One takes what a stream's reader writes, a batch at a
// time: with more, a batch would cost a row and a head in each of them.
const FeedShards = 1
