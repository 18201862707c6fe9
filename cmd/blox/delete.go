package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newDeleteCommand(c *connection) *cobra.Command {
	return group("delete", "Delete an environment", newDeleteEnvironmentCommand(c))
}

const terminateTasksFlag = "terminate-tasks"

func newDeleteEnvironmentCommand(c *connection) *cobra.Command {
	var terminate, dry bool
	cmd := &cobra.Command{
		Use: "environment NAME", Aliases: []string{"env"}, Short: "Delete an environment and what becomes of its tasks",
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		// The API counts an unknown environment as deleted; who typed a name wrong wants to know.
		if _, err := blox.GetEnvironment(cmd.Context(), args[0]); err != nil {
			return err
		}
		var choice *bool
		if cmd.Flags().Changed(terminateTasksFlag) {
			choice = &terminate
		}
		var plan client.Plan
		err = blox.DeleteEnvironment(cmd.Context(), args[0], choice, dryRun(dry, &plan)...)
		if client.StatusOf(err) == http.StatusConflict && choice == nil {
			return fmt.Errorf("environment %s has tasks: give --%s to stop them, or --%s=false to leave them running without an owner",
				args[0], terminateTasksFlag, terminateTasksFlag)
		}
		if err != nil {
			return err
		}
		if dry {
			return showPlan(cmd.OutOrStdout(), outputTable, plan)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "environment %s is being deleted\n", args[0])
		return nil
	}
	cmd.Flags().BoolVar(&terminate, terminateTasksFlag, false, "stop the environment's tasks; =false leaves them running without an owner")
	addDryRun(cmd, &dry)
	return cmd
}
