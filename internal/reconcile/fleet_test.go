package reconcile

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/ecsapi"
)

// fleet is an ECS with one large cluster in which nothing happens. It holds ids only,
// and describes what it is asked for as a task or host of common size.
type fleet struct {
	ecsapi.API // every call that is not here panics
	tasks      []string
	hosts      []string
	stage      string // a tag of each task, an attribute of each host

	mu    sync.Mutex
	calls map[string]int
	each  func() // before each call
}

func newFleet(hosts, tasks int) *fleet {
	f := &fleet{stage: "production", calls: map[string]int{}, each: func() {}}
	for n := range tasks {
		f.tasks = append(f.tasks, taskID(n))
	}
	for n := range hosts {
		f.hosts = append(f.hosts, fmt.Sprintf("host%028d", n))
	}
	return f
}

func taskID(n int) string { return fmt.Sprintf("%032d", n) }

func (f *fleet) count(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[call]++
	f.each()
}

func arnOf(kind, id string) string {
	return fmt.Sprintf("arn:aws:ecs:%s:%s:%s/%s/%s", edge.Region, edge.Account, kind, edge.Name, id)
}

func page(kind string, ids []string, token *string) (arns []string, next *string) {
	start, _ := strconv.Atoi(aws.ToString(token))
	end := min(start+ecsapi.BatchSize, len(ids))
	for _, id := range ids[start:end] {
		arns = append(arns, arnOf(kind, id))
	}
	if end < len(ids) {
		next = aws.String(strconv.Itoa(end))
	}
	return arns, next
}

func (f *fleet) ListTasks(_ context.Context, in *ecs.ListTasksInput, _ ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	f.count("ListTasks")
	if in.DesiredStatus == types.DesiredStatusStopped {
		return &ecs.ListTasksOutput{}, nil
	}
	arns, next := page("task", f.tasks, in.NextToken)
	return &ecs.ListTasksOutput{TaskArns: arns, NextToken: next}, nil
}

func (f *fleet) ListContainerInstances(
	_ context.Context, in *ecs.ListContainerInstancesInput, _ ...func(*ecs.Options),
) (*ecs.ListContainerInstancesOutput, error) {
	f.count("ListContainerInstances")
	arns, next := page("container-instance", f.hosts, in.NextToken)
	return &ecs.ListContainerInstancesOutput{ContainerInstanceArns: arns, NextToken: next}, nil
}

func (f *fleet) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput, _ ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	f.count("DescribeTasks")
	out := &ecs.DescribeTasksOutput{}
	for _, arn := range in.Tasks {
		out.Tasks = append(out.Tasks, commonTask(arn, f.stage))
	}
	return out, nil
}

// commonTask has two containers, an interface, tags and times.
func commonTask(arn, stage string) types.Task {
	created := time.Date(2126, 11, 20, 8, 0, 0, 0, time.UTC)
	task := types.Task{
		TaskArn: aws.String(arn), ClusterArn: aws.String(edge.ARN("")), Version: 5,
		TaskDefinitionArn: aws.String("arn:aws:ecs:us-east-1:123456789012:task-definition/orders:41"),
		LastStatus:        aws.String("RUNNING"), DesiredStatus: aws.String("RUNNING"), Cpu: aws.String("256"), Memory: aws.String("512"),
		Group: aws.String("service:orders"), StartedBy: aws.String("ecs-svc/1234567890123456789"), LaunchType: types.LaunchTypeEc2,
		AvailabilityZone: aws.String("us-east-1a"), ContainerInstanceArn: aws.String(arnOf("container-instance", "host"+arn[len(arn)-28:])),
		CreatedAt: &created, StartedAt: &created, PullStartedAt: &created, PullStoppedAt: &created, ConnectivityAt: &created,
		Connectivity: types.ConnectivityConnected, HealthStatus: types.HealthStatusHealthy,
		Attachments: []types.Attachment{{Id: aws.String("a"), Type: aws.String("ElasticNetworkInterface"), Status: aws.String("ATTACHED"), Details: []types.KeyValuePair{
			{Name: aws.String("subnetId"), Value: aws.String("subnet-0123456789abcdef0")}, {Name: aws.String("privateIPv4Address"), Value: aws.String("10.0.1.2")},
		}}},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("orders")}, {Key: aws.String("stage"), Value: aws.String(stage)}},
	}
	for _, name := range []string{"app", "proxy"} {
		task.Containers = append(task.Containers, types.Container{
			Name: aws.String(name), ContainerArn: aws.String(strings.Replace(arn, ":task/", ":container/", 1) + "/" + name), TaskArn: aws.String(arn),
			Image:       aws.String("123456789012.dkr.ecr.us-east-1.amazonaws.com/" + name + ":1.2.3"),
			ImageDigest: aws.String("sha256:" + strings.Repeat("0123456789abcdef", 4)), RuntimeId: aws.String(strings.Repeat("0123456789abcdef", 4)),
			LastStatus: aws.String("RUNNING"), HealthStatus: types.HealthStatusHealthy, Cpu: aws.String("128"), Memory: aws.String("256"),
		})
	}
	return task
}

func (f *fleet) DescribeContainerInstances(
	_ context.Context, in *ecs.DescribeContainerInstancesInput, _ ...func(*ecs.Options),
) (*ecs.DescribeContainerInstancesOutput, error) {
	f.count("DescribeContainerInstances")
	out := &ecs.DescribeContainerInstancesOutput{}
	for _, arn := range in.ContainerInstances {
		out.ContainerInstances = append(out.ContainerInstances, commonHost(arn, f.stage))
	}
	return out, nil
}

// commonHost has the attributes that an agent registers.
func commonHost(arn, stage string) types.ContainerInstance {
	registered := time.Date(2126, 11, 20, 8, 0, 0, 0, time.UTC)
	host := types.ContainerInstance{
		ContainerInstanceArn: aws.String(arn), Ec2InstanceId: aws.String("i-" + arn[len(arn)-17:]), Version: 17, Status: aws.String("ACTIVE"),
		AgentConnected: true, RegisteredAt: &registered, VersionInfo: &types.VersionInfo{AgentVersion: aws.String("1.99.0")},
		RunningTasksCount: 5,
	}
	host.Attributes = []types.Attribute{{Name: aws.String("stage"), Value: aws.String(stage)}}
	for n := range 40 {
		host.Attributes = append(host.Attributes, types.Attribute{Name: aws.String(fmt.Sprintf("com.amazonaws.ecs.capability.feature-%02d", n))})
	}
	for _, name := range []string{"CPU", "MEMORY"} {
		resource := types.Resource{Name: aws.String(name), Type: aws.String("INTEGER"), IntegerValue: 4096}
		host.RegisteredResources = append(host.RegisteredResources, resource)
		host.RemainingResources = append(host.RemainingResources, resource)
	}
	return host
}
