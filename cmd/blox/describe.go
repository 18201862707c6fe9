package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newDescribeCommand(c *connection) *cobra.Command {
	return group("describe", "Show all about one cluster, task, container instance, environment or deployment",
		newDescribeClusterCommand(c), newDescribeTaskCommand(c), newDescribeInstanceCommand(c), newDescribeEnvironmentCommand(c), newDescribeDeploymentCommand(c))
}

// describe makes a command that reads one thing and shows it as lines or as JSON.
func describe[T any](c *connection, cmd *cobra.Command, read func(*cobra.Command, *client.Client, []string) (T, error), lines func(time.Time, T) []line) *cobra.Command {
	var output outputFlags
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		item, err := read(cmd, blox, args)
		if err != nil {
			return err
		}
		if output.form == outputJSON {
			return printJSON(cmd.OutOrStdout(), item)
		}
		return printLines(cmd.OutOrStdout(), lines(c.now(), item))
	}
	output.addForm(cmd)
	return cmd
}

func newDescribeTaskCommand(c *connection) *cobra.Command {
	var cluster string
	cmd := &cobra.Command{Use: "task TASK", Aliases: []string{"tasks"}, Short: "Show a task by its id (with --cluster) or ARN", Args: exactly(1)}
	cmd.Flags().StringVar(&cluster, "cluster", "", "the cluster it is in (name or ARN)")
	return describe(c, cmd, func(cmd *cobra.Command, blox *client.Client, args []string) (client.Task, error) {
		in, err := clusterOf(cmd, cluster, args[0])
		if err != nil {
			return client.Task{}, err
		}
		return blox.GetTask(cmd.Context(), in, args[0])
	}, taskLines)
}

func taskLines(now time.Time, t client.Task) []line {
	e := t.Entity
	lines := []line{
		{"Task", e.TaskARN},
		{"Cluster", e.ClusterARN},
		{"Task definition", e.TaskDefinitionARN},
		{"Container instance", e.ContainerInstanceARN},
		{"Status", e.LastStatus + " (desired " + e.DesiredStatus + ")"},
		{"Health", e.HealthStatus},
		{"Launch type", e.LaunchType},
		{"Group", e.Group},
		{"Started by", e.StartedBy},
		{"Created", when(now, e.CreatedAt)},
		{"Started", when(now, e.StartedAt)},
		{"Stopped", when(now, e.StoppedAt)},
		{"Stop code", e.StopCode},
		{"Stopped reason", e.StoppedReason},
		{"Version", strconv.FormatInt(t.Metadata.Version, 10)},
		{"Stored", when(now, &t.Metadata.StoredAt)},
	}
	if len(e.Containers) > 0 {
		lines = append(lines, line{name: "Containers:"})
	}
	for _, container := range e.Containers {
		lines = append(lines, line{"  " + cell(container.Name), containerText(container)})
	}
	return lines
}

func containerText(c client.Container) string {
	text := c.LastStatus
	if c.ExitCode != nil {
		text += fmt.Sprintf(", exit code %d", *c.ExitCode)
	}
	for _, detail := range []string{strings.ToLower(c.HealthStatus), c.Reason, c.Image} {
		if detail != "" {
			text += ", " + detail
		}
	}
	for _, b := range c.NetworkBindings {
		text += fmt.Sprintf(", %s:%d to %d/%s", b.BindIP, b.HostPort, b.ContainerPort, b.Protocol)
	}
	return text
}

func newDescribeInstanceCommand(c *connection) *cobra.Command {
	var cluster string
	cmd := &cobra.Command{
		Use: "instance INSTANCE", Aliases: []string{"instances"}, Short: "Show a container instance by its id (with --cluster) or ARN",
		Args: exactly(1),
	}
	cmd.Flags().StringVar(&cluster, "cluster", "", "the cluster it is in (name or ARN)")
	return describe(c, cmd, func(cmd *cobra.Command, blox *client.Client, args []string) (client.ContainerInstance, error) {
		in, err := clusterOf(cmd, cluster, args[0])
		if err != nil {
			return client.ContainerInstance{}, err
		}
		return blox.GetInstance(cmd.Context(), in, args[0])
	}, instanceLines)
}

func instanceLines(now time.Time, c client.ContainerInstance) []line {
	e := c.Entity
	lines := []line{
		{"Container instance", e.ContainerInstanceARN},
		{"EC2 instance", e.EC2InstanceID},
		{"Cluster", e.ClusterARN},
		{"Status", e.Status},
		{"Agent", agentText(e)},
		{"Tasks", fmt.Sprintf("%d running, %d pending", e.RunningTasksCount, e.PendingTasksCount)},
		{"Registered", when(now, e.RegisteredAt)},
		{"Version", strconv.FormatInt(c.Metadata.Version, 10)},
		{"Stored", when(now, &c.Metadata.StoredAt)},
	}
	if len(e.RegisteredResources) > 0 {
		lines = append(lines, line{name: "Resources:"})
	}
	remaining := make(map[string]string, len(e.RemainingResources))
	for _, r := range e.RemainingResources {
		remaining[r.Name] = r.Value
	}
	for _, r := range e.RegisteredResources {
		text := firstOf(remaining[r.Name], "none") + " of " + firstOf(r.Value, "none") + " remaining"
		if r.Type == "STRINGSET" { // ports: those listed are taken, not left
			text = firstOf(remaining[r.Name], "none") + " taken"
		}
		lines = append(lines, line{"  " + cell(r.Name), text})
	}
	return append(lines, attributeLines(e.Attributes)...)
}

func agentText(e client.ContainerInstanceEntity) string {
	text := agentState(e)
	if e.VersionInfo.AgentVersion != "" {
		text += ", version " + e.VersionInfo.AgentVersion
	}
	if e.VersionInfo.DockerVersion != "" {
		text += ", Docker " + strings.TrimPrefix(e.VersionInfo.DockerVersion, "DockerVersion: ")
	}
	return text
}

// attributeLines leaves out attributes without a value: ECS has dozens, and they say the same on every host.
func attributeLines(attributes []client.Attribute) []line {
	var lines []line
	for _, a := range attributes {
		if a.Value != "" {
			lines = append(lines, line{"  " + cell(a.Name), a.Value})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i].name < lines[j].name })
	return append([]line{{name: "Attributes:"}}, lines...)
}
