package table

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// SchemaVersion is the newest version of a record's shape that this program reads, and the one that it writes.
const SchemaVersion = 1

// recordItem is a task or container instance as the table holds it. Details are compressed; what filters and other
// readers need stands beside them. The ARN is made from the key, so it is not stored; shortARN says in which form.
type recordItem struct {
	PK       string `dynamodbav:"pk"`
	SK       string `dynamodbav:"sk"`
	Schema   int    `dynamodbav:"schema"`
	Version  int64  `dynamodbav:"version"`
	ShortARN bool   `dynamodbav:"shortArn,omitempty"`
	StoredAt int64  `dynamodbav:"storedAt"` // milliseconds since 1970

	// Status is a task's lastStatus or an instance's status.
	Status         string `dynamodbav:"status,omitempty"`
	DesiredStatus  string `dynamodbav:"desiredStatus,omitempty"`
	StartedBy      string `dynamodbav:"startedBy,omitempty"`
	Group          string `dynamodbav:"group,omitempty"`
	Family         string `dynamodbav:"family,omitempty"`
	Instance       string `dynamodbav:"containerInstance,omitempty"` // a task's container instance, its id
	EC2InstanceID  string `dynamodbav:"ec2InstanceId,omitempty"`
	AgentConnected bool   `dynamodbav:"agentConnected,omitempty"`

	Event     *sourceItem    `dynamodbav:"event,omitempty"`
	Described *sourceItem    `dynamodbav:"described,omitempty"`
	Tombstone *tombstoneItem `dynamodbav:"tombstone,omitempty"`
	TTL       int64          `dynamodbav:"ttl,omitempty"` // seconds since 1970

	ByPhase     string `dynamodbav:"byPhase"`
	ByInstance  string `dynamodbav:"byInstance,omitempty"`
	ByStartedBy string `dynamodbav:"byStartedBy,omitempty"`
	ByGroup     string `dynamodbav:"byGroup,omitempty"`
	Life        string `dynamodbav:"life"`
}

type sourceItem struct {
	Version int64  `dynamodbav:"version"`
	At      int64  `dynamodbav:"at"` // milliseconds since 1970
	Detail  []byte `dynamodbav:"detail"`
}

type tombstoneItem struct {
	StoppedAt    int64 `dynamodbav:"stoppedAt"`
	VisibleUntil int64 `dynamodbav:"visibleUntil"`
	Gone         bool  `dynamodbav:"gone,omitempty"`
	Inferred     bool  `dynamodbav:"inferred"`
}

func packRecord(r state.Record) recordItem {
	pk, sk := recordKey(r.Key)
	item := recordItem{
		PK: pk, SK: sk, Schema: SchemaVersion, Version: r.Version, StoredAt: millis(r.StoredAt),
		ShortARN: isShort(r.ARN), Event: packSource(r.Event), Described: packSource(r.Described),
	}
	if t := r.Tombstone; t != nil {
		item.Tombstone = &tombstoneItem{
			StoppedAt: millis(t.StoppedAt), VisibleUntil: millis(t.VisibleUntil), Gone: t.Gone, Inferred: t.Inferred,
		}
		item.TTL = t.TTL.Unix()
	}
	at := phaseMillis(r)
	item.ByPhase, item.Life = phaseKey(phaseOf(r), at, sk), phaseKey(lifeOf(r), at, sk)
	if r.Kind == state.KindContainerInstance {
		item.Status, item.AgentConnected = r.Instance.Status, r.Instance.AgentConnected
		item.EC2InstanceID = r.Instance.EC2InstanceID
		item.ByInstance = indexKey(r.Cluster, item.EC2InstanceID)
		return item
	}
	item.Status, item.DesiredStatus = r.Task.LastStatus, r.Task.DesiredStatus
	item.StartedBy, item.Group, item.Family = r.Task.StartedBy, r.Task.Group, r.Task.Family
	item.Instance = r.Task.ContainerInstanceID
	item.ByInstance = indexKey(r.Cluster, item.Instance)
	item.ByStartedBy = indexKey(r.Cluster, item.StartedBy)
	item.ByGroup = indexKey(r.Cluster, item.Group)
	return item
}

// indexKey is the partition of an index that only things with the value are in. Which attribute's value it is says the
// index: the strings are in every item, and an item of up to 1 KB is one write unit.
func indexKey(cluster state.ClusterKey, value string) string {
	if value == "" {
		return ""
	}
	return cluster.String() + "/" + value
}

func isShort(arn string) bool {
	parsed, err := state.ParseARN(arn)
	return err == nil && parsed.Cluster == ""
}

func packSource(s *state.SourceDetail) *sourceItem {
	if s == nil {
		return nil
	}
	return &sourceItem{Version: s.Version, At: millis(s.At), Detail: compress(s.Detail)}
}

func unpackSource(s *sourceItem) (*state.SourceDetail, error) {
	if s == nil {
		return nil, nil
	}
	detail, err := decompress(s.Detail)
	if err != nil {
		detail, err = nil, fmt.Errorf("%w: %w", errDetail, err)
	}
	return &state.SourceDetail{Version: s.Version, At: fromMillis(s.At), Detail: detail}, err
}

// errDetail says that a record is whole but for a detail, which is nil and cannot be read here.
var errDetail = errors.New("unreadable detail")

// unpackRecord reads an item of the STATE table that holds a record. The record comes with errDetail, too.
func unpackRecord(raw Item) (state.Record, error) {
	// The schema comes first: what is to be made of the rest depends on it.
	if err := checkSchema(raw); err != nil {
		return state.Record{}, fmt.Errorf("decoding record %s %s: %w",
			stringOf(raw, schema.PartitionKey), stringOf(raw, schema.SortKey), err)
	}
	var item recordItem
	if err := attributevalue.UnmarshalMap(raw, &item); err != nil {
		return state.Record{}, fmt.Errorf("decoding record %s %s: %w", stringOf(raw, schema.PartitionKey), stringOf(raw, schema.SortKey), err)
	}
	key, err := parseRecordKey(item.PK, item.SK)
	if err != nil {
		return state.Record{}, err
	}
	r := state.Record{Key: key, ARN: arnOf(key, item.ShortARN), Version: item.Version, StoredAt: fromMillis(item.StoredAt)}
	var eventErr, describedErr error
	r.Event, eventErr = unpackSource(item.Event)
	r.Described, describedErr = unpackSource(item.Described)
	if err = errors.Join(eventErr, describedErr); err != nil {
		err = fmt.Errorf("record %s: %w", key, err)
	}
	if t := item.Tombstone; t != nil {
		r.Tombstone = &state.Tombstone{
			StoppedAt: fromMillis(t.StoppedAt), VisibleUntil: fromMillis(t.VisibleUntil),
			TTL: time.Unix(item.TTL, 0).UTC(), Gone: t.Gone, Inferred: t.Inferred,
		}
	}
	if key.Kind == state.KindContainerInstance {
		r.Instance = state.InstanceFields{Status: item.Status, AgentConnected: item.AgentConnected, EC2InstanceID: item.EC2InstanceID}
	} else {
		r.Task = state.TaskFields{
			LastStatus: item.Status, DesiredStatus: item.DesiredStatus, StartedBy: item.StartedBy,
			Group: item.Group, Family: item.Family, ContainerInstanceID: item.Instance,
		}
	}
	return r, err
}

// parseRecordKey reads what recordKey wrote.
func parseRecordKey(pk, sk string) (state.Key, error) {
	parts := strings.Split(pk, "/")
	if len(parts) != 5 {
		return state.Key{}, fmt.Errorf("item %s %s is no record", pk, sk)
	}
	key := state.Key{
		Kind:    state.Kind(parts[3]),
		Cluster: state.ClusterKey{Account: parts[0], Region: parts[1], Name: parts[2]},
		ID:      sk,
	}
	if key.Kind != state.KindTask && key.Kind != state.KindContainerInstance {
		return state.Key{}, fmt.Errorf("item %s %s is no record", pk, sk)
	}
	return key, nil
}

func arnOf(key state.Key, short bool) string {
	arn := state.ARN{
		Partition: state.PartitionOf(key.Cluster.Region), Account: key.Cluster.Account, Region: key.Cluster.Region,
		Kind: key.Kind.ARNKind(), Cluster: key.Cluster.Name, ID: key.ID,
	}
	if short {
		arn.Cluster = ""
	}
	return arn.String()
}

// boolValue is a DynamoDB boolean.
func boolValue(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }
