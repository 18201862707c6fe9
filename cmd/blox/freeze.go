package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newFreezeCommand(c *connection) *cobra.Command {
	var reason string
	var dry bool
	cmd := &cobra.Command{
		Use: "freeze NAME", Short: "Keep the scheduler's hands off an environment until it is thawed",
		Long: `Keep the scheduler's hands off an environment until it is thawed: nothing of it is started, stopped or replaced, not even where a
daemon is missing. What ECS and people do is still learnt. Deleting the environment thaws it.`,
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		var plan client.Plan
		env, err := blox.FreezeEnvironment(cmd.Context(), args[0], reason, dryRun(dry, &plan)...)
		if err != nil {
			return err
		}
		if dry {
			return showPlan(cmd.OutOrStdout(), outputTable, plan)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "environment %s is frozen; let it go with: blox thaw %s\n", env.Name, env.Name)
		return nil
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who look at the environment")
	addDryRun(cmd, &dry)
	return cmd
}

func newThawCommand(c *connection) *cobra.Command {
	var reason string
	var dry bool
	cmd := &cobra.Command{Use: "thaw NAME", Short: "Let the scheduler work on a frozen environment again", Args: exactly(1)}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		var plan client.Plan
		env, err := blox.ThawEnvironment(cmd.Context(), args[0], reason, dryRun(dry, &plan)...)
		if err != nil {
			return err
		}
		if dry {
			return showPlan(cmd.OutOrStdout(), outputTable, plan)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "environment %s is thawed\n", env.Name)
		return nil
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the log")
	addDryRun(cmd, &dry)
	return cmd
}
