package expr

import "strings"

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenName   // #name
	tokenValue  // :value
	tokenNumber // an index, without leading zeros
	tokenSymbol // punctuation and comparators, also what is no token at all
)

// token is a piece of an expression with its place, from which the "near" of
// syntax errors is cut.
type token struct {
	kind       tokenKind
	text       string
	start, end int
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || isLetter(c)
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// tokens cuts text up. It never fails: a character that belongs nowhere becomes
// a symbol that the parser trips over, so that one place reports syntax errors.
func tokens(text string) []token {
	var out []token
	for at := 0; at < len(text); {
		if strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
			continue
		}
		kind, end := next(text, at)
		out = append(out, token{kind: kind, text: text[at:end], start: at, end: end})
		at = end
	}
	return append(out, token{kind: tokenEnd, text: "<EOF>", start: len(text), end: len(text)})
}

func next(text string, at int) (kind tokenKind, end int) {
	word := func(from int) int {
		for from < len(text) && isWord(text[from]) {
			from++
		}
		return from
	}
	switch c := text[at]; {
	case isLetter(c):
		return tokenWord, word(at)
	case (c == '#' || c == ':') && word(at+1) > at+1:
		if c == '#' {
			return tokenName, word(at + 1)
		}
		return tokenValue, word(at + 1)
	case c == '0':
		return tokenNumber, at + 1
	case isDigit(c):
		for end = at; end < len(text) && isDigit(text[end]); {
			end++
		}
		return tokenNumber, end
	case strings.HasPrefix(text[at:], "<=") || strings.HasPrefix(text[at:], ">=") || strings.HasPrefix(text[at:], "<>"):
		return tokenSymbol, at + 2
	default:
		return tokenSymbol, at + 1
	}
}
