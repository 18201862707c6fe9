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
// limiter lets everything through. RunTask, StopTask, PutAttributes and
// DeleteAttributes count in another bucket of ECS and pass unlimited: whoever
// starts tasks takes its budget for the batch, before it claims anything.
func Limit(api API, limiter Limiter) API {
	if limiter == nil {
		return api
	}
	return &limited{API: api, do: func(ctx context.Context, call func() error) error {
		if err := limiter.Wait(ctx, 1); err != nil {
			return fmt.Errorf("waiting for the ECS call budget: %w", err)
		}
		return call()
	}}
}

// Paced makes an API whose reads keep a pace, and are tried again when they are
// throttled. Its client must LeaveThrottles.
func Paced(api API, pace *Pace) API { return &limited{API: api, do: pace.do} }

type limited struct {
	API
	// do makes a call when it may be made.
	do func(ctx context.Context, call func() error) error
}

// method is one of the SDK's calls.
type method[In, Out any] func(ctx context.Context, in *In, opts ...func(*ecs.Options)) (*Out, error)

// read makes one of the calls that are limited.
func read[In, Out any](ctx context.Context, l *limited, call method[In, Out], in *In, opts []func(*ecs.Options)) (*Out, error) {
	var out *Out
	err := l.do(ctx, func() (err error) {
		out, err = call(ctx, in, opts...)
		return err
	})
	return out, err
}

func (l *limited) ListClusters(ctx context.Context, in *ecs.ListClustersInput, opts ...func(*ecs.Options)) (*ecs.ListClustersOutput, error) {
	return read(ctx, l, l.API.ListClusters, in, opts)
}

func (l *limited) DescribeClusters(ctx context.Context, in *ecs.DescribeClustersInput, opts ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error) {
	return read(ctx, l, l.API.DescribeClusters, in, opts)
}

func (l *limited) ListTasks(ctx context.Context, in *ecs.ListTasksInput, opts ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	return read(ctx, l, l.API.ListTasks, in, opts)
}

func (l *limited) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput, opts ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	return read(ctx, l, l.API.DescribeTasks, in, opts)
}

func (l *limited) ListContainerInstances(ctx context.Context, in *ecs.ListContainerInstancesInput, opts ...func(*ecs.Options)) (*ecs.ListContainerInstancesOutput, error) {
	return read(ctx, l, l.API.ListContainerInstances, in, opts)
}

func (l *limited) DescribeContainerInstances(ctx context.Context, in *ecs.DescribeContainerInstancesInput, opts ...func(*ecs.Options)) (*ecs.DescribeContainerInstancesOutput, error) {
	return read(ctx, l, l.API.DescribeContainerInstances, in, opts)
}

func (l *limited) DescribeTaskDefinition(ctx context.Context, in *ecs.DescribeTaskDefinitionInput, opts ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error) {
	return read(ctx, l, l.API.DescribeTaskDefinition, in, opts)
}

func (l *limited) DescribeServices(ctx context.Context, in *ecs.DescribeServicesInput, opts ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	return read(ctx, l, l.API.DescribeServices, in, opts)
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
