package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// ask fills in the table and the value :p.
func (s *suite) ask(t *testing.T, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	t.Helper()
	in.TableName = &s.table
	return s.db.Query(t.Context(), in)
}

// values are :p, "p", and what is added.
func values(more ...item) item {
	out := item{":p": str("p")}
	for _, m := range more {
		for name, v := range m {
			out[name] = v
		}
	}
	return out
}

// column returns an attribute of each item, strings and numbers alike.
func column(t *testing.T, items []item, name string) []string {
	t.Helper()
	out := make([]string, len(items))
	for i, it := range items {
		switch v := it[name].(type) {
		case *types.AttributeValueMemberS:
			out[i] = v.Value
		case *types.AttributeValueMemberN:
			out[i] = v.Value
		case *types.AttributeValueMemberB:
			out[i] = string(v.Value)
		default:
			t.Fatalf("no %s in %v", name, it)
		}
	}
	return out
}

// six items s0 to s5, each in the indexes under g=G and h=0,1,2,0,1,2.
func (s *suite) putSix(t *testing.T) {
	t.Helper()
	for i := range 6 {
		s.put(t, keyed(fmt.Sprintf("s%d", i), item{"g": str("G"), "h": num(fmt.Sprint(i % 3)), "a": str(fmt.Sprintf("a%d", i)), "b": str("b"), "z": str("z")}))
	}
	s.put(t, item{"pk": str("other"), "sk": str("s0")})
}

func testQueries(t *testing.T, s *suite) {
	s.putSix(t)
	y := item{":y": str("s4")}
	for _, c := range []struct {
		condition string
		values    item
		want      string
	}{
		{"pk = :p", nil, "s0 s1 s2 s3 s4 s5"},
		{":p = pk", nil, "s0 s1 s2 s3 s4 s5"},
		{"(pk = :p)", nil, "s0 s1 s2 s3 s4 s5"},
		{"pk = :p AND sk = :x", x("s2"), "s2"},
		{"pk = :p AND sk < :x", x("s2"), "s0 s1"},
		{"pk = :p AND sk <= :x", x("s2"), "s0 s1 s2"},
		{"pk = :p and sk > :x", x("s2"), "s3 s4 s5"},
		{"sk >= :x AND pk = :p", x("s2"), "s2 s3 s4 s5"},
		{"pk = :p AND :x > sk", x("s2"), "s0 s1"},
		{"pk = :p AND sk BETWEEN :x AND :y", item{":x": str("s2"), ":y": str("s4")}, "s2 s3 s4"},
		{"pk = :p AND sk BETWEEN :x AND :y", item{":x": str("s15"), ":y": str("s35")}, "s2 s3"},
		{"pk = :p AND begins_with(sk, :x)", x("s"), "s0 s1 s2 s3 s4 s5"},
		{"begins_with(sk, :x) AND pk = :p", x("s2"), "s2"},
		{"(pk = :p) AND (sk = :x)", x("s2"), "s2"},
		{"(pk = :p AND sk = :x)", x("s2"), "s2"},
		{"pk = :p AND sk > :x", x("s5"), ""},
		{"pk = :p AND sk < :x", x("r"), ""},
		{"pk = :x", x("nobody"), ""},
	} {
		given := values(c.values)
		if !strings.Contains(c.condition, ":p") {
			delete(given, ":p")
		}
		for _, forward := range []bool{true, false} {
			out, err := s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: &c.condition, ExpressionAttributeValues: given, ScanIndexForward: &forward, ProjectionExpression: text("sk")})
			require.NoError(t, err, c.condition)
			want := strings.Fields(c.want)
			if !forward {
				slices.Reverse(want)
			}
			require.Equal(t, append([]string{}, want...), column(t, out.Items, "sk"), c.condition)
			require.EqualValues(t, len(want), out.Count)
			require.EqualValues(t, len(want), out.ScannedCount)
			require.Nil(t, out.LastEvaluatedKey)
		}
	}
	out, err := s.ask(t, &dynamodb.QueryInput{
		KeyConditionExpression: text("#p = :p AND #s = :y"), ExpressionAttributeValues: values(y),
		ExpressionAttributeNames: map[string]string{"#p": "pk", "#s": "sk"}, ConsistentRead: aws.Bool(true),
	})
	require.NoError(t, err)
	sameItems(t, []item{s.get(t, "s4")}, out.Items)

	// Filters apply after the page has been read.
	filter := func(expression string, value item, limit *int32) *dynamodb.QueryOutput {
		out, err := s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :p"), ExpressionAttributeValues: values(value), FilterExpression: &expression, Limit: limit})
		require.NoError(t, err, expression)
		return out
	}
	out = filter("a = :x OR a = b", x("a3"), nil)
	require.Equal(t, []string{"s3"}, column(t, out.Items, "sk"))
	require.EqualValues(t, 1, out.Count)
	require.EqualValues(t, 6, out.ScannedCount)
	out = filter("a = :x", x("a3"), aws.Int32(2))
	require.Empty(t, out.Items)
	require.EqualValues(t, 2, out.ScannedCount)
	same(t, keyed("s1"), out.LastEvaluatedKey)

	// Select.
	out, err = s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :p"), ExpressionAttributeValues: values(x("a3")), FilterExpression: text("a <> :x"), Select: types.SelectCount})
	require.NoError(t, err)
	require.Nil(t, out.Items)
	require.EqualValues(t, 5, out.Count)
	require.EqualValues(t, 6, out.ScannedCount)
	out, err = s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :p"), ExpressionAttributeValues: values(), ProjectionExpression: text("a"), Select: types.SelectSpecificAttributes, Limit: aws.Int32(1)})
	require.NoError(t, err)
	sameItems(t, []item{{"a": str("a0")}}, out.Items)
}

func testQueryErrors(t *testing.T, s *suite) {
	s.putSix(t)
	for _, c := range []struct {
		condition string
		values    item
		want      string
	}{
		{"", nil, "Invalid KeyConditionExpression: The expression can not be empty;"},
		{"pk = :p AND", nil, `Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "AND"`},
		{"((pk = :p))", nil, "Invalid KeyConditionExpression: The expression has redundant parentheses;"},
		{"pk = :p AND sk <> :x", x("a"), "Invalid operator used in KeyConditionExpression: <>"},
		{"pk = :p OR sk = :x", x("a"), "Invalid operator used in KeyConditionExpression: OR"},
		{"pk = :p AND NOT sk = :x", x("a"), "Invalid operator used in KeyConditionExpression: NOT"},
		{"pk = :p AND contains(sk, :x)", x("a"), "Invalid operator used in KeyConditionExpression: contains"},
		{"pk = :p AND attribute_exists(sk)", nil, "Invalid operator used in KeyConditionExpression: attribute_exists"},
		{"pk = :p AND sk IN (:x)", x("a"), "Invalid operator used in KeyConditionExpression: IN"},
		{"pk > :p", nil, "Query key condition not supported"},
		{"begins_with(pk, :p)", nil, "Query key condition not supported"},
		{"sk = :p", nil, "Query condition missed key schema element"},
		{"pk = :p AND a = :x", x("a"), "Query condition missed key schema element"},
		{"pk = :p AND sk > :x AND sk < :y", item{":x": str("a"), ":y": str("b")}, "KeyConditionExpressions must only contain one condition per key"},
		{"pk = :p AND pk = :x", x("a"), "KeyConditionExpressions must only contain one condition per key"},
		{"pk.a = :p", nil, "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"},
		{"pk = :p AND size(sk) > :x", x(1), "KeyConditionExpressions cannot contain nested operations"},
		{"pk = :p AND sk BETWEEN :x AND :y", item{":x": str("b"), ":y": str("a")}, "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound"},
		{"pk = :p AND sk = :x", x(1), "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		{"pk = :p AND begins_with(sk, :x)", x(1), "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"pk = :p AND sk = :x", x(""), "The AttributeValue for a key attribute cannot contain an empty string value. Key: sk"},
		{"pk = :p", x("a"), "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"},
		{"pk = :p AND #s = :x", x("a"), "An expression attribute name used in the document path is not defined; attribute name: #s"},
	} {
		_, err := s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: &c.condition, ExpressionAttributeValues: values(c.values)})
		invalid(t, err, c.want, c.condition)
	}
	condition := text("pk = :p")
	for name, c := range map[string]struct {
		in   dynamodb.QueryInput
		want string
	}{
		"no condition":                 {dynamodb.QueryInput{ExpressionAttributeValues: nil}, ""},
		"limit 0":                      {dynamodb.QueryInput{KeyConditionExpression: condition, Limit: aws.Int32(0)}, "greater than or equal to 1"},
		"negative limit":               {dynamodb.QueryInput{KeyConditionExpression: condition, Limit: aws.Int32(-1)}, "greater than or equal to 1"},
		"filter on the hash key":       {dynamodb.QueryInput{KeyConditionExpression: condition, FilterExpression: text("pk = :p")}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: pk"},
		"filter on the range key":      {dynamodb.QueryInput{KeyConditionExpression: condition, FilterExpression: text("attribute_exists(sk)")}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		"empty filter":                 {dynamodb.QueryInput{KeyConditionExpression: condition, FilterExpression: aws.String("")}, "Invalid FilterExpression: The expression can not be empty;"},
		"bad filter":                   {dynamodb.QueryInput{KeyConditionExpression: condition, FilterExpression: text("a = ")}, "Invalid FilterExpression: Syntax error"},
		"projected without an index":   {dynamodb.QueryInput{KeyConditionExpression: condition, Select: types.SelectAllProjectedAttributes}, "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
		"specific without projection":  {dynamodb.QueryInput{KeyConditionExpression: condition, Select: types.SelectSpecificAttributes}, "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		"count with projection":        {dynamodb.QueryInput{KeyConditionExpression: condition, Select: types.SelectCount, ProjectionExpression: text("a")}, "Cannot specify the ProjectionExpression when choosing to get only the Count"},
		"unknown select":               {dynamodb.QueryInput{KeyConditionExpression: condition, Select: "SOME"}, "Select must be ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES, COUNT, or SPECIFIC_ATTRIBUTES"},
		"start in another partition":   {dynamodb.QueryInput{KeyConditionExpression: condition, ExclusiveStartKey: item{"pk": str("q"), "sk": str("s")}}, "provided starting key"},
		"start without the range key":  {dynamodb.QueryInput{KeyConditionExpression: condition, ExclusiveStartKey: item{"pk": str("p")}}, "Exclusive Start Key must have same size as table's key schema"},
		"start with too many":          {dynamodb.QueryInput{KeyConditionExpression: condition, ExclusiveStartKey: keyed("s", item{"a": str("a")})}, "Exclusive Start Key must have same size as table's key schema"},
		"start of a wrong type":        {dynamodb.QueryInput{KeyConditionExpression: condition, ExclusiveStartKey: item{"pk": str("p"), "sk": num("1")}}, ""},
		"start outside the condition":  {dynamodb.QueryInput{KeyConditionExpression: text("pk = :p AND sk > :p"), ExclusiveStartKey: keyed("a")}, "provided starting key"},
		"unknown name in a projection": {dynamodb.QueryInput{KeyConditionExpression: condition, ProjectionExpression: text("#a")}, "Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; attribute name: #a"},
	} {
		c.in.ExpressionAttributeValues = values()
		_, err := s.ask(t, &c.in)
		invalid(t, err, c.want, name)
	}
}

func testQueryPages(t *testing.T, s *suite) {
	for i := range 7 {
		s.put(t, keyed(fmt.Sprintf("s%d", i)))
	}
	for _, forward := range []bool{true, false} {
		for limit := int32(1); limit <= 8; limit++ {
			var got []string
			var start item
			pages := 0
			for {
				require.Less(t, pages, 10, "the pages do not end")
				out, err := s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :p"), ExpressionAttributeValues: values(), Limit: &limit, ScanIndexForward: &forward, ExclusiveStartKey: start})
				require.NoError(t, err)
				require.LessOrEqual(t, len(out.Items), int(limit))
				got = append(got, column(t, out.Items, "sk")...)
				pages++
				if start = out.LastEvaluatedKey; start == nil {
					break
				}
				same(t, keyed(got[len(got)-1]), start)
			}
			want := []string{"s0", "s1", "s2", "s3", "s4", "s5", "s6"}
			if !forward {
				slices.Reverse(want)
			}
			require.Equal(t, want, got)
			// A page that is full has a next one, even if that is empty.
			require.Equal(t, 7/int(limit)+1, pages)
		}
	}
	// A page may begin where no item is.
	out, err := s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :p AND sk < :x"), ExpressionAttributeValues: values(x("s5")), ExclusiveStartKey: keyed("s25")})
	require.NoError(t, err)
	require.Equal(t, []string{"s3", "s4"}, column(t, out.Items, "sk"))

	// A full page that ends at an inclusive bound has no next one.
	for condition, want := range map[string]map[bool]bool{ // by direction, forward first: is there a next page
		"sk = :x":              {true: true, false: true},
		"sk <= :x":             {true: false, false: true},
		"sk < :x":              {true: true, false: true},
		"sk >= :x":             {true: true, false: false},
		"sk > :x":              {true: true, false: true},
		"sk BETWEEN :x AND :x": {true: false, false: false},
		"begins_with(sk, :x)":  {true: true, false: true},
	} {
		for forward, next := range want {
			in := &dynamodb.QueryInput{KeyConditionExpression: text("pk = :p AND " + condition), ExpressionAttributeValues: values(x("s3")), ScanIndexForward: &forward}
			whole, err := s.ask(t, in)
			require.NoError(t, err)
			in.Limit = aws.Int32(whole.Count)
			page, err := s.ask(t, in)
			require.NoError(t, err)
			require.Equal(t, next, page.LastEvaluatedKey != nil, "%s, forward %v", condition, forward)
		}
	}

	// A page ends with the item that makes it exceed 1 MB.
	for i := range 4 {
		s.put(t, item{"pk": str("big"), "sk": str(fmt.Sprintf("s%d", i)), "v": str(strings.Repeat("v", 400_000))})
	}
	for _, forward := range []bool{true, false} {
		out, err = s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), ExpressionAttributeValues: x("big"), ProjectionExpression: text("sk"), ScanIndexForward: &forward})
		require.NoError(t, err)
		require.Len(t, out.Items, 3)
		require.NotNil(t, out.LastEvaluatedKey)
		out, err = s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :x"), ExpressionAttributeValues: x("big"), ProjectionExpression: text("sk"), ScanIndexForward: &forward, ExclusiveStartKey: out.LastEvaluatedKey})
		require.NoError(t, err)
		require.Len(t, out.Items, 1)
		require.Nil(t, out.LastEvaluatedKey)
	}
}
