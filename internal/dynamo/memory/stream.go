package memory

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

const (
	region  = "us-east-1"
	account = "000000000000"
)

// expiryService is who deletes what has expired, according to the records.
var expiryService = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}

// stream is the change records on their way to the one who wants them.
type stream struct {
	last       uint64 // number of the latest record
	queue      []queued
	delivering bool
}

type queued struct {
	table  string
	record events.DynamoDBEventRecord
}

// publish queues the record of a change. db.mu is held. The images are built
// now, for nothing about them may depend on when they are delivered.
func (db *DB) publish(t *table, keys attr.Item, old, next *record, by *events.DynamoDBUserIdentity) {
	if db.emit == nil || t.view == "" {
		return
	}
	db.stream.last++
	change := events.DynamoDBStreamRecord{
		ApproximateCreationDateTime: events.SecondsEpochTime{Time: db.now().UTC().Truncate(time.Second)},
		Keys:                        image(keys),
		// As wide as DynamoDB's, and all of one width: comparing the texts is
		// comparing the numbers.
		SequenceNumber: fmt.Sprintf("1%020d", db.stream.last),
		SizeBytes:      int64(attr.ItemSize(keys)),
		StreamViewType: string(t.view),
	}
	if old != nil && (t.view == types.StreamViewTypeOldImage || t.view == types.StreamViewTypeNewAndOldImages) {
		change.OldImage = image(old.item)
		change.SizeBytes += int64(old.size)
	}
	if next != nil && (t.view == types.StreamViewTypeNewImage || t.view == types.StreamViewTypeNewAndOldImages) {
		change.NewImage = image(next.item)
		change.SizeBytes += int64(next.size)
	}
	name := events.DynamoDBOperationTypeModify
	switch {
	case old == nil:
		name = events.DynamoDBOperationTypeInsert
	case next == nil:
		name = events.DynamoDBOperationTypeRemove
	}
	db.stream.queue = append(db.stream.queue, queued{table: t.name, record: events.DynamoDBEventRecord{
		AWSRegion:      region,
		Change:         change,
		EventID:        fmt.Sprintf("%032x", db.stream.last),
		EventName:      string(name),
		EventSource:    "aws:dynamodb",
		EventVersion:   "1.1",
		EventSourceArn: t.streamARN(),
		UserIdentity:   by,
	}})
}

// deliver hands out the queued records in their order, without the lock. Only
// one goroutine does so at a time: if another is at it (or this one, and the
// call comes from emit), that one takes the new records along.
func (db *DB) deliver() {
	if db.emit == nil {
		return
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.stream.delivering {
		return
	}
	db.stream.delivering = true
	defer func() { db.stream.delivering = false }()
	for len(db.stream.queue) > 0 {
		batch := db.stream.queue
		db.stream.queue = nil
		db.handOut(batch)
	}
}

// handOut calls emit with the lock released, and takes the lock again even if
// emit panics.
func (db *DB) handOut(batch []queued) {
	db.mu.Unlock()
	defer db.mu.Lock()
	for _, q := range batch {
		db.emit(q.table, q.record)
	}
}

func image(item attr.Item) map[string]events.DynamoDBAttributeValue {
	out := make(map[string]events.DynamoDBAttributeValue, len(item))
	for name, v := range item {
		out[name] = imageValue(v)
	}
	return out
}

// imageValue converts a value for an event; the event shares nothing with it.
func imageValue(v attr.Value) events.DynamoDBAttributeValue {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value)
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(append([]byte{}, v.Value...))
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(image(v.Value))
	case *types.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, len(v.Value))
		for i, element := range v.Value {
			list[i] = imageValue(element)
		}
		return events.NewListAttribute(list)
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(slices.Clone(v.Value))
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(slices.Clone(v.Value))
	case *types.AttributeValueMemberBS:
		set := make([][]byte, len(v.Value))
		for i, b := range v.Value {
			set[i] = append([]byte{}, b...)
		}
		return events.NewBinarySetAttribute(set)
	default:
		return events.NewNullAttribute()
	}
}
