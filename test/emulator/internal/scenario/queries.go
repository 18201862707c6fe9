package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blox/blox/client"
)

// sorted lists all tasks by time, in both directions, in small pages and with some of their members only.
func (s *Scenario) sorted(ctx context.Context) error {
	var first []string
	for _, order := range []string{"createdAt", "-createdAt"} {
		tasks, err := collect(s.reader.ListTasks(ctx, client.TaskFilter{Cluster: cluster},
			client.SortBy(order), client.PageSize(7), client.WithFields("taskARN", "createdAt")))
		if err != nil {
			return fmt.Errorf("tasks sorted by %s: %w", order, err)
		}
		var arns []string
		var times []time.Time
		for _, task := range tasks {
			if task.Entity.LastStatus != "" {
				return fmt.Errorf("tasks sorted by %s: %s has a lastStatus, which was not asked for", order, task.Entity.TaskARN)
			}
			arns = append(arns, task.Entity.TaskARN)
			if task.Entity.CreatedAt != nil {
				times = append(times, *task.Entity.CreatedAt)
			}
		}
		if order[0] == '-' {
			slices.Reverse(times)
		}
		if len(times) != len(arns) || !slices.IsSortedFunc(times, time.Time.Compare) {
			return fmt.Errorf("tasks sorted by %s are not: %d tasks, times %v", order, len(arns), times)
		}
		slices.Sort(arns)
		if first == nil {
			first = arns
		}
		if !slices.Equal(first, arns) || len(arns) <= 2*hosts {
			return fmt.Errorf("tasks sorted by %s: %d tasks, %d the other way round", order, len(arns), len(first))
		}
	}
	return nil
}

// instanceQueries filters the container instances, one of which runs on that EC2 instance.
func (s *Scenario) instanceQueries(ctx context.Context, ec2InstanceID string) error {
	connected := true
	for what, filter := range map[string]client.InstanceFilter{
		"all": {}, "active": {Cluster: cluster, Status: "active"}, "connected": {AgentConnected: &connected},
		"of an EC2 instance": {EC2InstanceID: ec2InstanceID}, "registered of late": {RegisteredSince: time.Now().Add(-time.Hour)},
	} {
		instances, err := collect(s.reader.ListInstances(ctx, filter))
		if err != nil || len(instances) == 0 {
			return fmt.Errorf("container instances, %s: %d: %w", what, len(instances), err)
		}
		if filter.EC2InstanceID != "" && len(instances) != 1 {
			return fmt.Errorf("container instances, %s: %d, expected 1", what, len(instances))
		}
	}
	return nil
}

// reconcileNow asks for a pass over the cluster, which no schedule does meanwhile.
func (s *Scenario) reconcileNow(ctx context.Context) error {
	if _, err := s.reader.ReconcileCluster(ctx, cluster); err == nil {
		return fmt.Errorf("somebody who may only read asked for a reconcile and got it")
	}
	asked, err := s.operator.ReconcileCluster(ctx, cluster)
	if err != nil {
		return fmt.Errorf("asking for a reconcile: %w", err)
	}
	return s.wait(ctx, "a reconcile since it was asked for, and its summary", func(ctx context.Context) (bool, string, error) {
		c, err := s.reader.GetCluster(ctx, cluster)
		if err != nil || c.LastReconciledAt == nil {
			return false, "", err
		}
		return !c.LastReconciledAt.Before(asked.RequestedAt) && c.Summary != nil,
			fmt.Sprintf("asked at %s, reconciled at %s, summary %t", asked.RequestedAt, c.LastReconciledAt, c.Summary != nil), nil
	})
}

// poll begins a poll from now on, then has a task stopped, and wants to be told of it by the one answer.
func (s *Scenario) poll(ctx context.Context) error {
	now, err := s.ask(ctx, "tasks?cluster="+cluster+"&snapshot=false")
	if err != nil {
		return err
	}
	if len(now.Items) != 0 || now.EntityVersion == "" {
		return fmt.Errorf("the first answer has %d items and the version %q: expected none, and one", len(now.Items), now.EntityVersion)
	}
	type result struct {
		answer client.TaskPoll
		err    error
	}
	answered := make(chan result, 1)
	go func() {
		answer, err := s.ask(ctx, "tasks?cluster="+cluster+"&wait=25&entityVersion="+now.EntityVersion)
		answered <- result{answer, err}
	}()
	if err := s.replace(ctx); err != nil {
		return err
	}
	r := <-answered
	if r.err != nil {
		return r.err
	}
	if len(r.answer.Items) == 0 || r.answer.EntityVersion == now.EntityVersion {
		return fmt.Errorf("a task was stopped while the poll waited, and it told of %d changes", len(r.answer.Items))
	}
	_, err = s.ask(ctx, "instances?snapshot=false")
	return err
}
