package expr

import (
	"fmt"

	"github.com/blox/blox/internal/dynamo/attr"
)

// KeyCondition is a parsed KeyConditionExpression: a comparison of the hash
// key, and maybe one of the range key.
type KeyCondition struct {
	parsed *Condition
	parts  []condition
}

// newKeyCondition takes a condition apart at its ANDs and refuses what a key
// condition may not hold.
func newKeyCondition(parsed *Condition) (*KeyCondition, error) {
	k := &KeyCondition{parsed: parsed}
	if err := k.flatten(parsed.root); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *KeyCondition) flatten(c condition) error {
	notAllowed := func(operator string) error {
		return attr.Invalid("Invalid operator used in KeyConditionExpression: " + operator)
	}
	switch c := c.(type) {
	case logical:
		if c.operator != "AND" {
			return notAllowed(c.operator)
		}
		if err := k.flatten(c.left); err != nil {
			return err
		}
		return k.flatten(c.right)
	case negation:
		return notAllowed("NOT")
	case in:
		return notAllowed("IN")
	case comparison:
		if c.operator == "<>" {
			return notAllowed("<>")
		}
	case call:
		if c.name != "begins_with" {
			return notAllowed(c.name)
		}
	}
	k.parts = append(k.parts, c)
	return nil
}

// Placeholders returns what the expression uses.
func (k *KeyCondition) Placeholders() Placeholders { return k.parsed.used }

// KeyTest compares one key attribute. Operator is =, <, <=, >, >=, BETWEEN or
// begins_with; High is set for BETWEEN alone.
type KeyTest struct {
	Attribute string
	Operator  string
	Value     attr.Value
	High      attr.Value
}

// Bind returns the comparisons of the expression, at most one for an
// attribute, in the order in which they stand.
func (k *KeyCondition) Bind(env Env) ([]KeyTest, error) {
	// The rules for all conditions come first: placeholders, operand types.
	if _, err := k.parsed.Bind(env); err != nil {
		return nil, err
	}
	out := make([]KeyTest, 0, len(k.parts))
	for _, part := range k.parts {
		test, err := bindKeyTest(part, env)
		if err != nil {
			return nil, err
		}
		for _, other := range out {
			if other.Attribute == test.Attribute {
				return nil, attr.Invalid("KeyConditionExpressions must only contain one condition per key")
			}
		}
		out = append(out, test)
	}
	return out, nil
}

// mirrored is the operator after the sides have been exchanged.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func bindKeyTest(c condition, env Env) (KeyTest, error) {
	var operator string
	var operands []operand
	switch c := c.(type) {
	case comparison:
		operator, operands = c.operator, []operand{c.left, c.right}
		if _, isValue := c.left.(valueOperand); isValue {
			operator, operands = mirrored[c.operator], []operand{c.right, c.left}
		}
	case between:
		operator, operands = "BETWEEN", []operand{c.of, c.low, c.high}
	case call:
		operator, operands = c.name, c.args
	}
	attribute, err := keyAttribute(operands[0], env)
	if err != nil {
		return KeyTest{}, err
	}
	test := KeyTest{Attribute: attribute, Operator: operator}
	for i, o := range operands[1:] {
		value, err := keyOperand(o, env)
		if err != nil {
			return KeyTest{}, err
		}
		if i == 0 {
			test.Value = value
		} else {
			test.High = value
		}
	}
	return test, nil
}

func keyAttribute(o operand, env Env) (string, error) {
	switch o := o.(type) {
	case pathOperand:
		resolved, err := o.path.resolve(KindKeyCondition, env)
		if err != nil {
			return "", err
		}
		if len(resolved) > 1 {
			return "", attr.Invalid(fmt.Sprintf("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: %s", resolved[0].name))
		}
		return resolved[0].name, nil
	case valueOperand:
		return "", attr.Invalid("Invalid condition in KeyConditionExpression: No key attribute specified")
	default:
		return "", attr.Invalid("KeyConditionExpressions cannot contain nested operations")
	}
}

func keyOperand(o operand, env Env) (attr.Value, error) {
	switch o := o.(type) {
	case valueOperand:
		return env.values[o.name], nil
	case pathOperand:
		return nil, attr.Invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
	default:
		return nil, attr.Invalid("KeyConditionExpressions cannot contain nested operations")
	}
}
