package main

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
)

func newGetCommand(c *connection) *cobra.Command {
	return group("get", "Show clusters, tasks, container instances, environments or deployments in a table",
		newGetClustersCommand(c), newGetTasksCommand(c), newGetInstancesCommand(c), newGetEnvironmentsCommand(c), newGetDeploymentsCommand(c))
}

func newGetTasksCommand(c *connection) *cobra.Command {
	var filter client.TaskFilter
	var all, watch bool
	var output outputFlags
	cmd := &cobra.Command{
		Use: "tasks [TASK]", Aliases: []string{"task"}, Short: "Show tasks, or one by its id (with --cluster) or ARN",
		Long: `Show tasks, or one by its id (with --cluster) or ARN.

Without --status or --desired-status only live tasks are shown, those that ECS means to run (desiredStatus RUNNING);
with --all those that have stopped, or are to stop, as well.`,
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
		if !all && filter.Status == "" && filter.DesiredStatus == "" {
			filter.DesiredStatus = "RUNNING"
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
			return showList(cmd, &output, blox.ListTasks(cmd.Context(), filter), taskHeader, row)
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
	flags := cmd.Flags()
	flags.StringVar(&filter.Cluster, "cluster", "", "only those of this cluster (name or ARN)")
	flags.BoolVar(&all, "all", false, "stopped tasks too")
	flags.StringVar(&filter.Status, "status", "", "only those with this lastStatus, such as running or stopped")
	flags.StringVar(&filter.DesiredStatus, "desired-status", "", "only those with this desiredStatus: running or stopped")
	flags.StringVar(&filter.StartedBy, "started-by", "", "only those that this started")
	flags.StringVar(&filter.Family, "family", "", "only those of this task definition family")
	flags.StringVar(&filter.Group, "group", "", "only those of this group, such as service:NAME")
	flags.StringVar(&filter.ContainerInstance, "container-instance", "", "only those on this container instance (id or ARN)")
	addWatch(cmd, &watch)
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

// prepare checks what all verbs check, and makes the client.
func (c *connection) prepare(cmd *cobra.Command, output *outputFlags) (*client.Client, error) {
	if err := output.check(cmd); err != nil {
		return nil, err
	}
	return c.client(cmd)
}

// clusterOf is the cluster to look in for a thing: the one given, or the one that its ARN names.
func clusterOf(cmd *cobra.Command, cluster, thing string) (string, error) {
	if cluster != "" {
		return cluster, nil
	}
	if key, err := state.ClusterKeyFromARN(thing); err == nil {
		return key.ARN(""), nil
	}
	// Ids have no colon: this is meant to be an ARN.
	if _, err := state.ParseARN(thing); err != nil && strings.Contains(thing, ":") {
		return "", usage(cmd, "%s", err)
	}
	return "", usage(cmd, "which cluster %q is in is not known: give --cluster, or the ARN", thing)
}

func newGetInstancesCommand(c *connection) *cobra.Command {
	var filter client.InstanceFilter
	var watch bool
	var output outputFlags
	cmd := &cobra.Command{
		Use: "instances [INSTANCE]", Aliases: []string{"instance"},
		Short: "Show container instances, or one by its id (with --cluster) or ARN", Args: between(0, 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		if watch {
			if err := checkWatch(cmd, args); err != nil {
				return err
			}
			return showWatch(cmd, &output, instanceHeader, func() iter.Seq2[news, error] {
				return newsOf(blox.WatchInstances(cmd.Context(), filter, client.WatchOptions{}), instanceNews(c))
			})
		}
		row := instanceRow(c.now())
		if len(args) == 0 {
			return showList(cmd, &output, blox.ListInstances(cmd.Context(), filter), instanceHeader, row)
		}
		cluster, err := clusterOf(cmd, filter.Cluster, args[0])
		if err != nil {
			return err
		}
		instance, err := blox.GetInstance(cmd.Context(), cluster, args[0])
		if err != nil {
			return err
		}
		return showOne(cmd, &output, instance, instanceHeader, row)
	}
	cmd.Flags().StringVar(&filter.Cluster, "cluster", "", "only those of this cluster (name or ARN)")
	cmd.Flags().StringVar(&filter.Status, "status", "", "only those with this status, such as active or draining")
	addWatch(cmd, &watch)
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

func newGetEnvironmentsCommand(c *connection) *cobra.Command {
	var cluster string
	var output outputFlags
	cmd := &cobra.Command{
		Use: "environments [NAME]", Aliases: []string{"environment", "env", "envs"}, Short: "Show environments, or one by its name",
		Args: between(0, 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		row := environmentRow(c.now())
		if len(args) == 0 {
			return showList(cmd, &output, blox.ListEnvironments(cmd.Context(), cluster), environmentHeader, row)
		}
		env, err := blox.GetEnvironment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return showOne(cmd, &output, env, environmentHeader, row)
	}
	cmd.Flags().StringVar(&cluster, "cluster", "", "only those on this cluster (name or ARN)")
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

func newGetDeploymentsCommand(c *connection) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use: "deployments [ENVIRONMENT [ID]]", Aliases: []string{"deployment"},
		Short: "Show deployments: all, those of an environment, or one", Args: between(0, 2),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		row := deploymentRow(c.now())
		switch len(args) {
		case 0:
			return showList(cmd, &output, allDeployments(cmd.Context(), blox), deploymentHeader, row)
		case 1:
			return showList(cmd, &output, blox.ListDeployments(cmd.Context(), args[0]), deploymentHeader, row)
		}
		dep, err := blox.GetDeployment(cmd.Context(), args[0], args[1])
		if err != nil {
			return err
		}
		return showOne(cmd, &output, dep, deploymentHeader, row)
	}
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

// allDeployments walks the environments by name.
func allDeployments(ctx context.Context, blox *client.Client) iter.Seq2[client.Deployment, error] {
	return func(yield func(client.Deployment, error) bool) {
		for env, err := range blox.ListEnvironments(ctx, "") {
			if err != nil {
				yield(client.Deployment{}, err)
				return
			}
			for dep, err := range blox.ListDeployments(ctx, env.Name) {
				if !yield(dep, err) || err != nil {
					return
				}
			}
		}
	}
}
