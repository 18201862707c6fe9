package expr

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// operand is a parsed operand of a condition or update: a path, a :value or a
// function of other operands. bind resolves its placeholders.
type operand interface {
	bind(kind Kind, env Env) (bound, error)
}

// bound is an operand that evaluates against items.
type bound interface {
	// value returns nil where the item has nothing there. Only operands of
	// updates return errors.
	value(item attr.Item) (attr.Value, error)
	// staticType is the type known without an item, "" for none.
	staticType() attr.Type
}

type pathOperand struct{ path path }

func (o pathOperand) bind(kind Kind, env Env) (bound, error) {
	resolved, err := o.path.resolve(kind, env)
	if err != nil {
		return nil, err
	}
	return boundPath{path: resolved}, nil
}

type boundPath struct{ path path }

func (o boundPath) value(item attr.Item) (attr.Value, error) { return o.path.value(item), nil }
func (o boundPath) staticType() attr.Type                    { return "" }

type valueOperand struct{ name string }

func (o valueOperand) bind(kind Kind, env Env) (bound, error) {
	v, ok := env.values[o.name]
	if !ok {
		return nil, kind.invalid("An expression attribute value used in expression is not defined; attribute value: %s", o.name)
	}
	return boundValue{v: v}, nil
}

type boundValue struct{ v attr.Value }

func (o boundValue) value(attr.Item) (attr.Value, error) { return o.v, nil }
func (o boundValue) staticType() attr.Type               { return attr.TypeOf(o.v) }

// sizeOperand is size(of).
type sizeOperand struct{ of operand }

func (o sizeOperand) bind(kind Kind, env Env) (bound, error) {
	of, err := o.of.bind(kind, env)
	if err != nil {
		return nil, err
	}
	switch t := of.staticType(); t {
	case attr.Numeric, attr.Boolean, attr.Null:
		return nil, kind.wrongType("size", t)
	}
	return boundSize{of: of}, nil
}

func (k Kind) wrongType(operator string, t attr.Type) error {
	return k.invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", operator, t)
}

type boundSize struct{ of bound }

func (o boundSize) staticType() attr.Type { return attr.Numeric }

func (o boundSize) value(item attr.Item) (attr.Value, error) {
	v, err := o.of.value(item)
	if err != nil {
		return nil, err
	}
	var size int
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		size = len(v.Value)
	case *types.AttributeValueMemberB:
		size = len(v.Value)
	case *types.AttributeValueMemberSS:
		size = len(v.Value)
	case *types.AttributeValueMemberNS:
		size = len(v.Value)
	case *types.AttributeValueMemberBS:
		size = len(v.Value)
	case *types.AttributeValueMemberL:
		size = len(v.Value)
	case *types.AttributeValueMemberM:
		size = len(v.Value)
	default:
		return nil, nil // what has no size counts as absent
	}
	return &types.AttributeValueMemberN{Value: strconv.Itoa(size)}, nil
}
