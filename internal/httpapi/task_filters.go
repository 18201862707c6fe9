package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/internal/state"
)

// TaskFilters pick tasks: all that are given must match. An empty one counts as not given.
type TaskFilters struct {
	Status            string `query:"status" maxLength:"64" doc:"lastStatus, in any case."`
	Cluster           string `query:"cluster" maxLength:"2048" doc:"Name or ARN."`
	StartedBy         string `query:"startedBy" maxLength:"128"`
	DesiredStatus     string `query:"desiredStatus" maxLength:"64" doc:"RUNNING or STOPPED, in any case."`
	Family            string `query:"family" maxLength:"255" doc:"Task definition family, without a revision."`
	TaskDefinition    string `query:"taskDefinition" maxLength:"2048" doc:"FAMILY, FAMILY:REVISION or ARN."`
	Group             string `query:"group" maxLength:"512" doc:"For example service:NAME."`
	Service           string `query:"service" maxLength:"2048" doc:"Name or ARN."`
	ContainerInstance string `query:"containerInstance" maxLength:"2048" doc:"Id or ARN."`
	LaunchType        string `query:"launchType" maxLength:"64" doc:"EC2, EXTERNAL, FARGATE or MANAGED_INSTANCES, in any case."`
	CapacityProvider  string `query:"capacityProvider" maxLength:"255" doc:"Name of the capacity provider."`
	HealthStatus      string `query:"healthStatus" maxLength:"64" doc:"HEALTHY, UNHEALTHY or UNKNOWN, in any case."`
	StopCode          string `query:"stopCode" maxLength:"64" doc:"For example EssentialContainerExited, in any case."`
	AvailabilityZone  string `query:"availabilityZone" maxLength:"64" doc:"For example eu-west-1a."`
	Image             string `query:"image" maxLength:"1024" doc:"Image of one of its containers: all of its reference, or without tag and digest for any of them."`
	PrivateIP         string `query:"privateIp" maxLength:"64" doc:"IPv4 or IPv6 address of the task's own network interface, which tasks with the network mode awsvpc have."`
	StartedSince      moment `query:"startedSince" doc:"Started then or later."`
	StartedUntil      moment `query:"startedUntil" doc:"Started before then."`
	StoppedSince      moment `query:"stoppedSince" doc:"Stopped then or later."`
	StoppedUntil      moment `query:"stoppedUntil" doc:"Stopped before then."`
	Search            string `query:"q" maxLength:"256" doc:"Words in any case, each of which must stand in one of the names, ids, images, addresses or reasons."`
}

// Resolve checks the values, and writes names as ECS does.
func (in *TaskFilters) Resolve(huma.Context) []error {
	errs := checkName(&in.Status, "query.status", state.ParseTaskStatus)
	errs = append(errs, checkName(&in.DesiredStatus, "query.desiredStatus", state.ParseDesiredStatus)...)
	errs = append(errs, checkName(&in.LaunchType, "query.launchType", state.ParseLaunchType)...)
	errs = append(errs, checkName(&in.HealthStatus, "query.healthStatus", state.ParseHealthStatus)...)
	errs = append(errs, checkName(&in.StopCode, "query.stopCode", state.ParseStopCode)...)
	errs = append(errs, checkCluster(in.Cluster)...)
	errs = append(errs, checkName(&in.ContainerInstance, "query.containerInstance", state.ParseContainerInstanceFilter)...)
	errs = append(errs, checkName(&in.TaskDefinition, "query.taskDefinition", state.ParseTaskDefinitionFilter)...)
	errs = append(errs, checkName(&in.Service, "query.service", state.ParseServiceFilter)...)
	errs = append(errs, checkName(&in.PrivateIP, "query.privateIp", state.ParsePrivateIP)...)
	errs = append(errs, checkName(&in.Family, "query.family", state.ParseFamilyFilter)...)
	errs = append(errs, checkName(&in.AvailabilityZone, "query.availabilityZone", state.ParseAvailabilityZone)...)
	errs = append(errs, checkSearch(in.Search)...)
	errs = append(errs, checkSpan(in.StartedSince, in.StartedUntil, "started")...)
	return append(errs, checkSpan(in.StoppedSince, in.StoppedUntil, "stopped")...)
}

// filter is the filter on anything but the cluster, whose name is to be looked up.
func (in *TaskFilters) filter() state.TaskFilter {
	return state.TaskFilter{
		LastStatus: in.Status, DesiredStatus: in.DesiredStatus, StartedBy: in.StartedBy, Group: in.Group, Family: in.Family,
		ContainerInstance: in.ContainerInstance, TaskDefinition: in.TaskDefinition, Service: in.Service,
		LaunchType: in.LaunchType, HealthStatus: in.HealthStatus, StopCode: in.StopCode,
		AvailabilityZone: in.AvailabilityZone, Image: in.Image, PrivateIP: in.PrivateIP, CapacityProvider: in.CapacityProvider,
		StartedSince: in.StartedSince.Time, StartedUntil: in.StartedUntil.Time,
		StoppedSince: in.StoppedSince.Time, StoppedUntil: in.StoppedUntil.Time, Search: in.Search,
	}
}
