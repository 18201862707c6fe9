package table

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// Get reads one record, consistently. ErrNotFound: none was ever stored, or it has expired at now.
func (s *State) Get(ctx context.Context, key state.Key, now time.Time) (state.Record, error) {
	pk, sk := recordKey(key)
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.name, Key: itemKey(pk, sk), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return state.Record{}, fmt.Errorf("reading %s: %w", key, err)
	}
	if out.Item == nil {
		return state.Record{}, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	record, err := unpackRecord(out.Item)
	if err == nil && !visible(record, now) {
		return state.Record{}, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return record, err
}

// visible says whether readers may still see the record. DynamoDB's TTL deletes days late, and tombstones stay longer
// than they are shown.
func visible(r state.Record, now time.Time) bool {
	return r.Tombstone == nil || now.Before(r.Tombstone.VisibleUntil)
}

// GetMany reads records by key, in no order; missing ones are left out, tombstones are not.
func (s *State) GetMany(ctx context.Context, keys []state.Key, consistent bool) ([]state.Record, error) {
	raw := make([]Item, len(keys))
	for i, key := range keys {
		raw[i] = itemKey(recordKey(key))
	}
	items, err := getMany(ctx, s.db, s.name, raw, consistent)
	if err != nil {
		return nil, err
	}
	return unpackAll(items)
}

func unpackAll(items []Item) ([]state.Record, error) {
	records := make([]state.Record, len(items))
	for i, item := range items {
		var err error
		if records[i], err = unpackRecord(item); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// Cluster reads every record of a kind in a cluster, tombstones included, consistently. Of tasks there may be weeks of
// stopped ones: Living is for those.
func (s *State) Cluster(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Record, error) {
	var records []state.Record
	for shard := range schema.Shards {
		items, err := queryAll(ctx, s.db, &dynamodb.QueryInput{
			TableName: &s.name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
			ExpressionAttributeValues: Item{":pk": stringValue(partition(cluster, kind, shard))},
		})
		if err != nil {
			return nil, fmt.Errorf("reading the %ss of cluster %s: %w", kind, cluster, err)
		}
		unpacked, err := unpackAll(items)
		if err != nil {
			return nil, err
		}
		records = append(records, unpacked...)
	}
	return records, nil
}

// Living reads the records of a kind in a cluster that were not over when the index last heard of them. They are read
// by key, consistently, so what is returned is true now; what is missing may only be too new for the index.
func (s *State) Living(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Record, error) {
	over := state.TaskStopped
	if kind == state.KindContainerInstance {
		over = state.InstanceInactive
	}
	var keys []state.Key
	for shard := range schema.Shards {
		for _, side := range []string{"byStatus < :over", "byStatus > :over"} {
			found, err := s.keysOf(ctx, &dynamodb.QueryInput{
				TableName: &s.name, IndexName: aws.String(schema.ByStatus),
				KeyConditionExpression: aws.String("pk = :pk AND " + side),
				ExpressionAttributeValues: Item{
					":pk": stringValue(partition(cluster, kind, shard)), ":over": stringValue(statusBound(over, side)),
				},
			})
			if err != nil {
				return nil, fmt.Errorf("reading the living %ss of cluster %s: %w", kind, cluster, err)
			}
			keys = append(keys, found...)
		}
	}
	return s.GetMany(ctx, keys, true)
}

// statusBound is where the ids of a status begin or end in schema.ByStatus: "0" is the character after "/".
func statusBound(status, side string) string {
	if side == "byStatus < :over" {
		return status + "/"
	}
	return status + "0"
}

// TasksOnInstance reads the live tasks of a container instance.
func (s *State) TasksOnInstance(ctx context.Context, cluster state.ClusterKey, instanceID string) ([]state.Record, error) {
	return s.tasksBy(ctx, &dynamodb.QueryInput{
		TableName: &s.name, IndexName: aws.String(schema.ByInstance),
		KeyConditionExpression:    aws.String("byInstance = :value"),
		ExpressionAttributeValues: Item{":value": stringValue(indexKey(cluster, "instance", instanceID))},
	})
}

// LiveTasksOfGroup reads the live tasks of a group.
func (s *State) LiveTasksOfGroup(ctx context.Context, cluster state.ClusterKey, group string) ([]state.Record, error) {
	return s.tasksBy(ctx, &dynamodb.QueryInput{
		TableName: &s.name, IndexName: aws.String(schema.ByGroup),
		KeyConditionExpression: aws.String("byGroup = :value AND begins_with(phase, :live)"),
		ExpressionAttributeValues: Item{
			":value": stringValue(indexKey(cluster, "group", group)), ":live": stringValue(phaseLive),
		},
	})
}

// tasksBy finds keys in an index, which may lag, and reads the records themselves consistently.
func (s *State) tasksBy(ctx context.Context, in *dynamodb.QueryInput) ([]state.Record, error) {
	keys, err := s.keysOf(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("reading index %s: %w", aws.ToString(in.IndexName), err)
	}
	return s.GetMany(ctx, keys, true)
}

func (s *State) keysOf(ctx context.Context, in *dynamodb.QueryInput) ([]state.Key, error) {
	items, err := queryAll(ctx, s.db, in)
	if err != nil {
		return nil, err
	}
	keys := make([]state.Key, len(items))
	for i, item := range items {
		if keys[i], err = parseRecordKey(stringOf(item, schema.PartitionKey), stringOf(item, schema.SortKey)); err != nil {
			return nil, err
		}
	}
	return keys, nil
}
