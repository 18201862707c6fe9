package conformance

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// update changes the item at sk and returns its answer.
func (s *suite) update(t *testing.T, sk, expression string, values item, returned types.ReturnValue) (item, error) {
	t.Helper()
	in := &dynamodb.UpdateItemInput{TableName: &s.table, Key: keyed(sk), ExpressionAttributeValues: values, ReturnValues: returned}
	if expression != "-" { // no expression at all, unlike an empty one
		in.UpdateExpression = &expression
	}
	out, err := s.db.UpdateItem(t.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

func testUpdates(t *testing.T, s *suite) {
	gone := types.AttributeValue(nil) // an attribute that the update removes
	for _, c := range []struct {
		update string
		values item
		want   item // the attributes that change
	}{
		{"-", nil, item{}},
		// SET.
		{"SET a = :x", x("y"), item{"a": str("y")}},
		{"set a = :x, c = :x remove n", x("y"), item{"a": str("y"), "c": str("y"), "n": gone}},
		{"SET c = a", nil, item{"c": str("abc")}},
		{"SET a = n, n = a", nil, item{"a": num("1.5"), "n": str("abc")}},
		{"SET a = :x, c = a", x("new"), item{"a": str("new"), "c": str("abc")}},
		{"SET a = m.k", nil, item{"a": str("v")}},
		{"SET a = (:x)", x("q"), item{"a": str("q")}},
		{"SET m.d.r = :x", x(1), item{"m": mapOf(item{"k": str("v"), "d": mapOf(item{"r": num("1")})})}},
		{"SET m.k = :x, m.e = :x", x(1), item{"m": mapOf(item{"k": num("1"), "e": num("1"), "d": mapOf(item{})})}},
		{"SET l[1] = :x", x(9), item{"l": list(num("1"), num("9"), list())}},
		{"SET l[9] = :x", x(9), item{"l": list(num("1"), str("x"), list(), num("9"))}},
		{"SET l[7] = :x, l[5] = :y", item{":x": num("7"), ":y": num("5")}, item{"l": list(num("1"), str("x"), list(), num("5"), num("7"))}},
		{"SET l[2][0] = :x", x(9), item{"l": list(num("1"), str("x"), list(num("9")))}},
		{"SET l[0] = l[1], l[1] = l[0]", nil, item{"l": list(str("x"), num("1"), list())}},
		// Arithmetic.
		{"SET n = n + :x", x(1), item{"n": num("2.5")}},
		{"SET n = n - :x", item{":x": num("0.5")}, item{"n": num("1")}},
		{"SET n = :x - n", x(1), item{"n": num("-0.5")}},
		{"SET n = n+:x", x(1), item{"n": num("2.5")}},
		{"SET n = (n + :x)", x(1), item{"n": num("2.5")}},
		{"SET n = n + n", nil, item{"n": num("3")}},
		{"SET n = n + l[0]", nil, item{"n": num("2.5")}},
		{"SET c = :x + :x", x(1), item{"c": num("2")}},
		// if_not_exists and list_append.
		{"SET c = if_not_exists(c, :x) + :x", x(1), item{"c": num("2")}},
		{"SET n = if_not_exists(n, :x) + :x", x(1), item{"n": num("2.5")}},
		{"SET a = if_not_exists(a, :x)", x(1), item{}},
		{"SET c = :x, d = if_not_exists(c, :y)", item{":x": num("1"), ":y": num("2")}, item{"c": num("1"), "d": num("2")}},
		{"SET c = if_not_exists(absent, if_not_exists(lost, :x))", x(1), item{"c": num("1")}},
		{"SET l = list_append(l, :x)", item{":x": list(num("3"))}, item{"l": list(num("1"), str("x"), list(), num("3"))}},
		{"SET l = list_append(:x, l)", item{":x": list(num("3"))}, item{"l": list(num("3"), num("1"), str("x"), list())}},
		{"SET l = list_append(l[2], l[2])", nil, item{"l": list()}},
		{"SET c = list_append(if_not_exists(c, :x), :x)", item{":x": list(str("q"))}, item{"c": list(str("q"), str("q"))}},
		// REMOVE.
		{"REMOVE a, absent", nil, item{"a": gone}},
		{"REMOVE l[0]", nil, item{"l": list(str("x"), list())}},
		{"REMOVE l[0], l[2], m.k", nil, item{"l": list(str("x")), "m": mapOf(item{"d": mapOf(item{})})}},
		{"REMOVE l[9], m.zz", nil, item{}},
		{"SET l[3] = :x REMOVE l[0]", x(3), item{"l": list(str("x"), list(), num("3"))}},
		{"SET l[0] = :x, l[5] = :x REMOVE l[1]", x(7), item{"l": list(num("7"), list(), num("7"))}},
		// ADD and DELETE.
		{"ADD n :x, c :x", x(3), item{"n": num("4.5"), "c": num("3")}},
		{"ADD n :x", item{":x": num("-1.5")}, item{"n": num("0")}},
		{"ADD ss :x", item{":x": strs("c", "a")}, item{"ss": strs("a", "b", "c")}},
		{"ADD ns :x", item{":x": nums("1", "-3")}, item{"ns": nums("-3", "1", "2")}},
		{"ADD bs :x", item{":x": bins("b")}, item{"bs": bins("a", "b")}},
		{"ADD c :x", item{":x": strs("c")}, item{"c": strs("c")}},
		{"ADD m.n :x, l[0] :x", x(1), item{"m": mapOf(item{"k": str("v"), "d": mapOf(item{}), "n": num("1")}), "l": list(num("2"), str("x"), list())}},
		{"DELETE ss :x", item{":x": strs("a", "z")}, item{"ss": strs("b")}},
		{"DELETE ss :x", item{":x": strs("a", "b")}, item{"ss": gone}},
		{"DELETE ns :x", item{":x": nums("1.00")}, item{"ns": nums("2")}},
		{"DELETE c :x, m.q :x", item{":x": strs("a")}, item{}},
		{
			"SET a = :x REMOVE b ADD n :y DELETE ss :z",
			item{":x": num("1"), ":y": num("2"), ":z": strs("a")},
			item{"a": num("1"), "b": gone, "n": num("3.5"), "ss": strs("b")},
		},
	} {
		s.put(t, sample("s"))
		returned, err := s.update(t, "s", c.update, c.values, types.ReturnValueAllNew)
		require.NoError(t, err, c.update)
		want := sample("s")
		for name, v := range c.want {
			if v == gone {
				delete(want, name)
			} else {
				want[name] = v
			}
		}
		same(t, want, returned, "answer of %s", c.update)
		same(t, want, s.get(t, "s"), "item after %s", c.update)
	}
	testUpdatesOfNothing(t, s)
}

// testUpdatesOfNothing: an update makes the item that is not there.
func testUpdatesOfNothing(t *testing.T, s *suite) {
	for i, c := range []struct {
		update string
		values item
		want   item
	}{
		{"-", nil, nil},
		{"REMOVE a", nil, nil},
		{"SET a = :x", x("y"), item{"a": str("y")}},
		{"SET a = if_not_exists(a, :x) + :x", x(1), item{"a": num("2")}},
		{"ADD n :x", x(1), item{"n": num("1")}},
		{"DELETE ss :x", item{":x": strs("a")}, nil},
	} {
		sk := "new" + string(rune('a'+i))
		returned, err := s.update(t, sk, c.update, c.values, types.ReturnValueAllNew)
		require.NoError(t, err, c.update)
		same(t, keyed(sk, c.want), returned, c.update)
		same(t, keyed(sk, c.want), s.get(t, sk), c.update)
	}
}

func testUpdateErrors(t *testing.T, s *suite) {
	const (
		noAttribute = "The provided expression refers to an attribute that does not exist in the item"
		wrongType   = "An operand in the update expression has an incorrect data type"
		badPath     = "The document path provided in the update expression is invalid for update"
		static      = "Invalid UpdateExpression: "
	)
	s.put(t, sample("s"))
	for _, c := range []struct {
		update string
		values item
		want   string
	}{
		{"", nil, static + "The expression can not be empty;"},
		{"SET", nil, static + `Syntax error; token: "<EOF>", near: "SET"`},
		{"SET a", nil, static + `Syntax error; token: "<EOF>", near: "a"`},
		{"SET a :x", x("q"), static + `Syntax error; token: ":x", near: "a :x"`},
		{"SET a = :x,", x("q"), static + `Syntax error; token: "<EOF>", near: ","`},
		{"ADD a = :x", x("q"), static + `Syntax error; token: "=", near: "a = :x"`},
		{"ADD n m", nil, static + `Syntax error; token: "m", near: "n m"`},
		{"FOO a", nil, static + `Syntax error; token: "FOO", near: "FOO a"`},
		{"SET n = n + :x + :x", x(1), static + `Syntax error; token: "+", near: ":x + :x"`},
		{"SET n = (n + :x) + :x", x(1), static + `Syntax error; token: "+", near: ") + :x"`},
		{"SET n = n + (n - :x)", x(1), static + `Syntax error; token: "-", near: "n - :x"`},
		{"SET n = -:x", x(1), static + `Syntax error; token: "-", near: "= -:x"`},
		{"SET n = if_not_exists(zz, n + :x)", x(1), static + `Syntax error; token: "+", near: "n + :x"`},
		{"SET n = ((n))", nil, static + "The expression has redundant parentheses;"},
		{"SET a = :x SET c = :x", x("y"), static + `The "SET" section can only be used once in an update expression;`},
		{"REMOVE a remove c", nil, static + `The "REMOVE" section can only be used once in an update expression;`},
		{"SET a = :x, a = :x", x("y"), static + "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"},
		{"SET m.k = :x REMOVE m", x("y"), "path one: [m, k], path two: [m]"},
		{"REMOVE m SET m.k = :x", x("y"), "path one: [m], path two: [m, k]"},
		{"SET m.k = :x, m[0] = :x", x("y"), static + "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, k], path two: [m, [0]]"},
		{"SET status = :x", x("q"), static + "Attribute name is a reserved keyword; reserved keyword: status"},
		{"SET a = status", nil, static + "Attribute name is a reserved keyword; reserved keyword: status"},
		{"SET a = size(a)", nil, static + "The function is not allowed in an update expression; function: size"},
		{"SET a = attribute_exists(a)", nil, static + "The function is not allowed in an update expression; function: attribute_exists"},
		{"SET a = foo(a)", nil, static + "Invalid function name; function: foo"},
		{"SET a = list_append(l)", nil, static + "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1"},
		{"SET n = list_append(:x, :x) + n", item{":x": list()}, static + "The function is not allowed to be used this way in an expression; function: list_append"},
		{"SET a = if_not_exists(:x, a)", x(1), static + "Operator or function requires a document path; operator or function: if_not_exists"},
		{"SET a = if_not_exists(a, a)", nil, static + "The first operand must be distinct from the remaining operands for this operator or function; operator: if_not_exists, first operand: [a]"},
		{"SET n = n + :x", x("1"), static + "Incorrect operand type for operator or function; operator or function: +, operand type: S"},
		{"SET l = list_append(l, :x)", x(3), static + "Incorrect operand type for operator or function; operator or function: list_append, operand type: N"},
		{"ADD c :x", x("1"), static + "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"ADD l :x", item{":x": list()}, "operator: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"DELETE ns :x", x(1), "operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
		{"SET pk = :x", x("y"), "Cannot update attribute pk. This attribute is part of the key"},
		{"REMOVE sk", nil, "Cannot update attribute sk. This attribute is part of the key"},
		{"ADD sk :x", x(1), "Cannot update attribute sk. This attribute is part of the key"},
		{"SET pk.a = :x", x("y"), "Cannot update attribute pk. This attribute is part of the key"},
		{"SET a = c", nil, noAttribute},
		{"SET a = m.zz", nil, noAttribute},
		{"SET n = c + :x", x(1), noAttribute},
		{"SET l = list_append(c, :x)", item{":x": list()}, noAttribute},
		{"SET c = if_not_exists(d, e)", nil, noAttribute},
		{"SET n = a + :x", x(1), wrongType},
		{"SET n = l[1] + n", nil, wrongType},
		{"SET l = list_append(n, :x)", item{":x": list()}, wrongType},
		{"ADD a :x", x(1), wrongType},
		{"ADD ss :x", item{":x": nums("1")}, wrongType},
		{"DELETE n :x", item{":x": strs("a")}, wrongType},
		{"DELETE ss :x", item{":x": nums("1")}, wrongType},
		{"SET c.y = :x", x(1), badPath},
		{"REMOVE c.y", nil, badPath},
		{"SET m.q.r = :x", x(1), badPath},
		{"SET a.b = :x", x(1), badPath},
		{"SET a[0] = :x", x(1), badPath},
		{"SET m[0] = :x", x(1), badPath},
		{"SET l.a = :x", x(1), badPath},
		{"REMOVE a[0]", nil, badPath},
		{"REMOVE m.k.z", nil, badPath},
		{"DELETE c.r :x", item{":x": strs("a")}, badPath},
		{"SET n = n + :x", item{":x": num("1e100")}, "38"},
		{"SET g = :x", x(""), "The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."},
	} {
		_, err := s.update(t, "s", c.update, c.values, "")
		invalid(t, err, c.want, c.update)
	}
	same(t, sample("s"), s.get(t, "s"), "a refused update changed the item")

	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: keyed("s"), UpdateExpression: text("SET n = a + :x"),
		ConditionExpression: text("attribute_exists(absent)"), ExpressionAttributeValues: x(1),
	})
	refused(t, err, "the condition is looked at before the update is tried")
}

func testReturnValues(t *testing.T, s *suite) {
	const change = "SET a = :x, m.k = :x, c = :x REMOVE n, absent ADD ss :s DELETE ns :n"
	values := item{":x": str("new"), ":s": strs("z"), ":n": nums("1", "2")}
	after := keyed("s", item{
		"a": str("new"), "c": str("new"), "b": bin("abc"), "t": boolean(true), "nothing": null(),
		"l": list(num("1"), str("x"), list()), "m": mapOf(item{"k": str("new"), "d": mapOf(item{})}),
		"ss": strs("a", "b", "z"), "bs": bins("a"),
	})
	for returned, want := range map[types.ReturnValue]item{
		"":                      nil,
		types.ReturnValueNone:   nil,
		types.ReturnValueAllOld: sample("s"),
		types.ReturnValueAllNew: after,
		types.ReturnValueUpdatedOld: {
			"a": str("abc"), "m": mapOf(item{"k": str("v"), "d": mapOf(item{})}), "n": num("1.5"),
			"ss": strs("a", "b"), "ns": nums("1", "2"),
		},
		types.ReturnValueUpdatedNew: {"a": str("new"), "c": str("new"), "m": after["m"], "ss": strs("a", "b", "z")},
	} {
		s.put(t, sample("s"))
		got, err := s.update(t, "s", change, values, returned)
		require.NoError(t, err)
		same(t, want, got, string(returned))
	}
	for _, c := range []struct {
		sk, update string
		values     item
		returned   types.ReturnValue
		want       item
	}{
		{"s", "SET a = :x", x("new"), types.ReturnValueUpdatedNew, item{"a": str("new")}}, // also when nothing changes
		{"s", "SET d = :x", x("new"), types.ReturnValueUpdatedOld, nil},
		{"s", "REMOVE a", nil, types.ReturnValueUpdatedNew, nil},
		{"new", "SET a = :x", x("new"), types.ReturnValueAllOld, nil},
		{"new2", "SET a = :x", x("new"), types.ReturnValueUpdatedOld, nil},
		{"new3", "SET a = :x", x("new"), types.ReturnValueUpdatedNew, item{"a": str("new")}},
	} {
		got, err := s.update(t, c.sk, c.update, c.values, c.returned)
		require.NoError(t, err, c.update)
		same(t, c.want, got, "%s %s", c.update, c.returned)
	}
	_, err := s.update(t, "s", "REMOVE a", nil, "SOMETHING")
	invalid(t, err, "Return values set to invalid value")

	put := func(returned types.ReturnValue, i item) (item, error) {
		out, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: i, ReturnValues: returned})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	}
	remove := func(returned types.ReturnValue) (item, error) {
		out, err := s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyed("r"), ReturnValues: returned})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	}
	for _, step := range []struct {
		do   func() (item, error)
		want item
	}{
		{func() (item, error) { return put(types.ReturnValueAllOld, keyed("r")) }, nil},
		{func() (item, error) { return put(types.ReturnValueAllOld, sample("r")) }, keyed("r")},
		{func() (item, error) { return put("", keyed("r")) }, nil},
		{func() (item, error) { return remove(types.ReturnValueAllOld) }, keyed("r")},
		{func() (item, error) { return remove(types.ReturnValueAllOld) }, nil},
		{func() (item, error) { return remove(types.ReturnValueNone) }, nil},
	} {
		got, err := step.do()
		require.NoError(t, err)
		same(t, step.want, got)
	}
	_, err = put(types.ReturnValueUpdatedNew, keyed("r"))
	invalid(t, err, "Return values set to invalid value")
	_, err = remove(types.ReturnValueAllNew)
	invalid(t, err, "Return values set to invalid value")
}
