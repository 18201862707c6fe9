package state

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SameContent says whether two details say the same. The forms differ where the
// meaning does not, and a difference costs a write of the whole record:
//
//   - null, an empty list and an absent field are the same;
//   - lists are compared without their order: Describe gives attributes and
//     ports in any;
//   - times are compared by the millisecond, for events write them as text with
//     a varying number of digits and the API as a number of that precision;
//   - 1 and 1.0 are the same number;
//   - when a health check ran last is left out: it moves with every check, though
//     the health stays as it is.
//
// Details that are not JSON are the same if their bytes are.
func SameContent(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	left, ok := canonical(a)
	if !ok {
		return false
	}
	right, ok := canonical(b)
	return ok && left == right
}

// canonical writes a JSON value so that equal content has equal text.
func canonical(raw json.RawMessage) (string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", false
	}
	return canonicalValue("", value), true
}

// canonicalValue is empty for what counts as absent.
func canonicalValue(name string, value any) string {
	switch value := value.(type) {
	case map[string]any:
		return canonicalObject(value)
	case []any:
		return canonicalList(value)
	case string:
		return canonicalString(name, value)
	case json.Number:
		return canonicalNumber(value)
	case bool:
		return strconv.FormatBool(value)
	default:
		return ""
	}
}

func canonicalObject(fields map[string]any) string {
	members := make([]string, 0, len(fields))
	for name, value := range fields {
		if name == "lastUpdated" {
			continue
		}
		if text := canonicalValue(name, value); text != "" {
			members = append(members, strconv.Quote(name)+":"+text)
		}
	}
	if len(members) == 0 {
		return ""
	}
	slices.Sort(members)
	return "{" + strings.Join(members, ",") + "}"
}

func canonicalList(elements []any) string {
	if len(elements) == 0 {
		return ""
	}
	texts := make([]string, len(elements))
	for i, element := range elements {
		texts[i] = canonicalValue("", element)
	}
	slices.Sort(texts)
	return "[" + strings.Join(texts, ",") + "]"
}

// canonicalString normalizes times, which stand in fields whose names end in At
// and in lastStatusChange; a text elsewhere that looks like a time is only a text.
func canonicalString(name, text string) string {
	if strings.HasSuffix(name, "At") || name == "lastStatusChange" {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return "@" + strconv.FormatInt(at.UnixMilli(), 10)
		}
	}
	return strconv.Quote(text)
}

func canonicalNumber(number json.Number) string {
	if whole, err := number.Int64(); err == nil {
		return strconv.FormatInt(whole, 10)
	}
	fraction, err := number.Float64()
	if err != nil {
		return number.String()
	}
	return strconv.FormatFloat(fraction, 'f', -1, 64)
}
