package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Bucket is a bucket of ECS calls, by its share of what ECS allows an account in a region: ECS fills a bucket of Burst
// calls at PerSecond.
type Bucket struct {
	Account, Region string
	// Name is ECS's category: "modify" (RunTask, StopTask) or "read" (List, Describe).
	Name      string
	PerSecond float64
	Burst     float64
}

// budgetItem is what is left of a bucket.
type budgetItem struct {
	Tokens float64 `json:"tokens"`
	// At is when Tokens was counted, in milliseconds since 1970.
	At            int64 `json:"at"`
	RecordVersion int64 `json:"recordVersion"`
}

// budgetTries bounds the contest for a bucket; who loses that often comes back later.
const budgetTries = 5

// TakeCalls grants up to n calls of a bucket, as a block: one write for many calls. Fewer, or none, are granted when the
// bucket is empty; wait then says how long it takes until there is one.
func (d *Daemon) TakeCalls(ctx context.Context, bucket Bucket, n int, now time.Time) (granted int, wait time.Duration, err error) {
	pk := "budget/" + bucket.Account + "/" + bucket.Region + "/" + bucket.Name
	for range budgetTries {
		var item budgetItem
		err := d.get(ctx, pk, "budget", &item)
		switch {
		case errors.Is(err, ErrNotFound):
			item = budgetItem{Tokens: bucket.Burst, At: millis(now)}
		case err != nil:
			return 0, 0, err
		}
		// A clock behind the one that wrote last must not take tokens away.
		elapsed := max(0, float64(millis(now)-item.At)/1000)
		tokens := min(bucket.Burst, item.Tokens+elapsed*bucket.PerSecond)
		granted = min(n, int(tokens))
		if granted <= 0 {
			return 0, time.Duration(max(0, 1-tokens) / bucket.PerSecond * float64(time.Second)), nil
		}
		seen := item.RecordVersion
		next := budgetItem{Tokens: tokens - float64(granted), At: max(item.At, millis(now)), RecordVersion: seen + 1}
		err = d.putBudget(ctx, pk, next, seen)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return 0, 0, fmt.Errorf("taking %d calls of bucket %s: %w", n, bucket.Name, err)
		}
		return granted, 0, nil
	}
	return 0, time.Second, nil
}

func (d *Daemon) putBudget(ctx context.Context, pk string, next budgetItem, seen int64) error {
	item, err := encode(pk, "budget", next)
	if err != nil {
		return err
	}
	in := &dynamodb.PutItemInput{TableName: &d.name, Item: item, ConditionExpression: aws.String("attribute_not_exists(pk)")}
	if seen > 0 {
		in.ConditionExpression = aws.String("recordVersion = :seen")
		in.ExpressionAttributeValues = Item{":seen": numberValue(seen)}
	}
	_, err = d.db.PutItem(ctx, in)
	return conflict(err)
}
