package expr

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo/attr"
)

// What expressions mean is tested by package conformance, on DynamoDB Local too.

func TestCacheIsBounded(t *testing.T) {
	var c cache[int]
	parsed := 0
	get := func(i int) {
		got, err := c.get(fmt.Sprint(i), func() (int, error) { parsed++; return i, nil })
		require.NoError(t, err)
		require.Equal(t, i, got)
		require.LessOrEqual(t, len(c.entries), maxCached)
	}
	for range 2 {
		for i := range maxCached {
			get(i)
		}
	}
	require.Equal(t, maxCached, parsed, "the second time nothing is parsed")
	get(maxCached)
	get(maxCached)
	require.Equal(t, maxCached+1, parsed)

	_, err := c.get("bad", func() (int, error) { return 0, attr.Invalid("bad") })
	require.Error(t, err)
	require.NotContains(t, c.entries, "bad")
}

// TestParsedExpressionsAreShared: binding one for a request leaves nothing
// behind for the next.
func TestParsedExpressionsAreShared(t *testing.T) {
	bind := func(name string) func(attr.Item) bool {
		parsed, err := ParseCondition("#a.b[0].#a = :v")
		require.NoError(t, err)
		env, err := NewEnv(map[string]string{"#a": name}, attr.Item{":v": &types.AttributeValueMemberS{Value: name}})
		require.NoError(t, err)
		holds, err := parsed.Bind(env)
		require.NoError(t, err)
		return holds
	}
	thing := func(name string) attr.Item {
		leaf := attr.Item{name: &types.AttributeValueMemberS{Value: name}}
		list := &types.AttributeValueMemberL{Value: []attr.Value{&types.AttributeValueMemberM{Value: leaf}}}
		return attr.Item{name: &types.AttributeValueMemberM{Value: attr.Item{"b": list}}}
	}
	x, y := bind("x"), bind("y")
	require.True(t, x(thing("x")))
	require.True(t, y(thing("y")))
	require.False(t, x(thing("y")))
}

// TestNoTextPanics feeds the parsers whatever looks a little like expressions.
func TestNoTextPanics(t *testing.T) {
	word := rapid.SampledFrom([]string{
		"a", "#n", ":v", "(", ")", ",", ".", "[", "]", "0", "12", "=", "<>", "<=", "+", "-", "SET", "REMOVE", "ADD", "DELETE",
		"AND", "OR", "NOT", "IN", "BETWEEN", "size", "begins_with", "if_not_exists", "list_append", "attribute_exists", "#", ":", "é", "\x00", "\"", "status",
	})
	env, err := NewEnv(map[string]string{"#n": "n"}, attr.Item{":v": &types.AttributeValueMemberN{Value: "1"}})
	require.NoError(t, err)
	item := attr.Item{"a": &types.AttributeValueMemberL{Value: []attr.Value{&types.AttributeValueMemberN{Value: "1"}}}, "n": &types.AttributeValueMemberN{Value: "2"}}
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for _, w := range rapid.SliceOfN(word, 0, 12).Draw(t, "words") {
			text += w + rapid.SampledFrom([]string{"", " "}).Draw(t, "space")
		}
		var invalid attr.Invalid
		if c, err := parseCondition(KindCondition, text); err != nil {
			require.ErrorAs(t, err, &invalid)
		} else if holds, err := c.Bind(env); err == nil {
			holds(item)
			holds(nil)
		}
		if k, err := ParseKeyCondition(text); err == nil {
			_, err = k.Bind(env)
			_ = err // either way is fine, as long as it returns
		}
		if u, err := ParseUpdate(text); err == nil {
			if b, err := u.Bind(env); err == nil {
				_, err = b.Apply(item)
				_ = err
				b.Touched(item)
			}
		}
		if p, err := ParseProjection(text); err == nil {
			if project, err := p.Bind(env); err == nil {
				project(item)
			}
		}
	})
}
