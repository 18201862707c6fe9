package attr

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Equal reports whether two values in normal form are the same: same type,
// same content.
func Equal(a, b Value) bool {
	if a == b {
		return true // the same pointer: values are immutable
	}
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		return ok && EqualItem(a.Value, b.Value)
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(a.Value, b.Value, Equal)
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && slices.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberNS:
		b, ok := b.(*types.AttributeValueMemberNS)
		return ok && slices.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberBS:
		b, ok := b.(*types.AttributeValueMemberBS)
		return ok && slices.EqualFunc(a.Value, b.Value, bytes.Equal)
	default:
		return false
	}
}

// EqualItem reports whether two items in normal form have the same attributes.
func EqualItem(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		other, ok := b[name]
		if !ok || !Equal(v, other) {
			return false
		}
	}
	return true
}

// Compare orders two strings, two numbers or two binaries in normal form. ok
// is false for other types and for two different ones: DynamoDB has no order
// for them.
func Compare(a, b Value) (order int, ok bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, same := b.(*types.AttributeValueMemberS); same {
			return strings.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberB:
		if b, same := b.(*types.AttributeValueMemberB); same {
			return bytes.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, same := b.(*types.AttributeValueMemberN); same {
			return mustNumber(a.Value).Compare(mustNumber(b.Value)), true
		}
	}
	return 0, false
}

// mustNumber reads a number that Checked has written. Anything else counts as
// 0, as it cannot happen.
func mustNumber(text string) Number {
	n, err := ParseNumber(text)
	if err != nil {
		return Number{}
	}
	return n
}

// NumberOf returns the number in v, ok false when v is no number.
func NumberOf(v Value) (n Number, ok bool) {
	if v, is := v.(*types.AttributeValueMemberN); is {
		return mustNumber(v.Value), true
	}
	return Number{}, false
}

// OfNumber returns n as a value.
func OfNumber(n Number) Value { return &types.AttributeValueMemberN{Value: n.String()} }

// SortKey encodes a key value (string, number or binary in normal form) so
// that values of one type are in the order of their encodings as bytes.
func SortKey(v Value) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberB:
		return string(v.Value)
	case *types.AttributeValueMemberN:
		return mustNumber(v.Value).sortKey()
	default:
		return ""
	}
}
