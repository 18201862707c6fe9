package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newDescribeClusterCommand(c *connection) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cluster CLUSTER",
		Aliases: []string{"clusters"},
		Short:   "Show a cluster by its name or ARN, with what was in it when it was last reconciled",
		Long: `Show a cluster by its name or ARN, with what was in it when it was last reconciled.

Only what lives is counted: tasks that have stopped and container instances that were deregistered are not.`,
		Args: exactly(1),
	}
	return describe(c, cmd, func(cmd *cobra.Command, blox *client.Client, args []string) (client.Cluster, error) {
		return blox.GetCluster(cmd.Context(), args[0])
	}, clusterLines)
}

func clusterLines(now time.Time, c client.Cluster) []line {
	lines := []line{
		{"Cluster", c.ClusterARN},
		{"Gone from ECS", when(now, c.GoneAt)},
		{"Reconciled", firstOf(when(now, c.LastReconciledAt), "never")},
		{"Repaired", driftText(c)},
		{"Held back", heldText(c.AbsentHeldBack)},
		{"Event lag", lagText(c.EventLagMillis)},
		{"Last event", when(now, c.LastEventAt)},
	}
	if c.Summary == nil {
		return lines
	}
	lines = append(lines, line{"Counted", when(now, &c.Summary.CountedAt)})
	lines = append(lines, taskCountLines(c.Summary.Tasks)...)
	return append(lines, instanceCountLines(c.Summary.Instances)...)
}

func driftText(c client.Cluster) string {
	if c.LastReconciledAt == nil {
		return ""
	}
	var parts []string
	for _, part := range []struct {
		count int
		name  string
	}{
		{c.Drift.Missed, "missed"},
		{c.Drift.Stale, "stale"},
		{c.Drift.Refreshed, "refreshed"},
		{c.Drift.Absent, "absent"},
		{c.Drift.Resurrected, "resurrected"},
	} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.name))
		}
	}
	if len(parts) == 0 {
		return strconv.Itoa(c.DriftRepaired)
	}
	return fmt.Sprintf("%d: %s", c.DriftRepaired, strings.Join(parts, ", "))
}

func heldText(held int) string {
	if held == 0 {
		return ""
	}
	return fmt.Sprintf("%d not in ECS, and too many at once to believe it yet", held)
}

func lagText(millis int64) string {
	if millis == 0 {
		return "none"
	}
	return (time.Duration(millis) * time.Millisecond).Round(time.Second).String()
}

func taskCountLines(t client.TaskSummary) []line {
	lines := []line{{"Living tasks", totalText(t.Total, t.ByStatus)}}
	for _, f := range t.Families {
		revisions := make([]string, 0, len(f.Revisions)+1)
		for _, r := range f.Revisions {
			revisions = append(revisions, fmt.Sprintf("revision %d: %d", r.Revision, r.Count))
		}
		if f.OtherRevisions > 0 {
			revisions = append(revisions, fmt.Sprintf("others: %d", f.OtherRevisions))
		}
		lines = append(
			lines,
			line{
				"  " + cell(firstOf(f.Family, "no task definition")),
				fmt.Sprintf("%d (%s)", f.Count, strings.Join(revisions, ", ")),
			},
		)
	}
	if t.OtherFamilies > 0 {
		lines = append(lines, line{"  other families", strconv.Itoa(t.OtherFamilies)})
	}
	return lines
}

func instanceCountLines(i client.InstanceSummary) []line {
	versions := countTexts(i.ByAgentVersion)
	if i.OtherAgentVersions > 0 {
		versions = append(versions, fmt.Sprintf("%d others", i.OtherAgentVersions))
	}
	if i.AgentDisconnected > 0 {
		versions = append(versions, fmt.Sprintf("%d disconnected", i.AgentDisconnected))
	}
	lines := []line{{"Container instances", totalText(i.Total, i.ByStatus)}, {"Agents", strings.Join(versions, ", ")}}
	if len(i.Resources) > 0 {
		lines = append(lines, line{name: "Resources:"})
	}
	for _, r := range i.Resources {
		lines = append(lines, line{"  " + cell(r.Name), number(r.Remaining) + " of " + number(r.Registered) + " remaining"})
	}
	return lines
}

func totalText(total int, parts []client.Count) string {
	if len(parts) == 0 {
		return strconv.Itoa(total)
	}
	return fmt.Sprintf("%d: %s", total, strings.Join(countTexts(parts), ", "))
}

func countTexts(counts []client.Count) []string {
	texts := make([]string, len(counts))
	for i, c := range counts {
		texts[i] = fmt.Sprintf("%d %s", c.Count, firstOf(c.Name, "unknown"))
	}
	return texts
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
