package state

import (
	"strings"
	"time"
)

// TaskFilter picks tasks. An empty field restricts nothing; all the others must
// match. The fields from TaskDefinition on are found in the detail, as far as
// not said otherwise, so they cost a decoding of the record.
type TaskFilter struct {
	Cluster       ClusterKey
	LastStatus    string // any case
	DesiredStatus string // any case
	StartedBy     string
	Group         string
	Family        string
	// ContainerInstance is an id or an ARN.
	ContainerInstance string

	// TaskDefinition is a family, family:revision or an ARN. A family alone needs
	// no detail.
	TaskDefinition string
	// Service is the name or the ARN of a service, in no need of the detail: ECS
	// tells a task's service by its group only.
	Service          string
	LaunchType       string // any case
	HealthStatus     string // any case
	StopCode         string // any case
	AvailabilityZone string
	// Image is the reference of the image of any of the task's containers:
	// the whole of it as ECS tells it; without tag and digest, for any of them;
	// or name@digest, for what ECS found behind a tag.
	Image string
	// PrivateIP is an address, v4 or v6 in any spelling, of a network interface
	// of the task's own (network mode awsvpc). Other tasks have their host's
	// address, which ECS does not tell.
	PrivateIP        string
	CapacityProvider string

	// Since is inclusive and Until exclusive. A task without the time matches
	// neither. StartedSince and StartedUntil ask for startedAt, StoppedSince
	// and StoppedUntil for Tombstone.StoppedAt, which is beside the detail.
	StartedSince time.Time
	StartedUntil time.Time
	StoppedSince time.Time
	StoppedUntil time.Time

	// Search is free text in any case. Each of its words must stand somewhere in
	// the task's names, ids, images, addresses and reasons.
	Search string
}

// InstanceFilter picks container instances. An empty field restricts nothing;
// all the others must match. The fields from InstanceType on are found in the
// detail, as far as not said otherwise.
type InstanceFilter struct {
	Cluster        ClusterKey
	Status         string // any case
	AgentConnected *bool
	EC2InstanceID  string

	InstanceType     string
	AvailabilityZone string
	// AgentVersion is compared as a whole: "1.10" is not a part of "1.103.0".
	AgentVersion     string
	CapacityProvider string
	Attributes       []AttributeFilter // all must match

	// RegisteredSince is inclusive and RegisteredUntil exclusive. A container
	// instance without registeredAt matches neither.
	RegisteredSince time.Time
	RegisteredUntil time.Time

	// Search is free text in any case. Each of its words must stand somewhere in
	// the container instance's ids, type, zone, versions, attributes and reasons.
	Search string
}

// AttributeFilter picks what has an attribute of a name and, unless Value is
// nil, of that value. ECS's own capabilities are attributes without a value,
// which is the empty value here.
type AttributeFilter struct {
	Name  string
	Value *string
}

func clusterMatches(wanted, is ClusterKey) bool { return wanted == ClusterKey{} || wanted == is }

func statusMatches(wanted, is string) bool { return wanted == "" || strings.EqualFold(wanted, is) }

func textMatches(wanted, is string) bool { return wanted == "" || wanted == is }

// timeMatches says whether at lies in [since, until), either of which may be open.
func timeMatches(since, until time.Time, at *time.Time) bool {
	if since.IsZero() && until.IsZero() {
		return true
	}
	return at != nil && !at.Before(since) && (until.IsZero() || at.Before(until))
}

// arnMatches says whether an ARN in a filter names the thing with this id in the
// record's cluster. An id is unique in practice, but a filter that names another
// account, region or cluster asks for nothing here. A short ARN names no cluster.
func arnMatches(wanted string, kind ARNKind, cluster ClusterKey, id string) bool {
	// Few records get beyond this line, so few ARNs are parsed.
	if !strings.HasSuffix(wanted, "/"+id) {
		return false
	}
	arn, err := ParseARN(wanted)
	return err == nil && arn.Kind == kind && arn.ID == id &&
		arn.Account == cluster.Account && arn.Region == cluster.Region && textMatches(arn.Cluster, cluster.Name)
}
