package expr

import (
	"slices"
	"strconv"
	"strings"
)

const (
	maxExpressionBytes = 4096
	maxOperators       = 300
	maxInOperands      = 100
)

// parser walks over the tokens of one expression. Its methods return the first
// error, in DynamoDB's words.
type parser struct {
	kind      Kind
	text      string
	tokens    []token
	at        int
	operators int
	used      Placeholders
	paths     []path
}

func newParser(kind Kind, text string) (*parser, error) {
	if strings.TrimSpace(text) == "" {
		return nil, kind.invalid("The expression can not be empty;")
	}
	if len(text) > maxExpressionBytes {
		return nil, kind.invalid("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	return &parser{kind: kind, text: text, tokens: tokens(text)}, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) advance() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// isSymbol reports whether the next token is one of symbols.
func (p *parser) isSymbol(symbols ...string) bool {
	t := p.peek()
	return t.kind == tokenSymbol && slices.Contains(symbols, t.text)
}

// isKeyword reports whether the next token is the word, in any case.
func (p *parser) isKeyword(word string) bool {
	t := p.peek()
	return t.kind == tokenWord && strings.EqualFold(t.text, word)
}

func (p *parser) takeSymbol(symbol string) bool {
	if p.isSymbol(symbol) {
		p.at++
		return true
	}
	return false
}

func (p *parser) takeKeyword(word string) bool {
	if p.isKeyword(word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expectSymbol(symbol string) error {
	if !p.takeSymbol(symbol) {
		return p.syntaxError()
	}
	return nil
}

// syntaxError is about the next token; "near" goes from the token before it to
// the one after.
func (p *parser) syntaxError() error {
	t := p.peek()
	from, to := t.start, t.end
	if p.at > 0 {
		from = p.tokens[p.at-1].start
	}
	if t.kind == tokenEnd {
		to = p.tokens[max(p.at-1, 0)].end
	} else if after := p.tokens[p.at+1]; after.kind != tokenEnd {
		to = after.end
	}
	return p.kind.invalid("Syntax error; token: \"%s\", near: \"%s\"", t.text, p.text[from:to])
}

func (p *parser) countOperator() { p.operators++ }

// end makes sure that nothing is left and that the expression is not too long.
func (p *parser) end() error {
	if p.peek().kind != tokenEnd {
		return p.syntaxError()
	}
	if p.operators > maxOperators {
		return p.kind.invalid("The expression contains too many operators; operator count: %d", p.operators)
	}
	return nil
}

// keywords are words with a place in the grammar: they are never attributes.
var keywords = []string{"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}

func isKeyword(word string) bool {
	return slices.ContainsFunc(keywords, func(k string) bool { return strings.EqualFold(k, word) })
}

// path reads a document path.
func (p *parser) path() (path, error) {
	first, err := p.pathName()
	if err != nil {
		return nil, err
	}
	out := path{first}
	for {
		switch {
		case p.takeSymbol("."):
			s, err := p.pathName()
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		case p.takeSymbol("["):
			if p.peek().kind != tokenNumber {
				return nil, p.syntaxError()
			}
			index, err := strconv.Atoi(p.peek().text)
			if err != nil {
				return nil, p.syntaxError()
			}
			p.at++
			if err := p.expectSymbol("]"); err != nil {
				return nil, err
			}
			out = append(out, step{index: index, isIndex: true})
		default:
			if len(out) > maxPathElements {
				return nil, p.kind.invalid("The document path has too many nesting levels; nesting levels: %d", len(out))
			}
			p.paths = append(p.paths, out)
			return out, nil
		}
	}
}

func (p *parser) pathName() (step, error) {
	switch t := p.peek(); {
	case t.kind == tokenName:
		p.at++
		p.useName(t.text)
		return step{name: t.text}, nil
	case t.kind == tokenWord && !isKeyword(t.text):
		// Before a parenthesis the word was meant as a function, which the
		// parenthesis will show to be out of place.
		if isReserved(t.text) && !p.isCall() {
			return step{}, p.kind.invalid("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		p.at++
		return step{name: t.text}, nil
	default:
		return step{}, p.syntaxError()
	}
}

func (p *parser) useName(name string) {
	if !slices.Contains(p.used.names, name) {
		p.used.names = append(p.used.names, name)
	}
}

func (p *parser) useValue(value string) {
	if !slices.Contains(p.used.values, value) {
		p.used.values = append(p.used.values, value)
	}
}

// isCall reports whether a function call comes next.
func (p *parser) isCall() bool {
	if p.peek().kind != tokenWord || isKeyword(p.peek().text) {
		return false
	}
	after := p.tokens[p.at+1]
	return after.kind == tokenSymbol && after.text == "("
}

// call reads name(argument, …); one argument at least, as in DynamoDB.
func (p *parser) call(argument func() (operand, error)) (name string, args []operand, err error) {
	name = p.advance().text
	if _, known := functions[name]; !known {
		return "", nil, p.kind.invalid("Invalid function name; function: %s", name)
	}
	p.countOperator()
	p.at++ // the parenthesis that isCall has seen
	for {
		arg, err := argument()
		if err != nil {
			return "", nil, err
		}
		args = append(args, arg)
		if !p.takeSymbol(",") {
			return name, args, p.expectSymbol(")")
		}
	}
}

// function says where a function may stand and with how many operands.
type function struct {
	operands int
	in       place
}

type place int

const (
	asCondition place = iota // a condition of its own
	asOperand                // an operand in a condition
	inUpdate                 // a value in an update
)

var functions = map[string]function{
	"attribute_exists":     {operands: 1, in: asCondition},
	"attribute_not_exists": {operands: 1, in: asCondition},
	"attribute_type":       {operands: 2, in: asCondition},
	"begins_with":          {operands: 2, in: asCondition},
	"contains":             {operands: 2, in: asCondition},
	"size":                 {operands: 1, in: asOperand},
	"if_not_exists":        {operands: 2, in: inUpdate},
	"list_append":          {operands: 2, in: inUpdate},
}

// checkCall makes sure that the function may stand where it does.
func (p *parser) checkCall(name string, args []operand, where place) error {
	f := functions[name]
	switch {
	case where == inUpdate && f.in != inUpdate:
		return p.kind.invalid("The function is not allowed in an update expression; function: %s", name)
	case where != inUpdate && f.in == inUpdate:
		return p.kind.invalid("The function is not allowed in a condition expression; function: %s", name)
	case where != f.in:
		return p.misplaced(name)
	case len(args) != f.operands:
		return p.kind.invalid("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, len(args))
	}
	return nil
}

func (p *parser) misplaced(name string) error {
	return p.kind.invalid("The function is not allowed to be used this way in an expression; function: %s", name)
}
