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
	var how applying
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Create or update the environments that a file describes",
		Long: `Create or update the environments that a YAML or JSON file describes. Nothing is started or replaced before blox deploy.

  name: log-agent
  cluster: edge               # or clusters: [edge, core], or clusterPattern: "edge-*"
  taskDefinition: log-agent:12
  instanceGroup:              # which of the hosts; all if left out
    expression: attribute:ecs.instance-type =~ m7i.*
  deploymentConfiguration:
    maxUnavailable: 10%       # or minimumHealthyPercent: 90
    minHealthySeconds: 10
    canary: {hosts: 1, promoteAfterSeconds: 300}

docs/daemon.md has all fields.`,
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
			if err := how.apply(cmd, blox, m); err != nil {
				return failedAt(manifests, i, err)
			}
		}
		return nil
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the file, or - for standard input")
	cmd.Flags().BoolVar(&how.force, "force", false, "also where another environment places a task definition of that family on the same hosts, and where no host would have the daemon any more")
	addDryRun(cmd, &how.dry)
	return cmd
}

// failedAt says which environment an error is about, and what was applied before it: that stays.
func failedAt(manifests []manifest, failed int, err error) error {
	return failedIn(manifests, failed, "applied", err)
}

// planFailedAt is failedAt where nothing is applied.
func planFailedAt(manifests []manifest, failed int, err error) error {
	return failedIn(manifests, failed, "planned", err)
}

// failedIn names the environments. What the API does not find here is what an environment refers to, a cluster or a task
// definition, which blox get does not list.
func failedIn(manifests []manifest, failed int, done string, err error) error {
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
		text += "; " + done + " before it: " + strings.Join(before, ", ")
	}
	if n := len(manifests) - failed - 1; n > 0 {
		text += fmt.Sprintf("; not %s: the %d after it", done, n)
	}
	return &exitError{code, errors.New(text)}
}

// applying is how environments are applied.
type applying struct{ dry, force bool }

// apply makes one environment what its manifest says, from the revision that it sees now: a change that somebody else
// makes in between is not undone.
func (a applying) apply(cmd *cobra.Command, blox *client.Client, m manifest) error {
	before, err := blox.GetEnvironment(cmd.Context(), m.Name)
	if err != nil && client.StatusOf(err) != http.StatusNotFound {
		return err
	}
	definition, err := m.definition(&before.Revision)
	if err != nil {
		return err
	}
	var plan client.Plan
	options := dryRun(a.dry, &plan)
	if a.force {
		options = append(options, client.WithForce())
	}
	after, err := blox.PutEnvironment(cmd.Context(), m.Name, definition, options...)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if a.dry {
		return showPlan(out, outputTable, plan)
	}
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
