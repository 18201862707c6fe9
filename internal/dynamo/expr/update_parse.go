package expr

import (
	"strings"

	"github.com/blox/blox/internal/dynamo/attr"
)

// Update is a parsed UpdateExpression.
type Update struct {
	actions []action
	used    Placeholders
}

// Placeholders returns what the expression uses.
func (u *Update) Placeholders() Placeholders { return u.used }

// action is one change: the section it stands in, its target, and the operand
// (none for REMOVE).
type action struct {
	section string // SET, REMOVE, ADD or DELETE
	path    path
	operand operand
}

func (p *parser) update() (*Update, error) {
	u := &Update{}
	seen := map[string]bool{}
	for p.peek().kind != tokenEnd {
		section := strings.ToUpper(p.peek().text)
		read, known := p.sections()[section]
		if !known {
			return nil, p.syntaxError()
		}
		if seen[section] {
			return nil, p.kind.invalid("The \"%s\" section can only be used once in an update expression;", section)
		}
		seen[section] = true
		p.at++
		for {
			a, err := read()
			if err != nil {
				return nil, err
			}
			a.section = section
			u.actions = append(u.actions, a)
			if !p.takeSymbol(",") {
				break
			}
		}
	}
	u.used = p.used
	return u, p.end()
}

func (p *parser) sections() map[string]func() (action, error) {
	return map[string]func() (action, error){
		"SET":    p.setAction,
		"REMOVE": p.removeAction,
		"ADD":    p.valueAction,
		"DELETE": p.valueAction,
	}
}

func (p *parser) setAction() (action, error) {
	target, err := p.path()
	if err != nil {
		return action{}, err
	}
	if err := p.expectSymbol("="); err != nil {
		return action{}, err
	}
	p.countOperator()
	value, err := p.setValue()
	return action{path: target, operand: value}, err
}

func (p *parser) removeAction() (action, error) {
	target, err := p.path()
	return action{path: target}, err
}

// valueAction reads the target and the :value of ADD and DELETE.
func (p *parser) valueAction() (action, error) {
	target, err := p.path()
	if err != nil {
		return action{}, err
	}
	if p.peek().kind != tokenValue {
		return action{}, p.syntaxError()
	}
	name := p.advance().text
	p.useValue(name)
	return action{path: target, operand: valueOperand{name: name}}, nil
}

// setValue reads operand, operand + operand or operand - operand; the whole may
// stand in parentheses.
func (p *parser) setValue() (operand, error) {
	var left operand
	var err error
	if p.isSymbol("(") {
		left, err = p.groupedOperand(p.setValue)
		if _, isSum := left.(sumOperand); isSum || err != nil {
			return left, err
		}
	} else if left, err = p.setOperand(); err != nil {
		return nil, err
	}
	if !p.isSymbol("+", "-") {
		return left, nil
	}
	operator := p.advance().text
	p.countOperator()
	right, err := p.setOperand()
	if err != nil {
		return nil, err
	}
	for _, o := range []operand{left, right} {
		if _, isList := o.(appendOperand); isList {
			return nil, p.misplaced("list_append")
		}
	}
	return sumOperand{operator: operator, left: left, right: right}, nil
}

func (p *parser) setOperand() (operand, error) {
	switch {
	case p.isSymbol("("):
		return p.groupedOperand(p.setOperand)
	case p.peek().kind == tokenValue:
		name := p.advance().text
		p.useValue(name)
		return valueOperand{name: name}, nil
	case p.isCall():
		name, args, err := p.call(p.setOperand)
		if err != nil {
			return nil, err
		}
		if err := p.checkCall(name, args, inUpdate); err != nil {
			return nil, err
		}
		if name == "list_append" {
			return appendOperand{left: args[0], right: args[1]}, nil
		}
		target, isPath := args[0].(pathOperand)
		if !isPath {
			return nil, p.kind.invalid("Operator or function requires a document path; operator or function: %s", name)
		}
		return ifNotExistsOperand{path: target, otherwise: args[1]}, nil
	default:
		read, err := p.path()
		return pathOperand{path: read}, err
	}
}

// updateType is what DynamoDB calls a type in the messages of ADD and DELETE.
var updateType = map[attr.Type]string{
	attr.String: "STRING", attr.Numeric: "NUMBER", attr.Binary: "BINARY", attr.Boolean: "BOOLEAN", attr.Null: "NULL",
	attr.Map: "MAP", attr.List: "LIST", attr.StringSet: "STRING_SET", attr.NumberSet: "NUMBER_SET", attr.BinarySet: "BINARY_SET",
}
