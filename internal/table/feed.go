package table

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// ErrExpired says that the feed no longer holds everything since a position. Whoever watches must list again.
var ErrExpired = errors.New("position is not in the feed any more: list again")

// Feed is the order in which changes of the STATE table became known, for whoever asks "everything since". Neither
// timestamps nor indexes can answer that: a write may be committed late, an index may lag.
//
// It is schema.FeedShards sequences of numbered rows, each with a head that says up to which row readers may go. A row
// is put only where there is none, and never changes; then the head moves onto it. A writer that dies in between leaves
// a row beyond the head, onto which the next writer moves the head before it puts its own: a number is never skipped,
// so a missing one means that it has expired.
//
// A sequence begins at the millisecond of its creation instead of at 1. A table that is made anew therefore continues
// above all positions of the old one, and those are found to be expired instead of pointing at other rows.
type Feed struct {
	db   dynamo.API
	name string
	now  func() time.Time
	// pause may be nil: then a lost try is followed by the next one at once.
	pause func(ctx context.Context, most time.Duration) error

	mu     sync.Mutex
	cached FeedPosition
	readAt time.Time
}

// NewFeed is the feed in the STATE table of that name.
func NewFeed(db dynamo.API, name string, now func() time.Time) *Feed {
	return &Feed{db: db, name: name, now: now}
}

// WithPause gives what waits after a try for the next row that was lost to another writer: a random part of a time, or
// until ctx ends, with its error. Without it a writer tries again at once, and many lose more tries than they win.
func (f *Feed) WithPause(pause func(ctx context.Context, most time.Duration) error) *Feed {
	f.pause = pause
	return f
}

// RandomPause is the pause of WithPause by the clock.
func RandomPause(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(rand.N(most)) //nolint:gosec // no secret depends on it
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

const (
	// feedRetention is how long rows are kept. DynamoDB deletes them some time later, in no order.
	feedRetention = 48 * time.Hour
	// feedTries bounds the contest for the next row. Of those who contest, one always wins; who loses that often
	// leaves its batch to the stream's next try.
	feedTries = 32
	// firstFeedPause is how long the pause after the first lost try is at most, about the time of a row and its head. Each
	// next one is twice as long, up to maxFeedPause.
	firstFeedPause = 10 * time.Millisecond
	maxFeedPause   = 160 * time.Millisecond
	headSK         = "head"
)

func feedPK(shard int) string    { return fmt.Sprintf("feed/%d", shard) }
func feedRowSK(row int64) string { return fmt.Sprintf("%020d", row) }
func headKey(shard int) Item     { return itemKey(feedPK(shard), headSK) }

// FeedShard is the sequence of the feed that a key's changes go to, 0 to schema.FeedShards-1.
func FeedShard(key state.Key) int { return shardOf(key.String(), schema.FeedShards) }

// feedHead is how far a sequence reaches. Row is the newest row, Start the number before the first that ever was.
type feedHead struct {
	Row   int64 `json:"row"`
	Start int64 `json:"start"`
}

// Position is where the feed ends now, as the text that ParseFeedPosition reads. It may be up to a second old: read it
// before the item that it is to stand beside, and whoever watches from it sees changes twice at worst.
func (f *Feed) Position(ctx context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// The time is taken before the read, so that the second counts from when the answer was surely true.
	now := f.now()
	if age := now.Sub(f.readAt); !f.readAt.IsZero() && age >= 0 && age < time.Second {
		return f.cached.String(), nil
	}
	heads, err := f.heads(ctx)
	if err != nil {
		return "", err
	}
	for shard, head := range heads {
		f.cached[shard] = head.Row
	}
	f.readAt = now
	return f.cached.String(), nil
}

// heads reads all heads, consistently. A sequence that was never written to has the zero head.
func (f *Feed) heads(ctx context.Context) (heads [schema.FeedShards]feedHead, err error) {
	return f.readHeads(ctx, true)
}

func (f *Feed) readHeads(ctx context.Context, consistent bool) (heads [schema.FeedShards]feedHead, err error) {
	keys := make([]Item, schema.FeedShards)
	byPK := map[string]int{}
	for shard := range schema.FeedShards {
		keys[shard] = headKey(shard)
		byPK[feedPK(shard)] = shard
	}
	items, err := getMany(ctx, f.db, f.name, keys, consistent)
	if err != nil {
		return heads, fmt.Errorf("reading the heads of the feed: %w", err)
	}
	for _, item := range items {
		if err := decode(item, &heads[byPK[stringOf(item, schema.PartitionKey)]]); err != nil {
			return heads, err
		}
	}
	return heads, nil
}

// AppendAll appends changes to the sequences that their keys belong to, and keeps their order for each key. After an
// error some may have been appended; appending all of them again is right.
func (f *Feed) AppendAll(ctx context.Context, changes []Change) error {
	var byShard [schema.FeedShards][]Change
	for _, change := range changes {
		shard := FeedShard(change.Key)
		byShard[shard] = append(byShard[shard], change)
	}
	for shard, some := range byShard {
		if err := f.Append(ctx, shard, some); err != nil {
			return err
		}
	}
	return nil
}

// Append appends changes to one sequence: that of FeedShard of their keys, so that the changes of a key stay in order.
// ErrConflict: others were faster too often.
func (f *Feed) Append(ctx context.Context, shard int, changes []Change) error {
	if shard < 0 || shard >= schema.FeedShards {
		return fmt.Errorf("appending to the feed: shard %d, allowed are 0 to %d", shard, schema.FeedShards-1)
	}
	for _, change := range changes {
		if err := change.validate(shard); err != nil {
			return fmt.Errorf("appending to feed shard %d: %w", shard, err)
		}
	}
	for _, row := range splitRows(changes) {
		if err := f.appendRow(ctx, shard, row); err != nil {
			return fmt.Errorf("appending %d changes to feed shard %d: %w", len(row), shard, err)
		}
	}
	return nil
}

func (f *Feed) appendRow(ctx context.Context, shard int, changes []Change) error {
	packed, err := packChanges(changes)
	if err != nil {
		return err
	}
	head, err := f.headOrNew(ctx, shard)
	if err != nil {
		return err
	}
	most := firstFeedPause
	for range feedTries {
		err := f.putRow(ctx, shard, head+1, packed)
		if err == nil {
			_, err = f.moveHead(ctx, shard, head)
			return err
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if f.pause != nil {
			if err := f.pause(ctx, most); err != nil {
				return fmt.Errorf("waiting after a lost try: %w", err)
			}
			most = min(2*most, maxFeedPause)
		}
		if head, err = f.passRow(ctx, shard, head); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d tries: %w", feedTries, ErrConflict)
}

// passRow says where the head is after another writer put the row behind it. Most often that one has moved it
// meanwhile, and reading it costs less than a write that is refused. Who has not may have died.
func (f *Feed) passRow(ctx context.Context, shard int, seen int64) (int64, error) {
	head, err := f.readHead(ctx, shard)
	switch {
	case err != nil:
		return 0, err
	case head == nil:
		return 0, errors.New("the head has vanished")
	case head.Row == seen:
		return f.moveHead(ctx, shard, seen)
	default:
		return head.Row, nil
	}
}

// readHead reads the head consistently; it is nil if there is none.
func (f *Feed) readHead(ctx context.Context, shard int) (*feedHead, error) {
	out, err := f.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &f.name, Key: headKey(shard), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("reading the head: %w", err)
	}
	if out.Item == nil {
		return nil, nil
	}
	var head feedHead
	return &head, decode(out.Item, &head)
}

// headOrNew reads the newest row's number. The head is made before the first row, so that writers who find none agree
// on where the sequence begins.
func (f *Feed) headOrNew(ctx context.Context, shard int) (int64, error) {
	for range feedTries {
		head, err := f.readHead(ctx, shard)
		if err != nil {
			return 0, err
		}
		if head != nil {
			return head.Row, nil
		}
		start := max(1, millis(f.now()))
		item, err := encode(feedPK(shard), headSK, feedHead{Row: start, Start: start})
		if err != nil {
			return 0, err
		}
		_, err = f.db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &f.name, Item: item, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		})
		if err = conflict(err); err != nil && !errors.Is(err, ErrConflict) {
			return 0, fmt.Errorf("making the head: %w", err)
		}
	}
	return 0, errors.New("making the head: it vanishes as soon as it is made")
}

// putRow puts a row where there is none. ErrConflict: there is one. Rows are kept so much longer than a function may
// run that a writer cannot mistake the place of an expired row for a free one.
func (f *Feed) putRow(ctx context.Context, shard int, row int64, packed []byte) error {
	item := itemKey(feedPK(shard), feedRowSK(row))
	item["changes"] = &types.AttributeValueMemberB{Value: packed}
	item[schema.TTL] = numberValue(f.now().Add(feedRetention).Unix())
	_, err := f.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &f.name, Item: item, ConditionExpression: aws.String("attribute_not_exists(pk)"),
	})
	if err = conflict(err); err != nil {
		return fmt.Errorf("putting row %d: %w", row, err)
	}
	return nil
}

// moveHead moves the head one on from where the caller saw it, unless somebody has done so, and says where it is.
func (f *Feed) moveHead(ctx context.Context, shard int, seen int64) (int64, error) {
	_, err := f.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &f.name, Key: headKey(shard),
		UpdateExpression:                    aws.String("SET #row = :next"),
		ConditionExpression:                 aws.String("#row = :seen"),
		ExpressionAttributeNames:            map[string]string{"#row": "row"},
		ExpressionAttributeValues:           Item{":seen": numberValue(seen), ":next": numberValue(seen + 1)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var moved *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return seen + 1, nil
	case errors.As(err, &moved) && len(moved.Item) > 0:
		var head feedHead
		err := decode(moved.Item, &head)
		return head.Row, err
	default:
		return 0, fmt.Errorf("moving the head from %d: %w", seen, err)
	}
}
