package memory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// Limits of batches.
const (
	maxBatchWrites    = 25
	maxBatchGets      = 100
	maxBatchReadBytes = 16 * 1024 * 1024
)

const errDuplicateKeys = attr.Invalid("Provided list of item keys contains duplicates")

// itemID names an item across tables.
type itemID struct {
	table *table
	key   key
}

func (db *DB) batchWriteItem(in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
	if in.RequestItems == nil {
		return nil, missing("BatchWriteItemInput", "RequestItems")
	}
	if err := checkCapacityDetail(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	writes, err := db.batchWrites(in.RequestItems)
	if err != nil {
		return nil, err
	}
	bills := billing{}
	// Every item is another one, so all can be tried before the first is
	// written: a fault in one refuses the batch.
	outcomes := make([]outcome, len(writes))
	for i, w := range writes {
		if outcomes[i], err = w.try(); err != nil {
			return nil, err
		}
	}
	for _, o := range outcomes {
		db.do(o, bills.of(o.table), 1, nil)
	}
	return &dynamodb.BatchWriteItemOutput{
		UnprocessedItems: map[string][]types.WriteRequest{},
		ConsumedCapacity: bills.charge(in.ReturnConsumedCapacity),
	}, nil
}

// batchWrites checks the requests of a batch, table by table in the order of
// their names.
func (db *DB) batchWrites(requests map[string][]types.WriteRequest) ([]*write, error) {
	if len(requests) == 0 {
		return nil, attr.Invalid("BatchWriteItem cannot have a null or no requests set")
	}
	var out []*write
	seen := map[itemID]bool{}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		if len(requests[name]) == 0 {
			return nil, attr.Invalid("The batch write request list for a table cannot be null or empty: " + name)
		}
		for _, r := range requests[name] {
			w, err := db.batchWrite(name, r)
			if err != nil {
				return nil, err
			}
			id := itemID{table: w.table, key: w.key}
			if seen[id] {
				return nil, errDuplicateKeys
			}
			seen[id] = true
			if out = append(out, w); len(out) > maxBatchWrites {
				return nil, attr.Invalid("Too many items requested for the BatchWriteItem call")
			}
		}
	}
	return out, nil
}

func (db *DB) batchWrite(table string, r types.WriteRequest) (*write, error) {
	if (r.PutRequest == nil) == (r.DeleteRequest == nil) {
		return nil, attr.Invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	if r.PutRequest != nil {
		return db.newPut(request{table: &table}, r.PutRequest.Item)
	}
	return db.newDelete(request{table: &table}, r.DeleteRequest.Key)
}

// billing is the bills of a call on several tables.
type billing struct {
	bills       []*bill
	transaction bool
}

func (l *billing) of(t *table) *bill {
	for _, b := range l.bills {
		if b.table == t {
			return b
		}
	}
	b := &bill{table: t, transaction: l.transaction}
	l.bills = append(l.bills, b)
	return b
}

// charge charges the bills and returns them in the detail asked for.
func (l *billing) charge(detail types.ReturnConsumedCapacity) []types.ConsumedCapacity {
	var out []types.ConsumedCapacity
	for _, b := range l.bills {
		b.charge()
		if answer := b.answer(detail); answer != nil {
			out = append(out, *answer)
		}
	}
	return out
}

// batchRead is one key of a BatchGetItem.
type batchRead struct {
	id         itemID
	given      attr.Item
	consistent bool
	project    copier
}

func (db *DB) batchGetItem(in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
	if in.RequestItems == nil {
		return nil, missing("BatchGetItemInput", "RequestItems")
	}
	if err := checkCapacityDetail(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	reads, err := db.batchReads(in.RequestItems)
	if err != nil {
		return nil, err
	}
	out := &dynamodb.BatchGetItemOutput{
		Responses:       map[string][]map[string]types.AttributeValue{},
		UnprocessedKeys: map[string]types.KeysAndAttributes{},
	}
	bills := billing{}
	bytes := 0
	for _, r := range reads {
		name := r.id.table.name
		if out.Responses[name] == nil {
			out.Responses[name] = []map[string]types.AttributeValue{}
		}
		found := r.id.table.read(r.consistent, db.now).get(r.id.key.hash, position{sort: r.id.key.sort})
		if bytes += found.bytes(); bytes > maxBatchReadBytes {
			left := in.RequestItems[name]
			left.Keys = append(slices.Clone(out.UnprocessedKeys[name].Keys), attr.CopyItem(r.given))
			out.UnprocessedKeys[name] = left
			continue
		}
		bills.of(r.id.table).own.Read += readUnits(found.bytes(), r.consistent)
		if found != nil {
			out.Responses[name] = append(out.Responses[name], r.project(found.item))
		}
	}
	out.ConsumedCapacity = bills.charge(in.ReturnConsumedCapacity)
	return out, nil
}

func (db *DB) batchReads(requests map[string]types.KeysAndAttributes) ([]batchRead, error) {
	if len(requests) == 0 {
		return nil, attr.Invalid("BatchGetItem must have some requests set")
	}
	var out []batchRead
	seen := map[itemID]bool{}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		r := requests[name]
		if len(r.Keys) == 0 {
			return nil, attr.Invalid(fmt.Sprintf("The list of keys in RequestItems for BatchGetItem is required: %s has empty list", name))
		}
		if err := refuseLegacy(r.AttributesToGet != nil); err != nil {
			return nil, err
		}
		t, err := db.table(&name)
		if err != nil {
			return nil, err
		}
		project, err := projection(r.ProjectionExpression, r.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		for _, given := range r.Keys {
			checked, err := t.schema.checkKey(given)
			if err != nil {
				return nil, err
			}
			id := itemID{table: t, key: t.schema.keyOf(checked)}
			if seen[id] {
				return nil, errDuplicateKeys
			}
			seen[id] = true
			out = append(out, batchRead{id: id, given: checked, consistent: aws.ToBool(r.ConsistentRead), project: project})
			if len(out) > maxBatchGets {
				return nil, attr.Invalid("Too many items requested for the BatchGetItem call")
			}
		}
	}
	return out, nil
}
