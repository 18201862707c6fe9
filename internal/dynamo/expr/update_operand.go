package expr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// What an update can meet in the item.
const (
	errNoAttribute = attr.Invalid("The provided expression refers to an attribute that does not exist in the item")
	errOperandType = attr.Invalid("An operand in the update expression has an incorrect data type")
	errUpdatePath  = attr.Invalid("The document path provided in the update expression is invalid for update")
)

// required evaluates an operand of an update: there, an absent attribute is an
// error.
func required(o bound, item attr.Item) (attr.Value, error) {
	v, err := o.value(item)
	if err == nil && v == nil {
		return nil, errNoAttribute
	}
	return v, err
}

// sumOperand is left + right or left - right.
type sumOperand struct {
	operator    string
	left, right operand
}

func (o sumOperand) bind(kind Kind, env Env) (bound, error) {
	left, right, err := bindPair(kind, env, o.left, o.right)
	if err != nil {
		return nil, err
	}
	if err := requireTypes(kind, o.operator, []bound{left, right}, attr.Numeric); err != nil {
		return nil, err
	}
	return boundSum{minus: o.operator == "-", left: left, right: right}, nil
}

func bindPair(kind Kind, env Env, left, right operand) (bound, bound, error) {
	l, err := left.bind(kind, env)
	if err != nil {
		return nil, nil, err
	}
	r, err := right.bind(kind, env)
	return l, r, err
}

type boundSum struct {
	minus       bool
	left, right bound
}

func (o boundSum) staticType() attr.Type { return attr.Numeric }

func (o boundSum) value(item attr.Item) (attr.Value, error) {
	left, err := required(o.left, item)
	if err != nil {
		return nil, err
	}
	right, err := required(o.right, item)
	if err != nil {
		return nil, err
	}
	a, aIsNumber := attr.NumberOf(left)
	b, bIsNumber := attr.NumberOf(right)
	if !aIsNumber || !bIsNumber {
		return nil, errOperandType
	}
	sum, err := a.Add(b)
	if o.minus {
		sum, err = a.Sub(b)
	}
	if err != nil {
		return nil, err
	}
	return attr.OfNumber(sum), nil
}

// appendOperand is list_append(left, right).
type appendOperand struct{ left, right operand }

func (o appendOperand) bind(kind Kind, env Env) (bound, error) {
	left, right, err := bindPair(kind, env, o.left, o.right)
	if err != nil {
		return nil, err
	}
	if err := requireTypes(kind, "list_append", []bound{left, right}, attr.List); err != nil {
		return nil, err
	}
	return boundAppend{left: left, right: right}, nil
}

type boundAppend struct{ left, right bound }

func (o boundAppend) staticType() attr.Type { return attr.List }

func (o boundAppend) value(item attr.Item) (attr.Value, error) {
	left, err := required(o.left, item)
	if err != nil {
		return nil, err
	}
	right, err := required(o.right, item)
	if err != nil {
		return nil, err
	}
	a, aIsList := left.(*types.AttributeValueMemberL)
	b, bIsList := right.(*types.AttributeValueMemberL)
	if !aIsList || !bIsList {
		return nil, errOperandType
	}
	return &types.AttributeValueMemberL{Value: slices.Concat(a.Value, b.Value)}, nil
}

// ifNotExistsOperand is if_not_exists(path, otherwise).
type ifNotExistsOperand struct {
	path      pathOperand
	otherwise operand
}

func (o ifNotExistsOperand) bind(kind Kind, env Env) (bound, error) {
	operands, err := bindAll(kind, env, "if_not_exists", o.path, o.otherwise)
	if err != nil {
		return nil, err
	}
	return boundIfNotExists{path: operands[0], otherwise: operands[1]}, nil
}

type boundIfNotExists struct{ path, otherwise bound }

func (o boundIfNotExists) staticType() attr.Type { return "" }

func (o boundIfNotExists) value(item attr.Item) (attr.Value, error) {
	if v, err := o.path.value(item); v != nil || err != nil {
		return v, err
	}
	return required(o.otherwise, item)
}
