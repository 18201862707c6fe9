package stream

import (
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/streamrecord"
	"github.com/blox/blox/internal/table"
)

// SchemaVersion is the newest version of the item's shape that this package reads.
const SchemaVersion = table.SchemaVersion

// ErrSchema says that an item was written by a newer Blox than this package is of.
var ErrSchema = table.ErrSchema

// Decode reads a record as Lambda's event source mapping delivers it. ok is false, without an error, for a record of an
// item that is neither a task nor a container instance. An error names the task or container instance, if that could be
// read; errors.Is(err, ErrSchema): see there.
func Decode(record events.DynamoDBEventRecord) (change Change, ok bool, err error) {
	decoded, ok, err := table.DecodeChange(record)
	if !ok || err != nil {
		return Change{}, false, err
	}
	change = Change{
		Kind: Kind(decoded.Key.Kind), Cluster: Cluster(decoded.Key.Cluster), ID: decoded.Key.ID,
		Reason:         Reason(decoded.FeedChange().Reason),
		SequenceNumber: record.Change.SequenceNumber, At: record.Change.ApproximateCreationDateTime.UTC(),
	}
	if change.Old, err = entityOf(decoded.Old); err != nil {
		return Change{}, false, fmt.Errorf("decoding what %s was: %w", decoded.Key, err)
	}
	if change.New, err = entityOf(decoded.New); err != nil {
		return Change{}, false, fmt.Errorf("decoding what %s is: %w", decoded.Key, err)
	}
	if decoded.New != nil {
		change.ARN = decoded.New.ARN
	} else {
		change.ARN = decoded.Old.ARN
	}
	return change, true, nil
}

// DecodeSDK reads a record as the Streams API (GetRecords) delivers it, like Decode.
func DecodeSDK(record types.Record) (change Change, ok bool, err error) {
	// Neither the stream's ARN nor its region says anything about the change.
	return Decode(streamrecord.Lambda("", "", record))
}

func entityOf(r *state.Record) (*Entity, error) {
	if r == nil {
		return nil, nil
	}
	detail, err := r.Detail()
	if err != nil {
		return nil, err
	}
	e := &Entity{Version: r.Version, StoredAt: r.StoredAt, Detail: detail}
	if r.Tombstone != nil {
		e.End = &End{At: r.Tombstone.StoppedAt, Gone: r.Tombstone.Gone, Inferred: r.Tombstone.Inferred}
	}
	switch r.Kind {
	case state.KindTask:
		task, err := state.DecodeTask(detail)
		e.Task = &task
		return e, err
	default:
		instance, err := state.DecodeContainerInstance(detail)
		e.Instance = &instance
		return e, err
	}
}
