package table_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

func deployment(env daemon.Environment, id, token string, at time.Time) daemon.Deployment {
	return daemon.Deployment{
		ID: id, EnvironmentID: env.ID, Revision: env.Revision, Token: token, Status: daemon.DeploymentPending, CreatedAt: at,
	}
}

func read(t *testing.T, d *table.Daemon, environmentID string) daemon.Environment {
	t.Helper()
	env, err := d.Environment(t.Context(), environmentID)
	require.NoError(t, err)
	return env
}

func TestCreateDeploymentPutsItInForce(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env := created(t, d, "e1", "log-agent")
		require.NoError(t, d.SetDue(t.Context(), env, after(600)))
		dep := deployment(env, "d1", "token-1", after(10))
		require.NoError(t, d.CreateDeployment(t.Context(), env, dep))
		now := read(t, d, "e1")
		require.Equal(t, "d1", now.DeploymentID)
		require.Equal(t, env.RecordVersion+1, now.RecordVersion)
		entries, err := d.Directory(t.Context())
		require.NoError(t, err)
		require.Equal(t, after(10).UnixMilli(), entries[0].DueAt, "it is begun at once")
		got, err := d.Deployment(t.Context(), "e1", "d1")
		require.NoError(t, err)
		dep.RecordVersion = 1
		require.Equal(t, dep, got)
		_, err = d.Deployment(t.Context(), "e1", "d2")
		require.ErrorIs(t, err, table.ErrNotFound)
	})
}

func TestATokenMakesOneDeployment(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env := created(t, d, "e1", "log-agent")
		_, err := d.DeploymentByToken(t.Context(), "e1", "token-1")
		require.ErrorIs(t, err, table.ErrNotFound)
		require.NoError(t, d.CreateDeployment(t.Context(), env, deployment(env, "d1", "token-1", after(10))))
		env = read(t, d, "e1")
		before := contents(t, db, name)
		require.ErrorIs(t, d.CreateDeployment(t.Context(), env, deployment(env, "d2", "token-1", after(11))), table.ErrConflict)
		require.Equal(t, before, contents(t, db, name))
		require.Equal(t, env, read(t, d, "e1"))
		got, err := d.DeploymentByToken(t.Context(), "e1", "token-1")
		require.NoError(t, err)
		require.Equal(t, "d1", got.ID)
		require.Equal(t, daemon.DeploymentPending, got.Status, "the refused one has not superseded it")

		created(t, d, "e2", "metrics")
		_, err = d.DeploymentByToken(t.Context(), "e2", "token-1")
		require.ErrorIs(t, err, table.ErrNotFound, "a token is an environment's")
	})
}

func TestCreateDeploymentOnlyOverWhatWasRead(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env := created(t, d, "e1", "log-agent")
		require.NoError(t, d.UpdateEnvironment(t.Context(), env, nil))
		require.ErrorIs(t, d.CreateDeployment(t.Context(), env, deployment(env, "d1", "token-1", after(10))), table.ErrConflict)
		_, err := d.Deployment(t.Context(), "e1", "d1")
		require.ErrorIs(t, err, table.ErrNotFound)
	})
}

func TestANewerDeploymentSupersedesAnUnfinishedOne(t *testing.T) {
	ended := after(15)
	becomes := map[daemon.DeploymentStatus]daemon.DeploymentStatus{
		daemon.DeploymentPending:     daemon.DeploymentSuperseded,
		daemon.DeploymentRunning:     daemon.DeploymentSuperseded,
		daemon.DeploymentPaused:      daemon.DeploymentSuperseded,
		daemon.DeploymentBaking:      daemon.DeploymentSuperseded,
		daemon.DeploymentRollingBack: daemon.DeploymentSuperseded,
		daemon.DeploymentCompleted:   daemon.DeploymentCompleted,
		daemon.DeploymentRolledBack:  daemon.DeploymentRolledBack,
		daemon.DeploymentFailed:      daemon.DeploymentFailed,
		daemon.DeploymentStopped:     daemon.DeploymentStopped,
	}
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		for status, want := range becomes {
			t.Run(string(status), func(t *testing.T) {
				id := "e-" + string(status)
				env := created(t, d, id, "n-"+string(status))
				first := deployment(env, "d1", "token-1", after(10))
				require.NoError(t, d.CreateDeployment(t.Context(), env, first))
				first.RecordVersion = 1
				first.Status = status
				if status.Ended() {
					first.EndedAt = &ended
				}
				first.PausedFor = daemon.PausedByPeople
				first = advanced(t, d, first)
				env = read(t, d, id)
				require.NoError(t, d.CreateDeployment(t.Context(), env, deployment(env, "d2", "token-2", after(20))))
				require.Equal(t, "d2", read(t, d, id).DeploymentID)

				got, err := d.Deployment(t.Context(), id, "d1")
				require.NoError(t, err)
				require.Equal(t, want, got.Status)
				require.NotNil(t, got.EndedAt)
				if status.Ended() {
					require.Equal(t, first, got)
					return
				}
				require.Equal(t, after(20), *got.EndedAt)
				require.Equal(t, first.RecordVersion+1, got.RecordVersion)
				require.Empty(t, got.PausedFor)
				_, err = d.AdvanceDeployment(t.Context(), first)
				require.ErrorIs(t, err, table.ErrConflict, "who has not seen the end")
			})
		}
	})
}

// No deployment may look unfinished for ever because its successor's maker died.
func TestCreateDeploymentAfterACrash(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		crashPoints(t, db, func(t *testing.T, dying *crashing, point int) {
			id := fmt.Sprint("e-", point)
			env := created(t, d, id, fmt.Sprint("n-", point))
			require.NoError(t, d.CreateDeployment(t.Context(), env, deployment(env, "d1", "token-1", after(10))))
			env = read(t, d, id)
			second := deployment(env, "d2", "token-2", after(20))
			err := table.NewDaemon(dying, name).CreateDeployment(t.Context(), env, second)
			if err != nil {
				require.ErrorIs(t, err, errCrash)
			}
			first, err := d.Deployment(t.Context(), id, "d1")
			require.NoError(t, err)
			inForce := read(t, d, id).DeploymentID
			require.Equal(t, inForce == "d1", !first.Status.Ended())
			_, err = d.DeploymentByToken(t.Context(), id, "token-2")
			require.Equal(t, inForce == "d2", err == nil)
		})
	})
}

func TestAdvanceDeploymentOnlyOverWhatWasRead(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env := created(t, d, "e1", "log-agent")
		dep := deployment(env, "d1", "token-1", after(10))
		_, err := d.AdvanceDeployment(t.Context(), dep)
		require.ErrorIs(t, err, table.ErrConflict, "there is none")
		require.NoError(t, d.CreateDeployment(t.Context(), env, dep))
		dep, err = d.Deployment(t.Context(), "e1", "d1")
		require.NoError(t, err)
		require.Equal(t, int64(1), dep.RecordVersion)

		paused := dep
		startedAt := after(11)
		dep.Status, dep.StartedAt = daemon.DeploymentRunning, &startedAt
		dep.Counts = daemon.Counts{Desired: 5, Updated: 2, Healthy: 4, Unavailable: 1}
		dep.FailedInstances = []daemon.FailedInstance{{Host: host("i-1"), Reason: "RESOURCE:MEMORY"}}
		stored := advanced(t, d, dep)
		require.Equal(t, int64(2), stored.RecordVersion)
		stored.RecordVersion = dep.RecordVersion
		require.Equal(t, dep, stored, "nothing else changed")

		paused.Status = daemon.DeploymentPaused
		_, err = d.AdvanceDeployment(t.Context(), paused)
		require.ErrorIs(t, err, table.ErrConflict, "who read it before the scheduler wrote it")
		paused, err = d.Deployment(t.Context(), "e1", "d1")
		require.NoError(t, err)
		require.Equal(t, daemon.DeploymentRunning, paused.Status)
		paused.Status = daemon.DeploymentPaused
		advanced(t, d, paused)
	})
}

// advanced is a deployment as it was stored, and as it is read.
func advanced(t *testing.T, d *table.Daemon, dep daemon.Deployment) daemon.Deployment {
	t.Helper()
	stored, err := d.AdvanceDeployment(t.Context(), dep)
	require.NoError(t, err)
	got, err := d.Deployment(t.Context(), dep.EnvironmentID, dep.ID)
	require.NoError(t, err)
	require.Equal(t, stored, got)
	return stored
}

func TestDeploymentsNewestFirst(t *testing.T) {
	const n = 7
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		created(t, d, "e1", "log-agent")
		page, next, err := d.Deployments(t.Context(), "e1", 10, "")
		require.NoError(t, err)
		require.Empty(t, page)
		require.Empty(t, next)
		var want []string
		for i := range n {
			env := read(t, d, "e1")
			id := fmt.Sprintf("d%d", i)
			require.NoError(t, d.CreateDeployment(t.Context(), env, deployment(env, id, "token-"+id, after(i))))
			want = append([]string{id}, want...)
		}
		for limit := 1; limit <= n+1; limit++ {
			var got []string
			after := ""
			for range n + 1 {
				page, next, err := d.Deployments(t.Context(), "e1", limit, after)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page), limit)
				for _, dep := range page {
					got = append(got, dep.ID)
				}
				if after = next; next == "" {
					break
				}
			}
			require.Empty(t, after)
			require.Equal(t, want, got, "limit %d", limit)
		}
	})
}

func TestADeploymentThatEndsMeanwhileIsNotSuperseded(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env := created(t, d, "e1", "log-agent")
		first := deployment(env, "d1", "token-1", after(10))
		require.NoError(t, d.CreateDeployment(t.Context(), env, first))
		first.RecordVersion = 1
		env = read(t, d, "e1")
		endedAt := after(15)
		first.Status, first.EndedAt = daemon.DeploymentCompleted, &endedAt
		slow := table.NewDaemon(&between{API: db, after: "GetItem", then: func() {
			first = advanced(t, d, first)
		}}, name)
		second := deployment(env, "d2", "token-2", after(20))
		require.ErrorIs(t, slow.CreateDeployment(t.Context(), env, second), table.ErrConflict)
		got, err := d.Deployment(t.Context(), "e1", "d1")
		require.NoError(t, err)
		require.Equal(t, first, got)
		require.NoError(t, d.CreateDeployment(t.Context(), env, second), "at the next try it is seen to have ended")
	})
}
