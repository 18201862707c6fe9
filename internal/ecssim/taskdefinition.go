package ecssim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// family is all revisions of a task definition, in order; the revision number is the index plus one.
type family struct {
	name      string
	revisions []*taskDefinition
}

type taskDefinition struct {
	arn            string
	family         string
	revision       int
	status         string // ACTIVE, INACTIVE
	registeredAt   time.Time
	deregisteredAt time.Time
	// members is the definition as it was registered, with ECS's defaults; the simulator understands only a part of it
	// and gives all of it back.
	members map[string]json.RawMessage
	tags    tags

	networkMode string
	// compatibilities are the launch types that the definition can run on. Tasks on Fargate are not simulated.
	compatibilities []string
	cpu             int // of the task; 0 = the sum of the containers
	memory          int
	containers      []containerDefinition
	constraints     []placementConstraint
	requires        []string // attributes the host must have
}

type registerTaskDefinitionIn struct {
	Family                  string                `json:"family"`
	NetworkMode             string                `json:"networkMode"`
	ContainerDefinitions    []json.RawMessage     `json:"containerDefinitions"`
	PlacementConstraints    []placementConstraint `json:"placementConstraints"`
	RequiresCompatibilities []string              `json:"requiresCompatibilities"`
	TaskRoleArn             string                `json:"taskRoleArn"`
	CPU                     string                `json:"cpu"`
	Memory                  string                `json:"memory"`
	Tags                    tags                  `json:"tags"`
	members                 map[string]json.RawMessage
}

// UnmarshalJSON keeps every member beside those that are understood.
func (in *registerTaskDefinitionIn) UnmarshalJSON(body []byte) error {
	type understood registerTaskDefinitionIn
	if err := json.Unmarshal(body, (*understood)(in)); err != nil {
		return err
	}
	return json.Unmarshal(body, &in.members)
}

type taskDefinitionOut struct {
	TaskDefinition map[string]any `json:"taskDefinition"`
	Tags           *tags          `json:"tags,omitempty"` // DeregisterTaskDefinition has none
}

var (
	familyNames  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	networkModes = []string{"bridge", "host", "awsvpc", "none"}
)

const (
	maxContainers = 10
	maxRevisions  = 1_000_000
)

func (s *Simulator) registerTaskDefinition(in *registerTaskDefinitionIn) (*taskDefinitionOut, error) {
	d, err := s.parseDefinition(in)
	if err != nil {
		return nil, err
	}
	f, found := s.families[in.Family]
	if !found {
		f = &family{name: in.Family}
		s.families[in.Family] = f
		i, _ := slices.BinarySearch(s.familyOrder, in.Family)
		s.familyOrder = slices.Insert(s.familyOrder, i, in.Family)
	}
	if len(f.revisions) >= maxRevisions {
		return nil, clientError("family %q has %d revisions, the most there can be.", in.Family, maxRevisions)
	}
	d.revision = len(f.revisions) + 1
	d.arn = s.arn("task-definition", fmt.Sprintf("%s:%d", in.Family, d.revision))
	f.revisions = append(f.revisions, d)
	return &taskDefinitionOut{TaskDefinition: d.document(), Tags: listed(d.tags)}, nil
}

func (s *Simulator) parseDefinition(in *registerTaskDefinitionIn) (*taskDefinition, error) {
	d := &taskDefinition{family: in.Family, status: "ACTIVE", registeredAt: s.now, members: in.members, tags: in.Tags, networkMode: in.NetworkMode}
	if !familyNames.MatchString(in.Family) {
		return nil, clientError("Family contains invalid characters: %q; 1 to 255 letters, numbers, underscores and hyphens are allowed.", in.Family)
	}
	if d.networkMode == "" {
		d.networkMode = "bridge"
	}
	if !slices.Contains(networkModes, d.networkMode) {
		return nil, clientError("networkMode %q: expected one of %s.", d.networkMode, strings.Join(networkModes, ", "))
	}
	d.compatibilities = []string{launchExternal, launchEC2}
	if slices.Contains(in.RequiresCompatibilities, "FARGATE") {
		if d.networkMode != "awsvpc" || in.CPU == "" || in.Memory == "" {
			return nil, clientError("Fargate requires the network mode awsvpc, and cpu and memory of the task.")
		}
		d.compatibilities = []string{launchEC2, "FARGATE"}
	}
	if err := in.Tags.check(); err != nil {
		return nil, err
	}
	if n := len(in.ContainerDefinitions); n < 1 || n > maxContainers {
		return nil, clientError("containerDefinitions: %d were given, between 1 and %d are allowed.", n, maxContainers)
	}
	var err error
	if d.cpu, err = parseUnits("cpu", in.CPU, "vcpu"); err != nil {
		return nil, err
	}
	if d.memory, err = parseUnits("memory", in.Memory, "gb"); err != nil {
		return nil, err
	}
	for _, c := range in.PlacementConstraints {
		if c.Type != memberOf {
			return nil, clientError("constraint.type '%s' is not supported.", c.Type)
		}
	}
	if d.constraints = in.PlacementConstraints; len(d.constraints) > maxConstraints {
		return nil, clientError("placementConstraints: at most %d are allowed.", maxConstraints)
	}
	if _, err := compileConstraints(d.constraints); err != nil {
		return nil, err
	}
	if err := d.parseContainers(in.ContainerDefinitions); err != nil {
		return nil, err
	}
	d.requires = d.requiredAttributes(in.TaskRoleArn)
	return d, nil
}

// requiredAttributes is what ECS derives from the parameters used; a host without one fails placement with ATTRIBUTE.
func (d *taskDefinition) requiredAttributes(taskRole string) []string {
	var needs []string
	if d.networkMode == "awsvpc" {
		needs = append(needs, "ecs.capability.task-eni")
	}
	if taskRole != "" {
		needs = append(needs, "com.amazonaws.ecs.capability.task-iam-role")
	}
	for _, c := range d.containers {
		if c.LogConfiguration != nil && c.LogConfiguration.LogDriver != "" {
			needs = append(needs, "com.amazonaws.ecs.capability.logging-driver."+c.LogConfiguration.LogDriver)
		}
		if c.Privileged {
			needs = append(needs, "com.amazonaws.ecs.capability.privileged-container")
		}
		if c.HealthCheck != nil {
			needs = append(needs, "ecs.capability.container-health-check")
		}
	}
	slices.Sort(needs)
	return slices.Compact(needs)
}

// parseUnits reads "256", "0.25 vCPU" and "512", "1 GB".
func parseUnits(what, text, unit string) (int, error) {
	if text == "" {
		return 0, nil
	}
	number, hasUnit := strings.CutSuffix(strings.ToLower(strings.TrimSpace(text)), unit)
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || value <= 0 {
		return 0, clientError("Invalid '%s' setting for task: %q; expected a number, with or without %s.", what, text, unit)
	}
	if hasUnit {
		value *= 1024
	}
	return int(value), nil
}

// document is the definition as Describe answers it; JSON sorts its members.
func (d *taskDefinition) document() map[string]any {
	doc := make(map[string]any, len(d.members)+10)
	for name, text := range d.members {
		doc[name] = text
	}
	delete(doc, "tags")
	for _, name := range []string{"volumes", "placementConstraints"} {
		if _, given := doc[name]; !given {
			doc[name] = []struct{}{}
		}
	}
	requires := make([]attributeDocument, len(d.requires))
	for i, name := range d.requires {
		requires[i].Name = name
	}
	doc["taskDefinitionArn"], doc["family"], doc["revision"], doc["status"] = d.arn, d.family, d.revision, d.status
	doc["compatibilities"] = d.compatibilities
	doc["requiresAttributes"] = requires
	doc["networkMode"] = d.networkMode
	doc["registeredAt"] = forAPI.stamp(d.registeredAt)
	if !d.deregisteredAt.IsZero() {
		doc["deregisteredAt"] = forAPI.stamp(d.deregisteredAt)
	}
	return doc
}
