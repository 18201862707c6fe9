package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newExplainCommand(c *connection) *cobra.Command {
	return group("explain", "Say in a sentence why a host of an environment is as it is", newExplainEnvironmentCommand(c))
}

func newExplainEnvironmentCommand(c *connection) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use: "environment NAME HOST", Aliases: []string{"env"}, Short: "Say why there is a daemon on a host, or none, and what comes next",
		Long: `Say why there is a daemon on a host, or none, and what comes next. A HOST is an EC2 instance id, or a container instance's id or
ARN.`,
		Example: "  blox explain env log-agent i-0a1b2c3d4e5f60718",
		Args:    exactly(2),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		host, err := blox.GetHost(cmd.Context(), args[0], args[1])
		if err != nil {
			return err
		}
		if output.form == outputJSON {
			return printJSON(cmd.OutOrStdout(), host)
		}
		fmt.Fprintln(cmd.OutOrStdout(), cell(host.Sentence))
		return printLines(cmd.OutOrStdout(), hostLines(c.now(), host))
	}
	output.addForm(cmd)
	return cmd
}
