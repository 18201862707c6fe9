package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// manifest is an environment as a file describes it; the names are those of the API.
type manifest struct {
	Name                    string                 `yaml:"name"`
	Cluster                 string                 `yaml:"cluster"`
	Clusters                []string               `yaml:"clusters"`
	TaskDefinition          string                 `yaml:"taskDefinition"`
	LaunchType              string                 `yaml:"launchType"`
	DeploymentConfiguration *manifestConfiguration `yaml:"deploymentConfiguration"`
}

type manifestConfiguration struct {
	MinimumHealthyPercent *int `yaml:"minimumHealthyPercent"`
	MinHealthySeconds     *int `yaml:"minHealthySeconds"`
}

// maxManifestBytes is as much as the API takes, maxManifests how many environments one file may hold.
const (
	maxManifestBytes = 256 << 10
	maxManifests     = 100
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
		for _, m := range manifests {
			if err := apply(cmd, blox, m); err != nil {
				return err
			}
		}
		return nil
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the file, or - for standard input")
	return cmd
}

func readManifests(cmd *cobra.Command, file string) ([]manifest, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		opened, err := os.Open(file) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, usage(cmd, "cannot read the file: %s", err)
		}
		defer opened.Close() //nolint:errcheck // it was only read
		in = opened
	}
	text, err := io.ReadAll(io.LimitReader(in, maxManifestBytes+1))
	if err != nil {
		return nil, usage(cmd, "cannot read %s: %s", file, err)
	}
	if len(text) > maxManifestBytes {
		return nil, usage(cmd, "%s is too large: allowed are %d bytes", file, maxManifestBytes)
	}
	manifests, err := parseManifests(text)
	if err != nil {
		return nil, usage(cmd, "%s: %s", file, err)
	}
	return manifests, nil
}

// parseManifests reads all documents of a file, and refuses fields that it does not know: a misspelled one would
// otherwise leave its default in force unnoticed.
func parseManifests(text []byte) ([]manifest, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	var manifests []manifest
	for range maxManifests + 1 {
		var m manifest
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			if len(manifests) == 0 {
				return nil, errors.New("there is no environment in it")
			}
			return manifests, nil
		}
		if err != nil {
			return nil, errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
		}
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("environment %d: %w", len(manifests)+1, err)
		}
		manifests = append(manifests, m)
	}
	return nil, fmt.Errorf("there are more than %d environments in it", maxManifests)
}

// check says everything that is missing; whether the values are good, the API knows.
func (m manifest) check() error {
	var missing []error
	if m.Name == "" {
		missing = append(missing, errors.New("name is missing"))
	}
	if (m.Cluster == "") == (len(m.Clusters) == 0) {
		missing = append(missing, errors.New("give cluster or clusters, and not both"))
	}
	if m.TaskDefinition == "" {
		missing = append(missing, errors.New("taskDefinition is missing"))
	}
	texts := make([]string, len(missing))
	for i, err := range missing {
		texts[i] = err.Error()
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

func (m manifest) definition(baseRevision int) client.EnvironmentDefinition {
	d := client.EnvironmentDefinition{
		Name: m.Name, Clusters: m.Clusters, TaskDefinition: m.TaskDefinition, LaunchType: m.LaunchType, BaseRevision: &baseRevision,
	}
	if m.Cluster != "" {
		d.InstanceGroup = &client.InstanceGroup{Cluster: m.Cluster}
	}
	if c := m.DeploymentConfiguration; c != nil {
		d.DeploymentConfiguration = &client.DeploymentConfiguration{
			MinimumHealthyPercent: c.MinimumHealthyPercent, MinHealthySeconds: c.MinHealthySeconds,
		}
	}
	return d
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
