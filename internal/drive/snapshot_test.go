package drive

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// look1 is a look at the host 1 alone.
func (w *world) look1() look { return look{instances: w.instances(1)} }

// seen reads a snapshot, and gives the host 1 of it.
func (w *world) seen(at look) (daemon.Snapshot, daemon.Host) {
	w.t.Helper()
	s, err := w.driver.snapshot(w.t.Context(), "env", at)
	require.NoError(w.t, err)
	for _, h := range s.Hosts {
		if h.Key.EC2InstanceID == ec2(1) {
			return s, h
		}
	}
	require.Fail(w.t, "the host is not in the snapshot")
	return s, daemon.Host{}
}

func TestExpressionsCanAskWhatECSSaysOfAHost(t *testing.T) {
	w := newWorld(t)
	w.host(1, append(counts(2, 3, 1),
		eventtest.Field("attributes", []any{map[string]any{"name": "stack", "value": "blue"}, map[string]any{"name": "ecs.capability.x"}}),
		eventtest.Field("versionInfo", map[string]any{"agentVersion": "1.103.0"}),
		eventtest.Field("registeredAt", "2026-11-20T08:00:00Z"))...)
	_, h := w.seen(everything)
	require.Equal(t, clusterquery.Host{
		AgentConnected: true, AgentVersion: "1.103.0", EC2InstanceID: ec2(1), RunningTasksCount: 3,
		Attributes: map[string]string{"stack": "blue", "ecs.capability.x": ""}, RegisteredAt: t0.Add(-time.Hour),
	}, h.Query)
}

func TestTheTargetAndTheBaseAreTheDeployments(t *testing.T) {
	w := newWorld(t)
	w.completes()
	s, _ := w.seen(everything)
	require.Equal(t, 1, s.Revision.Number)
	require.Nil(t, s.Base, "the first deployment is based on nothing")

	w.revise(func(*daemon.Revision) {})
	s, _ = w.seen(everything)
	require.Equal(t, 2, s.Revision.Number)
	require.Equal(t, 1, s.Base.Number)

	back, err := w.deployment("d-2").RollBack(0, "bad", w.now)
	require.NoError(t, err)
	_, err = w.daemon.AdvanceDeployment(t.Context(), back)
	require.NoError(t, err)
	s, _ = w.seen(everything)
	require.Equal(t, 1, s.Revision.Number, "it brings the older one now")
	require.Nil(t, s.Base)
}

func TestTheServicesTaskIsSeenByBothKindsOfLooks(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.MigrateFrom = "log-agent" })
	finishDeployment(t, w)
	w.host(1)
	w.host(2)
	w.other("stopping", 1, eventtest.Group("service:log-agent"), eventtest.DesiredStatus("STOPPED"))
	for _, at := range []look{everything, w.look1()} {
		_, h := w.seen(at)
		require.NotNil(t, h.Foreign, "it holds its ports until it has stopped")
	}
	w.other("web", 1, eventtest.Group("service:web"))
	w.other("tasked", 1, eventtest.Group("service:log-agent"))
	w.other("elsewhere", 2, eventtest.Group("service:log-agent"))
	for _, at := range []look{everything, w.look1()} {
		_, h := w.seen(at)
		require.Equal(t, "RUNNING", h.Foreign.LastStatus)
		require.Contains(t, h.Foreign.ARN, "tasked", "the one that ECS means to run")
	}
	for _, id := range []string{"stopping", "tasked"} {
		w.other(id, 1, eventtest.Group("service:log-agent"), eventtest.Version(2), eventtest.LastStatus("STOPPED"))
	}
	_, h := w.seen(everything)
	require.Nil(t, h.Foreign)
}

// another makes an environment on the cluster, with a daemon on the host 1 whose drain priority is given.
func (w *world) another(id string, priority int) {
	w.t.Helper()
	env := daemon.Environment{
		ID: id, Name: id, Status: daemon.EnvironmentActive, Partition: "aws", Revision: 1, Clusters: []state.ClusterKey{cluster}, CreatedAt: t0,
	}
	require.NoError(w.t, w.daemon.CreateEnvironment(w.t.Context(), env, daemon.Revision{EnvironmentID: id, Number: 1, DrainPriority: priority}))
	env, err := w.daemon.Environment(w.t.Context(), id)
	require.NoError(w.t, err)
	require.NoError(w.t, w.daemon.CreateDeployment(w.t.Context(), env, daemon.Deployment{
		ID: "d", EnvironmentID: id, Revision: 1, Token: "token", Status: daemon.DeploymentCompleted, CreatedAt: t0,
	}))
	w.orphan(id)
}

// orphan stores a daemon on the host 1 of an environment that may not be there.
func (w *world) orphan(id string) {
	w.other("of-"+id, 1, eventtest.Group(daemon.Group("blox", id)), eventtest.StartedBy("blox/d"))
}

func TestOnADrainingHostDaemonsOfALowerPriorityAreCounted(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.DrainPriority = 5 })
	w.host(1, eventtest.Status("DRAINING"))
	for id, priority := range map[string]int{"lower": 3, "least": 0, "same": 5, "higher": 9} {
		w.another(id, priority)
	}
	w.orphan("gone")
	w.other("batch", 1)
	for _, at := range []look{everything, w.look1()} {
		_, h := w.seen(at)
		require.Equal(t, 2, h.EarlierDaemons, "nobody waits for one of the same priority, or for one that nobody stops")
		require.Equal(t, 1, h.OtherTasks)
		require.True(t, h.OtherTasksKnown)
	}
	w.host(1, eventtest.Version(2))
	_, h := w.seen(everything)
	require.Zero(t, h.EarlierDaemons, "it does not drain")
	require.False(t, h.OtherTasksKnown)
}

func releasing(r *daemon.Revision) { r.ReleaseIdleHosts = true }

func TestOtherTasksAreCountedWhereTheDecisionNeedsThem(t *testing.T) {
	w := newWorld(t, releasing)
	read := func() float64 {
		before := w.db.Consumed().Read
		w.seen(everything)
		return w.db.Consumed().Read - before
	}
	w.host(1, counts(1, 0, 0)...)
	w.completes()
	_, h := w.seen(everything)
	require.True(t, h.OtherTasksKnown)
	require.Zero(t, h.OtherTasks)
	idle := read()

	w.host(1, counts(2, 1, 0)...)
	require.InDelta(t, idle, read(), 0.1, "one task is the daemon: its tasks are not looked at")

	w.host(1, counts(3, 2, 1)...)
	w.other("batch", 1)
	_, h = w.seen(everything)
	require.Equal(t, 2, h.OtherTasks, "one of them is not stored yet")
	w.other("web", 1, eventtest.Group("service:web"))
	w.driver.facts.known = map[factKey]bool{{cluster, "service web"}: false}
	require.Greater(t, read(), idle+1)
	require.InDelta(t, idle, read(), 0.1, "nothing has changed on the host since they were counted")
	_, h = w.seen(everything)
	require.Equal(t, 2, h.OtherTasks)

	w.host(1, counts(4, 1, 0)...)
	w.other("batch", 1, eventtest.Version(2), eventtest.LastStatus("STOPPED"))
	_, h = w.seen(everything)
	require.Zero(t, h.OtherTasks)
}

func TestDaemonServicesKeepNoHostBusy(t *testing.T) {
	w := newWorld(t, releasing)
	w.host(1, counts(2, 2, 0)...)
	w.other("agent", 1, eventtest.Group("service:agent"))
	w.another("neighbour", 0)
	w.driver.facts.known = map[factKey]bool{{cluster, "service agent"}: true}
	_, h := w.seen(everything)
	require.True(t, h.OtherTasksKnown)
	require.Zero(t, h.OtherTasks)
}

func TestAlarmsAreReadWhileTheyMatterAndSeldom(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.DeploymentConfiguration.Alarms = []string{"errors", "gone"} })
	w.host(1)
	w.alarms.Set("errors", "OK")
	s, _ := w.seen(everything)
	require.Equal(t, map[string]string{"errors": "OK", "gone": ""}, s.Alarms)
	w.seen(everything)
	require.Equal(t, 1, w.alarms.Calls(), "passes follow each other fast")

	w.now = w.now.Add(alarmAge + time.Second)
	w.alarms.Fail(errors.New("CloudWatch is away"))
	s, _ = w.seen(everything)
	require.Nil(t, s.Alarms, "what could not be read is not known")
	w.alarms.Fail(nil)
	w.alarms.Set("errors", "ALARM")
	s, _ = w.seen(everything)
	require.Equal(t, "ALARM", s.Alarms["errors"])

	finishDeployment(t, w)
	calls := w.alarms.Calls()
	w.now = w.now.Add(time.Hour)
	s, _ = w.seen(everything)
	require.Nil(t, s.Alarms)
	require.Equal(t, calls, w.alarms.Calls(), "nothing is watched any more")
}

func TestTaskDefinitionsAreLookedAtEveryTenMinutes(t *testing.T) {
	w := newWorld(t)
	w.completes()
	calls := w.ecs.definitions
	w.revise(func(*daemon.Revision) {})
	old := "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:1"
	w.ecs.inactive = map[string]bool{old: true}
	s, _ := w.seen(everything)
	require.Empty(t, s.Inactive, "it was ACTIVE a moment ago")
	require.Equal(t, calls+1, w.ecs.definitions, "the other is new")

	w.now = w.now.Add(definitionAge + time.Second)
	s, _ = w.seen(everything)
	require.Equal(t, map[string]bool{old: true}, s.Inactive, "the base: there is nothing to roll back to")
	finished := w.deployment("d-2")
	finished.Status = daemon.DeploymentStopped
	_, err := w.daemon.AdvanceDeployment(t.Context(), finished)
	require.NoError(t, err)
	calls = w.ecs.definitions
	s, _ = w.seen(w.look1())
	require.Equal(t, map[string]bool{old: true}, s.Inactive, "a look at one host goes by what is remembered")
	require.Equal(t, calls, w.ecs.definitions)

	w.now = w.now.Add(definitionAge + time.Second)
	w.ecs.inactive, w.ecs.deleted = nil, map[string]bool{s.Revision.TaskDefinition: true}
	s, _ = w.seen(everything)
	require.Equal(t, map[string]bool{s.Revision.TaskDefinition: true}, s.Inactive, "one that was deleted cannot be run either")
}

// known makes a cluster known, as the first sweep does.
func (w *world) known(name string) state.ClusterKey {
	w.t.Helper()
	key := cluster
	key.Name = name
	require.NoError(w.t, w.state.PutSync(w.t.Context(), table.Cluster{Key: key, SyncedAt: w.now.UnixMilli()}))
	return key
}

func TestClustersThatMatchThePatternJoin(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.ClusterPattern, r.Clusters = "edge*", []state.ClusterKey{cluster} })
	w.host(1)
	w.look()
	second := w.known("edge-2")
	w.known("core")
	elsewhere := second
	elsewhere.Region = "us-east-1"
	require.NoError(t, w.state.PutSync(t.Context(), table.Cluster{Key: elsewhere, SyncedAt: w.now.UnixMilli()}))

	w.look()
	require.Equal(t, []state.ClusterKey{cluster}, w.environment().Clusters, "they are gone through once a minute")
	w.now = w.now.Add(patternAge + time.Second)
	preview, err := w.driver.Snapshot(t.Context(), "env")
	require.NoError(t, err)
	require.Equal(t, []state.ClusterKey{cluster, second}, preview.Environment.Clusters)
	require.Equal(t, []state.ClusterKey{cluster}, w.environment().Clusters, "who only asks stores nothing")

	w.look()
	require.Equal(t, []state.ClusterKey{cluster, second}, w.environment().Clusters)
	members, err := w.daemon.EnvironmentsOfCluster(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, []table.Membership{{ID: "env"}}, members, "what happens there wakes it")
	w.look()
	require.Len(t, w.environment().Clusters, 2)
}

func TestASnapshotForThoseWhoAskTakesNoLease(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	_, _, err := w.daemon.AcquireLease(t.Context(), "env", "other", w.now, leaseHold)
	require.NoError(t, err)
	asked := New(Config{
		State: w.state, Daemon: w.daemon, ECS: w.driver.ECS, Now: w.driver.Now, Installation: "blox",
		Settings: daemon.DefaultSettings(), Describe: DefaultDescribe, Log: w.driver.Log,
	})
	s, err := asked.Snapshot(t.Context(), "env")
	require.NoError(t, err)
	require.True(t, s.Full)
	require.Len(t, s.Hosts, 1)
	require.Equal(t, daemon.Start, daemon.Plan(s, w.now)[0].Kind)
	require.Empty(t, w.ecs.requests)
	require.Equal(t, daemon.Slot{}, w.slot(1))

	_, err = asked.Snapshot(t.Context(), "no-such")
	require.ErrorIs(t, err, table.ErrNotFound)
}
