package expr

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// maxPathElements is how deep a document path may go.
const maxPathElements = 32

// step is one element of a document path: a map key (or attribute name), or a
// list index.
type step struct {
	name    string // as written, so it may be a #placeholder
	index   int
	isIndex bool
}

func (s step) String() string {
	if s.isIndex {
		return "[" + strconv.Itoa(s.index) + "]"
	}
	return s.name
}

// path is a document path such as a.#b[0].
type path []step

// resolve replaces the placeholders of p.
func (p path) resolve(kind Kind, env Env) (path, error) {
	for i, s := range p {
		if s.isIndex || s.name[0] != '#' {
			continue
		}
		if _, ok := env.names[s.name]; !ok {
			return nil, kind.invalid("An expression attribute name used in the document path is not defined; attribute name: %s", s.name)
		}
		// Only now is a copy needed: the parsed path is shared by all requests.
		out := append(path{}, p...)
		for j := i; j < len(out); j++ {
			if out[j].isIndex || out[j].name[0] != '#' {
				continue
			}
			name, ok := env.names[out[j].name]
			if !ok {
				return nil, kind.invalid("An expression attribute name used in the document path is not defined; attribute name: %s", out[j].name)
			}
			out[j].name = name
		}
		return out, nil
	}
	return p, nil
}

func (p path) equal(q path) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// String writes the path as DynamoDB's messages do: [a, b, [0]].
func (p path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// value returns what item holds at the resolved path p, nil for nothing.
func (p path) value(item attr.Item) attr.Value {
	v := item[p[0].name]
	for _, s := range p[1:] {
		v = s.child(v)
	}
	return v
}

// child returns the element of v that s names, nil for none.
func (s step) child(v attr.Value) attr.Value {
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		if !s.isIndex {
			return v.Value[s.name]
		}
	case *types.AttributeValueMemberL:
		if s.isIndex && s.index < len(v.Value) {
			return v.Value[s.index]
		}
	}
	return nil
}
