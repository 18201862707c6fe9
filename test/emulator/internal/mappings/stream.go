package mappings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/blox/blox/internal/streamrecord"
)

// StreamAPI is the calls that Lambda makes to a stream with the function's role.
type StreamAPI interface {
	ListStreams(ctx context.Context, in *dynamodbstreams.ListStreamsInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error)
	DescribeStream(ctx context.Context, in *dynamodbstreams.DescribeStreamInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(ctx context.Context, in *dynamodbstreams.GetShardIteratorInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

var _ StreamAPI = (*dynamodbstreams.Client)(nil)

// Stream polls a table's stream, shard by shard, and delivers the records of a shard in their order.
type Stream struct {
	common
	API StreamAPI
	// GiveUp sends what is told of a batch that was given up to the mapping's destination.
	GiveUp func(ctx context.Context, destination string, body []byte) error
	Now    func() time.Time
	// RetryPause is the wait before a failed batch is tried again.
	RetryPause time.Duration

	places map[string]*place
	shards []types.Shard
	listed time.Time
}

// place is how far a shard has been read.
type place struct {
	iterator string
	ended    bool
}

// NewStream returns the poller of a stream's mapping.
func NewStream(m Mapping, f Invoker, region string, log *slog.Logger, api StreamAPI, giveUp func(ctx context.Context, destination string, body []byte) error) *Stream {
	return &Stream{
		common: common{Mapping: m, Function: f, Region: region, Log: log}, API: api, GiveUp: giveUp, Now: time.Now,
		RetryPause: 20 * time.Millisecond, places: map[string]*place{},
	}
}

const (
	// idlePause: Lambda polls a stream four times a second.
	idlePause    = 250 * time.Millisecond
	shardsPeriod = 10 * time.Second
	maxShards    = 100 // pages
	// maxAttempts bounds the attempts at a batch where the mapping sets none.
	maxAttempts = 1000
)

// Run polls until ctx ends; calls is the context of the invocations.
func (s *Stream) Run(ctx, calls context.Context) error {
	if _, err := s.API.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{Limit: aws.Int32(1)}); err != nil {
		return fmt.Errorf("listing streams: %w", err)
	}
	for ctx.Err() == nil {
		n, err := s.round(ctx, calls)
		switch {
		case err != nil && ctx.Err() == nil:
			s.Log.Warn("polling a stream failed and is tried again", "stream", s.Mapping.Source, "error", err)
			pause(ctx, errorPause)
		case n == 0:
			pause(ctx, idlePause)
		}
	}
	return nil
}

// round reads once from every open shard whose parent is done, and says how many records came.
func (s *Stream) round(ctx, calls context.Context) (records int, err error) {
	if now := s.Now(); now.Sub(s.listed) >= shardsPeriod {
		if err := s.list(ctx); err != nil {
			return 0, err
		}
		s.listed = now
	}
	for _, shard := range s.shards {
		at := s.places[aws.ToString(shard.ShardId)]
		parent, known := s.places[aws.ToString(shard.ParentShardId)]
		if at.ended || known && !parent.ended {
			continue
		}
		n, err := s.read(ctx, calls, aws.ToString(shard.ShardId), at)
		records += n
		if err != nil {
			return records, fmt.Errorf("reading shard %s: %w", aws.ToString(shard.ShardId), err)
		}
		if at.ended {
			s.listed = time.Time{} // its children are there now
		}
	}
	return records, nil
}

func (s *Stream) list(ctx context.Context) error {
	s.shards = nil
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.Mapping.Source}
	for range maxShards {
		out, err := s.API.DescribeStream(ctx, in)
		if err != nil {
			return fmt.Errorf("listing the shards of %s: %w", s.Mapping.Source, err)
		}
		for _, shard := range out.StreamDescription.Shards {
			s.shards = append(s.shards, shard)
			if id := aws.ToString(shard.ShardId); s.places[id] == nil {
				s.places[id] = &place{}
			}
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return nil
		}
	}
	return fmt.Errorf("listing the shards of %s: more than %d pages", s.Mapping.Source, maxShards)
}

func (s *Stream) read(ctx, calls context.Context, shard string, at *place) (int, error) {
	if at.iterator == "" {
		out, err := s.API.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: &s.Mapping.Source, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			return 0, err
		}
		at.iterator = aws.ToString(out.ShardIterator)
	}
	out, err := s.API.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &at.iterator, Limit: aws.Int32(int32(max(1, s.Mapping.Batch)))})
	if err != nil {
		return 0, err
	}
	var batch []events.DynamoDBEventRecord
	for _, r := range out.Records {
		record := streamrecord.Lambda(s.Mapping.Source, s.Region, r)
		ok, err := s.Mapping.passes(record)
		if err != nil {
			return 0, err
		}
		if ok {
			batch = append(batch, record)
		}
	}
	if err := s.deliver(calls, shard, batch); err != nil {
		return 0, err
	}
	at.iterator, at.ended = aws.ToString(out.NextShardIterator), out.NextShardIterator == nil
	return len(out.Records), nil
}

// deliver works a batch off: it is tried until all of it is done or given up. A batch that fails as a whole is halved,
// if the mapping says so, and each half has the attempts left to itself.
func (s *Stream) deliver(ctx context.Context, shard string, batch []events.DynamoDBEventRecord) error {
	for attempt := 0; len(batch) > 0; attempt++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		done, cause := s.invoke(ctx, batch)
		if batch = batch[done:]; len(batch) == 0 {
			return nil
		}
		if done > 0 {
			attempt = -1 // what is left is another batch now
		} else if s.exhausted(attempt, batch) {
			return s.giveUp(ctx, shard, batch, attempt+1, cause)
		}
		if done == 0 && s.Mapping.Bisect && len(batch) > 1 {
			half := len(batch) / 2
			if err := s.deliver(ctx, shard, batch[:half]); err != nil {
				return err
			}
			batch = batch[half:]
		}
		pause(ctx, s.RetryPause)
	}
	return nil
}

func (s *Stream) exhausted(attempt int, batch []events.DynamoDBEventRecord) bool {
	limit := s.Mapping.Retries
	if limit < 0 || limit > maxAttempts {
		limit = maxAttempts
	}
	old := s.Mapping.MaxAge > 0 && s.Now().Sub(batch[0].Change.ApproximateCreationDateTime.Time) > s.Mapping.MaxAge
	return attempt >= limit || old
}

// invoke says how many records of the batch are done, those before the first that failed, and why not all.
func (s *Stream) invoke(ctx context.Context, batch []events.DynamoDBEventRecord) (done int, cause string) {
	payload, err := json.Marshal(events.DynamoDBEvent{Records: batch})
	if err != nil {
		return 0, err.Error()
	}
	answer, err := s.Function.Invoke(ctx, payload)
	if err != nil {
		s.Log.Warn("a batch of change records failed and will be delivered again", "records", len(batch), "error", err)
		return 0, err.Error()
	}
	if !s.Mapping.Partial {
		return len(batch), ""
	}
	failed, readable := failures(answer)
	if !readable {
		return 0, "the answer cannot be read"
	}
	done = len(batch)
	for _, id := range failed {
		i := slices.IndexFunc(batch, func(r events.DynamoDBEventRecord) bool { return r.Change.SequenceNumber == id })
		done = min(done, max(i, 0)) // an unknown identifier fails the whole batch
	}
	return done, "the function reported a failure"
}

// giveUp tells the destination where the batch stands in the stream, as Lambda does: not the records themselves.
func (s *Stream) giveUp(ctx context.Context, shard string, batch []events.DynamoDBEventRecord, attempts int, cause string) error {
	s.Log.Error("a batch of change records is given up", "records", len(batch), "attempts", attempts, "cause", cause)
	if s.Mapping.OnFailure == "" {
		return nil
	}
	first, last := batch[0].Change, batch[len(batch)-1].Change
	body, err := json.Marshal(map[string]any{
		"version": "1.0", "timestamp": s.Now().UTC().Format(time.RFC3339Nano),
		"requestContext":  map[string]any{"functionArn": s.Mapping.FunctionARN, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": attempts},
		"responseContext": map[string]any{"statusCode": 200, "functionError": cause},
		"DDBStreamBatchInfo": map[string]any{
			"shardId": shard, "streamArn": s.Mapping.Source, "batchSize": len(batch),
			"startSequenceNumber": first.SequenceNumber, "endSequenceNumber": last.SequenceNumber,
			"approximateArrivalOfFirstRecord": first.ApproximateCreationDateTime.Time, "approximateArrivalOfLastRecord": last.ApproximateCreationDateTime.Time,
		},
	})
	if err != nil {
		return errors.Join(errors.New("describing a batch that is given up"), err)
	}
	if err := s.GiveUp(ctx, s.Mapping.OnFailure, body); err != nil {
		return fmt.Errorf("telling %s of a batch that is given up: %w", s.Mapping.OnFailure, err)
	}
	return nil
}
