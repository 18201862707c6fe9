package drive

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
)

func TestSnapshotOfAnEnvironmentThatIsNotStored(t *testing.T) {
	w := newWorld(t)
	w.host(1, counts(2, 1, 0)...)
	w.other("5f1d7a39c6ce4f6fb3c1d8c1a5d3f000", 1)
	env, err := w.daemon.Environment(t.Context(), "env")
	require.NoError(t, err)
	env.ID, env.Name, env.DeploymentID = "new", "new", ""
	rev := daemon.Revision{EnvironmentID: "new", Number: 1, LaunchType: daemon.LaunchTypeEC2, ReleaseIdleHosts: true}
	s, err := w.driver.SnapshotOf(t.Context(), env, rev)
	require.NoError(t, err)
	require.True(t, s.Full)
	require.Nil(t, s.Deployment)
	require.Equal(t, rev, s.Revision)
	require.Len(t, s.Hosts, 1)
	require.True(t, s.Hosts[0].OtherTasksKnown, "counted because this revision would release idle hosts")
	require.Equal(t, 1, s.Hosts[0].OtherTasks)
	require.False(t, s.Clusters[cluster].SyncedAt.IsZero())
}

func TestConditionsAreThoseOfTheSnapshotAsItIs(t *testing.T) {
	w := newWorld(t)
	w.alarms.Set("errors", "ALARM")
	s, err := w.driver.Snapshot(t.Context(), "env")
	require.NoError(t, err)
	require.Nil(t, s.Alarms, "the stored revision names none")
	s.Revision.DeploymentConfiguration.Alarms = []string{"errors"}
	s.Revision.TaskDefinition = "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:2"
	w.ecs.inactive = map[string]bool{s.Revision.TaskDefinition: true}
	states, inactive := w.driver.Conditions(t.Context(), s)
	require.Equal(t, map[string]string{"errors": "ALARM"}, states)
	require.Equal(t, w.ecs.inactive, inactive)
}
