package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// The actions of a transaction on s.

func (s *suite) putAction(i item, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.table, Item: i, ConditionExpression: text(condition)}}
}

func (s *suite) deleteAction(key item, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: &s.table, Key: key, ConditionExpression: text(condition)}}
}

func (s *suite) updateAction(key item, update string, values item) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{TableName: &s.table, Key: key, UpdateExpression: &update, ExpressionAttributeValues: values}}
}

func (s *suite) checkAction(key item, condition string, values item) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &s.table, Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

func (s *suite) transact(t *testing.T, actions ...types.TransactWriteItem) error {
	t.Helper()
	_, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	return err
}

func testTransactions(t *testing.T, s *suite) {
	other := tableWith(t, s, "S", "S")
	s.put(t, sample("a"))
	s.put(t, sample("b"))
	s.put(t, sample("c"))
	require.NoError(t, s.transact(t,
		s.putAction(keyed("new", item{"g": str("G"), "h": num("1")}), "attribute_not_exists(pk)"),
		s.updateAction(keyed("a"), "SET n = n + :x", x(1)),
		s.deleteAction(keyed("b"), "attribute_exists(pk)"),
		s.checkAction(keyed("c"), "a = :x", x("abc")),
		other.putAction(keyed("new"), ""),
	))
	require.NotNil(t, s.get(t, "new"))
	require.NotNil(t, other.get(t, "new"))
	require.Nil(t, s.get(t, "b"))
	same(t, sample("c"), s.get(t, "c"))
	require.Equal(t, num("2.5"), s.get(t, "a")["n"])
	require.Len(t, s.inIndex(t, "whole"), 1)

	// One condition that fails undoes all, and each action gets its reason.
	before := s.get(t, "a")
	failing := s.putAction(keyed("c"), "attribute_not_exists(pk)")
	err := s.transact(t,
		s.updateAction(keyed("a"), "SET n = n + :x", x(1)),
		s.checkAction(keyed("c"), "a <> :x", x("abc")),
		s.checkAction(keyed("absent"), "attribute_exists(pk)", nil),
		other.putAction(keyed("newer"), ""),
		failingOn(failing, "d"),
	)
	var canceled *types.TransactionCanceledException
	require.ErrorAs(t, err, &canceled)
	require.Contains(t, canceled.ErrorMessage(), "[None, ConditionalCheckFailed, ConditionalCheckFailed, None, None]")
	require.Len(t, canceled.CancellationReasons, 5)
	for i, code := range []string{"None", "ConditionalCheckFailed", "ConditionalCheckFailed", "None", "None"} {
		require.Equal(t, code, aws.ToString(canceled.CancellationReasons[i].Code))
	}
	same(t, sample("c"), canceled.CancellationReasons[1].Item)
	require.Contains(t, aws.ToString(canceled.CancellationReasons[1].Message), "The conditional request failed")
	require.Nil(t, canceled.CancellationReasons[2].Item, "there is no item to return")
	same(t, before, s.get(t, "a"), "a canceled transaction wrote something")
	require.Nil(t, other.get(t, "newer"))
	require.Nil(t, s.get(t, "d"))

	// The item comes back only where it is asked for.
	require.ErrorAs(t, s.transact(t, failing), &canceled)
	require.Nil(t, canceled.CancellationReasons[0].Item)
	failing.Put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	require.ErrorAs(t, s.transact(t, failing), &canceled)
	same(t, sample("c"), canceled.CancellationReasons[0].Item)
}

// failingOn is the put of another item.
func failingOn(a types.TransactWriteItem, sk string) types.TransactWriteItem {
	put := *a.Put
	put.Item = keyed(sk)
	return types.TransactWriteItem{Put: &put}
}

func testTransactionErrors(t *testing.T, s *suite) {
	s.put(t, sample("a"))
	puts := func(n, bytes int) []types.TransactWriteItem {
		out := make([]types.TransactWriteItem, n)
		for i := range out {
			out[i] = s.putAction(keyed(fmt.Sprintf("s%d", i), item{"v": str(strings.Repeat("v", bytes))}), "")
		}
		return out
	}
	for name, c := range map[string]struct {
		actions []types.TransactWriteItem
		want    string
	}{
		"none":               {[]types.TransactWriteItem{}, "Member must have length greater than or equal to 1"},
		"101":                {puts(101, 1), "Member must have length less than or equal to 100"},
		"over 4 MB":          {puts(12, 390_000), "Transaction payload size cannot exceed 4MB"},
		"one item twice":     {[]types.TransactWriteItem{s.putAction(keyed("b"), ""), s.deleteAction(keyed("b"), "")}, "Transaction request cannot include multiple operations on one item"},
		"put and check":      {[]types.TransactWriteItem{s.putAction(keyed("b"), ""), s.checkAction(keyed("b"), "attribute_exists(pk)", nil)}, "Transaction request cannot include multiple operations on one item"},
		"no action":          {[]types.TransactWriteItem{{}}, ""},
		"two actions in one": {[]types.TransactWriteItem{{Put: puts(1, 1)[0].Put, Delete: s.deleteAction(keyed("b"), "").Delete}}, "TransactItems can only contain one of Check, Put, Update or Delete"},
		"bad syntax":         {[]types.TransactWriteItem{s.putAction(keyed("b"), "a =")}, `Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="`},
		"unused value":       {[]types.TransactWriteItem{s.updateAction(keyed("b"), "SET a = :x", item{":x": str("a"), ":y": str("b")})}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:y}"},
		"bad key":            {[]types.TransactWriteItem{s.deleteAction(item{"pk": str("a")}, "")}, "number of conditions on the keys is invalid"},
		"bad item":           {[]types.TransactWriteItem{s.putAction(item{"pk": str("a")}, "")}, ""},
		"empty key":          {[]types.TransactWriteItem{s.putAction(keyed(""), "")}, "cannot contain an empty string value. Key: sk"},
		"too large":          {[]types.TransactWriteItem{s.putAction(keyed("b", item{"v": str(strings.Repeat("v", 420_000))}), "")}, "Item size has exceeded the maximum allowed size"},
	} {
		invalid(t, s.transact(t, c.actions...), c.want, name)
	}
	// 100 actions are allowed.
	require.NoError(t, s.transact(t, puts(100, 1)...))

	var notFound *types.ResourceNotFoundException
	nowhere := s.putAction(keyed("b"), "")
	nowhere.Put.TableName = aws.String("no-such-table")
	require.ErrorAs(t, s.transact(t, nowhere), &notFound)

	// What depends on the item cancels the transaction, with a reason.
	for name, c := range map[string]struct {
		action types.TransactWriteItem
		want   string
	}{
		"its own key":         {s.updateAction(keyed("a"), "SET pk = :x", x("q")), "Cannot update attribute pk. This attribute is part of the key"},
		"an index key's type": {s.putAction(keyed("b", item{"g": num("1")}), ""), "Type mismatch for Index Key"},
	} {
		err := s.transact(t, s.putAction(keyed("fine"), ""), c.action)
		var canceled *types.TransactionCanceledException
		require.ErrorAs(t, err, &canceled, name)
		last := canceled.CancellationReasons[len(canceled.CancellationReasons)-1]
		require.Equal(t, "ValidationError", aws.ToString(last.Code))
		require.Contains(t, aws.ToString(last.Message), c.want)
		require.Nil(t, s.get(t, "fine"))
	}
}

func testTransactionTokens(t *testing.T, s *suite) {
	s.put(t, sample("a"))
	add := func(token string, by int) error {
		_, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: &token, TransactItems: []types.TransactWriteItem{s.updateAction(keyed("a"), "ADD n :x", x(by))},
		})
		return err
	}
	token := s.table[len(s.table)-13:] // one that no other test uses
	require.NoError(t, add(token, 1))
	require.NoError(t, add(token, 1), "the same request again")
	require.Equal(t, num("2.5"), s.get(t, "a")["n"], "it has been done once")
	var mismatch *types.IdempotentParameterMismatchException
	require.ErrorAs(t, add(token, 2), &mismatch)
	require.NoError(t, add(token+"-2", 2))
	require.Equal(t, num("4.5"), s.get(t, "a")["n"])
	invalid(t, add(strings.Repeat("t", 37), 1), "Member must have length less than or equal to 36")
}
