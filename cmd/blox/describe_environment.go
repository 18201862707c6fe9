package main

import (
	"fmt"
	"maps"
	"slices"
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
		{"Frozen", frozenText(now, e.Frozen)},
		{"Health", environmentHealth(e)},
	}
	lines = append(lines, contentLines(e.RevisionContent)...)
	return append(lines, []line{
		{"Group", e.Group},
		{"Revision", strconv.Itoa(e.Revision)},
		{"Last good revision", positive(e.LastGoodRevision)},
		{"Deployment token", e.DeploymentToken},
		{"Deployment", environmentState(e)},
		{"Deployment ID", e.DeploymentID},
		{"Hosts", countsText(e.Counts)},
		{"Created", when(now, &e.CreatedAt)},
		{"Updated", when(now, &e.UpdatedAt)},
		{"Deleted", when(now, e.DeletedAt)},
		{"Rollout", rolloutText(e.DeploymentConfiguration)},
	}...)
}

// contentLines are what a revision says, but for how it is rolled out.
func contentLines(r client.RevisionContent) []line {
	lines := []line{
		{"Clusters", strings.Join(r.Clusters, ", ")},
		{"Cluster pattern", r.ClusterPattern},
		{"Hosts that match", r.InstanceGroup.Expression},
		{"Excluded hosts", strings.Join(r.InstanceGroup.Exclude, ", ")},
		{"Task definition", r.TaskDefinition},
		{"Copy of", r.SourceTaskDefinition},
		{"Launch type", r.LaunchType},
		{"Overrides", string(r.Overrides)},
		{"Execute command", onlyTrue(r.EnableExecuteCommand)},
		{"ECS managed tags", onlyTrue(r.EnableECSManagedTags)},
		{"Propagated tags", r.PropagateTags},
		{"Tags", tagsText(r.Tags)},
		{"Readiness attribute", r.ReadinessAttribute},
		{"Release idle hosts", onlyTrue(r.ReleaseIdleHosts)},
		{"Migrates from", r.MigrateFrom},
	}
	if n := r.NetworkConfiguration; n != nil {
		lines = append(lines, line{"Subnets", strings.Join(n.Subnets, ", ")}, line{"Security groups", strings.Join(n.SecurityGroups, ", ")})
	}
	if r.DrainPriority != 0 {
		lines = append(lines, line{"Drain priority", strconv.Itoa(r.DrainPriority)})
	}
	return lines
}

func frozenText(now time.Time, f *client.Freeze) string {
	if f == nil {
		return ""
	}
	text := "since " + when(now, &f.At)
	if f.By != "" {
		text += " by " + f.By
	}
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	return text
}

// rolloutText is a deployment configuration in a sentence, of what is not as it is by default.
func rolloutText(c client.DeploymentConfiguration) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch c.Method {
	case "", client.MethodTerminateThenReplace:
	case client.MethodReplaceThenTerminate:
		add("%s, at most %s hosts with two", c.Method, firstOf(string(c.MaxSurge), "25%"))
	default:
		add("%s", c.Method)
	}
	switch {
	case c.MaxUnavailable != "":
		add("at most %s unavailable", c.MaxUnavailable)
	case c.MinimumHealthyPercent != nil:
		add("at least %d %% healthy", *c.MinimumHealthyPercent)
	}
	if c.MinHealthySeconds != nil {
		add("healthy for %d s", *c.MinHealthySeconds)
	}
	for _, deadline := range []struct {
		what    string
		seconds int
	}{{"a host has", c.HostDeadlineSeconds}, {"fails without progress for", c.ProgressDeadlineSeconds}, {"bakes", c.BakeSeconds}} {
		if deadline.seconds > 0 {
			add("%s %d s", deadline.what, deadline.seconds)
		}
	}
	if c.Canary != nil {
		add("canary %s", canaryText(*c.Canary))
	}
	if len(c.Alarms) > 0 {
		add("alarms %s", strings.Join(c.Alarms, " "))
	}
	return strings.Join(append(parts, breakerTexts(c.CircuitBreaker)...), ", ")
}

func canaryText(c client.Canary) string {
	text := firstOf(c.Expression, string(c.Hosts)+" hosts")
	if c.PromoteAfterSeconds > 0 {
		return text + fmt.Sprintf(" promoted after %d s", c.PromoteAfterSeconds)
	}
	return text + " until promoted"
}

func breakerTexts(b *client.CircuitBreaker) []string {
	switch {
	case b == nil:
		return nil
	case b.Enable != nil && !*b.Enable:
		return []string{"no circuit breaker"}
	}
	var texts []string
	if b.Threshold != "" {
		texts = append(texts, "breaks at "+string(b.Threshold)+" failed")
	}
	if b.Rollback != nil && !*b.Rollback {
		texts = append(texts, "does not roll back")
	}
	return texts
}

func tagsText(tags map[string]string) string {
	texts := make([]string, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		texts = append(texts, key+"="+tags[key])
	}
	return strings.Join(texts, ", ")
}

// onlyTrue leaves out what is off, as it is by default.
func onlyTrue(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

// positive leaves out a number that is not there.
func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func revisionText(number int) string {
	if number == 0 {
		return ""
	}
	return "revision " + strconv.Itoa(number)
}

func countsText(c *client.Counts) string {
	if c == nil {
		return ""
	}
	text := fmt.Sprintf("%d desired, %d updated, %d healthy, %d unavailable, %d exempt", c.Desired, c.Updated, c.Healthy, c.Unavailable, c.Exempt)
	if c.Failed > 0 {
		text += fmt.Sprintf(", %d failed", c.Failed)
	}
	return text
}
