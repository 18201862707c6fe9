package clusterquery

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The syntax tree. "and" binds tighter than "or", as in every language that has both; AWS does not say, and its own
// compound examples use parentheses.
type (
	disjunction struct {
		Terms []*conjunction `parser:"@@ ((\"||\" | \"or\") @@)*"`
	}
	conjunction struct {
		Factors []*factor `parser:"@@ ((\"&&\" | \"and\") @@)*"`
	}
	factor struct {
		Negated    *factor      `parser:"(\"!\" | \"not\") @@"`
		Group      *disjunction `parser:"| \"(\" @@ \")\""`
		Comparison *comparison  `parser:"| @@"`
	}
	comparison struct {
		Pos      lexer.Position
		Subject  string    `parser:"@Word"`
		Operator *operator `parser:"@@"`
		matches  matcher
	}
	operator struct {
		Pos    lexer.Position
		Exists string   `parser:"  @(\"exists\" | \"not_exists\" | \"!\" \"exists\")"`
		List   string   `parser:"| ( @(\"in\" | \"not_in\" | \"!\" \"in\")"`
		Values []*value `parser:"  \"[\" @@ (\",\" @@)* \"]\" )"`
		Name   string   `parser:"| ( @(Comparison | \"equals\" | \"not_equals\" | \"greater_than\" | \"greater_than_equal\" | \"less_than\" | \"less_than_equal\" | \"matches\" | \"not_matches\")"`
		Value  *value   `parser:"  @@ )"`
	}
	value struct {
		Pos  lexer.Position
		Text string `parser:"@(Word | String)"`
	}
)

// Bare words may hold everything an attribute name, an instance type, an ARN or a simple pattern such as t2.* needs;
// what they may not hold is the punctuation of the language itself, which must be quoted.
var tokens = lexer.MustSimple([]lexer.SimpleRule{
	{Name: "Whitespace", Pattern: `\s+`},
	{Name: "String", Pattern: `'[^']*'|"[^"]*"`},
	{Name: "Comparison", Pattern: `==|!=|>=|<=|=~|!~|>|<`},
	{Name: "Punctuation", Pattern: `&&|\|\||[!()\[\],]`},
	{Name: "Word", Pattern: `[^\s()\[\],'"=!<>&|~]+`},
	{Name: "Keyword", Pattern: `[^\s\S]`}, // matches nothing; see markReserved
})

var reserved = map[string]bool{
	"and": true, "or": true, "not": true, "exists": true, "not_exists": true, "in": true, "not_in": true,
	"equals": true, "not_equals": true, "greater_than": true, "greater_than_equal": true, "less_than": true,
	"less_than_equal": true, "matches": true, "not_matches": true,
}

// Reserved words become tokens of their own kind after lexing: a pattern could not tell "in" from "in-house", for Go's
// regular expressions have no look-ahead. As a value they must be quoted, so that "a ==  and b == c" is an error at
// "and" and not a comparison with it.
func markReserved(token lexer.Token) (lexer.Token, error) {
	if reserved[token.Value] {
		token.Type = tokens.Symbols()["Keyword"]
	}
	return token, nil
}

var grammar = participle.MustBuild[disjunction](
	participle.Lexer(tokens),
	participle.Elide("Whitespace"),
	participle.Map(markReserved, "Word"),
	participle.Map(unquote, "String"),
	participle.UseLookahead(2),
)

func unquote(token lexer.Token) (lexer.Token, error) {
	token.Value = token.Value[1 : len(token.Value)-1]
	return token, nil
}
