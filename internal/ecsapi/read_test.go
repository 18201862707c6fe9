package ecsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestTaskListsAreWholeAndListRunningFirst(t *testing.T) {
	api := &fakeECS{running: names("task", 0, 250), stopped: names("task", 240, 20)}
	arns, err := ListTaskARNs(t.Context(), api, testCluster, TaskFilter{})
	require.NoError(t, err)
	require.Equal(t, names("task", 0, 260), arns, "a task that was stopped meanwhile counts once")
	require.Equal(t, []string{"ListTasks RUNNING ", "ListTasks RUNNING 100", "ListTasks RUNNING 200", "ListTasks STOPPED "}, api.calls)
}

func TestOneDesiredStatusIsOneList(t *testing.T) {
	api := &fakeECS{running: names("task", 0, 2), stopped: names("task", 2, 2)}
	arns, err := ListTaskARNs(t.Context(), api, testCluster, TaskFilter{DesiredStatus: types.DesiredStatusStopped})
	require.NoError(t, err)
	require.Equal(t, names("task", 2, 2), arns)
}

func TestContainerInstancesAreListedInEveryStatus(t *testing.T) {
	api := &fakeECS{instances: names("container-instance", 0, 101)}
	arns, err := ListContainerInstanceARNs(t.Context(), api, testCluster)
	require.NoError(t, err)
	require.Len(t, arns, 101)
	require.Equal(t, []string{"ListContainerInstances ", "ListContainerInstances "}, api.calls, "no status is every status but INACTIVE")
}

func TestListsThatDoNotEndAreErrors(t *testing.T) {
	_, err := ListTaskARNs(t.Context(), &fakeECS{loop: true, running: names("task", 0, 1)}, testCluster, TaskFilter{})
	require.ErrorIs(t, err, errTokenRepeats)

	n := 0
	_, err = allPages(func(*string) ([]string, *string, error) {
		n++
		next := fmt.Sprint(n)
		return nil, &next, nil
	})
	require.ErrorContains(t, err, "more than 2000 pages")
}

func TestAFailedPageIsNoList(t *testing.T) {
	_, err := ListTaskARNs(t.Context(), &fakeECS{err: errors.New("rate exceeded")}, testCluster, TaskFilter{})
	require.EqualError(t, err, "listing RUNNING tasks of cluster 210987654321/eu-west-1/edge: rate exceeded")
}

func TestDescribesGoInBatches(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	arns := names("task", 0, 201)
	api := &fakeECS{missing: map[string]string{arns[7]: "MISSING", arns[150]: "MISSING"}}
	seen, missing, err := DescribeTasks(t.Context(), api, testCluster, arns, at)
	require.NoError(t, err)
	require.Equal(t, []string{"DescribeTasks 100 [TAGS]", "DescribeTasks 100 [TAGS]", "DescribeTasks 1 [TAGS]"}, api.calls)
	require.Equal(t, []string{arns[7], arns[150]}, missing)
	require.Len(t, seen, 199)
	require.Equal(t, state.Observation{
		Key: state.Key{Kind: state.KindTask, Cluster: testCluster, ID: "0"}, ARN: arns[0],
		Version: 4, Source: state.SourceDescribed, ObservedAt: at, Detail: seen[0].Detail,
	}, seen[0])
}

func TestInstancesAreDescribedWithTagsAndHealth(t *testing.T) {
	arns := names("container-instance", 0, 2)
	api := &fakeECS{missing: map[string]string{arns[1]: "MISSING"}}
	seen, missing, err := DescribeContainerInstances(t.Context(), api, testCluster, arns, time.Time{})
	require.NoError(t, err)
	require.Equal(t, []string{"DescribeContainerInstances 2 [TAGS CONTAINER_INSTANCE_HEALTH]"}, api.calls)
	require.Equal(t, arns[1:], missing)
	require.Equal(t, state.Key{Kind: state.KindContainerInstance, Cluster: testCluster, ID: "0"}, seen[0].Key)
}

// A failure that is not understood must not be taken for "gone".
func TestOtherFailuresAreErrors(t *testing.T) {
	arns := names("task", 0, 1)
	_, _, err := DescribeTasks(t.Context(), &fakeECS{missing: map[string]string{arns[0]: "ODD"}}, testCluster, arns, time.Time{})
	require.ErrorContains(t, err, `reason "ODD"`)
	arns = names("container-instance", 0, 1)
	_, _, err = DescribeContainerInstances(t.Context(), &fakeECS{missing: map[string]string{arns[0]: "ODD"}}, testCluster, arns, time.Time{})
	require.ErrorContains(t, err, `reason "ODD"`)
}

// What ECS says of the others is worth having.
func TestAFailureOfOneThingIsOnlyItsOwn(t *testing.T) {
	tasks := names("task", 0, 150)
	api := &fakeECS{missing: map[string]string{tasks[7]: "ODD", tasks[8]: "MISSING", tasks[140]: "ODDER"}}
	seen, missing, err := DescribeTasks(t.Context(), api, testCluster, tasks, time.Time{})
	var unusable *UnusableError
	require.ErrorAs(t, err, &unusable)
	require.Len(t, unusable.Things, 2)
	require.ErrorContains(t, unusable.Things[1], `reason "ODDER"`)
	require.ErrorContains(t, err, "2 things cannot be used, the first: ")
	require.Equal(t, []string{tasks[8]}, missing)
	require.Len(t, seen, 147, "of both batches")

	instances := names("container-instance", 0, 3)
	api = &fakeECS{missing: map[string]string{instances[0]: "ODD", instances[1]: "MISSING"}}
	seen, missing, err = DescribeContainerInstances(t.Context(), api, testCluster, instances, time.Time{})
	require.ErrorAs(t, err, &unusable)
	require.Equal(t, instances[1:2], missing)
	require.Len(t, seen, 1)
}

func TestClustersAreGoneWhenMissingOrInactive(t *testing.T) {
	keys := make([]state.ClusterKey, 103)
	for i := range keys {
		keys[i] = state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: fmt.Sprintf("c%03d", i)}
	}
	api := &fakeECS{missing: map[string]string{keys[102].ARN(""): "MISSING"}, inactive: map[string]bool{keys[3].ARN(""): true}}
	gone, err := GoneClusters(t.Context(), api, keys)
	require.NoError(t, err)
	require.Equal(t, []state.ClusterKey{keys[3], keys[102]}, gone)

	api.missing[keys[0].ARN("")] = "ODD"
	_, err = GoneClusters(t.Context(), api, keys)
	require.ErrorContains(t, err, `reason "ODD"`)
}

func TestListClusterARNs(t *testing.T) {
	api := &fakeECS{clusters: names("cluster", 0, 150)}
	arns, err := ListClusterARNs(t.Context(), api)
	require.NoError(t, err)
	require.True(t, slices.Equal(api.clusters, arns))
}

// counting grants calls and counts them.
type counting struct {
	n   int
	err error
}

func (c *counting) Wait(_ context.Context, n int) error {
	c.n += n
	return c.err
}

func TestALimitIsAskedOncePerPage(t *testing.T) {
	limiter := &counting{}
	api := Limit(&fakeECS{running: names("task", 0, 150)}, limiter)
	_, err := ListTaskARNs(t.Context(), api, testCluster, TaskFilter{})
	require.NoError(t, err)
	require.Equal(t, 3, limiter.n)

	limiter.err = context.DeadlineExceeded
	_, err = ListTaskARNs(t.Context(), api, testCluster, TaskFilter{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestNoLimitLimitsNothing(t *testing.T) {
	api := &fakeECS{}
	require.Same(t, api, Limit(api, nil))
}

func TestBudgetTakesBlocksAndWaitsForMore(t *testing.T) {
	var asked []int
	var paused []time.Duration
	grants := []int{2, 0, 5}
	waits := []time.Duration{0, time.Minute, 12 * time.Second}
	budget := &Budget{
		Block: 5,
		Take: func(_ context.Context, n int) (int, time.Duration, error) {
			asked = append(asked, n)
			granted, wait := grants[0], waits[0]
			grants, waits = grants[1:], waits[1:]
			return granted, wait, nil
		},
		Pause: func(_ context.Context, d time.Duration) error {
			paused = append(paused, d)
			return nil
		},
	}
	for range 7 {
		require.NoError(t, budget.Wait(t.Context(), 1))
	}
	require.Equal(t, []int{5, 5, 5}, asked, "seven calls take three blocks, one of them empty")
	require.Equal(t, []time.Duration{maxBudgetPause, 12 * time.Second}, paused, "calls are waited for to the end")
}

func TestBudgetGivesUp(t *testing.T) {
	var paused time.Duration
	budget := &Budget{
		Block: 1,
		Take:  func(context.Context, int) (int, time.Duration, error) { return 0, 0, nil },
		Pause: func(_ context.Context, d time.Duration) error { paused += d; return nil },
	}
	require.ErrorContains(t, budget.Wait(t.Context(), 1), "granted too few in 2m0s")
	require.Equal(t, budgetPatience, paused)

	budget.Pause = Pause
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, budget.Wait(ctx, 1), context.Canceled)
}
