package attr

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

// What DynamoDB adds to the content of a list or map: three bytes for the
// container, one for each element.
const (
	containerSizeBytes = 3
	elementSizeBytes   = 1
)

// Size returns the bytes v counts for in an item's size.
func Size(v Value) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return mustNumber(v.Value).size()
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return 1
	case *types.AttributeValueMemberM:
		return containerSizeBytes + elementSizeBytes*len(v.Value) + ItemSize(v.Value)
	case *types.AttributeValueMemberL:
		size := containerSizeBytes + elementSizeBytes*len(v.Value)
		for _, element := range v.Value {
			size += Size(element)
		}
		return size
	case *types.AttributeValueMemberSS:
		size := 0
		for _, s := range v.Value {
			size += len(s)
		}
		return size
	case *types.AttributeValueMemberNS:
		size := 0
		for _, n := range v.Value {
			size += mustNumber(n).size()
		}
		return size
	case *types.AttributeValueMemberBS:
		size := 0
		for _, b := range v.Value {
			size += len(b)
		}
		return size
	default:
		return 0
	}
}

// ItemSize returns the bytes of an item as DynamoDB counts them for its 400 KB
// limit and for capacity: the names and the values.
func ItemSize(item Item) int {
	size := 0
	for name, v := range item {
		size += len(name) + Size(v)
	}
	return size
}
