package attr

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxDepth is how deep DynamoDB lets values be nested.
const maxDepth = 32

const (
	errEmptyName  = Invalid("One or more parameter values were invalid: Empty attribute name")
	errEmptyValue = Invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	errNullFalse  = Invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
	errNesting    = Invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
)

// Checked returns a deep copy of v in normal form. Errors are [Invalid], in
// DynamoDB's words.
func Checked(v Value) (Value, error) { return checked(v, 1) }

// CheckedItem is [Checked] for each attribute of an item or key.
func CheckedItem(item Item) (Item, error) { return checkedItem(item, 1) }

func checkedItem(item Item, depth int) (Item, error) {
	out := make(Item, len(item))
	// Items are maps: go through them in order, so that of two faults the same
	// one is reported every time.
	for _, name := range sortedNames(item) {
		if name == "" {
			return nil, errEmptyName
		}
		v, err := checked(item[name], depth)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

func sortedNames(item Item) []string {
	names := make([]string, 0, len(item))
	for name := range item {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func checked(v Value, depth int) (Value, error) {
	if depth > maxDepth {
		return nil, errNesting
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return &types.AttributeValueMemberS{Value: v.Value}, nil
	case *types.AttributeValueMemberN:
		n, err := ParseNumber(v.Value)
		if err != nil {
			return nil, err
		}
		return &types.AttributeValueMemberN{Value: n.String()}, nil
	case *types.AttributeValueMemberB:
		return &types.AttributeValueMemberB{Value: append([]byte{}, v.Value...)}, nil
	case *types.AttributeValueMemberBOOL:
		return &types.AttributeValueMemberBOOL{Value: v.Value}, nil
	case *types.AttributeValueMemberNULL:
		if !v.Value {
			return nil, errNullFalse
		}
		return &types.AttributeValueMemberNULL{Value: true}, nil
	case *types.AttributeValueMemberM:
		return checkedMap(v, depth)
	case *types.AttributeValueMemberL:
		return checkedList(v, depth)
	case *types.AttributeValueMemberSS:
		return checkedStrings(v.Value)
	case *types.AttributeValueMemberNS:
		return checkedNumbers(v.Value)
	case *types.AttributeValueMemberBS:
		return checkedBinaries(v.Value)
	default:
		return nil, errEmptyValue
	}
}

func checkedMap(m *types.AttributeValueMemberM, depth int) (Value, error) {
	out, err := checkedItem(m.Value, depth+1)
	if err != nil {
		return nil, err
	}
	return &types.AttributeValueMemberM{Value: out}, nil
}

func checkedList(l *types.AttributeValueMemberL, depth int) (Value, error) {
	out := make([]Value, len(l.Value))
	for i, element := range l.Value {
		v, err := checked(element, depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return &types.AttributeValueMemberL{Value: out}, nil
}

func checkedStrings(values []string) (Value, error) {
	if len(values) == 0 {
		return nil, Invalid("One or more parameter values were invalid: An string set  may not be empty")
	}
	out := slices.Sorted(slices.Values(values))
	if len(slices.Compact(slices.Clone(out))) != len(out) {
		return nil, Invalid(fmt.Sprintf("One or more parameter values were invalid: Input collection [%s] contains duplicates.",
			strings.Join(values, ", ")))
	}
	return &types.AttributeValueMemberSS{Value: out}, nil
}

func checkedNumbers(values []string) (Value, error) {
	if len(values) == 0 {
		return nil, Invalid("One or more parameter values were invalid: An number set  may not be empty")
	}
	numbers := make([]Number, len(values))
	for i, text := range values {
		n, err := ParseNumber(text)
		if err != nil {
			return nil, err
		}
		numbers[i] = n
	}
	slices.SortFunc(numbers, Number.Compare)
	out := make([]string, len(numbers))
	for i, n := range numbers {
		if i > 0 && n == numbers[i-1] {
			return nil, Invalid("Input collection contains duplicates")
		}
		out[i] = n.String()
	}
	return &types.AttributeValueMemberNS{Value: out}, nil
}

func checkedBinaries(values [][]byte) (Value, error) {
	if len(values) == 0 {
		return nil, Invalid("One or more parameter values were invalid: Binary sets should not be empty")
	}
	out := make([][]byte, len(values))
	for i, b := range values {
		out[i] = append([]byte{}, b...)
	}
	slices.SortFunc(out, bytes.Compare)
	for i := 1; i < len(out); i++ {
		if bytes.Equal(out[i], out[i-1]) {
			return nil, Invalid("Input collection contains duplicates")
		}
	}
	return &types.AttributeValueMemberBS{Value: out}, nil
}

// TooDeep reports whether an item built out of checked values nests deeper
// than DynamoDB allows: an update can put a legal value at a path so deep that
// the item is not legal any more. The error is [Invalid].
func TooDeep(item Item) error {
	for _, v := range item {
		if deeperThan(v, maxDepth) {
			return errNesting
		}
	}
	return nil
}

func deeperThan(v Value, levels int) bool {
	if levels == 0 {
		return true
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		for _, element := range v.Value {
			if deeperThan(element, levels-1) {
				return true
			}
		}
	case *types.AttributeValueMemberL:
		for _, element := range v.Value {
			if deeperThan(element, levels-1) {
				return true
			}
		}
	}
	return false
}
