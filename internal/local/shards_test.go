package local

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/stretchr/testify/require"
)

// fakeStreams holds shards; an iterator is "shard/next index", and every call hands out one record.
type fakeStreams struct {
	shards    []types.Shard
	records   map[string][]string
	closed    map[string]bool
	expire    map[string]bool // iterators that have expired, once
	pageAfter int
	fail      error
}

func (f *fakeStreams) DescribeStream(_ context.Context, in *dynamodbstreams.DescribeStreamInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	shards := f.shards
	d := &types.StreamDescription{}
	for i, s := range shards {
		if in.ExclusiveStartShardId != nil && *s.ShardId == *in.ExclusiveStartShardId {
			shards = shards[i+1:]
			break
		}
	}
	if f.pageAfter > 0 && len(shards) > f.pageAfter {
		shards = shards[:f.pageAfter]
		d.LastEvaluatedShardId = shards[f.pageAfter-1].ShardId
	}
	d.Shards = shards
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: d}, nil
}

func (f *fakeStreams) GetShardIterator(_ context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	next := "0"
	if in.ShardIteratorType == types.ShardIteratorTypeAfterSequenceNumber {
		next = *in.SequenceNumber // records are numbered from 1, so this is the index of the next
	}
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: aws.String(*in.ShardId + "/" + next)}, nil
}

func (f *fakeStreams) GetRecords(_ context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	if f.fail != nil {
		return nil, f.fail
	}
	if f.expire[*in.ShardIterator] {
		delete(f.expire, *in.ShardIterator)
		return nil, &types.ExpiredIteratorException{}
	}
	shard, index, _ := strings.Cut(*in.ShardIterator, "/")
	n := int(index[0] - '0')
	out := &dynamodbstreams.GetRecordsOutput{NextShardIterator: in.ShardIterator}
	if n < len(f.records[shard]) {
		next := string(rune('0' + n + 1))
		out.Records = []types.Record{{
			EventName: types.OperationTypeInsert,
			Dynamodb:  &types.StreamRecord{SequenceNumber: aws.String(next), Keys: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: f.records[shard][n]}}},
		}}
		out.NextShardIterator = aws.String(shard + "/" + next)
		return out, nil
	}
	if f.closed[shard] {
		out.NextShardIterator = nil
	}
	return out, nil
}

func shard(id, parent string) types.Shard {
	s := types.Shard{ShardId: aws.String(id)}
	if parent != "" {
		s.ParentShardId = aws.String(parent)
	}
	return s
}

// rounds reads n times, a second apart, and returns the keys that came.
func rounds(t *testing.T, r *reader, n int) (keys []string) {
	t.Helper()
	r.places = map[string]*place{}
	r.emit = func(record events.DynamoDBEventRecord) { keys = append(keys, record.Change.Keys["pk"].String()) }
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for range n {
		_, err := r.round(t.Context(), now)
		require.NoError(t, err)
		now = now.Add(time.Second)
	}
	return keys
}

func TestAParentIsReadBeforeItsChildren(t *testing.T) {
	api := &fakeStreams{
		shards:    []types.Shard{shard("child", "parent"), shard("orphan", "forgotten"), shard("parent", "")},
		records:   map[string][]string{"parent": {"p1", "p2"}, "child": {"c1"}, "orphan": {"o1"}},
		closed:    map[string]bool{"parent": true},
		pageAfter: 1,
	}
	require.Equal(t, []string{"o1", "p1", "p2", "c1"}, rounds(t, &reader{api: api, arn: "arn", log: quiet}, 6))
}

func TestAnExpiredIteratorIsReplaced(t *testing.T) {
	api := &fakeStreams{
		shards: []types.Shard{shard("s", "")}, records: map[string][]string{"s": {"1", "2", "3"}},
		expire: map[string]bool{"s/0": true, "s/2": true},
	}
	require.Equal(t, []string{"1", "2", "3"}, rounds(t, &reader{api: api, arn: "arn", log: quiet}, 8))
}

func TestAReaderSaysWhichShardFailed(t *testing.T) {
	r := &reader{api: &fakeStreams{shards: []types.Shard{shard("s", "")}, fail: errors.New("boom")}, arn: "arn", log: quiet, places: map[string]*place{}}
	_, err := r.round(t.Context(), time.Now())
	require.EqualError(t, err, "reading shard s: boom")
}
