package conformance

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/dynamotest"
)

// tableWith makes another table for s, with a hash key pk and a range key sk of
// the given types.
func tableWith(t *testing.T, s *suite, hash, sort string) *suite {
	t.Helper()
	other := &suite{db: s.db, table: dynamotest.TableName(t, "keys")}
	other.create(t, &dynamodb.CreateTableInput{
		TableName: &other.table, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{hashKey("pk"), rangeKey("sk")},
		AttributeDefinitions: []types.AttributeDefinition{define("pk", hash), define("sk", sort)},
	})
	return other
}

func testNumberKeys(t *testing.T, suite *suite) {
	s := tableWith(t, suite, "N", "N")
	ordered := []string{"-1" + strings.Repeat("0", 40), "-20", "-11", "-10.5", "-10", "-1", "-0.11", "-0.1", "-0.001", "0", "0.0000001", "0.1", "0.11", "1", "1.5", "2", "9", "10", "11", "100", "123456789012345678901234567890"}
	for _, i := range []int{3, 0, 20, 7, 12, 19, 1, 2, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18} {
		s.put(t, item{"pk": num("1.0"), "sk": num(ordered[i])})
	}
	sorted := func(condition string, more item) []string {
		v := item{":h": num("1")}
		for name, value := range more {
			v[name] = value
		}
		out, err := s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :h" + condition), ExpressionAttributeValues: v})
		require.NoError(t, err)
		return column(t, out.Items, "sk")
	}
	require.Equal(t, ordered, sorted("", nil))
	require.Equal(t, ordered[16:], sorted(" AND sk > :x", x(2)))
	require.Equal(t, ordered[:4], sorted(" AND sk < :x", item{":x": num("-10.0")}))
	require.Equal(t, ordered[4:10], sorted(" AND sk BETWEEN :x AND :y", item{":x": num("-10"), ":y": num("0")}))
	require.Equal(t, []string{"1.5"}, sorted(" AND sk = :x", item{":x": num("15E-1")}))
	// 1 and 1.00 are one key.
	s.put(t, item{"pk": num("1.00"), "sk": num("1.50"), "a": str("replaced")})
	require.Len(t, sorted("", nil), len(ordered))
}

func testBinaryKeys(t *testing.T, suite *suite) {
	s := tableWith(t, suite, "B", "B")
	ordered := []string{"\x00", "\x00\x01", "a", "ab", "b", "\x7f", "\x80", "\xff", "\xff\xff"}
	for _, i := range []int{8, 0, 3, 2, 1, 7, 6, 5, 4} {
		s.put(t, item{"pk": bin("\x00"), "sk": bin(ordered[i])})
	}
	sorted := func(condition string, more item) []string {
		v := item{":h": bin("\x00")}
		for name, value := range more {
			v[name] = value
		}
		out, err := s.ask(t, &dynamodb.QueryInput{KeyConditionExpression: text("pk = :h" + condition), ExpressionAttributeValues: v})
		require.NoError(t, err)
		return column(t, out.Items, "sk")
	}
	require.Equal(t, ordered, sorted("", nil))
	require.Equal(t, ordered[2:4], sorted(" AND begins_with(sk, :x)", item{":x": bin("a")}))
	require.Equal(t, ordered[7:], sorted(" AND begins_with(sk, :x)", item{":x": bin("\xff")}))
	require.Equal(t, ordered[6:], sorted(" AND sk > :x", item{":x": bin("\x7f")}))
}
