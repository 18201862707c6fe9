package drive

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/wakeup"
)

func TestEveryHostGetsOneDaemon(t *testing.T) {
	w := newWorld(t)
	for n := range 3 {
		w.host(n)
	}
	for range 3 {
		require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	}
	require.Len(t, w.ecs.requests, 3)
	for n := range 3 {
		require.Equal(t, daemon.SlotPlaced, w.slot(n).State)
	}
	deployment, err := w.daemon.Deployment(t.Context(), "env", "d-1")
	require.NoError(t, err)
	require.Equal(t, daemon.DeploymentRunning, deployment.Status, "no task was seen running yet")
	require.Equal(t, 3, deployment.Counts.Desired)
}

func TestTheClaimIsStoredBeforeECSIsCalled(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	called := false
	w.ecs.before = func(in *ecs.RunTaskInput) {
		called = true
		slot := w.slot(1)
		require.Equal(t, daemon.SlotClaimed, slot.State)
		stored, err := runTaskInput(slot.Request)
		require.NoError(t, err)
		require.Equal(t, asJSON(t, stored), asJSON(t, in))
	}
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.True(t, called)
}

func TestALostAnswerIsReplayedByteForByte(t *testing.T) {
	w := newWorld(t)
	w.host(1)
	w.ecs.lose = true
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Equal(t, daemon.SlotClaimed, w.slot(1).State)

	w.ecs.lose = false
	w.now = w.now.Add(unknownDelay)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Len(t, w.ecs.requests, 2)
	require.Equal(t, asJSON(t, w.ecs.requests[0]), asJSON(t, w.ecs.requests[1]))
	require.Len(t, w.ecs.tasks, 1, "one token, one task")
	require.Equal(t, daemon.SlotPlaced, w.slot(1).State)
	require.Equal(t, 1, w.slot(1).Attempt)
}

func TestADriverThatFindsALiveLeaseLeavesWord(t *testing.T) {
	w := newWorld(t)
	first, second := w.host(1), w.host(2)
	other := w.newDriver("other")
	w.ecs.before = func(*ecs.RunTaskInput) {
		w.ecs.before = nil
		// While the first driver is in its first call, a wake-up for another host comes to a second driver.
		require.NoError(t, other.Drive(t.Context(), "env", []state.Key{second}))
		require.Equal(t, daemon.Slot{}, w.slot(2), "only the lease's holder acts")
	}
	finishDeployment(t, w)
	require.NoError(t, w.driver.Drive(t.Context(), "env", []state.Key{first}))
	require.Equal(t, daemon.SlotPlaced, w.slot(1).State)
	require.Equal(t, daemon.SlotPlaced, w.slot(2).State, "the holder looks at what it was left word of")
}

// finishDeployment makes the environment steady, so that wake-ups for one host read that host alone.
func finishDeployment(t *testing.T, w *world) {
	t.Helper()
	deployment, err := w.daemon.Deployment(t.Context(), "env", "d-1")
	require.NoError(t, err)
	deployment.Status = daemon.DeploymentCompleted
	_, err = w.daemon.AdvanceDeployment(t.Context(), deployment)
	require.NoError(t, err)
}

func TestALeaseThatExpiredMakesTheNextDriverLookAtEverything(t *testing.T) {
	w := newWorld(t)
	first := w.host(1)
	w.host(2)
	finishDeployment(t, w)
	_, _, err := w.daemon.AcquireLease(t.Context(), "env", "dead", w.now, leaseHold)
	require.NoError(t, err)

	w.now = w.now.Add(leaseHold)
	require.NoError(t, w.driver.Drive(t.Context(), "env", []state.Key{first}))
	require.Equal(t, daemon.SlotPlaced, w.slot(2).State, "nobody knows what the dead driver had been told")
}

func TestASteadyEnvironmentLooksAtTheNamedHostAlone(t *testing.T) {
	w := newWorld(t)
	first := w.host(1)
	w.host(2)
	finishDeployment(t, w)
	require.NoError(t, w.driver.Drive(t.Context(), "env", []state.Key{first}))
	require.Equal(t, daemon.SlotPlaced, w.slot(1).State)
	require.Equal(t, daemon.Slot{}, w.slot(2))
}

func TestAnEnvironmentThatIsGoneIsNoError(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.driver.Drive(t.Context(), "no-such", nil))
}

func TestCallsBeyondTheBudgetWait(t *testing.T) {
	w := newWorld(t)
	w.driver.Modify = ecsapi.Share{PerSecond: 1, Burst: 2}
	for n := range 5 {
		w.host(n)
	}
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Len(t, w.ecs.requests, 2)
	require.Contains(t, w.wokenFor(), `{"environmentId":"env"}`, "the rest is looked at when there are calls again")

	w.now = w.now.Add(10 * time.Second)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Len(t, w.ecs.requests, 4)
}

func TestTickWakesWhatIsDue(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.driver.Tick(t.Context()))
	require.Equal(t, []string{`{"environmentId":"env"}`}, w.wokenFor())

	finishDeployment(t, w)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	w.sent = nil
	w.db.ResetConsumed()
	require.NoError(t, w.driver.Tick(t.Context()))
	require.Empty(t, w.sent, "a steady environment is due every ten minutes")
	require.LessOrEqual(t, w.db.Consumed().Read, 2.0)

	w.now = w.now.Add(fullPeriod)
	require.NoError(t, w.driver.Tick(t.Context()))
	require.Len(t, w.sent, 1)
}

// Lambda ends an invocation in the middle of whatever it does: the driver leaves in order before.
func TestWhenTheTimeIsNearlyUpTheNextInvocationGoesOn(t *testing.T) {
	w := newWorld(t)
	instance := w.host(1)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(deadlineMargin/2))
	defer cancel()
	require.NoError(t, w.driver.Drive(ctx, "env", []state.Key{instance}))
	require.Empty(t, w.ecs.requests, "there is no time to begin anything")
	require.Len(t, w.sent, 1)
	next, err := wakeup.Parse(w.sent[0].Body)
	require.NoError(t, err)
	require.Equal(t, wakeup.Wakeup{EnvironmentID: "env"}, next, "everything: nobody knows how far this one came")
	require.NoError(t, w.newDriver("next").Drive(t.Context(), "env", nil), "the lease was given back")
	require.Len(t, w.ecs.requests, 1)
}
