package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// lasted is how long the world has outlived its rest, and what is left over from before.
type lasted struct {
	days int
	// letters are events that come once more, days late.
	letters []letter
}

type letter struct {
	key     state.Key
	version int64
	body    string
}

// maxLetters are kept for later.
const maxLetters = 60

// keep keeps some of what ECS tells for days.
func (w *world) keep(t told, body string) {
	if w.f.outlives && len(w.lasted.letters) < maxLetters && w.lasting.IntN(4) == 0 {
		w.lasted.letters = append(w.lasted.letters, letter{t.key(), t.Detail.Version, body})
	}
}

// outlive lets days pass after the rest, some of them several times: positions in the feed expire, then tombstones go
// out of sight, then DynamoDB deletes them, late and in no order. Each time the world has to come to rest again.
func (w *world) outlive() {
	for _, days := range []int{3, 6, 26} {
		if w.violation != nil {
			return
		}
		if days < 26 && w.lasting.IntN(3) == 0 {
			continue
		}
		w.sleepFor(time.Duration(days)*24*time.Hour + time.Duration(w.lasting.IntN(24*60))*time.Minute)
		w.lasted.days += days
		if w.violation != nil {
			return
		}
		w.again()
		w.expire()
		w.deliverLate()
		for _, r := range w.readers {
			r.wake()
		}
		w.comeToRest()
	}
}

// sleepFor lets time pass in which nothing runs. What was planned happens as much later.
func (w *world) sleepFor(d time.Duration) {
	w.runUntil(w.now.Add(10*time.Minute), func() bool { return len(w.running) == 0 })
	if len(w.running) > 0 {
		w.violate(5, "%d invocations do not come to an end", len(w.running))
		return
	}
	w.met("days pass")
	w.now = w.now.Add(d)
	for i := range w.timers {
		w.timers[i].at = w.timers[i].at.Add(d) // all by the same, so that it stays a heap
	}
	w.note("%s pass", d)
	w.hear()
}

// expire is DynamoDB deleting what has expired: rows of the feed one by one, in no order and not all, and of the rest
// what expired up to some days ago.
func (w *world) expire() {
	for n := range schema.FeedShards {
		w.expireFeed(fmt.Sprintf("feed/%d", n))
	}
	late := time.Duration(w.lasting.IntN(4*24)) * time.Hour
	n := w.db.ExpireItems(w.now.Add(-late))
	w.note("DynamoDB deletes %d items that expired %s ago or earlier", n, late)
}

func (w *world) expireFeed(pk string) {
	ctx := context.Background()
	var start item
	for {
		out, err := w.db.DB.Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String(stateTable), ExclusiveStartKey: start,
			KeyConditionExpression: aws.String("pk = :pk AND sk < :head"),
			ExpressionAttributeValues: item{
				":pk": &types.AttributeValueMemberS{Value: pk}, ":head": &types.AttributeValueMemberS{Value: "head"},
			},
		})
		if err != nil {
			panic(err)
		}
		for _, row := range out.Items {
			w.expireRow(ctx, row)
		}
		if start = out.LastEvaluatedKey; start == nil {
			break
		}
	}
}

func (w *world) expireRow(ctx context.Context, row item) {
	expires, err := time.ParseDuration(text(row, "ttl") + "s")
	if err != nil {
		panic(fmt.Sprintf("sim: a row of the feed expires at %q", text(row, "ttl")))
	}
	if time.Unix(0, 0).Add(expires).After(w.now) || w.lasting.IntN(2) == 0 {
		return
	}
	w.met("row of the feed expired")
	if _, err := w.db.DB.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(stateTable), Key: item{"pk": row["pk"], "sk": row["sk"]},
	}); err != nil {
		panic(err)
	}
}

// deliverLate brings events of long ago to the queue once more.
func (w *world) deliverLate() {
	for _, l := range w.lasted.letters {
		if w.lasting.IntN(2) == 0 {
			continue
		}
		w.met("event days late")
		if _, expired := w.mirror.expired[l.key]; expired {
			w.met("event about what expired")
		}
		w.after(time.Duration(w.lasting.IntN(300))*time.Second, func() { w.enqueue(l.body) })
	}
}
