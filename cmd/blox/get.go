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
	return group("get", "Show clusters, tasks, container instances, environments, their hosts or deployments in a table",
		newGetClustersCommand(c), newGetTasksCommand(c), newGetInstancesCommand(c), newGetEnvironmentsCommand(c), newGetHostsCommand(c),
		newGetDeploymentsCommand(c))
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
