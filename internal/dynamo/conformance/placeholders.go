package conformance

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
)

func testPlaceholders(t *testing.T, s *suite) {
	s.put(t, sample("s"))
	for _, c := range []struct {
		condition string
		names     map[string]string
		values    item
		want      string // "" for a condition that holds
	}{
		{"#a = :x", map[string]string{"#a": "a"}, x("abc"), ""},
		{"#1 = :1", map[string]string{"#1": "a"}, item{":1": str("abc")}, ""},
		{"#m.#k = :x AND m.#k = :x", map[string]string{"#m": "m", "#k": "k"}, x("v"), ""},
		{"#a = :x", nil, x("a"), "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #a"},
		{"m.#a = :x", map[string]string{"#b": "a"}, x("a"), "An expression attribute name used in the document path is not defined; attribute name: #a"},
		{"#m.#k = :x", map[string]string{"#m": "m"}, x("v"), "An expression attribute name used in the document path is not defined; attribute name: #k"},
		{"a = :x", nil, nil, "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :x"},
		{"a = :x", nil, item{":x": str("abc"), ":y": str("y")}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:y}"},
		{"a = :x", map[string]string{"#a": "a"}, x("abc"), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"},
		{"a = :x", map[string]string{}, x("abc"), "ExpressionAttributeNames must not be empty"},
		{"a = :x", nil, item{}, "ExpressionAttributeValues must not be empty"},
		{"#a = :x", map[string]string{"a": "a"}, x("abc"), `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{"#a = :x", map[string]string{"#a-b": "a"}, x("abc"), `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{"#a = :x", map[string]string{"#a": ""}, x("abc"), "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"},
		{"#a = :x", map[string]string{"#a": strings.Repeat("a", 65536)}, x("abc"), "Attribute name is too large, must be less than 65536 bytes for key #a"},
		{"a = :x", nil, item{"x": str("a")}, `ExpressionAttributeValues contains invalid key: Syntax error; key: "x"`},
		{"a = :x", nil, item{":x": strs("a", "a")}, "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: Input collection [a, a] contains duplicates"},
		{"a = :x", nil, item{":x": strs()}, "One or more parameter values were invalid: An string set  may not be empty for key :x"},
		{"a = :x", nil, item{":x": num("abc")}, "ExpressionAttributeValues contains invalid value: "},
	} {
		holds, err := s.holds(t, c.condition, c.values, c.names)
		if c.want == "" {
			require.NoError(t, err, c.condition)
			require.True(t, holds, c.condition)
			continue
		}
		invalid(t, err, c.want, c.condition)
	}
	_, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("s"), ExpressionAttributeValues: x("a")})
	invalid(t, err, "ExpressionAttributeValues can only be specified when using expressions")
	_, err = s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: keyed("s"), ExpressionAttributeNames: map[string]string{"#a": "a"}})
	invalid(t, err, "ExpressionAttributeNames can only be specified when using expressions")
}

// testReservedWords looks at the words that a table of Blox would most likely
// use, and at some that are not reserved though they look like it.
func testReservedWords(t *testing.T, s *suite) {
	s.put(t, sample("s"))
	project := func(word string) error {
		_, err := s.db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: keyed("s"), ProjectionExpression: &word})
		return err
	}
	for _, word := range strings.Fields(`status name cluster state owner ttl data time timestamp region group role hash
		range key keys value values count counter token type user users zone day hour minute second method items list map
		number string source action attribute connection end expression filter index interval language last level limit
		local location lock long mode names next old new object offset online option order output parameter path percent
		permission plan pool position primary private Status NAME`) {
		invalid(t, project(word), "Attribute name is a reserved keyword; reserved keyword: "+word)
	}
	for _, word := range strings.Fields("lease version host target actions attributes move node nodes operation parts priority epoch expires") {
		require.NoError(t, project(word), word)
	}
}
