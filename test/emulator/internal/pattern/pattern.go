// Package pattern matches JSON documents against event patterns, the language in which the filters of an event source
// mapping are written. It knows the operators that Blox's stack uses and refuses all others: a pattern that it would
// read wrongly must not pass for one that matched.
package pattern

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Match says whether the document satisfies the pattern; both are JSON objects. In an object of the pattern every field
// must match, in a list one of the values. The error is for a pattern that cannot be read, whatever the document.
func Match(pattern, document []byte) (bool, error) {
	var want map[string]any
	if err := json.Unmarshal(pattern, &want); err != nil {
		return false, fmt.Errorf("the pattern is no JSON object: %w", err)
	}
	var have any
	if err := json.Unmarshal(document, &have); err != nil {
		return false, fmt.Errorf("the document is no JSON: %w", err)
	}
	return object(want, have)
}

func object(want map[string]any, have any) (bool, error) {
	fields, _ := have.(map[string]any)
	matched := true
	for name, w := range want { // every field is looked at, so that an error does not depend on the order
		value, present := fields[name]
		var ok bool
		var err error
		switch w := w.(type) {
		case map[string]any:
			ok, err = object(w, value)
		case []any:
			ok, err = anyOf(w, value, present)
		default:
			err = fmt.Errorf("field %q of the pattern is neither an object nor a list", name)
		}
		if err != nil {
			return false, err
		}
		matched = matched && ok
	}
	return matched, nil
}

func anyOf(alternatives []any, value any, present bool) (bool, error) {
	matched := false
	for _, alternative := range alternatives {
		ok := present && reflect.DeepEqual(alternative, value)
		if test, is := alternative.(map[string]any); is {
			var err error
			if ok, err = operator(test, value, present); err != nil {
				return false, err
			}
		}
		matched = matched || ok
	}
	return matched, nil
}

func operator(test map[string]any, value any, present bool) (bool, error) {
	if len(test) != 1 {
		return false, fmt.Errorf("a test of the pattern has %d operators: allowed is one", len(test))
	}
	text, isText := value.(string)
	for name, argument := range test {
		switch a := argument.(type) {
		case string:
			switch name {
			case "prefix":
				return present && isText && strings.HasPrefix(text, a), nil
			case "suffix":
				return present && isText && strings.HasSuffix(text, a), nil
			case "anything-but":
				return present && value != any(a), nil
			}
		case bool:
			if name == "exists" {
				return present == a, nil
			}
		case []any:
			if name == "anything-but" {
				among, err := anyOf(a, value, present)
				return present && !among, err
			}
		case map[string]any:
			if name == "anything-but" {
				is, err := operator(a, value, present)
				return present && !is, err
			}
		}
		return false, fmt.Errorf("the pattern's operator %q with %v is not known here: known are prefix, suffix, exists and anything-but", name, argument)
	}
	return false, nil
}
