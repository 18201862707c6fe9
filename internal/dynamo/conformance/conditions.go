package conformance

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
)

// sample has an attribute of each type.
func sample(sk string) item {
	return keyed(sk, item{
		"a": str("abc"), "n": num("1.50"), "b": bin("abc"), "t": boolean(true), "nothing": null(),
		"l": list(num("1"), str("x"), list()), "m": mapOf(item{"k": str("v"), "d": mapOf(item{})}),
		"ss": strs("b", "a"), "ns": nums("2", "1.0"), "bs": bins("a"),
	})
}

// x is the value :x alone.
func x(v any) item {
	switch v := v.(type) {
	case string:
		return item{":x": str(v)}
	case int:
		return item{":x": num(strconv.Itoa(v))}
	default:
		return nil
	}
}

// holds evaluates a condition against the item at s, without changing it.
func (s *suite) holds(t *testing.T, condition string, values item, names map[string]string) (bool, error) {
	t.Helper()
	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: keyed("s"), ConditionExpression: &condition,
		ExpressionAttributeValues: values, ExpressionAttributeNames: names,
	})
	if isRefused(err) {
		return false, nil
	}
	return true, err
}

func testConditions(t *testing.T, s *suite) {
	s.put(t, sample("s"))
	for _, c := range []struct {
		condition string
		values    item
		want      bool
	}{
		// Comparators. An absent attribute is unequal to everything, and has no order.
		{"a = :x", x("abc"), true},
		{"a = :x", x("abd"), false},
		{"a <> :x", x("abd"), true},
		{"a <> :x", x(1), true},
		{"absent = :x", x("a"), false},
		{"absent <> :x", x("a"), true},
		{"absent < :x", x("a"), false},
		{"NOT absent < :x", x("a"), true},
		{"absent = lost", nil, false},
		{"absent <> lost", nil, true},
		{"a < :x", x("abd"), true},
		{"a < :x", x("abc"), false},
		{"a <= :x", x("abc"), true},
		{"a > :x", x("ab"), true},
		{"a >= :x", x("abd"), false},
		{"a < :x", x(1), false},
		{"a > :x", x(1), false},
		{"n = :x", item{":x": num("15e-1")}, true},
		{"n < :x", x(10), true},
		{"n > :x", item{":x": num("-3")}, true},
		{":x = :y", item{":x": num("1"), ":y": num("1.0")}, true},
		{":x < n", x(1), true},
		{"b >= :x", item{":x": bin("abb")}, true},
		{"nothing = :x", item{":x": null()}, true},
		{"t = :x", item{":x": boolean(true)}, true},
		{"t <> :x", item{":x": boolean(false)}, true},
		{"l = :x", item{":x": list(num("1.0"), str("x"), list())}, true},
		{"l = :x", item{":x": list(num("1"))}, false},
		{"m = :x", item{":x": mapOf(item{"k": str("v"), "d": mapOf(item{})})}, true},
		{"ss = :x", item{":x": strs("a", "b")}, true},
		{"ss = :x", item{":x": strs("a")}, false},
		{"ns = :x", item{":x": nums("1", "2.0")}, true},
		{"bs = :x", item{":x": bins("a")}, true},
		{"a < n", nil, false},
		{"a <> n", nil, true},
		// Paths.
		{"m.k = :x", x("v"), true},
		{"m . k = :x", x("v"), true},
		{"l[0] = :x", x(1), true},
		{"l[ 1 ] = :x", x("x"), true},
		{"l[0] < :x", x(2), true},
		{"m.k.z = :x", x("v"), false},
		{"attribute_exists(l[2])", nil, true},
		{"attribute_exists(l[3])", nil, false},
		{"attribute_not_exists(l[3].a)", nil, true},
		{"attribute_exists(m[0])", nil, false},
		{"attribute_exists(a.b[0].c)", nil, false},
		// BETWEEN and IN.
		{"a BETWEEN :x AND :y", item{":x": str("abb"), ":y": str("abd")}, true},
		{"a between :x and :y", item{":x": str("abc"), ":y": str("abc")}, true},
		{"n BETWEEN :x AND :y", item{":x": str("1"), ":y": str("2")}, false},
		{"NOT n BETWEEN :x AND :y", item{":x": str("1"), ":y": str("2")}, true},
		{"absent BETWEEN :x AND :y", item{":x": str("1"), ":y": str("2")}, false},
		{"b BETWEEN :x AND :y", item{":x": bin("abb"), ":y": bin("abd")}, true},
		{"a BETWEEN n AND :x", x("z"), false},
		{":x BETWEEN l[0] AND n", item{":x": num("1.25")}, true},
		{"a IN (:x)", x("abc"), true},
		{"a in (:x, :y)", item{":x": num("1"), ":y": str("abc")}, true},
		{"a IN (:x, n)", x("q"), false},
		{"absent IN (:x)", x("q"), false},
		{"NOT absent IN (:x)", x("q"), true},
		{"l IN (:x)", item{":x": list(num("1"), str("x"), list())}, true},
		// Functions.
		{"attribute_exists(a)", nil, true},
		{"attribute_exists (a)", nil, true},
		{"attribute_not_exists(a)", nil, false},
		{"attribute_type(a, :x)", x("S"), true},
		{"attribute_type(a, :x)", x("N"), false},
		{"attribute_type(absent, :x)", x("S"), false},
		{"attribute_type(nothing, :x)", x("NULL"), true},
		{"attribute_type(l[2], :x)", x("L"), true},
		{"attribute_type(size(a), :x)", x("N"), true},
		{"begins_with(a, :x)", x("ab"), true},
		{"begins_with(a, :x)", x("b"), false},
		{"begins_with(a, :x)", x(""), true},
		{"begins_with(a, :x)", item{":x": bin("ab")}, false},
		{"begins_with(b, :x)", item{":x": bin("ab")}, true},
		{"begins_with(n, :x)", x("1"), false},
		{"begins_with(absent, :x)", x(""), false},
		{"begins_with(:x, a)", x("abcd"), true},
		{"contains(a, :x)", x("b"), true},
		{"contains(a, :x)", x(""), true},
		{"contains(b, :x)", item{":x": bin("b")}, true},
		{"contains(b, :x)", x("b"), false},
		{"contains(ss, :x)", x("a"), true},
		{"contains(ss, :x)", item{":x": strs("a")}, false},
		{"contains(ns, :x)", item{":x": num("1.00")}, true},
		{"contains(bs, :x)", item{":x": bin("a")}, true},
		{"contains(l, :x)", item{":x": list()}, true},
		{"contains(l, :x)", item{":x": num("1.0")}, true},
		{"contains(l, :x)", x("y"), false},
		{"contains(m, :x)", x("k"), false},
		{"contains(n, :x)", x(1), false},
		{"contains(absent, :x)", x("k"), false},
		{"contains(:x, a)", x("zabcz"), true},
		{"contains(:x, a)", item{":x": strs("abc")}, true},
		{"size(a) = :x", x(3), true},
		{"size(b) = :x", x(3), true},
		{"size(l) = :x", x(3), true},
		{"size(m) = :x", x(2), true},
		{"size(ss) = :x", x(2), true},
		{"size(n) = :x", x(1), false},
		{"size(n) <> :x", x(1), true},
		{"size(t) >= :x", x(0), false},
		{"size(absent) <> :x", x(1), true},
		{"size(absent) < size(a)", nil, false},
		{"size(a) = size(b)", nil, true},
		{"size(a) IN (:x)", x(3), true},
		{"size(a) = :x", x("3"), false},
		{"a > size(a)", nil, false},
		{"size(:x) > l[0]", x("ab"), true},
		{"size((a)) = :x", x(3), true},
		// Logic: NOT before AND before OR; parentheses.
		{"a = :x OR a = :y AND absent = :x", item{":x": str("abc"), ":y": str("q")}, true},
		{"(a = :x OR a = :y) AND absent = :x", item{":x": str("abc"), ":y": str("q")}, false},
		{"NOT a = :x AND absent = :x", x("abc"), false},
		{"NOT (a = :x AND absent = :x)", x("abc"), true},
		{"not not a = :x", x("abc"), true},
		{"attribute_exists(a) AND attribute_not_exists(zz) Or Not contains(a, :x)", x("a"), true},
		{"(a = :x)", x("abc"), true},
		{"(a) = :x", x("abc"), true},
		{"a = (:x)", x("abc"), true},
		{"((a = :x) AND (n > :y)) OR (a = n)", item{":x": str("abc"), ":y": num("1")}, true},
	} {
		got, err := s.holds(t, c.condition, c.values, nil)
		require.NoError(t, err, c.condition)
		require.Equal(t, c.want, got, "%s with %v", c.condition, c.values)
	}
	same(t, sample("s"), s.get(t, "s"), "evaluating conditions changed the item")
}

func testConditionErrors(t *testing.T, s *suite) {
	s.put(t, sample("s"))
	many := func(n int) (string, item) {
		refs, values := make([]string, n), item{}
		for i := range refs {
			refs[i] = ":v" + strconv.Itoa(i)
			values[refs[i]] = num(strconv.Itoa(i))
		}
		return "a IN (" + strings.Join(refs, ",") + ")", values
	}
	tooMany, tooManyValues := many(101)
	for _, c := range []struct {
		condition string
		values    item
		want      string
	}{
		{"", nil, "The expression can not be empty;"},
		{"a", nil, `Syntax error; token: "<EOF>", near: "a"`},
		{"a =", nil, `Syntax error; token: "<EOF>", near: "="`},
		{"a = :x AND", x("a"), `Syntax error; token: "<EOF>", near: "AND"`},
		{"a == :x", x("a"), `Syntax error; token: "=", near: "== :x"`},
		{"a != :x", x("a"), `Syntax error; token: "!", near: "a !="`},
		{"a = 1", nil, `Syntax error; token: "1", near: "= 1"`},
		{"a = 'x'", nil, `Syntax error; token: "'", near: "= 'x"`},
		{"a = :x b = :x", x("a"), `Syntax error; token: "b", near: ":x b ="`},
		{"_a = :x", x("a"), `Syntax error; token: "_", near: "_a"`},
		{"a-b = :x", x("a"), `Syntax error; token: "-", near: "a-b"`},
		{"1a = :x", x("a"), `Syntax error; token: "1", near: "1a"`},
		{"a.1b = :x", x("a"), `Syntax error; token: "1", near: ".1b"`},
		{"l[-1] = :x", x("a"), `Syntax error; token: "-", near: "[-1"`},
		{"l[00] = :x", x("a"), `Syntax error; token: "0", near: "00]"`},
		{"l[x] = :x", x("a"), `Syntax error; token: "x", near: "[x]"`},
		{"a. = :x", x("a"), `Syntax error; token: "=", near: ". = :x"`},
		{"# = :x", x("a"), `Syntax error; token: "#", near: "# ="`},
		{"a = :", nil, `Syntax error; token: ":", near: "= :"`},
		{"a IN ()", nil, `Syntax error; token: ")", near: "()"`},
		{"a IN (:x,)", x("a"), `Syntax error; token: ")", near: ",)"`},
		{"a BETWEEN :x", x("a"), `Syntax error; token: "<EOF>", near: ":x"`},
		{"a NOT IN (:x)", x("a"), `Syntax error; token: "NOT", near: "a NOT IN"`},
		{"attribute_exists()", nil, `Syntax error; token: ")", near: "()"`},
		{"(attribute_exists(a)", nil, `Syntax error; token: "<EOF>", near: ")"`},
		{"attribute_exists(a))", nil, `Syntax error; token: ")", near: "))"`},
		{"(a = :x) = :x", x("a"), `Syntax error; token: "=", near: ") = :x"`},
		{"((a = :x))", x("a"), "The expression has redundant parentheses;"},
		{"((a)) = :x", x("a"), "The expression has redundant parentheses;"},
		{"attribute_exists(:x)", x("a"), "Operator or function requires a document path; operator or function: attribute_exists"},
		{"attribute_exists(size(a))", nil, "Operator or function requires a document path; operator or function: attribute_exists"},
		{"attribute_exist(a)", nil, "Invalid function name; function: attribute_exist"},
		{"ATTRIBUTE_EXISTS(a)", nil, "Invalid function name; function: ATTRIBUTE_EXISTS"},
		{"attribute_exists(a, b)", nil, "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2"},
		{"begins_with(a)", nil, "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1"},
		{"begins_with(a, :x)", x(1), "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"begins_with(size(a), :x)", x("a"), "operator or function: begins_with, operand type: N"},
		{"begins_with(a, a)", nil, "The first operand must be distinct from the remaining operands for this operator or function; operator: begins_with, first operand: [a]"},
		{"a = a", nil, "operator: =, first operand: [a]"},
		{"m.k IN (:x, m.k)", x("a"), "operator: IN, first operand: [m, k]"},
		{"l[0] BETWEEN l[0] AND :x", x(3), "operator: BETWEEN, first operand: [l, [0]]"},
		{"contains(a, a)", nil, "operator: contains, first operand: [a]"},
		{"size(:x) > l[0]", x(1), "operator or function: size, operand type: N"},
		{"size(size(a)) > :x", x(1), "operator or function: size, operand type: N"},
		{"size(a)", nil, "The function is not allowed to be used this way in an expression; function: size"},
		{"a = begins_with(a, :x)", x("a"), "The function is not allowed to be used this way in an expression; function: begins_with"},
		{"attribute_type(a, :x)", x("Q"), "Invalid attribute type name found; type: Q, valid types:"},
		{"attribute_type(a, :x)", x(1), "operator or function: attribute_type, operand type: N"},
		{"a < :x", item{":x": boolean(true)}, "operator or function: <, operand type: BOOL"},
		{"a >= :x", item{":x": list()}, "operator or function: >=, operand type: L"},
		{"a BETWEEN :x AND :y", item{":x": str("z"), ":y": str("a")}, "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:z}, upper bound operand: AttributeValue: {S:a}"},
		{"a BETWEEN :x AND :y", item{":x": str("a"), ":y": num("1")}, "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:a}, upper bound operand: AttributeValue: {N:1}"},
		{"l BETWEEN :x AND :x", item{":x": list()}, "operator or function: BETWEEN, operand type: L"},
		{tooMany, tooManyValues, "The IN operator is provided with too many operands; number of operands: 101"},
		{strings.Repeat("attribute_exists(a) AND ", 150) + "attribute_exists(a)", nil, "The expression contains too many operators; operator count: 301"},
		{strings.Repeat("a.", 32) + "a = :x", x("a"), "The document path has too many nesting levels; nesting levels: 33"},
		{strings.Repeat("a = :x AND ", 400) + "a = :x", x("a"), "Expression size has exceeded the maximum allowed size; expression size: 4406"},
		{"status = :x", x("a"), "Attribute name is a reserved keyword; reserved keyword: status"},
		{"a.Name = :x", x("a"), "Attribute name is a reserved keyword; reserved keyword: Name"},
	} {
		_, err := s.holds(t, c.condition, c.values, nil)
		what := c.condition[:min(60, len(c.condition))]
		invalid(t, err, "Invalid ConditionExpression: ", what)
		invalid(t, err, c.want, what)
	}
	enough, enoughValues := many(100)
	_, err := s.holds(t, enough, enoughValues, nil)
	require.NoError(t, err, "100 operands of IN are allowed")
}
