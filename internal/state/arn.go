package state

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ARNKind is the resource type of an ECS ARN, spelled as in the ARN.
type ARNKind string

// The resource types that Blox reads.
const (
	ARNTask              ARNKind = "task"
	ARNContainerInstance ARNKind = "container-instance"
	ARNCluster           ARNKind = "cluster"
	ARNTaskDefinition    ARNKind = "task-definition"
	ARNService           ARNKind = "service"
)

// ARN is the parsed form of the ARN of an ECS resource.
type ARN struct {
	Partition string
	Account   string // 12 digits
	Region    string
	Kind      ARNKind
	// Cluster is the name of the cluster a task, container instance or service
	// belongs to. It is empty in the short form that accounts from before 2018
	// may still have (task/ID), and for task definitions.
	// For a cluster's own ARN it is the name, the same as ID.
	Cluster string
	// ID is the last part: a task id, a container instance id, a cluster name,
	// a service name, or family:revision of a task definition.
	ID string
}

var (
	arnKinds = []ARNKind{ARNCluster, ARNContainerInstance, ARNService, ARNTask, ARNTaskDefinition}

	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,8}(-[a-z]+)+-[0-9]{1,2}$`)
	// ECS allows 1 to 255 letters, digits, hyphens and underscores in the names
	// of clusters, services and task definition families; ids fit in as well.
	namePattern           = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	taskDefinitionPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}:[1-9][0-9]{0,9}$`)
)

const allowedName = "1 to 255 letters, digits, hyphens and underscores"

// ParseARN reads the ARN of a task, container instance, cluster, task
// definition or service, in any partition, in the short form
// (task/ID) or the long one (task/CLUSTER/ID). The error names the part that
// is wrong and what is allowed there.
func ParseARN(s string) (ARN, error) {
	// An ARN has at most 2048 characters; more than that would only make the
	// error message and the work on it long.
	if len(s) > maxARNLength {
		return ARN{}, fmt.Errorf("invalid ARN: %d characters, allowed are at most %d", len(s), maxARNLength)
	}
	parts := strings.SplitN(s, ":", 6)
	s = shorten(s) // for the messages
	if len(parts) != 6 || parts[0] != "arn" {
		return ARN{}, fmt.Errorf("invalid ARN %q: allowed is arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE", s)
	}
	arn := ARN{Partition: parts[1], Region: parts[3], Account: parts[4]}
	if !slices.Contains(partitions, arn.Partition) {
		return ARN{}, fmt.Errorf("invalid ARN %q: partition %q, allowed are %s",
			s, shorten(arn.Partition), strings.Join(partitions, ", "))
	}
	if parts[2] != "ecs" {
		return ARN{}, fmt.Errorf("invalid ARN %q: service %q, allowed is ecs", s, shorten(parts[2]))
	}
	if !regionPattern.MatchString(arn.Region) {
		return ARN{}, fmt.Errorf("invalid ARN %q: region %q, allowed is a region name such as eu-west-1",
			s, shorten(arn.Region))
	}
	if !accountPattern.MatchString(arn.Account) {
		return ARN{}, fmt.Errorf("invalid ARN %q: account %q, allowed are 12 digits", s, shorten(arn.Account))
	}
	if err := arn.parseResource(parts[5]); err != nil {
		return ARN{}, fmt.Errorf("invalid ARN %q: %w", s, err)
	}
	return arn, nil
}

const maxARNLength = 2048

// parseResource reads the part of an ARN after the account: kind/id,
// kind/cluster/id.
func (a *ARN) parseResource(resource string) error {
	parts := strings.Split(resource, "/")
	a.Kind = ARNKind(parts[0])
	if !slices.Contains(arnKinds, a.Kind) {
		return fmt.Errorf("resource type %q, allowed are %s", shorten(parts[0]), joinKinds())
	}
	parts = parts[1:]
	a.ID = ""
	if len(parts) > 0 {
		a.ID = parts[len(parts)-1]
	}
	switch a.Kind {
	case ARNTaskDefinition:
		if len(parts) != 1 || !taskDefinitionPattern.MatchString(a.ID) {
			return fmt.Errorf("resource %q, allowed is task-definition/FAMILY:REVISION with a family of %s",
				shorten(resource), allowedName)
		}
	case ARNCluster:
		a.Cluster = a.ID
		if len(parts) != 1 || !namePattern.MatchString(a.ID) {
			return fmt.Errorf("resource %q, allowed is cluster/NAME with a name of %s", shorten(resource), allowedName)
		}
	default:
		long := len(parts) == 2 && namePattern.MatchString(parts[0])
		if long {
			a.Cluster = parts[0]
		}
		if !long && len(parts) != 1 || !namePattern.MatchString(a.ID) {
			return fmt.Errorf("resource %q, allowed is %s/ID or %s/CLUSTER/ID, each of %s",
				shorten(resource), a.Kind, a.Kind, allowedName)
		}
	}
	return nil
}

func joinKinds() string {
	names := make([]string, len(arnKinds))
	for i, kind := range arnKinds {
		names[i] = string(kind)
	}
	return strings.Join(names, ", ")
}

// String gives the ARN back in the form it was parsed from.
func (a ARN) String() string {
	resource := string(a.Kind) + "/"
	if a.Cluster != "" && a.Kind != ARNCluster {
		resource += a.Cluster + "/"
	}
	return "arn:" + a.Partition + ":ecs:" + a.Region + ":" + a.Account + ":" + resource + a.ID
}

// TaskDefinition splits the ID of a task definition ARN into family and
// revision; both are zero for every other kind.
func (a ARN) TaskDefinition() (family string, revision int) {
	if a.Kind != ARNTaskDefinition {
		return "", 0
	}
	family, digits, _ := strings.Cut(a.ID, ":")
	// ParseARN lets only digits through; an ARN built by hand may hold others
	// and then has revision 0.
	revision, _ = strconv.Atoi(digits)
	return family, revision
}
