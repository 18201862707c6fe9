package main

import (
	"iter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/blox/blox/client"
)

const agentConnectedFlag = "agent-connected"

func newGetInstancesCommand(c *connection) *cobra.Command {
	var filter client.InstanceFilter
	var watch, connected bool
	var output outputFlags
	var order orderFlags
	cmd := &cobra.Command{
		Use: "instances [INSTANCE]", Aliases: []string{"instance"},
		Short: "Show container instances, or one by its id (with --cluster) or ARN",
		Long: `Show container instances, or one by its id (with --cluster) or ARN.

Filters may be combined freely. A TIME is one of RFC 3339, such as 2026-11-20T09:00:00Z, or how long ago it was: 90m, 2h, 7d.`,
		Args: between(0, 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed(agentConnectedFlag) {
			filter.AgentConnected = &connected
		}
		options, err := order.options(cmd, &output, watch || len(args) > 0)
		if err != nil {
			return err
		}
		if watch {
			if err := checkWatch(cmd, args); err != nil {
				return err
			}
			return showWatch(cmd, &output, instanceHeader, func() iter.Seq2[news, error] {
				return newsOf(blox.WatchInstances(cmd.Context(), filter, client.WatchOptions{}), instanceNews(c))
			})
		}
		row := instanceRow(c.now())
		if len(args) == 0 {
			return showList(cmd, &output, blox.ListInstances(cmd.Context(), filter, options...), instanceHeader, row)
		}
		cluster, err := clusterOf(cmd, filter.Cluster, args[0])
		if err != nil {
			return err
		}
		instance, err := blox.GetInstance(cmd.Context(), cluster, args[0])
		if err != nil {
			return err
		}
		return showOne(cmd, &output, instance, instanceHeader, row)
	}
	cmd.Flags().BoolVar(
		&connected,
		agentConnectedFlag,
		false,
		"only those whose agent is connected; =false those whose agent is not",
	)
	addInstanceFilters(cmd.Flags(), c, &filter)
	order.add(cmd, instanceSorts)
	addWatch(cmd, &watch)
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

func addInstanceFilters(flags *pflag.FlagSet, c *connection, f *client.InstanceFilter) {
	flags.StringVar(&f.Cluster, "cluster", "", "only those of this cluster (name or ARN)")
	flags.StringVar(&f.Status, "status", "", "only those with this status, such as active or draining")
	flags.StringVar(&f.InstanceType, "instance-type", "", "only those of this EC2 instance type")
	flags.StringVar(&f.AvailabilityZone, "availability-zone", "", "only those in this availability zone")
	flags.StringVar(&f.EC2InstanceID, "ec2-instance-id", "", "only the one on this machine, i-… or mi-…")
	flags.StringVar(&f.AgentVersion, "agent-version", "", "only those with this version of the ECS agent")
	flags.StringVar(&f.CapacityProvider, "capacity-provider", "", "only those of this capacity provider")
	flags.StringArrayVar(
		&f.Attributes,
		"attribute",
		nil,
		"only those with this attribute, NAME or NAME:VALUE; may be given several times",
	)
	flags.Var(c.moment(&f.RegisteredSince), "registered-since", "only those that registered then or later")
	flags.Var(c.moment(&f.RegisteredUntil), "registered-until", "only those that registered earlier")
	flags.StringVar(&f.Search, "search", "", "only those with this text in a name, an id or an attribute")
}
