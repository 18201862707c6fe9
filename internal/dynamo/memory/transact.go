package memory

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// Limits of transactions.
const (
	maxActions          = 100
	maxTransactionBytes = 4 * 1024 * 1024
	maxTokenLength      = 36
)

// action is one action of a transaction.
type action struct {
	*write
	returnOld bool
}

func (db *DB) transactWriteItems(in *dynamodb.TransactWriteItemsInput) (*dynamodb.TransactWriteItemsOutput, error) {
	if in.TransactItems == nil {
		return nil, missing("TransactWriteItemsInput", "TransactItems")
	}
	if err := checkTransaction(in); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	actions, err := db.actions(in.TransactItems)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	if earlier, known := db.tokens.find(token, db.now); known {
		if !reflect.DeepEqual(earlier, in.TransactItems) {
			return nil, &types.IdempotentParameterMismatchException{Message: aws.String("The request uses the same client token as a previous, but non-identical request")}
		}
		return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: repeated(actions).charge(in.ReturnConsumedCapacity)}, nil
	}
	outcomes, err := tryAll(actions)
	if err != nil {
		return nil, err
	}
	bills := billing{transaction: true}
	for _, o := range outcomes {
		db.do(o, bills.of(o.table), transactionFactor, nil)
	}
	if token != "" {
		db.tokens.add(token, copyActions(in.TransactItems), db.now())
	}
	return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: bills.charge(in.ReturnConsumedCapacity)}, nil
}

func checkTransaction(in *dynamodb.TransactWriteItemsInput) error {
	switch {
	case len(in.TransactItems) == 0:
		return attr.Invalid("1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(in.TransactItems) > maxActions:
		return attr.Invalid(fmt.Sprintf("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to %d", maxActions))
	case len(aws.ToString(in.ClientRequestToken)) > maxTokenLength:
		return attr.Invalid(fmt.Sprintf("1 validation error detected: Value '%s' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to %d", *in.ClientRequestToken, maxTokenLength))
	}
	return checkCapacityDetail(in.ReturnConsumedCapacity)
}

// actions checks what can be checked without looking at items.
func (db *DB) actions(items []types.TransactWriteItem) ([]action, error) {
	out := make([]action, len(items))
	seen := map[itemID]bool{}
	bytes := 0
	for i, item := range items {
		a, err := db.action(i, item)
		if err != nil {
			return nil, err
		}
		id := itemID{table: a.table, key: a.key}
		if seen[id] {
			return nil, attr.Invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
		out[i] = a
		bytes += a.requested
	}
	if bytes > maxTransactionBytes {
		return nil, attr.Invalid(fmt.Sprintf("Transaction payload size cannot exceed 4MB. Payload Size: %d", bytes))
	}
	return out, nil
}

func (db *DB) action(i int, item types.TransactWriteItem) (action, error) {
	kinds := 0
	for _, given := range []bool{item.Put != nil, item.Update != nil, item.Delete != nil, item.ConditionCheck != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return action{}, attr.Invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	var w *write
	var err error
	var onFailure types.ReturnValuesOnConditionCheckFailure
	switch {
	case item.Put != nil:
		p := item.Put
		onFailure = p.ReturnValuesOnConditionCheckFailure
		w, err = db.newPut(request{table: p.TableName, condition: p.ConditionExpression, names: p.ExpressionAttributeNames, values: p.ExpressionAttributeValues}, p.Item)
	case item.Update != nil:
		u := item.Update
		onFailure = u.ReturnValuesOnConditionCheckFailure
		if u.UpdateExpression == nil {
			return action{}, requiredMember(i, "update.updateExpression")
		}
		w, err = db.newUpdate(request{table: u.TableName, condition: u.ConditionExpression, names: u.ExpressionAttributeNames, values: u.ExpressionAttributeValues}, u.Key, u.UpdateExpression)
	case item.Delete != nil:
		d := item.Delete
		onFailure = d.ReturnValuesOnConditionCheckFailure
		w, err = db.newDelete(request{table: d.TableName, condition: d.ConditionExpression, names: d.ExpressionAttributeNames, values: d.ExpressionAttributeValues}, d.Key)
	default:
		c := item.ConditionCheck
		onFailure = c.ReturnValuesOnConditionCheckFailure
		if c.ConditionExpression == nil {
			return action{}, requiredMember(i, "conditionCheck.conditionExpression")
		}
		w, err = db.newCheck(request{table: c.TableName, condition: c.ConditionExpression, names: c.ExpressionAttributeNames, values: c.ExpressionAttributeValues}, c.Key)
	}
	if err != nil {
		return action{}, err
	}
	return action{write: w, returnOld: returnsOld(onFailure)}, checkOnFailure(onFailure)
}

func requiredMember(i int, member string) error {
	return attr.Invalid(fmt.Sprintf("1 validation error detected: Value null at 'transactItems.%d.member.%s' failed to satisfy constraint: Member must not be null", i+1, member))
}

// tryAll evaluates all actions before anything is written. If one cannot be
// done, none is, and the exception has a reason for each.
func tryAll(actions []action) ([]outcome, error) {
	outcomes := make([]outcome, len(actions))
	reasons := make([]types.CancellationReason, len(actions))
	canceled := false
	for i, a := range actions {
		o, err := a.try()
		outcomes[i] = o
		reasons[i] = types.CancellationReason{Code: aws.String("None")}
		if err != nil {
			canceled = true
			reasons[i] = a.reason(err)
		}
	}
	if !canceled {
		return outcomes, nil
	}
	// What a canceled transaction costs is not documented in full: charge for
	// each action what a failed condition costs, twice like all transactions.
	codes := make([]string, len(reasons))
	bills := billing{}
	for i, a := range actions {
		codes[i] = *reasons[i].Code
		bills.of(a.table).own.Write += transactionFactor * writeUnits(a.table.get(a.key).bytes())
	}
	bills.charge(types.ReturnConsumedCapacityNone)
	return nil, &types.TransactionCanceledException{
		Message:             aws.String("Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"),
		CancellationReasons: reasons,
	}
}

func (a action) reason(err error) types.CancellationReason {
	var failed conditionFailed
	if !errors.As(err, &failed) {
		return types.CancellationReason{Code: aws.String("ValidationError"), Message: aws.String(err.Error())}
	}
	out := types.CancellationReason{Code: aws.String("ConditionalCheckFailed"), Message: aws.String("The conditional request failed")}
	if a.returnOld && failed.old != nil {
		out.Item = attr.CopyItem(failed.old.item)
	}
	return out
}

// repeated bills a request whose token says that it has been done already: it
// costs reading the items.
func repeated(actions []action) *billing {
	bills := &billing{transaction: true}
	for _, a := range actions {
		bills.of(a.table).own.Read += transactionFactor * readUnits(a.table.get(a.key).bytes(), true)
	}
	return bills
}
