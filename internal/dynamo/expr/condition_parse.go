package expr

import "strings"

// parsed is what a piece of a condition turned out to be: a condition, or an
// operand that a comparator may still follow.
type parsed struct {
	condition condition
	operand   operand
	grouped   bool   // stood in parentheses of its own
	function  string // the function, if it is one and not grouped
}

// condition reads a whole condition expression.
func (p *parser) condition() (condition, error) {
	out, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.mustBeCondition(out); err != nil {
		return nil, err
	}
	return out.condition, p.end()
}

func (p *parser) mustBeCondition(c parsed) error {
	switch {
	case c.condition != nil:
		return nil
	case c.function != "":
		return p.misplaced(c.function)
	default:
		return p.syntaxError()
	}
}

func (p *parser) or() (parsed, error)  { return p.chain("OR", p.and) }
func (p *parser) and() (parsed, error) { return p.chain("AND", p.not) }

// chain reads part (word part)*, left to right.
func (p *parser) chain(word string, part func() (parsed, error)) (parsed, error) {
	left, err := part()
	if err != nil {
		return parsed{}, err
	}
	for p.isKeyword(word) {
		if err := p.mustBeCondition(left); err != nil {
			return parsed{}, err
		}
		p.at++
		p.countOperator()
		right, err := part()
		if err != nil {
			return parsed{}, err
		}
		if err := p.mustBeCondition(right); err != nil {
			return parsed{}, err
		}
		left = parsed{condition: logical{operator: word, left: left.condition, right: right.condition}}
	}
	return left, nil
}

func (p *parser) not() (parsed, error) {
	if !p.takeKeyword("NOT") {
		return p.comparison()
	}
	p.countOperator()
	inner, err := p.not()
	if err != nil {
		return parsed{}, err
	}
	if err := p.mustBeCondition(inner); err != nil {
		return parsed{}, err
	}
	return parsed{condition: negation{of: inner.condition}}, nil
}

func (p *parser) comparison() (parsed, error) {
	left, err := p.term()
	if err != nil {
		return parsed{}, err
	}
	comparator := p.isSymbol("=", "<>", "<", "<=", ">", ">=")
	if !comparator && !p.isKeyword("BETWEEN") && !p.isKeyword("IN") {
		// An operand alone stands only inside parentheses, as in (a) = :x.
		if left.operand != nil && left.function == "" && !p.isSymbol(")") {
			return parsed{}, p.syntaxError()
		}
		return left, nil
	}
	if left.operand == nil {
		if left.function != "" {
			return parsed{}, p.misplaced(left.function)
		}
		return parsed{}, p.syntaxError()
	}
	p.countOperator()
	switch operator := p.advance().text; {
	case comparator:
		right, err := p.conditionOperand()
		if err != nil {
			return parsed{}, err
		}
		return parsed{condition: comparison{operator: operator, left: left.operand, right: right}}, nil
	case strings.EqualFold(operator, "BETWEEN"):
		return p.between(left.operand)
	default:
		return p.in(left.operand)
	}
}

func (p *parser) between(of operand) (parsed, error) {
	low, err := p.conditionOperand()
	if err != nil {
		return parsed{}, err
	}
	if !p.takeKeyword("AND") {
		return parsed{}, p.syntaxError()
	}
	high, err := p.conditionOperand()
	if err != nil {
		return parsed{}, err
	}
	return parsed{condition: between{of: of, low: low, high: high}}, nil
}

func (p *parser) in(of operand) (parsed, error) {
	if err := p.expectSymbol("("); err != nil {
		return parsed{}, err
	}
	var list []operand
	for {
		o, err := p.conditionOperand()
		if err != nil {
			return parsed{}, err
		}
		list = append(list, o)
		if !p.takeSymbol(",") {
			break
		}
	}
	if err := p.expectSymbol(")"); err != nil {
		return parsed{}, err
	}
	if len(list) > maxInOperands {
		return parsed{}, p.kind.invalid("The IN operator is provided with too many operands; number of operands: %d", len(list))
	}
	return parsed{condition: in{of: of, list: list}}, nil
}

// term reads what a comparison or a logical operator may begin with: a group,
// a function or an operand.
func (p *parser) term() (parsed, error) {
	switch {
	case p.takeSymbol("("):
		inner, err := p.or()
		if err != nil {
			return parsed{}, err
		}
		if err := p.expectSymbol(")"); err != nil {
			return parsed{}, err
		}
		if inner.grouped {
			return parsed{}, p.redundant()
		}
		return parsed{condition: inner.condition, operand: inner.operand, grouped: true}, nil
	case p.isCall():
		name, args, err := p.call(p.conditionOperand)
		if err != nil {
			return parsed{}, err
		}
		if functions[name].in == asOperand {
			if err := p.checkCall(name, args, asOperand); err != nil {
				return parsed{}, err
			}
			return parsed{operand: sizeOperand{of: args[0]}, function: name}, nil
		}
		if err := p.checkCall(name, args, asCondition); err != nil {
			return parsed{}, err
		}
		condition, err := p.functionCondition(name, args)
		return parsed{condition: condition, function: name}, err
	default:
		o, err := p.conditionOperand()
		return parsed{operand: o}, err
	}
}

func (p *parser) redundant() error {
	return p.kind.invalid("The expression has redundant parentheses;")
}

// conditionOperand reads an operand of a comparator or function.
func (p *parser) conditionOperand() (operand, error) {
	switch {
	case p.isSymbol("("):
		return p.groupedOperand(p.conditionOperand)
	case p.peek().kind == tokenValue:
		name := p.advance().text
		p.useValue(name)
		return valueOperand{name: name}, nil
	case p.isCall():
		name, args, err := p.call(p.conditionOperand)
		if err != nil {
			return nil, err
		}
		if err := p.checkCall(name, args, asOperand); err != nil {
			return nil, err
		}
		return sizeOperand{of: args[0]}, nil
	default:
		read, err := p.path()
		return pathOperand{path: read}, err
	}
}

// groupedOperand reads an operand in parentheses.
func (p *parser) groupedOperand(read func() (operand, error)) (operand, error) {
	p.at++
	double := p.isSymbol("(")
	o, err := read()
	if err != nil {
		return nil, err
	}
	if err := p.expectSymbol(")"); err != nil {
		return nil, err
	}
	if double {
		return nil, p.redundant()
	}
	return o, nil
}

// functionCondition builds a function that is a condition.
func (p *parser) functionCondition(name string, args []operand) (condition, error) {
	switch name {
	case "attribute_exists", "attribute_not_exists":
		if _, isPath := args[0].(pathOperand); !isPath {
			return nil, p.kind.invalid("Operator or function requires a document path; operator or function: %s", name)
		}
	}
	return call{name: name, args: args}, nil
}
