package local

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// fewNames is how many hosts are told by name; more are told as a number.
const fewNames = 3

// manyEvents is how many stored events are worth a line of their own.
const manyEvents = 100

// tale turns changes of the STATE table into the lines that Run prints. It is what a reader of the stream can know, and
// nothing else: a host is told when Blox has it in its table, not when the simulator made it.
type tale struct {
	hosts        map[state.Key]string // ACTIVE or DRAINING with a connected agent: EC2 instance id
	status       map[state.Key]state.InstanceFields
	tasks        map[state.Key]taskAt // live tasks of daemons
	live         int                  // live tasks of any kind
	environments map[string]client.Environment

	stored, told                           int
	joined, left, drained, lost, connected []string
	ended                                  map[string][]string // hosts whose daemon has stopped, by environment
	running                                map[string]string   // what was last told of an environment
	deployments                            map[string]string   // what was last told of a deployment
}

type taskAt struct {
	environmentID string
	host          state.Key
	running       bool
}

func newTale() *tale {
	return &tale{
		hosts: map[state.Key]string{}, status: map[state.Key]state.InstanceFields{}, tasks: map[state.Key]taskAt{},
		environments: map[string]client.Environment{}, ended: map[string][]string{}, running: map[string]string{}, deployments: map[string]string{},
	}
}

// change is one write to the STATE table.
func (t *tale) change(c table.RecordChange) {
	if newEvent(c) {
		t.stored++
	}
	if c.Key.Kind == state.KindContainerInstance {
		t.hostChange(c)
		return
	}
	if !alive(c.Old) && alive(c.New) {
		t.live++
	} else if alive(c.Old) && !alive(c.New) {
		t.live--
	}
	before := t.tasks[c.Key]
	delete(t.tasks, c.Key)
	if !alive(c.New) {
		if host := t.hosts[before.host]; host != "" {
			t.ended[before.environmentID] = append(t.ended[before.environmentID], host)
		}
		return
	}
	if id, ok := strings.CutPrefix(c.New.Task.Group, daemon.Group(installation, "")); ok {
		t.tasks[c.Key] = taskAt{
			environmentID: id,
			host:          state.Key{Kind: state.KindContainerInstance, Cluster: c.Key.Cluster, ID: c.New.Task.ContainerInstanceID},
			running:       c.New.Task.LastStatus == "RUNNING" && c.New.Task.DesiredStatus == "RUNNING",
		}
	}
}

// newEvent says that the write stored an event, and not only what reconcile saw.
func newEvent(c table.RecordChange) bool {
	return c.New != nil && c.New.Event != nil &&
		(c.Old == nil || c.Old.Event == nil || c.Old.Event.Version != c.New.Event.Version)
}

func alive(r *state.Record) bool { return r != nil && r.Tombstone == nil }

func (t *tale) hostChange(c table.RecordChange) {
	before, known := t.status[c.Key]
	if !alive(c.New) {
		delete(t.status, c.Key)
		if host, ok := t.hosts[c.Key]; ok {
			delete(t.hosts, c.Key)
			t.left = append(t.left, host)
		}
		return
	}
	now := c.New.Instance
	t.status[c.Key] = now
	_, there := t.hosts[c.Key]
	switch {
	case !there && now.AgentConnected:
		t.hosts[c.Key] = now.EC2InstanceID
		t.joined = append(t.joined, now.EC2InstanceID)
	case !there || !known:
	case before.AgentConnected && !now.AgentConnected:
		t.lost = append(t.lost, now.EC2InstanceID)
	case !before.AgentConnected && now.AgentConnected:
		t.connected = append(t.connected, now.EC2InstanceID)
	case before.Status != daemon.StatusDraining && now.Status == daemon.StatusDraining:
		t.drained = append(t.drained, now.EC2InstanceID)
	}
}

// know replaces what is known of the environments.
func (t *tale) know(environments []client.Environment) {
	clear(t.environments)
	for _, e := range environments {
		t.environments[e.ID] = e
	}
}

// unfinished says that a deployment is under way, which may end without a change of the STATE table.
func (t *tale) unfinished() bool {
	for _, e := range t.environments {
		if e.DeploymentID != "" && !ended(e.DeploymentStatus) {
			return true
		}
	}
	return false
}

// lines is what there is to tell since the last time. settled says that nothing has changed for a moment: numbers that
// are still on their way are not told before.
func (t *tale) lines(settled bool) []string {
	var lines []string
	for _, group := range []struct {
		names      *[]string
		one, many  string
		totalHosts bool
	}{
		{&t.joined, "joined", "joined", true},
		{&t.left, "left", "left", true},
		{&t.drained, "is being drained", "are being drained", false},
		{&t.lost, "has lost its agent's connection", "have lost their agent's connection", false},
		{&t.connected, "is connected again", "are connected again", false},
	} {
		lines = append(lines, tellHosts(*group.names, group.one, group.many, group.totalHosts, len(t.hosts))...)
		*group.names = nil
	}
	if settled && t.stored-t.told >= manyEvents || settled && t.told == 0 && t.stored > 0 {
		lines = append(lines, fmt.Sprintf("%s stored: %s, %s", counted(t.stored, "event"), counted(len(t.hosts), "host"), counted(t.live, "live task")))
		t.told = t.stored
	}
	for _, id := range slices.Sorted(maps.Keys(t.environments)) {
		lines = append(lines, t.tellEnvironment(t.environments[id], settled)...)
	}
	return lines
}

func tellHosts(names []string, one, many string, withTotal bool, total int) []string {
	suffix := ""
	if withTotal {
		suffix = fmt.Sprintf(" (%s now)", counted(total, "host"))
	}
	switch {
	case len(names) == 0:
		return nil
	case len(names) == 1:
		return []string{"host " + names[0] + " " + one + suffix}
	case len(names) <= fewNames:
		return []string{"hosts " + strings.Join(names, ", ") + " " + many + suffix}
	default:
		return []string{fmt.Sprintf("%d hosts %s%s", len(names), many, suffix)}
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (t *tale) tellEnvironment(e client.Environment, settled bool) []string {
	switch {
	case e.DeploymentID == "":
		return nil
	case e.Status == string(daemon.EnvironmentDeleting):
		told := "daemon " + e.Name + " is being deleted"
		if t.running[e.ID] == told {
			return nil
		}
		t.running[e.ID] = told
		return []string{told}
	}
	var lines []string
	status := e.DeploymentStatus
	over := ended(status)
	news := t.deployments[e.DeploymentID] != status && status != client.DeploymentPending
	verb := deploymentVerbs[status]
	if status == client.DeploymentRunning && t.deployments[e.DeploymentID] == client.DeploymentPaused {
		verb = "goes on"
	}
	deployment := fmt.Sprintf("deployment of %s (%s) %s", e.Name, shortName(e.TaskDefinition), verb)
	t.deployments[e.DeploymentID] = status
	if news && !over {
		lines = append(lines, deployment)
	}
	// A rollout stops daemons on purpose, and a drained host loses its own.
	if hosts := t.ended[e.ID]; !t.unfinished() && !news {
		for _, line := range tellHosts(hosts, "has lost its daemon "+e.Name, "have lost their daemon "+e.Name, false, 0) {
			lines = append(lines, line)
			t.running[e.ID] = "" // so that its return is told
		}
	}
	delete(t.ended, e.ID)
	n, of := t.reach(e)
	told := fmt.Sprintf("daemon %s on %d of %s", e.Name, n, counted(of, "host"))
	if t.running[e.ID] != told && (settled || n == of) {
		t.running[e.ID] = told
		lines = append(lines, told)
	}
	if news && over {
		lines = append(lines, deployment)
	}
	return lines
}

var deploymentVerbs = map[string]string{
	client.DeploymentRunning: "started", client.DeploymentPaused: "is paused", client.DeploymentBaking: "bakes",
	client.DeploymentRollingBack: "rolls back", client.DeploymentCompleted: "completed",
	client.DeploymentRolledBack: "is rolled back", client.DeploymentFailed: "failed",
	client.DeploymentSuperseded: "superseded", client.DeploymentStopped: "stopped",
}

func ended(status string) bool { return client.Deployment{Status: status}.Ended() }

// reach is how many of the hosts that are the environment's have a running daemon.
func (t *tale) reach(e client.Environment) (n, of int) {
	clusters := map[state.ClusterKey]bool{}
	for _, arn := range e.Clusters {
		if key, err := state.ClusterKeyFromARN(arn); err == nil {
			clusters[key] = true
		}
	}
	running := map[state.Key]bool{}
	for _, task := range t.tasks {
		if task.environmentID == e.ID && task.running {
			running[task.host] = true
		}
	}
	for key, ec2InstanceID := range t.hosts {
		external := strings.HasPrefix(ec2InstanceID, "mi-")
		if !clusters[key.Cluster] || t.status[key].Status != daemon.StatusActive || external != (e.LaunchType == string(daemon.LaunchTypeExternal)) {
			continue
		}
		of++
		if running[key] {
			n++
		}
	}
	return n, of
}

// shortName is the family and revision of a task definition's ARN.
func shortName(taskDefinitionARN string) string {
	return taskDefinitionARN[strings.LastIndexByte(taskDefinitionARN, '/')+1:]
}
