package httpapi

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/internal/state"
)

// InstanceFilters pick container instances: all that are given must match. An empty one counts as not given.
type InstanceFilters struct {
	Status           string       `query:"status" maxLength:"64" doc:"In any case."`
	Cluster          string       `query:"cluster" maxLength:"2048" doc:"Name or ARN."`
	AgentConnected   optionalBool `query:"agentConnected" doc:"Whether the ECS agent is connected."`
	InstanceType     string       `query:"instanceType" maxLength:"64" doc:"EC2 instance type, for example m7g.large."`
	AvailabilityZone string       `query:"availabilityZone" maxLength:"64" doc:"For example eu-west-1a."`
	EC2InstanceID    string       `query:"ec2InstanceId" maxLength:"64" doc:"i-… on EC2, mi-… on machines outside of AWS."`
	AgentVersion     string       `query:"agentVersion" maxLength:"64" doc:"Version of the ECS agent, for example 1.89.0."`
	CapacityProvider string       `query:"capacityProvider" maxLength:"255" doc:"Name of the capacity provider."`
	Attributes       []string     `query:"attribute,explode" nullable:"false" maxItems:"10" doc:"NAME, whatever its value, or NAME:VALUE, or NAME: for one without a value. May be given several times, and then all must match."`
	RegisteredSince  moment       `query:"registeredSince" doc:"Registered then or later."`
	RegisteredUntil  moment       `query:"registeredUntil" doc:"Registered before then."`
	Search           string       `query:"q" maxLength:"256" doc:"Words in any case, each of which must stand in one of the ids, names, versions, attributes or reasons."`
}

// Resolve checks the values, and writes the status as ECS does.
func (in *InstanceFilters) Resolve(ctx huma.Context) []error {
	errs := checkName(&in.Status, "query.status", state.ParseInstanceStatus)
	errs = append(errs, checkCluster(in.Cluster)...)
	errs = append(errs, checkName(&in.InstanceType, "query.instanceType", state.ParseInstanceType)...)
	errs = append(errs, checkName(&in.AvailabilityZone, "query.availabilityZone", state.ParseAvailabilityZone)...)
	errs = append(errs, checkName(&in.EC2InstanceID, "query.ec2InstanceId", state.ParseEC2InstanceID)...)
	errs = append(errs, checkSearch(in.Search)...)
	errs = append(errs, checkSpan(in.RegisteredSince, in.RegisteredUntil, "registered")...)
	// huma reads none of them, and counts none, if the first is empty.
	requested := ctx.URL()
	in.Attributes = slices.DeleteFunc(requested.Query()["attribute"], func(given string) bool { return given == "" })
	if given := len(in.Attributes); given > state.MaxAttributeFilters {
		return append(errs, wrong("query.attribute", nil, "%d attributes, allowed are <= %d", given, state.MaxAttributeFilters))
	}
	for _, given := range in.Attributes {
		if _, err := state.ParseAttributeFilter(given); err != nil {
			errs = append(errs, wrong("query.attribute", shorten(given), "%s", err))
		}
	}
	return errs
}

// filter is the filter on anything but the cluster, whose name is to be looked up.
func (in *InstanceFilters) filter() state.InstanceFilter {
	f := state.InstanceFilter{
		Status: in.Status, AgentConnected: in.AgentConnected.pointer(), InstanceType: in.InstanceType,
		AvailabilityZone: in.AvailabilityZone, EC2InstanceID: in.EC2InstanceID, AgentVersion: in.AgentVersion,
		CapacityProvider: in.CapacityProvider,
		RegisteredSince:  in.RegisteredSince.Time, RegisteredUntil: in.RegisteredUntil.Time, Search: in.Search,
	}
	for _, given := range in.Attributes {
		// Resolve has read each of them before.
		if attribute, err := state.ParseAttributeFilter(given); err == nil {
			f.Attributes = append(f.Attributes, attribute)
		}
	}
	return f
}
