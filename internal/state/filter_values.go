package state

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The values ECS has for fields that filters ask for, as it writes them.
var (
	healthStatuses = []string{"HEALTHY", "UNHEALTHY", "UNKNOWN"}
	launchTypes    = []string{"EC2", "EXTERNAL", "FARGATE", "MANAGED_INSTANCES"}
	stopCodes      = []string{
		"EssentialContainerExited", "InfrastructureHealth", "ServiceSchedulerInitiated", "SpotInterruption",
		"TaskFailedToStart", "TerminationNotice", "UserInitiated",
	}
)

// HealthStatuses lists what healthStatus of a task can be, sorted by name.
func HealthStatuses() []string { return slices.Clone(healthStatuses) }

// LaunchTypes lists what launchType of a task can be, sorted by name.
func LaunchTypes() []string { return slices.Clone(launchTypes) }

// StopCodes lists what stopCode of a task can be, sorted by name.
func StopCodes() []string { return slices.Clone(stopCodes) }

// ParseHealthStatus reads the healthStatus of a task in any case and gives it as
// ECS writes it; the error lists the allowed values.
func ParseHealthStatus(s string) (string, error) {
	return parseStatus("health status", s, healthStatuses)
}

// ParseLaunchType reads the launchType of a task in any case and gives it as ECS
// writes it; the error lists the allowed values.
func ParseLaunchType(s string) (string, error) { return parseStatus("launch type", s, launchTypes) }

// ParseStopCode reads the stopCode of a task in any case and gives it as ECS
// writes it; the error lists the allowed values.
func ParseStopCode(s string) (string, error) { return parseStatus("stop code", s, stopCodes) }

// ParsePrivateIP reads an IPv4 or IPv6 address and gives it in its shortest
// form.
func ParsePrivateIP(s string) (string, error) {
	address, err := netip.ParseAddr(s)
	if err != nil || address.Zone() != "" {
		return "", fmt.Errorf("invalid private IP %q: allowed is an IPv4 or IPv6 address such as 10.0.1.7 or 2a05:d018::7",
			shorten(s))
	}
	return address.Unmap().String(), nil
}

// The shortest and longest names that ECS gives or takes.
var (
	familyRevisionPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}(:[1-9][0-9]{0,9})?$`)
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Attribute.html
	attributeNamePattern  = regexp.MustCompile(`^[A-Za-z0-9_./\\-]{1,128}$`)
	attributeValuePattern = regexp.MustCompile(`^[A-Za-z0-9_.@/\\: -]{0,128}$`)
)

// ParseTaskDefinitionFilter reads what TaskFilter.TaskDefinition can be and gives
// it back unchanged: a family, family:revision or the ARN of a revision.
func ParseTaskDefinitionFilter(s string) (string, error) {
	if isARN(s) {
		return parseARNFilter("task definition", s, ARNTaskDefinition)
	}
	if !familyRevisionPattern.MatchString(s) {
		return "", fmt.Errorf("invalid task definition %q: allowed are FAMILY, FAMILY:REVISION with a family of %s "+
			"and a revision of 1 and above, and the ARN of a task definition", shorten(s), allowedName)
	}
	return s, nil
}

// ParseServiceFilter reads what TaskFilter.Service can be and gives it back
// unchanged: a service's name or ARN.
func ParseServiceFilter(s string) (string, error) {
	if isARN(s) {
		return parseARNFilter("service", s, ARNService)
	}
	if !namePattern.MatchString(s) {
		return "", fmt.Errorf("invalid service %q: allowed are a name of %s, and the ARN of a service",
			shorten(s), allowedName)
	}
	return s, nil
}

// ParseContainerInstanceFilter reads what TaskFilter.ContainerInstance can be and
// gives it back unchanged: a container instance's id or ARN.
func ParseContainerInstanceFilter(s string) (string, error) {
	if isARN(s) {
		return parseARNFilter("container instance", s, ARNContainerInstance)
	}
	if !namePattern.MatchString(s) {
		return "", fmt.Errorf("invalid container instance %q: allowed are an id of %s, and the ARN of a container instance",
			shorten(s), allowedName)
	}
	return s, nil
}

func isARN(s string) bool { return strings.HasPrefix(s, "arn:") }

func parseARNFilter(what, s string, kind ARNKind) (string, error) {
	arn, err := ParseARN(s)
	if err != nil {
		return "", fmt.Errorf("invalid %s: %w", what, err)
	}
	if err := arn.CheckPartition(); err != nil {
		return "", fmt.Errorf("invalid %s: %w", what, err)
	}
	if arn.Kind != kind {
		return "", fmt.Errorf("invalid %s %q: this is the ARN of a %s, allowed is a %s's", what, shorten(s), arn.Kind, kind)
	}
	return s, nil
}

// MaxAttributeFilters is how many attributes one filter may ask for. A host has
// about a hundred, nearly all of them ECS's own.
const MaxAttributeFilters = 10

// ParseAttributeFilter reads "name", an attribute of any value, or "name:value".
// What follows the first colon is the value, so that "name:" is an attribute
// without one, as ECS's own capabilities are; names hold no colon, values may.
func ParseAttributeFilter(s string) (AttributeFilter, error) {
	name, value, hasValue := strings.Cut(s, ":")
	if !attributeNamePattern.MatchString(name) {
		return AttributeFilter{}, fmt.Errorf("invalid attribute %q: allowed is NAME or NAME:VALUE with a name of 1 to 128 "+
			`letters, digits and - _ . / \`, shorten(s))
	}
	if !hasValue {
		return AttributeFilter{Name: name}, nil
	}
	if !attributeValuePattern.MatchString(value) {
		return AttributeFilter{}, fmt.Errorf("invalid value of attribute %s, %q: allowed are at most 128 "+
			`letters, digits, spaces and : - _ . @ / \`, name, shorten(value))
	}
	return AttributeFilter{Name: name, Value: &value}, nil
}

// String is what ParseAttributeFilter read.
func (f AttributeFilter) String() string {
	if f.Value == nil {
		return f.Name
	}
	return f.Name + ":" + *f.Value
}

// The bounds of a search: each word is looked for in every record.
const (
	MaxSearchLength = 256 // characters
	MaxSearchWords  = 8
)

// ValidateSearch says what is wrong with a free text search, if anything. An empty
// one restricts nothing; one of blanks alone would as well, which is not what
// somebody meant who typed it.
func ValidateSearch(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("invalid search: not valid UTF-8")
	}
	if length := utf8.RuneCountInString(s); length > MaxSearchLength {
		return fmt.Errorf("invalid search: %d characters, allowed are at most %d", length, MaxSearchLength)
	}
	words := len(strings.Fields(s))
	if words > MaxSearchWords {
		return fmt.Errorf("invalid search: %d words, allowed are at most %d", words, MaxSearchWords)
	}
	if words == 0 && s != "" {
		return errors.New("invalid search: blanks only, allowed are 1 to 8 words")
	}
	return nil
}
