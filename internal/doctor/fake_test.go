package doctor

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

var start = time.Date(2026, 11, 20, 9, 14, 7, 0, time.UTC)

const (
	clusterARN = "arn:aws:ecs:eu-west-1:123456789012:cluster/edge"
	taskARN    = "arn:aws:ecs:eu-west-1:123456789012:task/edge/0f5d"
)

// installation is a healthy one, of which a test breaks parts. No pause takes any time but that of its clock.
type installation struct {
	now time.Time

	identityErr, stackErr, pingErr, connectErr, tasksErr, clustersErr, environmentsErr, queueErr, alarmsErr error

	status   string
	outputs  map[string]string
	clusters []client.Cluster
	messages map[string]string // by queue URL; absent is 0
	alarms   []cwtypes.MetricAlarm

	runErr, stopErr, describeErr, listErr, getErr error
	failures                                      []ecstypes.Failure
	runs, stops, lists                            int
	ranAt, stoppedAt                              time.Time
	// lag is how much later Blox knows; deaf is that it never does.
	lag  time.Duration
	deaf bool
	// slow is that ECS never starts the task, brief that the task ends by itself.
	slow, brief bool
	// onPause may change things while time passes.
	onPause func() error
	cancel  context.CancelFunc // as Ctrl-C does
	asked   []string           // calls, to see which are made
}

func newInstallation() *installation {
	at := start.Add(-2 * time.Minute)
	return &installation{
		now: start, status: "UPDATE_COMPLETE", lag: 1500 * time.Millisecond,
		outputs: map[string]string{
			"ApiUrl": "https://x.test/blox", "Installation": "blox", "EventsDeadLettersUrl": "https://sqs.test/events-dlq",
			"EventsQueueUrl": "https://sqs.test/events", "ReconcileMinutes": "5",
			"StreamFailuresUrl": "https://sqs.test/stream-failures", "WakeupQueueUrl": "https://sqs.test/wakeups",
		},
		clusters: []client.Cluster{{Name: "edge", ClusterARN: clusterARN, Account: "123456789012", Region: "eu-west-1", LastReconciledAt: &at}},
		messages: map[string]string{"https://sqs.test/wakeups": "7"}, // no dead letters, so of no interest
		alarms:   []cwtypes.MetricAlarm{alarm("Blox-blox-event-lag", cwtypes.StateValueOk), alarm("Blox-blox-errors", cwtypes.StateValueInsufficientData)},
		onPause:  func() error { return nil },
	}
}

func alarm(name string, state cwtypes.StateValue) cwtypes.MetricAlarm {
	return cwtypes.MetricAlarm{
		AlarmName: &name, StateValue: state, StateReason: aws.String("threshold crossed"), AlarmDescription: aws.String("Look at " + name + "."),
		ActionsEnabled: aws.Bool(true), AlarmActions: []string{"arn:aws:sns:eu-west-1:123456789012:topic"},
	}
}

func (i *installation) examine(t *testing.T, change func(*Config)) Report {
	cfg := Config{
		AWS:       &AWS{Identity: i, Stacks: i, Queues: i, Alarms: i, ECS: i},
		StackName: "Blox-blox", ReconcilePeriod: 5 * time.Minute,
		Connect: func(endpoint string) (Blox, error) {
			require.Equal(t, "https://x.test/blox", endpoint)
			return i, i.connectErr
		},
		Canary:  &Canary{Cluster: "edge", TaskDefinition: "canary:1", Within: 10 * time.Second},
		Explain: func(err error) string { return "explained: " + err.Error() },
		Why:     func(err *url.Error) string { return "why: " + err.Err.Error() },
		Now:     func() time.Time { return i.now },
		Pause: func(ctx context.Context, d time.Duration) error {
			i.now = i.now.Add(d)
			if err := i.onPause(); err != nil {
				return err
			}
			return ctx.Err()
		},
		NewID: func() string { return "1" },
	}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	i.cancel = cancel
	return Run(ctx, cfg)
}

// of are the results of a check.
func of(report Report, check string) (results []Result) {
	for _, r := range report.Results {
		if r.Check == check {
			results = append(results, r)
		}
	}
	return results
}

// only is the one result of a check, with the status.
func only(t *testing.T, report Report, check string, status Status, says string) {
	t.Helper()
	results := of(report, check)
	require.Len(t, results, 1, "%+v", results)
	require.Equal(t, status, results[0].Status, results[0].Seen)
	require.Contains(t, results[0].Seen, says)
	require.Equal(t, status == Warn || status == Fail, results[0].Do != "", "what to do is said where something is to be done")
}

var errDenied = &client.Error{Status: http.StatusForbidden, Detail: "not authorized", Refusal: client.RefusedPermission}

func (i *installation) GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error) {
	i.asked = append(i.asked, "sts")
	return &sts.GetCallerIdentityOutput{Arn: aws.String("arn:aws:iam::123456789012:user/ann")}, i.identityErr
}

func (i *installation) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	i.asked = append(i.asked, "cloudformation")
	if i.stackErr != nil {
		return nil, i.stackErr
	}
	s := cfntypes.Stack{StackName: in.StackName, StackStatus: cfntypes.StackStatus(i.status)}
	for name, value := range i.outputs {
		s.Outputs = append(s.Outputs, cfntypes.Output{OutputKey: &name, OutputValue: &value})
	}
	return &cloudformation.DescribeStacksOutput{Stacks: []cfntypes.Stack{s}}, nil
}

func (i *installation) GetQueueAttributes(_ context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	i.asked = append(i.asked, "sqs")
	if i.queueErr != nil {
		return nil, i.queueErr
	}
	out := &sqs.GetQueueAttributesOutput{Attributes: map[string]string{}}
	for n, name := range in.AttributeNames {
		out.Attributes[string(name)] = "0"
		if count := i.messages[*in.QueueUrl]; n == 0 && count != "" {
			out.Attributes[string(name)] = count
		}
	}
	return out, nil
}

func (i *installation) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	i.asked = append(i.asked, "cloudwatch")
	if i.alarmsErr != nil {
		return nil, i.alarmsErr
	}
	// A page has one alarm; NextToken counts.
	n := len(aws.ToString(in.NextToken))
	out := &cloudwatch.DescribeAlarmsOutput{}
	var matching []cwtypes.MetricAlarm
	for _, a := range i.alarms {
		if strings.HasPrefix(*a.AlarmName, *in.AlarmNamePrefix) {
			matching = append(matching, a)
		}
	}
	if n < len(matching) {
		out.MetricAlarms = matching[n : n+1]
	}
	if n+1 < len(matching) {
		out.NextToken = aws.String(strings.Repeat("x", n+1))
	}
	return out, nil
}

func (i *installation) Endpoint() string { return "https://x.test/blox" }

func (i *installation) Ping(context.Context) error {
	i.now = i.now.Add(34 * time.Millisecond)
	return i.pingErr
}

func (i *installation) ListClusters(context.Context) iter.Seq2[client.Cluster, error] {
	return func(yield func(client.Cluster, error) bool) {
		for _, c := range i.clusters {
			if !yield(c, nil) {
				return
			}
		}
		if i.clustersErr != nil {
			yield(client.Cluster{}, i.clustersErr)
		}
	}
}

func (i *installation) ListTasksPage(context.Context, client.TaskFilter, client.PageOptions) (client.TaskPage, error) {
	return client.TaskPage{}, i.tasksErr
}

func (i *installation) ListInstancesPage(context.Context, client.InstanceFilter, client.PageOptions) (client.ContainerInstancePage, error) {
	return client.ContainerInstancePage{}, nil
}

func (i *installation) ListEnvironmentsPage(context.Context, string, client.PageOptions) (client.EnvironmentPage, error) {
	return client.EnvironmentPage{}, i.environmentsErr
}

// lastStatus is the task's, as of a time: two seconds until RUNNING, three from the stop to STOPPED.
func (i *installation) lastStatus(at time.Time) string {
	switch {
	case !i.stoppedAt.IsZero() && !at.Before(i.stoppedAt.Add(3*time.Second)), i.brief && !at.Before(i.ranAt.Add(time.Second)):
		return "STOPPED"
	case !i.stoppedAt.IsZero() && !at.Before(i.stoppedAt):
		return "DEACTIVATING"
	case i.slow || at.Before(i.ranAt.Add(2*time.Second)):
		return "PENDING"
	default:
		return "RUNNING"
	}
}

func (i *installation) GetTask(_ context.Context, cluster, task string) (client.Task, error) {
	if i.getErr != nil {
		return client.Task{}, i.getErr
	}
	if at := i.now.Add(-i.lag); cluster == clusterARN && task == taskARN && !i.deaf && !at.Before(i.ranAt) {
		return client.Task{Entity: client.TaskEntity{LastStatus: i.lastStatus(at)}}, nil
	}
	return client.Task{}, &client.Error{Status: http.StatusNotFound, Detail: "no such task"}
}

func (i *installation) RunTask(_ context.Context, in *ecs.RunTaskInput, _ ...func(*ecs.Options)) (*ecs.RunTaskOutput, error) {
	if *in.Cluster != "edge" || *in.TaskDefinition != "canary:1" || *in.StartedBy != "blox-doctor/1" || *in.Count != 1 {
		return nil, errors.New("not what was asked for")
	}
	if len(i.failures) > 0 {
		return &ecs.RunTaskOutput{Failures: i.failures}, nil
	}
	i.runs++
	i.ranAt = i.now
	return &ecs.RunTaskOutput{Tasks: []ecstypes.Task{{ClusterArn: aws.String(clusterARN), TaskArn: aws.String(taskARN), LastStatus: aws.String("PROVISIONING")}}}, i.runErr
}

func (i *installation) StopTask(ctx context.Context, in *ecs.StopTaskInput, _ ...func(*ecs.Options)) (*ecs.StopTaskOutput, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if *in.Task != taskARN {
		return nil, errors.New("another task")
	}
	if i.stopErr != nil {
		return nil, i.stopErr
	}
	if i.stops++; i.stoppedAt.IsZero() {
		i.stoppedAt = i.now
	}
	return &ecs.StopTaskOutput{}, nil
}

func (i *installation) DescribeTasks(context.Context, *ecs.DescribeTasksInput, ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	status := i.lastStatus(i.now)
	return &ecs.DescribeTasksOutput{Tasks: []ecstypes.Task{{LastStatus: &status, StoppedReason: aws.String("Essential container exited")}}}, i.describeErr
}

func (i *installation) ListTasks(_ context.Context, in *ecs.ListTasksInput, _ ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	i.lists++
	if *in.StartedBy != "blox-doctor/1" || *in.Cluster != "edge" {
		return nil, errors.New("another list")
	}
	out := &ecs.ListTasksOutput{}
	if i.runs > 0 {
		out.TaskArns = []string{taskARN}
	}
	return out, i.listErr
}

// fail lets ECS refuse the task for a reason.
func (i *installation) fail(reason string) { i.failures = []ecstypes.Failure{{Reason: &reason}} }
