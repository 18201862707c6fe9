package expr

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// call is a function that is a condition.
type call struct {
	name string
	args []operand
}

func (c call) bind(kind Kind, env Env) (test, error) {
	args, err := bindAll(kind, env, c.name, c.args...)
	if err != nil {
		return nil, err
	}
	switch c.name {
	case "attribute_exists":
		return func(item attr.Item) bool { return valueOf(args[0], item) != nil }, nil
	case "attribute_not_exists":
		return func(item attr.Item) bool { return valueOf(args[0], item) == nil }, nil
	case "attribute_type":
		return bindAttributeType(kind, args)
	case "begins_with":
		if err := requireTypes(kind, c.name, args, attr.String, attr.Binary); err != nil {
			return nil, err
		}
		return func(item attr.Item) bool { return beginsWith(valueOf(args[0], item), valueOf(args[1], item)) }, nil
	default:
		if err := requireTypes(kind, c.name, args[:1], attr.String, attr.Binary, attr.List, attr.StringSet, attr.NumberSet, attr.BinarySet); err != nil {
			return nil, err
		}
		return func(item attr.Item) bool { return contains(valueOf(args[0], item), valueOf(args[1], item)) }, nil
	}
}

func bindAttributeType(kind Kind, args []bound) (test, error) {
	if err := requireTypes(kind, "attribute_type", args[1:], attr.String); err != nil {
		return nil, err
	}
	value, isValue := args[1].(boundValue)
	if !isValue {
		return nil, kind.invalid("Operator or function requires an expression attribute value; operator or function: attribute_type")
	}
	want := attr.Type("")
	if s, isString := value.v.(*types.AttributeValueMemberS); isString {
		want = attr.Type(s.Value)
	}
	known := []attr.Type{attr.String, attr.Numeric, attr.Binary, attr.Boolean, attr.Null, attr.Map, attr.List, attr.StringSet, attr.NumberSet, attr.BinarySet}
	if !slices.Contains(known, want) {
		return nil, kind.invalid("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", want)
	}
	return func(item attr.Item) bool { return attr.TypeOf(valueOf(args[0], item)) == want }, nil
}

func beginsWith(v, prefix attr.Value) bool {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		prefix, ok := prefix.(*types.AttributeValueMemberS)
		return ok && strings.HasPrefix(v.Value, prefix.Value)
	case *types.AttributeValueMemberB:
		prefix, ok := prefix.(*types.AttributeValueMemberB)
		return ok && bytes.HasPrefix(v.Value, prefix.Value)
	default:
		return false
	}
}

// contains looks for a part of a string or binary, or for a member of a set or
// list.
func contains(v, part attr.Value) bool {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		part, ok := part.(*types.AttributeValueMemberS)
		return ok && strings.Contains(v.Value, part.Value)
	case *types.AttributeValueMemberB:
		part, ok := part.(*types.AttributeValueMemberB)
		return ok && bytes.Contains(v.Value, part.Value)
	case *types.AttributeValueMemberL:
		return part != nil && slices.ContainsFunc(v.Value, func(element attr.Value) bool { return attr.Equal(element, part) })
	case *types.AttributeValueMemberSS:
		part, ok := part.(*types.AttributeValueMemberS)
		return ok && slices.Contains(v.Value, part.Value)
	case *types.AttributeValueMemberNS:
		part, ok := part.(*types.AttributeValueMemberN)
		return ok && slices.Contains(v.Value, part.Value)
	case *types.AttributeValueMemberBS:
		part, ok := part.(*types.AttributeValueMemberB)
		return ok && slices.ContainsFunc(v.Value, func(b []byte) bool { return bytes.Equal(b, part.Value) })
	default:
		return false
	}
}
