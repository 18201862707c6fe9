package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

var clusterHeader = []string{"CLUSTER", "ACCOUNT", "REGION", "RECONCILED", "REPAIRED", "EVENT LAG"}

func newGetClustersCommand(c *connection) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use: "clusters [CLUSTER]", Aliases: []string{"cluster"}, Short: "Show the clusters that Blox knows, or one by its name or ARN",
		Long: `Show the clusters that Blox knows, or one by its name or ARN.

RECONCILED is how long ago the last complete comparison with Amazon ECS began, and REPAIRED what it had to repair.
EVENT LAG is how late events arrive; nothing while they are in time.`,
		Args: between(0, 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		row := clusterRow(c.now())
		if len(args) == 0 {
			return showList(cmd, &output, blox.ListClusters(cmd.Context()), clusterHeader, row)
		}
		cluster, err := blox.GetCluster(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return showOne(cmd, &output, cluster, clusterHeader, row)
	}
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

func clusterRow(now time.Time) func(client.Cluster) []string {
	return func(c client.Cluster) []string {
		reconciled, lag := "never", ""
		if c.LastReconciledAt != nil {
			reconciled = age(now, c.LastReconciledAt) + " ago"
		}
		if c.EventLagMillis > 0 {
			late := now.Add(-time.Duration(c.EventLagMillis) * time.Millisecond)
			lag = age(now, &late)
		}
		return []string{c.Name, c.Account, c.Region, reconciled, strconv.Itoa(c.DriftRepaired), lag}
	}
}
