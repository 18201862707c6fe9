package attr

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Union returns the set of a's and b's members, in normal form. Both must be
// sets of one type in normal form; else it returns a.
func Union(a, b Value) Value {
	return combine(a, b, func(bool, bool) bool { return true })
}

// Difference returns the set of a's members that are not in b, nil when none is
// left: DynamoDB has no empty sets. It takes what [Union] takes.
func Difference(a, b Value) Value {
	return combine(a, b, func(inA, inB bool) bool { return inA && !inB })
}

// combine keeps the members of either set that keep says.
func combine(a, b Value, keep func(inA, inB bool) bool) Value {
	switch a := a.(type) {
	case *types.AttributeValueMemberSS:
		if b, ok := b.(*types.AttributeValueMemberSS); ok {
			if out := merge(a.Value, b.Value, strings.Compare, keep); len(out) > 0 {
				return &types.AttributeValueMemberSS{Value: out}
			}
			return nil
		}
	case *types.AttributeValueMemberNS:
		if b, ok := b.(*types.AttributeValueMemberNS); ok {
			numeric := func(x, y string) int { return mustNumber(x).Compare(mustNumber(y)) }
			if out := merge(a.Value, b.Value, numeric, keep); len(out) > 0 {
				return &types.AttributeValueMemberNS{Value: out}
			}
			return nil
		}
	case *types.AttributeValueMemberBS:
		if b, ok := b.(*types.AttributeValueMemberBS); ok {
			if out := merge(a.Value, b.Value, bytes.Compare, keep); len(out) > 0 {
				return &types.AttributeValueMemberBS{Value: out}
			}
			return nil
		}
	}
	return a
}

func merge[T any](a, b []T, compare func(T, T) int, keep func(inA, inB bool) bool) []T {
	var out []T
	for _, member := range a {
		_, inB := slices.BinarySearchFunc(b, member, compare)
		if keep(true, inB) {
			out = append(out, member)
		}
	}
	for _, member := range b {
		if _, inA := slices.BinarySearchFunc(a, member, compare); !inA && keep(false, true) {
			out = append(out, member)
		}
	}
	slices.SortFunc(out, compare)
	return out
}
