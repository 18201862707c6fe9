package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newGetEnvironmentsCommand(c *connection) *cobra.Command {
	var cluster, startedBy, status string
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
		if startedBy != "" && (cluster != "" || status != "" || len(args) > 0) {
			return usage(cmd, "--started-by and a name, --cluster or --status were given: allowed is one of them")
		}
		if startedBy != "" {
			return showStarter(cmd, &output, blox, startedBy, row)
		}
		if len(args) == 0 {
			filter := client.EnvironmentFilter{Cluster: cluster, Status: strings.ToUpper(status)}
			return showList(cmd, &output, blox.FindEnvironments(cmd.Context(), filter), environmentHeader, row)
		}
		env, err := readEnvironment(cmd, blox, args[0], status)
		if err != nil {
			return err
		}
		return showOne(cmd, &output, env, environmentHeader, row)
	}
	cmd.Flags().StringVar(&cluster, "cluster", "", "only those on this cluster (name or ARN)")
	cmd.Flags().StringVar(&startedBy, "started-by", "", "only the one that started a task with this startedBy")
	cmd.Flags().StringVar(&status, "status", "", "only active or deleting ones, or the deleted of the last 24 hours: active, deleting, deleted")
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

// showStarter shows the environment that started a task.
func showStarter(cmd *cobra.Command, output *outputFlags, blox *client.Client, startedBy string, row func(client.Environment) []string) error {
	found, err := blox.EnvironmentOfTask(cmd.Context(), startedBy)
	if errors.Is(err, client.ErrNotStarted) {
		return &exitError{exitNotFound, err}
	}
	if err != nil {
		return err
	}
	return showOne(cmd, output, found, environmentHeader, row)
}

// readEnvironment is the environment of a name; with --status deleted the one that had the name before.
func readEnvironment(cmd *cobra.Command, blox *client.Client, name, status string) (client.Environment, error) {
	switch strings.ToUpper(status) {
	case "":
		return blox.GetEnvironment(cmd.Context(), name)
	case client.EnvironmentDeleted:
		return blox.GetDeletedEnvironment(cmd.Context(), name)
	default:
		return client.Environment{}, usage(cmd, "a name and --status %s were given: allowed with a name is --status deleted", status)
	}
}
