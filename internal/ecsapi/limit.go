package ecsapi

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// Limiter grants calls of ECS. Wait returns when n calls may be made, or with
// the context's error.
type Limiter interface {
	Wait(ctx context.Context, n int) error
}

// Limit makes an API whose reads (List and Describe) wait for the limiter. A nil
// limiter lets everything through. RunTask and StopTask count in another bucket
// of ECS and pass unlimited: whoever starts tasks takes its budget for the
// batch, before it claims anything.
func Limit(api API, limiter Limiter) API {
	if limiter == nil {
		return api
	}
	return &limited{API: api, limiter: limiter}
}

type limited struct {
	API
	limiter Limiter
}

func (l *limited) wait(ctx context.Context) error {
	if err := l.limiter.Wait(ctx, 1); err != nil {
		return fmt.Errorf("waiting for the ECS call budget: %w", err)
	}
	return nil
}

func (l *limited) ListClusters(ctx context.Context, in *ecs.ListClustersInput, opts ...func(*ecs.Options)) (*ecs.ListClustersOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.ListClusters(ctx, in, opts...)
}

func (l *limited) DescribeClusters(ctx context.Context, in *ecs.DescribeClustersInput, opts ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.DescribeClusters(ctx, in, opts...)
}

func (l *limited) ListTasks(ctx context.Context, in *ecs.ListTasksInput, opts ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.ListTasks(ctx, in, opts...)
}

func (l *limited) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput, opts ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.DescribeTasks(ctx, in, opts...)
}

func (l *limited) ListContainerInstances(ctx context.Context, in *ecs.ListContainerInstancesInput, opts ...func(*ecs.Options)) (*ecs.ListContainerInstancesOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.ListContainerInstances(ctx, in, opts...)
}

func (l *limited) DescribeContainerInstances(ctx context.Context, in *ecs.DescribeContainerInstancesInput, opts ...func(*ecs.Options)) (*ecs.DescribeContainerInstancesOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.DescribeContainerInstances(ctx, in, opts...)
}

func (l *limited) DescribeTaskDefinition(ctx context.Context, in *ecs.DescribeTaskDefinitionInput, opts ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.DescribeTaskDefinition(ctx, in, opts...)
}

func (l *limited) DescribeServices(ctx context.Context, in *ecs.DescribeServicesInput, opts ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.API.DescribeServices(ctx, in, opts...)
}

// Pause waits for a duration, or until the context ends with its error.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
