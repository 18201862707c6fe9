package drive

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
)

func surging(r *daemon.Revision) { r.DeploymentConfiguration.Method = daemon.ReplaceThenTerminate }

// surgingHost has one host whose daemon of revision 1 is to be replaced by one of revision 2 beside it.
func surgingHost(t *testing.T, revise ...func(*daemon.Revision)) *world {
	t.Helper()
	w := newWorld(t, append(revise, surging)...)
	w.completes()
	w.revise(func(*daemon.Revision) {})
	return w
}

// ecsSays makes ECS describe tasks of the host 1 as they are stored.
func (w *world) ecsSays(definitions map[string]string) {
	w.ecs.described = map[string]types.Task{}
	for arn, definition := range definitions {
		w.ecs.described[arn] = types.Task{
			TaskArn: aws.String(arn), ClusterArn: aws.String(cluster.ARN("")), Version: 9,
			DesiredStatus: aws.String("RUNNING"), LastStatus: aws.String("RUNNING"),
			Group: aws.String(daemon.Group("blox", "env")), StartedBy: aws.String(daemon.StartedBy("d-1")),
			ContainerInstanceArn: aws.String(w.slot(1).ContainerInstanceARN),
			TaskDefinitionArn:    aws.String("arn:aws:ecs:eu-west-1:210987654321:task-definition/" + definition),
		}
	}
}

func TestASurgeStartsTheNewTaskFirstAndStopsTheOldOneWhenItIsWell(t *testing.T) {
	w := surgingHost(t)
	old := w.slot(1).TaskARN
	w.look()
	require.Len(t, w.ecs.requests, 2)
	require.Empty(t, w.ecs.stopped, "the old one serves on")
	require.Len(t, w.ecs.requests[1].PlacementConstraints, 1, "distinctInstance would count the old one")
	slot := w.slot(1)
	require.Equal(t, daemon.SlotPlaced, slot.State)
	require.Equal(t, old, slot.Former.TaskARN)

	w.daemonIs(1, slot.TaskARN, 3, "RUNNING", "RUNNING", "log-agent:2")
	w.ecsSays(map[string]string{old: "log-agent:1"})
	describes := w.ecs.describes
	w.look()
	require.Equal(t, []string{old}, w.ecs.stopped)
	require.Equal(t, describes+1, w.ecs.describes, "it is described before")
	require.NotNil(t, w.slot(1).Former.StoppingAt)

	w.daemonIs(1, old, 10, "STOPPED", "STOPPED", "log-agent:1")
	w.look()
	require.Nil(t, w.slot(1).Former)
	require.Equal(t, daemon.DeploymentCompleted, w.deployment("d-2").Status)
	require.Equal(t, 2, w.environment().LastGoodRevision)
}

// Before one of two tasks is stopped, ECS is asked about the other one as well, which is to serve on: the news of its end
// may be late.
func TestASurgeStopsNothingForTheSakeOfATaskThatIsDead(t *testing.T) {
	w := surgingHost(t)
	old := w.slot(1).TaskARN
	w.look()
	young := w.slot(1).TaskARN
	w.daemonIs(1, young, 3, "RUNNING", "RUNNING", "log-agent:2")
	w.ecsSays(map[string]string{old: "log-agent:1", young: "log-agent:2"})
	dead := w.ecs.described[young]
	dead.LastStatus, dead.DesiredStatus = aws.String("STOPPED"), aws.String("STOPPED")
	w.ecs.described[young] = dead
	w.look()
	require.Empty(t, w.ecs.stopped)
	require.Equal(t, old, w.slot(1).Former.TaskARN, "it serves on")
}

func TestTwoDriversThatSurgeStartOneTask(t *testing.T) {
	w := surgingHost(t)
	before := len(w.ecs.requests)
	w.ecs.before = func(in *ecs.RunTaskInput) {
		w.ecs.before = nil
		// The lease of the first expires while its call is on its way, and another driver takes over.
		w.now = w.now.Add(leaseHold + time.Second)
		require.NoError(t, w.newDriver("other").Drive(t.Context(), "env", nil))
	}
	w.look()
	require.GreaterOrEqual(t, len(w.ecs.requests), before+1)
	tokens := map[string]bool{}
	for _, in := range w.ecs.requests[before:] {
		tokens[*in.ClientToken] = true
	}
	require.Len(t, tokens, 1, "the second driver asks for the first one's task")
}

// A driver whose lease was taken over counted the hosts with two tasks before others made more.
func TestASurgeIsNotClaimedWithALostLease(t *testing.T) {
	w := newWorld(t, surging, func(r *daemon.Revision) { r.DeploymentConfiguration.MaxSurge = "2" })
	for n := range 2 {
		w.host(n)
	}
	w.look()
	for n := range 2 {
		w.runs(n)
	}
	w.look()
	require.Equal(t, daemon.DeploymentCompleted, w.deployment("d-1").Status)
	w.revise(func(*daemon.Revision) {})
	before := len(w.ecs.requests)
	w.ecs.before = func(*ecs.RunTaskInput) {
		w.ecs.before = nil
		w.now = w.now.Add(leaseHold + time.Second)
		_, _, err := w.daemon.AcquireLease(t.Context(), "env", "other", w.now, leaseHold)
		require.NoError(t, err)
	}
	require.NoError(t, w.state.PutSync(t.Context(), syncedAt(w.now)))
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Len(t, w.ecs.requests, before+1, "the call that was under way, and no other")
	require.Nil(t, w.slot(1).Former)
}

func TestAFormerTaskThatTheStoredStateDoesNotShowIsAskedAbout(t *testing.T) {
	w := surgingHost(t)
	w.look()
	slot := w.slot(1)
	slot.Former.TaskARN = "arn:aws:ecs:eu-west-1:210987654321:task/edge/unheard"
	slot.WakeAt = nil
	_, err := w.daemon.PutSlot(t.Context(), slot)
	require.NoError(t, err)
	w.daemonIs(1, slot.TaskARN, 3, "RUNNING", "RUNNING", "log-agent:2")
	w.now = w.now.Add(10 * time.Minute)
	w.look()
	require.Nil(t, w.slot(1).Former, "ECS does not know it any more")
	require.Equal(t, slot.TaskARN, w.slot(1).TaskARN, "what is proven dead is the former one")
}

// ECS lists both tasks of the host: the former one says nothing about the claim.
func TestAnOldClaimBesideAFormerTaskFindsItsOwn(t *testing.T) {
	w := surgingHost(t, patient)
	old := w.slot(1).TaskARN
	w.ecs.lose = true
	w.look()
	require.Equal(t, daemon.SlotClaimed, w.slot(1).State)
	const started = "arn:aws:ecs:eu-west-1:210987654321:task/edge/00000000000000000000000000000002"
	w.ecs.listed = []string{old, started}
	w.ecsSays(map[string]string{old: "log-agent:1", started: "log-agent:2"})
	w.now = w.now.Add(daemon.DefaultSettings().ClaimMaxAge)
	w.look()
	require.Equal(t, started, w.slot(1).TaskARN)
	require.Equal(t, old, w.slot(1).Former.TaskARN)
}
