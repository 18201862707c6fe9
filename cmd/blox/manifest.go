package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
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

func readManifests(cmd *cobra.Command, file string) ([]manifest, error) {
	in, named := cmd.InOrStdin(), file
	if file == "-" {
		named = "standard input"
	} else {
		opened, err := os.Open(file) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, usage(cmd, "cannot read the file: %s", err)
		}
		defer opened.Close() //nolint:errcheck // it was only read
		in = opened
	}
	text, err := io.ReadAll(io.LimitReader(in, maxManifestBytes+1))
	if err != nil {
		return nil, usage(cmd, "cannot read %s: %s", named, err)
	}
	if len(text) > maxManifestBytes {
		return nil, usage(cmd, "%s is too large: allowed are %d bytes", named, maxManifestBytes)
	}
	manifests, err := parseManifests(text)
	if err != nil {
		return nil, usage(cmd, "%s: %s", named, err)
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
			return nil, inWords(err)
		}
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("environment %s: %w", strings.TrimSpace(fmt.Sprintf("%d %s", len(manifests)+1, m.Name)), err)
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

// fieldTypes are what the fields of a manifest have to be, in words.
var fieldTypes = map[string]string{
	"name":                    "text",
	"cluster":                 "text",
	"clusters":                "a list of texts, such as [edge, core]",
	"taskDefinition":          "text",
	"launchType":              "text",
	"deploymentConfiguration": "fields of its own: minimumHealthyPercent, minHealthySeconds",
	"minimumHealthyPercent":   "a whole number",
	"minHealthySeconds":       "a whole number",
}

// inWords says what is wrong in a file, and where. The decoder would name Go's types, and the field only sometimes.
func inWords(err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil || at.GetToken().Position == nil {
		return errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	text := at.GetMessage()
	var mistyped *yaml.TypeError
	var misplaced *yaml.UnexpectedNodeTypeError
	var overflowed *yaml.OverflowError
	if errors.As(err, &mistyped) || errors.As(err, &misplaced) || errors.As(err, &overflowed) {
		text = "an environment is fields, such as name: log-agent"
		if field := fieldOf(at.GetToken()); fieldTypes[field] != "" {
			text = field + " must be " + fieldTypes[field]
		}
	}
	position := at.GetToken().Position
	return fmt.Errorf("line %d, column %d: %s", position.Line, position.Column, text)
}

// fieldOf is the innermost field of a manifest that a value stands in: the nearest known name before it in its document.
func fieldOf(value *token.Token) string {
	for t := value.Prev; t != nil && t.Type != token.DocumentHeaderType; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil && fieldTypes[t.Prev.Value] != "" {
			return t.Prev.Value
		}
	}
	return ""
}
