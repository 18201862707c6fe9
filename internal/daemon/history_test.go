package daemon

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// check is what must hold of an action before it is carried out.
func (m *model) check(a Action) {
	require.NotEmpty(m.t, m.dep.ID, "nothing is done without a deployment")
	switch a.Kind {
	case Start, Surge, Replay, Stop, StopFormer, Restop, StopStray, SetAttribute, DeleteAttribute, HandOver:
		require.Nil(m.t, m.env.Frozen, "%s of a frozen environment", a.Kind)
		require.NotEmpty(m.t, a.Reason)
	case Resolve, Observe, Forget, Advance, Wake, Finish:
	}
	switch a.Kind {
	case Start, Surge:
		m.checkStart(a)
	case Stop, StopFormer:
		m.checkStop(a)
	case Replay, Restop, StopStray, SetAttribute, DeleteAttribute, HandOver, Resolve, Observe, Forget, Advance, Wake, Finish:
	}
}

// checkStart: every start names the deployment in force and its target or its base, and reaches no host that the
// deployment may not reach yet.
func (m *model) checkStart(a Action) {
	require.Equal(m.t, m.dep.ID, a.Slot.DeploymentID)
	stored := m.slots[a.Host]
	target, base := m.target(), m.base()
	if a.Slot.Former != nil && stored.Former == nil {
		surging := 1
		for _, slot := range m.slots {
			if slot.Former != nil && m.tasks[slot.Former.TaskARN] != nil && m.tasks[slot.Former.TaskARN].Live() {
				surging++
			}
		}
		require.LessOrEqual(m.t, surging, target.DeploymentConfiguration.AllowedSurge(m.desired()), "hosts with two tasks: %s", m.story(a.Host))
	}
	if base != nil {
		require.Contains(m.t, []int{target.Number, base.Number}, a.Slot.Revision)
	}
	had := stored.Revision == target.Number
	if base == nil || a.Slot.Revision != target.Number || had {
		require.False(m.t, base != nil && m.dep.Status == DeploymentFailed && a.Slot.Revision == target.Number, "failed, and goes on")
		return
	}
	require.False(m.t, m.dep.Status == DeploymentPaused || m.dep.Status == DeploymentStopped, "a new host under a deployment that is held")
	if c := target.DeploymentConfiguration.Canary; c != nil && m.dep.PromotedAt == nil && m.dep.RollbackTo == 0 && !m.dep.Status.Ended() {
		reached := 1
		for key, slot := range m.slots {
			if slot.Revision == target.Number && !slot.Blocked && m.hosts[key].Status == StatusActive {
				reached++
			}
		}
		require.LessOrEqual(m.t, reached, max(1, c.Hosts.RoundedUp(m.desired())), "canaries: %s", m.story(a.Host))
	}
}

// checkStop: the budget, by what is.
func (m *model) checkStop(a Action) {
	task, ok := m.tasks[a.TaskARN]
	if !ok || task.healthyAt == nil || m.hosts[a.Host].Status != StatusActive {
		return
	}
	for _, other := range m.liveOn(a.Host) {
		if other != task && other.healthyAt != nil {
			return // the host keeps a working daemon
		}
	}
	require.NotContains(m.t, []DeploymentStatus{DeploymentPaused, DeploymentStopped, DeploymentFailed}, m.dep.Status,
		"%s: nothing is replaced while the deployment is held", a.Reason)
	config := m.target().DeploymentConfiguration
	require.False(m.t, config.Method == OnDelete && m.dep.RollbackTo == 0)
	m.settleDebts()
	allowed, overdue := config.AllowedUnavailable(m.desired()), 0
	if from := m.from(); from != nil {
		from.DeploymentConfiguration.Method = config.Method
		allowed = min(allowed, from.DeploymentConfiguration.AllowedUnavailable(m.desired()))
	}
	for _, since := range m.down {
		if m.now.Sub(m.dep.notBefore(since)) >= config.HostDeadline() {
			overdue++
		}
	}
	if _, again := m.down[a.Host]; !again {
		m.down[a.Host] = m.now
		require.LessOrEqual(m.t, len(m.down)-min(overdue, max(1, allowed)), allowed,
			"%d hosts are down by us, %d past their deadline: %v %s", len(m.down), overdue, m.down, m.story(a.Host))
	}
}

// checkFleet: at most one live daemon a host, two where one of them is to go.
func (m *model) checkFleet() {
	for _, key := range m.keys() {
		most := 1
		if m.slots[key].Former != nil {
			most = 2
		}
		require.LessOrEqual(m.t, len(m.liveOn(key)), most, "live tasks: %s", m.story(key))
	}
}

func anyConfiguration(t *rapid.T) DeploymentConfiguration {
	maybe := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
	c := DeploymentConfiguration{
		Method:                rapid.SampledFrom([]Method{TerminateThenReplace, TerminateThenReplace, ReplaceThenTerminate, OnDelete}).Draw(t, "method"),
		MinimumHealthyPercent: rapid.SampledFrom([]int{0, 50, 75, 90, 100}).Draw(t, "minimumHealthyPercent"),
		MinHealthySeconds:     rapid.IntRange(0, 30).Draw(t, "minHealthySeconds"),
		HostDeadlineSeconds:   rapid.SampledFrom([]int{0, 60, 300}).Draw(t, "hostDeadlineSeconds"),
	}
	if maybe("maxUnavailable") {
		c.MaxUnavailable = rapid.SampledFrom([]Amount{"1", "2", "40%"}).Draw(t, "amount")
	}
	if maybe("bake") {
		c.BakeSeconds = 60
	}
	if maybe("progress deadline") {
		c.ProgressDeadlineSeconds = 900
	}
	if maybe("canary") {
		c.Canary = &Canary{
			Hosts:               rapid.SampledFrom([]Amount{"1", "25%", "50%"}).Draw(t, "canaries"),
			PromoteAfterSeconds: rapid.SampledFrom([]int{0, 60}).Draw(t, "promoteAfterSeconds"),
		}
	}
	if maybe("alarms") {
		c.Alarms = []string{"errors"}
	}
	c.CircuitBreaker = CircuitBreaker{
		Disabled: maybe("no breaker"), KeepRevision: maybe("keep"),
		Threshold: rapid.SampledFrom([]Amount{"", "1", "2", "50%"}).Draw(t, "threshold"),
	}
	return c
}

// happen is one thing that the scheduler, the fleet or its people do.
func (m *model) happen() {
	switch rapid.SampledFrom([]string{
		"look", "look", "look", "look", "look", "look", "peek", "time", "time", "time", "time", "hour", "deploy", "operate", "die", "agent",
		"host", "room", "slow", "alarm",
	}).Draw(m.t, "what") {
	case "look":
		m.pass(true, nil, rapid.SampledFrom([]int{1, 3, 1000, 1000, 1000}).Draw(m.t, "lives"))
	case "peek":
		one := m.anyHost()
		m.pass(false, func(key HostKey) bool { return key == one }, 1000)
	case "time":
		m.tick(time.Duration(rapid.IntRange(1, 90).Draw(m.t, "seconds")) * time.Second)
	case "hour":
		m.tick(time.Duration(rapid.IntRange(2, 60).Draw(m.t, "minutes")) * time.Minute)
	case "deploy":
		m.deploy(anyConfiguration(m.t), rapid.Bool().Draw(m.t, "bad"))
	case "operate":
		m.operate()
	case "die":
		if live := m.liveOn(m.anyHost()); len(live) > 0 {
			m.kill(live[0], "OutOfMemory")
		}
	case "agent":
		h := m.hosts[m.anyHost()]
		h.AgentConnected = !h.AgentConnected
	case "host":
		m.changeFleet()
	case "room":
		h := m.hosts[m.anyHost()]
		h.full = !h.full
	case "slow":
		for _, task := range m.tasksOn(m.anyHost()) {
			task.slow = true
		}
	case "alarm":
		m.alarms["errors"] = rapid.SampledFrom([]string{"OK", alarmFiring}).Draw(m.t, "state")
	}
	m.checkFleet()
}

func (m *model) anyHost() HostKey { return rapid.SampledFrom(m.keys()).Draw(m.t, "host") }

func (m *model) changeFleet() {
	h := m.hosts[m.anyHost()]
	switch rapid.SampledFrom([]string{"join", "drain", "back", "leave"}).Draw(m.t, "fleet") {
	case "join":
		if len(m.hosts) < 15 {
			m.join()
		}
	case "drain":
		if h.Status == StatusActive {
			h.Status = StatusDraining
		}
	case "back":
		if h.Status == StatusDraining {
			h.Status = StatusActive
		}
	case "leave":
		h.Status = statusInactive
	}
}

// operate is what people do to a deployment. What they may not do is refused, and changes nothing.
func (m *model) operate() {
	somebody := Operator{By: "somebody", Reason: "why not"}
	next, err := m.dep, error(nil)
	switch verb := rapid.SampledFrom([]string{"pause", "resume", "promote", "stop", "rollback", "restart", "freeze", "thaw"}).Draw(m.t, "verb"); verb {
	case "pause":
		next, err = m.dep.Pause(somebody)
	case "resume":
		next, err = m.dep.Resume(m.now)
	case "promote":
		next, err = m.dep.Promote(m.now)
	case "stop":
		next, err = m.dep.Stop(somebody, m.now)
	case "rollback":
		next, err = m.dep.RollBack(rapid.IntRange(0, len(m.revisions)).Draw(m.t, "to"), "told to", m.now)
	case "restart":
		m.begin(m.dep.Target(), true)
		return
	case "freeze":
		m.env.Frozen = &Freeze{At: m.now, By: "somebody"}
	case "thaw":
		m.env.Frozen = nil
	}
	if err == nil {
		m.dep = next
		m.dep.RecordVersion++
	}
}

// recover is the end of all faults, and of people's reserve.
func (m *model) recover() {
	m.calm, m.env.Frozen = true, nil
	m.alarms["errors"] = "OK"
	for _, h := range m.hosts {
		h.full = false
		h.AgentConnected = true
	}
	for _, task := range m.tasks {
		task.slow = false
	}
	if next, err := m.dep.Resume(m.now); err == nil {
		m.dep = next
	}
	if next, err := m.dep.Promote(m.now); err == nil {
		m.dep = next
	}
}

// ends says that the deployment can end by itself: one whose revision crashes needs a breaker, or somebody to stop it.
func (m *model) ends() bool {
	return !m.bad[m.dep.Target()] && !m.hostless()
}

// hostless says that no host is there to bring the revision to: they have left or are being drained, and the deployment
// waits for others.
func (m *model) hostless() bool {
	for _, host := range m.hosts { // any order: nothing is told
		if host.Status == StatusActive {
			return false
		}
	}
	return true
}

func TestHistoriesKeepTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, rapid.IntRange(1, 9).Draw(t, "hosts"))
		m.alarms["errors"] = "OK"
		m.deploy(anyConfiguration(t), rapid.IntRange(0, 4).Draw(t, "first is bad") == 0)
		for range rapid.IntRange(10, 150).Draw(t, "steps") {
			m.happen()
		}
		m.recover()
		for range 400 {
			m.pass(true, nil, 1000)
			m.tick(10 * time.Second)
			if next, err := m.dep.Promote(m.now); err == nil {
				m.dep = next
			}
		}
		m.checkEnd()
	})
}

// kubernetes #123232: three updates in a row that fail leave no ready daemon. Here nobody and nothing rolls back, and each
// update comes before the one before it has failed for good.
func TestThreeBadUpdatesInARowLeaveTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, 10)
		m.calm = true // but for the updates
		config := DeploymentConfiguration{
			MinimumHealthyPercent: 70, MinHealthySeconds: 30, CircuitBreaker: CircuitBreaker{Disabled: true},
			Method: rapid.SampledFrom([]Method{TerminateThenReplace, ReplaceThenTerminate}).Draw(t, "method"),
		}
		m.deploy(config, false)
		run := func(seconds int) (fewest int) {
			fewest = len(m.hosts)
			for range seconds / 20 {
				m.pass(true, nil, 1000)
				m.tick(20 * time.Second)
				working := 0
				for _, key := range m.keys() {
					if live := m.liveOn(key); len(live) > 0 && !m.bad[live[0].revision] || len(live) > 1 {
						working++
					}
				}
				fewest = min(fewest, working)
			}
			return fewest
		}
		run(120)
		require.Equal(t, DeploymentCompleted, m.dep.Status)
		for range 3 {
			m.deploy(config, true)
			require.GreaterOrEqual(t, run(rapid.IntRange(20, 500).Draw(t, "seconds")), 7)
		}
		m.deploy(config, false)
		run(1200)
		require.Equal(t, DeploymentCompleted, m.dep.Status, "and a good one ends it")
	})
}

// TestHistoriesComeEverywhere shows that the histories reach what they are to check.
func TestHistoriesComeEverywhere(t *testing.T) {
	history := rapid.Custom(func(t *rapid.T) map[string]bool {
		m := newModel(t, rapid.IntRange(1, 9).Draw(t, "hosts"))
		m.alarms["errors"] = "OK"
		m.deploy(anyConfiguration(t), false)
		for range rapid.IntRange(10, 150).Draw(t, "steps") {
			m.happen()
		}
		m.recover()
		for range 30 {
			m.pass(true, nil, 1000)
			m.tick(20 * time.Second)
		}
		return m.seen
	})
	seen := map[string]bool{}
	for seed := range 100 { // always the same ones
		maps.Copy(seen, history.Example(seed))
	}
	for _, kind := range []Kind{Start, Replay, Stop, Restop, Surge, StopFormer, Resolve, Observe, Forget, Advance, Wake} {
		require.True(t, seen[string(kind)], kind)
	}
	for _, status := range []DeploymentStatus{
		DeploymentRunning, DeploymentPaused, DeploymentBaking, DeploymentRollingBack, DeploymentCompleted, DeploymentRolledBack,
		DeploymentFailed,
	} {
		require.True(t, seen[string(status)], "%s is not in %v", status, slices.Sorted(maps.Keys(seen)))
	}
}

// checkEnd is what must be when the faults have ended.
func (m *model) checkEnd() {
	if m.ends() {
		require.True(m.t, m.dep.Status.Ended(), "%s", m.story(m.keys()[0]))
	}
	if m.dep.Status != DeploymentCompleted && m.dep.Status != DeploymentRolledBack || !m.ends() {
		return
	}
	onDelete := m.target().DeploymentConfiguration.Method == OnDelete && m.dep.RollbackTo == 0
	for _, key := range m.keys() {
		if m.hosts[key].Status != StatusActive {
			continue
		}
		live := m.liveOn(key)
		require.Len(m.t, live, 1, "the host has its daemon, and no orphan: %s", m.story(key))
		if !onDelete {
			require.Equal(m.t, m.dep.Target(), live[0].revision, m.story(key))
		}
	}
}
