package ecsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/state"
)

const (
	// BatchSize is the most that a Describe call takes and a List call gives.
	BatchSize = 100
	// maxPages bounds a list: 200,000 names. ECS allows 5,000 container
	// instances and 10,000 clusters; the tasks of the largest cluster, with an
	// hour of stopped ones, stay well below it.
	maxPages = 2000
)

// TaskFilter restricts ListTaskARNs; an empty field restricts nothing. ECS
// refuses StartedBy together with any other.
type TaskFilter struct {
	ContainerInstance string // id or ARN
	Family            string
	StartedBy         string
	ServiceName       string
	// DesiredStatus is RUNNING or STOPPED. Empty lists both, which ECS does not:
	// without it, it lists RUNNING only.
	DesiredStatus types.DesiredStatus
}

// ListClusterARNs lists the ARNs of all clusters of the account and region.
func ListClusterARNs(ctx context.Context, api API) ([]string, error) {
	arns, err := allPages(func(token *string) ([]string, *string, error) {
		out, err := api.ListClusters(ctx, &ecs.ListClustersInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.ClusterArns, out.NextToken, nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing clusters: %w", err)
	}
	return arns, nil
}

// ListTaskARNs lists tasks by ARN, each once. RUNNING are listed before STOPPED:
// a task that is stopped meanwhile is then seen twice and not never. An error
// means that the list is not complete.
func ListTaskARNs(ctx context.Context, api API, cluster state.ClusterKey, filter TaskFilter) ([]string, error) {
	statuses := []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped}
	if filter.DesiredStatus != "" {
		statuses = []types.DesiredStatus{filter.DesiredStatus}
	}
	var arns []string
	seen := map[string]bool{}
	for _, status := range statuses {
		page, err := listTasks(ctx, api, cluster, filter, status)
		if err != nil {
			return nil, fmt.Errorf("listing %s tasks of cluster %s: %w", status, cluster, err)
		}
		for _, arn := range page {
			if !seen[arn] {
				seen[arn] = true
				arns = append(arns, arn)
			}
		}
	}
	return arns, nil
}

func listTasks(ctx context.Context, api API, cluster state.ClusterKey, filter TaskFilter, status types.DesiredStatus) ([]string, error) {
	return allPages(func(token *string) ([]string, *string, error) {
		out, err := api.ListTasks(ctx, &ecs.ListTasksInput{
			Cluster:           aws.String(cluster.ARN("")),
			ContainerInstance: optional(filter.ContainerInstance),
			Family:            optional(filter.Family),
			StartedBy:         optional(filter.StartedBy),
			ServiceName:       optional(filter.ServiceName),
			DesiredStatus:     status,
			NextToken:         token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.TaskArns, out.NextToken, nil
	})
}

// ListContainerInstanceARNs lists the container instances of a cluster in every
// status but INACTIVE: that is what ECS lists when no status is asked for. An
// error means that the list is not complete.
func ListContainerInstanceARNs(ctx context.Context, api API, cluster state.ClusterKey) ([]string, error) {
	arns, err := allPages(func(token *string) ([]string, *string, error) {
		out, err := api.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{
			Cluster: aws.String(cluster.ARN("")), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.ContainerInstanceArns, out.NextToken, nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing container instances of cluster %s: %w", cluster, err)
	}
	return arns, nil
}

var errTokenRepeats = errors.New("a page names itself as the next one")

// allPages follows nextToken to the end. ECS ends a list with an absent or an
// empty token.
func allPages(page func(token *string) (names []string, next *string, err error)) ([]string, error) {
	var all []string
	var token *string
	for range maxPages {
		names, next, err := page(token)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
		if aws.ToString(next) == "" {
			return all, nil
		}
		if token != nil && *token == *next {
			return nil, errTokenRepeats
		}
		token = next
	}
	return nil, fmt.Errorf("more than %d pages", maxPages)
}

// GoneClusters tells which of the clusters ECS does not have any more: MISSING or
// INACTIVE. The result is sorted.
func GoneClusters(ctx context.Context, api API, clusters []state.ClusterKey) ([]state.ClusterKey, error) {
	var gone []state.ClusterKey
	for batch := range slices.Chunk(clusters, BatchSize) {
		names := make([]string, len(batch))
		byARN := make(map[string]state.ClusterKey, len(batch))
		for i, cluster := range batch {
			names[i] = cluster.ARN("")
			byARN[names[i]] = cluster
		}
		out, err := api.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: names})
		if err != nil {
			return nil, fmt.Errorf("describing %d clusters: %w", len(batch), err)
		}
		for _, failure := range out.Failures {
			cluster, ok := byARN[aws.ToString(failure.Arn)]
			if !ok || aws.ToString(failure.Reason) != reasonMissing {
				return nil, failureError("clusters", failure)
			}
			gone = append(gone, cluster)
		}
		for _, answer := range out.Clusters {
			cluster, ok := byARN[aws.ToString(answer.ClusterArn)]
			if ok && aws.ToString(answer.Status) == clusterInactive {
				gone = append(gone, cluster)
			}
		}
	}
	slices.SortFunc(gone, state.ClusterKey.Compare)
	return gone, nil
}

const clusterInactive = "INACTIVE"

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
