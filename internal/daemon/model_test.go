package daemon

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/state"
)

// model is an environment, its fleet and an ECS that does what it is told, in its own time. Plan's actions are applied to
// it one by one, and what must always hold is checked after each.
type model struct {
	t   *rapid.T
	now time.Time

	env       Environment
	dep       Deployment
	revisions map[int]Revision
	bad       map[int]bool // revisions whose tasks crash
	alarms    map[string]string

	hosts map[HostKey]*modelHost
	slots map[HostKey]Slot
	tasks map[string]*modelTask
	calls map[string]string // tasks by client token

	deployments, started int
	// down are hosts whose working daemon a rollout of ours ended, since when, and that were not well since. It is kept here,
	// by what is, and not read from slots.
	down map[HostKey]time.Time
	calm bool            // no more faults
	done []string        // the latest actions
	seen map[string]bool // what happened, for tests that want to know that it does
}

type modelHost struct {
	Host
	full bool // ECS finds no room
}

type modelTask struct {
	Task
	token     string
	revision  int
	createdAt time.Time
	healthyAt *time.Time
	stopAt    *time.Time
	slow      bool // does not stop before the faults do
}

func newModel(t *rapid.T, hosts int) *model {
	m := &model{
		t: t, now: t0, env: fixture().Environment, revisions: map[int]Revision{}, bad: map[int]bool{}, alarms: map[string]string{},
		hosts: map[HostKey]*modelHost{}, slots: map[HostKey]Slot{}, tasks: map[string]*modelTask{}, calls: map[string]string{},
		down: map[HostKey]time.Time{}, seen: map[string]bool{},
	}
	m.env.LastGoodRevision = 0
	for range hosts {
		m.join()
	}
	return m
}

func (m *model) join() {
	n := len(m.hosts) + 1
	m.hosts[hostKey(n)] = &modelHost{Host: Host{
		Key: hostKey(n), Status: StatusActive, AgentConnected: true, RegisteredAt: m.now,
		ContainerInstanceARN: fmt.Sprintf("arn:aws:ecs:eu-west-1:210987654321:container-instance/edge/c%03d", n),
		OtherTasksKnown:      true, OtherTasks: 1,
		Query: clusterquery.Host{EC2InstanceID: hostKey(n).EC2InstanceID, AgentConnected: true},
	}}
}

// deploy makes a revision and its deployment, which takes the place of the one in force.
func (m *model) deploy(config DeploymentConfiguration, bad bool) {
	number := len(m.revisions) + 1
	m.revisions[number] = Revision{
		EnvironmentID: "env", Number: number, TaskDefinition: taskDefinition(number), LaunchType: LaunchTypeEC2,
		DeploymentConfiguration: config, CreatedAt: m.now,
	}
	m.bad[number] = bad
	m.begin(number, false)
}

func (m *model) begin(revision int, restart bool) {
	m.deployments++
	m.dep = Deployment{
		ID: fmt.Sprintf("d-%d", m.deployments), EnvironmentID: "env", Revision: revision, Status: DeploymentPending, CreatedAt: m.now,
		Restart: restart, BasedOn: m.env.LastGoodRevision,
	}
	m.env.DeploymentID, m.env.Revision = m.dep.ID, revision
}

func (m *model) target() Revision { return m.revisions[m.dep.Target()] }

// from is the deployment's own revision, if it is turned back to another.
func (m *model) from() *Revision {
	if m.dep.Revision == m.dep.Target() {
		return nil
	}
	from := m.revisions[m.dep.Revision]
	return &from
}

func (m *model) base() *Revision {
	if m.dep.BasedOn == 0 || m.dep.BasedOn == m.dep.Target() {
		return nil
	}
	base := m.revisions[m.dep.BasedOn]
	return &base
}

func (m *model) snapshot(full bool, only func(HostKey) bool) Snapshot {
	dep := m.dep
	s := Snapshot{
		Environment: m.env, Deployment: &dep, Revision: m.target(), Base: m.base(), From: m.from(), Installation: "blox", Full: full,
		Settings: DefaultSettings(), Alarms: maps.Clone(m.alarms),
		Clusters: map[state.ClusterKey]Freshness{cluster: {SyncedAt: m.now.Add(-time.Minute)}},
	}
	for _, key := range m.keys() {
		if !full && !only(key) {
			continue
		}
		if h, ok := m.hosts[key]; ok && h.Status != statusInactive {
			s.Hosts = append(s.Hosts, h.Host)
		}
		if slot, ok := m.slots[key]; ok {
			s.Slots = append(s.Slots, slot)
		}
		for _, task := range m.tasksOn(key) {
			s.Tasks = append(s.Tasks, task.Task)
		}
	}
	return s
}

func (m *model) keys() []HostKey { return slices.SortedFunc(maps.Keys(m.hosts), CompareHosts) }

func (m *model) tasksOn(key HostKey) []*modelTask {
	var tasks []*modelTask
	for _, task := range m.tasks {
		if task.Host == key {
			tasks = append(tasks, task)
		}
	}
	slices.SortFunc(tasks, func(a, b *modelTask) int { return cmp.Compare(a.ARN, b.ARN) })
	return tasks
}

func (m *model) liveOn(key HostKey) (live []*modelTask) {
	for _, task := range m.tasksOn(key) {
		if task.Live() {
			live = append(live, task)
		}
	}
	return live
}

// pass plans, and carries out as many of the actions as the driver lives for.
func (m *model) pass(full bool, only func(HostKey) bool, lives int) {
	for i, a := range Plan(m.snapshot(full, only), m.now) {
		if i >= lives {
			return
		}
		m.note(a)
		m.check(a)
		m.apply(a)
		m.checkFleet()
	}
}

// note keeps the latest actions, for who has to find out what went wrong.
func (m *model) note(a Action) {
	if a.Kind == Wake || a.Kind == Observe && a.Reason == "" {
		return
	}
	line := fmt.Sprintf("%s %s %s (%s)", m.now.Format(time.TimeOnly), a.Kind, a.Host.EC2InstanceID, a.Reason)
	if a.Deployment != nil {
		line += fmt.Sprintf(" %s %s %+v", a.Deployment.ID, a.Deployment.Status, a.Deployment.Counts)
	}
	m.done = append(m.done, line)
	m.done = m.done[max(0, len(m.done)-60):]
}

// story is what is known of a host, for the message of a check that failed.
func (m *model) story(key HostKey) string {
	slot, _ := json.Marshal(m.slots[key])
	dep, _ := json.Marshal(m.dep)
	text := fmt.Sprintf("%s at %s %s\n%+v\n%s\n%s\n", key.EC2InstanceID, m.now, strings.Join(m.done, "\n"), m.hosts[key].Host, slot, dep)
	for _, task := range m.tasksOn(key) {
		text += fmt.Sprintf("%+v\n", *task)
	}
	return text
}

func (m *model) apply(a Action) {
	m.seen[string(a.Kind)] = true
	switch a.Kind {
	case Start, Surge:
		m.store(*a.Slot)
		m.run(*a.Slot)
	case Replay:
		m.run(*a.Slot)
	case Stop, StopFormer, Restop, StopStray:
		if a.Slot != nil {
			m.store(*a.Slot)
		}
		if m.draw("fate of a stop", 9) > 0 { // else the driver died before it called
			m.stopTask(a.TaskARN)
		}
	case Observe, SetAttribute, DeleteAttribute, HandOver:
		m.store(*a.Slot)
	case Resolve:
		m.resolve(*a.Slot, a.TaskARN)
	case Forget:
		delete(m.slots, a.Host)
	case Advance:
		m.advance(*a.Deployment)
	case Wake, Finish:
	}
}

func (m *model) store(slot Slot) {
	require.Equal(m.t, m.slots[slot.Host].RecordVersion, slot.RecordVersion, "written from what is stored")
	slot.RecordVersion++
	m.slots[slot.Host] = slot
}

func (m *model) advance(d Deployment) {
	require.Equal(m.t, m.dep.RecordVersion, d.RecordVersion)
	if d.Status != m.dep.Status {
		m.seen[string(d.Status)] = true
	}
	if d.Status == DeploymentCompleted && m.dep.Status != DeploymentCompleted {
		m.env.LastGoodRevision = d.Revision
	}
	d.RecordVersion++
	m.dep = d
}

// run answers RunTask: with the task that the token brought before, with a new one, not at all, or with a refusal.
func (m *model) run(slot Slot) {
	var request RunRequest
	require.NoError(m.t, json.Unmarshal(slot.Request, &request))
	require.Equal(m.t, StartedBy(slot.DeploymentID), request.StartedBy, "every start names its deployment")
	host := m.hosts[slot.Host]
	result := StartResult{TaskARN: m.calls[request.ClientToken]}
	if result.TaskARN == "" {
		switch fate := m.draw("fate of a start", 19); {
		case host.Status != StatusActive || !host.AgentConnected:
			result = StartResult{Refused: "AGENT", Blocked: true}
		case host.full:
			result = StartResult{Refused: "RESOURCE:MEMORY", Blocked: true}
		case fate == 0:
			result = StartResult{Delay: time.Second} // lost on the way
		default:
			result.TaskARN = m.create(request, slot)
			if fate == 1 {
				result = StartResult{Delay: time.Second} // the answer was lost
			}
		}
	}
	stored := m.slots[slot.Host]
	next := Started(stored, result, DefaultSettings(), m.now)
	next.RecordVersion++
	m.slots[slot.Host] = next
}

// draw is chance, as long as there are faults.
func (m *model) draw(what string, most int) int {
	if m.calm {
		return most
	}
	return rapid.IntRange(0, most).Draw(m.t, what)
}

func (m *model) create(request RunRequest, slot Slot) string {
	m.started++
	task := &modelTask{token: request.ClientToken, revision: slot.Revision, createdAt: m.now, Task: Task{
		ARN: fmt.Sprintf("arn:aws:ecs:eu-west-1:210987654321:task/edge/%06d", m.started), Host: slot.Host,
		ContainerInstanceARN: m.hosts[slot.Host].ContainerInstanceARN, LastStatus: "PENDING", DesiredStatus: StatusRunning,
		StartedBy: request.StartedBy, TaskDefinition: request.TaskDefinition,
	}}
	m.tasks[task.ARN], m.calls[request.ClientToken] = task, task.ARN
	return task.ARN
}

func (m *model) stopTask(arn string) {
	task, ok := m.tasks[arn]
	if !ok || task.Stopped() || task.DesiredStatus == StatusStopped {
		return
	}
	stopAt := m.now.Add(time.Duration(m.draw("seconds to stop", 60)) * time.Second)
	task.DesiredStatus, task.stopAt, task.healthyAt = StatusStopped, &stopAt, nil
}

func (m *model) resolve(slot Slot, arn string) {
	var found *Task
	if slot.Former != nil && arn == slot.Former.TaskARN {
		if task, ok := m.tasks[arn]; ok {
			found = &task.Task
		}
		m.store(ResolvedFormer(slot, found, m.now))
		return
	}
	if task, ok := m.tasks[slot.TaskARN]; ok {
		found = &task.Task
	}
	if slot.State == SlotClaimed {
		var request RunRequest
		require.NoError(m.t, json.Unmarshal(slot.Request, &request))
		if task, ok := m.tasks[m.calls[request.ClientToken]]; ok {
			found = &task.Task
		}
	}
	m.store(Resolved(slot, found, DefaultSettings(), m.now))
}

// tick lets time pass, and the tasks and hosts do what they do in it.
func (m *model) tick(d time.Duration) {
	m.now = m.now.Add(d)
	for _, arn := range slices.Sorted(maps.Keys(m.tasks)) {
		task := m.tasks[arn]
		host := m.hosts[task.Host]
		reports := host.AgentConnected && host.Status != statusInactive
		switch {
		case task.Stopped():
			if m.now.Sub(task.createdAt) > 6*time.Hour {
				delete(m.tasks, arn)
			}
		case host.Status == statusInactive:
			m.kill(task, "host is gone")
		case task.stopAt != nil && !m.now.Before(*task.stopAt) && reports && !task.slow:
			m.kill(task, "stopped")
		case task.Live() && reports && m.bad[task.revision] && m.now.Sub(task.createdAt) >= 10*time.Second:
			m.kill(task, "EssentialContainerExited")
		case task.LastStatus == "PENDING" && task.Live() && reports && m.now.Sub(task.createdAt) >= 5*time.Second:
			at := m.now
			task.LastStatus, task.healthyAt = StatusRunning, &at
		}
	}
	m.settleDebts()
}

func (m *model) kill(task *modelTask, reason string) {
	task.LastStatus, task.DesiredStatus, task.StoppedReason, task.healthyAt = StatusStopped, StatusStopped, reason, nil
}

// settleDebts clears the hosts that have been well for long enough, by what is, or that are none any more.
func (m *model) settleDebts() {
	settled := time.Duration(m.target().DeploymentConfiguration.MinHealthySeconds) * time.Second
	for key := range m.down {
		if m.hosts[key].Status != StatusActive {
			delete(m.down, key)
		}
		for _, task := range m.liveOn(key) {
			if task.healthyAt != nil && m.now.Sub(*task.healthyAt) >= settled {
				delete(m.down, key)
			}
		}
	}
}

// desired counts the hosts that are to have a daemon.
func (m *model) desired() (n int) {
	for _, h := range m.hosts {
		if h.Status == StatusActive {
			n++
		}
	}
	return n
}
