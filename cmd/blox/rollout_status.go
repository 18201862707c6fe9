package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newRolloutStatusCommand(c *connection) *cobra.Command {
	var wait waitFlags
	cmd := &cobra.Command{
		Use: "status NAME", Short: "Show the progress of an environment's newest deployment until it ends",
		Long: `Show the progress of an environment's newest deployment until it ends. The exit code is 0 if it completed on every host, and 1 if it
failed, was rolled back, stopped or superseded, or did not end in time. With --watch=false its progress is shown once; a deployment
that goes on then counts as well.`,
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := wait.check(cmd); err != nil {
			return err
		}
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		dep, err := readDeployment(cmd, blox, args)
		if err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), progress(dep))
		if err := c.tellFrozen(cmd, blox, dep); err != nil {
			return err
		}
		switch {
		case dep.Ended():
			return verdict(cmd, dep, client.DeploymentCompleted)
		case wait.wait:
			return c.follow(cmd, blox, dep, client.DeploymentCompleted, wait.timeout)
		default:
			return nil
		}
	}
	cmd.Flags().BoolVarP(&wait.wait, "watch", "w", true, "go on until the deployment ends")
	wait.addTimeout(cmd, time.Hour)
	return cmd
}
