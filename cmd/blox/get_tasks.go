package main

import (
	"iter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blox/blox/client"
)

const (
	taskSorts     = "createdAt, startedAt or stoppedAt"
	instanceSorts = "registeredAt"
)

func newGetTasksCommand(c *connection) *cobra.Command {
	var filter client.TaskFilter
	var all, watch bool
	var output outputFlags
	var order orderFlags
	cmd := &cobra.Command{
		Use: "tasks [TASK]", Aliases: []string{"task"}, Short: "Show tasks, or one by its id (with --cluster) or ARN",
		Long: `Show tasks, or one by its id (with --cluster) or ARN.

Without --status or --desired-status only live tasks are shown, those that ECS means to run (desiredStatus RUNNING);
with --all, or with --stop-code, --stopped-since or --stopped-until, those that have stopped, or are to stop, as well.
Filters may be combined freely. A TIME is one of RFC 3339, such as 2026-11-20T09:00:00Z, or how long ago it was: 90m, 2h, 7d.`,
		Args: between(0, 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		if all && filter.DesiredStatus != "" {
			return usage(cmd, "--all and --desired-status were given: allowed is one of them")
		}
		aboutStopped := filter.StopCode != "" || !filter.StoppedSince.IsZero() || !filter.StoppedUntil.IsZero()
		if !all && !aboutStopped && filter.Status == "" && filter.DesiredStatus == "" {
			filter.DesiredStatus = "RUNNING"
		}
		options, err := order.options(cmd, &output, watch || len(args) > 0)
		if err != nil {
			return err
		}
		if watch {
			if err := checkWatch(cmd, args); err != nil {
				return err
			}
			return showWatch(cmd, &output, taskHeader, func() iter.Seq2[news, error] {
				return newsOf(blox.WatchTasks(cmd.Context(), filter, client.WatchOptions{}), taskNews(c))
			})
		}
		row := taskRow(c.now())
		if len(args) == 0 {
			return showList(cmd, &output, blox.ListTasks(cmd.Context(), filter, options...), taskHeader, row)
		}
		cluster, err := clusterOf(cmd, filter.Cluster, args[0])
		if err != nil {
			return err
		}
		task, err := blox.GetTask(cmd.Context(), cluster, args[0])
		if err != nil {
			return err
		}
		return showOne(cmd, &output, task, taskHeader, row)
	}
	cmd.Flags().BoolVar(&all, "all", false, "stopped tasks too")
	addTaskFilters(cmd.Flags(), c, &filter)
	order.add(cmd, taskSorts)
	addWatch(cmd, &watch)
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

func addTaskFilters(flags *pflag.FlagSet, c *connection, f *client.TaskFilter) {
	flags.StringVar(&f.Cluster, "cluster", "", "only those of this cluster (name or ARN)")
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
}
