package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newReconcileCommand(c *connection) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "reconcile CLUSTER",
		Short: "Ask for a cluster to be compared with Amazon ECS now",
		Long: `Ask for a cluster to be compared with Amazon ECS now, and what differs to be repaired. It is done at once or after what is
being reconciled already, and not waited for: blox describe cluster shows when the last one began.

CLUSTER is a name, or an ARN: one that Blox does not know yet must be given by its ARN. One that Amazon ECS
does not have stays unknown.`,
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		asked, err := blox.ReconcileCluster(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if output.form == outputJSON {
			return printJSON(cmd.OutOrStdout(), asked)
		}
		fmt.Fprintf(
			cmd.OutOrStdout(),
			"cluster %s is to be reconciled; see when with: blox describe cluster %s\n",
			lastPart(asked.ClusterARN),
			args[0],
		)
		return nil
	}
	output.addForm(cmd)
	return cmd
}
