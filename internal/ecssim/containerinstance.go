package ecssim

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/blox/blox/internal/clusterquery"
)

type registerContainerInstanceIn struct {
	Cluster                  string              `json:"cluster"`
	InstanceIdentityDocument string              `json:"instanceIdentityDocument"`
	TotalResources           []resourceDocument  `json:"totalResources"`
	VersionInfo              versionInfo         `json:"versionInfo"`
	ContainerInstanceArn     string              `json:"containerInstanceArn"`
	Attributes               []attributeDocument `json:"attributes"`
	Tags                     tags                `json:"tags"`
}

type containerInstanceOut struct {
	ContainerInstance *hostDocument `json:"containerInstance"`
}

// registerContainerInstance is the agent's call. Without an instance identity document, which only a real machine has,
// an EC2 instance id is made up, so that any SDK can add hosts. With the ARN of a known instance it is an agent that
// starts again.
func (s *Simulator) registerContainerInstance(in *registerContainerInstanceIn) (*containerInstanceOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := in.Tags.check(); err != nil {
		return nil, err
	}
	spec, reserved, err := in.spec()
	if err != nil {
		return nil, err
	}
	var h *host
	if in.ContainerInstanceArn != "" {
		if h = c.host(in.ContainerInstanceArn); h == nil || h.status == statusInactive {
			return nil, clientError("The referenced container instance was not found: %s", in.ContainerInstanceArn)
		}
		h.setAttributes(func(all map[string]string) { maps.Copy(all, spec.Attributes) })
		h.versionInfo.AgentVersion = spec.AgentVersion
		h.agentConnected = false
	} else {
		h = c.newHost(spec, reserved)
		h.tags = in.Tags
	}
	s.emitHost(h)
	s.after(s.jittered(s.cfg.Delays.AgentConnect), func() { h.setConnected(true) })
	return &containerInstanceOut{h.document(forAPI)}, nil
}

func (in *registerContainerInstanceIn) spec() (HostSpec, []port, error) {
	spec := HostSpec{AgentVersion: in.VersionInfo.AgentVersion, Attributes: map[string]string{}}
	reserved := wellKnownPorts
	for _, a := range in.Attributes {
		if err := a.check(); err != nil {
			return spec, nil, err
		}
		spec.Attributes[a.Name] = a.Value
	}
	_, spec.External = spec.Attributes["ecs.capability.external"]
	if in.InstanceIdentityDocument != "" {
		var identity struct {
			InstanceID       string `json:"instanceId"`
			AvailabilityZone string `json:"availabilityZone"`
			InstanceType     string `json:"instanceType"`
		}
		if err := json.Unmarshal([]byte(in.InstanceIdentityDocument), &identity); err != nil {
			return spec, nil, clientError("instanceIdentityDocument is not the JSON document of a machine: %v", err)
		}
		spec.EC2InstanceID = identity.InstanceID
		if identity.AvailabilityZone != "" {
			spec.Attributes["ecs.availability-zone"] = identity.AvailabilityZone
		}
		if identity.InstanceType != "" {
			spec.Attributes["ecs.instance-type"] = identity.InstanceType
		}
	}
	portsGiven := false
	for _, r := range in.TotalResources {
		switch r.Name {
		case "CPU":
			spec.CPU = r.integer()
		case "MEMORY":
			spec.Memory = r.integer()
		case "GPU":
			spec.GPUs = r.integer()
		case "PORTS", "PORTS_UDP":
			if !portsGiven {
				reserved, portsGiven = nil, true
			}
			ports, err := r.ports()
			if err != nil {
				return spec, nil, err
			}
			reserved = append(reserved, ports...)
		default:
			return spec, nil, invalid("totalResources: the resource %q is not simulated, expected CPU, MEMORY, GPU, PORTS or PORTS_UDP.", r.Name)
		}
	}
	if spec.CPU < 0 || spec.Memory < 0 || spec.GPUs < 0 {
		return spec, nil, invalid("totalResources: a resource cannot be negative.")
	}
	return spec.withDefaults(), reserved, nil
}

// integer is the resource's value, whichever of the number kinds it came as.
func (r resourceDocument) integer() int {
	switch {
	case r.IntegerValue != nil && *r.IntegerValue != 0:
		return *r.IntegerValue
	case r.LongValue != nil && *r.LongValue != 0:
		return int(*r.LongValue)
	case r.DoubleValue != nil:
		return int(*r.DoubleValue)
	}
	return 0
}

func (r resourceDocument) ports() ([]port, error) {
	var ports []port
	if r.StringSetValue == nil {
		return nil, nil
	}
	for _, text := range *r.StringSetValue {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 65535 {
			return nil, invalid("totalResources: %s holds %q, expected port numbers between 1 and 65535.", r.Name, text)
		}
		ports = append(ports, port{n, r.Name == "PORTS_UDP"})
	}
	return ports, nil
}

type deregisterContainerInstanceIn struct {
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	Force             bool   `json:"force"`
}

func (s *Simulator) deregisterContainerInstance(in *deregisterContainerInstanceIn) (*containerInstanceOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	h := c.host(in.ContainerInstance)
	switch {
	case h == nil:
		return nil, invalid("The referenced container instance was not found.")
	case h.status == statusInactive:
		return nil, invalid("The container instance is already INACTIVE.")
	case len(h.tasks) > 0 && !in.Force:
		return nil, invalid("Found running tasks on the instance.")
	}
	h.deactivate("", "Container instance was deregistered by force.")
	return &containerInstanceOut{h.document(forAPI)}, nil
}

type containerInstancesIn struct {
	Cluster            string   `json:"cluster"`
	ContainerInstances []string `json:"containerInstances"`
	Include            []string `json:"include"`
	Status             string   `json:"status"`
}

type containerInstancesOut struct {
	ContainerInstances []*hostDocument `json:"containerInstances"`
	Failures           []failure       `json:"failures"`
}

func (s *Simulator) describeContainerInstances(in *containerInstancesIn) (*containerInstancesOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("Container Instances", len(in.ContainerInstances), maxPage); err != nil {
		return nil, err
	}
	out := &containerInstancesOut{ContainerInstances: []*hostDocument{}, Failures: []failure{}}
	for _, ref := range in.ContainerInstances {
		h := c.host(ref)
		if h == nil {
			out.Failures = append(out.Failures, c.missing("container-instance", ref))
			continue
		}
		d := h.document(forAPI)
		if slices.Contains(in.Include, "TAGS") {
			d.Tags = h.tags
		}
		if slices.Contains(in.Include, "CONTAINER_INSTANCE_HEALTH") {
			d.HealthStatus = h.health()
		}
		out.ContainerInstances = append(out.ContainerInstances, d)
	}
	return out, nil
}

func (h *host) health() *hostHealth {
	at := forAPI.stamp(h.updatedAt)
	return &hostHealth{OverallStatus: "OK", Details: []hostHealthDetail{{Type: "CONTAINER_RUNTIME", Status: "OK", LastUpdated: at, LastStatusChange: at}}}
}

const maxStateUpdates = 10

// updateContainerInstancesState drains hosts and brings them back. Services move their tasks away from a DRAINING host;
// tasks of nobody but RunTask's or StartTask's caller stay.
func (s *Simulator) updateContainerInstancesState(in *containerInstancesIn) (*containerInstancesOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.Status != statusActive && in.Status != statusDraining {
		return nil, invalid("status %q: expected ACTIVE or DRAINING.", in.Status)
	}
	if err := checkBatch("Container Instances", len(in.ContainerInstances), maxStateUpdates); err != nil {
		return nil, err
	}
	out := &containerInstancesOut{ContainerInstances: []*hostDocument{}, Failures: []failure{}}
	for _, ref := range in.ContainerInstances {
		h := c.host(ref)
		if h == nil {
			out.Failures = append(out.Failures, c.missing("container-instance", ref))
			continue
		}
		if h.status == statusInactive {
			out.Failures = append(out.Failures, failure{Arn: h.arn, Reason: "INACTIVE"})
			continue
		}
		if h.status != in.Status {
			h.status = in.Status
			s.emitHost(h)
		}
		out.ContainerInstances = append(out.ContainerInstances, h.document(forAPI))
	}
	c.pokeServices()
	return out, nil
}

type listContainerInstancesIn struct {
	pageRequest
	Cluster string `json:"cluster"`
	Filter  string `json:"filter"`
	Status  string `json:"status"`
}

type listContainerInstancesOut struct {
	ContainerInstanceArns []string `json:"containerInstanceArns"`
	NextToken             string   `json:"nextToken,omitempty"`
}

var listableStatuses = []string{statusActive, statusDraining, "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED"}

// listContainerInstances: INACTIVE ones are never listed, though they can be described for a while.
func (s *Simulator) listContainerInstances(in *listContainerInstancesIn) (*listContainerInstancesOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.Status != "" && !slices.Contains(listableStatuses, in.Status) {
		return nil, invalid("status %q: expected one of %v.", in.Status, listableStatuses)
	}
	var filter *clusterquery.Expression
	if in.Filter != "" {
		if filter, err = clusterquery.Parse(in.Filter); err != nil {
			return nil, invalid("filter: %v", err)
		}
	}
	var broken error
	hosts, next, err := page(s.faults, c.hosts, in.pageRequest, func(h *host) bool {
		if h.status == statusInactive || in.Status != "" && h.status != in.Status {
			return false
		}
		if filter == nil {
			return true
		}
		matches, err := filter.Matches(h.query())
		if err != nil {
			broken = err
		}
		return matches
	})
	if err != nil {
		return nil, err
	}
	if broken != nil {
		return nil, invalid("filter: %v", broken)
	}
	out := &listContainerInstancesOut{ContainerInstanceArns: []string{}, NextToken: next}
	for _, h := range hosts {
		out.ContainerInstanceArns = append(out.ContainerInstanceArns, h.arn)
	}
	return out, nil
}
