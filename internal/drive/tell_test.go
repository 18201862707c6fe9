package drive

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/table"
)

// look makes the driver look at everything, at a time when the cluster was reconciled a moment ago.
func (w *world) look() {
	w.t.Helper()
	require.NoError(w.t, w.state.PutSync(w.t.Context(), syncedAt(w.now)))
	require.NoError(w.t, w.driver.Drive(w.t.Context(), "env", nil))
}

// told is what people were told since the last time: the types and the deployments' states.
func (w *world) told() []string {
	told := []string{}
	for _, e := range w.bus.Events()[w.heard:] {
		told = append(told, e.DetailType+": "+e.Detail.DeploymentID+" "+string(e.Detail.Status))
	}
	w.heard = len(w.bus.Events())
	return told
}

// completes brings the deployment of one host to its end.
func (w *world) completes() {
	w.t.Helper()
	w.host(1)
	w.look()
	w.runs(1)
	w.look()
}

func TestEachStateOfADeploymentIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 running"}, w.told())
	w.look()
	require.Empty(t, w.told(), "nothing is news")
	w.runs(1)
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 completed"}, w.told())
	w.look()
	require.Empty(t, w.told())

	detail := w.bus.Events()[1].Detail
	require.Equal(t, "blox", detail.Installation)
	require.Equal(t, cluster.Account, detail.Account)
	require.Equal(t, "log-agent", detail.EnvironmentName)
	require.Equal(t, "1 of 1 hosts have revision 1", detail.Reason)
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsEnded))
}

func TestWhatTheBusDoesNotTakeIsToldLater(t *testing.T) {
	w := newWorld(t)
	w.bus.Fail(errors.New("no such bus"))
	w.completes()
	deployment, err := w.daemon.Deployment(t.Context(), "env", "d-1")
	require.NoError(t, err)
	require.Equal(t, daemon.DeploymentCompleted, deployment.Status, "the work does not wait for the bus")
	require.Empty(t, w.told())
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsEnded), "nor do the numbers")

	w.bus.Fail(nil)
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 completed"}, w.told())
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsEnded))
}

// dyingBus is a bus whose driver dies when it has told: what it would have remembered is not stored.
type dyingBus struct {
	*announce.Memory
}

func (b dyingBus) Put(ctx context.Context, events []announce.Event) error {
	if err := b.Memory.Put(ctx, events); err != nil {
		return err
	}
	return context.DeadlineExceeded
}

func TestADriverThatDiesAfterItToldLetsTheNextTellAgain(t *testing.T) {
	w := newWorld(t)
	w.driver.Announce = dyingBus{&w.bus}
	w.host(1)
	w.look()
	w.driver.Announce = &w.bus
	w.look()
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 running", "Blox Deployment State Change: d-1 running"}, w.told())
}

func TestADeploymentThatWasOvertakenIsTold(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	w.told()
	w.deployNext("d-2")
	w.deployNext("d-3") // nobody looked at d-2
	w.look()
	require.Equal(t, []string{
		"Blox Deployment State Change: d-2 superseded", "Blox Deployment State Change: d-1 superseded",
		"Blox Deployment State Change: d-3 running",
	}, w.told())
	require.Equal(t, []int64{1, 1}, w.metrics.Of(metrics.DeploymentsEnded))
	w.deployNext("d-4")
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-3 superseded", "Blox Deployment State Change: d-4 running"}, w.told())
}

func TestDeploymentsThatNobodyLookedAtAreAllTold(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	w.told()
	for n := range 2 * fewOvertaken {
		w.deployNext(fmt.Sprintf("e-%03d", n))
	}
	w.look()
	told := w.told()
	require.Len(t, told, 2*fewOvertaken+1)
	require.Contains(t, told, "Blox Deployment State Change: d-1 superseded", "the oldest")
}

func TestAnEndThatTheBusDidNotTakeIsToldBeforeTheNextBeginning(t *testing.T) {
	w := newWorld(t)
	w.completes()
	w.told()
	dep, err := w.daemon.Deployment(t.Context(), "env", "d-1")
	require.NoError(t, err)
	dep.Announced = daemon.DeploymentRunning
	_, err = w.daemon.AdvanceDeployment(t.Context(), dep)
	require.NoError(t, err)
	w.deployNext("d-2")
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 completed", "Blox Deployment State Change: d-2 completed"}, w.told(),
		"d-2 is d-1's revision again")
	require.Equal(t, []int64{1, 1}, w.metrics.Of(metrics.DeploymentsEnded), "each was counted when it ended")
}

// Its last deployment is long over: what fails afterwards is neither stuck nor a change of its state.
func TestHostsThatLoseTheirDaemonsAreToldOnce(t *testing.T) {
	w, _ := steadyWorld(t, nil)
	w.told()
	for n := range 100 {
		w.daemonIs(n, w.slot(n).TaskARN, 9, "RUNNING", "PENDING", "log-agent:1")
	}
	for range 4 {
		w.now = w.now.Add(11 * time.Minute)
		require.NoError(t, w.state.PutSync(t.Context(), syncedAt(w.now)))
		require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	}
	require.Equal(t, []string{"Blox Environment Unhealthy: d-1 completed"}, w.told())
}

func TestAStuckDeploymentIsToldOnce(t *testing.T) {
	w := newWorld(t, patient)
	w.host(1)
	w.look()
	w.told()
	require.Equal(t, []int64{0}, w.metrics.Of(metrics.DeploymentsStuck))
	w.now = t0.Add(29 * time.Minute)
	w.look()
	require.Empty(t, w.told())
	w.now = t0.Add(30 * time.Minute)
	w.look()
	require.Equal(t, []string{"Blox Deployment Stuck: d-1 running"}, w.told())
	stuck := w.metrics.Of(metrics.DeploymentsStuck)
	require.Equal(t, int64(1), stuck[len(stuck)-1])
	w.now = t0.Add(31 * time.Minute)
	w.look()
	require.Empty(t, w.told())
	entries, err := w.daemon.Timeline(t.Context(), "env", "d-1", 100)
	require.NoError(t, err)
	require.Contains(t, asJSON(t, entries), "no host was updated since 2026-11-20T09:00:00Z, 1 of 1 are left")
}

func TestHostsWithoutRoomAreTold(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	slot := daemon.Slot{
		EnvironmentID: "env", Host: daemon.HostKey{Cluster: cluster, EC2InstanceID: ec2(1)}, State: daemon.SlotIdle, Attempt: 2,
		DeploymentID: "d-1", Blocked: true, Reason: "RESOURCE:MEMORY", RetryAt: at(t0.Add(time.Hour)),
	}
	_, err := w.daemon.PutSlot(t.Context(), slot)
	require.NoError(t, err)
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 running", "Blox Environment Blocked: d-1 running"}, w.told())
	last := w.bus.Events()[1].Detail
	require.Equal(t, "1 of 1 hosts wait for a daemon that cannot be started there; on i-00000000000000001: RESOURCE:MEMORY", last.Reason)
	require.Equal(t, []daemon.FailedInstance{{Host: slot.Host, Reason: "RESOURCE:MEMORY"}}, last.FailedInstances)
	w.look()
	require.Empty(t, w.told())
}

func at(t time.Time) *time.Time { return &t }

func TestADeletedEnvironmentsDeploymentIsToldToHaveStopped(t *testing.T) {
	w := newWorld(t)
	w.markDeleting()
	w.bus.Fail(errors.New("no such bus"))
	w.look()
	_, err := w.daemon.Environment(t.Context(), "env")
	require.ErrorIs(t, err, table.ErrNotFound, "the deletion does not wait for the bus")

	w = newWorld(t)
	w.markDeleting()
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 stopped"}, w.told())
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsEnded))
	require.Empty(t, w.metrics.Of(metrics.DeploymentsStuck), "its numbers end with it")

	w = newWorld(t)
	w.completes()
	w.told()
	w.markDeleting()
	w.look()
	require.Empty(t, w.told(), "its deployment ended long ago")
}

// brittleDB fails the calls that a test wants to fail.
type brittleDB struct {
	*memory.DB
	// deletes and queries say of a sort key, or of a partition, that the call fails.
	deletes, queries func(key string) bool
}

var errTable = errors.New("the table is away")

func keyText(key map[string]types.AttributeValue, name string) string {
	return key[name].(*types.AttributeValueMemberS).Value
}

func (b *brittleDB) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	if b.deletes != nil && b.deletes(keyText(in.Key, "sk")) {
		return nil, errTable
	}
	return b.DB.DeleteItem(ctx, in, opts...)
}

func (b *brittleDB) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if b.queries != nil && b.queries(keyText(in.ExpressionAttributeValues, ":pk")) {
		return nil, errTable
	}
	return b.DB.Query(ctx, in, opts...)
}

// brittle lets the driver work on a table that fails when the test says so.
func (w *world) brittle() *brittleDB {
	b := &brittleDB{DB: w.db}
	w.driver.Daemon = table.NewDaemon(b, "daemon")
	return b
}

func TestADeletionThatBreaksOffIsToldAndCountedOnce(t *testing.T) {
	w := newWorld(t)
	db := w.brittle()
	w.markDeleting()
	db.deletes = func(sk string) bool { return sk == "deployment/d-1" }
	for range 3 {
		require.ErrorIs(t, w.driver.Drive(t.Context(), "env", nil), errTable)
	}
	require.Equal(t, []string{"Blox Deployment State Change: d-1 stopped"}, w.told())
	dep, err := w.daemon.Deployment(t.Context(), "env", "d-1")
	require.NoError(t, err)
	require.Equal(t, daemon.DeploymentStopped, dep.Status, "who hears of it and asks sees it")
	require.Empty(t, w.metrics.Of(metrics.DeploymentsEnded), "it is not over yet")

	db.deletes = nil
	w.look()
	require.Empty(t, w.told())
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsEnded))
	_, err = w.daemon.Environment(t.Context(), "env")
	require.ErrorIs(t, err, table.ErrNotFound)
}

func TestADeletionTellsWhatWasNotToldYet(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	w.told()
	w.deployNext("d-2")
	w.markDeleting() // nobody looked at d-2, nor at the end of d-1
	w.endHost(1)
	w.look()
	require.Equal(t, []string{
		"Blox Deployment State Change: d-1 superseded", "Blox Deployment State Change: d-2 stopped",
	}, w.told())
	require.Equal(t, []int64{1, 1}, w.metrics.Of(metrics.DeploymentsEnded))

	w = newWorld(t)
	w.bus.Fail(errors.New("no such bus"))
	w.completes()
	w.bus.Fail(nil)
	w.markDeleting()
	w.endHost(1)
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-1 completed"}, w.told(), "it ended before the environment was deleted")
	require.Equal(t, []int64{1}, w.metrics.Of(metrics.DeploymentsEnded))
}

// endHost lets the host's task and slot go.
func (w *world) endHost(n int) {
	w.t.Helper()
	require.NoError(w.t, w.daemon.DeleteSlot(w.t.Context(), w.slot(n)))
	env, err := w.daemon.Environment(w.t.Context(), "env")
	require.NoError(w.t, err)
	env.KeepTasks = true
	require.NoError(w.t, w.daemon.UpdateEnvironment(w.t.Context(), env, nil))
}

// An upgrade from a version that announced nothing finds deployments that ended long ago.
func TestDeploymentsThatEndedLongAgoAreNoNews(t *testing.T) {
	forget := func(w *world, ids ...string) {
		for _, id := range ids {
			dep, err := w.daemon.Deployment(t.Context(), "env", id)
			require.NoError(t, err)
			dep.Announced = ""
			_, err = w.daemon.AdvanceDeployment(t.Context(), dep)
			require.NoError(t, err)
		}
	}
	w := newWorld(t)
	w.completes()
	forget(w, "d-1")
	w.now = w.now.Add(maxAge + time.Second)
	w.told()
	w.look()
	require.Empty(t, w.told(), "the one in force")

	w.deployNext("d-2")
	w.deployNext("d-3")
	w.now = w.now.Add(maxAge)
	w.deployNext("d-4")
	w.look()
	require.Equal(t, []string{
		"Blox Deployment State Change: d-3 superseded", "Blox Deployment State Change: d-2 superseded", "Blox Deployment State Change: d-4 completed",
	}, w.told(), "d-1 ended longer ago than a day, d-2 did not")
	forget(w, "d-2", "d-4")
	w.now = w.now.Add(time.Second)
	w.deployNext("d-5")
	w.look()
	require.Equal(t, []string{"Blox Deployment State Change: d-4 completed", "Blox Deployment State Change: d-5 completed"}, w.told())
	require.Equal(t, []int64{1, 1, 1, 1, 1}, w.metrics.Of(metrics.DeploymentsEnded), "each once, also d-2, which is no news any more")
}

// heedfulBus takes what it is told after something has happened.
type heedfulBus struct {
	*announce.Memory
	before func()
}

func (b heedfulBus) Put(ctx context.Context, events []announce.Event) error {
	b.before()
	return b.Memory.Put(ctx, events)
}

func TestAWakeUpWhilePeopleAreToldTellsNothingAgain(t *testing.T) {
	w := newWorld(t)
	w.completes()
	w.told()
	w.deployNext("d-2") // of the same revision: there is nothing to do
	woken := 0
	w.driver.Announce = heedfulBus{&w.bus, func() {
		woken++
		require.NoError(t, w.newDriver("other").Drive(t.Context(), "env", w.instances(1)))
	}}
	w.look()
	require.Equal(t, 1, woken)
	require.Equal(t, []string{"Blox Deployment State Change: d-2 completed"}, w.told())
}

func TestTheEndOfADeletedEnvironmentsDeploymentIsStoredBeforeItIsTold(t *testing.T) {
	w := newWorld(t)
	w.markDeleting()
	var stored daemon.Deployment
	w.driver.Announce = heedfulBus{&w.bus, func() {
		var err error
		stored, err = w.daemon.Deployment(t.Context(), "env", "d-1")
		require.NoError(t, err)
	}}
	w.look()
	require.Equal(t, daemon.DeploymentStopped, stored.Status)
	require.Equal(t, w.now, stored.EndedAt.UTC())
	require.Equal(t, []string{"Blox Deployment State Change: d-1 stopped"}, w.told())
}

// slowBus takes nothing, and counts how often it is asked. Each time a wake-up comes before it answers.
type slowBus struct {
	asked  int
	wakeUp func()
}

func (b *slowBus) Put(context.Context, []announce.Event) error {
	if b.asked++; b.asked < 10 {
		b.wakeUp()
	}
	return context.DeadlineExceeded
}

// Each time the bus does not answer costs seconds, in which nobody else may work on the environment.
func TestABusThatDoesNotAnswerIsAskedOnce(t *testing.T) {
	w := newWorld(t)
	bus := &slowBus{wakeUp: func() { require.NoError(t, w.newDriver("other").Drive(t.Context(), "env", nil)) }}
	w.driver.Announce = bus
	w.host(1)
	w.look()
	require.Equal(t, 1, bus.asked, "and not after the look that the wake-up asked for")
	w.look()
	require.Equal(t, 2, bus.asked)
}

func TestAnEnvironmentThatIsAbandonedIsToldOfAllTheSame(t *testing.T) {
	w := newWorld(t, patient)
	w.host(1)
	w.look()
	w.told()
	w.now = t0.Add(30 * time.Minute)
	w.host(2)
	db := w.brittle()
	w.ecs.before = func(in *ecs.RunTaskInput) { // the first pass succeeds, and what it did asks for a second
		w.ecs.before = nil
		require.NoError(t, w.newDriver("other").Drive(t.Context(), "env", nil))
		db.queries = func(string) bool { return true }
	}
	require.NoError(t, w.state.PutSync(t.Context(), syncedAt(w.now)))
	require.ErrorIs(t, w.driver.Drive(t.Context(), "env", nil), errTable)
	require.Equal(t, []string{"Blox Deployment Stuck: d-1 running"}, w.told())
}

func TestEachWholeLookIsMeasuredOnce(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.look()
	require.Equal(t, []int64{0}, w.metrics.Of(metrics.HostsWithoutHealthyDaemon), "it has just begun")
	w.now = t0.Add(11 * time.Minute)
	w.look()
	require.Equal(t, []int64{0, 1}, w.metrics.Of(metrics.HostsWithoutHealthyDaemon))
	lines := w.metrics.Lines()
	require.Equal(t, []metrics.Property{{Key: "environment", Value: "log-agent"}, {Key: "environmentId", Value: "env"}}, lines[len(lines)-1].Properties)

	w = newWorld(t)
	w.completes()
	n := len(w.metrics.Lines())
	require.NoError(t, w.driver.Drive(t.Context(), "env", w.instances(1)))
	require.Len(t, w.metrics.Lines(), n, "a look at one host tells nothing of the whole")
}

// Ids sort by time, and two requests at the same moment may be stored in the other order.
func TestADeploymentThatWasOvertakenByAnOlderOneIsTold(t *testing.T) {
	w := newWorld(t)
	w.deployNext("d-3")
	w.deployNext("d-2")
	w.look()
	require.Equal(t, []string{
		"Blox Deployment State Change: d-3 superseded", "Blox Deployment State Change: d-1 superseded",
		"Blox Deployment State Change: d-2 completed",
	}, w.told())
}
