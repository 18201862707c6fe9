package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newDiffCommand(c *connection) *cobra.Command {
	var from, to int
	var output outputFlags
	cmd := &cobra.Command{
		Use: "diff ENVIRONMENT", Short: "Show in what two revisions of an environment differ",
		Long: `Show in what two revisions of an environment differ: the deployed one and the newest, unless --from and --to say otherwise.`,
		Args: exactly(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for name, number := range map[string]int{"from": from, "to": to} {
			if cmd.Flags().Changed(name) && number < 1 {
				return usage(cmd, "--%s %d: allowed is the number of a revision, from 1", name, number)
			}
		}
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		diff, err := blox.DiffRevisions(cmd.Context(), args[0], from, to)
		if err != nil {
			return err
		}
		if output.form == outputJSON {
			return printJSON(cmd.OutOrStdout(), diff)
		}
		return showDiff(cmd, args[0], diff)
	}
	cmd.Flags().IntVar(&from, "from", 0, "number of the older revision (default: the deployed one)")
	cmd.Flags().IntVar(&to, "to", 0, "number of the newer revision (default: the newest)")
	output.addForm(cmd)
	return cmd
}

// showDiff prints what was before with a minus and what is now with a plus.
func showDiff(cmd *cobra.Command, name string, diff client.RevisionDiff) error {
	out := cmd.OutOrStdout()
	if len(diff.Changes) == 0 {
		fmt.Fprintf(out, "revisions %d and %d of %s say the same\n", diff.From, diff.To, name)
		return nil
	}
	fmt.Fprintf(out, "%s, revision %d to %d:\n", name, diff.From, diff.To)
	for _, change := range diff.Changes {
		for _, side := range []struct {
			sign  string
			value any
		}{{"-", change.From}, {"+", change.To}} {
			if side.value == nil {
				continue
			}
			text, err := json.Marshal(side.value)
			if err != nil {
				return fmt.Errorf("encoding %s: %w", change.Path, err)
			}
			fmt.Fprintf(out, "%s %s: %s\n", side.sign, change.Path, cell(string(text)))
		}
	}
	return nil
}
