package ecsapi

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// fakeECS has n tasks of each desired status and pages them by size.
type fakeECS struct {
	API                                   // every call that a test does not expect panics
	running, stopped, instances, clusters []string

	missing  map[string]string // ARN: reason
	inactive map[string]bool   // cluster ARN
	err      error
	loop     bool
	calls    []string
}

func (f *fakeECS) page(names []string, token *string) ([]string, *string) {
	start, _ := strconv.Atoi(aws.ToString(token))
	end := min(start+BatchSize, len(names))
	if f.loop {
		return names[start:end], aws.String(strconv.Itoa(start))
	}
	if end == len(names) {
		return names[start:], nil
	}
	return names[start:end], aws.String(strconv.Itoa(end))
}

func (f *fakeECS) ListClusters(_ context.Context, in *ecs.ListClustersInput, _ ...func(*ecs.Options)) (*ecs.ListClustersOutput, error) {
	names, next := f.page(f.clusters, in.NextToken)
	return &ecs.ListClustersOutput{ClusterArns: names, NextToken: next}, f.err
}

func (f *fakeECS) ListTasks(_ context.Context, in *ecs.ListTasksInput, _ ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	f.calls = append(f.calls, fmt.Sprintf("ListTasks %s %s", in.DesiredStatus, aws.ToString(in.NextToken)))
	names := f.running
	if in.DesiredStatus == types.DesiredStatusStopped {
		names = f.stopped
	}
	page, next := f.page(names, in.NextToken)
	return &ecs.ListTasksOutput{TaskArns: page, NextToken: next}, f.err
}

func (f *fakeECS) ListContainerInstances(_ context.Context, in *ecs.ListContainerInstancesInput, _ ...func(*ecs.Options)) (*ecs.ListContainerInstancesOutput, error) {
	f.calls = append(f.calls, "ListContainerInstances "+string(in.Status))
	page, next := f.page(f.instances, in.NextToken)
	return &ecs.ListContainerInstancesOutput{ContainerInstanceArns: page, NextToken: next}, f.err
}

func (f *fakeECS) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput, _ ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	f.calls = append(f.calls, fmt.Sprintf("DescribeTasks %d %v", len(in.Tasks), in.Include))
	out := &ecs.DescribeTasksOutput{}
	for _, arn := range in.Tasks {
		if reason, ok := f.missing[arn]; ok {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(arn), Reason: aws.String(reason)})
			continue
		}
		out.Tasks = append(out.Tasks, types.Task{
			TaskArn: aws.String(arn), ClusterArn: in.Cluster, Version: 4, LastStatus: aws.String("RUNNING"), DesiredStatus: aws.String("RUNNING"),
		})
	}
	return out, f.err
}

func (f *fakeECS) DescribeContainerInstances(_ context.Context, in *ecs.DescribeContainerInstancesInput, _ ...func(*ecs.Options)) (*ecs.DescribeContainerInstancesOutput, error) {
	f.calls = append(f.calls, fmt.Sprintf("DescribeContainerInstances %d %v", len(in.ContainerInstances), in.Include))
	out := &ecs.DescribeContainerInstancesOutput{}
	for _, arn := range in.ContainerInstances {
		if reason, ok := f.missing[arn]; ok {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(arn), Reason: aws.String(reason)})
			continue
		}
		out.ContainerInstances = append(out.ContainerInstances, types.ContainerInstance{
			ContainerInstanceArn: aws.String(arn), Version: 17, Status: aws.String("ACTIVE"),
		})
	}
	return out, f.err
}

func (f *fakeECS) DescribeClusters(_ context.Context, in *ecs.DescribeClustersInput, _ ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error) {
	out := &ecs.DescribeClustersOutput{}
	for _, arn := range in.Clusters {
		switch reason, ok := f.missing[arn]; {
		case ok:
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(arn), Reason: aws.String(reason)})
		case f.inactive[arn]:
			out.Clusters = append(out.Clusters, types.Cluster{ClusterArn: aws.String(arn), Status: aws.String("INACTIVE")})
		default:
			out.Clusters = append(out.Clusters, types.Cluster{ClusterArn: aws.String(arn), Status: aws.String("ACTIVE")})
		}
	}
	return out, f.err
}

// names makes n ARNs of a kind, the first numbered from.
func names(kind string, from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("arn:aws:ecs:eu-west-1:210987654321:%s/edge/%d", kind, from+i)
	}
	return out
}
