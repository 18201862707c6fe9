package daemon

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/state"
)

// oneHost is a host with everything that can be on it, an environment that uses all that concerns a host, and an ECS that
// carries out what is planned. Events are seen at once, or not at all before the next event.
type oneHost struct {
	*rapid.T
	s             Snapshot
	now           time.Time
	slot          *Slot
	carries       string // the readiness attribute
	taken         bool   // the hand-over's attribute
	lost          bool   // it went with a registration
	started       int
	registrations int
	// deployments are those after the first.
	deployments int
	well        map[string]time.Time // since when a task was seen healthy in a row
	made        map[int]Revision
}

func newOneHost(t *rapid.T) *oneHost {
	w := &oneHost{T: t, now: t0, well: map[string]time.Time{}, made: map[int]Revision{}}
	w.s = minHealthy(surgeMethod(fixture()), rapid.SampledFrom([]int{0, 10, 30}).Draw(t, "minHealthySeconds")).with(1)
	w.s.Revision.ReadinessAttribute = readyName
	w.s.Revision.ReleaseIdleHosts = rapid.Bool().Draw(t, "releaseIdleHosts")
	if rapid.Bool().Draw(t, "terminateThenReplace") {
		w.s.Revision.DeploymentConfiguration.Method = TerminateThenReplace
	}
	w.host().OtherTasksKnown, w.host().OtherTasks = true, 1
	if rapid.Bool().Draw(t, "migrating") {
		w.s.Revision.MigrateFrom = "logs"
		w.comes()
	}
	w.made[2] = w.s.Revision
	return w
}

func (w *oneHost) host() *Host { return &w.s.Hosts[0] }

func (w *oneHost) live() []*Task {
	var live []*Task
	for i := range w.s.Tasks {
		if w.s.Tasks[i].Live() {
			live = append(live, &w.s.Tasks[i])
		}
	}
	return live
}

// look plans, checks what was planned, and carries out at most so many of the actions.
func (w *oneHost) look(limit int) {
	for _, t := range w.s.Tasks {
		if !t.Live() || t.LastStatus != StatusRunning || t.Health == healthUnhealthy {
			delete(w.well, t.ARN)
		} else if _, ok := w.well[t.ARN]; !ok {
			w.well[t.ARN] = w.now
		}
	}
	s := w.s
	s.Slots, s.Tasks = nil, slices.Clone(w.s.Tasks)
	if w.slot != nil {
		s.Slots = []Slot{*w.slot}
	}
	s.Clusters = map[state.ClusterKey]Freshness{cluster: {SyncedAt: w.now.Add(-time.Minute)}}
	dep := *w.s.Deployment
	s.Deployment = &dep
	p := newPlanner(s, w.now)
	p.plan()
	actions := p.actions()
	w.checkPlan(p, actions)
	for i, a := range actions {
		if i == limit {
			return
		}
		w.check(a)
		w.carryOut(a)
		require.LessOrEqual(w, len(w.live()), 2, "live tasks")
		if w.slot == nil || w.slot.Former == nil {
			require.LessOrEqual(w, len(w.live()), 1, "live tasks outside of a surge")
		}
	}
}

func (w *oneHost) checkPlan(p *planner, actions []Action) {
	writes := 0
	for _, a := range actions {
		if a.Slot != nil {
			writes++
		}
	}
	require.LessOrEqual(w, writes, 1, "two writes of one slot: %v", brief(actions))
	t := p.at(hostKey(1)).turn
	if writes == 0 && !t.slot.Settled(p.minHealthy(), w.now) && !p.gone(t.key) {
		require.NotEmpty(w, t.waits, "nothing is done, and nothing says why: %+v", t.slot)
	}
}

// check is what must hold of a step before it is made.
func (w *oneHost) check(a Action) {
	minHealthy := time.Duration(w.s.Revision.DeploymentConfiguration.MinHealthySeconds) * time.Second
	wellFor := func(d time.Duration, not string) bool {
		return slices.ContainsFunc(w.live(), func(t *Task) bool {
			since, ok := w.well[t.ARN]
			return ok && t.ARN != not && w.now.Sub(since) >= d
		})
	}
	switch a.Kind {
	case Start, Surge, Replay:
		require.Nil(w, w.s.Environment.Frozen)
		require.True(w, w.host().AgentConnected || a.Kind == Replay)
		require.False(w, a.Slot.Released, "a released host stays empty")
		require.True(w, w.host().Foreign == nil || (w.taken || w.lost) && a.Kind == Replay, "two daemons would fight for the host")
		require.True(w, w.s.Revision.MigrateFrom == "" || w.taken || a.Kind == Replay, "the service would start its own there, too")
	case StopFormer:
		require.Nil(w, w.s.Environment.Frozen)
		_, was := w.well[a.TaskARN]
		require.True(w, !was || wellFor(0, a.TaskARN), "the host is left without a healthy daemon: %s", a.Reason)
	case Stop:
		require.Nil(w, w.s.Environment.Frozen)
		if a.Slot.Released {
			require.Zero(w, w.host().OtherTasks)
		}
		surging := w.s.Revision.DeploymentConfiguration.Method == ReplaceThenTerminate && w.s.Environment.Status == EnvironmentActive
		if _, was := w.well[a.TaskARN]; was && surging && a.Slot.Disrupted && w.host().Status == StatusActive {
			require.NotEqual(w, reasonReplaced, a.Reason, "a surge stops no healthy daemon before its successor is well")
		}
	case SetAttribute:
		require.Nil(w, w.s.Environment.Frozen)
		if a.Attribute.Name == HandOverAttribute {
			require.True(w, w.host().Foreign == nil || wellFor(minHealthy, ""), "the host is left without a daemon")
			return
		}
		require.Equal(w, StatusActive, w.host().Status)
		require.True(w, wellFor(minHealthy, ""), "the host is not ready")
	case HandOver:
		require.NotNil(w, w.host().Foreign)
	case DeleteAttribute, Restop, StopStray, Resolve, Observe, Forget, Advance, Wake, Finish:
	}
}

func (w *oneHost) carryOut(a Action) {
	if a.Slot != nil {
		slot := *a.Slot
		slot.RecordVersion++
		w.slot = &slot
	}
	switch a.Kind {
	case Start, Surge, Replay:
		w.start()
	case Stop, StopFormer, Restop, StopStray:
		for _, t := range w.live() {
			if t.ARN == a.TaskARN {
				t.DesiredStatus = StatusStopped
			}
		}
	case SetAttribute:
		if a.Attribute.Name == HandOverAttribute {
			w.taken = true
		} else {
			w.carries = a.Attribute.Name
		}
	case DeleteAttribute:
		if a.Attribute.Name == HandOverAttribute {
			w.taken = false
		} else {
			w.carries = ""
		}
	case HandOver:
		w.taken = true
	case Resolve:
		w.resolve(a)
	case Forget:
		w.slot = nil
	case Advance:
		w.bring(*a.Deployment)
	case Observe, Wake, Finish:
	}
}

func (w *oneHost) start() {
	switch fate := rapid.IntRange(0, 9).Draw(w.T, "fate"); {
	case fate == 0: // the answer is lost
		return
	case fate == 1:
		*w.slot = Started(*w.slot, StartResult{Refused: "RESOURCE:MEMORY", Blocked: true}, w.s.Settings, w.now)
		return
	}
	w.started++
	rev := w.slot.Revision
	task := Task{
		ARN: fmt.Sprintf("task-%d", w.started), Host: hostKey(1), ContainerInstanceARN: w.host().ContainerInstanceARN,
		DesiredStatus: StatusRunning, LastStatus: "PENDING", StartedBy: StartedBy(w.slot.DeploymentID), TaskDefinition: taskDefinition(rev),
	}
	w.s.Tasks = append(w.s.Tasks, task)
	*w.slot = Started(*w.slot, StartResult{TaskARN: task.ARN}, w.s.Settings, w.now)
}

func (w *oneHost) resolve(a Action) {
	var found *Task
	for i := range w.s.Tasks {
		if w.s.Tasks[i].ARN == a.TaskARN || a.TaskARN == "" && w.s.Tasks[i].ARN == w.slot.TaskARN {
			found = &w.s.Tasks[i]
		}
	}
	if a.TaskARN != "" {
		*w.slot = ResolvedFormer(*w.slot, found, w.now)
	} else {
		*w.slot = Resolved(*w.slot, found, w.s.Settings, w.now)
	}
}

// deploy has another revision overtake, or the same start anew.
func (w *oneHost) deploy() {
	before := w.s.Revision
	next := before
	restart := rapid.IntRange(0, 3).Draw(w.T, "restart") == 0
	if !restart {
		next.Number = len(w.made) + 2
		next.TaskDefinition = taskDefinition(next.Number)
		w.made[next.Number] = next
	}
	w.deployments++
	w.bring(Deployment{
		ID: fmt.Sprintf("d-%d", 2+w.deployments), EnvironmentID: "env", Revision: next.Number, BasedOn: before.Number,
		Status: DeploymentPending, CreatedAt: w.now, Restart: restart,
	})
}

// bring has a deployment be the one in force.
func (w *oneHost) bring(d Deployment) {
	w.s.Deployment, w.s.Environment.DeploymentID = &d, d.ID
	w.s.Revision, w.s.Base = w.made[d.Target()], nil
	if base, ok := w.made[d.BasedOn]; ok && d.BasedOn != d.Target() {
		w.s.Base = &base
	}
}

func (w *oneHost) rollBack() {
	if back, err := w.s.Deployment.RollBack(0, "test", w.now); err == nil {
		w.bring(back)
	}
}

// happen is one thing that befalls the host.
func (w *oneHost) happen() {
	task := func() *Task {
		if len(w.s.Tasks) == 0 {
			return &Task{}
		}
		return &w.s.Tasks[rapid.IntRange(0, len(w.s.Tasks)-1).Draw(w.T, "task")]
	}
	switch rapid.SampledFrom([]string{
		"look", "look", "look", "look", "broken off", "peek", "time", "time", "later", "runs", "runs", "runs", "sick", "stops", "stops", "dies",
		"agent", "drain", "work", "freeze", "pause", "deploy", "roll back", "anew", "leaves", "comes",
	}).Draw(w.T, "what") {
	case "look":
		w.look(-1)
	case "broken off":
		w.look(1)
	case "peek":
		w.s.Full = false
		w.look(-1)
		w.s.Full = true
	case "time":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(w.T, "seconds")) * time.Second)
	case "later":
		w.now = w.now.Add(20 * time.Minute)
	case "runs":
		w.runs(task())
	case "sick":
		if t := task(); t.LastStatus == StatusRunning {
			t.Health = healthUnhealthy
		}
	case "stops":
		if t := task(); t.DesiredStatus == StatusStopped {
			t.LastStatus = StatusStopped
		}
	case "dies":
		t := task()
		t.DesiredStatus, t.LastStatus = StatusStopped, StatusStopped
	case "agent":
		w.host().AgentConnected = !w.host().AgentConnected
	case "drain":
		w.host().Status = map[string]string{StatusActive: StatusDraining, StatusDraining: StatusActive}[w.host().Status]
	case "work":
		w.host().OtherTasks = rapid.IntRange(0, 1).Draw(w.T, "others")
	case "freeze":
		if w.s.Environment.Frozen == nil {
			w.s.Environment.Frozen = &Freeze{At: w.now}
		} else {
			w.s.Environment.Frozen = nil
		}
	case "pause":
		d, err := w.s.Deployment.Pause(Operator{})
		if err != nil || w.s.Deployment.Status == DeploymentPaused {
			d, err = w.s.Deployment.Resume(w.now)
		}
		if err == nil {
			w.s.Deployment = &d
		}
	case "deploy":
		w.deploy()
	case "roll back":
		w.rollBack()
	case "anew":
		w.registerAnew()
	case "leaves":
		w.leaves()
	case "comes":
		w.comes()
	}
}

func (w *oneHost) runs(t *Task) {
	if t.ARN != "" && t.Live() {
		t.LastStatus, t.Health = StatusRunning, ""
	}
}

// registerAnew gives the machine a new container instance, which carries no attribute and knows no task: ECS has them
// stopped.
func (w *oneHost) registerAnew() {
	w.registrations++
	w.host().ContainerInstanceARN = fmt.Sprintf("anew-%d", w.registrations)
	w.carries, w.taken, w.lost = "", false, w.taken || w.lost
	for i := range w.s.Tasks {
		w.s.Tasks[i].DesiredStatus, w.s.Tasks[i].LastStatus = StatusStopped, StatusStopped
	}
}

// leaves has the ECS service stop its task on a host that was taken from it.
func (w *oneHost) leaves() {
	if w.taken {
		w.host().Foreign = nil
	}
}

// comes has the ECS service start its task on a host that was not taken from it.
func (w *oneHost) comes() {
	if w.s.Revision.MigrateFrom != "" && !w.taken && w.host().Foreign == nil {
		w.host().Foreign = &Task{ARN: "service-task", DesiredStatus: StatusRunning, LastStatus: StatusRunning}
	}
}

func TestOneHostThroughAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newOneHost(t)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			w.happen()
		}
		w.calm()
	})
}

// calm ends all faults, and the host comes to rest with one daemon of what is deployed, ready.
func (w *oneHost) calm() {
	w.host().Status, w.host().AgentConnected, w.host().OtherTasks, w.s.Environment.Frozen = StatusActive, true, 1, nil
	d := *w.s.Deployment
	if d.Status.Ended() && d.Status != DeploymentCompleted && d.Status != DeploymentRolledBack || d.Status == DeploymentPaused {
		d.Status, d.PausedFor = DeploymentRunning, ""
	}
	w.s.Deployment = &d
	for range 60 {
		w.now = w.now.Add(time.Minute)
		w.leaves()
		for i := range w.s.Tasks {
			if t := &w.s.Tasks[i]; t.Live() {
				w.runs(t)
			} else {
				t.LastStatus = StatusStopped
			}
		}
		w.look(-1)
	}
	require.NotNil(w, w.slot)
	require.Equal(w, SlotPlaced, w.slot.State, "%+v", *w.slot)
	require.Nil(w, w.slot.Former)
	require.Len(w, w.live(), 1)
	require.Equal(w, w.s.Deployment.Target(), w.slot.Revision)
	require.Equal(w, readyName, w.carries)
	require.Equal(w, readyName, w.slot.Attribute)
	require.False(w, w.slot.Disrupted)
	require.Nil(w, w.slot.UpdatingSince)
}
