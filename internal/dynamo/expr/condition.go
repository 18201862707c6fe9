package expr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// condition is a parsed condition. bind resolves its placeholders and finds
// what is wrong whatever the item.
type condition interface {
	bind(kind Kind, env Env) (test, error)
}

// test is a bound condition.
type test func(item attr.Item) bool

// Condition is a parsed ConditionExpression or FilterExpression.
type Condition struct {
	kind  Kind
	root  condition
	used  Placeholders
	paths []path
}

// Placeholders returns what the expression uses.
func (c *Condition) Placeholders() Placeholders { return c.used }

// Bind prepares the condition for the items of one request. The function it
// returns evaluates it; nil stands for an item that does not exist.
func (c *Condition) Bind(env Env) (func(attr.Item) bool, error) {
	return c.root.bind(c.kind, env)
}

// Attributes returns the top-level attributes that the condition looks at, as
// often and in the order as it names them.
func (c *Condition) Attributes(env Env) ([]string, error) { return attributes(c.kind, env, c.paths) }

func attributes(kind Kind, env Env, paths []path) ([]string, error) {
	out := make([]string, len(paths))
	for i, p := range paths {
		resolved, err := p.resolve(kind, env)
		if err != nil {
			return nil, err
		}
		out[i] = resolved[0].name
	}
	return out, nil
}

type logical struct {
	operator    string // AND or OR
	left, right condition
}

func (c logical) bind(kind Kind, env Env) (test, error) {
	left, err := c.left.bind(kind, env)
	if err != nil {
		return nil, err
	}
	right, err := c.right.bind(kind, env)
	if err != nil {
		return nil, err
	}
	if c.operator == "AND" {
		return func(item attr.Item) bool { return left(item) && right(item) }, nil
	}
	return func(item attr.Item) bool { return left(item) || right(item) }, nil
}

type negation struct{ of condition }

func (c negation) bind(kind Kind, env Env) (test, error) {
	of, err := c.of.bind(kind, env)
	if err != nil {
		return nil, err
	}
	return func(item attr.Item) bool { return !of(item) }, nil
}

// bindAll binds operands and refuses a first one that is repeated: DynamoDB
// takes a = a for a mistake.
func bindAll(kind Kind, env Env, operator string, operands ...operand) ([]bound, error) {
	out := make([]bound, len(operands))
	for i, o := range operands {
		b, err := o.bind(kind, env)
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	first, isPath := out[0].(boundPath)
	if !isPath {
		return out, nil
	}
	for _, b := range out[1:] {
		if other, isPath := b.(boundPath); isPath && first.path.equal(other.path) {
			return nil, kind.invalid("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s",
				operator, first.path)
		}
	}
	return out, nil
}

// requireTypes refuses operands whose type is known and none of allowed.
func requireTypes(kind Kind, operator string, operands []bound, allowed ...attr.Type) error {
	for _, o := range operands {
		if t := o.staticType(); t != "" && !slices.Contains(allowed, t) {
			return kind.wrongType(operator, t)
		}
	}
	return nil
}

type comparison struct {
	operator    string
	left, right operand
}

func (c comparison) bind(kind Kind, env Env) (test, error) {
	operands, err := bindAll(kind, env, c.operator, c.left, c.right)
	if err != nil {
		return nil, err
	}
	left, right := operands[0], operands[1]
	switch c.operator {
	case "=":
		return func(item attr.Item) bool { return equalOperands(left, right, item) }, nil
	case "<>":
		// Absent and present differ, and so do two that are absent.
		return func(item attr.Item) bool { return !equalOperands(left, right, item) }, nil
	}
	if err := requireTypes(kind, c.operator, operands, attr.String, attr.Numeric, attr.Binary); err != nil {
		return nil, err
	}
	var holds func(order int) bool
	switch c.operator {
	case "<":
		holds = func(order int) bool { return order < 0 }
	case "<=":
		holds = func(order int) bool { return order <= 0 }
	case ">":
		holds = func(order int) bool { return order > 0 }
	default:
		holds = func(order int) bool { return order >= 0 }
	}
	return func(item attr.Item) bool {
		order, ok := attr.Compare(valueOf(left, item), valueOf(right, item))
		return ok && holds(order)
	}, nil
}

// valueOf evaluates an operand of a condition; those cannot fail.
func valueOf(o bound, item attr.Item) attr.Value {
	v, err := o.value(item)
	if err != nil {
		return nil
	}
	return v
}

func equalOperands(left, right bound, item attr.Item) bool {
	a, b := valueOf(left, item), valueOf(right, item)
	return a != nil && b != nil && attr.Equal(a, b)
}

type between struct{ of, low, high operand }

func (c between) bind(kind Kind, env Env) (test, error) {
	operands, err := bindAll(kind, env, "BETWEEN", c.of, c.low, c.high)
	if err != nil {
		return nil, err
	}
	if err := requireTypes(kind, "BETWEEN", operands, attr.String, attr.Numeric, attr.Binary); err != nil {
		return nil, err
	}
	of, low, high := operands[0], operands[1], operands[2]
	if err := checkBounds(kind, low, high); err != nil {
		return nil, err
	}
	return func(item attr.Item) bool {
		v := valueOf(of, item)
		fromLow, ok := attr.Compare(v, valueOf(low, item))
		if !ok || fromLow < 0 {
			return false
		}
		fromHigh, ok := attr.Compare(v, valueOf(high, item))
		return ok && fromHigh <= 0
	}, nil
}

func checkBounds(kind Kind, low, high bound) error {
	a, isValue := low.(boundValue)
	if !isValue {
		return nil
	}
	b, isValue := high.(boundValue)
	if !isValue {
		return nil
	}
	order, ordered := attr.Compare(a.v, b.v)
	switch {
	case !ordered:
		return kind.invalid("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: %s, upper bound operand: %s", describe(a.v), describe(b.v))
	case order > 0:
		return kind.invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: %s, upper bound operand: %s", describe(a.v), describe(b.v))
	}
	return nil
}

// describe writes a scalar the way DynamoDB's messages do.
func describe(v attr.Value) string {
	text := ""
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		text = v.Value
	case *types.AttributeValueMemberN:
		text = v.Value
	case *types.AttributeValueMemberB:
		text = string(v.Value)
	}
	return "AttributeValue: {" + string(attr.TypeOf(v)) + ":" + text + "}"
}

type in struct {
	of   operand
	list []operand
}

func (c in) bind(kind Kind, env Env) (test, error) {
	operands, err := bindAll(kind, env, "IN", append([]operand{c.of}, c.list...)...)
	if err != nil {
		return nil, err
	}
	return func(item attr.Item) bool {
		return slices.ContainsFunc(operands[1:], func(o bound) bool { return equalOperands(operands[0], o, item) })
	}, nil
}
