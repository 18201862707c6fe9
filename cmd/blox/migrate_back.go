package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

// handBackReason is what StopTask is told.
const handBackReason = "handed back to an ECS service by blox migrate --back"

// hostToGiveBack is a host that carries the hand-over attribute, and the environment's tasks on it.
type hostToGiveBack struct {
	containerInstanceARN string
	tasks                []string
}

// back gives every host back to the service, one after the other. The environment is frozen before anything else, so that
// its scheduler neither replaces what is stopped here nor takes hosts over; it is deleted when no host is left, so that a
// run that failed can be done again.
func (m *migration) back() error {
	name := firstOf(m.flags.name, m.service.name)
	env, err := m.blox.GetEnvironment(m.cmd.Context(), name)
	if err != nil {
		return err
	}
	if env.MigrateFrom != m.service.name {
		return fmt.Errorf("environment %s did not take over from service %s (its migrateFrom is %q): name its environment with --as", name,
			m.service.name, env.MigrateFrom)
	}
	hosts, err := m.takenOver(env)
	if err != nil {
		return err
	}
	if m.flags.dry || !m.flags.yes {
		return m.showBack(env, hosts)
	}
	if env.Frozen == nil {
		if _, err := m.blox.FreezeEnvironment(m.cmd.Context(), name, "given back to service "+m.service.name); err != nil {
			return err
		}
		m.say("environment %s is frozen", name)
		// What the scheduler had begun may still have come to hosts that were not known before.
		if hosts, err = m.takenOver(env); err != nil {
			return err
		}
	}
	for i, host := range hosts {
		if err := m.giveBack(host); err != nil {
			return fmt.Errorf("giving back host %s (%d of %d): %w; environment %s stays frozen, run the command again to go on",
				lastPart(host.containerInstanceARN), i+1, len(hosts), err, name)
		}
		m.say("host %s: service %s runs its task there again (%d of %d)", lastPart(host.containerInstanceARN), m.service.name, i+1, len(hosts))
	}
	if err := m.deleted(name); err != nil {
		return err
	}
	m.say("environment %s is being deleted", name)
	return nil
}

func (m *migration) showBack(env client.Environment, hosts []hostToGiveBack) error {
	m.say("environment %s would be frozen, and %d hosts given back to service %s, one after the other:", env.Name, len(hosts), m.service.name)
	for _, host := range hosts {
		m.say("  %s: %d tasks of the environment would be stopped", lastPart(host.containerInstanceARN), len(host.tasks))
	}
	m.say("then environment %s would be deleted; nothing was done, give --yes to do it", env.Name)
	return nil
}

// maxAttributePages bounds a listing: at 100 a page, more than the hosts that a cluster may have.
const maxAttributePages = 100

// takenOver are the hosts that carry the hand-over attribute with the environment's name, and its live tasks there, as
// Blox knows them. Tasks are asked for again before one is stopped.
func (m *migration) takenOver(env client.Environment) ([]hostToGiveBack, error) {
	tasks := map[string][]string{}
	filter := client.TaskFilter{Cluster: m.service.clusterARN, Group: env.Group, DesiredStatus: "RUNNING"}
	for task, err := range m.blox.ListTasks(m.cmd.Context(), filter) {
		if err != nil {
			return nil, err
		}
		on := task.Entity.ContainerInstanceARN
		tasks[on] = append(tasks[on], task.Entity.TaskARN)
	}
	pages := ecs.NewListAttributesPaginator(m.ecs, &ecs.ListAttributesInput{
		Cluster: &m.service.clusterARN, TargetType: types.TargetTypeContainerInstance,
		AttributeName: aws.String(daemon.HandOverAttribute), AttributeValue: &env.Name,
	})
	var hosts []hostToGiveBack
	for n := 0; pages.HasMorePages(); n++ {
		if n == maxAttributePages {
			return nil, fmt.Errorf("listing the hosts with attribute %s: there are more than %d pages", daemon.HandOverAttribute, n)
		}
		page, err := pages.NextPage(m.cmd.Context())
		if err != nil {
			return nil, fmt.Errorf("listing the hosts with attribute %s: %w", daemon.HandOverAttribute, err)
		}
		for _, a := range page.Attributes {
			on := aws.ToString(a.TargetId)
			hosts = append(hosts, hostToGiveBack{on, tasks[on]})
		}
	}
	return hosts, nil
}

// giveBack lets the service have a host again: its task first, and then the environment's is stopped, so that the host is
// never without a daemon; the other way round where the two cannot run side by side.
func (m *migration) giveBack(host hostToGiveBack) error {
	ctx, cancel := context.WithCancel(m.cmd.Context())
	defer cancel()
	deadline := m.now().Add(m.flags.hostTimeout)
	if m.flags.stopFirst {
		if err := m.stopTasks(ctx, host, deadline); err != nil {
			return err
		}
	}
	if _, err := m.ecs.DeleteAttributes(ctx, &ecs.DeleteAttributesInput{
		Cluster: &m.service.clusterARN, Attributes: []types.Attribute{{
			Name: aws.String(daemon.HandOverAttribute), TargetType: types.TargetTypeContainerInstance, TargetId: &host.containerInstanceARN,
		}},
	}); err != nil {
		return fmt.Errorf("deleting attribute %s: %w", daemon.HandOverAttribute, err)
	}
	remedy := "see the service's events in ECS"
	if !m.flags.stopFirst {
		remedy = "if it cannot run beside the environment's, give --stop-first"
	}
	err := m.wait(ctx, deadline, func() (bool, error) { return m.serviceRuns(ctx, host) })
	if err != nil {
		return fmt.Errorf("waiting for the service's task to run: %w; %s", err, remedy)
	}
	if m.flags.stopFirst {
		return nil
	}
	return m.stopTasks(ctx, host, deadline)
}

// stopTasks stops the environment's tasks on a host and waits until they have.
func (m *migration) stopTasks(ctx context.Context, host hostToGiveBack, deadline time.Time) error {
	for _, task := range host.tasks {
		if _, err := m.ecs.StopTask(ctx, &ecs.StopTaskInput{
			Cluster: &m.service.clusterARN, Task: &task, Reason: aws.String(handBackReason),
		}); err != nil {
			return fmt.Errorf("stopping task %s: %w", lastPart(task), err)
		}
	}
	if len(host.tasks) == 0 {
		return nil
	}
	err := m.wait(ctx, deadline, func() (bool, error) {
		out, err := m.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &m.service.clusterARN, Tasks: host.tasks})
		if err != nil {
			return false, fmt.Errorf("describing the environment's tasks: %w", err)
		}
		for _, task := range out.Tasks {
			if aws.ToString(task.LastStatus) != daemon.StatusStopped {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the environment's tasks to stop: %w", err)
	}
	return nil
}

// serviceRuns says whether the service has a running task on the host.
func (m *migration) serviceRuns(ctx context.Context, host hostToGiveBack) (bool, error) {
	listed, err := m.ecs.ListTasks(ctx, &ecs.ListTasksInput{
		Cluster: &m.service.clusterARN, ContainerInstance: &host.containerInstanceARN, ServiceName: &m.service.name,
		DesiredStatus: types.DesiredStatusRunning,
	})
	if err != nil {
		return false, fmt.Errorf("listing the service's tasks: %w", err)
	}
	if len(listed.TaskArns) == 0 {
		return false, nil
	}
	out, err := m.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &m.service.clusterARN, Tasks: listed.TaskArns})
	if err != nil {
		return false, fmt.Errorf("describing the service's tasks: %w", err)
	}
	for _, task := range out.Tasks {
		if aws.ToString(task.LastStatus) == daemon.StatusRunning {
			return true, nil
		}
	}
	return false, nil
}

// wait asks every pollEvery until something is so, or the deadline has passed.
func (m *migration) wait(ctx context.Context, deadline time.Time, so func() (bool, error)) error {
	for {
		done, err := so()
		if done || err != nil {
			return err
		}
		if !m.now().Before(deadline) {
			return fmt.Errorf("it has not happened within %s", m.flags.hostTimeout)
		}
		if err := m.pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}
