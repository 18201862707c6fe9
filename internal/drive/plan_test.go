package drive

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// outdatedHost has one host whose daemon is to be replaced by revision 2.
func outdatedHost(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.host(1)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	w.runs(1)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	env, err := w.daemon.Environment(t.Context(), "env")
	require.NoError(t, err)
	env.Revision, env.UpdatedAt = 2, w.now
	require.NoError(t, w.daemon.UpdateEnvironment(t.Context(), env, &daemon.Revision{
		EnvironmentID: "env", Number: 2, LaunchType: daemon.LaunchTypeEC2,
		TaskDefinition: "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:2",
	}))
	env, err = w.daemon.Environment(t.Context(), "env")
	require.NoError(t, err)
	require.NoError(t, w.daemon.CreateDeployment(t.Context(), env, daemon.Deployment{
		ID: "d-2", EnvironmentID: "env", Revision: 2, Token: "token-2", Status: daemon.DeploymentPending, CreatedAt: w.now,
	}))
	return w
}

// describedAs makes ECS answer with these statuses, at a version above the stored one.
func (w *world) describedAs(n int, desired, last string) {
	arn := w.slot(n).TaskARN
	w.ecs.described = map[string]types.Task{arn: {
		TaskArn: &arn, ClusterArn: aws.String(cluster.ARN("")), Version: 9, DesiredStatus: &desired, LastStatus: &last,
		Group: aws.String(daemon.Group("blox", "env")), StartedBy: aws.String(daemon.StartedBy("d-1")),
		ContainerInstanceArn: aws.String(w.slot(n).ContainerInstanceARN),
		TaskDefinitionArn:    aws.String("arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:1"),
	}}
}

func TestATaskIsDescribedBeforeItIsStopped(t *testing.T) {
	w := outdatedHost(t)
	arn := w.slot(1).TaskARN
	w.describedAs(1, "RUNNING", "RUNNING")
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Equal(t, []string{arn}, w.ecs.stopped)
	require.Equal(t, daemon.SlotStopping, w.slot(1).State)
}

func TestATaskThatECSSaysHasStoppedIsReplacedAndNotStopped(t *testing.T) {
	w := outdatedHost(t)
	w.describedAs(1, "STOPPED", "STOPPED")
	before := len(w.ecs.requests)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Empty(t, w.ecs.stopped)
	require.Len(t, w.ecs.requests, before+1, "its host gets the new revision at once")
	require.Equal(t, 2, w.slot(1).Revision)
}

func TestNothingIsStoppedThatCouldNotBeDescribed(t *testing.T) {
	w := outdatedHost(t)
	w.ecs.away = true
	w.sent = nil
	w.host(2) // and a host that needs a start
	before := len(w.ecs.requests)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Empty(t, w.ecs.stopped)
	require.Len(t, w.ecs.requests, before+1, "starts do not wait for it")
	require.Contains(t, w.wokenFor(), `{"environmentId":"env"}`, "the stop is tried again")
}

func TestWakeUpsForEverythingDoNotMultiply(t *testing.T) {
	w := outdatedHost(t)
	w.ecs.away = true
	w.sent = nil
	for range 5 {
		require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	}
	whole := 0
	for _, body := range w.wokenFor() {
		if body == `{"environmentId":"env"}` {
			whole++
		}
	}
	require.Equal(t, 1, whole, "one is under way: no other is sent")

	w.now = w.now.Add(unverifiedDelay)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	require.Len(t, w.wokenFor(), whole+1, "it has come, and the next is sent")
}

func TestAStartOnOneHostMakesTheWholeDueSoon(t *testing.T) {
	w := newWorld(t)
	finishDeployment(t, w)
	require.NoError(t, w.driver.Drive(t.Context(), "env", nil))
	due := func() time.Duration {
		directory, err := w.daemon.Directory(t.Context())
		require.NoError(t, err)
		return time.UnixMilli(directory[0].DueAt).Sub(w.now)
	}
	require.Equal(t, fullPeriod, due())
	instance := w.host(1)
	require.NoError(t, w.driver.Drive(t.Context(), "env", []state.Key{instance}))
	require.Equal(t, activePeriod, due(), "the counts of the whole are to become true again")
}
