package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newRolloutCommand(c *connection) *cobra.Command {
	cmd := group("rollout", "Follow, hold, let go, end or turn back an environment's deployment",
		newRolloutStatusCommand(c),
		newRolloutVerb(c, "pause", "Hold the deployment in force: nothing more is replaced until it is resumed", (*client.Client).PauseDeployment),
		newRolloutVerb(c, "resume", "Let a paused deployment go on", (*client.Client).ResumeDeployment),
		newRolloutVerb(c, "promote", "Let a deployment out of its canaries to all hosts", (*client.Client).PromoteDeployment),
		newRolloutVerb(c, "stop", "End the deployment in force where it is: every host keeps what it has", (*client.Client).StopDeployment),
		newRolloutUndoCommand(c),
		newRolloutRestartCommand(c),
		newRolloutHistoryCommand(c),
	)
	return cmd
}

// changeDeployment is one of the client's methods that do something to the deployment in force.
type changeDeployment func(*client.Client, context.Context, string, string, ...client.WriteOption) (client.Deployment, error)

// newRolloutVerb makes a verb that changes the deployment in force, and says what it has become.
func newRolloutVerb(c *connection, verb, short string, change changeDeployment) *cobra.Command {
	var reason string
	var dry bool
	cmd := &cobra.Command{Use: verb + " NAME", Short: short, Args: exactly(1)}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		var plan client.Plan
		dep, err := change(blox, cmd.Context(), args[0], reason, dryRun(dry, &plan)...)
		if err != nil {
			return err
		}
		if dry {
			return showPlan(cmd.OutOrStdout(), outputTable, plan)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "deployment %s of %s, revision %d: %s\n", dep.ID, dep.EnvironmentName, dep.Revision, progress(dep))
		return nil
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who look at the deployment")
	addDryRun(cmd, &dry)
	return cmd
}
