package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newDescribeEnvironmentCommand(c *connection) *cobra.Command {
	cmd := &cobra.Command{Use: "environment NAME", Aliases: []string{"environments", "env"}, Short: "Show an environment", Args: exactly(1)}
	return describe(c, cmd, func(cmd *cobra.Command, blox *client.Client, args []string) (client.Environment, error) {
		return blox.GetEnvironment(cmd.Context(), args[0])
	}, environmentLines)
}

func environmentLines(now time.Time, e client.Environment) []line {
	lines := []line{
		{"Environment", e.Name},
		{"ID", e.ID},
		{"Status", e.Status},
		{"Health", environmentHealth(e)},
		{"Clusters", strings.Join(e.Clusters, ", ")},
		{"Task definition", e.TaskDefinition},
		{"Launch type", e.LaunchType},
		{"Group", e.Group},
		{"Revision", strconv.Itoa(e.Revision)},
		{"Deployment token", e.DeploymentToken},
		{"Deployment", environmentState(e)},
		{"Deployment ID", e.DeploymentID},
		{"Hosts", countsText(e.Counts)},
		{"Created", when(now, &e.CreatedAt)},
		{"Updated", when(now, &e.UpdatedAt)},
	}
	if c := e.DeploymentConfiguration; c.MinimumHealthyPercent != nil && c.MinHealthySeconds != nil {
		lines = append(lines, line{"Rollout", fmt.Sprintf("at least %d %% healthy, healthy for %d s", *c.MinimumHealthyPercent, *c.MinHealthySeconds)})
	}
	return lines
}

func countsText(c *client.Counts) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%d desired, %d updated, %d healthy, %d unavailable, %d exempt", c.Desired, c.Updated, c.Healthy, c.Unavailable, c.Exempt)
}

func newDescribeDeploymentCommand(c *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use: "deployment ENVIRONMENT [ID]", Aliases: []string{"deployments"},
		Short: "Show a deployment of an environment, the newest if no id is given, and what was done for it", Args: between(1, 2),
	}
	return describe(c, cmd, readDeploymentWithTimeline, deploymentLines)
}

// timelineShown is how much of its timeline describe shows of a deployment.
const timelineShown = 20

// deploymentWithTimeline is a deployment and the newest of what was done for it.
type deploymentWithTimeline struct {
	client.Deployment
	Timeline []client.TimelineEntry `json:"timeline"`
}

func readDeploymentWithTimeline(cmd *cobra.Command, blox *client.Client, args []string) (deploymentWithTimeline, error) {
	dep, err := readDeployment(cmd, blox, args)
	if err != nil {
		return deploymentWithTimeline{}, err
	}
	timeline, err := blox.ListTimeline(cmd.Context(), dep.EnvironmentName, dep.ID, timelineShown)
	return deploymentWithTimeline{dep, timeline}, err
}

func readDeployment(cmd *cobra.Command, blox *client.Client, args []string) (client.Deployment, error) {
	if len(args) == 2 {
		return blox.GetDeployment(cmd.Context(), args[0], args[1])
	}
	page, err := blox.ListDeploymentsPage(cmd.Context(), args[0], client.PageOptions{Limit: 1})
	if err != nil {
		return client.Deployment{}, err
	}
	if len(page.Items) == 0 {
		return client.Deployment{}, &exitError{exitNotFound, fmt.Errorf("environment %s has no deployment yet: make one with blox deploy %s", args[0], args[0])}
	}
	return page.Items[0], nil
}

func deploymentLines(now time.Time, d deploymentWithTimeline) []line {
	lines := []line{
		{"Deployment", d.ID},
		{"Environment", d.EnvironmentName},
		{"Revision", strconv.Itoa(d.Revision)},
		{"Task definition", d.TaskDefinition},
		{"Status", d.Status},
		{"Hosts", countsText(&d.Counts)},
		{"Created", when(now, &d.CreatedAt)},
		{"Started", when(now, d.StartedAt)},
		{"Ended", when(now, d.EndedAt)},
	}
	if len(d.FailedInstances) > 0 {
		lines = append(lines, line{name: "Failed:"})
	}
	for _, failed := range d.FailedInstances {
		host, reason, _ := strings.Cut(failed, ": ")
		lines = append(lines, line{"  " + cell(host), reason})
	}
	if len(d.Timeline) > 0 {
		lines = append(lines, line{name: "Timeline, newest first:"})
	}
	for _, entry := range d.Timeline {
		lines = append(lines, line{"  " + entry.At.UTC().Format(time.RFC3339), timelineText(entry)})
	}
	return lines
}

// timelineText is such as "start i-1, task 0f5d…: the host has no daemon".
func timelineText(e client.TimelineEntry) string {
	text := e.Kind
	if e.Host != "" {
		text += " " + e.Host
	}
	if e.TaskARN != "" {
		text += ", task " + lastPart(e.TaskARN)
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}
