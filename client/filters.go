package client

import (
	"net/url"
	"strconv"
	"time"
)

// TaskFilter picks tasks: all that is set must match, and an empty field restricts nothing.
type TaskFilter struct {
	Cluster           string // name or ARN
	Status            string // lastStatus, in any case
	DesiredStatus     string // RUNNING or STOPPED, in any case
	StartedBy         string
	Family            string
	TaskDefinition    string // FAMILY, FAMILY:REVISION or ARN
	Group             string
	Service           string // name or ARN
	ContainerInstance string // id or ARN
	LaunchType        string // EC2, EXTERNAL, FARGATE or MANAGED_INSTANCES, in any case
	CapacityProvider  string
	HealthStatus      string // HEALTHY, UNHEALTHY or UNKNOWN, in any case
	StopCode          string // such as EssentialContainerExited, in any case
	AvailabilityZone  string
	Image             string // of one of its containers
	PrivateIP         string
	// Since is inclusive, Until exclusive.
	StartedSince, StartedUntil, StoppedSince, StoppedUntil time.Time
	// Search is text in names, ids, images and reasons.
	Search string
}

// InstanceFilter picks container instances: all that is set must match, and an empty field restricts nothing.
type InstanceFilter struct {
	Cluster          string // name or ARN
	Status           string // in any case
	AgentConnected   *bool
	InstanceType     string
	AvailabilityZone string
	EC2InstanceID    string // i-… or mi-…
	AgentVersion     string
	CapacityProvider string
	// Attributes are NAME, whatever its value, or NAME:VALUE; all must match.
	Attributes []string
	// Since is inclusive, Until exclusive.
	RegisteredSince, RegisteredUntil time.Time
	// Search is text in names, ids, attributes and reasons.
	Search string
}

func (f TaskFilter) values() url.Values {
	return set(url.Values{}, map[string]string{
		"cluster": f.Cluster, "status": f.Status, "desiredStatus": f.DesiredStatus, "startedBy": f.StartedBy,
		"family": f.Family, "taskDefinition": f.TaskDefinition, "group": f.Group, "service": f.Service,
		"containerInstance": f.ContainerInstance, "launchType": f.LaunchType, "capacityProvider": f.CapacityProvider,
		"healthStatus": f.HealthStatus, "stopCode": f.StopCode, "availabilityZone": f.AvailabilityZone, "image": f.Image,
		"privateIp": f.PrivateIP, "startedSince": timeText(f.StartedSince), "startedUntil": timeText(f.StartedUntil),
		"stoppedSince": timeText(f.StoppedSince), "stoppedUntil": timeText(f.StoppedUntil), "q": f.Search,
	})
}

func (f InstanceFilter) values() url.Values {
	values := set(url.Values{}, map[string]string{
		"cluster": f.Cluster, "status": f.Status, "instanceType": f.InstanceType, "availabilityZone": f.AvailabilityZone,
		"ec2InstanceId": f.EC2InstanceID, "agentVersion": f.AgentVersion, "capacityProvider": f.CapacityProvider,
		"registeredSince": timeText(f.RegisteredSince), "registeredUntil": timeText(f.RegisteredUntil), "q": f.Search,
	})
	if f.AgentConnected != nil {
		values.Set("agentConnected", strconv.FormatBool(*f.AgentConnected))
	}
	for _, attribute := range f.Attributes {
		values.Add("attribute", attribute)
	}
	return values
}

// set sets what is not empty.
func set(values url.Values, given map[string]string) url.Values {
	for name, value := range given {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// timeText is empty for no time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
