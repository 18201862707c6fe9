package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blox/blox/client"
)

var (
	taskHeader        = []string{"TASK", "CLUSTER", "STATUS", "TASK DEFINITION", "CONTAINER INSTANCE", "STARTED BY", "AGE"}
	instanceHeader    = []string{"CONTAINER INSTANCE", "EC2 INSTANCE", "CLUSTER", "STATUS", "AGENT", "TASKS", "AGE"}
	environmentHeader = []string{"NAME", "CLUSTER", "TASK DEFINITION", "REVISION", "HEALTH", "HOSTS", "DEPLOYMENT", "AGE"}
	deploymentHeader  = []string{"DEPLOYMENT", "ENVIRONMENT", "REVISION", "STATUS", "UPDATED", "HEALTHY", "FAILED", "AGE"}
)

func taskRow(now time.Time) func(client.Task) []string {
	return func(t client.Task) []string {
		return []string{
			lastPart(t.Entity.TaskARN), lastPart(t.Entity.ClusterARN), taskStatus(t.Entity), lastPart(t.Entity.TaskDefinitionARN),
			lastPart(t.Entity.ContainerInstanceARN), t.Entity.StartedBy, age(now, t.Entity.CreatedAt),
		}
	}
}

// endedTaskHeader is of tasks some of which have stopped: when, and why.
var endedTaskHeader = append(slices.Clone(taskHeader), "STOPPED", "REASON")

// maxReason is how many characters of a reason a table shows; blox describe task shows all of it.
const maxReason = 50

func endedTaskRow(now time.Time) func(client.Task) []string {
	row := taskRow(now)
	return func(t client.Task) []string {
		stopped := age(now, t.Entity.StoppedAt)
		if stopped != "" {
			stopped += " ago"
		}
		reason := []rune(firstOf(t.Entity.StoppedReason, t.Entity.StopCode))
		if len(reason) > maxReason {
			reason = append(reason[:maxReason-1:maxReason-1], '…')
		}
		return append(row(t), stopped, string(reason))
	}
}

// taskStatus says where a task is going, too, if that is elsewhere.
func taskStatus(t client.TaskEntity) string {
	status := t.LastStatus
	if t.DesiredStatus == "STOPPED" && t.LastStatus == "RUNNING" {
		status += " (stopping)"
	}
	if t.HealthStatus == "UNHEALTHY" {
		status += " (unhealthy)"
	}
	return status
}

func instanceRow(now time.Time) func(client.ContainerInstance) []string {
	return func(c client.ContainerInstance) []string {
		return []string{
			lastPart(c.Entity.ContainerInstanceARN), c.Entity.EC2InstanceID, lastPart(c.Entity.ClusterARN), c.Entity.Status,
			agentState(c.Entity), strconv.Itoa(int(c.Entity.RunningTasksCount)), age(now, c.Entity.RegisteredAt),
		}
	}
}

func agentState(c client.ContainerInstanceEntity) string {
	if c.AgentConnected {
		return "connected"
	}
	return "disconnected"
}

func environmentRow(now time.Time) func(client.Environment) []string {
	return func(e client.Environment) []string {
		clusters := make([]string, len(e.Clusters))
		for i, arn := range e.Clusters {
			clusters[i] = lastPart(arn)
		}
		hosts := ""
		if e.Counts != nil {
			hosts = fmt.Sprintf("%d/%d", e.Counts.Healthy, e.Counts.Desired)
		}
		return []string{
			e.Name, strings.Join(clusters, ","), lastPart(e.TaskDefinition), strconv.Itoa(e.Revision), environmentHealth(e), hosts,
			environmentState(e), age(now, &e.CreatedAt),
		}
	}
}

// environmentHealth is nothing where nothing was meant to run yet: the API has to say healthy then, as Blox v0.3.0 did.
func environmentHealth(e client.Environment) string {
	if e.DeploymentID == "" {
		return "-"
	}
	return e.Health
}

// environmentState is the deployment's status, unless something else matters more.
func environmentState(e client.Environment) string {
	state := e.DeploymentStatus
	switch {
	case e.Status != client.EnvironmentActive:
		return strings.ToLower(e.Status)
	case e.DeploymentID == "":
		state = "none"
	case e.DeployedRevision != e.Revision:
		state += fmt.Sprintf(" (revision %d)", e.DeployedRevision)
	}
	if e.Frozen != nil {
		state += ", frozen"
	}
	return state
}

func deploymentRow(now time.Time) func(client.Deployment) []string {
	return func(d client.Deployment) []string {
		return []string{
			d.ID, d.EnvironmentName, strconv.Itoa(d.Revision), d.Status,
			fmt.Sprintf("%d/%d", d.Counts.Updated, d.Counts.Desired), fmt.Sprintf("%d/%d", d.Counts.Healthy, d.Counts.Desired),
			strconv.Itoa(len(d.FailedInstances)), age(now, &d.CreatedAt),
		}
	}
}
