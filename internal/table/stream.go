package table

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// RecordChange is one write of a task's or container instance's record, as the STATE table's stream tells it.
type RecordChange struct {
	Key state.Key
	// Old is nil if the record is new, New if it was deleted.
	Old, New *state.Record
	// Expired says that DynamoDB deleted it, by its TTL.
	Expired bool
}

// DecodeChange reads a record of the STATE table's stream as Lambda gets it. ok is false for an item that is no task
// and no container instance: the stream tells of clusters and of the feed as well. If only what it became cannot be read,
// the error comes with the change's key. errors.Is(err, ErrSchema): a newer Blox wrote it.
func DecodeChange(record events.DynamoDBEventRecord) (change RecordChange, ok bool, err error) {
	// Before the key is read, which another schema may make of other parts.
	if err := checkSchemas(record); err != nil {
		return RecordChange{}, false, err
	}
	keys, err := attributeMap(record.Change.Keys)
	if err != nil {
		return RecordChange{}, false, fmt.Errorf("decoding the key of a stream record: %w", err)
	}
	pk, sk := stringOf(keys, schema.PartitionKey), stringOf(keys, schema.SortKey)
	if pk == "" || sk == "" {
		return RecordChange{}, false, fmt.Errorf("stream record %s: no key %s and %s", record.EventID, schema.PartitionKey, schema.SortKey)
	}
	if change.Key, ok = recordAt(pk, sk); !ok {
		return RecordChange{}, false, nil
	}
	change.Expired = expired(record)
	if change.Old, err = image(record.Change.OldImage); err == nil {
		change.New, err = image(record.Change.NewImage)
	}
	if err != nil {
		return RecordChange{Key: change.Key}, false, fmt.Errorf("decoding a change of %s: %w", change.Key, err)
	}
	// With another view type than NEW_AND_OLD_IMAGES, a change would be taken for a new record or a deletion.
	wantOld := record.EventName != string(events.DynamoDBOperationTypeInsert)
	wantNew := record.EventName != string(events.DynamoDBOperationTypeRemove)
	if (change.Old != nil) != wantOld || (change.New != nil) != wantNew {
		return RecordChange{Key: change.Key}, false, fmt.Errorf("decoding a change of %s: %s with old image %t and new image %t, the stream must have NEW_AND_OLD_IMAGES",
			change.Key, record.EventName, change.Old != nil, change.New != nil)
	}
	return change, true, nil
}

func checkSchemas(record events.DynamoDBEventRecord) error {
	for _, image := range []map[string]events.DynamoDBAttributeValue{record.Change.OldImage, record.Change.NewImage} {
		version, ok := image[schemaAttribute]
		if !ok {
			continue
		}
		item, err := attributeMap(map[string]events.DynamoDBAttributeValue{schemaAttribute: version})
		if err == nil {
			err = checkSchema(item)
		}
		if err != nil {
			return fmt.Errorf("stream record %s, which waits in the stream for a day: %w", record.EventID, err)
		}
	}
	return nil
}

// recordAt says which record an item is, if it is one.
func recordAt(pk, sk string) (state.Key, bool) {
	key, err := parseRecordKey(pk, sk)
	return key, err == nil
}

// DecodeFirstSync reads the record of a cluster's first complete reconcile; ok is false for every other record. Nothing
// is done in a cluster before it, so it is what environments there wait for.
func DecodeFirstSync(record events.DynamoDBEventRecord) (cluster state.ClusterKey, ok bool, err error) {
	if key := record.Change.Keys[schema.PartitionKey]; key.DataType() != events.DataTypeString || key.String() != clustersPK {
		return state.ClusterKey{}, false, nil
	}
	before, err := syncedAt(record.Change.OldImage)
	if err != nil {
		return state.ClusterKey{}, false, err
	}
	after, err := syncedAt(record.Change.NewImage)
	if err != nil || before != 0 || after == 0 {
		return state.ClusterKey{}, false, err
	}
	cluster, err = state.ParseClusterKey(record.Change.Keys[schema.SortKey].String())
	return cluster, err == nil, err
}

func syncedAt(image map[string]events.DynamoDBAttributeValue) (int64, error) {
	item, err := attributeMap(image)
	if err != nil {
		return 0, fmt.Errorf("decoding a cluster: %w", err)
	}
	var c Cluster
	err = decode(item, &c)
	return c.SyncedAt, err
}

// expired tells TTL from everybody else who deletes: Lambda and the Streams API name DynamoDB itself as the user.
func expired(record events.DynamoDBEventRecord) bool {
	return record.EventName == string(events.DynamoDBOperationTypeRemove) &&
		record.UserIdentity != nil &&
		record.UserIdentity.Type == "Service" &&
		record.UserIdentity.PrincipalID == "dynamodb.amazonaws.com"
}

// FeedChange is what the feed says of the change.
func (c RecordChange) FeedChange() Change {
	switch {
	case c.New == nil && c.Expired:
		return Change{Key: c.Key, Version: c.Old.Version, Reason: ReasonExpired}
	case c.New == nil:
		return Change{Key: c.Key, Version: c.Old.Version, Reason: ReasonGone}
	case c.New.Tombstone == nil:
		return Change{Key: c.Key, Version: c.New.Version, Reason: ReasonWritten}
	case c.New.Tombstone.Gone:
		return Change{Key: c.Key, Version: c.New.Version, Reason: ReasonGone}
	default:
		return Change{Key: c.Key, Version: c.New.Version, Reason: ReasonStopped}
	}
}

func image(raw map[string]events.DynamoDBAttributeValue) (*state.Record, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	item, err := attributeMap(raw)
	if err != nil {
		return nil, err
	}
	record, err := unpackRecord(item)
	if err != nil { // a reader of changes is told of a detail that it cannot have
		return nil, err
	}
	return &record, nil
}

// attributeMap makes the SDK's values of Lambda's, which are the same in other types.
func attributeMap(raw map[string]events.DynamoDBAttributeValue) (Item, error) {
	item := make(Item, len(raw))
	for name, value := range raw {
		converted, err := attribute(value)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		item[name] = converted
	}
	return item, nil
}

func attribute(value events.DynamoDBAttributeValue) (types.AttributeValue, error) {
	switch value.DataType() {
	case events.DataTypeString:
		return &types.AttributeValueMemberS{Value: value.String()}, nil
	case events.DataTypeNumber:
		return &types.AttributeValueMemberN{Value: value.Number()}, nil
	case events.DataTypeBinary:
		return &types.AttributeValueMemberB{Value: value.Binary()}, nil
	case events.DataTypeBoolean:
		return &types.AttributeValueMemberBOOL{Value: value.Boolean()}, nil
	case events.DataTypeNull:
		return &types.AttributeValueMemberNULL{Value: true}, nil
	case events.DataTypeMap:
		fields, err := attributeMap(value.Map())
		return &types.AttributeValueMemberM{Value: fields}, err
	case events.DataTypeList:
		return attributeList(value.List())
	case events.DataTypeStringSet:
		return &types.AttributeValueMemberSS{Value: value.StringSet()}, nil
	case events.DataTypeNumberSet:
		return &types.AttributeValueMemberNS{Value: value.NumberSet()}, nil
	case events.DataTypeBinarySet:
		return &types.AttributeValueMemberBS{Value: value.BinarySet()}, nil
	default:
		return nil, errors.New("unknown type")
	}
}

func attributeList(values []events.DynamoDBAttributeValue) (types.AttributeValue, error) {
	list := make([]types.AttributeValue, len(values))
	for i, value := range values {
		var err error
		if list[i], err = attribute(value); err != nil {
			return nil, err
		}
	}
	return &types.AttributeValueMemberL{Value: list}, nil
}
