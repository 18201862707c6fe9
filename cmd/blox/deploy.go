package main

import (
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newDeployCommand(c *connection) *cobra.Command {
	var wait waitFlags
	var dry bool
	cmd := &cobra.Command{
		Use: "deploy NAME", Short: "Bring an environment's current revision to all of its hosts", Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := wait.check(cmd); err != nil {
			return err
		}
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		env, err := blox.GetEnvironment(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		var plan client.Plan
		dep, err := blox.CreateDeployment(cmd.Context(), env.Name, env.DeploymentToken, dryRun(dry, &plan)...)
		if err != nil {
			return err
		}
		if dry {
			return showPlan(cmd.OutOrStdout(), outputTable, plan)
		}
		return c.begun(cmd, blox, dep, wait)
	}
	wait.add(cmd)
	addDryRun(cmd, &dry)
	return cmd
}
