package attr

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// numbers draws the text of a number of up to 12 digits around the point.
func numbers() *rapid.Generator[string] {
	return rapid.StringMatching(`-?[0-9]{0,6}[0-9](\.[0-9]{1,6})?(e-?[0-9])?`)
}

func rational(t *rapid.T, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	require.True(t, ok, text)
	return r
}

func parse(t *rapid.T, text string) Number {
	n, err := ParseNumber(text)
	require.NoError(t, err, text)
	return n
}

// TestNumbersAreExact checks reading, writing, order and arithmetic against
// math/big.
func TestNumbersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		textA, textB := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		a, b := parse(t, textA), parse(t, textB)
		ratA, ratB := rational(t, textA), rational(t, textB)
		require.Zero(t, rational(t, a.String()).Cmp(ratA), "%s is written %s", textA, a)
		require.Equal(t, a, parse(t, a.String()), "the normal form is stable")
		require.Equal(t, ratA.Cmp(ratB), a.Compare(b), "%s and %s", textA, textB)
		sum, err := a.Add(b)
		require.NoError(t, err)
		require.Zero(t, rational(t, sum.String()).Cmp(new(big.Rat).Add(ratA, ratB)))
		difference, err := a.Sub(b)
		require.NoError(t, err)
		require.Zero(t, rational(t, difference.String()).Cmp(new(big.Rat).Sub(ratA, ratB)))
		require.Equal(t, a.Compare(b), strings.Compare(SortKey(OfNumber(a)), SortKey(OfNumber(b))))
	})
}

func TestNumberLimits(t *testing.T) {
	for text, want := range map[string]error{
		"1e125": nil, "9.9e125": nil, "1e126": errOverflow, "-1e126": errOverflow, "1e-130": nil, "1e-131": errUnderflow,
		"1e99999999999999999999": errOverflow, "1e-99999999999999999999": errUnderflow,
		strings.Repeat("1", 38): nil, strings.Repeat("1", 39): errPrecision, strings.Repeat("1", 38) + "000": nil,
		"0." + strings.Repeat("0", 2000) + "1": errPrecision,
	} {
		_, err := ParseNumber(text)
		require.ErrorIs(t, err, want, text)
	}
	for _, text := range []string{"", "-", "+", ".", "e1", "1e", "1e+", "1 ", "0x1", "Inf", "NaN", "1_000", "--1", "1.2.3", "١"} {
		_, err := ParseNumber(text)
		require.ErrorContains(t, err, "The parameter cannot be converted to a numeric value", text)
	}
	one, err := ParseNumber("1e125")
	require.NoError(t, err)
	_, err = one.Add(Number{digits: "1", exponent: 1})
	require.ErrorIs(t, err, errPrecision)
	nine, err := ParseNumber("9e125")
	require.NoError(t, err)
	_, err = nine.Add(one)
	require.ErrorIs(t, err, errOverflow)
	require.Equal(t, "1800000000", SecondsOf(time.Unix(1_800_000_000, 999)).String())
	require.Equal(t, "-5", SecondsOf(time.Unix(-5, 0)).String())
}

func TestSets(t *testing.T) {
	set := func(members ...string) Value { return &types.AttributeValueMemberNS{Value: members} }
	require.Equal(t, set("-1", "1", "2", "10"), Union(set("1", "10"), set("-1", "1", "2")))
	require.Equal(t, set("10"), Difference(set("1", "10"), set("-1", "1", "2")))
	require.Nil(t, Difference(set("1"), set("1", "2")))
	require.Equal(t, set("1"), Difference(set("1"), &types.AttributeValueMemberSS{Value: []string{"1"}}))
}

// TestEqualNeedsOneType: no two samples of different types are equal, and each
// equals its copy.
func TestEqualNeedsOneType(t *testing.T) {
	samples := []Value{
		&types.AttributeValueMemberS{Value: "1"}, &types.AttributeValueMemberN{Value: "1"}, &types.AttributeValueMemberB{Value: []byte("1")},
		&types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberNULL{Value: true},
		&types.AttributeValueMemberM{Value: Item{"a": &types.AttributeValueMemberS{Value: "1"}}},
		&types.AttributeValueMemberL{Value: []Value{&types.AttributeValueMemberS{Value: "1"}}},
		&types.AttributeValueMemberSS{Value: []string{"1"}}, &types.AttributeValueMemberNS{Value: []string{"1"}}, &types.AttributeValueMemberBS{Value: [][]byte{[]byte("1")}},
	}
	seen := map[Type]bool{}
	for i, a := range samples {
		require.False(t, seen[TypeOf(a)])
		seen[TypeOf(a)] = true
		for j, b := range samples {
			require.Equal(t, i == j, Equal(a, Copy(b)), "%T and %T", a, b)
		}
	}
	require.Empty(t, TypeOf(nil))
	require.False(t, Equal(nil, samples[0]))
}
