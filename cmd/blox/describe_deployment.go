package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

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
		{"Paused for", d.PausedFor},
		{"Reason", d.Reason},
		{"Rolls back to", revisionText(d.RollbackTo)},
		{"Based on", revisionText(d.BasedOn)},
		{"Restart", onlyTrue(d.Restart)},
		{"Hosts", countsText(&d.Counts)},
		{"Lost hosts", positive(d.Lost)},
		{"Created", when(now, &d.CreatedAt)},
		{"Created by", d.CreatedBy},
		{"Started", when(now, d.StartedAt)},
		{"Canaries well", when(now, d.CanariesSince)},
		{"Promoted", when(now, d.PromotedAt)},
		{"Baking", when(now, d.BakingSince)},
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
