package ecssim

import (
	"encoding/json"
	"regexp"
	"slices"
)

// start is a request for tasks after all its checks.
type start struct {
	definition *taskDefinition
	need       *need
	overrides  *taskOverride
	group      string
	startedBy  string
	exec       bool
	tags       tags
	subnet     string // awsvpc
	service    *service
}

type networkConfiguration struct {
	AwsvpcConfiguration *struct {
		Subnets        []string `json:"subnets"`
		SecurityGroups []string `json:"securityGroups"`
		AssignPublicIP string   `json:"assignPublicIp"`
	} `json:"awsvpcConfiguration"`
}

// startFields are what RunTask and StartTask share.
type startFields struct {
	Cluster              string                `json:"cluster"`
	TaskDefinition       string                `json:"taskDefinition"`
	Group                string                `json:"group"`
	StartedBy            string                `json:"startedBy"`
	Overrides            *taskOverride         `json:"overrides"`
	EnableExecuteCommand bool                  `json:"enableExecuteCommand"`
	PropagateTags        string                `json:"propagateTags"`
	Tags                 tags                  `json:"tags"`
	NetworkConfiguration *networkConfiguration `json:"networkConfiguration"`
	VolumeConfigurations []json.RawMessage     `json:"volumeConfigurations"`
	definition           *taskDefinition       // found already
}

type runTaskIn struct {
	startFields
	CapacityProviderStrategy []json.RawMessage     `json:"capacityProviderStrategy"`
	Count                    *int                  `json:"count"`
	LaunchType               string                `json:"launchType"`
	PlacementConstraints     []placementConstraint `json:"placementConstraints"`
	PlacementStrategy        []placementStrategy   `json:"placementStrategy"`
	ClientToken              string                `json:"clientToken"`
}

type startTaskIn struct {
	startFields
	ContainerInstances []string `json:"containerInstances"`
}

type startedOut struct {
	Tasks    []*taskDocument `json:"tasks"`
	Failures []failure       `json:"failures"`
}

const (
	maxTasksPerCall      = 10
	maxGroupCharacters   = 255
	maxStartedByRunTask  = 128
	maxStartedByStart    = 36
	maxTokenCharacters   = 64
	maxStrategies        = 5
	maxSubnets           = 16
	maxSecurityGroups    = 5
	propagateDefinition  = "TASK_DEFINITION"
	startedByDescription = "letters, numbers, hyphens, forward slashes and underscores"
)

var (
	startedByNames = regexp.MustCompile(`^[A-Za-z0-9_/-]*$`)
	tokenNames     = regexp.MustCompile(`^[\x21-\x7E]*$`)
)

// check turns the shared fields into a start.
func (in *startFields) check(s *Simulator, maxStartedBy int) (*start, error) {
	d := in.definition
	var err error
	if d == nil {
		if d, err = s.launchable(in.TaskDefinition); err != nil {
			return nil, err
		}
	}
	if len(in.Group) > maxGroupCharacters {
		return nil, invalid("group has %d characters, at most %d are allowed.", len(in.Group), maxGroupCharacters)
	}
	if len(in.StartedBy) > maxStartedBy || !startedByNames.MatchString(in.StartedBy) {
		return nil, invalid("startedBy %q: at most %d %s are allowed.", in.StartedBy, maxStartedBy, startedByDescription)
	}
	if len(in.VolumeConfigurations) > 0 {
		return nil, invalid("volumeConfigurations: volumes are not simulated.")
	}
	if err := in.Tags.check(); err != nil {
		return nil, err
	}
	st := &start{definition: d, group: in.Group, startedBy: in.StartedBy, exec: in.EnableExecuteCommand, tags: in.Tags}
	if st.group == "" {
		st.group = "family:" + d.family
	}
	switch in.PropagateTags {
	case "", "NONE":
	case propagateDefinition:
		st.tags = d.tags.with(in.Tags)
	default:
		return nil, invalid("propagateTags %q: expected %s or NONE.", in.PropagateTags, propagateDefinition)
	}
	if st.subnet, err = in.NetworkConfiguration.subnet(d); err != nil {
		return nil, err
	}
	if st.overrides, err = in.Overrides.complete(d); err != nil {
		return nil, err
	}
	if st.need, err = st.overrides.need(d); err != nil {
		return nil, err
	}
	st.need.group = st.group
	return st, nil
}

func (n *networkConfiguration) subnet(d *taskDefinition) (string, error) {
	given := n != nil && n.AwsvpcConfiguration != nil && len(n.AwsvpcConfiguration.Subnets) > 0
	switch {
	case d.networkMode == "awsvpc" && !given:
		return "", invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case d.networkMode != "awsvpc" && given:
		return "", invalid("Network Configuration is not valid for the given networkMode of this task definition.")
	case given:
		c := n.AwsvpcConfiguration
		if len(c.Subnets) > maxSubnets || len(c.SecurityGroups) > maxSecurityGroups {
			return "", invalid("awsvpcConfiguration: at most %d subnets and %d securityGroups are allowed.", maxSubnets, maxSecurityGroups)
		}
		if c.AssignPublicIP == "ENABLED" {
			return "", invalid("Assign public IP is not supported for this launch type.")
		}
		return n.AwsvpcConfiguration.Subnets[0], nil
	}
	return "", nil
}

// runTask keeps the request's text, for a clientToken used again with any other parameter is a conflict.
func runTask(s *Simulator, body []byte) (any, error) {
	in := &runTaskIn{}
	if err := decode(body, in); err != nil {
		return nil, err
	}
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.ClientToken) > maxTokenCharacters || !tokenNames.MatchString(in.ClientToken) {
		return nil, invalid("clientToken %q: at most %d printable ASCII characters are allowed.", in.ClientToken, maxTokenCharacters)
	}
	fields, err := oneSpelling(body)
	if err != nil {
		return nil, err
	}
	if l := c.tokens[in.ClientToken]; l != nil && s.now.Sub(l.at) < tokenLife {
		return l.replay(fields)
	}
	st, count, err := in.start(s)
	if err != nil {
		return nil, err
	}
	l := &launch{token: in.ClientToken, fields: fields, at: s.now, failures: []failure{}}
	for range count {
		h, failures, err := c.place(st.need)
		if err != nil {
			return nil, err
		}
		if h == nil {
			l.failures = failures
			break // the next one would be told the same
		}
		l.tasks = append(l.tasks, c.newTask(h, st))
	}
	// A call that started nothing leaves the token unused: only a success is repeated.
	if l.token != "" && len(l.tasks) > 0 {
		c.tokens[l.token] = l
		for _, t := range l.tasks {
			t.launch = l
		}
	}
	return l.answer(), nil
}

// start checks the fields of RunTask alone.
func (in *runTaskIn) start(s *Simulator) (*start, int, error) {
	st, err := in.check(s, maxStartedByRunTask)
	if err != nil {
		return nil, 0, err
	}
	count := 1
	if in.Count != nil {
		count = *in.Count
	}
	if count < 1 || count > maxTasksPerCall {
		return nil, 0, invalid("count is %d, it must be between 1 and %d.", count, maxTasksPerCall)
	}
	if len(in.CapacityProviderStrategy) > 0 {
		return nil, 0, invalid("capacityProviderStrategy: capacity providers are not simulated.")
	}
	if st.need.launchType, err = checkLaunchType(in.LaunchType); err != nil {
		return nil, 0, err
	}
	all := slices.Concat(in.PlacementConstraints, st.definition.constraints)
	if len(all) > maxConstraints {
		return nil, 0, invalid("placementConstraints: %d with those of the task definition, at most %d are allowed.", len(all), maxConstraints)
	}
	if st.need.constraints, err = compileConstraints(all); err != nil {
		return nil, 0, err
	}
	if len(in.PlacementStrategy) > maxStrategies {
		return nil, 0, invalid("placementStrategy: at most %d are allowed.", maxStrategies)
	}
	st.need.strategies = in.PlacementStrategy
	return st, count, checkStrategies(in.PlacementStrategy)
}

func checkLaunchType(launchType string) (string, error) {
	switch launchType {
	case "":
		return launchEC2, nil
	case launchEC2, launchExternal:
		return launchType, nil
	}
	return "", invalid("launchType %q is not simulated, expected EC2 or EXTERNAL.", launchType)
}

// startTask puts a task on each host named. It has no token: called twice, it starts twice.
func (s *Simulator) startTask(in *startTaskIn) (*startedOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("Container Instances", len(in.ContainerInstances), maxTasksPerCall); err != nil {
		return nil, err
	}
	st, err := in.check(s, maxStartedByStart)
	if err != nil {
		return nil, err
	}
	out := &startedOut{Tasks: []*taskDocument{}, Failures: []failure{}}
	for _, ref := range in.ContainerInstances {
		h := c.host(ref)
		if h == nil {
			out.Failures = append(out.Failures, c.missing("container-instance", ref))
			continue
		}
		reason, err := h.refusal(st.need, false)
		if err != nil {
			return nil, err
		}
		// That a DRAINING host is refused, and in this word, is our reading; AWS documents neither.
		if h.status != statusActive {
			reason = "INACTIVE"
		}
		if reason != "" {
			out.Failures = append(out.Failures, failure{Arn: h.arn, Reason: reason})
			continue
		}
		t := c.newTask(h, st)
		d := t.document(forAPI)
		d.Tags = t.tags
		out.Tasks = append(out.Tasks, d)
	}
	return out, nil
}
