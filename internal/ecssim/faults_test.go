package ecssim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

func TestEventFaults(t *testing.T) {
	count := func(f ecssim.EventFaults) (delivered, distinct int, ordered bool, latest time.Duration) {
		w := newWorld(t, ecssim.Config{Seed: 7})
		w.checked = false
		w.sim.Faults().SetEvents(f)
		w.hosts(200, ecssim.HostSpec{})
		w.pass(24 * time.Hour)
		seen := map[string]bool{}
		var joined []string
		for _, h := range w.sim.Snapshot().Hosts {
			joined = append(joined, h.ARN)
		}
		last := -1
		ordered = true
		for _, e := range w.events {
			at := slices.Index(joined, e.Resources[0])
			ordered = ordered && at >= last
			last = at
			seen[string(e.JSON)] = true
			latest = max(latest, e.At.Sub(epoch))
		}
		return len(w.events), len(seen), ordered, latest
	}
	t.Run("none", func(t *testing.T) {
		delivered, distinct, ordered, latest := count(ecssim.EventFaults{})
		require.Equal(t, []any{200, 200, true, time.Duration(0)}, []any{delivered, distinct, ordered, latest})
	})
	t.Run("drop", func(t *testing.T) {
		delivered, _, _, _ := count(ecssim.EventFaults{Drop: 0.5})
		require.InDelta(t, 100, delivered, 30)
		delivered, _, _, _ = count(ecssim.EventFaults{Drop: 1})
		require.Zero(t, delivered)
	})
	t.Run("duplicate", func(t *testing.T) {
		delivered, distinct, _, _ := count(ecssim.EventFaults{Duplicate: 0.5})
		require.Equal(t, 200, distinct)
		require.InDelta(t, 300, delivered, 30)
	})
	t.Run("reorder", func(t *testing.T) {
		delivered, distinct, ordered, latest := count(ecssim.EventFaults{Reorder: 0.3})
		require.Equal(t, []any{200, 200, false}, []any{delivered, distinct, ordered})
		require.LessOrEqual(t, latest, 2*time.Second)
	})
	t.Run("delay", func(t *testing.T) {
		delivered, distinct, ordered, latest := count(ecssim.EventFaults{Delay: 0.3, MaxDelay: 10 * time.Hour})
		require.Equal(t, []any{200, 200, false}, []any{delivered, distinct, ordered})
		require.Greater(t, latest, time.Hour)
		require.LessOrEqual(t, latest, 10*time.Hour)
	})
}

// A delayed event still tells of the moment it was emitted.
func TestADelayedEventIsTheOldOne(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.sim.Faults().SetEvents(ecssim.EventFaults{Delay: 1, MaxDelay: time.Hour})
	w.checked = false
	w.hosts(1, ecssim.HostSpec{})
	w.pass(time.Hour)
	require.True(t, w.events[0].At.After(epoch))
	require.Contains(t, string(w.events[0].JSON), `"time":"2026-11-20T09:00:00Z"`)
}

func TestAnswerFaults(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)

	w.sim.Faults().SetAnswers(ecssim.AnswerFaults{Refused: 1, Actions: []string{"RunTask"}})
	_, err := w.ecs.RunTask(w.ctx(), run("app", nil))
	require.ErrorContains(t, err, "StatusCode: 500")
	require.Empty(t, w.listTasks(nil), "refused before the work; other actions answer")

	w.sim.Faults().SetAnswers(ecssim.AnswerFaults{Lost: 1, Actions: []string{"RunTask"}})
	kinds := map[string]bool{}
	for range 20 {
		_, err := w.ecs.RunTask(w.ctx(), run("app", nil))
		require.Error(t, err)
		kinds[map[bool]string{true: "status 500", false: "no answer"}[strings.Contains(err.Error(), "StatusCode: 500")]] = true
	}
	require.Len(t, kinds, 2)
	require.Len(t, w.listTasks(nil), 20, "the work was done all the same")

	w.sim.Faults().Clear()
	w.sim.Faults().EmptyLists(2)
	require.Empty(t, w.listTasks(nil))
	hosts, err := w.ecs.ListContainerInstances(w.ctx(), &ecs.ListContainerInstancesInput{Cluster: aws.String("prod")})
	require.NoError(t, err)
	require.Empty(t, hosts.ContainerInstanceArns)
	require.Len(t, w.listTasks(nil), 20)

	w.sim.Faults().SetThrottled("StopTask")
	_, err = w.ecs.StopTask(w.ctx(), &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: aws.String("x")})
	require.ErrorContains(t, err, "ThrottlingException: Rate exceeded")
	require.Len(t, w.listTasks(nil), 20)
	w.sim.Faults().SetThrottled("*")
	_, err = w.ecs.ListTasks(w.ctx(), &ecs.ListTasksInput{Cluster: aws.String("prod")})
	require.ErrorContains(t, err, "Rate exceeded")
	w.sim.Faults().SetThrottled()
	require.Len(t, w.listTasks(nil), 20)
}

// The documented buckets: burst, then the sustained rate; one bucket a category.
func TestThrottleBuckets(t *testing.T) {
	w := newWorld(t, ecssim.Config{Throttle: true})
	list := func() error {
		_, err := w.ecs.ListTasks(w.ctx(), &ecs.ListTasksInput{Cluster: aws.String("prod")})
		return err
	}
	describe := func() error {
		_, err := w.ecs.DescribeContainerInstances(w.ctx(), &ecs.DescribeContainerInstancesInput{Cluster: aws.String("prod"), ContainerInstances: []string{"x"}})
		return err
	}
	until := func(call func() error) int {
		for n := range 1000 {
			if err := call(); err != nil {
				require.ErrorContains(t, err, "ThrottlingException: Rate exceeded")
				return n
			}
		}
		return 1000
	}
	require.Equal(t, 100, until(list), "burst of cluster resource reads")
	require.Zero(t, until(describe), "describes share the bucket of lists")
	_, err := w.ecs.DescribeClusters(w.ctx(), &ecs.DescribeClustersInput{})
	require.NoError(t, err, "cluster reads have another")
	w.pass(time.Second)
	require.Equal(t, 20, until(list), "20 a second afterwards")
	w.pass(time.Hour)
	require.Equal(t, 100, until(describe), "never more than the burst")
	require.Equal(t, 20, until(func() error {
		_, err := w.ecs.DeregisterTaskDefinition(w.ctx(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("none:1")})
		if strings.Contains(err.Error(), "ClientException") {
			return nil // refused, but it was a call
		}
		return err
	}), "changes of task definitions")
}
