package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/blox/blox/internal/streamrecord"
)

// streamsAPI is the calls of DynamoDB Streams that a reader makes.
type streamsAPI interface {
	DescribeStream(ctx context.Context, in *dynamodbstreams.DescribeStreamInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(ctx context.Context, in *dynamodbstreams.GetShardIteratorInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

var _ streamsAPI = (*dynamodbstreams.Client)(nil)

const (
	// maxShardPages bounds a DescribeStream: 100 shards a page.
	maxShardPages = 100
	// shardsPeriod is how often new shards are looked for; a shard takes no more than four hours of changes.
	shardsPeriod = 10 * time.Second
	// idlePause is the wait after a round without records: Lambda polls a stream four times a second.
	idlePause  = 100 * time.Millisecond
	errorPause = time.Second
)

// reader follows all shards of a table's stream, a parent before its children, so that the changes of one item come in
// their order.
type reader struct {
	api  streamsAPI
	arn  string
	emit func(events.DynamoDBEventRecord)
	log  *slog.Logger

	shards   []types.Shard
	places   map[string]*place
	listedAt time.Time
}

// place is how far a shard has been read.
type place struct {
	iterator string
	last     string // sequence number of the last record
	ended    bool
}

// run reads until ctx ends.
func (r *reader) run(ctx context.Context, now func() time.Time) {
	r.places = map[string]*place{}
	for ctx.Err() == nil {
		n, err := r.round(ctx, now())
		switch {
		case err != nil && ctx.Err() == nil:
			r.log.Warn("reading the table's stream failed and is tried again", "error", err)
			pause(ctx, errorPause)
		case n == 0:
			pause(ctx, idlePause)
		}
	}
}

// round reads once from every open shard and says how many records came.
func (r *reader) round(ctx context.Context, now time.Time) (records int, err error) {
	if now.Sub(r.listedAt) >= shardsPeriod {
		if err := r.list(ctx); err != nil {
			return 0, err
		}
		r.listedAt = now
	}
	for _, shard := range r.shards {
		id := aws.ToString(shard.ShardId)
		at := r.places[id]
		if at.ended || r.parentOpen(shard) {
			continue
		}
		n, err := r.read(ctx, id, at)
		records += n
		if err != nil {
			return records, fmt.Errorf("reading shard %s: %w", id, err)
		}
		if at.ended {
			r.listedAt = time.Time{} // its children are there now
		}
	}
	return records, nil
}

func (r *reader) parentOpen(shard types.Shard) bool {
	parent, known := r.places[aws.ToString(shard.ParentShardId)]
	return known && !parent.ended
}

func (r *reader) list(ctx context.Context) error {
	var shards []types.Shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &r.arn}
	for range maxShardPages {
		out, err := r.api.DescribeStream(ctx, in)
		if err != nil {
			return fmt.Errorf("listing the shards of stream %s: %w", r.arn, err)
		}
		shards = append(shards, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			r.shards = shards
			r.keepPlaces()
			return nil
		}
	}
	return fmt.Errorf("listing the shards of stream %s: more than %d pages", r.arn, maxShardPages)
}

// keepPlaces forgets shards that DynamoDB has forgotten.
func (r *reader) keepPlaces() {
	places := make(map[string]*place, len(r.shards))
	for _, shard := range r.shards {
		id := aws.ToString(shard.ShardId)
		if places[id] = r.places[id]; places[id] == nil {
			places[id] = &place{}
		}
	}
	r.places = places
}

func (r *reader) read(ctx context.Context, shard string, at *place) (int, error) {
	if at.iterator == "" {
		in := &dynamodbstreams.GetShardIteratorInput{
			StreamArn: &r.arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		}
		if at.last != "" {
			in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &at.last
		}
		out, err := r.api.GetShardIterator(ctx, in)
		if err != nil {
			return 0, err
		}
		at.iterator = aws.ToString(out.ShardIterator)
	}
	out, err := r.api.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &at.iterator})
	var expired *types.ExpiredIteratorException
	if errors.As(err, &expired) {
		at.iterator = "" // they live 15 minutes; the machine slept
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, record := range out.Records {
		r.emit(streamrecord.Lambda(r.arn, region, record))
		at.last = aws.ToString(record.Dynamodb.SequenceNumber)
	}
	at.iterator = aws.ToString(out.NextShardIterator)
	at.ended = out.NextShardIterator == nil
	return len(out.Records), nil
}
