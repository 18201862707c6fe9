package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

func newApplyCommand(c *connection) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Create or update the environments that a file describes",
		Long: `Create or update the environments that a YAML or JSON file describes. Nothing is started or replaced before blox deploy.

  name: log-agent
  cluster: edge             # or clusters: [edge, core]
  taskDefinition: log-agent:12
  launchType: EC2           # or EXTERNAL; EC2 if left out
  deploymentConfiguration:
    minimumHealthyPercent: 50
    minHealthySeconds: 10`,
		Args: exactly(0),
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if file == "" {
			return usage(cmd, "which file to apply is missing: give -f FILE, or -f - for standard input")
		}
		manifests, err := readManifests(cmd, file)
		if err != nil {
			return err
		}
		blox, err := c.client(cmd)
		if err != nil {
			return err
		}
		for i, m := range manifests {
			if err := apply(cmd, blox, m); err != nil {
				return failedAt(manifests, i, err)
			}
		}
		return nil
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the file, or - for standard input")
	return cmd
}

// failedAt says which environment an error is about, and what was applied before it: that stays. What the API does not
// find here is what the environment refers to, a cluster or a task definition, which blox get does not list.
func failedAt(manifests []manifest, failed int, err error) error {
	code, text := explain(err)
	var answered *client.Error
	if errors.As(err, &answered) && answered.Status == http.StatusNotFound {
		text = answered.Error()
	}
	text = fmt.Sprintf("environment %s: %s", manifests[failed].Name, text)
	if failed > 0 {
		before := make([]string, failed)
		for i := range before {
			before[i] = manifests[i].Name
		}
		text += "; applied before it: " + strings.Join(before, ", ")
	}
	if n := len(manifests) - failed - 1; n > 0 {
		text += fmt.Sprintf("; not applied: the %d after it", n)
	}
	return &exitError{code, errors.New(text)}
}

// apply makes one environment what its manifest says, from the revision that it sees now: a change that somebody else
// makes in between is not undone.
func apply(cmd *cobra.Command, blox *client.Client, m manifest) error {
	before, err := blox.GetEnvironment(cmd.Context(), m.Name)
	if err != nil && client.StatusOf(err) != http.StatusNotFound {
		return err
	}
	after, err := blox.PutEnvironment(cmd.Context(), m.Name, m.definition(before.Revision))
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case before.Revision == 0:
		fmt.Fprintf(out, "environment %s created; start its tasks with: blox deploy %s\n", after.Name, after.Name)
	case after.Revision == before.Revision:
		fmt.Fprintf(out, "environment %s unchanged, revision %d\n", after.Name, after.Revision)
	default:
		fmt.Fprintf(out, "environment %s updated to revision %d; bring it to the hosts with: blox deploy %s\n", after.Name, after.Revision, after.Name)
	}
	return nil
}
