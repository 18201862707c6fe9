package conformance

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/dynamotest"
)

func testProjections(t *testing.T, s *suite) {
	s.put(t, keyed("s", item{
		"a": str("q"), "l": list(num("1"), mapOf(item{"a": str("b"), "c": str("d")}), num("3")), "m": mapOf(item{"x": num("1"), "y": num("2")}),
	}))
	project := func(expression string, names map[string]string) (item, error) {
		out, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: keyed("s"), ProjectionExpression: &expression, ExpressionAttributeNames: names})
		if err != nil {
			return nil, err
		}
		return out.Item, nil
	}
	for expression, want := range map[string]item{
		"a":                   {"a": str("q")},
		"pk":                  {"pk": str("p")},
		"a, m.x":              {"a": str("q"), "m": mapOf(item{"x": num("1")})},
		"m.x,m.y":             {"m": mapOf(item{"x": num("1"), "y": num("2")})},
		"l[2], l[0]":          {"l": list(num("1"), num("3"))},
		"l[1].a, l[0]":        {"l": list(num("1"), mapOf(item{"a": str("b")}))},
		"l[1].c, l[1].a":      {"l": list(mapOf(item{"a": str("b"), "c": str("d")}))},
		"l":                   {"l": list(num("1"), mapOf(item{"a": str("b"), "c": str("d")}), num("3"))},
		"absent":              {},
		"m.absent, l[9], a.b": {},
	} {
		got, err := project(expression, nil)
		require.NoError(t, err, expression)
		same(t, want, got, expression)
	}
	got, err := project("#m.#x, a", map[string]string{"#m": "m", "#x": "x"})
	require.NoError(t, err)
	same(t, item{"m": mapOf(item{"x": num("1")}), "a": str("q")}, got)

	for expression, want := range map[string]string{
		"":        "Invalid ProjectionExpression: The expression can not be empty;",
		"a,":      `Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","`,
		"a b":     `Invalid ProjectionExpression: Syntax error; token: "b", near: "a b"`,
		"size(a)": `Invalid ProjectionExpression: Syntax error; token: "(", near: "size(a"`,
		"a, a":    "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
		"m, m.x":  "path one: [m], path two: [m, x]",
		"l[0], l": "path one: [l, [0]], path two: [l]",
		"#a":      "An expression attribute name used in the document path is not defined; attribute name: #a",
	} {
		_, err := project(expression, nil)
		invalid(t, err, want, expression)
	}
	_, err = project("a", map[string]string{"#b": "b"})
	invalid(t, err, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}")
	_, err = s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: keyed("s"), ExpressionAttributeNames: map[string]string{"#b": "b"}})
	invalid(t, err, "ExpressionAttributeNames can only be specified when using expressions")
}

func testValues(t *testing.T, s *suite) {
	// Every type comes back as it went in.
	whole := keyed("s", item{
		"S": str("é\u0000 "), "S0": str(""), "N": num("-12.5"), "B": bin("\x00\xff"), "B0": bin(""), "T": boolean(false), "Z": null(),
		"L": list(), "M": mapOf(item{" ": str("a")}), "SS": strs("b", "", "a"), "NS": nums("3", "-1"), "BS": bins("\xff", "a"),
		"deep": list(mapOf(item{"a": list(strs("q"))})),
	})
	s.put(t, whole)
	same(t, whole, s.get(t, "s"))
	require.Nil(t, s.get(t, "absent"))

	for name, c := range map[string]struct {
		value types.AttributeValue
		want  string
	}{
		"empty string set":     {strs(), "An string set  may not be empty"},
		"empty number set":     {nums(), "An number set  may not be empty"},
		"empty binary set":     {bins(), "Binary sets should not be empty"},
		"string twice":         {strs("a", "a"), "Input collection [a, a] contains duplicates"},
		"number twice":         {nums("1", "1.0"), "Input collection contains duplicates"},
		"no name":              {mapOf(item{"": str("a")}), "Empty attribute name"},
		"false null":           {&types.AttributeValueMemberNULL{Value: false}, "Null attribute value types must have the value of true"},
		"nested empty set":     {mapOf(item{"a": list(mapOf(item{"b": strs()}))}), "An string set  may not be empty"},
		"text for a number":    {num("abc"), "converted"},
		"nothing for a number": {num(""), "converted"},
		"space in a number":    {num(" 1"), "converted"},
		"open exponent":        {num("1e"), "converted"},
		"infinite number":      {num("Infinity"), "converted"},
		"39 digits":            {num(strings.Repeat("1", 39)), "38"},
		"too large a number":   {num("1e126"), "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		"too negative":         {num("-1e126"), "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		"too small a number":   {num("1e-131"), "Number underflow. Attempting to store a number with magnitude smaller than supported range"},
	} {
		_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("bad", item{"v": c.value})})
		invalid(t, err, c.want, name)
	}
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("bad", item{"": str("a")})})
	invalid(t, err, "Empty attribute name")
	require.Nil(t, s.get(t, "bad"))
}

func testNumbers(t *testing.T, s *suite) {
	for given, want := range map[string]string{
		"1.50": "1.5", "1e3": "1000", "1E-5": "0.00001", "-0": "0", "0e10": "0", "+1": "1", ".5": "0.5", "5.": "5", "00012": "12", "-1.50e2": "-150",
		"1e125":  "1" + strings.Repeat("0", 125),
		"1E-130": "0." + strings.Repeat("0", 129) + "1",
		"9.9999999999999999999999999999999999999E+125": strings.Repeat("9", 38) + strings.Repeat("0", 88),
		strings.Repeat("1", 38) + "0000":               strings.Repeat("1", 38) + "0000",
		"12345678901234567890.123456789012345678":      "12345678901234567890.123456789012345678",
	} {
		s.put(t, keyed("s", item{"v": num(given)}))
		// As written, not as a value: this is the normal form.
		require.Equal(t, num(want), s.get(t, "s")["v"], given)
	}
}

func testKeys(t *testing.T, s *suite) {
	get := func(key item) error {
		_, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: key})
		return err
	}
	put := func(i item) error {
		_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: i})
		return err
	}
	const empty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: "
	invalid(t, get(item{"pk": str("p")}), "number of conditions on the keys is invalid")
	invalid(t, get(keyed("s", item{"more": str("a")})), "number of conditions on the keys is invalid")
	invalid(t, get(item{"pk": str("p"), "other": str("a")}), "")
	invalid(t, get(item{"pk": str("p"), "sk": num("1")}), "")
	invalid(t, get(keyed("")), empty+"sk")
	invalid(t, get(item{"pk": str(""), "sk": str("s")}), empty+"pk")
	invalid(t, put(item{"pk": str("p")}), "")
	invalid(t, put(item{"pk": num("1"), "sk": str("s")}), "Type mismatch for key")
	invalid(t, put(keyed("")), empty+"sk")
	invalid(t, put(item{"pk": str(strings.Repeat("p", 2049)), "sk": str("s")}), "2048")
	invalid(t, put(keyed(strings.Repeat("s", 1025))), "1024")
	require.NoError(t, put(item{"pk": str(strings.Repeat("p", 2048)), "sk": str(strings.Repeat("s", 1024))}))

	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &s.table, Key: item{"pk": str("p")}})
	invalid(t, err, "number of conditions on the keys is invalid")
	_, err = s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: item{"pk": str("p")}})
	invalid(t, err, "number of conditions on the keys is invalid")

	// Keys of indexes, where the item has them.
	invalid(t, put(keyed("s", item{"g": num("1")})), "Type mismatch for Index Key")
	invalid(t, put(keyed("s", item{"g": str("G"), "h": str("1")})), "Type mismatch for Index Key")
	invalid(t, put(keyed("s", item{"g": str("")})), "A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ")
	invalid(t, put(keyed("s", item{"g": str(strings.Repeat("g", 2049))})), "imit")

	for what, err := range map[string]error{
		"GetItem": func() error {
			_, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("no-such-table"), Key: keyed("s")})
			return err
		}(),
		"PutItem": func() error {
			_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("no-such-table"), Item: keyed("s")})
			return err
		}(),
		"Query": func() error {
			_, err := s.db.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("no-such-table"), KeyConditionExpression: text("pk = :x"), ExpressionAttributeValues: x("p")})
			return err
		}(),
	} {
		var notFound *types.ResourceNotFoundException
		require.ErrorAs(t, err, &notFound, what)
	}
	_, err = s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("a b"), Key: keyed("s")})
	invalid(t, err, "Table/index names must be between 3 and 255 characters long")
}

func testLimits(t *testing.T, s *suite) {
	// The key and the attribute's name take 7 bytes.
	const most = 400*1024 - 7
	s.put(t, keyed("s", item{"v": str(strings.Repeat("v", most))}))
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("s", item{"v": str(strings.Repeat("v", most+1))})})
	invalid(t, err, "Item size has exceeded the maximum allowed size")
	_, err = s.update(t, "s", "SET w = :x", x("1"), "")
	invalid(t, err, "Item size to update has exceeded the maximum allowed size")

	nested := func(levels int) types.AttributeValue {
		v := str("x")
		for range levels {
			v = mapOf(item{"a": v})
		}
		return v
	}
	s.put(t, keyed("s", item{"v": nested(31)}))
	_, err = s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("s", item{"v": nested(32)})})
	invalid(t, err, "Nesting Levels have exceeded supported limits")
}

func testFailedConditions(t *testing.T, s *suite) {
	s.put(t, sample("s"))
	failing, old := text("attribute_exists(absent)"), types.ReturnValuesOnConditionCheckFailureAllOld
	put := func(sk string, returned types.ReturnValuesOnConditionCheckFailure) error {
		_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed(sk), ConditionExpression: failing, ReturnValuesOnConditionCheckFailure: returned})
		return err
	}
	same(t, sample("s"), refused(t, put("s", old)))
	require.Nil(t, refused(t, put("s", "")))
	require.Nil(t, refused(t, put("s", types.ReturnValuesOnConditionCheckFailureNone)))
	require.Nil(t, refused(t, put("absent", old)))
	invalid(t, put("s", "ALL_NEW"), "Value 'ALL_NEW' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint")

	_, err := s.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &s.table, Key: keyed("s"), UpdateExpression: text("REMOVE a"), ConditionExpression: failing, ReturnValuesOnConditionCheckFailure: old})
	same(t, sample("s"), refused(t, err))
	_, err = s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyed("s"), ConditionExpression: failing, ReturnValuesOnConditionCheckFailure: old})
	same(t, sample("s"), refused(t, err))
	same(t, sample("s"), s.get(t, "s"))

	_, err = s.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyed("s"), ConditionExpression: text("a = :x"), ExpressionAttributeValues: x("abc")})
	require.NoError(t, err)
	require.Nil(t, s.get(t, "s"))
	_, err = s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("s"), ConditionExpression: text("attribute_not_exists(pk)")})
	require.NoError(t, err)
	_, err = s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("s"), ConditionExpression: text("attribute_not_exists(pk)")})
	refused(t, err)

	// Errors have the layers that the SDK's client gives them.
	var operation *smithy.OperationError
	require.ErrorAs(t, err, &operation)
	require.Equal(t, "DynamoDB", operation.Service())
	require.Equal(t, "PutItem", operation.Operation())
}

// testMissingParameters: the SDK's client refuses these before it sends them.
func testMissingParameters(t *testing.T, s *suite) {
	ctx, table := t.Context(), &s.table
	errs := map[string]error{}
	_, errs["GetItem"] = s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: table})
	_, errs["PutItem"] = s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table})
	_, errs["UpdateItem"] = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{Key: keyed("s")})
	_, errs["DeleteItem"] = s.db.DeleteItem(ctx, nil)
	_, errs["Query"] = s.db.Query(ctx, nil)
	_, errs["BatchGetItem"] = s.db.BatchGetItem(ctx, nil)
	_, errs["BatchWriteItem"] = s.db.BatchWriteItem(ctx, nil)
	_, errs["TransactWriteItems"] = s.db.TransactWriteItems(ctx, nil)
	_, errs["CreateTable"] = s.db.CreateTable(ctx, nil)
	_, errs["DescribeTable"] = s.db.DescribeTable(ctx, nil)
	_, errs["DeleteTable"] = s.db.DeleteTable(ctx, nil)
	_, errs["UpdateTimeToLive"] = s.db.UpdateTimeToLive(ctx, nil)
	for what, err := range errs {
		var params smithy.InvalidParamsError
		require.ErrorAs(t, err, &params, what)
	}
	other := dynamotest.TableName(t, "absent")
	_, err := s.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &other})
	var notFound *types.ResourceNotFoundException
	require.ErrorAs(t, err, &notFound)
}
