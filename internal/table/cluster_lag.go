package table

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/table/schema"
)

// Lag is how late events of a region are stored.
type Lag struct {
	// Millis is the age of the oldest event of a late batch when it was stored, At when that was; both in milliseconds.
	Millis int64 `json:"lagMillis"`
	At     int64 `json:"at"`
}

const ingestPK = "ingest"

// PutLag stores how late events are. Ingest calls it when they are late, and once more when they
// have not been for two minutes.
func (s *State) PutLag(ctx context.Context, account, region string, lag Lag) error {
	item, err := encode(ingestPK, account+"/"+region, lag)
	if err != nil {
		return err
	}
	if _, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.name, Item: item}); err != nil {
		return fmt.Errorf("storing the ingest lag of %s/%s: %w", account, region, err)
	}
	return nil
}

// lagBelieved is how long a reported lag counts. Ingest repeats it while it lasts.
const lagBelieved = 2 * time.Minute

// IngestLag is how late events of a region are at now; zero when none were reported late lately.
func (s *State) IngestLag(ctx context.Context, account, region string, now time.Time) (time.Duration, error) {
	lag, err := s.LagReport(ctx, account, region)
	return lag.CountedAt(now), err
}

// LagReport is the last report of an account and region; zero if events were never late there.
func (s *State) LagReport(ctx context.Context, account, region string) (Lag, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.name, Key: itemKey(ingestPK, account+"/"+region)})
	if err != nil {
		return Lag{}, fmt.Errorf("reading the ingest lag of %s/%s: %w", account, region, err)
	}
	var lag Lag
	err = decode(out.Item, &lag)
	return lag, err
}

// CountedAt is how late events are at a time as far as this report tells: zero when it is too old to say.
func (l Lag) CountedAt(now time.Time) time.Duration {
	if now.Sub(fromMillis(l.At)) > lagBelieved {
		return 0
	}
	return time.Duration(l.Millis) * time.Millisecond
}

// LagReports are the last reports of every account and region that ever was late, by "ACCOUNT/REGION".
func (s *State) LagReports(ctx context.Context) (map[string]Lag, error) {
	items, err := queryAll(ctx, s.db, &dynamodb.QueryInput{
		TableName: &s.name, KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: Item{":pk": stringValue(ingestPK)},
	})
	if err != nil {
		return nil, fmt.Errorf("reading the ingest lags: %w", err)
	}
	reports := make(map[string]Lag, len(items))
	for _, item := range items {
		var lag Lag
		if err := decode(item, &lag); err != nil {
			return nil, err
		}
		reports[stringOf(item, schema.SortKey)] = lag
	}
	return reports, nil
}
