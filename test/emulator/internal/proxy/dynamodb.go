package proxy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/blox/blox/internal/table/schema"
	"github.com/blox/blox/test/emulator/internal/policy"
)

// item is DynamoDB's JSON of an item or a key: attribute, type, value.
type item map[string]map[string]any

// tableCall is what all calls of DynamoDB that name one table have in common.
type tableCall struct {
	TableName                 string
	IndexName                 string
	Key, Item                 item
	KeyConditionExpression    string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues item
}

func (p Place) dynamodb(action string, body []byte) ([]policy.Request, error) {
	switch action {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "DescribeTable":
		var in tableCall
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return []policy.Request{p.tableRequest(action, in)}, nil
	case "BatchGetItem", "BatchWriteItem":
		var in struct{ RequestItems map[string]json.RawMessage }
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		var requests []policy.Request
		for name, content := range in.RequestItems {
			keys, err := batchKeys(content)
			if err != nil {
				return nil, err
			}
			requests = append(requests, policy.Request{Action: "dynamodb:" + action, Resource: p.table(name, ""), Context: leading(keys...)})
		}
		return requests, nil
	case "TransactWriteItems", "TransactGetItems":
		var in struct{ TransactItems []map[string]tableCall }
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		// IAM knows no transactions: each of the items needs what it would need alone.
		names := map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}
		var requests []policy.Request
		for _, element := range in.TransactItems {
			for kind, call := range element {
				requests = append(requests, p.tableRequest(names[kind], call))
			}
		}
		return requests, nil
	default:
		return nil, nil
	}
}

// StreamHeader names the stream of a GetRecords, whose body has only the iterator. Only our own poller makes that call.
const StreamHeader = "X-Blox-Stream"

func streams(action string, body []byte, stream string) ([]policy.Request, error) {
	var in struct{ StreamArn string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if in.StreamArn != "" {
		stream = in.StreamArn
	}
	if stream == "" && action == "ListStreams" {
		stream = "*"
	}
	if stream == "" {
		return nil, fmt.Errorf("dynamodb:%s does not say which stream", action)
	}
	return []policy.Request{{Action: "dynamodb:" + action, Resource: stream}}, nil
}

func (p Place) tableRequest(action string, in tableCall) policy.Request {
	var keys []string
	for _, of := range []item{in.Key, in.Item} {
		keys = append(keys, partition(of)...)
	}
	if in.KeyConditionExpression != "" {
		keys = append(keys, in.queried()...)
	}
	return policy.Request{Action: "dynamodb:" + action, Resource: p.table(in.TableName, in.IndexName), Context: leading(keys...)}
}

func (p Place) table(name, index string) string {
	if index != "" {
		index = "/index/" + index
	}
	return p.arn("dynamodb", "table/"+name) + index
}

func partition(of item) []string {
	if key, ok := of[schema.PartitionKey]["S"].(string); ok {
		return []string{key}
	}
	return nil
}

// equality is the one on the partition key that every key condition has; a sort key's may follow it.
var equality = regexp.MustCompile(`([#\w]+) = (:\w+)`)

func (in tableCall) queried() []string {
	for _, found := range equality.FindAllStringSubmatch(in.KeyConditionExpression, -1) {
		name := found[1]
		if meant, ok := in.ExpressionAttributeNames[name]; ok {
			name = meant
		}
		// Of an index, the first attribute of the condition is its partition key.
		if value, ok := in.ExpressionAttributeValues[found[2]]["S"].(string); ok && (in.IndexName != "" || name == schema.PartitionKey) {
			return []string{value}
		}
	}
	return nil
}

// leading is the condition key of the partition keys that a call touches.
func leading(keys ...string) map[string][]string {
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	return map[string][]string{"dynamodb:LeadingKeys": slices.Compact(keys)}
}

// batchKeys are those of a BatchGetItem's table, {"Keys": [key]}, or a BatchWriteItem's, [{"PutRequest": {"Item": …}}].
func batchKeys(content json.RawMessage) (keys []string, err error) {
	var get struct{ Keys []item }
	if json.Unmarshal(content, &get) == nil {
		for _, key := range get.Keys {
			keys = append(keys, partition(key)...)
		}
		return keys, nil
	}
	var writes []map[string]struct{ Item, Key item }
	if err := json.Unmarshal(content, &writes); err != nil {
		return nil, err
	}
	for _, write := range writes {
		for _, w := range write {
			keys = append(keys, append(partition(w.Item), partition(w.Key)...)...)
		}
	}
	return keys, nil
}
