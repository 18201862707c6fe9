// Package ecsapi reads Amazon ECS: complete lists, complete descriptions, and
// the translation of the SDK's types into those of package state.
//
// API names the calls of the SDK that Blox makes, so that code that talks to
// ECS runs on the service, on the simulator and on fakes. Limit puts a budget
// in front of them: ECS counts the calls of a whole account and region, and
// others want to make some too.
package ecsapi

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// API is the part of [ecs.Client] that Blox uses, with the SDK's own
// signatures, types and errors.
type API interface {
	ListClusters(ctx context.Context, in *ecs.ListClustersInput, opts ...func(*ecs.Options)) (*ecs.ListClustersOutput, error)
	DescribeClusters(ctx context.Context, in *ecs.DescribeClustersInput, opts ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error)
	ListTasks(ctx context.Context, in *ecs.ListTasksInput, opts ...func(*ecs.Options)) (*ecs.ListTasksOutput, error)
	DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput, opts ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error)
	ListContainerInstances(ctx context.Context, in *ecs.ListContainerInstancesInput, opts ...func(*ecs.Options)) (*ecs.ListContainerInstancesOutput, error)
	DescribeContainerInstances(ctx context.Context, in *ecs.DescribeContainerInstancesInput, opts ...func(*ecs.Options)) (*ecs.DescribeContainerInstancesOutput, error)
	DescribeTaskDefinition(ctx context.Context, in *ecs.DescribeTaskDefinitionInput, opts ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
	DescribeServices(ctx context.Context, in *ecs.DescribeServicesInput, opts ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	DescribeCapacityProviders(ctx context.Context, in *ecs.DescribeCapacityProvidersInput, opts ...func(*ecs.Options)) (*ecs.DescribeCapacityProvidersOutput, error)
	RunTask(ctx context.Context, in *ecs.RunTaskInput, opts ...func(*ecs.Options)) (*ecs.RunTaskOutput, error)
	StopTask(ctx context.Context, in *ecs.StopTaskInput, opts ...func(*ecs.Options)) (*ecs.StopTaskOutput, error)
	PutAttributes(ctx context.Context, in *ecs.PutAttributesInput, opts ...func(*ecs.Options)) (*ecs.PutAttributesOutput, error)
	DeleteAttributes(ctx context.Context, in *ecs.DeleteAttributesInput, opts ...func(*ecs.Options)) (*ecs.DeleteAttributesOutput, error)
}

var _ API = (*ecs.Client)(nil)

// IsClusterNotFound says whether ECS refused a call because there is no such
// cluster, or it is INACTIVE.
func IsClusterNotFound(err error) bool {
	var notFound *types.ClusterNotFoundException
	return errors.As(err, &notFound)
}
