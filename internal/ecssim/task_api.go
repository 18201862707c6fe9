package ecssim

import (
	"slices"
)

type stopTaskIn struct {
	Cluster string `json:"cluster"`
	Task    string `json:"task"`
	Reason  string `json:"reason"`
}

type taskOut struct {
	Task *taskDocument `json:"task"`
}

const maxReasonCharacters = 1024

// stopTask is idempotent: a task that is stopping or stopped is answered as it is.
func (s *Simulator) stopTask(in *stopTaskIn) (*taskOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.Reason) > maxReasonCharacters {
		return nil, invalid("reason has %d characters, at most %d are allowed.", len(in.Reason), maxReasonCharacters)
	}
	t := c.task(in.Task)
	if t == nil {
		return nil, invalid("The referenced task was not found.")
	}
	reason := in.Reason
	if reason == "" {
		reason = "Task stopped by user"
	}
	t.stop("UserInitiated", reason)
	return &taskOut{t.document(forAPI)}, nil
}

type describeTasksIn struct {
	Cluster string   `json:"cluster"`
	Tasks   []string `json:"tasks"`
	Include []string `json:"include"`
}

// describeTasks does not know a task until the consistency lag is over, as DescribeTasks right after RunTask may not.
func (s *Simulator) describeTasks(in *describeTasksIn) (*startedOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := checkBatch("Tasks", len(in.Tasks), maxPage); err != nil {
		return nil, err
	}
	out := &startedOut{Tasks: []*taskDocument{}, Failures: []failure{}}
	for _, ref := range in.Tasks {
		t := c.task(ref)
		if t == nil || !t.visible() {
			out.Failures = append(out.Failures, c.missing("task", ref))
			continue
		}
		d := t.document(forAPI)
		if slices.Contains(in.Include, "TAGS") {
			d.Tags = t.tags
		}
		out.Tasks = append(out.Tasks, d)
	}
	return out, nil
}

func (t *task) visible() bool { return !t.visibleAt.After(t.cluster.sim.now) }

type listTasksIn struct {
	pageRequest
	Cluster           string `json:"cluster"`
	ContainerInstance string `json:"containerInstance"`
	Family            string `json:"family"`
	StartedBy         string `json:"startedBy"`
	ServiceName       string `json:"serviceName"`
	DesiredStatus     string `json:"desiredStatus"`
	LaunchType        string `json:"launchType"`
	DaemonName        string `json:"daemonName"`
}

type listTasksOut struct {
	TaskArns  []string `json:"taskArns"`
	NextToken string   `json:"nextToken,omitempty"`
}

// listTasks lists by desired status, RUNNING unless asked otherwise: a task that is being stopped is among the STOPPED.
func (s *Simulator) listTasks(in *listTasksIn) (*listTasksOut, error) {
	c, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	desired := desiredRunning
	switch in.DesiredStatus {
	case "", desiredRunning, "PENDING": // ECS sets no task's desired status to PENDING; it answers none
		if in.DesiredStatus == "PENDING" {
			desired = "PENDING"
		}
	case desiredStopped:
		desired = desiredStopped
	default:
		return nil, invalid("desiredStatus %q: expected RUNNING, PENDING or STOPPED.", in.DesiredStatus)
	}
	keep, err := in.filter(c)
	if err != nil {
		return nil, err
	}
	tasks := c.live
	if desired == desiredStopped {
		tasks = c.stopping()
	}
	found, next, err := page(s.faults, tasks, in.pageRequest, func(t *task) bool {
		return t.desired == desired && t.visible() && keep(t)
	})
	if err != nil {
		return nil, err
	}
	out := &listTasksOut{TaskArns: []string{}, NextToken: next}
	for _, t := range found {
		out.TaskArns = append(out.TaskArns, t.arn)
	}
	return out, nil
}

// stopping is every task whose desired status is STOPPED.
func (c *cluster) stopping() sequence[*task] {
	all := slices.Clone(c.stopped)
	for _, t := range c.live {
		if t.desired == desiredStopped {
			all.insert(t)
		}
	}
	return all
}

func (in *listTasksIn) filter(c *cluster) (func(*task) bool, error) {
	if in.StartedBy != "" && (in.ContainerInstance != "" || in.Family != "" || in.ServiceName != "" || in.DaemonName != "") {
		return nil, invalid("startedBy must be the only filter; containerInstance, family, serviceName and daemonName cannot be given with it.")
	}
	if in.LaunchType != "" && !slices.Contains([]string{launchEC2, launchExternal, "FARGATE", "MANAGED_INSTANCES"}, in.LaunchType) {
		return nil, invalid("launchType %q: expected EC2, EXTERNAL, FARGATE or MANAGED_INSTANCES.", in.LaunchType)
	}
	if in.DaemonName != "" {
		return nil, invalid("daemonName: managed daemons are not simulated.")
	}
	var onHost *host
	if in.ContainerInstance != "" {
		if onHost = c.host(in.ContainerInstance); onHost == nil {
			return nil, invalid("The referenced container instance was not found.")
		}
	}
	var ofService *service
	if in.ServiceName != "" {
		var err error
		if ofService, err = c.service(in.ServiceName); err != nil {
			return nil, err
		}
	}
	return func(t *task) bool {
		return (onHost == nil || t.host == onHost) && (ofService == nil || t.service == ofService) &&
			(in.Family == "" || t.definition.family == in.Family) && (in.StartedBy == "" || t.startedBy == in.StartedBy) &&
			(in.LaunchType == "" || t.host.launchType() == in.LaunchType)
	}, nil
}
