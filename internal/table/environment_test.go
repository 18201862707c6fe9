package table_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

var away = state.ClusterKey{Account: home.Account, Region: "us-gov-west-1", Name: "away"}

// environment is one on two clusters, as the API makes it, and its first revision.
func environment(id, name string) (daemon.Environment, daemon.Revision) {
	env := daemon.Environment{
		ID: id, Name: name, Status: daemon.EnvironmentActive, Clusters: []state.ClusterKey{home, away},
		Partition: "aws", Revision: 1, DeploymentToken: "token-1", CreatedAt: after(1), UpdatedAt: after(1),
	}
	rev := daemon.Revision{
		EnvironmentID: id, Number: 1, LaunchType: daemon.LaunchTypeEC2, CreatedAt: after(1),
		TaskDefinition:          "arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:12",
		DeploymentConfiguration: daemon.DefaultDeploymentConfiguration(),
	}
	return env, rev
}

// created is an environment that the table has.
func created(t *testing.T, d *table.Daemon, id, name string) daemon.Environment {
	t.Helper()
	env, rev := environment(id, name)
	require.NoError(t, d.CreateEnvironment(t.Context(), env, rev))
	env, err := d.Environment(t.Context(), id)
	require.NoError(t, err)
	return env
}

func TestCreateEnvironment(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env, rev := environment("e1", "log-agent")
		_, err := d.EnvironmentByName(t.Context(), env.Name)
		require.ErrorIs(t, err, table.ErrNotFound)
		require.NoError(t, d.CreateEnvironment(t.Context(), env, rev))

		env.RecordVersion = 1
		got, err := d.EnvironmentByName(t.Context(), env.Name)
		require.NoError(t, err)
		require.Equal(t, env, got)
		got, err = d.Environment(t.Context(), env.ID)
		require.NoError(t, err)
		require.Equal(t, env, got)
		revision, err := d.Revision(t.Context(), env.ID, 1)
		require.NoError(t, err)
		require.Equal(t, rev, revision)
		_, err = d.Revision(t.Context(), env.ID, 2)
		require.ErrorIs(t, err, table.ErrNotFound)
		_, err = d.Environment(t.Context(), "e2")
		require.ErrorIs(t, err, table.ErrNotFound)
	})
}

func TestCreateEnvironmentRefusesATakenName(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		created(t, d, "e1", "log-agent")
		before := contents(t, db, name)
		env, rev := environment("e2", "log-agent")
		require.ErrorIs(t, d.CreateEnvironment(t.Context(), env, rev), table.ErrExists)
		require.Equal(t, before, contents(t, db, name), "nothing of it is left")
	})
}

func TestDirectoryAndMembership(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		created(t, d, "e2", "metrics")
		created(t, d, "e1", "log-agent")
		entries, err := d.Directory(t.Context())
		require.NoError(t, err)
		due := after(1).UnixMilli()
		require.Equal(t, []table.DirectoryEntry{
			{ID: "e1", Name: "log-agent", DueAt: due, RecordVersion: 1}, {ID: "e2", Name: "metrics", DueAt: due, RecordVersion: 1},
		}, entries)

		for _, cluster := range []state.ClusterKey{home, away} {
			members, err := d.EnvironmentsOfCluster(t.Context(), cluster)
			require.NoError(t, err)
			require.Equal(t, []table.Membership{{ID: "e1"}, {ID: "e2"}}, members)
		}
		members, err := d.EnvironmentsOfCluster(t.Context(), state.ClusterKey{Account: home.Account, Region: home.Region, Name: "edg"})
		require.NoError(t, err)
		require.Empty(t, members)

		envs, err := d.Environments(t.Context(), []string{"e2", "gone", "e1", "e2"})
		require.NoError(t, err)
		names := make([]string, len(envs))
		for i, env := range envs {
			names[i] = env.Name
		}
		slices.Sort(names)
		require.Equal(t, []string{"log-agent", "metrics"}, names)
	})
}

func TestUpdateEnvironmentOnlyOverWhatWasRead(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		read := created(t, d, "e1", "log-agent")
		changed, rev := read, daemon.Revision{EnvironmentID: "e1", Number: 2, TaskDefinition: "td:13", CreatedAt: after(5)}
		changed.Revision, changed.UpdatedAt = 2, after(5)
		require.NoError(t, d.UpdateEnvironment(t.Context(), changed, &rev))
		now, err := d.Environment(t.Context(), "e1")
		require.NoError(t, err)
		require.Equal(t, 2, now.Revision)
		require.Equal(t, read.RecordVersion+1, now.RecordVersion)
		got, err := d.Revision(t.Context(), "e1", 2)
		require.NoError(t, err)
		require.Equal(t, rev, got)
		entries, err := d.Directory(t.Context())
		require.NoError(t, err)
		require.Equal(t, after(5).UnixMilli(), entries[0].DueAt, "a change is looked at at once")

		stale := read
		stale.Status = daemon.EnvironmentDeleting
		require.ErrorIs(t, d.UpdateEnvironment(t.Context(), stale, nil), table.ErrConflict)
		again := now
		require.ErrorIs(t, d.UpdateEnvironment(t.Context(), again, &rev), table.ErrConflict, "a revision never changes")
		unchanged, err := d.Environment(t.Context(), "e1")
		require.NoError(t, err)
		require.Equal(t, now, unchanged)
		now.Status = daemon.EnvironmentDeleting
		require.NoError(t, d.UpdateEnvironment(t.Context(), now, nil))
	})
}

func TestSetDue(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, name string) {
		d := table.NewDaemon(db, name)
		env := created(t, d, "e1", "log-agent")
		require.NoError(t, d.SetDue(t.Context(), env, after(600)))
		entries, err := d.Directory(t.Context())
		require.NoError(t, err)
		require.Equal(t, after(600).UnixMilli(), entries[0].DueAt)
		old := env
		old.ID = "e0" // had the name before
		require.NoError(t, d.SetDue(t.Context(), old, after(900)))
		gone := env
		gone.Name = "gone"
		require.NoError(t, d.SetDue(t.Context(), gone, after(900)))
		entries, err = d.Directory(t.Context())
		require.NoError(t, err)
		require.Equal(t, []table.DirectoryEntry{{ID: "e1", Name: "log-agent", DueAt: after(600).UnixMilli(), RecordVersion: 1}}, entries)

		changed := env
		changed.UpdatedAt = after(700)
		require.NoError(t, d.UpdateEnvironment(t.Context(), changed, nil))
		require.NoError(t, d.SetDue(t.Context(), env, after(900)), "who has not seen the change")
		entries, err = d.Directory(t.Context())
		require.NoError(t, err)
		require.Equal(t, after(700).UnixMilli(), entries[0].DueAt, "does not put it off")
	})
}

// contents are the keys of all that the DAEMON table can hold of the tests' environments, each "pk sk".
func contents(t *testing.T, db dynamo.API, name string) []string {
	t.Helper()
	partitions := []string{"environments", "cluster/" + home.String(), "cluster/" + away.String(), "environment/e1", "environment/e2"}
	var keys []string
	for _, pk := range partitions {
		out, err := db.Query(t.Context(), &dynamodb.QueryInput{
			TableName: &name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
			ExpressionAttributeValues: table.Item{":pk": &types.AttributeValueMemberS{Value: pk}},
		})
		require.NoError(t, err)
		for _, item := range out.Items {
			keys = append(keys, fmt.Sprint(pk, " ", item["sk"].(*types.AttributeValueMemberS).Value))
		}
	}
	return keys
}

// furnish gives an environment one of everything.
func furnish(t *testing.T, d *table.Daemon, env daemon.Environment) {
	t.Helper()
	dep := deployment(env, "d1", "token-1", after(2))
	require.NoError(t, d.CreateDeployment(t.Context(), env, dep))
	_, err := d.PutSlot(t.Context(), slot(env.ID, "i-1"))
	require.NoError(t, err)
	require.NoError(t, d.AppendTimeline(t.Context(), env.ID, table.TimelineEntry{At: after(3), DeploymentID: "d1", Kind: "start"}))
}

func TestStoresSayWhatFailed(t *testing.T) {
	onBoth(t, schema.Daemon, func(t *testing.T, db dynamo.API, _ string) {
		d, ctx := table.NewDaemon(db, "no-such-table"), context.Background()
		env, rev := environment("e1", "log-agent")
		env.DeploymentID = "d0"
		_, advanced := d.AdvanceDeployment(ctx, deployment(env, "d1", "t", start))
		_, revisions := d.Revisions(ctx, "e1", 10, 0)
		_, deleted := d.DeletedEnvironments(ctx, start)
		calls := map[string]error{
			"revisions of environment e1":         revisions,
			"listing deleted environments":        deleted,
			"log-agent out of 1 clusters":         d.DropClusters(ctx, env, []state.ClusterKey{away}),
			"timeline of environment e1":          d.AppendTimelineAll(ctx, "e1", []table.TimelineEntry{{At: start}}),
			"creating environment log-agent":      d.CreateEnvironment(ctx, env, rev),
			"updating environment log-agent":      d.UpdateEnvironment(ctx, env, nil),
			"removing environment log-agent":      d.RemoveEnvironment(ctx, env, start),
			"when environment log-agent is due":   d.SetDue(ctx, env, start),
			"deployment of environment log-agent": d.CreateDeployment(ctx, env, deployment(env, "d1", "t", start)),
			"progress of deployment d1":           advanced,
			"deleting the slot":                   d.DeleteSlot(ctx, slot("e1", "i-1")),
			"timeline of deployment d1":           d.AppendTimeline(ctx, "e1", table.TimelineEntry{At: start, DeploymentID: "d1"}),
			"dirty":                               d.MarkDirty(ctx, "e1", nil, start),
		}
		var missing *types.ResourceNotFoundException
		for what, err := range calls {
			require.ErrorContains(t, err, what)
			require.ErrorAs(t, err, &missing, what)
		}
	})
}
