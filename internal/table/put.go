package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/state"
)

// Put stores an observation if it is news, by the rule of state.Compare, in one conditional write: nothing is read
// first, so no other writer can come between. Only a Describe that shows other content at an equal version takes a
// second write, for the first one's condition has to fail to learn what is stored.
func (s *State) Put(ctx context.Context, seen state.Observation, now time.Time) (state.Outcome, error) {
	record, _, err := state.Apply(state.Record{}, seen, now, s.visibleFor)
	if err != nil {
		return 0, fmt.Errorf("storing %s: %w", seen.Key, err)
	}
	before, failed, err := s.putIf(ctx, record, seen, newerCondition(seen))
	switch {
	case err != nil:
		return 0, err
	case !failed && len(before) == 0:
		return state.New, nil
	case !failed:
		return state.Newer, nil
	}
	stored, err := s.unpack(before)
	if err != nil && !errors.Is(err, errDetail) {
		return 0, err
	}
	outcome := state.Compare(stored, seen)
	if outcome != state.Refresh {
		if outcome.Written() {
			// The condition refused what the rule accepts: they must not differ.
			return 0, fmt.Errorf("storing %s version %d: condition and rule differ on a stored version %d", seen.Key, seen.Version, stored.Version)
		}
		return outcome, nil
	}
	if _, failed, err = s.putIf(ctx, record, seen, unchangedCondition(stored)); err != nil {
		return 0, err
	}
	if failed {
		return state.Stale, nil // something newer came in between
	}
	return state.Refresh, nil
}

// condition is an expression with its values. Names of attributes that DynamoDB reserves are in conditionNames.
type condition struct {
	expression string
	values     Item
}

var conditionNames = map[string]string{"#version": "version", "#at": "at", "#tombstone": "tombstone", "#described": "described"}

// newerCondition lets only a higher version through, and nothing but its own end past what ECS has said is over.
func newerCondition(seen state.Observation) condition {
	c := condition{expression: "#version < :version", values: Item{":version": numberValue(seen.Version)}}
	if !seen.Ended() {
		c.expression += " AND (attribute_not_exists(#tombstone) OR #tombstone.inferred = :true)"
		c.values[":true"] = boolValue(true)
	}
	c.expression = "attribute_not_exists(pk) OR (" + c.expression + ")"
	return c
}

// unchangedCondition lets the write through if the record is still the one that was read. Two writes leave the
// version as it is: another Describe of the same version, and reconcile's guess that the thing is gone.
func unchangedCondition(stored state.Record) condition {
	c := condition{expression: "#version = :version", values: Item{":version": numberValue(stored.Version)}}
	if stored.Described == nil {
		c.expression += " AND attribute_not_exists(#described)"
	} else {
		c.expression += " AND #described.#at = :at"
		c.values[":at"] = numberValue(millis(stored.Described.At))
	}
	if stored.Tombstone == nil {
		c.expression += " AND attribute_not_exists(#tombstone)"
	} else {
		// What was inferred may be revived meanwhile, or end in truth.
		c.expression += " AND #tombstone.inferred = :inferred"
		c.values[":inferred"] = boolValue(stored.Tombstone.Inferred)
	}
	return c
}

// putIf sets one source's map and the fields beside it, and leaves the other source's map alone. before is the item that
// was there, empty if there was none; failed says that the condition did not hold, so that it still is.
func (s *State) putIf(ctx context.Context, record state.Record, seen state.Observation, c condition) (before Item, failed bool, err error) {
	in, err := s.updateOf(record, seen.Source, c)
	if err != nil {
		return nil, false, fmt.Errorf("storing %s: %w", seen.Key, err)
	}
	out, err := s.db.UpdateItem(ctx, in)
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return out.Attributes, false, nil
	case !errors.As(err, &refused):
		return nil, false, fmt.Errorf("storing %s: %w", seen.Key, err)
	case len(refused.Item) == 0:
		return nil, false, fmt.Errorf("storing %s: refused, and no item was returned", seen.Key)
	}
	return refused.Item, true, nil
}

func (s *State) updateOf(record state.Record, source state.Source, c condition) (*dynamodb.UpdateItemInput, error) {
	item, err := attributevalue.MarshalMap(packRecord(record))
	if err != nil {
		return nil, err
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &s.name, Key: itemKey(stringOf(item, "pk"), stringOf(item, "sk")),
		ConditionExpression:                 &c.expression,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	other := "event"
	if source == state.SourceEvent {
		other = "described"
	}
	in.UpdateExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = setAll(item, c, other)
	return in, nil
}

// setAll writes every attribute of a record but some, removing those that the record does not have: a revived task has
// no tombstone any more.
func setAll(item Item, c condition, except ...string) (expression *string, names map[string]string, values Item) {
	names, values = map[string]string{}, Item{}
	for placeholder, name := range conditionNames {
		if strings.Contains(c.expression, placeholder) {
			names[placeholder] = name
		}
	}
	for placeholder, value := range c.values {
		values[placeholder] = value
	}
	var set, remove string
	for i, attribute := range recordAttributes {
		if slices.Contains(except, attribute) {
			continue
		}
		name := fmt.Sprintf("#a%d", i)
		names[name] = attribute
		if value, ok := item[attribute]; ok {
			placeholder := fmt.Sprintf(":a%d", i)
			values[placeholder] = value
			set += separator(set) + name + " = " + placeholder
		} else {
			remove += separator(remove) + name
		}
	}
	return aws.String("SET " + set + " REMOVE " + remove), names, values
}

// recordAttributes are all of recordItem's but the key, in a fixed order.
var recordAttributes = []string{
	"schema", "version", "shortArn", "storedAt", "status", "desiredStatus", "startedBy", "group", "family",
	"containerInstance", "ec2InstanceId", "agentConnected", "event", "described", "tombstone", "ttl",
	"byPhase", "byInstance", "byStartedBy", "byGroup", "life",
}

func separator(s string) string {
	if s == "" {
		return ""
	}
	return ", "
}

// MarkAbsent stores what reconcile inferred (state.InferGone), if the record is still the one that it saw missing: a
// Describe of an equal version proves as well as a new version that the thing exists. ErrConflict: the record changed
// meanwhile, or it has a tombstone already.
func (s *State) MarkAbsent(ctx context.Context, stored state.Record, now time.Time) error {
	if stored.Tombstone != nil {
		return fmt.Errorf("marking %s absent: it has a tombstone: %w", stored.Key, ErrConflict)
	}
	gone := state.InferGone(stored, now, s.visibleFor)
	item, err := attributevalue.MarshalMap(packRecord(gone))
	if err != nil {
		return fmt.Errorf("marking %s absent: %w", stored.Key, err)
	}
	c := unchangedCondition(stored)
	in := &dynamodb.UpdateItemInput{
		TableName: &s.name, Key: itemKey(stringOf(item, "pk"), stringOf(item, "sk")), ConditionExpression: &c.expression,
	}
	in.UpdateExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = setAll(item, c, "event", "described") // the same; or unreadable, and to be kept
	if _, err := s.db.UpdateItem(ctx, in); err != nil {
		return fmt.Errorf("marking %s absent: %w", stored.Key, conflict(err))
	}
	return nil
}
