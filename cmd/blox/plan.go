package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newPlanCommand(c *connection) *cobra.Command {
	var file string
	var output outputFlags
	cmd := &cobra.Command{
		Use: "plan NAME | plan -f FILE", Short: "Show what the scheduler would do to an environment, host by host, and why",
		Long: `Show what the scheduler would do to an environment, host by host, and why: at its next look, and from there on if every task
starts and stays healthy. Nothing is stored, and nothing is done.

With -f what it would do if the file were applied and deployed now.`,
		Example: "  blox plan log-agent\n  blox plan -f log-agent.yaml -o json",
		Args:    between(0, 1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (file == "") == (len(args) == 0) {
			return usage(cmd, "allowed is either a NAME or -f FILE")
		}
		var manifests []manifest
		if file != "" {
			var err error
			if manifests, err = readManifests(cmd, file); err != nil {
				return err
			}
		}
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		if file == "" {
			return planOf(cmd, &output, blox, args[0], nil)
		}
		for i, m := range manifests {
			definition, err := m.definition(nil)
			if err == nil {
				err = planOf(cmd, &output, blox, m.Name, &definition)
			}
			if err != nil {
				return planFailedAt(manifests, i, err)
			}
		}
		return nil
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "a file as for blox apply, or - for standard input")
	output.addForm(cmd)
	return cmd
}

func planOf(cmd *cobra.Command, output *outputFlags, blox *client.Client, name string, definition *client.EnvironmentDefinition) error {
	plan, err := blox.PlanEnvironment(cmd.Context(), name, definition)
	if err != nil {
		return err
	}
	if err := showPlan(cmd.OutOrStdout(), output.form, plan); err != nil || definition != nil {
		return err
	}
	env, err := blox.GetEnvironment(cmd.Context(), name)
	if err == nil && env.Status == client.EnvironmentActive && env.DeployedRevision != env.Revision {
		fmt.Fprintf(cmd.ErrOrStderr(), "revision %d is not deployed; what that would do is shown by: blox deploy %s --dry-run\n", env.Revision, name)
	}
	return err
}
