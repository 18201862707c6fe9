package ecssim

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

type serviceIn struct {
	Cluster                  string                   `json:"cluster"`
	ServiceName              string                   `json:"serviceName"` // CreateService
	Service                  string                   `json:"service"`     // UpdateService
	TaskDefinition           string                   `json:"taskDefinition"`
	DesiredCount             *int                     `json:"desiredCount"`
	LaunchType               string                   `json:"launchType"`
	SchedulingStrategy       string                   `json:"schedulingStrategy"`
	DeploymentConfiguration  *deploymentConfiguration `json:"deploymentConfiguration"`
	PlacementConstraints     *[]placementConstraint   `json:"placementConstraints"`
	PlacementStrategy        *[]placementStrategy     `json:"placementStrategy"`
	NetworkConfiguration     *networkConfiguration    `json:"networkConfiguration"`
	EnableExecuteCommand     *bool                    `json:"enableExecuteCommand"`
	ForceNewDeployment       bool                     `json:"forceNewDeployment"`
	PropagateTags            string                   `json:"propagateTags"`
	Tags                     tags                     `json:"tags"`
	LoadBalancers            []json.RawMessage        `json:"loadBalancers"`
	ServiceRegistries        []json.RawMessage        `json:"serviceRegistries"`
	CapacityProviderStrategy []json.RawMessage        `json:"capacityProviderStrategy"`
	VolumeConfigurations     []json.RawMessage        `json:"volumeConfigurations"`
	DeploymentController     *struct {
		Type string `json:"type"`
	} `json:"deploymentController"`
}

func (c *cluster) service(ref string) (*service, error) {
	sv := c.services[c.resourceID("service", ref)]
	if sv == nil {
		return nil, &apiError{Type: "ServiceNotFoundException", Message: "Service not found."}
	}
	return sv, nil
}

var serviceNames = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

const maxDesiredCount = 5000

func (s *Simulator) createService(in *serviceIn) (*serviceOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if !serviceNames.MatchString(in.ServiceName) {
		return nil, invalid("serviceName %q: 1 to 255 letters, numbers, underscores and hyphens are allowed.", in.ServiceName)
	}
	if old := c.services[in.ServiceName]; old != nil && old.status != statusInactive {
		return nil, invalid("Creation of service was not idempotent.")
	}
	sv, err := s.newService(c, in)
	if err != nil {
		return nil, err
	}
	if err := in.Tags.check(); err != nil {
		return nil, err
	}
	sv.tags = in.Tags
	if err := sv.configure(in); err != nil {
		return nil, err
	}
	if !sv.daemon {
		sv.desired = *in.DesiredCount
	}
	c.services[in.ServiceName] = sv
	sv.deploy(sv.spec.start.definition)
	return &serviceOut{sv.document()}, nil
}

// newService is a service before anything of it is configured but what can never change.
func (s *Simulator) newService(c *cluster, in *serviceIn) (*service, error) {
	sv := &service{
		cluster: c, name: in.ServiceName, arn: s.arn("service", c.name+"/"+in.ServiceName), status: statusActive, created: s.now,
		spec: serviceSpec{minPercent: 100, maxPercent: 200, start: start{need: &need{launchType: launchEC2}}},
	}
	switch in.SchedulingStrategy {
	case "", strategyReplica:
		if in.DesiredCount == nil {
			return nil, invalid("desiredCount is required for a REPLICA service.")
		}
	case strategyDaemon:
		if in.PlacementStrategy != nil && len(*in.PlacementStrategy) > 0 {
			return nil, invalid("Placement strategies are not supported with DAEMON scheduling strategy.")
		}
		sv.daemon, sv.spec.minPercent, sv.spec.maxPercent = true, 0, 100
	default:
		return nil, invalid("schedulingStrategy %q: expected REPLICA or DAEMON.", in.SchedulingStrategy)
	}
	return sv, nil
}

// configure checks a request and works it into the spec; nothing changes if there is an error.
func (sv *service) configure(in *serviceIn) error {
	s := sv.cluster.sim
	for _, x := range []struct {
		member string
		given  bool
	}{
		{"loadBalancers", len(in.LoadBalancers) > 0},
		{"serviceRegistries", len(in.ServiceRegistries) > 0},
		{"capacityProviderStrategy", len(in.CapacityProviderStrategy) > 0},
		{"volumeConfigurations", len(in.VolumeConfigurations) > 0},
		{"deploymentController", in.DeploymentController != nil && in.DeploymentController.Type != "ECS"},
	} {
		if x.given {
			return invalid("%s: not simulated for services.", x.member)
		}
	}
	if n := in.DesiredCount; n != nil && (*n < 0 || *n > maxDesiredCount) {
		return invalid("desiredCount is %d, it must be between 0 and %d.", *n, maxDesiredCount)
	}
	if sv.daemon && in.DesiredCount != nil {
		return invalid("The daemon scheduling strategy does not support a desired count. Remove the desired count value and try again.")
	}
	spec := sv.spec
	fields := startFields{TaskDefinition: in.TaskDefinition, Group: "service:" + sv.name, PropagateTags: in.PropagateTags}
	if fields.TaskDefinition == "" {
		fields.definition = spec.start.definition // it may be INACTIVE by now, and the service goes on with it
	}
	fields.NetworkConfiguration = cmp.Or(in.NetworkConfiguration, spec.network)
	fields.EnableExecuteCommand = spec.start.exec
	if in.EnableExecuteCommand != nil {
		fields.EnableExecuteCommand = *in.EnableExecuteCommand
	}
	if fields.PropagateTags == "SERVICE" {
		fields.PropagateTags, fields.Tags = "", sv.tags
	}
	st, err := fields.check(s, maxStartedByRunTask)
	if err != nil {
		return err
	}
	st.service, st.startedBy = sv, spec.start.startedBy
	if st.need.launchType, err = checkLaunchType(cmp.Or(in.LaunchType, spec.start.need.launchType)); err != nil {
		return err
	}
	st.need.strategies = spec.start.need.strategies
	if in.PlacementStrategy != nil {
		st.need.strategies = *in.PlacementStrategy
	}
	if err := checkStrategies(st.need.strategies); err != nil {
		return err
	}
	if in.PlacementConstraints != nil {
		spec.constraints = *in.PlacementConstraints
	}
	if st.need.constraints, err = compileConstraints(slices.Concat(spec.constraints, st.definition.constraints)); err != nil {
		return err
	}
	if d := in.DeploymentConfiguration; d != nil {
		spec.minPercent = *cmp.Or(d.MinimumHealthyPercent, &spec.minPercent)
		spec.maxPercent = *cmp.Or(d.MaximumPercent, &spec.maxPercent)
		if spec.minPercent < 0 || spec.maxPercent < 100 || spec.maxPercent > 200 || spec.minPercent > spec.maxPercent {
			return invalid("deploymentConfiguration: minimumHealthyPercent is at least 0, maximumPercent between 100 and 200 and not below it.")
		}
		if sv.daemon && spec.maxPercent != 100 {
			return invalid("The daemon scheduling strategy does not support values for maximumPercent other than 100.")
		}
	}
	spec.start, spec.network = *st, fields.NetworkConfiguration
	sv.spec = spec
	return nil
}

func (s *Simulator) updateService(in *serviceIn) (*serviceOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	sv, err := c.service(in.Service)
	if err != nil {
		return nil, err
	}
	if sv.status != statusActive {
		return nil, &apiError{Type: "ServiceNotActiveException", Message: "Service was not ACTIVE."}
	}
	before := sv.spec.start.definition
	if err := sv.configure(in); err != nil {
		return nil, err
	}
	if in.DesiredCount != nil && *in.DesiredCount != sv.desired {
		sv.desired, sv.steady = *in.DesiredCount, false
	}
	if in.ForceNewDeployment || sv.spec.start.definition != before {
		sv.deploy(sv.spec.start.definition)
	}
	sv.poke()
	return &serviceOut{sv.document()}, nil
}

type deleteServiceIn struct {
	Cluster string `json:"cluster"`
	Service string `json:"service"`
	Force   bool   `json:"force"`
}

func (s *Simulator) deleteService(in *deleteServiceIn) (*serviceOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	sv, err := c.service(in.Service)
	if err != nil {
		return nil, err
	}
	if sv.desired > 0 && !sv.daemon && !in.Force {
		return nil, invalid("The service cannot be stopped while it is scaled above 0.")
	}
	if sv.status == statusActive {
		sv.desired, sv.status = 0, statusDraining
		sv.poke()
	}
	return &serviceOut{sv.document()}, nil
}

const maxServices = 10

type describeServicesIn struct {
	Cluster  string   `json:"cluster"`
	Services []string `json:"services"`
	Include  []string `json:"include"`
}

type describeServicesOut struct {
	Services []*serviceDocument `json:"services"`
	Failures []failure          `json:"failures"`
}

func (s *Simulator) describeServices(in *describeServicesIn) (*describeServicesOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("Services", len(in.Services), maxServices); err != nil {
		return nil, err
	}
	out := &describeServicesOut{Services: []*serviceDocument{}, Failures: []failure{}}
	for _, ref := range in.Services {
		sv, err := c.service(ref)
		if err != nil {
			out.Failures = append(out.Failures, c.missing("service", ref))
			continue
		}
		d := sv.document()
		if slices.Contains(in.Include, "TAGS") {
			d.Tags = sv.tags
		}
		out.Services = append(out.Services, d)
	}
	return out, nil
}

type listServicesIn struct {
	pageRequest
	Cluster            string `json:"cluster"`
	LaunchType         string `json:"launchType"`
	SchedulingStrategy string `json:"schedulingStrategy"`
}

type listServicesOut struct {
	ServiceArns []string `json:"serviceArns"`
	NextToken   string   `json:"nextToken,omitempty"`
}

// listServices has pages of ten unless asked otherwise, unlike every other list.
func (s *Simulator) listServices(in *listServicesIn) (*listServicesOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, sv := range c.sortedServices() {
		if sv.status != statusInactive && (in.SchedulingStrategy == "" || in.SchedulingStrategy == sv.strategy()) && (in.LaunchType == "" || in.LaunchType == sv.spec.start.need.launchType) {
			arns = append(arns, sv.arn)
		}
	}
	names, next, err := pageOfNames(s.faults, arns, in.pageRequest, maxServices, strings.Compare)
	if err != nil {
		return nil, err
	}
	return &listServicesOut{ServiceArns: names, NextToken: next}, nil
}
