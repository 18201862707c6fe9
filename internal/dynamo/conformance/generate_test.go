package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"
)

// The generators draw from few keys, attributes and values, so that requests
// meet items, types match often enough, and mistakes happen now and then.

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

func pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

func scalar(t *rapid.T) types.AttributeValue {
	switch pick(t, "type", "S", "S", "N", "N", "B", "BOOL", "NULL") {
	case "S":
		return str(pick(t, "string", "", "a", "b", "ab", "abc"))
	case "N":
		return num(pick(t, "number", -1, 0, 1, 2, 3, 12))
	case "B":
		return &types.AttributeValueMemberB{Value: []byte(pick(t, "binary", "", "a", "ab"))}
	case "BOOL":
		return &types.AttributeValueMemberBOOL{Value: pick(t, "bool", true, false)}
	default:
		return &types.AttributeValueMemberNULL{Value: true}
	}
}

func value(t *rapid.T) types.AttributeValue {
	switch pick(t, "shape", "scalar", "scalar", "scalar", "SS", "NS", "L", "M") {
	case "SS":
		return &types.AttributeValueMemberSS{Value: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3, rapid.ID[string]).Draw(t, "strings")}
	case "NS":
		return &types.AttributeValueMemberNS{Value: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"1", "2", "12"}), 1, 3, rapid.ID[string]).Draw(t, "numbers")}
	case "L":
		list := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list.Value = append(list.Value, scalar(t))
		}
		return list
	case "M":
		m := &types.AttributeValueMemberM{Value: item{}}
		for range rapid.IntRange(0, 2).Draw(t, "entries") {
			m.Value[pick(t, "entry", "a", "b")] = scalar(t)
		}
		return m
	default:
		return scalar(t)
	}
}

// attributes that items have beside keys; those of the indexes are g and h.
var attributes = []string{"a", "b", "c", "l", "m", "n", "ss"}

func attributeValue(t *rapid.T, name string) types.AttributeValue {
	if pick(t, "any type", false, false, false, true) {
		return value(t)
	}
	switch name {
	case "n":
		return num(rapid.IntRange(0, 3).Draw(t, "n"))
	case "l":
		return &types.AttributeValueMemberL{Value: []types.AttributeValue{scalar(t), scalar(t)}}
	case "m":
		return &types.AttributeValueMemberM{Value: item{"a": scalar(t), "b": &types.AttributeValueMemberM{Value: item{"a": num(1)}}}}
	case "ss":
		return &types.AttributeValueMemberSS{Value: []string{"a", pick(t, "member", "b", "c")}}
	default:
		return scalar(t)
	}
}

// path is a document path, or a #placeholder for one.
func path(t *rapid.T, e *expression) string {
	p := pick(t, "path", "a", "b", "c", "l", "m", "n", "ss", "l[0]", "l[1]", "l[3]", "m.a", "m.b", "m.b.a", "m.c", "a.b", "l[0].a", "g", "h")
	if pick(t, "as a placeholder", false, false, true) {
		first, rest, dotted := strings.Cut(p, ".")
		if !dotted && !strings.Contains(p, "[") {
			e.names["#"+first] = first
			return "#" + first
		}
		if dotted && !strings.Contains(p, "[") && rest == "a" {
			e.names["#x"] = first
			e.names["#y"] = rest
			return "#x.#y"
		}
	}
	return p
}

// expression gathers the placeholders that its text uses.
type expression struct {
	names  map[string]string
	values item
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: item{}}
}

func (e *expression) ref(v types.AttributeValue) string {
	name := fmt.Sprintf(":v%d", len(e.values))
	e.values[name] = v
	return name
}

// given returns the maps for a request; empty ones are left out.
func (e *expression) given() (map[string]string, item) {
	names, values := e.names, e.values
	if len(names) == 0 {
		names = nil
	}
	if len(values) == 0 {
		values = nil
	}
	return names, values
}

func (e *expression) operand(t *rapid.T) string {
	switch pick(t, "operand", "path", "path", "value", "size") {
	case "path":
		return path(t, e)
	case "size":
		return "size(" + path(t, e) + ")"
	default:
		return e.ref(scalar(t))
	}
}

func (e *expression) condition(t *rapid.T, depth int) string {
	if depth > 0 {
		switch pick(t, "logic", "", "", "AND", "OR", "NOT") {
		case "AND":
			return e.condition(t, depth-1) + " AND " + e.condition(t, depth-1)
		case "OR":
			return "(" + e.condition(t, 0) + " OR " + e.condition(t, depth-1) + ") AND NOT " + e.condition(t, 0)
		case "NOT":
			return "NOT " + e.condition(t, depth-1)
		}
	}
	switch pick(t, "condition", "compare", "compare", "compare", "between", "in", "exists", "not exists", "type", "begins", "contains") {
	case "compare":
		return e.operand(t) + " " + pick(t, "comparator", "=", "<>", "<", "<=", ">", ">=") + " " + e.operand(t)
	case "between":
		return e.operand(t) + " BETWEEN " + e.operand(t) + " AND " + e.operand(t)
	case "in":
		return e.operand(t) + " IN (" + e.operand(t) + ", " + e.ref(value(t)) + ")"
	case "exists":
		return "attribute_exists(" + path(t, e) + ")"
	case "not exists":
		return "attribute_not_exists(" + path(t, e) + ")"
	case "type":
		return "attribute_type(" + path(t, e) + ", " + e.ref(str(pick(t, "type name", "S", "N", "L", "M", "SS", "NULL", "BOOL"))) + ")"
	case "begins":
		return "begins_with(" + path(t, e) + ", " + e.ref(str(pick(t, "prefix", "", "a", "ab"))) + ")"
	default:
		return "contains(" + path(t, e) + ", " + e.ref(scalar(t)) + ")"
	}
}

// update is an update of one to four attributes. Every item gets run, the hash
// key of the indexes, and their range keys get values of their own type only:
// where an item has one of the two keys, DynamoDB Local neither checks its type
// nor counts its units right.
func (e *expression) update(t *rapid.T, run types.AttributeValue) string {
	target := func() string {
		return pick(t, "target", "a", "b", "c", "n", "l", "m", "ss", "l[0]", "l[1]", "l[4]", "m.a", "m.c", "m.b.a", "n", "ss", "c.d")
	}
	sections := map[string][]string{"SET": {"run = " + e.ref(run)}}
	for range rapid.IntRange(1, 4).Draw(t, "actions") {
		switch section := pick(t, "section", "SET", "SET", "SET", "REMOVE", "ADD", "DELETE", "index"); section {
		case "SET":
			sections["SET"] = append(sections["SET"], target()+" = "+e.setValue(t))
		case "REMOVE":
			sections["REMOVE"] = append(sections["REMOVE"], pick(t, "removed", "a", "b", "n", "l[0]", "l[1]", "m.a", "ss", "g", "h", "zz"))
		case "ADD":
			sections["ADD"] = append(sections["ADD"], pick(t, "added to", "n", "c", "ss", "m.n")+" "+e.ref(pick(t, "added", num(1), num(-3), types.AttributeValue(&types.AttributeValueMemberSS{Value: []string{"c", "d"}}))))
		case "DELETE":
			sections["DELETE"] = append(sections["DELETE"], pick(t, "deleted from", "ss", "ss", "c", "m.ss")+" "+e.ref(&types.AttributeValueMemberSS{Value: []string{"a", "c"}}))
		default:
			if pick(t, "index key", "g", "h") == "g" {
				sections["SET"] = append(sections["SET"], "g = "+e.ref(str(pick(t, "g", "g1", "g2"))))
			} else {
				sections["SET"] = append(sections["SET"], "h = "+e.ref(num(rapid.IntRange(0, 2).Draw(t, "h"))))
			}
		}
	}
	var out []string
	for _, name := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if len(sections[name]) > 0 {
			out = append(out, name+" "+strings.Join(sections[name], ", "))
		}
	}
	return strings.Join(out, " ")
}

func (e *expression) setValue(t *rapid.T) string {
	switch pick(t, "set to", "value", "value", "path", "sum", "difference", "default", "append", "counter") {
	case "path":
		return path(t, e)
	case "sum":
		return "n + " + e.ref(num(2))
	case "difference":
		return path(t, e) + " - " + e.ref(num(1))
	case "default":
		return "if_not_exists(" + path(t, e) + ", " + e.ref(value(t)) + ")"
	case "append":
		return "list_append(l, " + e.ref(&types.AttributeValueMemberL{Value: []types.AttributeValue{scalar(t)}}) + ")"
	case "counter":
		return "if_not_exists(n, " + e.ref(num(0)) + ") + " + e.ref(num(1))
	default:
		return e.ref(value(t))
	}
}
