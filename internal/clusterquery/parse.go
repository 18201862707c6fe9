package clusterquery

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2"
)

// MaxCharacters is the longest expression ECS takes in a placement constraint.
const MaxCharacters = 2000

// Expression is a parsed query. It is immutable and safe for concurrent use.
type Expression struct {
	source string
	root   *disjunction
}

// String returns the expression as it was written.
func (e *Expression) String() string { return e.source }

// SyntaxError says what is wrong with an expression and where. Line and Column count from one, Column in characters.
type SyntaxError struct {
	Line    int
	Column  int
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("cluster query, line %d column %d: %s", e.Line, e.Column, e.Problem)
}

// Parse reads an expression. Every error is a *SyntaxError: the place, what stood there and what is allowed there.
// Subjects, the operators each of them takes, dates, versions, numbers and patterns are all checked here, so that an
// accepted expression can be evaluated on any host.
func Parse(expr string) (*Expression, error) {
	if n := utf8.RuneCountInString(expr); n > MaxCharacters {
		return nil, &SyntaxError{Line: 1, Column: MaxCharacters + 1, Problem: fmt.Sprintf("the expression has %d characters, at most %d are allowed", n, MaxCharacters)}
	}
	if strings.TrimSpace(expr) == "" {
		return nil, &SyntaxError{Line: 1, Column: 1, Problem: "the expression is empty, expected \"subject operator argument\", for example attribute:ecs.os-type == linux"}
	}
	root, err := grammar.ParseString("", expr)
	if err != nil {
		return nil, explain(err)
	}
	if err := root.compile(); err != nil {
		return nil, err
	}
	return &Expression{source: expr, root: root}, nil
}

// explain turns the parser's error, which speaks of grammar rules, into one for people who write queries.
func explain(err error) error {
	var at participle.Error
	if !errors.As(err, &at) {
		return &SyntaxError{Line: 1, Column: 1, Problem: err.Error()}
	}
	pos := at.Position()
	problem := at.Message()
	if text, isLexical := strings.CutPrefix(problem, "lexer: invalid input text "); isLexical {
		problem = text + " cannot be read: expected " + expectOperator + ", or the text in quotes with an end"
	}
	var unexpected *participle.UnexpectedTokenError
	if errors.As(err, &unexpected) {
		found := fmt.Sprintf("unexpected %q", unexpected.Unexpected.Value)
		if unexpected.Unexpected.EOF() {
			found = "unexpected end of the expression"
		}
		problem = found + ", expected " + expectation(problem, pos.Offset == 0)
	}
	return &SyntaxError{Line: pos.Line, Column: pos.Column, Problem: problem}
}

const (
	expectSubject  = "a subject (" + subjectNames + "), \"not\" or \"(\""
	expectOperator = "an operator (==, !=, >, >=, <, <=, =~, !~, in, !in, exists, !exists or their names)"
	expectValue    = "a value (a bare word, or quoted if it is a reserved word or holds spaces or punctuation)"
	expectList     = "a list of values in brackets, like [a, b]"
	expectJoin     = "\"and\", \"or\" or the end of the expression"
)

// expectation maps the parser's "(expected …)" fragment to words. The fragments are those of grammar.go; the tests
// hold one error of each kind.
func expectation(message string, atStart bool) string {
	_, rule, found := strings.Cut(message, "(expected ")
	rule = strings.TrimSuffix(rule, ")")
	switch {
	case atStart:
		return expectSubject
	case !found:
		return expectJoin
	case strings.HasPrefix(rule, "Operator"):
		return expectOperator
	case strings.HasPrefix(rule, "Value"), strings.HasPrefix(rule, "(<word> | <string>"):
		return expectValue
	case strings.HasPrefix(rule, `"["`):
		return expectList
	case strings.HasPrefix(rule, `"]"`):
		return "\",\" or \"]\""
	case strings.HasPrefix(rule, `")"`):
		return "\")\", \"and\" or \"or\""
	default:
		return expectSubject
	}
}
