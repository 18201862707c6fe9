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

// budgetItem is what is left of a bucket, in millionths of a call.
type budgetItem struct {
	Shared int64 `json:"shared"`
	Kept   int64 `json:"kept"`
	// At is when that was counted, in milliseconds since 1970.
	At            int64 `json:"at"`
	RecordVersion int64 `json:"recordVersion"`
}

// budgetTries bounds the contest for a bucket; who loses that often comes back later.
const budgetTries = 5

// TakeCalls grants up to n calls of a bucket, to be made now. Fewer, or none, are granted when there are no more; wait
// then says how long it takes until there is another one. It may take what ReserveCalls has to leave.
func (d *Daemon) TakeCalls(ctx context.Context, bucket Bucket, n int, now time.Time) (granted int, wait time.Duration, err error) {
	return d.changeBudget(ctx, bucket, n, now, func(t tokens) (tokens, int, time.Duration) {
		if granted := min(n, t.ready()); granted > 0 {
			return t.less(granted), granted, 0
		}
		return t, 0, bucket.untilReady(t, 1)
	})
}

// TakeCallsTogether grants n calls of a bucket, to be made now, or none: for calls that are worth something only
// together. wait says how long it takes until there are so many, and is 0 when they were granted.
func (d *Daemon) TakeCallsTogether(ctx context.Context, bucket Bucket, n int, now time.Time) (wait time.Duration, err error) {
	if float64(n) > bucket.Burst {
		return 0, fmt.Errorf("taking %d calls of bucket %s together: it holds at most %g", n, bucket.Name, bucket.Burst)
	}
	_, wait, err = d.changeBudget(ctx, bucket, n, now, func(t tokens) (tokens, int, time.Duration) {
		if t.ready() < n {
			return t, 0, bucket.untilReady(t, n)
		}
		return t.less(n), n, 0
	})
	return wait, err
}

// ReserveCalls grants a block of up to n calls, to be made when wait is over: one write for many calls, and nobody who
// waits asks again. None are granted when too many are reserved already; wait then says when to ask again. A fifth of
// the bucket is left to TakeCalls: what is urgent does not stand in this queue.
func (d *Daemon) ReserveCalls(ctx context.Context, bucket Bucket, n int, now time.Time) (granted int, wait time.Duration, err error) {
	return d.changeBudget(ctx, bucket, n, now, func(t tokens) (tokens, int, time.Duration) {
		n := min(n, bucket.maxBlock())
		after := tokens{shared: t.shared - int64(n)*callUnits, kept: t.kept}
		if after.shared < -bucket.maxDebt() {
			return t, 0, bucket.untilPaid(after, -bucket.maxDebt())
		}
		return after, n, bucket.untilPaid(after, 0)
	})
}

// changeBudget counts what is in a bucket, lets spend decide, and stores what is left if anything was granted.
func (d *Daemon) changeBudget(
	ctx context.Context, bucket Bucket, n int, now time.Time, spend func(tokens) (left tokens, granted int, wait time.Duration),
) (granted int, wait time.Duration, err error) {
	pk := "budget/" + bucket.Account + "/" + bucket.Region + "/" + bucket.Name
	for range budgetTries {
		var item budgetItem
		err := d.get(ctx, pk, "budget", &item)
		switch {
		case errors.Is(err, ErrNotFound):
			full := bucket.full()
			item = budgetItem{Shared: full.shared, Kept: full.kept, At: millis(now)}
		case err != nil:
			return 0, 0, err
		}
		// A clock behind the one that wrote last takes nothing away, and fills nothing twice.
		at := min(item.At, millis(now)+maxAheadMillis)
		counted := bucket.filled(tokens{item.Shared, item.Kept}, max(0, millis(now)-at))
		left, granted, wait := spend(counted)
		if granted <= 0 && at == item.At {
			return 0, wait, nil
		}
		next := budgetItem{Shared: left.shared, Kept: left.kept, At: max(at, millis(now)), RecordVersion: item.RecordVersion + 1}
		err = d.putBudget(ctx, pk, next, item.RecordVersion)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return 0, 0, fmt.Errorf("taking %d calls of bucket %s: %w", n, bucket.Name, err)
		}
		return granted, wait, nil
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
