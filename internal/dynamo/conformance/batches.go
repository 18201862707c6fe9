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

func putRequest(i item) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: i}}
}

func deleteRequest(key item) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
}

func (s *suite) writeBatch(t *testing.T, requests map[string][]types.WriteRequest) error {
	t.Helper()
	out, err := s.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: requests})
	if err == nil {
		require.NotNil(t, out.UnprocessedItems)
		require.Empty(t, out.UnprocessedItems)
	}
	return err
}

func testBatches(t *testing.T, s *suite) {
	other := tableWith(t, s, "S", "S")
	s.put(t, keyed("old"))
	require.NoError(t, s.writeBatch(t, map[string][]types.WriteRequest{
		s.table:     {putRequest(sample("a")), deleteRequest(keyed("old")), deleteRequest(keyed("absent"))},
		other.table: {putRequest(keyed("a", item{"other": boolean(true)}))},
	}))
	same(t, sample("a"), s.get(t, "a"))
	require.Nil(t, s.get(t, "old"))
	same(t, keyed("a", item{"other": boolean(true)}), other.get(t, "a"))

	out, err := s.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		s.table:     {Keys: []item{keyed("a"), keyed("absent")}, ProjectionExpression: text("#s, m.k"), ExpressionAttributeNames: map[string]string{"#s": "sk"}},
		other.table: {Keys: []item{keyed("a")}, ConsistentRead: aws.Bool(true)},
	}})
	require.NoError(t, err)
	require.NotNil(t, out.UnprocessedKeys)
	require.Empty(t, out.UnprocessedKeys)
	sameItems(t, []item{{"sk": str("a"), "m": mapOf(item{"k": str("v")})}}, out.Responses[s.table])
	sameItems(t, []item{keyed("a", item{"other": boolean(true)})}, out.Responses[other.table])

	// An answer holds 16 MB; what is left has to be asked for again.
	keys := make([]item, 50)
	for i := range keys {
		keys[i] = keyed(fmt.Sprintf("big%02d", i))
		s.put(t, keyed(fmt.Sprintf("big%02d", i), item{"v": str(strings.Repeat("v", 400_000))}))
	}
	seen := map[string]bool{}
	left := map[string]types.KeysAndAttributes{s.table: {Keys: keys}}
	calls := 0
	for ; len(left) > 0 && calls < 5; calls++ {
		out, err := s.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: left})
		require.NoError(t, err)
		for _, sk := range column(t, out.Responses[s.table], "sk") {
			require.False(t, seen[sk], sk)
			seen[sk] = true
		}
		left = out.UnprocessedKeys
	}
	require.Len(t, seen, 50)
	require.Equal(t, 2, calls)
}

func testBatchErrors(t *testing.T, s *suite) {
	puts := func(n int) []types.WriteRequest {
		out := make([]types.WriteRequest, n)
		for i := range out {
			out[i] = putRequest(keyed(fmt.Sprintf("s%d", i)))
		}
		return out
	}
	for name, c := range map[string]struct {
		requests map[string][]types.WriteRequest
		want     string
	}{
		"none":             {map[string][]types.WriteRequest{}, "BatchWriteItem"},
		"none for a table": {map[string][]types.WriteRequest{s.table: {}}, "null or empty"},
		"26":               {map[string][]types.WriteRequest{s.table: puts(26)}, "Too many items requested for the BatchWriteItem call"},
		"one item twice":   {map[string][]types.WriteRequest{s.table: {putRequest(keyed("a")), deleteRequest(keyed("a"))}}, "Provided list of item keys contains duplicates"},
		"no request":       {map[string][]types.WriteRequest{s.table: {{}}}, ""},
		"bad key":          {map[string][]types.WriteRequest{s.table: {putRequest(keyed("a")), deleteRequest(item{"pk": str("a")})}}, "number of conditions on the keys is invalid"},
		"bad item":         {map[string][]types.WriteRequest{s.table: {putRequest(keyed("a")), putRequest(item{"pk": str("a")})}}, ""},
		"bad index key":    {map[string][]types.WriteRequest{s.table: {putRequest(keyed("a")), putRequest(keyed("b", item{"g": num("1")}))}}, "Type mismatch for Index Key"},
		"too large":        {map[string][]types.WriteRequest{s.table: {putRequest(keyed("a", item{"v": str(strings.Repeat("v", 420_000))}))}}, "Item size has exceeded the maximum allowed size"},
	} {
		invalid(t, s.writeBatch(t, c.requests), c.want, name)
	}
	require.Nil(t, s.get(t, "a"), "a refused batch wrote something")
	require.NoError(t, s.writeBatch(t, map[string][]types.WriteRequest{s.table: puts(25)}))

	var notFound *types.ResourceNotFoundException
	require.ErrorAs(t, s.writeBatch(t, map[string][]types.WriteRequest{"no-such-table": puts(1)}), &notFound)

	get := func(keys ...item) error {
		_, err := s.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{s.table: {Keys: keys}}})
		return err
	}
	hundred := make([]item, 101)
	for i := range hundred {
		hundred[i] = keyed(fmt.Sprintf("s%d", i))
	}
	invalid(t, get(hundred...), "Too many items requested for the BatchGetItem call")
	require.NoError(t, get(hundred[:100]...))
	invalid(t, get(keyed("a"), keyed("b"), keyed("a")), "Provided list of item keys contains duplicates")
	invalid(t, get(item{"pk": str("p")}), "number of conditions on the keys is invalid")
	invalid(t, get(slices.Clone(hundred[:0])...), "")
	_, err := s.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{}})
	invalid(t, err, "BatchGetItem")
	_, err = s.db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"no-such-table": {Keys: hundred[:1]}}})
	require.ErrorAs(t, err, &notFound)
}
