package memory

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

func (db *DB) putItem(in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	switch {
	case in.TableName == nil:
		return nil, missing("PutItemInput", "TableName")
	case in.Item == nil:
		return nil, missing("PutItemInput", "Item")
	}
	if err := refuseLegacy(in.Expected != nil, in.ConditionalOperator != ""); err != nil {
		return nil, err
	}
	if err := checkWriteEnums(in.ReturnConsumedCapacity, in.ReturnValuesOnConditionCheckFailure, in.ReturnValues, onlyOld...); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	w, err := db.newPut(request{table: in.TableName, condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues}, in.Item)
	if err != nil {
		return nil, err
	}
	o, b, err := db.write(w, returnsOld(in.ReturnValuesOnConditionCheckFailure))
	if err != nil {
		return nil, err
	}
	return &dynamodb.PutItemOutput{Attributes: o.returned(in.ReturnValues), ConsumedCapacity: b.answer(in.ReturnConsumedCapacity)}, nil
}

func (db *DB) deleteItem(in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	switch {
	case in.TableName == nil:
		return nil, missing("DeleteItemInput", "TableName")
	case in.Key == nil:
		return nil, missing("DeleteItemInput", "Key")
	}
	if err := refuseLegacy(in.Expected != nil, in.ConditionalOperator != ""); err != nil {
		return nil, err
	}
	if err := checkWriteEnums(in.ReturnConsumedCapacity, in.ReturnValuesOnConditionCheckFailure, in.ReturnValues, onlyOld...); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	w, err := db.newDelete(request{table: in.TableName, condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues}, in.Key)
	if err != nil {
		return nil, err
	}
	o, b, err := db.write(w, returnsOld(in.ReturnValuesOnConditionCheckFailure))
	if err != nil {
		return nil, err
	}
	return &dynamodb.DeleteItemOutput{Attributes: o.returned(in.ReturnValues), ConsumedCapacity: b.answer(in.ReturnConsumedCapacity)}, nil
}

func (db *DB) updateItem(in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	switch {
	case in.TableName == nil:
		return nil, missing("UpdateItemInput", "TableName")
	case in.Key == nil:
		return nil, missing("UpdateItemInput", "Key")
	}
	if err := refuseLegacy(in.AttributeUpdates != nil, in.Expected != nil, in.ConditionalOperator != ""); err != nil {
		return nil, err
	}
	if err := checkWriteEnums(in.ReturnConsumedCapacity, in.ReturnValuesOnConditionCheckFailure, in.ReturnValues, types.ReturnValueNone.Values()...); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	w, err := db.newUpdate(request{table: in.TableName, condition: in.ConditionExpression, names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues}, in.Key, in.UpdateExpression)
	if err != nil {
		return nil, err
	}
	o, b, err := db.write(w, returnsOld(in.ReturnValuesOnConditionCheckFailure))
	if err != nil {
		return nil, err
	}
	return &dynamodb.UpdateItemOutput{Attributes: o.returned(in.ReturnValues), ConsumedCapacity: b.answer(in.ReturnConsumedCapacity)}, nil
}

// onlyOld is what PutItem and DeleteItem can return.
var onlyOld = []types.ReturnValue{types.ReturnValueNone, types.ReturnValueAllOld}

func checkWriteEnums(capacity types.ReturnConsumedCapacity, onFailure types.ReturnValuesOnConditionCheckFailure, returned types.ReturnValue, allowed ...types.ReturnValue) error {
	if err := checkCapacityDetail(capacity); err != nil {
		return err
	}
	if err := checkOnFailure(onFailure); err != nil {
		return err
	}
	if checkEnum("returnValues", returned, allowed...) != nil {
		return attr.Invalid("Return values set to invalid value")
	}
	return nil
}

func checkOnFailure(onFailure types.ReturnValuesOnConditionCheckFailure) error {
	return checkEnum("returnValuesOnConditionCheckFailure", onFailure,
		types.ReturnValuesOnConditionCheckFailureAllOld, types.ReturnValuesOnConditionCheckFailureNone)
}

func returnsOld(onFailure types.ReturnValuesOnConditionCheckFailure) bool {
	return onFailure == types.ReturnValuesOnConditionCheckFailureAllOld
}

// returned is the Attributes of the answer, nil when there are none.
func (o outcome) returned(what types.ReturnValue) attr.Item {
	var out attr.Item
	switch what {
	case types.ReturnValueAllOld:
		out = attr.CopyItem(o.old.attributes())
	case types.ReturnValueAllNew:
		out = attr.CopyItem(o.next.attributes())
	case types.ReturnValueUpdatedOld:
		if o.update != nil {
			out = o.update.Touched(o.old.attributes())
		}
	case types.ReturnValueUpdatedNew:
		if o.update != nil {
			out = o.update.Touched(o.next.attributes())
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (r *record) attributes() attr.Item {
	if r == nil {
		return nil
	}
	return r.item
}
