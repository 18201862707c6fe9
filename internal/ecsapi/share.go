package ecsapi

// Share is a part of one of ECS's buckets of calls, which are an account's in a region: calls a second, and at once.
type Share struct{ PerSecond, Burst float64 }

// ECS's categories of calls, each with a bucket of its own. The names are those of the shared budget, too.
const (
	BucketRead   = "read"   // List and Describe
	BucketModify = "modify" // RunTask, StopTask, PutAttributes and DeleteAttributes
	// BucketTaskDefinition is that of DescribeTaskDefinition.
	BucketTaskDefinition = "taskDefinition"
)

// TaskDefinitionShare is half of the reads of task definitions that ECS allows: 20 a second, and 50 at once. A process
// remembers the answers, so that they are few.
var TaskDefinitionShare = Share{PerSecond: 10, Burst: 25}

// Default shares a second: half of what ECS allows. Others in the account want to work as well.
const (
	DefaultReadsPerSecond    = 10
	DefaultModifiesPerSecond = 20
)

// ReadShare is a share of the reads, of which ECS allows five times as many at once as a second: 100 and 20.
func ReadShare(perSecond float64) Share { return Share{PerSecond: perSecond, Burst: 5 * perSecond} }

// ModifyShare is a share of RunTask, StopTask and the attributes' calls, of which ECS allows two and a half times as many at once as a second:
// 100 and 40.
func ModifyShare(perSecond float64) Share {
	return Share{PerSecond: perSecond, Burst: 2.5 * perSecond}
}
