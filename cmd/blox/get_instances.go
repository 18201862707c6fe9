package main

import (
	"iter"
	"slices"

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
	filters := instanceFilters(c, &filter)
	filters.BoolVar(
		&connected,
		agentConnectedFlag,
		false,
		"only those whose agent is connected; =false those whose agent is not",
	)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed(agentConnectedFlag) && len(args) == 1 && slices.Contains([]string{"true", "false"}, args[0]) {
			return usage(cmd, "%q was taken for a name: say --%s=%s", args[0], agentConnectedFlag, args[0])
		}
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
		if err := checkNamed(cmd, filters, args); err != nil {
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
			items, more, err := take(blox.ListInstances(cmd.Context(), filter, options...), output.limit, instanceVersion)
			if err == nil && len(items) == 0 {
				err = checkClusterOfNone(cmd, blox, filter.Cluster)
			}
			if err != nil {
				return err
			}
			return showItems(cmd, &output, items, more, instanceHeader, row)
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
	cmd.Flags().AddFlagSet(filters)
	order.add(cmd, instanceSorts)
	addWatch(cmd, &watch)
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

func instanceVersion(i client.ContainerInstance) (arn string, number int64) {
	return i.Entity.ContainerInstanceARN, i.Metadata.Version
}

// instanceFilters are the flags of all filters but --agent-connected, which has three values.
func instanceFilters(c *connection, f *client.InstanceFilter) *pflag.FlagSet {
	flags := pflag.NewFlagSet("filters", pflag.ContinueOnError)
	flags.StringVar(&f.Cluster, clusterFlag, "", "only those of this cluster (name or ARN)")
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
	return flags
}
