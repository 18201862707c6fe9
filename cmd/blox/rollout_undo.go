package main

import (
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newRolloutUndoCommand(c *connection) *cobra.Command {
	var wait waitFlags
	var dry bool
	var to int
	cmd := &cobra.Command{
		Use: "undo NAME", Short: "Turn back to the last good revision, or another",
		Long: `Turn back to the last good revision, or to the one of --to. A deployment that has not ended is turned back; after one that has,
a new deployment brings the older revision. The environment's definition is not changed: blox deploy --again brings its newest revision back.`,
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := wait.check(cmd); err != nil {
			return err
		}
		if cmd.Flags().Changed("to") && to < 1 {
			return usage(cmd, "--to %d: allowed is the number of a revision, from 1; see blox rollout history %s", to, args[0])
		}
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		var plan client.Plan
		dep, err := blox.RollBackEnvironment(cmd.Context(), args[0], to, uuid.NewString(), dryRun(dry, &plan)...)
		if err != nil {
			return err
		}
		if dry {
			return showPlan(cmd.OutOrStdout(), outputTable, plan)
		}
		return c.begun(cmd, blox, dep, wait)
	}
	cmd.Flags().IntVar(&to, "to", 0, "number of the revision to turn back to (default: the last good one)")
	wait.add(cmd)
	addDryRun(cmd, &dry)
	return cmd
}
