package expr

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// Projection is a parsed ProjectionExpression.
type Projection struct {
	paths []path
	used  Placeholders
}

// Placeholders returns what the expression uses.
func (p *Projection) Placeholders() Placeholders { return p.used }

// Attributes returns the top-level attributes that the projection asks for.
func (p *Projection) Attributes(env Env) ([]string, error) {
	return attributes(KindProjection, env, p.paths)
}

func (p *parser) projection() (*Projection, error) {
	for {
		if _, err := p.path(); err != nil {
			return nil, err
		}
		if !p.takeSymbol(",") {
			break
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return &Projection{paths: p.paths, used: p.used}, nil
}

// Bind prepares the projection. The function it returns copies out of an item
// what the paths name, deeply; paths that lead nowhere add nothing.
func (p *Projection) Bind(env Env) (func(attr.Item) attr.Item, error) {
	root := &node{}
	for _, written := range p.paths {
		resolved, err := written.resolve(KindProjection, env)
		if err != nil {
			return nil, err
		}
		if _, err := root.add(KindProjection, resolved); err != nil {
			return nil, err
		}
	}
	return func(item attr.Item) attr.Item { return projectMap(root, item) }, nil
}

func projectMap(n *node, from attr.Item) attr.Item {
	out := attr.Item{}
	for _, c := range n.children {
		if v := project(c, from[c.step.name]); v != nil {
			out[c.step.name] = v
		}
	}
	return out
}

// project returns nil where nothing of v is asked for.
func project(n *node, v attr.Value) attr.Value {
	if v == nil {
		return nil
	}
	if n.path != nil {
		return attr.Copy(v)
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		if n.children[0].step.isIndex {
			return nil
		}
		if out := projectMap(n, v.Value); len(out) > 0 {
			return &types.AttributeValueMemberM{Value: out}
		}
	case *types.AttributeValueMemberL:
		// The elements asked for move together: the answer has no holes.
		var out []attr.Value
		for _, c := range n.children {
			if element := project(c, c.step.child(v)); element != nil {
				out = append(out, element)
			}
		}
		if len(out) > 0 {
			return &types.AttributeValueMemberL{Value: out}
		}
	}
	return nil
}
