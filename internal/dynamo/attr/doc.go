// Package attr knows DynamoDB's attribute values: how they are checked, copied,
// compared, ordered and measured. It works on the SDK's own types and has no
// state.
//
// Values that have been through [Checked] are in normal form (numbers without
// leading or trailing zeros, sets sorted) and are treated as immutable from
// then on, so that a store can share them between versions of an item.
package attr

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

// Value is one attribute value, one of the SDK's AttributeValueMember types.
type Value = types.AttributeValue

// Item is an item: its attributes by name.
type Item = map[string]Value

// Type is a data type as DynamoDB abbreviates it.
type Type string

// The data types of DynamoDB.
const (
	String    Type = "S"
	Numeric   Type = "N"
	Binary    Type = "B"
	Boolean   Type = "BOOL"
	Null      Type = "NULL"
	Map       Type = "M"
	List      Type = "L"
	StringSet Type = "SS"
	NumberSet Type = "NS"
	BinarySet Type = "BS"
)

// TypeOf returns v's data type, "" for nil and for members unknown to this
// package.
func TypeOf(v Value) Type {
	switch v.(type) {
	case *types.AttributeValueMemberS:
		return String
	case *types.AttributeValueMemberN:
		return Numeric
	case *types.AttributeValueMemberB:
		return Binary
	case *types.AttributeValueMemberBOOL:
		return Boolean
	case *types.AttributeValueMemberNULL:
		return Null
	case *types.AttributeValueMemberM:
		return Map
	case *types.AttributeValueMemberL:
		return List
	case *types.AttributeValueMemberSS:
		return StringSet
	case *types.AttributeValueMemberNS:
		return NumberSet
	case *types.AttributeValueMemberBS:
		return BinarySet
	default:
		return ""
	}
}

// Invalid is input that DynamoDB refuses with a ValidationException. Its text
// is the exception's message.
type Invalid string

func (e Invalid) Error() string { return string(e) }
