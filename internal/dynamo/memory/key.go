package memory

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// Limits of key values, in bytes.
const (
	maxHashBytes  = 2048
	maxRangeBytes = 1024
)

// keyAttribute is a hash or range key of a table or index.
type keyAttribute struct {
	name string // "" for a range key that is not there
	kind attr.Type
}

// schema is the key of a table or index.
type schema struct{ hash, sort keyAttribute }

func (s schema) has(name string) bool {
	return name != "" && (name == s.hash.name || name == s.sort.name)
}

func (s schema) attributes() []keyAttribute {
	if s.sort.name == "" {
		return []keyAttribute{s.hash}
	}
	return []keyAttribute{s.hash, s.sort}
}

// key is a table's key in its ordered encoding, see [attr.SortKey].
type key struct{ hash, sort string }

// keyOf encodes the key of an item that has one.
func (s schema) keyOf(item attr.Item) key {
	k := key{hash: attr.SortKey(item[s.hash.name])}
	if s.sort.name != "" {
		k.sort = attr.SortKey(item[s.sort.name])
	}
	return k
}

// keyItem returns the key attributes of item.
func (s schema) keyItem(item attr.Item) attr.Item {
	out := attr.Item{}
	for _, a := range s.attributes() {
		out[a.name] = item[a.name]
	}
	return out
}

// checkKey checks the Key of a request: the key attributes and no others.
func (s schema) checkKey(given attr.Item) (attr.Item, error) {
	checked, err := attr.CheckedItem(given)
	if err != nil {
		return nil, err
	}
	if len(checked) != len(s.attributes()) {
		return nil, attr.Invalid("The provided key element does not match the schema: the number of conditions on the keys is invalid")
	}
	for _, a := range s.attributes() {
		if attr.TypeOf(checked[a.name]) != a.kind {
			return nil, attr.Invalid("The provided key element does not match the schema")
		}
	}
	return checked, s.checkValues(checked)
}

// checkItem checks the key attributes of a whole item.
func (s schema) checkItem(item attr.Item) error {
	for _, a := range s.attributes() {
		v, ok := item[a.name]
		if !ok {
			return attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Missing the key %s in the item", a.name))
		}
		if attr.TypeOf(v) != a.kind {
			return attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", a.name, a.kind, attr.TypeOf(v)))
		}
	}
	return s.checkValues(item)
}

func (s schema) checkValues(item attr.Item) error {
	for _, a := range s.attributes() {
		if what := emptyValue(item[a.name]); what != "" {
			return attr.Invalid(fmt.Sprintf("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", what, a.name))
		}
	}
	return s.checkSizes(item)
}

// checkSizes bounds the key values that item has; one that is absent has no
// size.
func (s schema) checkSizes(item attr.Item) error {
	if attr.Size(item[s.hash.name]) > maxHashBytes {
		return attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of %d bytes", maxHashBytes))
	}
	if s.sort.name != "" && attr.Size(item[s.sort.name]) > maxRangeBytes {
		return attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes", maxRangeBytes))
	}
	return nil
}

// emptyValue returns what kind of empty value v is, "" for a value that is not
// empty.
func emptyValue(v attr.Value) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		if v.Value == "" {
			return "string"
		}
	case *types.AttributeValueMemberB:
		if len(v.Value) == 0 {
			return "binary"
		}
	}
	return ""
}
