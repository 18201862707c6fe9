package main

import (
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blox/blox/client"
)

const (
	taskSorts     = "createdAt, startedAt or stoppedAt"
	instanceSorts = "registeredAt"
)

// getTasks is a command line of get tasks.
type getTasks struct {
	filter     client.TaskFilter
	filters    *pflag.FlagSet
	all, watch bool
	output     outputFlags
	order      orderFlags
}

func newGetTasksCommand(c *connection) *cobra.Command {
	var g getTasks
	cmd := &cobra.Command{
		Use: "tasks [TASK]", Aliases: []string{"task"}, Short: "Show tasks, or one by its id (with --cluster) or ARN",
		Long: `Show tasks, or one by its id (with --cluster) or ARN.

Without --status or --desired-status only live tasks are shown, those that ECS means to run (desiredStatus RUNNING);
with --all, or with --stop-code, --stopped-since, --stopped-until or --sort stoppedAt, those that have stopped, or are to
stop, as well. Filters may be combined freely. A TIME is one of RFC 3339, such as 2026-11-20T09:00:00Z, or how long ago it
was: 90m, 2h, 7d.`,
		Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return g.run(cmd, c, args) },
	}
	g.filters = taskFilters(c, &g.filter)
	cmd.Flags().BoolVar(&g.all, "all", false, "stopped tasks too")
	cmd.Flags().AddFlagSet(g.filters)
	g.order.add(cmd, taskSorts)
	addWatch(cmd, &g.watch)
	g.output.addForm(cmd)
	g.output.addLimit(cmd)
	return cmd
}

func (g *getTasks) run(cmd *cobra.Command, c *connection, args []string) error {
	blox, err := c.prepare(cmd, &g.output)
	if err != nil {
		return err
	}
	if g.all && g.filter.DesiredStatus != "" {
		return usage(cmd, "--all and --desired-status were given: allowed is one of them")
	}
	options, err := g.order.options(cmd, &g.output, g.watch || len(args) > 0)
	if err != nil {
		return err
	}
	if err := checkNamed(cmd, g.filters, args); err != nil {
		return err
	}
	if len(args) > 0 && !g.watch {
		return g.showTask(cmd, c, blox, args[0])
	}
	ended := g.asksForEnded()
	onlyLive := !ended && g.filter.Status == "" && g.filter.DesiredStatus == ""
	if onlyLive {
		g.filter.DesiredStatus = "RUNNING"
	}
	if !g.watch {
		return g.list(cmd, c, blox, options, ended, onlyLive)
	}
	if err := checkWatch(cmd, args); err != nil {
		return err
	}
	return showWatch(cmd, &g.output, taskHeader, func() iter.Seq2[news, error] {
		return newsOf(blox.WatchTasks(cmd.Context(), g.filter, client.WatchOptions{}), taskNews(c))
	})
}

// asksForEnded is that tasks which have stopped are asked for, by whatever says so.
func (g *getTasks) asksForEnded() bool {
	f := g.filter
	return g.all || g.order.byEnd() || f.StopCode != "" || !f.StoppedSince.IsZero() || !f.StoppedUntil.IsZero() ||
		strings.EqualFold(f.Status, "STOPPED") || strings.EqualFold(f.DesiredStatus, "STOPPED")
}

func (g *getTasks) list(
	cmd *cobra.Command, c *connection, blox *client.Client, options []client.ListOption, ended, onlyLive bool,
) error {
	items, more, err := take(blox.ListTasks(cmd.Context(), g.filter, options...), g.output.limit, taskVersion)
	if err == nil && len(items) == 0 {
		err = checkClusterOfNone(cmd, blox, g.filter.Cluster)
	}
	if err != nil {
		return err
	}
	header, row := taskHeader, taskRow(c.now())
	if ended {
		header, row = endedTaskHeader, endedTaskRow(c.now())
	}
	err = showItems(cmd, &g.output, items, more, header, row)
	if onlyLive && len(items) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "live tasks only; --all shows those that have stopped, too")
	}
	return err
}

func (g *getTasks) showTask(cmd *cobra.Command, c *connection, blox *client.Client, name string) error {
	cluster, err := clusterOf(cmd, g.filter.Cluster, name)
	if err != nil {
		return err
	}
	task, err := blox.GetTask(cmd.Context(), cluster, name)
	if err != nil {
		return err
	}
	if task.Entity.LastStatus == "STOPPED" {
		return showOne(cmd, &g.output, task, endedTaskHeader, endedTaskRow(c.now()))
	}
	return showOne(cmd, &g.output, task, taskHeader, taskRow(c.now()))
}

func taskVersion(t client.Task) (arn string, number int64) {
	return t.Entity.TaskARN, t.Metadata.Version
}

func taskFilters(c *connection, f *client.TaskFilter) *pflag.FlagSet {
	flags := pflag.NewFlagSet("filters", pflag.ContinueOnError)
	flags.StringVar(&f.Cluster, clusterFlag, "", "only those of this cluster (name or ARN)")
	flags.StringVar(&f.Status, "status", "", "only those with this lastStatus, such as running or stopped")
	flags.StringVar(&f.DesiredStatus, "desired-status", "", "only those with this desiredStatus: running or stopped")
	flags.StringVar(&f.StartedBy, "started-by", "", "only those that this started")
	flags.StringVar(&f.Family, "family", "", "only those of this task definition family")
	flags.StringVar(
		&f.TaskDefinition,
		"task-definition",
		"",
		"only those of this task definition: FAMILY, FAMILY:REVISION or ARN",
	)
	flags.StringVar(&f.Group, "group", "", "only those of this group, such as service:NAME")
	flags.StringVar(&f.Service, "service", "", "only those of this service (name or ARN)")
	flags.StringVar(&f.ContainerInstance, "container-instance", "", "only those on this container instance (id or ARN)")
	flags.StringVar(
		&f.LaunchType,
		"launch-type",
		"",
		"only those with this launch type: ec2, external, fargate or managed_instances",
	)
	flags.StringVar(&f.CapacityProvider, "capacity-provider", "", "only those of this capacity provider")
	flags.StringVar(&f.HealthStatus, "health-status", "", "only those with this health: healthy, unhealthy or unknown")
	flags.StringVar(
		&f.StopCode,
		"stop-code",
		"",
		"only those that stopped with this code, such as EssentialContainerExited",
	)
	flags.StringVar(&f.AvailabilityZone, "availability-zone", "", "only those in this availability zone")
	flags.StringVar(&f.Image, "image", "", "only those with a container of this image")
	flags.StringVar(&f.PrivateIP, "private-ip", "", "only those with this private IP address")
	flags.Var(c.moment(&f.StartedSince), "started-since", "only those that started then or later")
	flags.Var(c.moment(&f.StartedUntil), "started-until", "only those that started earlier")
	flags.Var(c.moment(&f.StoppedSince), "stopped-since", "only those that stopped then or later")
	flags.Var(c.moment(&f.StoppedUntil), "stopped-until", "only those that stopped earlier")
	flags.StringVar(&f.Search, "search", "", "only those with this text in a name, an id, an image or a reason")
	return flags
}
