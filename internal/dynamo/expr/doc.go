// Package expr reads and evaluates DynamoDB's expressions: conditions and
// filters, key conditions, updates and projections.
//
// Work is split in two. Parsing depends on the text alone (syntax, reserved
// words, function names), so its result is cached by text. Binding adds a
// request's names and values and finds everything else that DynamoDB refuses
// before it looks at an item: placeholders without a definition, operands of a
// wrong type, paths that overlap. What is bound evaluates against an item;
// conditions then cannot fail, updates only for what the item holds.
//
// Every error is an [attr.Invalid] with DynamoDB's message.
package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/blox/blox/internal/dynamo/attr"
)

// Kind is the request parameter that an expression comes from, as error
// messages name it.
type Kind string

// The expressions of DynamoDB's requests.
const (
	KindCondition    Kind = "ConditionExpression"
	KindFilter       Kind = "FilterExpression"
	KindKeyCondition Kind = "KeyConditionExpression"
	KindUpdate       Kind = "UpdateExpression"
	KindProjection   Kind = "ProjectionExpression"
)

func (k Kind) invalid(format string, args ...any) error {
	return attr.Invalid("Invalid " + string(k) + ": " + fmt.Sprintf(format, args...))
}

// Env is what a request says its placeholders mean. All expressions of a
// request share one.
type Env struct {
	names  map[string]string
	values map[string]attr.Value
}

// maxNameBytes is the longest attribute name DynamoDB takes.
const maxNameBytes = 65535

// NewEnv checks a request's ExpressionAttributeNames and
// ExpressionAttributeValues. A nil map is one that the request does not have;
// an empty one is refused, as in DynamoDB.
func NewEnv(names map[string]string, values map[string]attr.Value) (Env, error) {
	if names != nil && len(names) == 0 {
		return Env{}, attr.Invalid("ExpressionAttributeNames must not be empty")
	}
	if values != nil && len(values) == 0 {
		return Env{}, attr.Invalid("ExpressionAttributeValues must not be empty")
	}
	env := Env{names: names, values: make(map[string]attr.Value, len(values))}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		switch {
		case !isPlaceholder(key, '#'):
			return Env{}, attr.Invalid(fmt.Sprintf("ExpressionAttributeNames contains invalid key: Syntax error; key: %q", key))
		case names[key] == "":
			return Env{}, attr.Invalid("ExpressionAttributeNames contains invalid value: Empty attribute name for key " + key)
		case len(names[key]) > maxNameBytes:
			return Env{}, attr.Invalid("ExpressionAttributeNames contains invalid value: Attribute name is too large, must be less than 65536 bytes for key " + key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !isPlaceholder(key, ':') {
			return Env{}, attr.Invalid(fmt.Sprintf("ExpressionAttributeValues contains invalid key: Syntax error; key: %q", key))
		}
		value, err := attr.Checked(values[key])
		if err != nil {
			return Env{}, attr.Invalid(fmt.Sprintf("ExpressionAttributeValues contains invalid value: %v for key %s", err, key))
		}
		env.values[key] = value
	}
	return env, nil
}

func isPlaceholder(key string, mark byte) bool {
	if len(key) < 2 || key[0] != mark {
		return false
	}
	for i := 1; i < len(key); i++ {
		if !isWord(key[i]) {
			return false
		}
	}
	return true
}

// Placeholders are the #names and :values that an expression uses.
type Placeholders struct {
	names  []string
	values []string
}

// CheckUnused refuses placeholders that the request defines and none of its
// expressions uses.
func (e Env) CheckUnused(used ...Placeholders) error {
	unused := func(defined []string, list func(Placeholders) []string) []string {
		return slices.DeleteFunc(defined, func(key string) bool {
			return slices.ContainsFunc(used, func(p Placeholders) bool {
				return slices.Contains(list(p), key)
			})
		})
	}
	names := unused(slices.Sorted(maps.Keys(e.names)), func(p Placeholders) []string { return p.names })
	if len(names) > 0 {
		return attr.Invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {" + strings.Join(names, ", ") + "}")
	}
	values := unused(slices.Sorted(maps.Keys(e.values)), func(p Placeholders) []string { return p.values })
	if len(values) > 0 {
		return attr.Invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {" + strings.Join(values, ", ") + "}")
	}
	return nil
}
