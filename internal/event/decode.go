package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

func decodeDetail(env envelope, into any) error {
	if len(env.Detail) == 0 || string(env.Detail) == "null" {
		return invalid(ReasonMissingDetail, "the event has no detail")
	}
	return decode(env.Detail, into)
}

// decode reads a JSON object and names the field that has the wrong type.
func decode(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	if err == nil {
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return wrongTypeError(wrongType.Field, fmt.Sprintf("%s, allowed is %s", wrongType.Value, jsonType(wrongType.Type)))
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return invalid(ReasonNotJSON, syntax.Error())
	}
	return wrongTypeError(fieldWithError(raw, into), err.Error())
}

// jsonType names what JSON a Go type is read from.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "an object"
	}
}

func wrongTypeError(field, message string) error {
	if field == "" {
		field = "detail"
	}
	return invalid(ReasonWrongType+field, field+": "+message)
}

// fieldWithError finds the top-level field that cannot be decoded. Types that
// decode themselves, such as time.Time, do not say where they failed.
func fieldWithError(raw []byte, into any) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return ""
	}
	target := reflect.TypeOf(into).Elem()
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Field(i).Tag.Get("json"), ",")
		value, ok := fields[name]
		if ok && json.Unmarshal(value, reflect.New(target.Field(i).Type).Interface()) != nil {
			return name
		}
	}
	return ""
}

// shorten keeps an error message readable whatever an event holds.
func shorten(text string) string {
	const maxLength = 200
	if len(text) <= maxLength {
		return text
	}
	return strings.ToValidUTF8(text[:maxLength], "") + "..."
}
