package doctor

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/blox/blox/client"
	"github.com/blox/blox/client/stack"
)

// Names of the checks.
const (
	checkCredentials = "credentials"
	checkStack       = "stack"
	checkAPI         = "api"
	checkPermissions = "permissions"
	checkReconcile   = "reconcile"
	checkEvents      = "events"
	checkDeadLetters = "dead letters"
	checkAlarms      = "alarms"
	checkCanary      = "canary"
)

// Blox is what is called of the API; *client.Client is one.
type Blox interface {
	Endpoint() string
	Ping(ctx context.Context) error
	ListClusters(ctx context.Context) iter.Seq2[client.Cluster, error]
	ListTasksPage(ctx context.Context, filter client.TaskFilter, options client.PageOptions) (client.TaskPage, error)
	ListInstancesPage(ctx context.Context, filter client.InstanceFilter, options client.PageOptions) (client.ContainerInstancePage, error)
	ListEnvironmentsPage(ctx context.Context, cluster string, options client.PageOptions) (client.EnvironmentPage, error)
	GetTask(ctx context.Context, cluster, task string) (client.Task, error)
}

// Identity is what is called of STS.
type Identity interface {
	GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

// Queues is what is called of SQS.
type Queues interface {
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// Alarms is what is called of CloudWatch.
type Alarms interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
}

// ECS is what the canary calls.
type ECS interface {
	RunTask(context.Context, *ecs.RunTaskInput, ...func(*ecs.Options)) (*ecs.RunTaskOutput, error)
	StopTask(context.Context, *ecs.StopTaskInput, ...func(*ecs.Options)) (*ecs.StopTaskOutput, error)
	DescribeTasks(context.Context, *ecs.DescribeTasksInput, ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error)
	ListTasks(context.Context, *ecs.ListTasksInput, ...func(*ecs.Options)) (*ecs.ListTasksOutput, error)
}

// AWS is the services of the account.
type AWS struct {
	Identity Identity // nil if there is nobody to ask whose the credentials are, as for a simulator
	Stacks   stack.API
	Queues   Queues
	Alarms   Alarms
	ECS      ECS
}

// Local is what a blox local tells in the place of a stack.
type Local struct {
	Outputs map[string]string
	Queues  Queues
}

// Config says what to check, and with what.
type Config struct {
	// AWS is nil if nothing of the account is needed: no stack is named, calls are not signed for AWS, there is no canary.
	AWS *AWS
	// StackName is the stack whose outputs tell where everything is; without it, Endpoint is the API's address.
	StackName, Endpoint string
	// Connect makes the client of an API's address.
	Connect func(endpoint string) (Blox, error)
	// Local are the queues of a blox local, where the endpoint is one's; else nil.
	Local *Local
	// Canary is the task to run, or nil.
	Canary *Canary
	// ReconcilePeriod is the installation's, where no stack tells it.
	ReconcilePeriod time.Duration
	// Explain puts an error of a call into a sentence that says what to do.
	Explain func(error) string
	// Why is only what went wrong in a call that nothing answered.
	Why func(*url.Error) string

	Now   func() time.Time
	Pause func(ctx context.Context, d time.Duration) error
	NewID func() string
}

// Run makes all checks, one after the other. What cannot be checked because of an earlier failure is skipped.
func Run(ctx context.Context, cfg Config) Report {
	d := &examination{Config: cfg}
	d.credentials(ctx)
	d.stack(ctx)
	d.api(ctx)
	d.deadLetters(ctx)
	d.alarms(ctx)
	d.canary(ctx)
	return Report{Results: d.results}
}

// examination is a run of the checks. What a check found out serves those after it.
type examination struct {
	Config
	results []Result
	// noAWS says why nothing can be asked of the account, and is empty if it can.
	noAWS string
	found *stack.Stack
	blox  Blox // nil if it cannot be called
}

func (d *examination) add(results ...Result) { d.results = append(d.results, results...) }
