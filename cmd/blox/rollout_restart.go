package main

import (
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newRolloutRestartCommand(c *connection) *cobra.Command {
	var wait waitFlags
	var dry bool
	cmd := &cobra.Command{
		Use: "restart NAME", Short: "Replace every task by a new one of the same revision, at the environment's pace", Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := wait.check(cmd); err != nil {
			return err
		}
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		var plan client.Plan
		dep, err := blox.RestartEnvironment(cmd.Context(), args[0], uuid.NewString(), dryRun(dry, &plan)...)
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
