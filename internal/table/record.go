package table

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table/schema"
)

// SchemaVersion is the version of the item's shape, for readers of the stream.
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
	GroupPhase  string `dynamodbav:"groupPhase,omitempty"`
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
	item.ByPhase = phaseKey(phaseOf(r), at, sk)
	if r.Kind == state.KindContainerInstance {
		item.Status, item.AgentConnected = r.Instance.Status, r.Instance.AgentConnected
		item.EC2InstanceID = r.Instance.EC2InstanceID
		item.ByInstance = indexKey(r.Cluster, item.EC2InstanceID)
		return item
	}
	item.Status, item.DesiredStatus = r.Task.LastStatus, r.Task.DesiredStatus
	item.StartedBy, item.Group, item.Family = r.Task.StartedBy, r.Task.Group, r.Task.Family
	item.Instance = r.Task.ContainerInstanceID
	if r.Tombstone == nil {
		item.ByInstance = indexKey(r.Cluster, item.Instance)
	}
	item.ByStartedBy = indexKey(r.Cluster, item.StartedBy)
	if item.ByGroup = indexKey(r.Cluster, item.Group); item.ByGroup != "" {
		item.GroupPhase = phaseKey(groupPhaseOf(r), at, sk)
	}
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
		return nil, err
	}
	return &state.SourceDetail{Version: s.Version, At: fromMillis(s.At), Detail: detail}, nil
}

// unpackRecord reads an item of the STATE table that holds a record.
func unpackRecord(raw Item) (state.Record, error) {
	var item recordItem
	if err := attributevalue.UnmarshalMap(raw, &item); err != nil {
		return state.Record{}, fmt.Errorf("decoding record %s %s: %w", stringOf(raw, schema.PartitionKey), stringOf(raw, schema.SortKey), err)
	}
	key, err := parseRecordKey(item.PK, item.SK)
	if err != nil {
		return state.Record{}, err
	}
	r := state.Record{Key: key, ARN: arnOf(key, item.ShortARN), Version: item.Version, StoredAt: fromMillis(item.StoredAt)}
	if r.Event, err = unpackSource(item.Event); err != nil {
		return r, fmt.Errorf("record %s: %w", key, err)
	}
	if r.Described, err = unpackSource(item.Described); err != nil {
		return r, fmt.Errorf("record %s: %w", key, err)
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
	return r, nil
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
