package table

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// MaxClusters is how many clusters an environment may have: it is written together with its place in each of them, and a
// transaction of DynamoDB's ends at 100 items.
const MaxClusters = 90

// ErrTooManyClusters says that an environment would have more than MaxClusters.
var ErrTooManyClusters = fmt.Errorf("more than %d clusters", MaxClusters)

// Membership is an environment that has hosts in a cluster.
type Membership struct {
	ID string
	// WatchesTasks says that the environment is concerned by every task of the cluster, not only by its own: it releases
	// hosts that nothing else runs on, or takes over from a service or from a deleted environment of its name. Once set it stays while the environment is in the
	// cluster, since the revision that wants it may be the one that hosts keep, or go back to.
	WatchesTasks bool
}

type membershipItem struct {
	Name         string `json:"name"`
	WatchesTasks bool   `json:"watchesTasks,omitempty"`
}

func watchesTasks(rev daemon.Revision) bool { return rev.ReleaseIdleHosts || rev.MigrateFrom != "" }

// EnvironmentsOfCluster lists the environments that have hosts in the cluster, by id.
func (d *Daemon) EnvironmentsOfCluster(ctx context.Context, cluster state.ClusterKey) ([]Membership, error) {
	items, err := queryAll(ctx, d.db, &dynamodb.QueryInput{
		TableName: &d.name, KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: Item{":pk": stringValue(membershipPK(cluster))},
	})
	if err != nil {
		return nil, fmt.Errorf("listing environments of cluster %s: %w", cluster, err)
	}
	members := make([]Membership, len(items))
	for i, item := range items {
		var m membershipItem
		if err := decode(item, &m); err != nil {
			return nil, err
		}
		members[i] = Membership{ID: stringOf(item, schema.SortKey), WatchesTasks: m.WatchesTasks}
	}
	return members, nil
}

// DropClusters takes an environment out of clusters in which it has nothing any more. ErrConflict: the environment changed
// since it was read.
func (d *Daemon) DropClusters(ctx context.Context, env daemon.Environment, clusters []state.ClusterKey) error {
	kept := make([]state.ClusterKey, 0, len(env.Clusters))
	for _, cluster := range env.Clusters {
		if !slices.Contains(clusters, cluster) {
			kept = append(kept, cluster)
		}
	}
	env.Clusters = kept
	if err := d.update(ctx, env, nil); err != nil {
		return fmt.Errorf("taking environment %s out of %d clusters: %w", env.Name, len(clusters), err)
	}
	return nil
}

// memberships are the writes that bring an environment into the clusters that it did not have, out of those that it has no
// more, and let it watch their tasks if the new revision wants that. They go in the transaction that changes the
// environment: a cluster whose changes wake nobody is a cluster without daemons.
func (d *Daemon) memberships(ctx context.Context, env daemon.Environment, rev *daemon.Revision) ([]types.TransactWriteItem, error) {
	if err := checkClusters(env); err != nil {
		return nil, err
	}
	stored, err := d.Environment(ctx, env.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrConflict
	case err != nil:
		return nil, err
	case stored.RecordVersion != env.RecordVersion:
		return nil, ErrConflict
	}
	joins, watches := without(env.Clusters, stored.Clusters), rev != nil && (watchesTasks(*rev) || len(env.FormerIDs) > 0)
	if watches {
		joins = env.Clusters
	} else if len(joins) > 0 {
		if watches, err = d.watches(ctx, stored); err != nil {
			return nil, err
		}
	}
	var items []types.TransactWriteItem
	for _, cluster := range joins {
		item, err := encode(membershipPK(cluster), env.ID, membershipItem{Name: env.Name, WatchesTasks: watches})
		if err != nil {
			return nil, err
		}
		items = append(items, types.TransactWriteItem{Put: &types.Put{TableName: &d.name, Item: item}})
	}
	for _, cluster := range without(stored.Clusters, env.Clusters) {
		items = append(items, types.TransactWriteItem{Delete: &types.Delete{
			TableName: &d.name, Key: itemKey(membershipPK(cluster), env.ID),
		}})
	}
	if len(items) > MaxClusters {
		return nil, fmt.Errorf("%w change at once", ErrTooManyClusters)
	}
	return items, nil
}

// watches says whether an environment watches the tasks of its clusters, which it does in all of them or in none. One
// whose pattern matched no cluster yet goes by its newest revision.
func (d *Daemon) watches(ctx context.Context, env daemon.Environment) (bool, error) {
	if len(env.Clusters) == 0 {
		rev, err := d.Revision(ctx, env.ID, env.Revision)
		return watchesTasks(rev) || len(env.FormerIDs) > 0, err
	}
	var m membershipItem
	err := d.get(ctx, membershipPK(env.Clusters[0]), env.ID, &m)
	return m.WatchesTasks, err
}

func checkClusters(env daemon.Environment) error {
	if len(env.Clusters) > MaxClusters {
		return fmt.Errorf("%w: %d", ErrTooManyClusters, len(env.Clusters))
	}
	return nil
}

// without are the clusters of one list that are not in another.
func without(clusters, others []state.ClusterKey) []state.ClusterKey {
	var rest []state.ClusterKey
	for _, cluster := range clusters {
		if !slices.Contains(others, cluster) {
			rest = append(rest, cluster)
		}
	}
	return rest
}
