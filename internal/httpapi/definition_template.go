package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

// The limits of ECS for what a task is started with.
const (
	maxOverridesCharacters = 8192
	maxTags                = 50
	maxTagKey, maxTagValue = 128, 256
)

var (
	subnetID        = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
	securityGroupID = regexp.MustCompile(`^sg-[0-9a-f]{8,17}$`)
	// tagText is what AWS allows in keys and values.
	tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

// checkTemplate says what is wrong with what RunTask would be given besides the task definition.
func checkTemplate(in client.EnvironmentDefinition) (errs []error) {
	if n := in.NetworkConfiguration; n != nil {
		errs = append(errs, checkIDs("body.networkConfiguration.subnets", n.Subnets, subnetID, "ids of subnets, subnet-…")...)
		errs = append(errs, checkIDs("body.networkConfiguration.securityGroups", n.SecurityGroups, securityGroupID, "ids of security groups, sg-…")...)
	}
	if _, err := canonicalOverrides(in.Overrides); err != nil {
		errs = append(errs, wrong("body.overrides", nil, "%s", err))
	}
	return append(errs, checkTags(in.Tags)...)
}

func checkIDs(location string, ids []string, form *regexp.Regexp, allowed string) (errs []error) {
	for i, id := range ids {
		at := fmt.Sprintf("%s[%d]", location, i)
		switch {
		case !form.MatchString(id):
			errs = append(errs, wrong(at, shorten(id), "allowed are %s with 8 to 17 hexadecimal digits", allowed))
		case slices.Contains(ids[:i], id):
			errs = append(errs, wrong(at, id, "this one is in the list already"))
		}
	}
	return errs
}

func checkTags(tags map[string]string) (errs []error) {
	if len(tags) > maxTags {
		errs = append(errs, wrong("body.tags", nil, "%d tags: allowed are %d", len(tags), maxTags))
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		at := "body.tags." + shorten(key)
		switch n := utf8.RuneCountInString(key); {
		case n == 0 || n > maxTagKey:
			errs = append(errs, wrong(at, nil, "the key has %d characters: allowed are 1 to %d", n, maxTagKey))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			errs = append(errs, wrong(at, nil, "keys that begin with aws: are reserved for AWS: choose another"))
		case !tagText.MatchString(key) || !tagText.MatchString(tags[key]):
			errs = append(errs, wrong(at, nil, "allowed in keys and values are letters, digits, spaces and _ . : / = + - @"))
		}
		if n := utf8.RuneCountInString(tags[key]); n > maxTagValue {
			errs = append(errs, wrong(at, nil, "the value has %d characters: allowed are at most %d", n, maxTagValue))
		}
	}
	return errs
}

// taskOverride is ECS's type of that name in JSON, without what only Fargate has (ephemeralStorage) and what ECS has no
// more (inferenceAcceleratorOverrides).
type taskOverride struct {
	ContainerOverrides []containerOverride `json:"containerOverrides,omitempty"`
	CPU                *string             `json:"cpu,omitempty"`
	ExecutionRoleARN   *string             `json:"executionRoleArn,omitempty"`
	Memory             *string             `json:"memory,omitempty"`
	TaskRoleARN        *string             `json:"taskRoleArn,omitempty"`
}

type containerOverride struct {
	Command              []string              `json:"command,omitempty"`
	CPU                  *int32                `json:"cpu,omitempty"`
	Environment          []keyValue            `json:"environment,omitempty"`
	EnvironmentFiles     []environmentFile     `json:"environmentFiles,omitempty"`
	Memory               *int32                `json:"memory,omitempty"`
	MemoryReservation    *int32                `json:"memoryReservation,omitempty"`
	Name                 string                `json:"name"`
	ResourceRequirements []resourceRequirement `json:"resourceRequirements,omitempty"`
}

type keyValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type environmentFile struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type resourceRequirement struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// canonicalOverrides checks overrides against the shape that ECS takes, and writes them in one way only: the order of fields
// and white space are no change. nil for none.
func canonicalOverrides(given json.RawMessage) (json.RawMessage, error) {
	if text := bytes.TrimSpace(given); len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	if n := utf8.RuneCount(given); n > maxOverridesCharacters {
		return nil, fmt.Errorf("the overrides have %d characters: allowed are %d", n, maxOverridesCharacters)
	}
	decoder := json.NewDecoder(bytes.NewReader(given))
	decoder.DisallowUnknownFields()
	var o taskOverride
	if err := decoder.Decode(&o); err != nil {
		return nil, fmt.Errorf("not ECS's taskOverride: %s", overrideFault(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not ECS's taskOverride: there is something after it")
	}
	seen := map[string]bool{}
	for i, container := range o.ContainerOverrides {
		switch {
		case container.Name == "":
			return nil, fmt.Errorf("containerOverrides[%d]: name is missing, the container's", i)
		case seen[container.Name]:
			return nil, fmt.Errorf("containerOverrides[%d]: container %s was overridden before", i, shorten(container.Name))
		}
		seen[container.Name] = true
	}
	canonical, err := json.Marshal(o)
	if err != nil || string(canonical) == "{}" {
		return nil, err
	}
	return canonical, nil
}

const overrideFields = "allowed are containerOverrides (command, cpu, environment, environmentFiles, memory, memoryReservation, name, " +
	"resourceRequirements), cpu, executionRoleArn, memory and taskRoleArn"

// overrideFault says in words what the decoder found.
func overrideFault(err error) string {
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		return fmt.Sprintf("%s may not be a %s, it is a %s", mistyped.Field, mistyped.Value, mistyped.Type.Kind())
	}
	return strings.TrimPrefix(err.Error(), "json: ") + "; " + overrideFields
}

// checkOverriddenContainers refuses overrides of containers that the task definition does not have: ECS would refuse every
// start.
func checkOverriddenContainers(found types.TaskDefinition, given json.RawMessage) (errs []error) {
	var o taskOverride
	if len(given) == 0 || json.Unmarshal(given, &o) != nil || len(found.ContainerDefinitions) == 0 {
		return nil
	}
	names := make([]string, len(found.ContainerDefinitions))
	for i, container := range found.ContainerDefinitions {
		names[i] = aws.ToString(container.Name)
	}
	for i, container := range o.ContainerOverrides {
		if !slices.Contains(names, container.Name) {
			errs = append(errs, wrong(fmt.Sprintf("body.overrides.containerOverrides[%d].name", i), shorten(container.Name),
				"%s has no such container: allowed are %s", aws.ToString(found.TaskDefinitionArn), strings.Join(names, ", ")))
		}
	}
	return errs
}

// templateOf is the template of a checked definition.
func templateOf(in client.EnvironmentDefinition) (daemon.TaskTemplate, error) {
	t := daemon.TaskTemplate{
		EnableExecuteCommand: in.EnableExecuteCommand, EnableECSManagedTags: in.EnableECSManagedTags, PropagateTags: in.PropagateTags,
	}
	if n := in.NetworkConfiguration; n != nil {
		t.NetworkConfiguration = &daemon.NetworkConfiguration{
			Subnets: slices.Sorted(slices.Values(n.Subnets)), SecurityGroups: slices.Sorted(slices.Values(n.SecurityGroups)),
		}
	}
	for _, key := range slices.Sorted(maps.Keys(in.Tags)) {
		t.Tags = append(t.Tags, daemon.Tag{Key: key, Value: in.Tags[key]})
	}
	var err error
	t.Overrides, err = canonicalOverrides(in.Overrides)
	return t, err
}
