package table

import (
	"context"
	"errors"
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
	record, err := s.unpack(out.Item)
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
	return s.unpackAll(items)
}

// unpack reads an item as this reader sees it: how long it sees what is over is its own matter, whoever wrote it.
func (s *State) unpack(item Item) (state.Record, error) {
	record, err := unpackRecord(item)
	if record.Tombstone != nil {
		record.Tombstone.VisibleUntil = record.Tombstone.StoppedAt.Add(s.visibleFor)
	}
	return record, err
}

// unpackAll keeps a record whose detail cannot be read, with what stands beside it: one such record must not hide all
// others.
func (s *State) unpackAll(items []Item) ([]state.Record, error) {
	records := make([]state.Record, len(items))
	for i, item := range items {
		var err error
		if records[i], err = s.unpack(item); err != nil && !errors.Is(err, errDetail) {
			return nil, err
		}
	}
	return records, nil
}

// Cluster reads every record of a kind in a cluster, tombstones included, consistently. Of tasks there may be weeks of
// stopped ones: Living is for those.
func (s *State) Cluster(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Record, error) {
	var records []state.Record
	for shard := range shards(kind) {
		items, err := queryAll(ctx, s.db, &dynamodb.QueryInput{
			TableName: &s.name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
			ExpressionAttributeValues: Item{":pk": stringValue(partition(cluster, kind, shard))},
		})
		if err != nil {
			return nil, fmt.Errorf("reading the %ss of cluster %s: %w", kind, cluster, err)
		}
		unpacked, err := s.unpackAll(items)
		if err != nil {
			return nil, err
		}
		records = append(records, unpacked...)
	}
	return records, nil
}

// Living reads the records of a kind in a cluster that are not over. Index and records are read consistently: what was
// living before the call and still is, is returned, and what is returned was living when it was read. What is missing
// is over, or began meanwhile.
func (s *State) Living(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Record, error) {
	keys, err := s.LivingKeys(ctx, cluster, kind)
	if err != nil {
		return nil, err
	}
	records, err := s.GetMany(ctx, keys, true)
	return slices.DeleteFunc(records, func(r state.Record) bool { return r.Tombstone != nil }), err
}

// LivingKeys are the keys of what Living reads: of a large cluster, the records are more than a function can hold.
func (s *State) LivingKeys(ctx context.Context, cluster state.ClusterKey, kind state.Kind) ([]state.Key, error) {
	var keys []state.Key
	for _, span := range shardSpans(cluster, kind, livingWindows(kind)) {
		found, err := s.keysOf(ctx, &dynamodb.QueryInput{
			TableName: &s.name, IndexName: &span.index, ConsistentRead: aws.Bool(true),
			KeyConditionExpression: aws.String("pk = :pk AND byPhase BETWEEN :from AND :to"),
			ExpressionAttributeValues: Item{
				":pk": stringValue(span.partition), ":from": stringValue(span.from), ":to": stringValue(span.to),
			},
		})
		if err != nil {
			return nil, fmt.Errorf("reading the living %ss of cluster %s: %w", kind, cluster, err)
		}
		keys = append(keys, found...)
	}
	return keys, nil
}

// livingWindows are all phases but the last, which holds weeks of records that nobody wants here.
func livingWindows(kind state.Kind) []window {
	var windows []window
	for _, p := range phases(kind) {
		if !over(p) {
			windows = append(windows, window{phase: p})
		}
	}
	return windows
}

// TasksOnInstance reads the live tasks of a container instance.
func (s *State) TasksOnInstance(ctx context.Context, cluster state.ClusterKey, instanceID string) ([]state.Record, error) {
	return s.tasksBy(ctx, &dynamodb.QueryInput{
		TableName: &s.name, IndexName: aws.String(schema.ByInstance),
		KeyConditionExpression: aws.String("byInstance = :value AND begins_with(life, :live)"),
		ExpressionAttributeValues: Item{
			":value": stringValue(indexKey(cluster, instanceID)), ":live": stringValue(lifeLive + "/"),
		},
	})
}

// LiveTasksOfGroup reads the live tasks of a group.
func (s *State) LiveTasksOfGroup(ctx context.Context, cluster state.ClusterKey, group string) ([]state.Record, error) {
	return s.tasksBy(ctx, &dynamodb.QueryInput{
		TableName: &s.name, IndexName: aws.String(schema.ByGroup),
		KeyConditionExpression: aws.String("byGroup = :value AND begins_with(life, :live)"),
		ExpressionAttributeValues: Item{
			":value": stringValue(indexKey(cluster, group)), ":live": stringValue(lifeLive + "/"),
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
