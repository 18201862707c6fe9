package memory

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/dynamo/attr"
	"github.com/blox/blox/internal/dynamo/expr"
)

// copier copies what a read returns out of a stored item.
type copier func(attr.Item) attr.Item

// projection binds a ProjectionExpression; without one, whole items are
// returned.
func projection(text *string, names map[string]string) (copier, error) {
	env, err := expr.NewEnv(names, nil)
	if err != nil {
		return nil, err
	}
	if text == nil {
		if names != nil {
			return nil, attr.Invalid("ExpressionAttributeNames can only be specified when using expressions")
		}
		return attr.CopyItem, nil
	}
	parsed, err := expr.ParseProjection(*text)
	if err != nil {
		return nil, err
	}
	project, err := parsed.Bind(env)
	if err != nil {
		return nil, err
	}
	return project, env.CheckUnused(parsed.Placeholders())
}

func (db *DB) getItem(in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	switch {
	case in.TableName == nil:
		return nil, missing("GetItemInput", "TableName")
	case in.Key == nil:
		return nil, missing("GetItemInput", "Key")
	}
	if err := refuseLegacy(in.AttributesToGet != nil); err != nil {
		return nil, err
	}
	if err := checkCapacityDetail(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	project, err := projection(in.ProjectionExpression, in.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	found, b, err := db.get(in.TableName, in.Key, aws.ToBool(in.ConsistentRead))
	if err != nil {
		return nil, err
	}
	out := &dynamodb.GetItemOutput{ConsumedCapacity: b.answer(in.ReturnConsumedCapacity)}
	if found != nil {
		out.Item = project(found.item)
	}
	return out, nil
}

// get reads one item, nil for none.
func (db *DB) get(tableName *string, keys attr.Item, consistent bool) (*record, *bill, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	t, err := db.table(tableName)
	if err != nil {
		return nil, nil, err
	}
	checked, err := t.schema.checkKey(keys)
	if err != nil {
		return nil, nil, err
	}
	k := t.schema.keyOf(checked)
	found := t.read(consistent, db.now).get(k.hash, position{sort: k.sort})
	b := &bill{table: t, own: Capacity{Read: readUnits(found.bytes(), consistent)}}
	b.charge()
	return found, b, nil
}
