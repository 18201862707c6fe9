package expr

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// BoundUpdate is an update with its placeholders resolved.
type BoundUpdate struct {
	root    *node
	targets []path
}

// change computes what becomes of the value at the end of a path. old is nil
// where there is none; the answer is nil to leave nothing there. before is the
// item as it was before the update: every operand is read from that.
type change func(old attr.Value, before attr.Item) (attr.Value, error)

// Bind prepares the update for one request.
func (u *Update) Bind(env Env) (*BoundUpdate, error) {
	out := &BoundUpdate{root: &node{}, targets: make([]path, 0, len(u.actions))}
	for _, a := range u.actions {
		target, err := a.path.resolve(KindUpdate, env)
		if err != nil {
			return nil, err
		}
		apply, err := a.bind(env)
		if err != nil {
			return nil, err
		}
		end, err := out.root.add(KindUpdate, target)
		if err != nil {
			return nil, err
		}
		end.change = apply
		out.targets = append(out.targets, target)
	}
	return out, nil
}

func (a action) bind(env Env) (change, error) {
	if a.section == "REMOVE" {
		return func(attr.Value, attr.Item) (attr.Value, error) { return nil, nil }, nil
	}
	operand, err := a.operand.bind(KindUpdate, env)
	if err != nil {
		return nil, err
	}
	if a.section == "SET" {
		return func(_ attr.Value, before attr.Item) (attr.Value, error) { return required(operand, before) }, nil
	}
	allowed := []attr.Type{attr.StringSet, attr.NumberSet, attr.BinarySet}
	apply := without
	if a.section == "ADD" {
		allowed = append(allowed, attr.Numeric)
		apply = plus
	}
	if t := operand.staticType(); !slices.Contains(allowed, t) {
		return nil, KindUpdate.invalid("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND",
			a.section, updateType[t], a.section)
	}
	return func(old attr.Value, before attr.Item) (attr.Value, error) {
		v, err := operand.value(before)
		if err != nil {
			return nil, err
		}
		return apply(old, v)
	}, nil
}

// Attributes returns the top-level attributes that the update changes.
func (u *BoundUpdate) Attributes() []string {
	out := make([]string, len(u.targets))
	for i, p := range u.targets {
		out[i] = p[0].name
	}
	return out
}

// Touched returns the attributes of item that the update names, for the return
// values UPDATED_OLD and UPDATED_NEW. Like DynamoDB Local it returns whole
// top-level attributes, also for a target inside one, if the target is there.
func (u *BoundUpdate) Touched(item attr.Item) attr.Item {
	out := attr.Item{}
	for _, p := range u.targets {
		if p.value(item) != nil {
			out[p[0].name] = attr.Copy(item[p[0].name])
		}
	}
	return out
}

// Apply returns item with the changes made. The item itself, which may be nil,
// stays as it is; unchanged values are shared with it. Errors are
// [attr.Invalid] and depend on the item.
func (u *BoundUpdate) Apply(item attr.Item) (attr.Item, error) {
	return changeMap(u.root, item, item)
}

func changeMap(n *node, old, before attr.Item) (attr.Item, error) {
	out := maps.Clone(old)
	if out == nil {
		out = attr.Item{}
	}
	for _, c := range n.children {
		v, err := changed(c, old[c.step.name], before)
		if err != nil {
			return nil, err
		}
		if v == nil {
			delete(out, c.step.name)
		} else {
			out[c.step.name] = v
		}
	}
	return out, nil
}

// changed returns what becomes of old, which stands at n, nil for nothing.
func changed(n *node, old attr.Value, before attr.Item) (attr.Value, error) {
	if n.path != nil {
		return n.change(old, before)
	}
	switch v := old.(type) {
	case *types.AttributeValueMemberM:
		if n.children[0].step.isIndex {
			return nil, errUpdatePath
		}
		out, err := changeMap(n, v.Value, before)
		return &types.AttributeValueMemberM{Value: out}, err
	case *types.AttributeValueMemberL:
		if !n.children[0].step.isIndex {
			return nil, errUpdatePath
		}
		return changeList(n, v.Value, before)
	default:
		return nil, errUpdatePath
	}
}

// changeList changes elements by their old indexes: what is removed leaves a
// gap that closes at the end, and what is set beyond the end is appended, in
// the order of the indexes.
func changeList(n *node, old []attr.Value, before attr.Item) (attr.Value, error) {
	out := slices.Clone(old)
	for _, c := range n.children {
		v, err := changed(c, c.step.child(&types.AttributeValueMemberL{Value: old}), before)
		switch {
		case err != nil:
			return nil, err
		case c.step.index < len(old):
			out[c.step.index] = v
		case v != nil:
			out = append(out, v)
		}
	}
	out = slices.DeleteFunc(out, func(v attr.Value) bool { return v == nil })
	return &types.AttributeValueMemberL{Value: out}, nil
}

// plus is ADD: the sum of numbers, the union of sets.
func plus(old, v attr.Value) (attr.Value, error) {
	if old == nil {
		return v, nil
	}
	if attr.TypeOf(old) != attr.TypeOf(v) {
		return nil, errOperandType
	}
	if a, isNumber := attr.NumberOf(old); isNumber {
		b, _ := attr.NumberOf(v)
		sum, err := a.Add(b)
		if err != nil {
			return nil, err
		}
		return attr.OfNumber(sum), nil
	}
	return attr.Union(old, v), nil
}

// without is DELETE: the difference of sets, nothing when it is empty.
func without(old, v attr.Value) (attr.Value, error) {
	if old == nil {
		return nil, nil
	}
	if attr.TypeOf(old) != attr.TypeOf(v) {
		return nil, errOperandType
	}
	return attr.Difference(old, v), nil
}
