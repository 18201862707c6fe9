package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/event/eventtest"
	"github.com/blox/blox/internal/table"
)

// twoRevisions has an environment whose second revision is being deployed after the first one completed.
func twoRevisions(t *testing.T) *session {
	s := newSession(t)
	require.NoError(t, s.state.PutSync(t.Context(), table.Cluster{Key: daemonCluster, SyncedAt: s.now.UnixMilli()}))
	s.store(eventtest.ContainerInstance())
	apply := func(text string) {
		s.run("apply -f " + s.file(text)).exits(exitOK)
		s.run("deploy log-agent").exits(exitOK)
		s.now = s.now.Add(time.Minute)
	}
	apply(manifestText)
	s.advance("log-agent", func(dep *daemon.Deployment) {
		dep.Status, dep.EndedAt = daemon.DeploymentCompleted, &s.now
		dep.Counts = daemon.Counts{Desired: 20, Updated: 20, Healthy: 20}
	})
	s.lastGood("log-agent", 1)
	apply(strings.Replace(manifestText, "log-agent:12", "log-agent:13", 1) + "  canary: {hosts: 10%}\n")
	started := s.now
	s.advance("log-agent", func(dep *daemon.Deployment) {
		dep.Status, dep.StartedAt = daemon.DeploymentRunning, &started
		dep.Counts = daemon.Counts{Desired: 20, Updated: 3, Healthy: 19}
	})
	return s
}

func TestRolloutVerbs(t *testing.T) {
	s := twoRevisions(t)
	s.run("rollout pause log-agent --reason lunch").golden("rollout-pause")
	s.run("rollout status log-agent --watch=false").golden("rollout-paused")
	s.run("rollout resume log-agent").golden("rollout-resume")
	s.run("rollout resume log-agent").fails(exitFailed, "cannot resume")
	s.run("rollout promote log-agent").exits(exitOK)
	s.run("rollout history log-agent").golden("rollout-history")
	s.run("diff log-agent --from 1").golden("diff")
	s.run("diff log-agent").exits(exitOK)
	s.run("rollout undo log-agent").golden("rollout-undo")
	s.run("rollout undo log-agent --to 7").fails(exitNotFound, "revision 7")
	s.run("describe deployment log-agent").golden("describe-rolling-back")
	s.run("rollout stop log-agent --reason enough").golden("rollout-stop")
	s.run("rollout status log-agent").golden("rollout-status-stopped")
	s.run("rollout restart log-agent").exits(exitOK)
	s.run("rollout pause nope").fails(exitNotFound, "nope")
}

func TestRolloutVerbsCheckWhatTheyAreGiven(t *testing.T) {
	s := newSession(t)
	for line, want := range map[string]string{
		"rollout":                                 "what to rollout is missing: allowed are history, pause, promote, restart, resume, status, stop, undo",
		"rollout undo a --to 0":                   "--to 0: allowed is the number of a revision, from 1",
		"rollout undo a --timeout 0s":             "--timeout 0s: allowed is a time",
		"rollout status":                          "0 arguments",
		"diff a --from -1":                        "--from -1: allowed is the number of a revision",
		"plan":                                    "allowed is either a NAME or -f FILE",
		"plan a -f b":                             "allowed is either a NAME or -f FILE",
		"explain env a":                           "1 arguments",
		"get hosts a b --state failing":           "--state and a HOST were given",
		"get hosts a --state bogus":               "--state bogus: allowed are healthy, settling",
		"get environment a --status active":       "allowed with a name is --status deleted",
		"migrate a":                               "which cluster service \"a\" is in is not known",
		"migrate a --cluster b --yes":             "of use with --back only",
		"migrate a --cluster b --back -f c":       "with --back allowed is --as",
		"migrate a --cluster b --as c -f d":       "-f and --as were given",
		"migrate a --cluster b --host-timeout 0s": "--host-timeout 0s",
	} {
		t.Run(line, func(t *testing.T) { s.run(line).fails(exitUsage, want) })
	}
}

func TestStatusWaitsForTheEnd(t *testing.T) {
	for status, want := range map[daemon.DeploymentStatus]struct {
		code int
		says string
	}{
		daemon.DeploymentCompleted:  {exitOK, ""},
		daemon.DeploymentFailed:     {exitFailed, "failed (too many hosts failed)"},
		daemon.DeploymentRolledBack: {exitFailed, "was rolled back to revision 1 (too many hosts failed)"},
		daemon.DeploymentStopped:    {exitFailed, "was stopped before every host had revision 2"},
	} {
		t.Run(string(status), func(t *testing.T) {
			s := twoRevisions(t)
			s.onPause = func() {
				s.advance("log-agent", func(dep *daemon.Deployment) {
					dep.Status, dep.Counts.Updated = status, 20
					if want.says != "" {
						dep.Reason, dep.RollbackTo = "too many hosts failed", 1
					}
				})
			}
			got := s.run("rollout status log-agent")
			require.Equal(t, want.code, got.code, got.stderr)
			require.Contains(t, got.stderr, want.says)
			require.Contains(t, got.stdout, "running: 3 of 20 hosts updated")
		})
	}
}

// A pipeline that runs again after its deployment was turned back must not read success in what it is told.
func TestWhatWasDeployedBeforeIsDeployedAgainOnlyIfAskedFor(t *testing.T) {
	s := twoRevisions(t)
	ends := func(status daemon.DeploymentStatus) {
		s.advance("log-agent", func(dep *daemon.Deployment) {
			dep.Status, dep.EndedAt, dep.RollbackTo, dep.Reason = status, &s.now, 1, "too many hosts failed"
		})
	}
	ends(daemon.DeploymentRolledBack)
	for _, line := range []string{"deploy log-agent", "deploy log-agent --dry-run", "deploy log-agent --wait"} {
		s.run(line).fails(exitFailed, "nothing was done: revision 2 of log-agent was deployed before", "is rolledBack (too many hosts failed)", "--again")
	}
	require.Contains(t, s.run("deploy log-agent --again --dry-run").stdout, "plan of log-agent, revision 2")
	require.Contains(t, s.run("deploy log-agent --again").stdout, "of log-agent, revision 2 (log-agent:13): pending")
	require.Contains(t, s.run("deploy log-agent").stderr, "nothing was done", "the token's is the first")
	s.advance("log-agent", func(dep *daemon.Deployment) { dep.Status, dep.EndedAt = daemon.DeploymentFailed, &s.now })
	require.Contains(t, s.run("deploy log-agent --again").stdout, "revision 2 (log-agent:13): pending", "and once more")
}

func TestWhatIsDeployedAlreadyIsSaidSo(t *testing.T) {
	s := twoRevisions(t)
	s.advance("log-agent", func(dep *daemon.Deployment) { dep.Status, dep.EndedAt = daemon.DeploymentCompleted, &s.now })
	got := s.run("deploy log-agent --wait")
	got.exits(exitOK)
	require.Contains(t, got.stdout, "revision 2 of log-agent is deployed")
	s.run("deploy log-agent --again").fails(exitFailed, "Revision 2 of environment log-agent is the one that is deployed: restart")
	s.run("rollout undo log-agent --to 1").exits(exitOK)
	s.run("deploy log-agent").fails(exitFailed, "is completed, and revision 1 was deployed since")
}

func TestWhoeverWaitsIsToldThatTheEnvironmentIsFrozen(t *testing.T) {
	s := twoRevisions(t)
	require.NotContains(t, s.run("rollout status log-agent --watch=false").stderr, "frozen")
	s.run("freeze log-agent --reason audit").exits(exitOK)
	for _, line := range []string{"rollout status log-agent --watch=false", "deploy log-agent", "rollout restart log-agent"} {
		got := s.run(line)
		got.exits(exitOK)
		require.Contains(t, got.stderr, "environment log-agent is frozen since", line)
		require.Contains(t, got.stderr, "audit; nothing is done for it until: blox thaw log-agent", line)
	}
	require.Contains(t, s.run("get environments").stdout, "pending, frozen")
}

func TestPlanSaysThatTheNewestRevisionIsNotDeployed(t *testing.T) {
	s := twoRevisions(t)
	require.NotContains(t, s.run("plan log-agent").stderr, "not deployed")
	s.run("apply -f " + s.file(strings.Replace(manifestText, "log-agent:12", "log-agent:14", 1))).exits(exitOK)
	require.Contains(t, s.run("plan log-agent").stderr, "revision 3 is not deployed")
}

func TestUndoWaitsForTheRollback(t *testing.T) {
	s := twoRevisions(t)
	s.onPause = func() {
		s.advance("log-agent", func(dep *daemon.Deployment) { dep.Status = daemon.DeploymentRolledBack })
	}
	s.run("rollout undo log-agent --wait").exits(exitOK)
}

func TestStatusSaysWhatCanariesWaitFor(t *testing.T) {
	s := twoRevisions(t)
	s.advance("log-agent", func(dep *daemon.Deployment) {
		dep.Status, dep.PausedFor = daemon.DeploymentPaused, daemon.PausedByCanary
	})
	got := s.run("rollout status log-agent --timeout 3s")
	got.exits(exitFailed)
	require.Contains(t, got.stdout, "the canaries wait for: blox rollout promote log-agent")
	require.Contains(t, got.stderr, "is still paused after 3s")
}

func TestFreezeAndThaw(t *testing.T) {
	s := twoRevisions(t)
	s.run("freeze log-agent --reason audit").succeeds("environment log-agent is frozen; let it go with: blox thaw log-agent\n")
	require.Regexp(t, `Frozen: +since 2026-.*: audit\n`, s.run("describe environment log-agent").stdout)
	s.run("thaw log-agent").succeeds("environment log-agent is thawed\n")
	require.NotContains(t, s.run("describe environment log-agent").stdout, "Frozen")
}

func TestDescribeShowsAllOfAnEnvironment(t *testing.T) {
	s := newSession(t)
	require.NoError(t, s.state.AddCluster(t.Context(), daemonCluster))
	text := everyField
	for _, without := range []string{
		"migrateFrom: log-agent\n", "copyTaskDefinition: true\n", "networkConfiguration:\n  subnets: [subnet-1]\n  securityGroups: [sg-1, sg-2]\n",
		"  minimumHealthyPercent: 0\n", `hosts: "2", `,
	} {
		require.Contains(t, text, without)
		text = strings.Replace(text, without, "", 1)
	}
	s.run("apply -f " + s.file(text)).exits(exitOK)
	s.run("describe environment log-agent").golden("describe-everything")
}

func TestPlansChangeNothing(t *testing.T) {
	s := twoRevisions(t)
	before := s.run("describe environment log-agent").stdout + s.run("get deployments log-agent").stdout
	changed := strings.Replace(manifestText, "log-agent:12", "log-agent:14", 1)
	s.run("plan log-agent").golden("plan")
	s.run("plan -f " + s.file(changed)).exits(exitOK)
	for _, line := range []string{
		"apply -f " + s.file(changed) + " --dry-run", "deploy log-agent --dry-run", "rollout restart log-agent --dry-run",
		"rollout undo log-agent --dry-run", "rollout stop log-agent --dry-run", "rollout pause log-agent --dry-run",
		"rollout promote log-agent --dry-run", "delete environment log-agent --terminate-tasks --dry-run",
	} {
		got := s.run(line)
		require.Equal(t, exitOK, got.code, "%s: %s", line, got.stderr)
		require.Contains(t, got.stdout, "plan of log-agent", line)
	}
	require.Equal(t, before, s.run("describe environment log-agent").stdout+s.run("get deployments log-agent").stdout)
	s.run("plan -f "+s.file(strings.Replace(changed, "log-agent:14", "nope:1", 1))).fails(exitNotFound, "environment log-agent: task definition nope:1")
}

func TestHostsAreShownAndExplained(t *testing.T) {
	s := twoRevisions(t)
	s.run("get hosts log-agent").golden("get-hosts")
	s.run("explain env log-agent " + eventtest.DefaultInstanceID).golden("explain-host")
	s.run("explain env log-agent i-nope").fails(exitNotFound, "i-nope")
	require.Contains(t, s.run("get hosts log-agent --state failing").stderr, "nothing found")
}

func TestDeletedEnvironmentsAreShownForADay(t *testing.T) {
	s := newSession(t)
	s.run("apply -f " + s.file(manifestText)).exits(exitOK)
	require.Contains(t, s.run("get environments --status active").stdout, "log-agent")
	require.Contains(t, s.run("get environments --status deleted").stderr, "nothing found")
	s.run("get environments --status broken").exits(exitUsage)
}

func TestOrphansAreTasksThatNobodyOwns(t *testing.T) {
	s := twoRevisions(t)
	env, err := s.daemon.EnvironmentByName(t.Context(), "log-agent")
	require.NoError(t, err)
	require.Contains(t, s.run("orphans").stderr, "nothing found")
	s.store(eventtest.Task(eventtest.ID("1"+eventtest.DefaultTaskID[1:]), eventtest.StartedBy(daemon.StartedBy(env.DeploymentID))))
	s.store(eventtest.Task(eventtest.ID("2"+eventtest.DefaultTaskID[1:]), eventtest.StartedBy("ecs-svc/1")))
	require.Contains(t, s.run("orphans").stderr, "nothing found", "one has an owner, the other is not of Blox")
	s.store(eventtest.Task(eventtest.ID("3"+eventtest.DefaultTaskID[1:]), eventtest.StartedBy(daemon.StartedBy("00000000-0000-7000-8000-00000000dead"))))
	s.run("orphans").golden("orphans")

	env, err = s.daemon.EnvironmentByName(t.Context(), "log-agent")
	require.NoError(t, err)
	env.FormerIDs = []string{"00000000-0000-7000-8000-00000000beef"}
	require.NoError(t, s.daemon.UpdateEnvironment(t.Context(), env, nil))
	s.store(eventtest.Task(eventtest.ID("4"+eventtest.DefaultTaskID[1:]), eventtest.StartedBy(daemon.StartedBy("00000000-0000-7000-8000-00000000feed")),
		eventtest.Group("blox:blox:00000000-0000-7000-8000-00000000beef")))
	s.run("orphans").golden("orphans") // that one is taken over
}
