package table

import (
	"context"
	"fmt"
	"slices"
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
	if err == nil && !Visible(record, now) {
		return state.Record{}, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return record, err
}

// Visible says whether readers may still see the record. DynamoDB's TTL deletes days late, and tombstones stay longer
// than they are shown.
func Visible(r state.Record, now time.Time) bool {
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
	keys, err := s.LivingKeys(ctx, cluster, kind)
	if err != nil {
		return nil, err
	}
	return s.GetMany(ctx, keys, true)
}

// LivingKeys are the keys of what Living reads: of a large cluster, the records are more than a function can hold.
func (s *State) LivingKeys(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Key, error) {
	var keys []state.Key
	for shard := range schema.Shards {
		for _, r := range livingRanges(kind) {
			found, err := s.keysOf(ctx, &dynamodb.QueryInput{
				TableName: &s.name, IndexName: aws.String(schema.ByStatus),
				KeyConditionExpression: aws.String("pk = :pk AND byStatus BETWEEN :from AND :to"),
				ExpressionAttributeValues: Item{
					":pk":   stringValue(partition(cluster, kind, shard)),
					":from": stringValue(r.from), ":to": stringValue(r.to),
				},
			})
			if err != nil {
				return nil, fmt.Errorf("reading the living %ss of cluster %s: %w", kind, cluster, err)
			}
			keys = append(keys, found...)
		}
	}
	return keys, nil
}

type statusRange struct{ from, to string }

// livingRanges are what lies between the statuses of what is over, in schema.ByStatus: those hold weeks of records that
// nobody wants here. "0" is the character after "/", which ends a status.
func livingRanges(kind state.Kind) []statusRange {
	over := []string{state.TaskDeleted, state.TaskStopped}
	if kind == state.KindContainerInstance {
		over = []string{state.InstanceInactive}
	}
	var ranges []statusRange
	from := "/"
	for _, status := range over {
		ranges = append(ranges, statusRange{from, status + "/"})
		from = status + "0"
	}
	return append(ranges, statusRange{from, "~"}) // above all capitals
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

// tasksBy finds keys in an index, which may lag, and reads the records themselves consistently: those that are over by
// now are left out.
func (s *State) tasksBy(ctx context.Context, in *dynamodb.QueryInput) ([]state.Record, error) {
	keys, err := s.keysOf(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("reading index %s: %w", aws.ToString(in.IndexName), err)
	}
	records, err := s.GetMany(ctx, keys, true)
	return slices.DeleteFunc(records, func(r state.Record) bool { return r.Tombstone != nil }), err
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
