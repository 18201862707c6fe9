package local

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

var edge = state.ClusterKey{Account: account, Region: region, Name: "edge"}

// story writes changes as the stream tells them.
type story struct {
	tale    *tale
	records map[state.Key]*state.Record
}

func newStory() *story { return &story{newTale(), map[state.Key]*state.Record{}} }

func (s *story) put(kind state.Kind, id string, edit func(*state.Record)) {
	key := state.Key{Kind: kind, Cluster: edge, ID: id}
	old := s.records[key]
	next := state.Record{Key: key}
	if old != nil {
		next = *old
	}
	next.Version++
	next.Event = &state.SourceDetail{Version: next.Version}
	edit(&next)
	s.records[key] = &next
	s.tale.change(table.RecordChange{Key: key, Old: old, New: &next})
}

func (s *story) host(n int, status string, connected bool) {
	s.put(state.KindContainerInstance, fmt.Sprintf("ci-%d", n), func(r *state.Record) {
		r.Instance = state.InstanceFields{Status: status, AgentConnected: connected, EC2InstanceID: fmt.Sprintf("i-%d", n)}
		if status == "INACTIVE" {
			r.Tombstone = &state.Tombstone{Gone: true}
		}
	})
}

func (s *story) task(id string, host int, group, lastStatus, desiredStatus string) {
	s.put(state.KindTask, id, func(r *state.Record) {
		r.Task = state.TaskFields{LastStatus: lastStatus, DesiredStatus: desiredStatus, Group: group, ContainerInstanceID: fmt.Sprintf("ci-%d", host)}
		if lastStatus == "STOPPED" {
			r.Tombstone = &state.Tombstone{}
		}
	})
}

func TestHostsAreToldByNameWhenTheyAreFew(t *testing.T) {
	s := newStory()
	for n := range 5 {
		s.host(n, "ACTIVE", true)
	}
	require.Equal(t, []string{"5 hosts joined (5 hosts now)"}, s.tale.lines(false))
	s.host(5, "ACTIVE", false)
	require.Empty(t, s.tale.lines(false), "a host has joined when its agent is connected")
	s.host(5, "ACTIVE", true)
	s.host(0, "DRAINING", true)
	s.host(1, "ACTIVE", false)
	require.Equal(t, []string{
		"host i-5 joined (6 hosts now)", "host i-0 is being drained", "host i-1 has lost its agent's connection",
	}, s.tale.lines(false))
	s.host(1, "ACTIVE", true)
	s.host(0, "INACTIVE", false)
	s.host(2, "INACTIVE", false)
	require.Equal(t, []string{"hosts i-0, i-2 left (4 hosts now)", "host i-1 is connected again"}, s.tale.lines(false))
	require.Empty(t, s.tale.lines(false), "nothing is told twice")
}

func TestEventsAreCountedOnceTheyHaveSettled(t *testing.T) {
	s := newStory()
	s.host(0, "ACTIVE", true)
	s.task("a", 0, "service:web", "RUNNING", "RUNNING")
	s.task("b", 0, "service:web", "STOPPED", "STOPPED")
	s.tale.lines(false)
	require.Equal(t, []string{"3 events stored: 1 host, 1 live task"}, s.tale.lines(true))
	for range manyEvents - 1 {
		s.host(0, "ACTIVE", true)
	}
	require.Empty(t, s.tale.lines(true))
	s.host(0, "ACTIVE", true)
	require.Equal(t, []string{"103 events stored: 1 host, 1 live task"}, s.tale.lines(true))

	described := state.Key{Kind: state.KindTask, Cluster: edge, ID: "c"}
	before := s.tale.stored
	s.tale.change(table.RecordChange{Key: described, New: &state.Record{Key: described, Version: 1, Described: &state.SourceDetail{Version: 1}}})
	require.Equal(t, before, s.tale.stored, "what reconcile saw is no event")
	require.Equal(t, 2, s.tale.live)
}

func TestADaemonAndItsDeployment(t *testing.T) {
	s := newStory()
	environment := func(deployment, status string) {
		s.tale.know([]client.Environment{{
			ID: "env", Name: "log-agent", DeploymentID: deployment, DeploymentStatus: status, RevisionContent: client.RevisionContent{
				Clusters: []string{edge.ARN(partition)}, LaunchType: "EC2",
				TaskDefinition: "arn:aws:ecs:us-east-1:123456789012:task-definition/log-agent:1",
			},
		}})
	}
	group := daemon.Group(installation, "env")
	for n := range 3 {
		s.host(n, "ACTIVE", true)
	}
	environment("", "")
	s.tale.lines(true)
	environment("d1", client.DeploymentPending)
	require.True(t, s.tale.unfinished())
	require.Equal(t, []string{"daemon log-agent on 0 of 3 hosts"}, s.tale.lines(true))

	environment("d1", client.DeploymentRunning)
	s.task("a", 0, group, "RUNNING", "RUNNING")
	s.task("b", 1, group, "PENDING", "RUNNING")
	s.task("c", 2, group, "RUNNING", "STOPPED")
	s.task("d", 2, "service:web", "RUNNING", "RUNNING")
	require.Equal(t, []string{"deployment of log-agent (log-agent:1) started"}, s.tale.lines(false), "no numbers while they move")
	require.Equal(t, []string{"daemon log-agent on 1 of 3 hosts"}, s.tale.lines(true))
	s.task("b", 1, group, "RUNNING", "RUNNING")
	s.task("e", 2, group, "RUNNING", "RUNNING")
	require.Equal(t, []string{"daemon log-agent on 3 of 3 hosts"}, s.tale.lines(false), "but the whole is told at once")
	environment("d1", client.DeploymentCompleted)
	require.False(t, s.tale.unfinished())
	require.Equal(t, []string{"deployment of log-agent (log-agent:1) completed"}, s.tale.lines(false))

	s.task("e", 2, group, "STOPPED", "STOPPED")
	require.Equal(t, []string{"host i-2 has lost its daemon log-agent", "daemon log-agent on 2 of 3 hosts"}, s.tale.lines(true))
	s.task("b", 1, group, "STOPPED", "STOPPED")
	s.task("f", 1, group, "RUNNING", "RUNNING")
	s.task("g", 2, group, "RUNNING", "RUNNING")
	require.Equal(t, []string{"host i-1 has lost its daemon log-agent", "daemon log-agent on 3 of 3 hosts"}, s.tale.lines(false), "the return is told even if nobody saw it gone")
	s.task("g", 2, group, "STOPPED", "STOPPED")
	environment("d2", client.DeploymentRunning)
	require.Equal(t, []string{"deployment of log-agent (log-agent:1) started"}, s.tale.lines(false), "a rollout stops daemons on purpose")
	s.host(2, "DRAINING", true)
	require.Equal(t, []string{"host i-2 is being drained", "daemon log-agent on 2 of 2 hosts"}, s.tale.lines(true))
}

func TestAnEnvironmentThatIsDeletedLosesItsDaemonsOnPurpose(t *testing.T) {
	s := newStory()
	s.host(0, "ACTIVE", true)
	s.task("a", 0, daemon.Group(installation, "env"), "RUNNING", "RUNNING")
	s.tale.lines(true)
	s.tale.know([]client.Environment{{ID: "env", Name: "log-agent", Status: "DELETING", DeploymentID: "d", DeploymentStatus: client.DeploymentStopped}})
	require.Equal(t, []string{"daemon log-agent is being deleted"}, s.tale.lines(true))
	s.task("a", 0, daemon.Group(installation, "env"), "STOPPED", "STOPPED")
	require.Empty(t, s.tale.lines(true))
}

func TestOtherHostsAreNotCounted(t *testing.T) {
	s := newStory()
	s.host(0, "ACTIVE", true)
	s.tale.know([]client.Environment{
		{ID: "a", Name: "elsewhere", RevisionContent: client.RevisionContent{
			Clusters: []string{state.ClusterKey{Account: account, Region: region, Name: "other"}.ARN(partition)}, LaunchType: "EC2",
		}},
		{ID: "b", Name: "outside", RevisionContent: client.RevisionContent{Clusters: []string{edge.ARN(partition)}, LaunchType: "EXTERNAL"}},
	})
	for _, e := range s.tale.environments {
		_, of := s.tale.reach(e)
		require.Zero(t, of, e.Name)
	}
}
