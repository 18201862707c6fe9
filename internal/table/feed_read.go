package table

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/table/schema"
)

// FeedPosition is how far somebody has read the feed: a row's number for each sequence, 0 where there was no row yet.
type FeedPosition [schema.FeedShards]int64

// String is the position as text, for users to keep and give back: letters, digits and hyphens.
func (p FeedPosition) String() string {
	parts := make([]string, len(p))
	for i, row := range p {
		parts[i] = strconv.FormatInt(row, 36)
	}
	return strings.Join(parts, "-")
}

// maxPositionLength is that of the largest position.
const maxPositionLength = schema.FeedShards * 14

// ParseFeedPosition reads what FeedPosition.String wrote, and nothing else.
func ParseFeedPosition(s string) (FeedPosition, error) {
	if len(s) > maxPositionLength {
		return FeedPosition{}, fmt.Errorf("invalid position: %d characters, allowed is a position that Blox gave", len(s))
	}
	var p FeedPosition
	parts := strings.Split(s, "-")
	if len(parts) != len(p) {
		return FeedPosition{}, fmt.Errorf("invalid position %q: allowed is a position that Blox gave", s)
	}
	for i, part := range parts {
		row, err := strconv.ParseInt(part, 36, 64)
		if err != nil || row < 0 {
			return FeedPosition{}, fmt.Errorf("invalid position %q: %q is no row's number, allowed is a position that Blox gave", s, part)
		}
		p[i] = row
	}
	// ParseInt also takes capitals, a plus sign and leading zeros. One position has one text.
	if p.String() != s {
		return FeedPosition{}, fmt.Errorf("invalid position %q: allowed is a position that Blox gave", s)
	}
	return p, nil
}

// feedPage is how many rows a query reads. They may be small or full, so it is a middle.
const feedPage = 16

// Read reads what was appended after a position, and the position after that. There are about limit changes, more by
// at most a row for each sequence, because rows are read whole; no changes mean that there is nothing new. The changes
// of a key are in order; a change may come more than once. ErrExpired: rows after the position are gone.
func (f *Feed) Read(ctx context.Context, from FeedPosition, limit int) (changes []Change, next FeedPosition, err error) {
	heads, err := f.heads(ctx)
	if err != nil {
		return nil, from, err
	}
	return f.readTo(ctx, from, heads, limit)
}

func (f *Feed) readTo(
	ctx context.Context, from FeedPosition, heads [schema.FeedShards]feedHead, limit int,
) (changes []Change, next FeedPosition, err error) {
	if limit < 1 {
		return nil, from, fmt.Errorf("reading the feed: limit %d, allowed are 1 and above", limit)
	}
	next = from
	// Each sequence gets a share, so that a busy one cannot hold up the others.
	share := (limit + schema.FeedShards - 1) / schema.FeedShards
	for shard, head := range heads {
		read, row, err := f.readShard(ctx, shard, from[shard], head, share)
		if err != nil {
			return nil, from, fmt.Errorf("reading feed shard %d after row %d: %w", shard, from[shard], err)
		}
		changes = append(changes, read...)
		next[shard] = row
	}
	return changes, next, nil
}

// Follow is Read for whoever has read up to the position before and asks again and again. It costs half as much when
// there is nothing new, half a read unit for each sequence, and learns of what is new a moment later. It does not
// notice that a position lies beyond the feed's end.
func (f *Feed) Follow(ctx context.Context, from FeedPosition, limit int) (changes []Change, next FeedPosition, err error) {
	heads, err := f.readHeads(ctx, false)
	if err != nil {
		return nil, from, err
	}
	for shard := range heads {
		// A replica that is behind may even have been asked before: its head is no news.
		if heads[shard].Row < from[shard] {
			heads[shard] = feedHead{Row: from[shard], Start: from[shard]}
		}
	}
	return f.readTo(ctx, from, heads, limit)
}

// readShard reads rows until they hold as many changes as wanted or the head is reached, and says which was the last.
func (f *Feed) readShard(ctx context.Context, shard int, row int64, head feedHead, wanted int) (changes []Change, last int64, err error) {
	if row == 0 {
		row = head.Start // there was no row yet: all there ever were are news
	}
	// Beyond the head lie the rows of another feed, whose table was replaced by this one.
	if row > head.Row {
		return nil, row, ErrExpired
	}
	for row < head.Row && len(changes) < wanted {
		items, err := f.rows(ctx, shard, row+1, head.Row)
		if err != nil {
			return nil, row, err
		}
		if len(items) == 0 {
			return nil, row, ErrExpired
		}
		for _, item := range items {
			if len(changes) >= wanted {
				break
			}
			// DynamoDB deletes expired rows in no order: a row may be gone though an older one is there.
			if stringOf(item, schema.SortKey) != feedRowSK(row+1) {
				return nil, row, ErrExpired
			}
			some, err := unpackRow(item)
			if err != nil {
				return nil, row, fmt.Errorf("row %d: %w", row+1, err)
			}
			changes = append(changes, some...)
			row++
		}
	}
	return changes, row, nil
}

// rows reads one page of rows, consistently: with the head, a row that it counts must be seen.
func (f *Feed) rows(ctx context.Context, shard int, from, to int64) ([]Item, error) {
	out, err := f.db.Query(ctx, &dynamodb.QueryInput{
		TableName: &f.name, ConsistentRead: aws.Bool(true), Limit: aws.Int32(feedPage),
		KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :from AND :to"),
		ExpressionAttributeValues: Item{
			":pk": stringValue(feedPK(shard)), ":from": stringValue(feedRowSK(from)), ":to": stringValue(feedRowSK(to)),
		},
	})
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

func unpackRow(item Item) ([]Change, error) {
	packed, ok := item["changes"].(*types.AttributeValueMemberB)
	if !ok {
		return nil, errors.New("no changes in it")
	}
	return unpackChanges(packed.Value)
}
