package ecsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/state"
)

// reasonMissing is how a Describe says that there is no such thing, or that it
// does not know it yet: ECS is eventually consistent.
const reasonMissing = "MISSING"

// DescribeTasks describes tasks of one cluster by id or ARN, with their tags, in
// batches. callStart is the moment before the call: what ECS answers can be that
// old. missing has the ARNs that ECS does not know; what it neither describes
// nor calls missing is in neither result. An *UnusableError names what it failed
// for another reason, or described in a way that cannot be stored: seen and missing
// are then complete but for these. With any other error they are empty.
func DescribeTasks(ctx context.Context, api API, cluster state.ClusterKey, arns []string, callStart time.Time) (seen []state.Observation, missing []string, err error) {
	var unusable []error
	for batch := range slices.Chunk(arns, BatchSize) {
		out, err := api.DescribeTasks(ctx, &ecs.DescribeTasksInput{
			Cluster: aws.String(cluster.ARN("")), Tasks: batch, Include: []types.TaskField{types.TaskFieldTags},
		})
		if err != nil {
			return nil, nil, fmt.Errorf("describing %d tasks of cluster %s: %w", len(batch), cluster, err)
		}
		for _, failure := range out.Failures {
			if aws.ToString(failure.Reason) == reasonMissing {
				missing = append(missing, aws.ToString(failure.Arn))
			} else {
				unusable = append(unusable, failureError("tasks of cluster "+cluster.String(), failure))
			}
		}
		for _, answer := range out.Tasks {
			task := TaskOf(answer)
			observation, err := observe(state.KindTask, task.ClusterARN, task.TaskARN, task.Version, task, callStart)
			if err != nil {
				unusable = append(unusable, err)
				continue
			}
			seen = append(seen, observation)
		}
	}
	return seen, missing, unusableError(unusable)
}

// DescribeContainerInstances does the same for container instances, with tags
// and health.
func DescribeContainerInstances(ctx context.Context, api API, cluster state.ClusterKey, arns []string, callStart time.Time) (seen []state.Observation, missing []string, err error) {
	var unusable []error
	for batch := range slices.Chunk(arns, BatchSize) {
		out, err := api.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{
			Cluster: aws.String(cluster.ARN("")), ContainerInstances: batch,
			Include: []types.ContainerInstanceField{types.ContainerInstanceFieldTags, types.ContainerInstanceFieldContainerInstanceHealth},
		})
		if err != nil {
			return nil, nil, fmt.Errorf("describing %d container instances of cluster %s: %w", len(batch), cluster, err)
		}
		for _, failure := range out.Failures {
			if aws.ToString(failure.Reason) == reasonMissing {
				missing = append(missing, aws.ToString(failure.Arn))
			} else {
				unusable = append(unusable, failureError("container instances of cluster "+cluster.String(), failure))
			}
		}
		for _, answer := range out.ContainerInstances {
			instance := ContainerInstanceOf(answer, cluster)
			observation, err := observe(state.KindContainerInstance, instance.ClusterARN, instance.ContainerInstanceARN, instance.Version, instance, callStart)
			if err != nil {
				unusable = append(unusable, err)
				continue
			}
			seen = append(seen, observation)
		}
	}
	return seen, missing, unusableError(unusable)
}

// UnusableError tells of the things that a Describe failed for another reason than
// that they are missing, or described in a way that cannot be stored. They may
// exist, and the others that were asked for are described all the same.
type UnusableError struct {
	// Things has an error for each of them, at least one.
	Things []error
}

// Error names the first.
func (e *UnusableError) Error() string {
	if len(e.Things) == 1 {
		return e.Things[0].Error()
	}
	return fmt.Sprintf("%d things cannot be used, the first: %s", len(e.Things), e.Things[0])
}

// Unwrap gives all of them.
func (e *UnusableError) Unwrap() []error { return e.Things }

func unusableError(things []error) error {
	if len(things) == 0 {
		return nil
	}
	return &UnusableError{things}
}

func failureError(what string, failure types.Failure) error {
	return fmt.Errorf("describing %s: ECS failed %q with reason %q (%s)",
		what, aws.ToString(failure.Arn), aws.ToString(failure.Reason), aws.ToString(failure.Detail))
}

// observe makes an observation of what was described; thing is its detail.
func observe(kind state.Kind, clusterARN, arn string, version int64, thing any, at time.Time) (state.Observation, error) {
	key, err := state.KeyOf(kind, clusterARN, arn)
	if err != nil {
		return state.Observation{}, fmt.Errorf("describing %q: %w", arn, err)
	}
	// Versions order everything that is stored. ECS counts them from 1.
	if version < 1 {
		return state.Observation{}, fmt.Errorf("describing %s: ECS answers version %d, allowed are 1 and above", key, version)
	}
	var detail bytes.Buffer
	encoder := json.NewEncoder(&detail)
	// Commands and reasons may hold <, > and &: they stay as ECS wrote them.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(thing); err != nil {
		return state.Observation{}, fmt.Errorf("encoding the detail of %s: %w", key, err)
	}
	return state.Observation{
		Key: key, ARN: arn, Version: version, Source: state.SourceDescribed, ObservedAt: at,
		Detail: bytes.TrimSuffix(detail.Bytes(), []byte("\n")),
	}, nil
}
