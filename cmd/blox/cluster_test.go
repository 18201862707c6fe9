package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

func TestDescribeCluster(t *testing.T) {
	s := furnished(t)
	s.run("describe cluster core").golden("describe-cluster-new")
	key := state.ClusterKey{Account: eventtest.DefaultAccount, Region: eventtest.DefaultRegion, Name: "edge"}
	synced := s.now.Add(-90 * time.Second)
	require.NoError(t, s.state.PutSync(t.Context(), table.Cluster{
		Key:      key,
		SyncedAt: synced.UnixMilli(),
		Drift:    table.Drift{Missed: 2, Stale: 1},
		HeldBack: 60,
		Summary: &state.Summary{
			CountedAt: synced, LastEventAt: synced.Add(-time.Minute),
			Tasks: state.TaskSummary{
				Total: 120, ByStatus: []state.Count{{Name: "RUNNING", Count: 115}, {Name: "PENDING", Count: 5}},
				Families: []state.FamilyCount{
					{
						Family:         "web",
						Count:          90,
						Revisions:      []state.RevisionCount{{Revision: 4, Count: 80}, {Revision: 3, Count: 7}},
						OtherRevisions: 3,
					},
					{Count: 10, Revisions: []state.RevisionCount{{Count: 10}}},
				},
				OtherFamilies: 20,
			},
			Instances: state.InstanceSummary{
				Total:              12,
				ByStatus:           []state.Count{{Name: "ACTIVE", Count: 11}, {Name: "DRAINING", Count: 1}},
				ByAgentVersion:     []state.Count{{Name: "1.80.0", Count: 9}, {Count: 1}},
				OtherAgentVersions: 2,
				AgentDisconnected:  1,
				Resources: []state.ResourceSum{
					{Name: "CPU", Registered: 24576, Remaining: 1024.5},
					{Name: "MEMORY", Registered: 98304, Remaining: 512},
				},
			},
		},
	}))
	s.run("describe cluster edge").golden("describe-cluster")
	s.run("describe cluster nobody").fails(exitNotFound, "nobody")
}

func TestReconcile(t *testing.T) {
	s := furnished(t)
	s.run("reconcile edge").golden("reconcile")
	s.run("reconcile edge -o json").golden("reconcile-json")
	require.NotEqual(t, exitOK, s.run("reconcile nobody").code)
}

func TestTheServersVersion(t *testing.T) {
	got := newSession(t).run("version --server")
	require.Equal(t, exitOK, got.code, got.stderr)
	require.Regexp(
		t,
		`(?s)^blox \S+ \(go\S+, \w+/\w+\)\nServer: +1\.2\.3.*, go\S+\nAPI: +\S+\nInstallation: +test in 210987654321/eu-west-1\nRetention: +7 days\n$`,
		got.stdout,
	)
	require.Regexp(
		t,
		`(?s)"client": \{.*"server": \{.*"version": "1\.2\.3"`,
		newSession(t).run("version --server -o json").stdout,
	)
	require.NotContains(t, newSession(t).run("version -o json").stdout, "server")

	lines := versionLines(
		client.Version{
			Version:   "1",
			Commit:    "abc",
			GoVersion: "go1",
			Members:   []client.Place{{Account: "1", Region: "a"}, {Account: "2", Region: "b"}},
		},
	)
	require.Equal(t, line{"Server", "1 (abc), go1"}, lines[0])
	require.Equal(t, line{"Members", "1/a, 2/b"}, lines[3])
}

func TestTheEnvironmentOfATask(t *testing.T) {
	s := furnished(t)
	env, err := s.daemon.EnvironmentByName(t.Context(), "log-agent")
	require.NoError(t, err)
	require.Contains(t, s.run("get environments --started-by blox/"+env.DeploymentID).stdout, "log-agent")
	s.run("get environments --started-by somebody").fails(exitNotFound, "no environment of this installation started it")
}
